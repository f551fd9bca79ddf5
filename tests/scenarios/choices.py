"""Choice-based sign-in: the offered first factors, one-time passwords, passkeys, and the session of a
sign-up."""

from __future__ import annotations

import pytest

from cognito_flow import (
    EmailOtp,
    FirstFactor,
    FlowExpired,
    IncorrectPassword,
    InvalidInput,
    NewPasswordRequired,
    NotAuthorized,
    Password,
    PasswordSrp,
    SelectChallenge,
    SmsMfa,
    SmsOtp,
    UsageError,
    UserAuth,
    WebAuthn,
    WrongCode,
)
from cognito_flow.testing import SoftAuthenticator
from tests.scenarios.passwords import HIDING
from tests.scenarios.second_factors import ON, SMS
from tests.scenarios.table import OTHER_PASSWORD, PASSWORD, Moves, Send, Start, World, expect, row, signed_in

EVERYTHING = ["PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"]
CHOICE: dict[str, object] = {"policies": {"SignInPolicy": {"AllowedFirstAuthFactors": EVERYTHING}}}
PASSKEYS: dict[str, object] = {
    **CHOICE,
    "web_authn_configuration": {"RelyingPartyId": "app.example", "UserVerification": "required"},
    "mfa_configuration": "OFF",
}


def choose(preferred: str | None = None, password: str | None = None, username: str = "alice") -> Start:
    """Begin a choice-based sign-in."""
    return Start(credentials=UserAuth(username, password, preferred))


@row("5.9", pool=CHOICE)
def the_first_factors_of_the_user_are_offered(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, email="alice@example.com", phone_number="+31612341234")
    challenge = expect(SelectChallenge, (yield choose()))
    offered = {"PASSWORD", "PASSWORD_SRP", "EMAIL_OTP", "SMS_OTP"}
    assert set(challenge.choices) == offered
    with pytest.raises(InvalidInput, match="WEB_AUTHN"):
        challenge.answer(FirstFactor.WEB_AUTHN)
    with pytest.raises(UsageError, match="answer_srp"):
        challenge.answer("PASSWORD")


@row("5.9", pool=CHOICE)
def a_chosen_password_by_srp_signs_in(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    challenge = expect(SelectChallenge, (yield choose()))
    signed_in((yield Send(challenge.answer_srp(PASSWORD))))


@row("5.9", pool=CHOICE)
def a_chosen_password_in_clear_signs_in(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    challenge = expect(SelectChallenge, (yield choose()))
    signed_in((yield Send(challenge.answer_password(PASSWORD))))


@row("5.9", pool=CHOICE)
def a_wrong_password_after_the_choice_is_refused(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    for method in ("answer_srp", "answer_password"):
        challenge = expect(SelectChallenge, (yield choose()))
        with pytest.raises(IncorrectPassword):
            yield Send(getattr(challenge, method)(OTHER_PASSWORD))


@row("5.4", pool=CHOICE)
def a_one_time_password_by_email_has_eight_digits(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, email="alice@example.com")
    challenge = expect(SelectChallenge, (yield choose()))
    code = expect(EmailOtp, (yield Send(challenge.answer(FirstFactor.EMAIL_OTP))))
    assert len(world.pool.last_code("alice")) == 8
    for _ in range(6):
        with pytest.raises(WrongCode):
            yield Send(code.answer("wrong"))
    signed_in((yield Send(code.answer(world.pool.last_code("alice")))))


@row("5.4", pool=CHOICE)
def a_one_time_password_by_sms_signs_in(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, phone_number="+31612341234")
    code = expect(SmsOtp, (yield choose("SMS_OTP")))
    with pytest.raises(WrongCode):
        yield Send(code.answer("wrong"))
    signed_in((yield Send(code.answer(world.pool.last_code("alice")))))


@row("4.4", pool=CHOICE)
def an_available_preferred_factor_is_used(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, email="alice@example.com")
    code = expect(EmailOtp, (yield choose(FirstFactor.EMAIL_OTP)))
    assert code.pending.available == ("PASSWORD_SRP", "PASSWORD", "EMAIL_OTP")
    signed_in((yield Send(code.answer(world.pool.last_code("alice")))))


@row("4.4", pool=CHOICE)
def an_unavailable_preferred_factor_leads_to_the_choice(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    expect(SelectChallenge, (yield choose(FirstFactor.WEB_AUTHN)))


@row("4.4", pool=CHOICE)
def a_password_given_at_the_start_is_verified_at_once(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    signed_in((yield choose(password=PASSWORD)))
    signed_in((yield choose("PASSWORD_SRP", PASSWORD)))
    signed_in((yield choose("PASSWORD", PASSWORD)))
    with pytest.raises(IncorrectPassword):
        yield choose(password=OTHER_PASSWORD)


@row("5.10", pool=CHOICE)
def the_challenge_password_takes_the_password(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    challenge = expect(Password, (yield choose("PASSWORD")))
    signed_in((yield Send(challenge.answer(PASSWORD))))


@row("5.10", pool=CHOICE)
def the_challenge_password_srp_takes_the_password(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    challenge = expect(PasswordSrp, (yield choose("PASSWORD_SRP")))
    signed_in((yield Send(challenge.answer(PASSWORD))))


@row("4.4", pool={**CHOICE, **ON, **SMS})
def a_second_factor_leaves_only_passwords_to_choose(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, email="alice@example.com", phone_number="+31612341234")
    challenge = expect(SelectChallenge, (yield choose("EMAIL_OTP")))
    assert set(challenge.choices) == {"PASSWORD", "PASSWORD_SRP"}
    code = expect(SmsMfa, (yield Send(challenge.answer_srp(PASSWORD))))
    signed_in((yield Send(code.answer(world.pool.last_code("alice")))))


@row("4.4", pool=CHOICE)
def a_temporary_password_leaves_only_passwords_to_choose(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD, email="alice@example.com", temporary=True)
    challenge = expect(SelectChallenge, (yield choose("EMAIL_OTP")))
    assert challenge.choices == ("PASSWORD_SRP", "PASSWORD")
    new = expect(NewPasswordRequired, (yield Send(challenge.answer_srp(PASSWORD))))
    signed_in((yield Send(new.answer(OTHER_PASSWORD))))


@row("19", pool=CHOICE)
def a_user_without_a_password_signs_in_by_a_code(world: World) -> Moves:
    world.pool.add_user("alice", email="alice@example.com")
    code = expect(EmailOtp, (yield choose()))
    signed_in((yield Send(code.answer(world.pool.last_code("alice")))))


@row("12.4", pool=CHOICE, client=HIDING)
def an_unknown_user_is_asked_for_a_code_that_is_never_sent(world: World) -> Moves:
    challenge = expect(EmailOtp, (yield choose("EMAIL_OTP", username="unknown")))
    assert challenge.sent_to
    assert not world.cognito.outbox
    with pytest.raises(WrongCode):
        yield Send(challenge.answer("12345678"))


@row("6", pool=CHOICE)
def a_one_time_password_expires(world: World) -> Moves:
    world.pool.add_user("alice", email="alice@example.com")
    code = expect(EmailOtp, (yield choose("EMAIL_OTP")))
    world.cognito.clock.advance(3 * 60 + 54)
    with pytest.raises(FlowExpired):
        yield Send(code.answer(world.pool.last_code("alice")))


@row("4.4", pool={**CHOICE, "auto_verified_attributes": ["email"]})
def a_confirmed_sign_up_signs_in_by_its_session(world: World) -> Moves:
    named = {"ClientId": world.app.client_id, "Username": "alice"}
    if (secret_hash := world.app.secret_hash("alice")) is not None:
        named["SecretHash"] = secret_hash
    attributes = [{"Name": "email", "Value": "alice@example.com"}]
    signed_up = world.client.sign_up(**named, Password="Without-spaces-1", UserAttributes=attributes)
    confirmed = world.client.confirm_sign_up(
        **named, ConfirmationCode=world.pool.last_code("alice"), Session=signed_up["Session"]
    )
    start = Start(credentials=UserAuth("alice", session=confirmed["Session"]))
    signed_in((yield start))
    with pytest.raises(FlowExpired):
        yield start


# -- passkeys --


def register(world: World, access_token: str, device: SoftAuthenticator) -> None:
    """Register a passkey of this device."""
    options = world.client.start_web_authn_registration(AccessToken=access_token)["CredentialCreationOptions"]
    world.client.complete_web_authn_registration(AccessToken=access_token, Credential=device.create(options))


@row("9.1", pool=PASSKEYS)
def a_passkey_signs_in(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    for algorithm in ("ES256", "RS256"):
        device = SoftAuthenticator(algorithm="ES256" if algorithm == "ES256" else "RS256")
        register(world, signed_in((yield world.srp())).tokens.access_token, device)
        challenge = expect(WebAuthn, (yield choose("WEB_AUTHN")))
        assert challenge.options["rpId"] == "app.example"
        assert challenge.expires_at is not None
        signed_in((yield Send(challenge.answer(device.get(challenge.options_json)))))


@row("9.1", pool=PASSKEYS)
def a_chosen_passkey_signs_in(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    device = SoftAuthenticator()
    register(world, signed_in((yield world.srp())).tokens.access_token, device)
    challenge = expect(SelectChallenge, (yield choose()))
    passkey = expect(WebAuthn, (yield Send(challenge.answer("WEB_AUTHN"))))
    signed_in((yield Send(passkey.answer(device.get(passkey.options)))))


@row("9.1", pool=PASSKEYS)
def an_assertion_for_another_origin_or_without_user_verification_is_refused(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    device = SoftAuthenticator()
    register(world, signed_in((yield world.srp())).tokens.access_token, device)
    for name, value in (("origin", "https://evil.example"), ("user_verification", False)):
        challenge = expect(WebAuthn, (yield choose("WEB_AUTHN")))
        right = getattr(device, name)
        setattr(device, name, value)
        with pytest.raises(NotAuthorized):
            yield Send(challenge.answer(device.get(challenge.options)))
        setattr(device, name, right)


@row("9.1", pool=PASSKEYS)
def an_assertion_of_an_older_challenge_is_refused(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    device = SoftAuthenticator()
    register(world, signed_in((yield world.srp())).tokens.access_token, device)
    first = expect(WebAuthn, (yield choose("WEB_AUTHN")))
    second = expect(WebAuthn, (yield choose("WEB_AUTHN")))
    with pytest.raises(NotAuthorized):
        yield Send(second.answer(device.get(first.options)))


@row("9.1", pool=PASSKEYS)
def a_malformed_assertion_is_refused_locally(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    device = SoftAuthenticator()
    register(world, signed_in((yield world.srp())).tokens.access_token, device)
    challenge = expect(WebAuthn, (yield choose("WEB_AUTHN")))
    for credential in (
        "not json",
        "[]",
        "{}",
        '{"id": "a", "rawId": "a", "type": "public-key", "response": {}}',
    ):
        with pytest.raises(InvalidInput):
            challenge.answer(credential)
