"""Second factors by code: authenticator apps, SMS and e-mail, and setting one up in the sign-in."""

from __future__ import annotations

from typing import Any

import pytest

from cognito_flow.testing import LocalCognito, totp_code
from tests.local_cognito.wire import PASSWORD, Wire, refusal

TOTP_MISMATCH = ("CodeMismatchException", "Invalid code received for user")
TOTP_USED = ("ExpiredCodeException", "Your software token has already been used once.")
CODE_MISMATCH = ("CodeMismatchException", "Invalid code or auth state for the user.")
LOCKED = (
    "NotAuthorizedException",
    "Too many invalid credentials attempts. User temporarily locked. Please try again after few seconds.",
)


def other(code: str) -> str:
    """A code that differs in its last digit."""
    return code[:-1] + str((int(code[-1]) + 1) % 10)


@pytest.fixture
def email_wire(cognito: LocalCognito) -> Wire:
    """A pool that requires a code by e-mail."""
    pool = cognito.create_pool(mfa_configuration="ON", email_mfa_configuration={})
    pool.add_user("alice", PASSWORD, email="alice@example.com")
    return Wire(pool)


def test_right_totp_code_signs_in(totp_wire: Wire) -> None:
    step = totp_wire.password()
    code = totp_wire.pool.totp("alice")
    assert "AuthenticationResult" in totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code)


@pytest.mark.parametrize(("seconds", "is_right"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_totp_code_may_be_one_step_off(totp_wire: Wire, seconds: int, is_right: bool) -> None:
    step, user = totp_wire.password(), totp_wire.pool.user("alice")
    totp_wire.cognito.clock.advance(seconds)
    code = totp_code(user.totp_secret or "", totp_wire.cognito.clock())
    totp_wire.cognito.clock.advance(-seconds)
    if is_right:
        assert "AuthenticationResult" in totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code)
    else:
        assert refusal(lambda: totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code)) == TOTP_MISMATCH


def test_used_totp_code_is_refused(totp_wire: Wire) -> None:
    code = totp_wire.pool.totp("alice")
    totp_wire.answer(totp_wire.password(), SOFTWARE_TOKEN_MFA_CODE=code)
    step = totp_wire.password()
    assert refusal(lambda: totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code)) == TOTP_USED


def test_wrong_totp_code_leaves_the_session_valid(totp_wire: Wire) -> None:
    step, code = totp_wire.password(), totp_wire.pool.totp("alice")
    assert refusal(lambda: totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=other(code))) == TOTP_MISMATCH
    assert "AuthenticationResult" in totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code)


def test_wrong_totp_code_ends_the_session_where_the_pool_is_configured_so(totp_wire: Wire) -> None:
    totp_wire.pool.configure(totp_retry=False)
    step, code = totp_wire.password(), totp_wire.pool.totp("alice")
    assert refusal(lambda: totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=other(code))) == TOTP_MISMATCH
    expected = ("NotAuthorizedException", "Invalid session for the user, session can only be used once.")
    assert refusal(lambda: totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code)) == expected


def test_five_wrong_codes_lock_the_user_for_a_second(totp_wire: Wire) -> None:
    step, code = totp_wire.password(), totp_wire.pool.totp("alice")
    for _ in range(5):
        assert refusal(lambda: totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=other(code))) == TOTP_MISMATCH
    assert refusal(lambda: totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code)) == LOCKED
    totp_wire.cognito.clock.advance(1)
    assert "AuthenticationResult" in totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code)


def test_emailed_code_of_six_digits_signs_in(email_wire: Wire) -> None:
    step = email_wire.password()
    assert step["ChallengeParameters"]["CODE_DELIVERY_DESTINATION"] == "a***@e***"
    code = email_wire.pool.last_code("alice")
    assert len(code) == 6
    assert "AuthenticationResult" in email_wire.answer(step, EMAIL_OTP_CODE=code)


def test_wrong_emailed_code_leaves_the_session_valid(email_wire: Wire) -> None:
    step, code = email_wire.password(), email_wire.pool.last_code("alice")
    assert refusal(lambda: email_wire.answer(step, EMAIL_OTP_CODE=other(code))) == CODE_MISMATCH
    assert refusal(lambda: email_wire.answer(step, EMAIL_OTP_CODE="é")) == CODE_MISMATCH
    assert "AuthenticationResult" in email_wire.answer(step, EMAIL_OTP_CODE=code)


def test_code_of_another_session_is_refused(email_wire: Wire) -> None:
    first = email_wire.password()
    first_code = email_wire.pool.last_code("alice")
    second = email_wire.password()
    while email_wire.pool.last_code("alice") == first_code:
        second = email_wire.password()
    assert refusal(lambda: email_wire.answer(second, EMAIL_OTP_CODE=first_code)) == CODE_MISMATCH
    assert "AuthenticationResult" in email_wire.answer(first, EMAIL_OTP_CODE=first_code)


def test_reprs_of_messages_and_calls_show_no_code_and_no_password(email_wire: Wire) -> None:
    email_wire.password()
    shown = repr(email_wire.cognito.outbox) + repr(email_wire.cognito.calls)
    assert email_wire.pool.last_code("alice") not in shown
    assert PASSWORD not in shown
    assert "AuthParameters.PASSWORD" in shown


def test_authenticator_app_is_set_up_during_the_sign_in(totp_wire: Wire) -> None:
    totp_wire.pool.add_user("carol", PASSWORD)
    step, api = totp_wire.password("carol"), totp_wire.api
    assert step["ChallengeName"] == "MFA_SETUP"
    associated = api.associate_software_token(Session=step["Session"])
    code = totp_code(associated["SecretCode"], totp_wire.cognito.clock())
    wrong = refusal(lambda: api.verify_software_token(Session=associated["Session"], UserCode=other(code)))
    assert wrong[0] == "EnableSoftwareTokenMFAException"
    verified = api.verify_software_token(Session=associated["Session"], UserCode=code)
    done = totp_wire.respond("MFA_SETUP", verified["Session"], {"USERNAME": "carol"})
    assert "AuthenticationResult" in done
    again = totp_wire.password("carol")
    assert again["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert refusal(lambda: totp_wire.answer(again, "carol", SOFTWARE_TOKEN_MFA_CODE=code)) == TOTP_USED


def test_mfa_setup_without_a_verified_app_is_refused(totp_wire: Wire) -> None:
    totp_wire.pool.add_user("carol", PASSWORD)
    step = totp_wire.password("carol")
    expected = ("NotAuthorizedException", "Invalid session for the user.")
    assert refusal(lambda: totp_wire.answer(step, "carol")) == expected
    associated = totp_wire.api.associate_software_token(Session=step["Session"])
    unverified = {**step, "Session": associated["Session"]}
    assert refusal(lambda: totp_wire.answer(unverified, "carol")) == expected


def test_set_up_of_a_deleted_user_is_refused(totp_wire: Wire) -> None:
    totp_wire.pool.add_user("carol", PASSWORD)
    session = totp_wire.password("carol")["Session"]
    associated = totp_wire.api.associate_software_token(Session=session)
    totp_wire.api.admin_delete_user(UserPoolId=totp_wire.pool.id, Username="carol")
    expected = ("NotAuthorizedException", "Invalid session for the user.")
    call = totp_wire.api.verify_software_token
    assert refusal(lambda: call(Session=associated["Session"], UserCode="123456")) == expected


def test_one_time_password_of_user_auth_has_eight_digits(cognito: LocalCognito) -> None:
    policy: Any = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
    pool = cognito.create_pool(policies=policy)
    pool.add_user("alice", PASSWORD, email="alice@example.com")
    wire = Wire(pool)
    step = wire.start("USER_AUTH", USERNAME="alice", PREFERRED_CHALLENGE="EMAIL_OTP")
    assert len(pool.last_code("alice")) == 8
    for _ in range(6):
        assert refusal(lambda: wire.answer(step, EMAIL_OTP_CODE="00000000x")) == CODE_MISMATCH
    assert "AuthenticationResult" in wire.answer(step, EMAIL_OTP_CODE=pool.last_code("alice"))
