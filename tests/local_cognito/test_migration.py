"""Users who come from elsewhere when they first sign in or have forgotten their password: the user-migration
trigger."""

from __future__ import annotations

from typing import Any

import pytest

from cognito_flow.testing import LocalCognito, Pool
from tests.local_cognito.wire import PASSWORD, Wire, refusal

MAIL = "eve@example.com"
NEW = "Another-horse-1"
UNKNOWN = ("UserNotFoundException", "User does not exist.")
UNKNOWN_TO_RECOVERY = ("UserNotFoundException", "Username/client id combination not found.")


def bring(pool: Pool, attributes: dict[str, str] | None, **response: Any) -> list[str]:
    """Set the trigger: it brings a confirmed user with these attributes.

    Returns:
        The passwords that it is told; the triggerSource where there is none.
    """
    seen: list[str] = []

    def migrate(event: Any) -> Any:
        seen.append(event["request"].get("password", event["triggerSource"]))
        event["response"] |= {"userAttributes": attributes, "finalUserStatus": "CONFIRMED", **response}
        return event

    pool.triggers["UserMigration"] = migrate
    return seen


def test_the_trigger_brings_a_user_once(wire: Wire) -> None:
    """With the password that was typed, which is good for SRP from then on."""
    seen = bring(wire.pool, {"username": "eve", "email": MAIL, "email_verified": "true"})
    for _ in range(2):
        assert "AuthenticationResult" in wire.password("eve")

    assert "AuthenticationResult" in wire.srp("eve")
    assert seen == [PASSWORD]
    assert wire.pool.user("eve").attributes == {"email": MAIL, "email_verified": "true"}


def test_a_user_without_a_final_status_must_choose_another_password(wire: Wire) -> None:
    """RESET_REQUIRED is the default."""
    bring(wire.pool, {"email": MAIL}, finalUserStatus=None)

    assert refusal(lambda: wire.password("eve"))[0] == "PasswordResetRequiredException"


def test_a_trigger_that_brings_nobody_leaves_the_user_unknown(wire: Wire) -> None:
    """Told or hidden, as the app client says."""
    hiding = Wire(wire.pool, wire.pool.app_client(prevent_user_existence_errors="ENABLED").client_id)
    bring(wire.pool, None)

    assert refusal(lambda: wire.password("eve")) == UNKNOWN
    hidden = refusal(lambda: hiding.password("eve"))
    assert hidden == ("NotAuthorizedException", "Incorrect username or password.")


def test_attributes_that_cannot_be_are_refused(wire: Wire) -> None:
    """Then nobody is brought."""
    bring(wire.pool, {"custom:none": "x"})

    assert refusal(lambda: wire.password("eve"))[0] == "InvalidParameterException"
    with pytest.raises(KeyError):
        wire.pool.user("eve")


def test_an_address_is_the_name_of_who_comes(cognito: LocalCognito) -> None:
    """Where addresses are user names; who types no address is not brought."""
    wire = Wire(cognito.create_pool(username_attributes=["email"]))
    bring(wire.pool, {"nickname": "Eve"})
    assert "AuthenticationResult" in wire.password(MAIL)
    user = wire.pool.user(MAIL)

    assert user.username == user.sub
    assert (user.attributes["email"], user.attributes["nickname"]) == (MAIL, "Eve")
    assert refusal(lambda: wire.password("eve")) == UNKNOWN


@pytest.mark.parametrize(("verified", "force"), [("true", True), ("true", False), ("false", True)])
def test_an_alias_is_taken_over_only_on_purpose(cognito: LocalCognito, verified: str, force: bool) -> None:
    """forceAliasCreation; without it, whose alias is another's is not brought."""
    wire = Wire(cognito.create_pool(alias_attributes=["email"]))
    wire.pool.add_user("bob", PASSWORD, email=MAIL)
    bring(wire.pool, {"email": MAIL, "email_verified": verified}, forceAliasCreation=force)
    if force:
        assert "AuthenticationResult" in wire.password("eve")
    else:
        assert refusal(lambda: wire.password("eve")) == UNKNOWN

    expected = "eve" if force and verified == "true" else "bob"
    assert wire.pool.user(MAIL).username == expected


# -- who has forgotten the password --


def forget(wire: Wire, username: str) -> Any:
    """Ask for a code."""
    return wire.api.forgot_password(ClientId=wire.client_id, Username=username)


def test_who_has_forgotten_the_password_comes_and_chooses_another(wire: Wire) -> None:
    """The trigger is told no password, and the code goes to the address that it brings."""
    seen = bring(wire.pool, {"email": MAIL, "email_verified": "true"}, finalUserStatus=None)

    destination = forget(wire, "eve")["CodeDeliveryDetails"]["Destination"]
    new = {"ConfirmationCode": wire.pool.last_code("eve"), "Password": NEW}
    wire.api.confirm_forgot_password(ClientId=wire.client_id, Username="eve", **new)

    assert (destination, seen) == ("e***@e***", ["UserMigration_ForgotPassword"])
    assert "AuthenticationResult" in wire.srp("eve", NEW)


@pytest.mark.parametrize("attributes", [None, {"nickname": "Eve"}], ids=["nobody", "nowhere to send it"])
def test_no_code_is_sent_if_the_trigger_brings_no_address(wire: Wire, attributes: Any) -> None:
    """Either there is no such user, or there is no way to reach her."""
    bring(wire.pool, attributes)

    refused = refusal(lambda: forget(wire, "eve"))

    assert (refused == UNKNOWN_TO_RECOVERY) is (attributes is None)
    assert wire.pool.cognito.outbox == []


def test_the_trigger_is_not_asked_for_who_is_there(wire: Wire) -> None:
    """Carol has a password here, forgotten or not."""
    wire.pool.add_user("carol", PASSWORD, email="carol@example.com")
    seen = bring(wire.pool, {"email": MAIL, "email_verified": "true"})

    forget(wire, "carol")

    assert seen == []


@pytest.mark.parametrize("mode", ["LEGACY", "ENABLED"])
def test_who_is_brought_goes_on_to_the_second_factor(cognito: LocalCognito, mode: str) -> None:
    """And completes the sign-in that brought them, as any other user."""
    pool = cognito.create_pool(mfa_configuration="ON", email_mfa_configuration={})
    wire = Wire(pool, pool.app_client(prevent_user_existence_errors=mode).client_id)
    bring(pool, {"email": MAIL, "email_verified": "true"})
    step = wire.password("eve")
    assert step["ChallengeName"] == "EMAIL_OTP"
    assert "AuthenticationResult" in wire.answer(step, "eve", EMAIL_OTP_CODE=pool.last_code("eve"))
