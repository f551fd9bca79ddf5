"""Second factors: codes by SMS and e-mail, authenticator apps, choosing one, and setting one up."""

from __future__ import annotations

from typing import Any

import pytest

from cognito_flow import (
    AttemptsExceeded,
    CodeAlreadyUsed,
    EmailOtp,
    FlowExpired,
    InvalidInput,
    MfaSetup,
    MfaType,
    NewPasswordRequired,
    SelectMfaType,
    SmsMfa,
    SoftwareTokenMfa,
    TotpSetup,
    WrongCode,
)
from cognito_flow.testing import totp_code
from tests.scenarios.table import OTHER_PASSWORD, PASSWORD, Moves, Send, World, expect, row, signed_in

SMS: dict[str, Any] = {
    "sms_mfa_configuration": {"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"}}
}
TOTP: dict[str, Any] = {"software_token_mfa_configuration": {"Enabled": True}}
EMAIL: dict[str, Any] = {"email_mfa_configuration": {"Message": "Your code is {####}", "Subject": "Code"}}
ON: dict[str, Any] = {"mfa_configuration": "ON"}
OPTIONAL: dict[str, Any] = {"mfa_configuration": "OPTIONAL"}


@row("5.3", pool={**ON, **SMS})
def a_code_by_sms_signs_in(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, phone_number="+31612341234")
    challenge = expect(SmsMfa, (yield world.srp()))
    assert (challenge.medium, challenge.sent_to) == ("SMS", "+*******1234")
    code = world.pool.last_code("alice")
    assert len(code) == 6
    signed_in((yield Send(challenge.answer(code))))


@row("5.3", pool={**ON, **SMS})
def a_wrong_code_by_sms_leaves_the_challenge_answerable(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, phone_number="+31612341234")
    challenge = expect(SmsMfa, (yield world.password()))
    assert challenge.retryable
    for code in ("incorrect-code", "x"):
        with pytest.raises(WrongCode):
            yield Send(challenge.answer(code))
    signed_in((yield Send(challenge.answer(world.pool.last_code("alice")))))


@row("5.3", pool={**ON, **SMS})
def spaces_in_a_code_are_ignored(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, phone_number="+31612341234")
    challenge = expect(SmsMfa, (yield world.srp()))
    code = world.pool.last_code("alice")
    signed_in((yield Send(challenge.answer(f" {code[:3]} {code[3:]}\n"))))


@row("5.3", pool={**ON, **SMS})
def a_code_by_sms_expires_with_its_session(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, phone_number="+31612341234")
    challenge = expect(SmsMfa, (yield world.srp()))
    world.cognito.clock.advance(181)
    with pytest.raises(FlowExpired):
        yield Send(challenge.answer(world.pool.last_code("alice")))


@row("5.4", pool={**ON, **EMAIL})
def a_code_by_email_signs_in(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, email="alice@example.com")
    challenge = expect(EmailOtp, (yield world.srp()))
    assert (challenge.medium, challenge.sent_to) == ("EMAIL", "a***@e***")
    with pytest.raises(WrongCode):
        yield Send(challenge.answer("wrong"))
    signed_in((yield Send(challenge.answer(world.pool.last_code("alice")))))


@row("12.3", pool={**ON, **EMAIL})
def five_wrong_codes_lock_the_user_for_a_while(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, email="alice@example.com")
    challenge = expect(EmailOtp, (yield world.srp()))
    for _ in range(5):
        with pytest.raises(WrongCode):
            yield Send(challenge.answer("wrong"))
    code = world.pool.last_code("alice")
    with pytest.raises(AttemptsExceeded):
        yield Send(challenge.answer(code))
    world.cognito.clock.advance(2)
    signed_in((yield Send(challenge.answer(code))))


@row("5.5", pool={**ON, **TOTP})
def an_authenticator_app_signs_in(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, totp=True)
    world.pool.user("alice").totp_name = "phone"
    challenge = expect(SoftwareTokenMfa, (yield world.srp()))
    assert (challenge.medium, challenge.sent_to) == (None, "phone")
    signed_in((yield Send(challenge.answer(world.pool.totp("alice")))))


@row("5.5", pool={**ON, **TOTP})
def a_wrong_app_code_leaves_the_challenge_answerable(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, totp=True)
    challenge = expect(SoftwareTokenMfa, (yield world.srp()))
    right = world.pool.totp("alice")
    with pytest.raises(WrongCode):
        yield Send(challenge.answer("000000" if right != "000000" else "111111"))
    signed_in((yield Send(challenge.answer(right))))


@row("19", pool={**ON, **TOTP})
def a_wrong_app_code_ends_the_session_if_the_pool_says_so(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, totp=True)
    world.pool.configure(totp_retry=False)
    challenge = expect(SoftwareTokenMfa, (yield world.srp()))
    with pytest.raises(WrongCode):
        yield Send(challenge.answer("not it"))
    with pytest.raises(FlowExpired):
        yield Send(challenge.answer(world.pool.totp("alice")))


@row("5.5", pool={**ON, **TOTP})
def an_app_code_works_once(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, totp=True)
    first = expect(SoftwareTokenMfa, (yield world.srp()))
    code = world.pool.totp("alice")
    signed_in((yield Send(first.answer(code))))
    second = expect(SoftwareTokenMfa, (yield world.srp()))
    with pytest.raises(CodeAlreadyUsed):
        yield Send(second.answer(code))
    signed_in((yield Send(second.answer(world.pool.totp("alice")))))


@row("8.3", pool={**ON, **TOTP})
def an_app_code_of_the_previous_time_step_works_and_an_older_one_does_not(world: World) -> Moves:
    user = world.pool.add_user("alice", PASSWORD, totp=True)
    challenge = expect(SoftwareTokenMfa, (yield world.srp()))
    code = totp_code(user.totp_secret or "", world.cognito.clock())
    world.cognito.clock.advance(61)
    with pytest.raises(WrongCode):
        yield Send(challenge.answer(code))
    code = totp_code(user.totp_secret or "", world.cognito.clock())
    world.cognito.clock.advance(29)
    signed_in((yield Send(challenge.answer(code))))


@row("5.7", pool={**OPTIONAL, **TOTP})
def optional_mfa_without_an_enrolled_factor_signs_in_directly(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    signed_in((yield world.srp()))


@row("5.2", pool={**ON, **SMS})
def a_second_factor_follows_a_new_password(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, phone_number="+31612341234", temporary=True)
    challenge = expect(NewPasswordRequired, (yield world.srp()))
    code = expect(SmsMfa, (yield Send(challenge.answer(OTHER_PASSWORD))))
    signed_in((yield Send(code.answer(world.pool.last_code("alice")))))


# -- choosing --


def two_factors(world: World) -> None:
    """A user with two second factors who prefers none."""
    user = world.pool.add_user("alice", PASSWORD, phone_number="+31612341234", totp=True)
    user.mfa_enabled = ["SMS_MFA", "SOFTWARE_TOKEN_MFA"]
    user.mfa_preferred = None


@row("5.6", pool={**ON, **SMS, **TOTP})
def choosing_an_app_asks_for_its_code(world: World) -> Moves:
    two_factors(world)
    challenge = expect(SelectMfaType, (yield world.srp()))
    assert challenge.choices == (MfaType.SMS_MFA, MfaType.SOFTWARE_TOKEN_MFA)
    chosen = expect(SoftwareTokenMfa, (yield Send(challenge.answer(MfaType.SOFTWARE_TOKEN_MFA))))
    assert not world.cognito.outbox
    signed_in((yield Send(chosen.answer(world.pool.totp("alice")))))


@row("5.6", pool={**ON, **SMS, **TOTP})
def choosing_sms_sends_a_code(world: World) -> Moves:
    two_factors(world)
    challenge = expect(SelectMfaType, (yield world.password()))
    assert not world.cognito.outbox
    chosen = expect(SmsMfa, (yield Send(challenge.answer("SMS_MFA"))))
    signed_in((yield Send(chosen.answer(world.pool.last_code("alice")))))


@row("5.6", pool={**ON, **SMS, **TOTP})
def a_choice_that_is_not_offered_is_refused_locally(world: World) -> Moves:
    two_factors(world)
    challenge = expect(SelectMfaType, (yield world.srp()))
    with pytest.raises(InvalidInput, match="EMAIL_OTP"):
        challenge.answer(MfaType.EMAIL_OTP)


@row("5.6", pool={**ON, **EMAIL, **TOTP})
def choosing_email_sends_a_code(world: World) -> Moves:
    user = world.pool.add_user("alice", PASSWORD, email="alice@example.com", totp=True)
    user.mfa_enabled, user.mfa_preferred = ["SOFTWARE_TOKEN_MFA", "EMAIL_OTP"], None
    challenge = expect(SelectMfaType, (yield world.srp()))
    chosen = expect(EmailOtp, (yield Send(challenge.answer(MfaType.EMAIL_OTP))))
    signed_in((yield Send(chosen.answer(world.pool.last_code("alice")))))


@row("5.6", pool={**ON, **SMS, **TOTP})
def a_preferred_factor_skips_the_choice(world: World) -> Moves:
    two_factors(world)
    world.client.admin_set_user_mfa_preference(
        UserPoolId=world.pool.id, Username="alice", SMSMfaSettings={"Enabled": True, "PreferredMfa": True}
    )
    expect(SmsMfa, (yield world.srp()))


# -- setting up a factor --


def app_code(world: World, setup: TotpSetup) -> str:
    """The code that an authenticator app with this secret shows now."""
    return totp_code(setup.secret_code, world.cognito.clock())


@row("8.1", pool={**ON, **TOTP})
def an_authenticator_app_is_set_up_during_the_sign_in(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    challenge = expect(MfaSetup, (yield world.srp()))
    assert challenge.can_set_up == (MfaType.SOFTWARE_TOKEN_MFA,)
    setup = expect(TotpSetup, (yield Send(challenge.answer_totp())))
    assert setup.uri("Books & Co").startswith("otpauth://totp/Books%20%26%20Co:alice?secret=")
    done = signed_in((yield Send(setup.answer(app_code(world, setup), "phone"))))
    user = world.client.get_user(AccessToken=done.tokens.access_token)
    assert user["PreferredMfaSetting"] == "SOFTWARE_TOKEN_MFA"
    world.cognito.clock.advance(60)
    next_time = expect(SoftwareTokenMfa, (yield world.srp()))
    assert next_time.sent_to == "phone"


@row("8.1", pool={**ON, **TOTP})
def a_wrong_first_code_leaves_the_set_up_open(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    challenge = expect(MfaSetup, (yield world.srp()))
    setup = expect(TotpSetup, (yield Send(challenge.answer_totp())))
    right = app_code(world, setup)
    for wrong in ("12345", "abcdef", "000000" if right != "000000" else "111111"):
        with pytest.raises(WrongCode):
            yield Send(setup.answer(wrong))
    signed_in((yield Send(setup.answer(right))))


@row("8.1", pool={**ON, **TOTP})
def the_app_code_of_the_set_up_does_not_sign_in_again(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    challenge = expect(MfaSetup, (yield world.srp()))
    setup = expect(TotpSetup, (yield Send(challenge.answer_totp())))
    code = app_code(world, setup)
    signed_in((yield Send(setup.answer(code))))
    again = expect(SoftwareTokenMfa, (yield world.srp()))
    with pytest.raises(CodeAlreadyUsed):
        yield Send(again.answer(code))


@row("5.7", pool={**ON, **EMAIL, **TOTP})
def an_email_address_is_set_up_during_the_sign_in(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    challenge = expect(MfaSetup, (yield world.srp()))
    assert set(challenge.can_set_up) == {MfaType.EMAIL_OTP, MfaType.SOFTWARE_TOKEN_MFA}
    code = expect(EmailOtp, (yield Send(challenge.answer_email("alice@example.com"))))
    with pytest.raises(WrongCode):
        yield Send(code.answer("wrong"))
    signed_in((yield Send(code.answer(world.pool.last_code("alice")))))
    assert world.pool.user("alice").attributes["email_verified"] == "true"
    expect(EmailOtp, (yield world.srp()))


@row("5.7", pool={**ON, **TOTP})
def a_factor_that_cannot_be_set_up_is_refused_locally(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    challenge = expect(MfaSetup, (yield world.srp()))
    with pytest.raises(InvalidInput, match="EMAIL_OTP"):
        challenge.answer_email("alice@example.com")


@row("17", pool={**ON, **TOTP})
def a_set_up_follows_a_new_password(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, temporary=True)
    first = expect(NewPasswordRequired, (yield world.srp()))
    second = expect(MfaSetup, (yield Send(first.answer(OTHER_PASSWORD))))
    setup = expect(TotpSetup, (yield Send(second.answer_totp())))
    signed_in((yield Send(setup.answer(app_code(world, setup)))))
