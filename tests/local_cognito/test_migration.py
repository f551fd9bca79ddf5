"""The user migration trigger, at a first sign-in and at a forgotten password."""

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
    """Set a trigger that creates a confirmed user with these attributes.

    Returns:
        The passwords that it is shown; the triggerSource where there is none.
    """
    seen: list[str] = []

    def migrate(event: Any) -> Any:
        seen.append(event["request"].get("password", event["triggerSource"]))
        event["response"] |= {"userAttributes": attributes, "finalUserStatus": "CONFIRMED", **response}
        return event

    pool.triggers["UserMigration"] = migrate
    return seen


def test_migration_trigger_creates_a_user_once_with_the_typed_password(wire: Wire) -> None:
    seen = bring(wire.pool, {"username": "eve", "email": MAIL, "email_verified": "true"})
    for _ in range(2):
        assert "AuthenticationResult" in wire.password("eve")

    assert "AuthenticationResult" in wire.srp("eve")
    assert seen == [PASSWORD]
    assert wire.pool.user("eve").attributes == {"email": MAIL, "email_verified": "true"}


def test_migrated_user_without_a_final_status_must_reset_the_password(wire: Wire) -> None:
    bring(wire.pool, {"email": MAIL}, finalUserStatus=None)

    assert refusal(lambda: wire.password("eve"))[0] == "PasswordResetRequiredException"


def test_migration_without_attributes_leaves_the_user_unknown(wire: Wire) -> None:
    hiding = Wire(wire.pool, wire.pool.app_client(prevent_user_existence_errors="ENABLED").client_id)
    bring(wire.pool, None)

    assert refusal(lambda: wire.password("eve")) == UNKNOWN
    hidden = refusal(lambda: hiding.password("eve"))
    assert hidden == ("NotAuthorizedException", "Incorrect username or password.")


def test_migrated_user_with_invalid_attributes_is_refused(wire: Wire) -> None:
    bring(wire.pool, {"custom:none": "x"})

    assert refusal(lambda: wire.password("eve"))[0] == "InvalidParameterException"
    with pytest.raises(KeyError):
        wire.pool.user("eve")


def test_migrated_user_of_an_email_pool_is_named_by_the_typed_address(cognito: LocalCognito) -> None:
    wire = Wire(cognito.create_pool(username_attributes=["email"]))
    bring(wire.pool, {"nickname": "Eve"})
    assert "AuthenticationResult" in wire.password(MAIL)
    user = wire.pool.user(MAIL)

    assert user.username == user.sub
    assert (user.attributes["email"], user.attributes["nickname"]) == (MAIL, "Eve")
    assert refusal(lambda: wire.password("eve")) == UNKNOWN


@pytest.mark.parametrize(("verified", "force"), [("true", True), ("true", False), ("false", True)])
def test_migrated_user_takes_an_alias_only_with_force_alias_creation(
    cognito: LocalCognito, verified: str, force: bool
) -> None:
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
    """Request a code."""
    return wire.api.forgot_password(ClientId=wire.client_id, Username=username)


def test_migration_at_forgot_password_sends_a_code_to_the_new_user(wire: Wire) -> None:
    seen = bring(wire.pool, {"email": MAIL, "email_verified": "true"}, finalUserStatus=None)

    destination = forget(wire, "eve")["CodeDeliveryDetails"]["Destination"]
    new = {"ConfirmationCode": wire.pool.last_code("eve"), "Password": NEW}
    wire.api.confirm_forgot_password(ClientId=wire.client_id, Username="eve", **new)

    assert (destination, seen) == ("e***@e***", ["UserMigration_ForgotPassword"])
    assert "AuthenticationResult" in wire.srp("eve", NEW)


@pytest.mark.parametrize("attributes", [None, {"nickname": "Eve"}], ids=["unknown", "nowhere to send it"])
def test_migration_at_forgot_password_without_an_address_sends_no_code(wire: Wire, attributes: Any) -> None:
    bring(wire.pool, attributes)

    refused = refusal(lambda: forget(wire, "eve"))

    assert (refused == UNKNOWN_TO_RECOVERY) is (attributes is None)
    assert wire.pool.cognito.outbox == []


def test_migration_trigger_is_not_run_for_existing_users(wire: Wire) -> None:
    wire.pool.add_user("carol", PASSWORD, email="carol@example.com")
    seen = bring(wire.pool, {"email": MAIL, "email_verified": "true"})

    forget(wire, "carol")

    assert seen == []


@pytest.mark.parametrize("mode", ["LEGACY", "ENABLED"])
def test_migrated_user_completes_the_second_factor_in_the_same_sign_in(
    cognito: LocalCognito, mode: Any
) -> None:
    pool = cognito.create_pool(mfa_configuration="ON", email_mfa_configuration={})
    wire = Wire(pool, pool.app_client(prevent_user_existence_errors=mode).client_id)
    bring(pool, {"email": MAIL, "email_verified": "true"})
    step = wire.password("eve")
    assert step["ChallengeName"] == "EMAIL_OTP"
    assert "AuthenticationResult" in wire.answer(step, "eve", EMAIL_OTP_CODE=pool.last_code("eve"))
