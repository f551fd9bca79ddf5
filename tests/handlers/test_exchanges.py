"""What handlers send, and what they make of the response: each exchange by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cognito_flow import (
    AttemptsExceeded,
    Blocked,
    DeviceForgotten,
    DevicePasswordVerifier,
    DeviceSrpAuth,
    FlowExpired,
    IncorrectPassword,
    MfaSetup,
    NotAuthorized,
    PasswordSrp,
    PasswordVerifier,
    Pending,
    SelectChallenge,
    ServiceError,
    TotpSetup,
    UnexpectedResponse,
    UserDisabled,
    WrongCode,
)
from cognito_flow.errors import from_service
from cognito_flow.handlers.mfa_setup import totp_uri, verify_totp
from tests.support.conversation import (
    APP,
    DEVICE,
    DEVICE_VERIFIER,
    DONE,
    SESSION,
    VERIFIER,
    Conversation,
    turn,
)


def challenge(handler: Any, *available: str, **parameters: str) -> Any:
    """A challenge of this class."""
    return handler.parse(
        Pending(
            name=handler.name,
            username="alice",
            session=SESSION,
            parameters=parameters,
            available=available,
        )
    )


@pytest.mark.parametrize(
    ("answer", "choice"),
    [
        (challenge(PasswordSrp).answer("correct horse"), {}),
        (challenge(SelectChallenge).answer_srp("correct horse"), {"ANSWER": "PASSWORD_SRP"}),
    ],
    ids=["PasswordSrp", "SelectChallenge"],
)
def test_password_to_prove_stays_in_the_turn_and_srp_a_is_sent(answer: Any, choice: dict[str, str]) -> None:
    moment = turn()
    talk = Conversation(answer.challenge.exchange(moment, answer))

    assert talk.sent["ChallengeName"] == answer.challenge.name
    assert talk.responses == {
        "USERNAME": "",
        "SECRET_HASH": APP.secret_hash(""),
        "SRP_A": moment.ephemeral.srp_a if moment.ephemeral else None,
        **choice,
    }
    assert moment.password == "correct horse"
    assert talk.answer(DONE).result.data == DONE


def test_choice_without_a_password_sends_no_srp_a() -> None:
    answer = challenge(SelectChallenge).answer("EMAIL_OTP")
    moment = turn()

    assert "SRP_A" not in Conversation(answer.challenge.exchange(moment, answer)).responses
    assert moment.password is None


def prove(handler: Any, parameters: dict[str, str]) -> Conversation:
    """Prove a secret by this challenge."""
    asked, moment = challenge(handler, **parameters), turn(DEVICE)
    moment.username = "alice"
    moment.begin_srp("correct horse")
    return Conversation(asked.exchange(moment, asked.auto()))


def test_refused_proof_of_a_password_hints_at_the_pool_id() -> None:
    with pytest.raises(IncorrectPassword) as refused:
        prove(PasswordVerifier, VERIFIER).refuse(IncorrectPassword("Incorrect username or password."))

    assert refused.value.hint == "if the password is right, check the pool id, which is part of the proof"


@pytest.mark.parametrize("handler", [DeviceSrpAuth, DevicePasswordVerifier])
def test_refused_device_raises_device_forgotten_with_its_cause(handler: Any) -> None:
    refusal = NotAuthorized("no", code="NotAuthorizedException", operation="X", request_id="id")
    with pytest.raises(DeviceForgotten) as forgotten:
        prove(handler, DEVICE_VERIFIER).refuse(refusal)

    assert forgotten.value.__cause__ is refusal
    assert (forgotten.value.code, forgotten.value.request_id) == ("NotAuthorizedException", "id")


@pytest.mark.parametrize("handler", [DeviceSrpAuth, DevicePasswordVerifier])
@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        ("ForbiddenException", "Request not allowed due to WAF block.", Blocked),
        ("NotAuthorizedException", "Request not allowed due to security reasons.", Blocked),
        ("NotAuthorizedException", "User is disabled.", UserDisabled),
        ("NotAuthorizedException", "Password attempts exceeded", AttemptsExceeded),
        ("NotAuthorizedException", "Invalid session for the user, session is expired.", FlowExpired),
    ],
)
def test_refusal_for_another_reason_is_not_taken_for_a_forgotten_device(
    handler: Any, code: str, text: str, kind: type[ServiceError]
) -> None:
    refusal = from_service(code, text)
    with pytest.raises(kind) as raised:
        prove(handler, DEVICE_VERIFIER).refuse(refusal)

    assert raised.value is refusal


@pytest.mark.parametrize("handler", [DeviceSrpAuth, DevicePasswordVerifier])
def test_answer_of_a_forgotten_device_is_not_sent_again_without_it(handler: Any) -> None:
    with pytest.raises(DeviceForgotten):
        prove(handler, DEVICE_VERIFIER).refuse(DeviceForgotten("x"))


def test_device_srp_auth_sends_a_new_srp_a_without_a_password() -> None:
    asked, moment = challenge(DeviceSrpAuth), turn(DEVICE)
    moment.begin_srp("correct horse")
    first = moment.ephemeral
    talk = Conversation(asked.exchange(moment, asked.auto()))

    assert moment.ephemeral is not None
    assert moment.ephemeral is not first
    assert talk.responses["SRP_A"] == moment.ephemeral.srp_a
    assert talk.sent["Session"] == SESSION
    assert moment.password is None
    assert talk.answer(DONE).result.data == DONE


def test_other_refusal_of_device_srp_auth_is_raised_as_it_is() -> None:
    asked = challenge(DeviceSrpAuth)
    refusal = ServiceError("x", code="UserNotConfirmedException")
    with pytest.raises(ServiceError) as raised:
        Conversation(asked.exchange(turn(DEVICE), asked.auto())).refuse(refusal)

    assert raised.value is refusal


@pytest.mark.parametrize("handler", [PasswordVerifier, DevicePasswordVerifier])
def test_accepted_proof_returns_the_response(handler: Any) -> None:
    talk = prove(handler, VERIFIER | DEVICE_VERIFIER)

    assert talk.sent["ChallengeName"] == handler.name
    assert talk.sent["Session"] == SESSION
    assert talk.answer(DONE).result.data == DONE


# -- MFA_SETUP --


def test_secret_of_an_authenticator_app_becomes_the_next_challenge() -> None:
    asked = challenge(MfaSetup, MFAS_CAN_SETUP='["SOFTWARE_TOKEN_MFA"]')
    talk = Conversation(asked.exchange(turn(), asked.answer_totp()))
    assert (talk.operation, talk.sent) == ("AssociateSoftwareToken", {"Session": SESSION})

    setup = talk.answer({"SecretCode": "JBSWY3DP", "Session": "t" * 20}).result

    assert isinstance(setup, TotpSetup)
    assert (setup.secret_code, setup.pending.session, setup.username) == ("JBSWY3DP", "t" * 20, "alice")
    assert setup.pending.parameters == {
        "MFAS_CAN_SETUP": '["SOFTWARE_TOKEN_MFA"]',
        "SECRET_CODE": "JBSWY3DP",
    }


@pytest.mark.parametrize(
    "data", [{"SecretCode": 1, "Session": SESSION}, {"SecretCode": "x", "Session": None}]
)
def test_unreadable_secret_of_an_authenticator_app_raises_unexpected_response(data: Any) -> None:
    asked = challenge(MfaSetup)
    with pytest.raises(UnexpectedResponse, match="without a SecretCode and a Session"):
        Conversation(asked.exchange(turn(), asked.answer_totp())).answer(data)


def test_verified_code_continues_with_the_session_of_its_response() -> None:
    asked = challenge(TotpSetup, SECRET_CODE="JBSWY3DP")
    talk = Conversation(asked.exchange(turn(), asked.answer("123 456")))
    assert talk.sent == {"Session": SESSION, "UserCode": "123456"}

    talk.answer({"Status": "SUCCESS", "Session": "t" * 20})

    assert talk.sent["ChallengeName"] == "MFA_SETUP"
    assert talk.sent["Session"] == "t" * 20
    assert set(talk.responses) == {"USERNAME", "SECRET_HASH"}
    assert talk.answer(DONE).result.data == DONE


@pytest.mark.parametrize(
    ("status", "kind", "message", "maybe_processed"),
    [
        ("ERROR", WrongCode, "Cognito could not verify the code", False),
        ("NEW", UnexpectedResponse, "Cognito answered without a known Status", True),
        (None, UnexpectedResponse, "Cognito answered without a known Status", True),
    ],
)
def test_code_that_was_not_verified_raises_with_its_operation(
    status: str | None, kind: type[ServiceError | UnexpectedResponse], message: str, maybe_processed: bool
) -> None:
    talk = Conversation(verify_totp(turn(), {"Session": SESSION, "UserCode": "123456"}))
    with pytest.raises(kind, match=message) as refused:
        talk.answer({"Status": status})

    assert refused.value.operation == "VerifySoftwareToken"
    assert refused.value.maybe_processed is maybe_processed


@pytest.mark.parametrize("code", ["12345", "1234567", "12345a"])
def test_code_that_is_not_six_digits_is_wrong_and_is_not_sent(code: str) -> None:
    with pytest.raises(WrongCode, match="six digits") as refused:
        next(verify_totp(turn(), {"Session": SESSION, "UserCode": code}))

    assert refused.value.operation == "VerifySoftwareToken"


def test_uri_of_an_authenticator_app_quotes_every_reserved_character() -> None:
    """An unquoted slash or colon would end the label for some apps."""
    assert totp_uri("JBSWY3DP", "A/B c", "x/y:z@d") == (
        "otpauth://totp/A%2FB%20c:x%2Fy%3Az%40d?secret=JBSWY3DP&issuer=A%2FB%20c"
    )


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: challenge(PasswordVerifier, **VERIFIER), "PASSWORD_VERIFIER"),
        (lambda: challenge(DeviceSrpAuth), "DEVICE_SRP_AUTH"),
        (lambda: challenge(DevicePasswordVerifier, **DEVICE_VERIFIER), "DEVICE_PASSWORD_VERIFIER"),
    ],
)
def test_challenge_that_this_turn_cannot_answer_is_named(make: Callable[[], Any], word: str) -> None:
    asked = make()
    with pytest.raises(UnexpectedResponse, match=f"Cognito sent {word}, but"):
        next(asked.exchange(turn(), asked.auto()))
