"""What handlers refuse before anything is sent: the message names what the user has to correct."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cognito_flow import (
    AdminNoSrpAuth,
    CustomChallenge,
    EmailOtp,
    InvalidInput,
    MfaSetup,
    NewPasswordRequired,
    Password,
    PasswordSrp,
    Pending,
    SelectChallenge,
    SelectMfaType,
    SmsMfa,
    TotpSetup,
    UnexpectedResponse,
    UnknownChallenge,
    UsageError,
    WebAuthn,
)
from tests.handlers.challenges import challenge

EMPTY: dict[str, Callable[[], object]] = {
    "the code": lambda: challenge(SmsMfa).answer(""),
    "the password": lambda: challenge(Password).answer(""),
    "the password of PASSWORD_SRP": lambda: challenge(PasswordSrp).answer(""),
    "the password of ADMIN_NO_SRP_AUTH": lambda: challenge(AdminNoSrpAuth).answer(""),
    "the password of a choice": lambda: challenge(SelectChallenge).answer_password(""),
    "the password of a choice by SRP": lambda: challenge(SelectChallenge).answer_srp(""),
    "the password of another factor": lambda: challenge(EmailOtp, "PASSWORD").answer_with("PASSWORD", ""),
    "the choice": lambda: challenge(SelectChallenge).answer(""),
    "the new password": lambda: challenge(NewPasswordRequired).answer(""),
    "the e-mail address": lambda: challenge(MfaSetup, MFAS_CAN_SETUP='["EMAIL_OTP"]').answer_email(""),
    "the device name": lambda: challenge(TotpSetup, SECRET_CODE="JBSWY3DP").answer("123456", ""),
    "the answer": lambda: challenge(CustomChallenge).answer(""),
}


@pytest.mark.parametrize("what", EMPTY)
def test_empty_text_is_named_by_the_message(what: str) -> None:
    named, *_ = what.split(" of ")
    with pytest.raises(InvalidInput) as refused:
        EMPTY[what]()

    assert str(refused.value) == f"{named} is empty"


@pytest.mark.parametrize(
    "answer",
    [
        lambda: challenge(SelectMfaType, MFAS_CAN_CHOOSE='["SMS_MFA", "EMAIL_OTP"]').answer("WEB_AUTHN"),
        lambda: challenge(SelectChallenge, "SMS_MFA", "EMAIL_OTP").answer("WEB_AUTHN"),
    ],
    ids=["SelectMfaType", "SelectChallenge"],
)
def test_choice_that_was_not_offered_is_named_with_those_that_were(answer: Callable[[], object]) -> None:
    with pytest.raises(InvalidInput) as refused:
        answer()

    assert str(refused.value) == "'WEB_AUTHN' was not offered: choose one of SMS_MFA, EMAIL_OTP"


@pytest.mark.parametrize("method", ["answer_password", "answer_srp"])
def test_password_factor_that_was_not_offered_is_refused(method: str) -> None:
    with pytest.raises(InvalidInput, match=r"'PASSWORD.*' was not offered: choose one of EMAIL_OTP"):
        getattr(challenge(SelectChallenge, "EMAIL_OTP"), method)("pw")


@pytest.mark.parametrize(
    "set_up",
    [lambda offered: offered.answer_totp(), lambda offered: offered.answer_email("a@b.c")],
    ids=["totp", "email"],
)
def test_factor_that_the_pool_does_not_offer_cannot_be_set_up(set_up: Callable[[Any], object]) -> None:
    with pytest.raises(InvalidInput, match="was not offered: choose one of SMS_MFA"):
        set_up(challenge(MfaSetup, MFAS_CAN_SETUP='["SMS_MFA"]'))


def test_missing_required_attribute_is_named() -> None:
    with pytest.raises(InvalidInput, match="the attribute 'name' is required"):
        challenge(NewPasswordRequired, requiredAttributes='["userAttributes.name"]').answer("New1")


@pytest.mark.parametrize("attributes", ["abc", ["name"], {"name": 1}, {1: "name"}])
def test_attributes_that_are_not_a_mapping_of_texts_raise_usage_error(attributes: Any) -> None:
    with pytest.raises(UsageError, match="attributes must be a mapping of str to str"):
        challenge(NewPasswordRequired).answer("New1", attributes)


def test_name_of_an_attribute_with_a_lone_surrogate_raises_invalid_input() -> None:
    with pytest.raises(InvalidInput, match="the name of an attribute contains a lone surrogate"):
        challenge(NewPasswordRequired).answer("New1", {"\ud800": "x"})


CREDENTIAL = {
    "id": "x",
    "rawId": "x",
    "type": "public-key",
    "response": {"clientDataJSON": "a", "authenticatorData": "b", "signature": "c"},
}


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        *(
            ({**CREDENTIAL, name: None}, f"the credential has no member {name!r}")
            for name in ("id", "rawId", "type")
        ),
        *(
            (
                {**CREDENTIAL, "response": {**CREDENTIAL["response"], name: ""}},  # type: ignore[dict-item]  # it is one
                f"the credential's response has no member {name!r}",
            )
            for name in ("clientDataJSON", "authenticatorData", "signature")
        ),
    ],
)
def test_missing_member_of_a_passkey_credential_is_named(spoilt: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        challenge(WebAuthn, CREDENTIAL_REQUEST_OPTIONS="{}").answer(spoilt)

    assert str(refused.value) == f"{message}: it must be a credential from navigator.credentials.get"


def test_passkey_credential_without_a_response_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no member 'response'"):
        challenge(WebAuthn, CREDENTIAL_REQUEST_OPTIONS="{}").answer({**CREDENTIAL, "response": "x"})


def test_passkey_credential_is_sent_as_compact_json() -> None:
    sent = challenge(WebAuthn, CREDENTIAL_REQUEST_OPTIONS="{}").answer(CREDENTIAL).responses

    assert sent == {"CREDENTIAL": json.dumps(CREDENTIAL).replace(" ", "")}


@pytest.mark.parametrize(
    ("need", "message"),
    [
        (lambda pending: pending.need("q"), "SMS_MFA came without its parameter 'q'"),
        (lambda pending: pending.need_session(), "SMS_MFA came without a Session"),
        (lambda pending: pending.need_json("bad"), "SMS_MFA came with a parameter 'bad' that is not JSON"),
        (
            lambda pending: pending.need_json("surrogate"),
            "SMS_MFA came with a parameter 'surrogate' with a lone surrogate",
        ),
        (
            lambda pending: pending.need_names("number"),
            "SMS_MFA came with a parameter 'number' that is not a list of names",
        ),
    ],
)
def test_unreadable_parameter_of_a_challenge_is_named(
    need: Callable[[Pending], object], message: str
) -> None:
    parameters = {"bad": "{", "number": "[1]", "surrogate": r'["\ud800"]'}
    pending = Pending(name="SMS_MFA", username="alice", parameters=parameters)
    with pytest.raises(UnexpectedResponse) as unreadable:
        need(pending)

    assert str(unreadable.value) == message


def test_attribute_that_has_a_value_is_named() -> None:
    given = challenge(
        NewPasswordRequired,
        requiredAttributes='["userAttributes.email"]',
        userAttributes='{"email": "a@b.c"}',
    )
    with pytest.raises(UsageError, match="the attribute 'email' has a value"):
        given.answer("New1", {"userAttributes.email": "x"})


def test_responses_that_are_not_a_mapping_are_a_mistake_of_the_program() -> None:
    responses: Any = "123456"
    with pytest.raises(UsageError, match="pass the ChallengeResponses as a mapping"):
        challenge(UnknownChallenge).answer(responses)


def test_responses_that_are_not_text_are_a_mistake_of_the_program() -> None:
    with pytest.raises(UsageError, match="NEW_CODE must be a str, not int"):
        challenge(UnknownChallenge).answer({"NEW_CODE": 1})


@pytest.mark.parametrize(
    ("handler", "parameters", "message"),
    [
        (
            NewPasswordRequired,
            {"userAttributes": "[]"},
            "NEW_PASSWORD_REQUIRED: the parameter 'userAttributes' is not a JSON object",
        ),
        (
            WebAuthn,
            {"CREDENTIAL_REQUEST_OPTIONS": "[]"},
            "WEB_AUTHN came with options that are not a JSON object",
        ),
    ],
)
def test_parameter_that_is_not_an_object_is_named(
    handler: Any, parameters: dict[str, str], message: str
) -> None:
    with pytest.raises(UnexpectedResponse) as unreadable:
        challenge(handler, **parameters)

    assert str(unreadable.value) == message
