"""What an answer holds: the challenge that it is for, and the responses under Cognito's names."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from cognito_flow import (
    AdminNoSrpAuth,
    Answer,
    CustomChallenge,
    EmailOtp,
    FirstFactor,
    MfaSetup,
    MfaType,
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
    WebAuthn,
)
from cognito_flow.handlers import read_challenge
from tests.handlers import challenges

PARAMETERS = {
    "MFAS_CAN_CHOOSE": '["SMS_MFA", "NEW_MFA"]',
    "MFAS_CAN_SETUP": '["SOFTWARE_TOKEN_MFA", "EMAIL_OTP"]',
    "SECRET_CODE": "JBSWY3DP",
    "CREDENTIAL_REQUEST_OPTIONS": "{}",
}
CREDENTIAL = {
    "id": "x",
    "rawId": "x",
    "type": "public-key",
    "response": {"clientDataJSON": "a", "authenticatorData": "b", "signature": "c"},
}
OFFERED = ("EMAIL_OTP", "PASSWORD", "PASSWORD_SRP", "WEB_AUTHN", "NEW")


def pending(name: str) -> Pending:
    """A challenge of this name, with parameters for every handler."""
    return challenges.pending(name, PARAMETERS, *OFFERED)


def challenge(handler: Any) -> Any:
    """A challenge of this class, with parameters for every handler."""
    return challenges.challenge(handler, *OFFERED, **PARAMETERS)


@pytest.mark.parametrize(
    ("handler", "answer", "responses"),
    [
        (SmsMfa, lambda asked: asked.answer("1"), {"SMS_MFA_CODE": "1"}),
        (Password, lambda asked: asked.answer("pw"), {"PASSWORD": "pw"}),
        (PasswordSrp, lambda asked: asked.answer("pw"), {}),
        (AdminNoSrpAuth, lambda asked: asked.answer("pw"), {"PASSWORD": "pw"}),
        (NewPasswordRequired, lambda asked: asked.answer("New1"), {"NEW_PASSWORD": "New1"}),
        (SelectMfaType, lambda asked: asked.answer("SMS_MFA"), {"ANSWER": "SMS_MFA"}),
        (SelectChallenge, lambda asked: asked.answer("EMAIL_OTP"), {"ANSWER": "EMAIL_OTP"}),
        (
            SelectChallenge,
            lambda asked: asked.answer_password("pw"),
            {"ANSWER": "PASSWORD", "PASSWORD": "pw"},
        ),
        (SelectChallenge, lambda asked: asked.answer_srp("pw"), {"ANSWER": "PASSWORD_SRP"}),
        (MfaSetup, lambda asked: asked.answer_totp(), {}),
        (MfaSetup, lambda asked: asked.answer_email("a@b.c"), {"EMAIL": "a@b.c"}),
        (TotpSetup, lambda asked: asked.answer("1"), {"UserCode": "1"}),
        (CustomChallenge, lambda asked: asked.answer("x"), {"ANSWER": "x"}),
        (UnknownChallenge, lambda asked: asked.answer({"A": "x"}), {"A": "x"}),
    ],
)
def test_answer_is_for_its_challenge(
    handler: Any, answer: Callable[[Any], Answer], responses: dict[str, str]
) -> None:
    asked = challenge(handler)
    made = answer(asked)

    assert made.challenge is asked
    assert made.responses == responses
    assert asked.pending.parameters == PARAMETERS


def test_passkey_answers_its_challenge() -> None:
    asked = challenge(WebAuthn)

    assert asked.answer(CREDENTIAL).challenge is asked


def test_other_factor_is_an_answer_to_the_choice_between_the_others() -> None:
    asked = challenge(EmailOtp)

    assert asked.answer_with("NEW").challenge == SelectChallenge(
        pending=pending("SELECT_CHALLENGE"),
        choices=(FirstFactor.PASSWORD, FirstFactor.PASSWORD_SRP, FirstFactor.WEB_AUTHN, "NEW"),
    )


def test_known_choices_are_members_of_their_enumeration_and_others_are_texts() -> None:
    assert [type(choice) for choice in challenge(SelectMfaType).choices] == [MfaType, str]
    assert [type(choice) for choice in challenge(SelectChallenge).choices] == [FirstFactor] * 4 + [str]


def test_uri_of_an_authenticator_app_names_the_user_unless_it_is_given_a_name() -> None:
    setup = challenge(TotpSetup)

    assert setup.uri("App").startswith("otpauth://totp/App:alice?")
    assert setup.uri("App", "al").startswith("otpauth://totp/App:al?")


# -- handlers of an application --


@attrs.frozen(kw_only=True)
class Unreadable(CustomChallenge):
    """A handler that cannot read what Cognito sent."""

    @classmethod
    def parse(cls, pending: Pending) -> Any:
        raise UnexpectedResponse("not mine")


@attrs.frozen(kw_only=True)
class UnreadableChoice(Unreadable):
    """The same, for a challenge that the library knows."""

    name = "SELECT_MFA_TYPE"


def test_challenge_that_an_applications_handler_cannot_read_is_read_by_the_next_one() -> None:
    assert type(read_challenge(pending("SELECT_MFA_TYPE"), (UnreadableChoice,))) is SelectMfaType


def test_applications_handler_comes_before_the_librarys() -> None:
    class Captcha(CustomChallenge):
        pass

    assert type(read_challenge(pending("CUSTOM_CHALLENGE"), (Unreadable, Captcha))) is Captcha


def test_answer_method_of_an_applications_handler_leaves_no_secret_in_its_error() -> None:
    @attrs.frozen(kw_only=True)
    class Own(CustomChallenge):
        answers = 0  # a name that begins with answer, and is not a method

        def answer(self, answer: str) -> Answer:
            raise ValueError("no")

        def note(self, text: str) -> None:
            raise ValueError("no")

    def kept(method: Callable[[str], object]) -> bool:
        with pytest.raises(ValueError, match="no") as refused:
            method("SENTINEL")
        steps = list(traceback.walk_tb(refused.value.__traceback__))[1:]
        assert steps[-1][0].f_code.co_name == method.__name__
        return any("SENTINEL" in frame.f_locals.values() for frame, _ in steps)

    assert not kept(challenge(Own).answer)
    assert kept(challenge(Own).note)


def test_answer_method_of_an_applications_handler_may_call_super() -> None:
    @attrs.frozen(kw_only=True)
    class Own(CustomChallenge):
        def answer(self, answer: str) -> Answer:
            return super().answer(answer.upper())

    assert challenge(Own).answer("x").responses == {"ANSWER": "X"}
