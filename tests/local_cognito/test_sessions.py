"""Sessions: bound to pool, app client, user and challenge; once used well, used up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cognito_flow.testing import LocalCognito, totp_code
from tests.local_cognito.wire import PASSWORD, Wire, refusal

INVALID = ("NotAuthorizedException", "Invalid session for the user.")
EXPIRED = ("NotAuthorizedException", "Invalid session for the user, session is expired.")
USED = ("NotAuthorizedException", "Invalid session for the user, session can only be used once.")


def answer(wire: Wire, session: str | None, username: str = "alice") -> object:
    """Answer SOFTWARE_TOKEN_MFA with a good code."""
    responses = {"USERNAME": username, "SOFTWARE_TOKEN_MFA_CODE": wire.pool.totp(username)}
    return wire.respond("SOFTWARE_TOKEN_MFA", session, responses)


def test_good_for_one_success(totp_wire: Wire) -> None:
    """A Session that was answered rightly is used up."""
    session = totp_wire.password()["Session"]
    answer(totp_wire, session)
    assert refusal(lambda: answer(totp_wire, session)) == USED


def test_missing(totp_wire: Wire) -> None:
    """No second factor is taken without a Session."""
    expected = ("InvalidParameterException", "Missing required parameter Session")
    assert refusal(lambda: answer(totp_wire, None)) == expected


@pytest.mark.parametrize("session", ["x" * 20, "gAAAA" + "A" * 100, "é" * 30])
def test_made_up(totp_wire: Wire, session: str) -> None:
    """A Session that the pool did not issue is refused."""
    assert refusal(lambda: answer(totp_wire, session)) == INVALID


def test_altered(totp_wire: Wire) -> None:
    """A Session with one character changed is refused."""
    session = totp_wire.password()["Session"]
    changed = session[:50] + ("A" if session[50] != "A" else "B") + session[51:]
    assert refusal(lambda: answer(totp_wire, changed)) == INVALID


def test_expires(totp_wire: Wire) -> None:
    """After AuthSessionValidity, 3 minutes, it is over; a second before, it is not."""
    first, second = totp_wire.password()["Session"], totp_wire.password()["Session"]
    totp_wire.cognito.clock.advance(179)
    answer(totp_wire, first)
    totp_wire.cognito.clock.advance(1)
    assert refusal(lambda: answer(totp_wire, second)) == EXPIRED


def test_lives_as_long_as_the_app_client_says(totp_wire: Wire) -> None:
    """AuthSessionValidity is in minutes."""
    wire = Wire(totp_wire.pool, totp_wire.pool.app_client(auth_session_validity=15).client_id)
    session = wire.password()["Session"]
    wire.cognito.clock.advance(899)
    answer(wire, session)


def test_of_another_user(totp_wire: Wire) -> None:
    """bob's code does not answer alice's Session."""
    session = totp_wire.password("alice")["Session"]
    assert refusal(lambda: answer(totp_wire, session, "bob")) == INVALID


def test_of_another_client(totp_wire: Wire) -> None:
    """A Session is bound to the app client that began it."""
    session = totp_wire.password()["Session"]
    other = Wire(totp_wire.pool, totp_wire.pool.app_client().client_id)
    assert refusal(lambda: answer(other, session)) == INVALID


def test_of_another_pool(totp_wire: Wire) -> None:
    """A Session is bound to its pool."""
    session = totp_wire.password()["Session"]
    pool = totp_wire.cognito.create_pool()
    pool.add_user("alice", PASSWORD, totp=True)
    assert refusal(lambda: answer(Wire(pool), session)) == INVALID


def test_for_another_challenge(totp_wire: Wire) -> None:
    """A Session answers only the challenge that it was issued for."""
    session = totp_wire.password()["Session"]
    responses = {"USERNAME": "alice", "NEW_PASSWORD": "Battery-staple-2"}
    assert refusal(lambda: totp_wire.respond("NEW_PASSWORD_REQUIRED", session, responses)) == INVALID


def test_of_a_user_who_was_disabled_since(totp_wire: Wire) -> None:
    """Who is disabled in the middle of a sign-in does not complete it."""
    session = totp_wire.password()["Session"]
    totp_wire.api.admin_disable_user(UserPoolId=totp_wire.pool.id, Username="alice")
    expected = ("NotAuthorizedException", "User is disabled.")
    assert refusal(lambda: answer(totp_wire, session)) == expected


def test_of_a_user_who_was_deleted_since(totp_wire: Wire) -> None:
    """Who is deleted in the middle of a sign-in does not complete it."""
    session, code = totp_wire.password()["Session"], totp_wire.pool.totp("alice")
    totp_wire.api.admin_delete_user(UserPoolId=totp_wire.pool.id, Username="alice")
    responses = {"USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": code}
    assert refusal(lambda: totp_wire.respond("SOFTWARE_TOKEN_MFA", session, responses)) == INVALID


def test_of_a_former_user_of_the_name(totp_wire: Wire) -> None:
    """A Session does not pass to the next user of the same name."""
    session = totp_wire.password()["Session"]
    totp_wire.api.admin_delete_user(UserPoolId=totp_wire.pool.id, Username="alice")
    totp_wire.pool.add_user("alice", "Battery staple 2", totp=True)
    assert refusal(lambda: answer(totp_wire, session)) == INVALID


def test_spent_ones_are_forgotten(totp_wire: Wire) -> None:
    """Sign-ins that are over leave nothing behind but their last few minutes."""
    state = totp_wire.cognito.state(totp_wire.pool.id)
    for _ in range(5):
        answer(totp_wire, totp_wire.password()["Session"])
        totp_wire.cognito.clock.advance(181)
    assert len(state.spent) == 1


# -- what a sign-in is overtaken by --


def setting_up(cognito: LocalCognito, **members: Any) -> Wire:
    """A pool that requires a second factor, with alice, who has none yet."""
    totp_is_on: dict[str, Any] = {
        "mfa_configuration": "ON",
        "software_token_mfa_configuration": {"Enabled": True},
    }
    pool = cognito.create_pool(**totp_is_on, **members)
    pool.add_user("alice", PASSWORD)
    return Wire(pool)


def enrol(wire: Wire, session: str, seconds: float = 0) -> tuple[str, str]:
    """Verify an authenticator app with the code of some seconds ago.

    Returns:
        Its secret, and the Session that completes the set-up.
    """
    made = wire.api.associate_software_token(Session=session)
    code = totp_code(made["SecretCode"], wire.cognito.clock() - timedelta(seconds=seconds))
    verified = wire.api.verify_software_token(
        Session=made["Session"], UserCode=code, FriendlyDeviceName="phone"
    )
    return made["SecretCode"], verified["Session"]


def complete(wire: Wire, session: str) -> Any:
    """The result of MFA_SETUP."""
    return wire.respond("MFA_SETUP", session, {"USERNAME": "alice"})["AuthenticationResult"]


def test_of_a_temporary_password_that_was_replaced_since(wire: Wire) -> None:
    """Whoever had the temporary password, too, does not replace the new one."""
    wire.api.admin_set_user_password(UserPoolId=wire.pool.id, Username="alice", Password="Temporary-1")
    first, second = wire.password(password="Temporary-1"), wire.password(password="Temporary-1")
    wire.answer(first, NEW_PASSWORD="Battery-staple-2")
    assert refusal(lambda: wire.answer(second, NEW_PASSWORD="Other-staple-3")) == INVALID
    assert "AuthenticationResult" in wire.password(password="Battery-staple-2")


def test_of_a_password_that_was_changed_since(totp_wire: Wire) -> None:
    """Whoever had the old password only does not complete the sign-in."""
    session = totp_wire.password()["Session"]
    totp_wire.api.admin_set_user_password(
        UserPoolId=totp_wire.pool.id, Username="alice", Password="Battery-staple-2", Permanent=True
    )
    assert refusal(lambda: answer(totp_wire, session)) == INVALID


def test_of_a_password_that_must_be_reset_since(totp_wire: Wire) -> None:
    """Nor does anybody whom an administrator made choose another one."""
    session = totp_wire.password()["Session"]
    address = [{"Name": "email", "Value": "a@example.com"}, {"Name": "email_verified", "Value": "true"}]
    alice = {"UserPoolId": totp_wire.pool.id, "Username": "alice"}
    totp_wire.api.admin_update_user_attributes(**alice, UserAttributes=address)
    totp_wire.api.admin_reset_user_password(**alice)
    assert refusal(lambda: answer(totp_wire, session))[0] == "PasswordResetRequiredException"


def test_of_a_set_up_that_was_done_since(cognito: LocalCognito) -> None:
    """Whoever has the password, too, does not replace the authenticator app, at whatever step of the set-up."""
    wire = setting_up(cognito)
    first, second, third = (wire.password()["Session"] for _ in range(3))
    secret, session = enrol(wire, first)
    _, verified = enrol(wire, second)
    complete(wire, session)
    assert refusal(lambda: complete(wire, verified)) == INVALID
    assert refusal(lambda: wire.api.associate_software_token(Session=third)) == INVALID
    assert wire.pool.user("alice").totp_secret == secret


def test_of_an_address_that_is_set_up_after_an_app_was(cognito: LocalCognito) -> None:
    """Nor does a code to an address of theirs make it a second factor of the user."""
    wire = setting_up(cognito, email_mfa_configuration={})
    first, second = wire.password(), wire.password()
    asked = wire.answer(second, EMAIL="eve@example.com")
    complete(wire, enrol(wire, first["Session"])[1])
    code = wire.pool.last_code("alice")
    assert refusal(lambda: wire.answer(asked, EMAIL_OTP_CODE=code)) == INVALID
    assert wire.pool.user("alice").attributes == {}


def test_an_app_that_is_associated_after_another_was_verified(cognito: LocalCognito) -> None:
    """It must be verified itself."""
    wire = setting_up(cognito)
    _, verified = enrol(wire, wire.password()["Session"])
    made = wire.api.associate_software_token(Session=verified)
    assert refusal(lambda: complete(wire, made["Session"])) == INVALID


def test_an_app_that_was_verified_is_not_verified_again(cognito: LocalCognito) -> None:
    """An older code would let the one that was used sign in once more."""
    wire = setting_up(cognito)
    secret, verified = enrol(wire, wire.password()["Session"])
    code = totp_code(secret, wire.cognito.clock() - timedelta(seconds=30))
    again = refusal(lambda: wire.api.verify_software_token(Session=verified, UserCode=code))
    assert again == ("InvalidParameterException", "Software token has not been associated.")


def test_an_app_that_is_verified_beside_another_leaves_its_codes_used(cognito: LocalCognito) -> None:
    """What was verified, and how it is called, becomes the user's when the set-up is complete, not before."""
    wire = setting_up(cognito)
    first, second = wire.password()["Session"], wire.password()["Session"]
    secret, session = enrol(wire, first)
    enrol(wire, second, seconds=30)
    assert wire.pool.user("alice").totp_name is None
    complete(wire, session)
    assert wire.pool.user("alice").totp_name == "phone"
    used = totp_code(secret, wire.cognito.clock())
    again = refusal(lambda: wire.answer(wire.password(), SOFTWARE_TOKEN_MFA_CODE=used))
    assert again == ("ExpiredCodeException", "Your software token has already been used once.")


def test_a_factor_that_is_set_up_again_is_listed_once(cognito: LocalCognito) -> None:
    """It was switched on, and then its address was deleted."""
    wire = setting_up(cognito, email_mfa_configuration={})
    for _ in range(2):
        asked = wire.answer(wire.password(), EMAIL="alice@example.com")
        done = wire.answer(asked, EMAIL_OTP_CODE=wire.pool.last_code("alice"))["AuthenticationResult"]
        told = wire.api.get_user(AccessToken=done["AccessToken"])
        assert told["UserMFASettingList"] == ["EMAIL_OTP"]
        wire.api.delete_user_attributes(AccessToken=done["AccessToken"], UserAttributeNames=["email"])


@pytest.fixture
def with_codes(cognito: LocalCognito) -> Wire:
    """A pool with codes as second factors, and alice, who has both of them."""
    sms = {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"}
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


def test_a_code_to_an_address_that_is_the_user_s_no_longer(with_codes: Wire) -> None:
    """It signs nobody in, and does not verify the address that came in its place."""
    step = with_codes.answer(with_codes.password(), ANSWER="EMAIL_OTP")
    code, other = with_codes.pool.last_code("alice"), {"Name": "email", "Value": "other@example.com"}
    update = with_codes.api.admin_update_user_attributes
    update(UserPoolId=with_codes.pool.id, Username="alice", UserAttributes=[other])
    refused = refusal(lambda: with_codes.answer(step, EMAIL_OTP_CODE=code))
    assert refused == ("CodeMismatchException", "Invalid code or auth state for the user.")
    assert with_codes.pool.user("alice").attributes["email_verified"] == "false"


def test_a_choice_that_went_away(with_codes: Wire) -> None:
    """An address that was deleted after the choice was offered gets no code."""
    step, delete = with_codes.password(), with_codes.api.admin_delete_user_attributes
    delete(UserPoolId=with_codes.pool.id, Username="alice", UserAttributeNames=["phone_number"])
    refused = refusal(lambda: with_codes.answer(step, ANSWER="SMS_MFA"))
    assert refused == ("InvalidParameterException", "The selected challenge is not available.")
