"""Sessions are bound to pool, app client, user and challenge, and used up by a right answer."""

from __future__ import annotations

import secrets
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from cognito_flow.testing import LocalCognito, totp_code
from tests.local_cognito.wire import PASSWORD, Wire, refusal

INVALID = ("NotAuthorizedException", "Invalid session for the user.")
EXPIRED = ("NotAuthorizedException", "Invalid session for the user, session is expired.")
USED = ("NotAuthorizedException", "Invalid session for the user, session can only be used once.")


def answer(wire: Wire, session: str | None, username: str = "alice") -> object:
    """Answer SOFTWARE_TOKEN_MFA with the right code."""
    responses = {"USERNAME": username, "SOFTWARE_TOKEN_MFA_CODE": wire.pool.totp(username)}
    return wire.respond("SOFTWARE_TOKEN_MFA", session, responses)


def test_session_is_used_up_by_one_right_answer(totp_wire: Wire) -> None:
    session = totp_wire.password()["Session"]
    answer(totp_wire, session)
    assert refusal(lambda: answer(totp_wire, session)) == USED


def test_answer_without_session_is_refused(totp_wire: Wire) -> None:
    expected = ("InvalidParameterException", "Missing required parameter Session")
    assert refusal(lambda: answer(totp_wire, None)) == expected


@pytest.mark.parametrize("session", ["x" * 20, "gAAAA" + "A" * 100, "é" * 30])
def test_made_up_session_is_refused(totp_wire: Wire, session: str) -> None:
    assert refusal(lambda: answer(totp_wire, session)) == INVALID


def test_altered_session_is_refused(totp_wire: Wire) -> None:
    session = totp_wire.password()["Session"]
    changed = session[:50] + ("A" if session[50] != "A" else "B") + session[51:]
    assert refusal(lambda: answer(totp_wire, changed)) == INVALID


def test_session_in_another_spelling_is_refused(totp_wire: Wire) -> None:
    """A lenient decoder of base64 skips the character."""
    session = totp_wire.password()["Session"]
    assert refusal(lambda: answer(totp_wire, f"{session[:50]}!{session[50:]}")) == INVALID
    answer(totp_wire, session)


def test_session_expires_after_three_minutes(totp_wire: Wire) -> None:
    first, second = totp_wire.password()["Session"], totp_wire.password()["Session"]
    totp_wire.cognito.clock.advance(179)
    answer(totp_wire, first)
    totp_wire.cognito.clock.advance(1)
    assert refusal(lambda: answer(totp_wire, second)) == EXPIRED


def test_session_expires_after_auth_session_validity(totp_wire: Wire) -> None:
    wire = Wire(totp_wire.pool, totp_wire.pool.app_client(auth_session_validity=15).client_id)
    session = wire.password()["Session"]
    wire.cognito.clock.advance(899)
    answer(wire, session)


def test_session_of_another_user_is_refused(totp_wire: Wire) -> None:
    session = totp_wire.password("alice")["Session"]
    assert refusal(lambda: answer(totp_wire, session, "bob")) == INVALID


def test_session_of_another_client_is_refused(totp_wire: Wire) -> None:
    session = totp_wire.password()["Session"]
    other = Wire(totp_wire.pool, totp_wire.pool.app_client().client_id)
    assert refusal(lambda: answer(other, session)) == INVALID


def test_session_of_another_pool_is_refused(totp_wire: Wire) -> None:
    session = totp_wire.password()["Session"]
    pool = totp_wire.cognito.create_pool()
    pool.add_user("alice", PASSWORD, totp=True)
    assert refusal(lambda: answer(Wire(pool), session)) == INVALID


def test_session_for_another_challenge_is_refused(totp_wire: Wire) -> None:
    session = totp_wire.password()["Session"]
    responses = {"USERNAME": "alice", "NEW_PASSWORD": "Battery-staple-2"}
    assert refusal(lambda: totp_wire.respond("NEW_PASSWORD_REQUIRED", session, responses)) == INVALID


def test_session_of_a_user_disabled_since_is_refused(totp_wire: Wire) -> None:
    session = totp_wire.password()["Session"]
    totp_wire.api.admin_disable_user(UserPoolId=totp_wire.pool.id, Username="alice")
    expected = ("NotAuthorizedException", "User is disabled.")
    assert refusal(lambda: answer(totp_wire, session)) == expected


def test_session_of_a_user_deleted_since_is_refused(totp_wire: Wire) -> None:
    session, code = totp_wire.password()["Session"], totp_wire.pool.totp("alice")
    totp_wire.api.admin_delete_user(UserPoolId=totp_wire.pool.id, Username="alice")
    responses = {"USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": code}
    assert refusal(lambda: totp_wire.respond("SOFTWARE_TOKEN_MFA", session, responses)) == INVALID


def test_session_of_a_former_user_of_the_same_name_is_refused(totp_wire: Wire) -> None:
    session = totp_wire.password()["Session"]
    totp_wire.api.admin_delete_user(UserPoolId=totp_wire.pool.id, Username="alice")
    totp_wire.pool.add_user("alice", "Battery staple 2", totp=True)
    assert refusal(lambda: answer(totp_wire, session)) == INVALID


def test_used_sessions_are_forgotten_after_they_expire(totp_wire: Wire) -> None:
    state = totp_wire.cognito.state(totp_wire.pool.id)
    for _ in range(5):
        answer(totp_wire, totp_wire.password()["Session"])
        totp_wire.cognito.clock.advance(181)
    assert len(state.spent) == 1


# -- what is too long for a Session --


@pytest.fixture
def wordy(wire: Wire) -> Wire:
    """A pool whose custom challenges have long private parameters. The right answer signs in."""

    def define(event: Any) -> Any:
        rounds = event["request"]["session"]
        event["response"]["issueTokens"] = bool(rounds) and rounds[-1]["challengeResult"]
        event["response"]["challengeName"] = "CUSTOM_CHALLENGE"
        return event

    def create(event: Any) -> Any:
        event["response"] |= {
            "privateChallengeParameters": {"answer": "4", "noise": secrets.token_hex(3000)},
            "challengeMetadata": secrets.token_hex(3000),
        }
        return event

    def verify(event: Any) -> Any:
        assert len(event["request"]["privateChallengeParameters"]["noise"]) == 6000
        event["response"]["answerCorrect"] = event["request"]["challengeAnswer"] == "4"
        return event

    wire.pool.triggers.update(
        DefineAuthChallenge=define, CreateAuthChallenge=create, VerifyAuthChallengeResponse=verify
    )
    return wire


def custom(wire: Wire) -> Any:
    """Begin a sign-in with a custom challenge."""
    return wire.start("CUSTOM_AUTH", USERNAME="alice")


def test_session_stays_within_the_models_length_however_much_a_trigger_returns(wordy: Wire) -> None:
    first = custom(wordy)
    second = wordy.answer(first, ANSWER="5")

    assert all(len(step["Session"]) <= 4096 for step in (first, second))
    assert "AuthenticationResult" in wordy.answer(second, ANSWER="4")
    assert refusal(lambda: wordy.answer(first, ANSWER="4")) == USED
    assert refusal(lambda: wordy.answer(second, ANSWER="4")) == USED


def test_secret_block_stays_short_however_much_a_trigger_returned(wordy: Wire) -> None:
    """The service model allows 131,072 characters in a response."""

    def define(event: Any) -> Any:
        is_first = len(event["request"]["session"]) == 1
        event["response"]["challengeName"] = "CUSTOM_CHALLENGE" if is_first else "PASSWORD_VERIFIER"
        return event

    wordy.pool.triggers["DefineAuthChallenge"] = define
    srp_a = {"CHALLENGE_NAME": "SRP_A", "SRP_A": wordy.exponent.srp_a}
    asked = wordy.start("CUSTOM_AUTH", USERNAME="alice", **srp_a)
    proof = wordy.answer(asked, ANSWER="5")

    assert proof["ChallengeName"] == "PASSWORD_VERIFIER"
    assert len(proof["ChallengeParameters"]["SECRET_BLOCK"]) < 6000
    assert wordy.prove(proof, wordy.claim(proof))["ChallengeName"] == "PASSWORD_VERIFIER"


def test_long_session_is_valid_again_after_a_restore(wordy: Wire) -> None:
    step, restore = custom(wordy), wordy.cognito.snapshot()
    for _ in range(2):
        assert "AuthenticationResult" in wordy.answer(step, ANSWER="4")
        restore()


def test_long_session_that_began_after_a_restored_snapshot_is_refused(wordy: Wire) -> None:
    restore = wordy.cognito.snapshot()
    step = custom(wordy)
    restore()

    assert refusal(lambda: wordy.answer(step, ANSWER="4")) == INVALID


def test_long_sessions_are_forgotten_after_they_expire_or_are_used(wordy: Wire) -> None:
    state = wordy.cognito.state(wordy.pool.id)
    late = custom(wordy)
    wordy.cognito.clock.advance(181)
    assert refusal(lambda: wordy.answer(late, ANSWER="4")) == EXPIRED
    step = custom(wordy)
    assert len(state.long_sessions) == 1
    wordy.answer(step, ANSWER="4")
    assert not state.long_sessions


# -- what a sign-in is overtaken by --


def setting_up(cognito: LocalCognito, **members: Any) -> Wire:
    """A pool that requires a second factor, and alice, who has none yet."""
    totp_is_on: dict[str, Any] = {
        "mfa_configuration": "ON",
        "software_token_mfa_configuration": {"Enabled": True},
    }
    pool = cognito.create_pool(**totp_is_on, **members)
    pool.add_user("alice", PASSWORD)
    return Wire(pool)


def enrol(wire: Wire, session: str) -> tuple[str, str]:
    """Verify an authenticator app.

    Returns:
        Its secret, and the Session that completes the set-up.
    """
    made = wire.api.associate_software_token(Session=session)
    code = totp_code(made["SecretCode"], wire.cognito.clock())
    verified = wire.api.verify_software_token(
        Session=made["Session"], UserCode=code, FriendlyDeviceName="phone"
    )
    return made["SecretCode"], verified["Session"]


def complete(wire: Wire, session: str) -> Any:
    """The result of MFA_SETUP."""
    return wire.respond("MFA_SETUP", session, {"USERNAME": "alice"})["AuthenticationResult"]


def test_session_of_a_replaced_temporary_password_is_refused(wire: Wire) -> None:
    wire.api.admin_set_user_password(UserPoolId=wire.pool.id, Username="alice", Password="Temporary-1")
    first, second = wire.password(password="Temporary-1"), wire.password(password="Temporary-1")
    wire.answer(first, NEW_PASSWORD="Battery-staple-2")
    assert refusal(lambda: wire.answer(second, NEW_PASSWORD="Other-staple-3")) == INVALID
    assert "AuthenticationResult" in wire.password(password="Battery-staple-2")


def test_session_of_a_changed_password_is_refused(totp_wire: Wire) -> None:
    session = totp_wire.password()["Session"]
    totp_wire.api.admin_set_user_password(
        UserPoolId=totp_wire.pool.id, Username="alice", Password="Battery-staple-2", Permanent=True
    )
    assert refusal(lambda: answer(totp_wire, session)) == INVALID


def test_session_of_a_password_that_must_be_reset_is_refused(totp_wire: Wire) -> None:
    session = totp_wire.password()["Session"]
    address = [{"Name": "email", "Value": "a@example.com"}, {"Name": "email_verified", "Value": "true"}]
    alice = {"UserPoolId": totp_wire.pool.id, "Username": "alice"}
    totp_wire.api.admin_update_user_attributes(**alice, UserAttributes=address)
    totp_wire.api.admin_reset_user_password(**alice)
    assert refusal(lambda: answer(totp_wire, session))[0] == "PasswordResetRequiredException"


def test_second_set_up_of_a_user_who_has_a_factor_by_now_is_refused(cognito: LocalCognito) -> None:
    wire = setting_up(cognito)
    first, second, third = (wire.password()["Session"] for _ in range(3))
    associated = wire.api.associate_software_token(Session=second)
    secret, session = enrol(wire, first)
    code = totp_code(associated["SecretCode"], wire.cognito.clock())
    verify = partial(wire.api.verify_software_token, Session=associated["Session"], UserCode=code)
    assert refusal(verify) == INVALID
    assert refusal(lambda: complete(wire, associated["Session"])) == INVALID
    assert refusal(lambda: wire.api.associate_software_token(Session=third)) == INVALID
    assert "AccessToken" in complete(wire, session)
    assert wire.pool.user("alice").totp_secret == secret


def test_verified_app_is_enrolled_although_mfa_setup_was_never_answered(cognito: LocalCognito) -> None:
    wire = setting_up(cognito)
    enrol(wire, wire.password()["Session"])

    assert wire.password()["ChallengeName"] == "SOFTWARE_TOKEN_MFA"


def test_set_up_with_an_app_that_was_replaced_since_is_refused(cognito: LocalCognito) -> None:
    wire = setting_up(cognito)
    _, session = enrol(wire, wire.password()["Session"])
    wire.pool.enrol_totp("alice")

    assert refusal(lambda: complete(wire, session)) == INVALID


def test_email_set_up_after_an_app_was_enrolled_is_refused(cognito: LocalCognito) -> None:
    wire = setting_up(cognito, email_mfa_configuration={})
    first, second = wire.password(), wire.password()
    asked = wire.answer(second, EMAIL="eve@example.com")
    complete(wire, enrol(wire, first["Session"])[1])
    code = wire.pool.last_code("alice")
    assert refusal(lambda: wire.answer(asked, EMAIL_OTP_CODE=code)) == INVALID
    assert wire.pool.user("alice").attributes == {}


def test_app_must_be_verified_in_its_own_sign_in(cognito: LocalCognito) -> None:
    wire = setting_up(cognito)
    _, verified = enrol(wire, wire.password()["Session"])
    assert refusal(lambda: wire.api.associate_software_token(Session=verified)) == INVALID
    made = wire.api.associate_software_token(Session=setting_up(cognito).password()["Session"])
    assert refusal(lambda: complete(wire, made["Session"])) == INVALID


def test_verified_app_cannot_be_verified_again_with_an_older_code(cognito: LocalCognito) -> None:
    wire = setting_up(cognito)
    secret, verified = enrol(wire, wire.password()["Session"])
    code = totp_code(secret, wire.cognito.clock() - timedelta(seconds=30))
    again = refusal(lambda: wire.api.verify_software_token(Session=verified, UserCode=code))
    assert again == INVALID


def test_enrolment_code_cannot_be_used_to_sign_in(cognito: LocalCognito) -> None:
    wire = setting_up(cognito)
    secret, session = enrol(wire, wire.password()["Session"])
    complete(wire, session)
    assert wire.pool.user("alice").totp_name == "phone"
    used = totp_code(secret, wire.cognito.clock())
    again = refusal(lambda: wire.answer(wire.password(), SOFTWARE_TOKEN_MFA_CODE=used))
    assert again == ("ExpiredCodeException", "Your software token has already been used once.")


def test_factor_set_up_again_is_listed_once(cognito: LocalCognito) -> None:
    wire = setting_up(cognito, email_mfa_configuration={})
    for _ in range(2):
        asked = wire.answer(wire.password(), EMAIL="alice@example.com")
        done = wire.answer(asked, EMAIL_OTP_CODE=wire.pool.last_code("alice"))["AuthenticationResult"]
        shown = wire.api.get_user(AccessToken=done["AccessToken"])
        assert shown["UserMFASettingList"] == ["EMAIL_OTP"]
        wire.api.delete_user_attributes(AccessToken=done["AccessToken"], UserAttributeNames=["email"])


@pytest.fixture
def with_codes(cognito: LocalCognito) -> Wire:
    """A pool with codes as second factors, and alice, who has both of them."""
    sms: Any = {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"}
    pool = cognito.create_pool(
        mfa_configuration="OPTIONAL", sms_configuration=sms, email_mfa_configuration={}
    )
    pool.add_user("alice", PASSWORD, email="alice@example.com", phone_number="+31612345678")
    wire = Wire(pool)
    wire.api.admin_set_user_mfa_preference(
        UserPoolId=pool.id,
        Username="alice",
        SMSMfaSettings={"Enabled": True},
        EmailMfaSettings={"Enabled": True},
    )
    return wire


def test_code_to_a_former_address_is_refused(with_codes: Wire) -> None:
    step = with_codes.answer(with_codes.password(), ANSWER="EMAIL_OTP")
    code, other = with_codes.pool.last_code("alice"), {"Name": "email", "Value": "other@example.com"}
    update = with_codes.api.admin_update_user_attributes
    update(UserPoolId=with_codes.pool.id, Username="alice", UserAttributes=[other])
    refused = refusal(lambda: with_codes.answer(step, EMAIL_OTP_CODE=code))
    assert refused == ("CodeMismatchException", "Invalid code or auth state for the user.")
    assert with_codes.pool.user("alice").attributes["email_verified"] == "false"


def test_chosen_address_that_was_deleted_gets_no_code(with_codes: Wire) -> None:
    step, delete = with_codes.password(), with_codes.api.admin_delete_user_attributes
    delete(UserPoolId=with_codes.pool.id, Username="alice", UserAttributeNames=["phone_number"])
    refused = refusal(lambda: with_codes.answer(step, ANSWER="SMS_MFA"))
    assert refused == ("InvalidParameterException", "The selected challenge is not available.")
