"""Forgotten passwords: where the code goes, when it expires, and what it must not reveal."""

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
RESET = "Password reset required for the user"
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
    """The pool through an app client that hides which users exist."""
    return Wire(pool, pool.app_client(prevent_user_existence_errors="ENABLED").client_id)


# -- who exists --


def people(pool: Pool) -> None:
    """Users who must look like one who does not exist."""
    pool.add_user("real", PASSWORD, email="real@example.com")
    pool.add_user("disabled", PASSWORD, email="disabled@example.com").is_enabled = False
    pool.add_user("unreachable", PASSWORD)


@pytest.mark.parametrize("name", ["real", "disabled", "unreachable", "unknown"])
def test_forgot_password_answers_known_and_unknown_users_alike_where_they_are_hidden(
    cognito: LocalCognito, name: str
) -> None:
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


def test_forgot_password_reports_unknown_users_where_nothing_is_hidden(cognito: LocalCognito) -> None:
    wire = Wire(cognito.create_pool())
    people(wire.pool)
    unknown = ("UserNotFoundException", "Username/client id combination not found.")

    assert refusal(lambda: forgot(wire, "unknown")) == unknown
    assert refusal(lambda: confirm(wire, username="unknown")) == unknown
    assert refusal(lambda: forgot(wire, "disabled")) == ("NotAuthorizedException", "User is disabled.")
    assert refusal(lambda: forgot(wire, "unreachable")) == NO_CHANNEL
    assert refusal(lambda: confirm(wire, username="unreachable")) == EXPIRED


@pytest.mark.parametrize(
    ("members", "name", "expected"),
    [
        ({}, "+31611112222", ("SMS", "phone_number", "+*******2222")),
        ({}, "unknown@example.com", ("EMAIL", "email", "u***@e***")),
        ({"auto_verified_attributes": ["phone_number"]}, "unknown", ("SMS", "phone_number", None)),
        (
            {
                "account_recovery_setting": {
                    "RecoveryMechanisms": [
                        {"Priority": 2, "Name": "verified_email"},
                        {"Priority": 1, "Name": "verified_phone_number"},
                    ]
                }
            },
            "unknown",
            ("SMS", "phone_number", None),
        ),
    ],
    ids=str,
)
def test_simulated_delivery_looks_like_a_real_one(
    cognito: LocalCognito, members: dict[str, Any], name: str, expected: tuple[str, str, str | None]
) -> None:
    wire = hiding(cognito.create_pool(**members))
    details = forgot(wire, name)
    medium, attribute, destination = expected

    assert details == forgot(wire, name)
    assert (details["DeliveryMedium"], details["AttributeName"]) == (medium, attribute)
    assert destination is None or details["Destination"] == destination
    assert not cognito.outbox


# -- where the code goes --


def mechanisms(*names: str) -> dict[str, Any]:
    """AccountRecoverySetting with these mechanisms, the first one preferred."""
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
def test_account_recovery_setting_decides_where_the_code_goes(
    cognito: LocalCognito, setting: dict[str, Any] | None, mfa: list[str], medium: str | None
) -> None:
    members: dict[str, Any] = {} if setting is None else {"account_recovery_setting": setting}
    wire = Wire(cognito.create_pool(**members))
    user = wire.pool.add_user("alice", PASSWORD, email="alice@example.com", phone_number="+31612345678")
    user.mfa_enabled += mfa

    if medium is None:
        assert refusal(lambda: forgot(wire)) == NO_CHANNEL
    else:
        assert forgot(wire)["DeliveryMedium"] == medium == cognito.outbox[-1].medium


def test_code_sent_to_a_former_address_is_refused(wire: Wire) -> None:
    forgot(wire)
    code = wire.pool.last_code("alice")
    number = [{"Name": "phone_number", "Value": "+31687654321"}]
    wire.api.admin_update_user_attributes(UserPoolId=wire.pool.id, Username="alice", UserAttributes=number)

    assert refusal(lambda: confirm(wire, code)) == EXPIRED


# -- setting a new one --


def test_recovery_code_sets_a_password_once_and_runs_the_trigger(wire: Wire) -> None:
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


def test_recovery_code_takes_no_alias_back(cognito: LocalCognito) -> None:
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


def test_refused_attempt_leaves_the_recovery_code_valid(wire: Wire) -> None:
    forgot(wire)
    code = wire.pool.last_code("alice")
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)

    assert refusal(lambda: confirm(wire, wrong)) == MISMATCH
    weak = refusal(lambda: confirm(wire, code, password="battery-staple-2"))
    assert weak[0] == "InvalidPasswordException"
    confirm(wire, code)


def test_recovery_code_expires_after_an_hour(wire: Wire) -> None:
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
def test_any_other_text_is_a_code_mismatch(wire: Wire, code: str) -> None:
    forgot(wire)
    assume(code != wire.pool.last_code("alice"))

    assert refusal(lambda: confirm(wire, code)) == MISMATCH
    wire.cognito.clock.advance(3600)


def test_sixth_recovery_attempt_in_an_hour_is_refused(wire: Wire) -> None:
    forgot(wire)
    for _ in range(5):
        assert refusal(lambda: confirm(wire)) == MISMATCH

    assert refusal(lambda: confirm(wire, wire.pool.last_code("alice"))) == LIMIT


def test_attempts_by_alias_and_name_are_counted_together(cognito: LocalCognito) -> None:
    wire = Wire(cognito.create_pool(alias_attributes=["email"]))
    wire.pool.add_user("alice", PASSWORD, email="alice@example.com")
    for _ in range(5):
        forgot(wire, "alice@example.com")

    assert refusal(lambda: forgot(wire)) == LIMIT


# -- by an administrator --


def test_admin_reset_user_password_sends_a_code(wire: Wire) -> None:
    reset = partial(wire.api.admin_reset_user_password, UserPoolId=wire.pool.id)
    reset(Username="alice")
    assert refusal(wire.password)[0] == "PasswordResetRequiredException"
    assert refusal(lambda: confirm(hiding(wire.pool))) == MISMATCH
    confirm(wire, wire.pool.last_code("alice"))

    assert wire.cognito.outbox[-1].purpose == "AdminResetUserPassword"
    assert "AuthenticationResult" in wire.password(password=NEW)
    assert refusal(lambda: reset(Username="bob")) == NO_CHANNEL
    assert "AuthenticationResult" in wire.password("bob")


def test_user_who_must_reset_does_not_sign_in_with_a_code(cognito: LocalCognito) -> None:
    policies: Any = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
    wire = Wire(cognito.create_pool(policies=policies))
    wire.pool.add_user("alice", PASSWORD, email="alice@example.com")
    wire.api.admin_reset_user_password(UserPoolId=wire.pool.id, Username="alice")

    step = wire.start("USER_AUTH", USERNAME="alice", PREFERRED_CHALLENGE="EMAIL_OTP")
    refused = refusal(lambda: wire.answer(step, EMAIL_OTP_CODE=wire.pool.last_code("alice")))

    assert refused == ("PasswordResetRequiredException", RESET)
    assert wire.pool.user("alice").grants == []


def test_user_who_must_reset_gets_no_new_tokens(wire: Wire) -> None:
    token = wire.password()["AuthenticationResult"]["RefreshToken"]
    wire.api.admin_reset_user_password(UserPoolId=wire.pool.id, Username="alice")
    refresh = partial(wire.api.get_tokens_from_refresh_token, ClientId=wire.client_id)

    refused = refusal(lambda: wire.start("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token))
    assert refused == ("PasswordResetRequiredException", RESET)
    assert refusal(lambda: refresh(RefreshToken=token)) == ("NotAuthorizedException", RESET)
    confirm(wire, wire.pool.last_code("alice"))


def test_user_who_must_reset_can_request_another_code(wire: Wire) -> None:
    wire.api.admin_reset_user_password(UserPoolId=wire.pool.id, Username="alice")
    forgot(wire)
    confirm(wire, wire.pool.last_code("alice"))

    assert "AuthenticationResult" in wire.password(password=NEW)


@pytest.mark.parametrize("by", ["himself", "an administrator"])
def test_forgot_password_of_an_invited_user_is_refused(wire: Wire, by: str) -> None:
    wire.pool.add_user("carol", PASSWORD, email="carol@example.com", temporary=True)
    ask = partial(forgot, wire, "carol")
    if by == "an administrator":
        ask = partial(wire.api.admin_reset_user_password, UserPoolId=wire.pool.id, Username="carol")

    text = "User password cannot be reset in the current state."
    assert refusal(ask) == ("NotAuthorizedException", text)
