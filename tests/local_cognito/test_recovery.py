"""Forgotten passwords: where the code goes, how long it lives, and what nobody learns from it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cognito_flow.testing import LocalCognito, Pool
from tests.local_cognito.wire import PASSWORD, Wire, refusal

NEW = "Battery-staple-2"
EXPIRED = ("ExpiredCodeException", "Invalid code provided, please request a code again.")
MISMATCH = ("CodeMismatchException", "Invalid verification code provided, please try again.")
LIMIT = ("LimitExceededException", "Attempt limit exceeded, please try after some time.")
NO_CHANNEL = (
    "InvalidParameterException",
    "Cannot reset password for the user as there is no registered/verified email or phone_number",
)


def forgot(wire: Wire, username: str = "alice") -> Any:
    """ForgotPassword; the CodeDeliveryDetails."""
    return wire.api.forgot_password(ClientId=wire.client_id, Username=username)["CodeDeliveryDetails"]


def confirm(wire: Wire, code: str = "wrong", username: str = "alice", password: str = NEW) -> Any:
    """ConfirmForgotPassword."""
    return wire.api.confirm_forgot_password(
        ClientId=wire.client_id, Username=username, ConfirmationCode=code, Password=password
    )


def hiding(pool: Pool) -> Wire:
    """The pool through an app client that hides who exists."""
    return Wire(pool, pool.app_client(prevent_user_existence_errors="ENABLED").client_id)


# -- who exists --


def people(pool: Pool) -> None:
    """Users whom nobody is to tell apart from one who does not exist."""
    pool.add_user("real", PASSWORD, email="real@example.com")
    pool.add_user("disabled", PASSWORD, email="disabled@example.com").is_enabled = False
    pool.add_user("unreachable", PASSWORD)


@pytest.mark.parametrize("name", ["real", "disabled", "unreachable", "nobody"])
def test_nobody_learns_who_exists(cognito: LocalCognito, name: str) -> None:
    """The same answers in the same order, whoever it is: before a code, with a wrong one, too late, too often."""
    wire = hiding(cognito.create_pool())
    people(wire.pool)
    attempt = partial(confirm, wire, username=name)

    assert refusal(attempt) == EXPIRED
    details = forgot(wire, name)
    assert (details["DeliveryMedium"], details["AttributeName"]) == ("EMAIL", "email")
    assert refusal(attempt) == MISMATCH
    cognito.clock.advance(3599)
    assert refusal(attempt) == MISMATCH
    cognito.clock.advance(1)
    assert refusal(attempt) == EXPIRED
    for _ in range(5):
        forgot(wire, name)
    assert refusal(lambda: forgot(wire, name)) == LIMIT
    assert {message.username for message in cognito.outbox} <= {"real"}


def test_who_does_not_exist_is_told_where_nothing_is_hidden(cognito: LocalCognito) -> None:
    """Both operations say so."""
    wire = Wire(cognito.create_pool())
    people(wire.pool)
    unknown = ("UserNotFoundException", "Username/client id combination not found.")

    assert refusal(lambda: forgot(wire, "nobody")) == unknown
    assert refusal(lambda: confirm(wire, username="nobody")) == unknown
    assert refusal(lambda: forgot(wire, "disabled")) == ("NotAuthorizedException", "User is disabled.")
    assert refusal(lambda: forgot(wire, "unreachable")) == NO_CHANNEL
    assert refusal(lambda: confirm(wire, username="unreachable")) == EXPIRED


@pytest.mark.parametrize(
    ("members", "name", "expected"),
    [
        ({}, "+31611112222", ("SMS", "phone_number", "+*******2222")),
        ({}, "nobody@example.com", ("EMAIL", "email", "n***@e***")),
        ({"auto_verified_attributes": ["phone_number"]}, "nobody", ("SMS", "phone_number", None)),
        (
            {
                "account_recovery_setting": {
                    "RecoveryMechanisms": [
                        {"Priority": 2, "Name": "verified_email"},
                        {"Priority": 1, "Name": "verified_phone_number"},
                    ]
                }
            },
            "nobody",
            ("SMS", "phone_number", None),
        ),
    ],
    ids=str,
)
def test_a_simulated_delivery_looks_like_one_of_the_pool(
    cognito: LocalCognito, members: dict[str, Any], name: str, expected: tuple[str, str, str | None]
) -> None:
    """To the address that was typed, or of the kind that the pool's users have; the same each time."""
    wire = hiding(cognito.create_pool(**members))
    details = forgot(wire, name)
    medium, attribute, destination = expected

    assert details == forgot(wire, name)
    assert (details["DeliveryMedium"], details["AttributeName"]) == (medium, attribute)
    assert destination is None or details["Destination"] == destination
    assert not cognito.outbox


# -- where the code goes --


def mechanisms(*names: str) -> dict[str, Any]:
    """AccountRecoverySetting with these, the first one preferred."""
    ranked = [{"Priority": number, "Name": name} for number, name in enumerate(names, 1)]
    return {"RecoveryMechanisms": ranked}


@pytest.mark.parametrize(
    ("setting", "mfa", "medium"),
    [
        (None, [], "SMS"),
        (None, ["SMS_MFA"], "SMS"),
        (mechanisms("verified_email", "verified_phone_number"), [], "EMAIL"),
        (mechanisms("verified_phone_number", "verified_email"), [], "SMS"),
        (mechanisms("verified_phone_number", "verified_email"), ["SMS_MFA"], "EMAIL"),
        (mechanisms("verified_email"), ["EMAIL_OTP"], None),
        (mechanisms("admin_only"), [], None),
    ],
    ids=str,
)
def test_the_pool_says_where_the_code_goes(
    cognito: LocalCognito, setting: dict[str, Any] | None, mfa: list[str], medium: str | None
) -> None:
    """With a setting, the channel of a second factor is none of recovery."""
    members: dict[str, Any] = {} if setting is None else {"account_recovery_setting": setting}
    wire = Wire(cognito.create_pool(**members))
    user = wire.pool.add_user("alice", PASSWORD, email="alice@example.com", phone_number="+31612345678")
    user.mfa_enabled += mfa

    if medium is None:
        assert refusal(lambda: forgot(wire)) == NO_CHANNEL
    else:
        assert forgot(wire)["DeliveryMedium"] == medium == cognito.outbox[-1].medium


def test_a_new_address_makes_old_codes_worthless(wire: Wire) -> None:
    """They went to somebody else."""
    forgot(wire)
    code = wire.pool.last_code("alice")
    number = [{"Name": "phone_number", "Value": "+31687654321"}]
    wire.api.admin_update_user_attributes(UserPoolId=wire.pool.id, Username="alice", UserAttributes=number)

    assert refusal(lambda: confirm(wire, code)) == EXPIRED


# -- setting a new one --


def test_a_code_sets_a_password_once(wire: Wire) -> None:
    """The trigger is told."""
    seen: list[tuple[str, Any]] = []

    def note(event: Any) -> Any:
        seen.append((event["triggerSource"], event["request"]["clientMetadata"]))
        return event

    wire.pool.triggers["PostConfirmation"] = note
    forgot(wire)
    code = wire.pool.last_code("alice")
    confirm(wire, code)

    assert seen == [("PostConfirmation_ConfirmForgotPassword", {})]
    assert "AuthenticationResult" in wire.srp(password=NEW)
    assert refusal(wire.password)[1] == "Incorrect username or password."
    assert refusal(lambda: confirm(wire, code)) == EXPIRED


def test_a_code_takes_no_alias_back(cognito: LocalCognito) -> None:
    """It was taken over since, and stays where it is."""
    wire = Wire(cognito.create_pool(alias_attributes=["email"]))
    wire.pool.add_user("alice", PASSWORD, email="alice@example.com")
    forgot(wire)
    verified = {"email": "alice@example.com", "email_verified": "true"}
    wire.api.admin_create_user(
        UserPoolId=wire.pool.id,
        Username="bob",
        UserAttributes=[{"Name": name, "Value": value} for name, value in verified.items()],
        MessageAction="SUPPRESS",
        ForceAliasCreation=True,
    )
    confirm(wire, wire.pool.last_code("alice"))

    assert wire.pool.user("alice@example.com").username == "bob"
    assert wire.pool.user("alice").attributes["email_verified"] == "false"
    assert "AuthenticationResult" in wire.password(password=NEW)


def test_a_refused_attempt_leaves_the_code_good(wire: Wire) -> None:
    """A wrong code, and a password against the policy."""
    forgot(wire)
    code = wire.pool.last_code("alice")
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)

    assert refusal(lambda: confirm(wire, wrong)) == MISMATCH
    weak = refusal(lambda: confirm(wire, code, password="battery-staple-2"))
    assert weak[0] == "InvalidPasswordException"
    confirm(wire, code)


def test_a_code_is_good_for_an_hour(wire: Wire) -> None:
    """No longer; and none is good that was not asked for."""
    assert refusal(lambda: confirm(wire, "123456")) == EXPIRED
    forgot(wire)
    code = wire.pool.last_code("alice")
    wire.cognito.clock.advance(3600)
    assert refusal(lambda: confirm(wire, code)) == EXPIRED
    forgot(wire)
    wire.cognito.clock.advance(3599)
    confirm(wire, wire.pool.last_code("alice"))


@given(code=st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_other_text_is_the_code(wire: Wire, code: str) -> None:
    """Whatever it is, it is a code that does not match."""
    forgot(wire)
    assume(code != wire.pool.last_code("alice"))

    assert refusal(lambda: confirm(wire, code)) == MISMATCH
    wire.cognito.clock.advance(3600)


def test_codes_cannot_be_tried_out(wire: Wire) -> None:
    """Five in an hour; after that not even the right one."""
    forgot(wire)
    for _ in range(5):
        assert refusal(lambda: confirm(wire)) == MISMATCH

    assert refusal(lambda: confirm(wire, wire.pool.last_code("alice"))) == LIMIT


def test_an_alias_is_counted_with_the_name(cognito: LocalCognito) -> None:
    """They are one user."""
    wire = Wire(cognito.create_pool(alias_attributes=["email"]))
    wire.pool.add_user("alice", PASSWORD, email="alice@example.com")
    for _ in range(5):
        forgot(wire, "alice@example.com")

    assert refusal(lambda: forgot(wire)) == LIMIT


# -- by an administrator --


def test_a_reset_by_an_administrator_sends_a_code(wire: Wire) -> None:
    """Which sets the new password; before, the old one does not sign in."""
    reset = partial(wire.api.admin_reset_user_password, UserPoolId=wire.pool.id)
    reset(Username="alice")
    assert refusal(wire.password)[0] == "PasswordResetRequiredException"
    assert refusal(lambda: confirm(hiding(wire.pool))) == MISMATCH
    confirm(wire, wire.pool.last_code("alice"))

    assert wire.cognito.outbox[-1].purpose == "AdminResetUserPassword"
    assert "AuthenticationResult" in wire.password(password=NEW)
    assert refusal(lambda: reset(Username="bob")) == NO_CHANNEL
    assert "AuthenticationResult" in wire.password("bob")


def test_who_must_reset_the_password_may_ask_for_another_code(wire: Wire) -> None:
    """It replaces the one that the administrator sent."""
    wire.api.admin_reset_user_password(UserPoolId=wire.pool.id, Username="alice")
    forgot(wire)
    confirm(wire, wire.pool.last_code("alice"))

    assert "AuthenticationResult" in wire.password(password=NEW)


@pytest.mark.parametrize("by", ["himself", "an administrator"])
def test_an_invited_user_has_no_password_to_forget(wire: Wire, by: str) -> None:
    """It is the invitation that is sent again."""
    wire.pool.add_user("carol", PASSWORD, email="carol@example.com", temporary=True)
    ask = partial(forgot, wire, "carol")
    if by == "an administrator":
        ask = partial(wire.api.admin_reset_user_password, UserPoolId=wire.pool.id, Username="carol")

    text = "User password cannot be reset in the current state."
    assert refusal(ask) == ("NotAuthorizedException", text)
