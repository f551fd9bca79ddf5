"""CUSTOM_AUTH and the other triggers: Lambda's events, and the errors of failing triggers."""

from __future__ import annotations

from typing import Any

import pytest

from cognito_flow.testing import Pool
from tests.local_cognito.wire import Wire, refusal

INCORRECT = ("NotAuthorizedException", "Incorrect username or password.")
NEVER_STARTED = (
    "InvalidParameterException",
    "Custom auth lambda trigger is not configured for the user pool.",
)


class Question:
    """The three triggers of a sign-in that expects the answer 4 within three attempts."""

    def __init__(self, pool: Pool) -> None:
        self.events: list[Any] = []
        names = {
            "DefineAuthChallenge": self.define,
            "CreateAuthChallenge": self.create,
            "VerifyAuthChallengeResponse": self.verify,
        }
        pool.triggers.update(names)

    def define(self, event: Any) -> Any:
        self.events.append(event)
        rounds, response = event["request"]["session"], event["response"]
        asked = [one for one in rounds if one["challengeName"] == "CUSTOM_CHALLENGE"]
        if rounds and rounds[-1]["challengeName"] == "SRP_A":
            response["challengeName"] = "PASSWORD_VERIFIER"
        elif asked and asked[-1]["challengeResult"]:
            response["issueTokens"] = True
        elif len(asked) == 3:
            response["failAuthentication"] = True
        else:
            response["challengeName"] = "CUSTOM_CHALLENGE"
        return event

    def create(self, event: Any) -> Any:
        self.events.append(event)
        event["response"] = {
            "publicChallengeParameters": {"question": "2+2"},
            "privateChallengeParameters": {"answer": "4"},
            "challengeMetadata": "SUM",
        }
        return event

    def verify(self, event: Any) -> Any:
        self.events.append(event)
        right = event["request"]["privateChallengeParameters"]["answer"]
        event["response"]["answerCorrect"] = event["request"]["challengeAnswer"] == right
        return event


def test_right_answer_signs_in(wire: Wire) -> None:
    Question(wire.pool)
    step = wire.start("CUSTOM_AUTH", USERNAME="alice")
    assert step["ChallengeParameters"] == {"question": "2+2", "USERNAME": "alice"}
    assert "AuthenticationResult" in wire.answer(step, ANSWER="4")


def test_wrong_answer_is_asked_again_until_the_define_trigger_fails_it(wire: Wire) -> None:
    Question(wire.pool)
    step = first = wire.start("CUSTOM_AUTH", USERNAME="alice")
    for _ in range(2):
        step = wire.answer(step, ANSWER="5")
        assert step["ChallengeName"] == "CUSTOM_CHALLENGE"
    used = ("NotAuthorizedException", "Invalid session for the user, session can only be used once.")
    assert refusal(lambda: wire.answer(first, ANSWER="4")) == used
    assert refusal(lambda: wire.answer(step, ANSWER="5")) == INCORRECT
    assert refusal(lambda: wire.answer(step, ANSWER="4")) == used


def test_custom_auth_with_srp_a_proves_the_password_first(wire: Wire) -> None:
    question = Question(wire.pool)
    challenge = wire.start("CUSTOM_AUTH", USERNAME="alice", CHALLENGE_NAME="SRP_A", SRP_A=wire.exponent.srp_a)
    step = wire.prove(challenge, wire.claim(challenge))
    assert step["ChallengeParameters"] == {"question": "2+2"}
    assert "AuthenticationResult" in wire.answer(step, ANSWER="4")
    rounds = [
        (one["challengeName"], one["challengeResult"], one["challengeMetadata"])
        for one in question.events[-1]["request"]["session"]
    ]
    assert rounds == [
        ("SRP_A", True, None),
        ("PASSWORD_VERIFIER", True, None),
        ("CUSTOM_CHALLENGE", True, "SUM"),
    ]


def test_wrong_password_ends_custom_auth_before_any_question(wire: Wire) -> None:
    Question(wire.pool)
    challenge = wire.start("CUSTOM_AUTH", USERNAME="alice", CHALLENGE_NAME="SRP_A", SRP_A=wire.exponent.srp_a)
    claim = wire.claim(challenge, "Wrong horse 1")
    assert refusal(lambda: wire.prove(challenge, claim)) == INCORRECT


def test_session_stays_within_2048_characters_after_many_rounds(wire: Wire) -> None:
    Question(wire.pool)

    def ask_again(event: Any) -> Any:
        rounds = event["request"]["session"]
        name = "PASSWORD_VERIFIER" if len(rounds) == 1 else "CUSTOM_CHALLENGE"
        event["response"]["challengeName"] = name
        return event

    wire.pool.triggers["DefineAuthChallenge"] = ask_again
    challenge = wire.start("CUSTOM_AUTH", USERNAME="alice", CHALLENGE_NAME="SRP_A", SRP_A=wire.exponent.srp_a)
    step = wire.prove(challenge, wire.claim(challenge))
    for _ in range(40):
        step = wire.answer(step, ANSWER="5")
    assert len(step["Session"]) < 2048


def test_client_metadata_reaches_the_triggers_from_answers_alone(wire: Wire) -> None:
    question = Question(wire.pool)
    step = wire.api.initiate_auth(
        AuthFlow="CUSTOM_AUTH",
        ClientId=wire.client_id,
        AuthParameters={"USERNAME": "alice"},
        ClientMetadata={"from": "start"},
    )
    wire.api.respond_to_auth_challenge(
        ClientId=wire.client_id,
        ChallengeName="CUSTOM_CHALLENGE",
        Session=step["Session"],
        ChallengeResponses={"USERNAME": "alice", "ANSWER": "5"},
        ClientMetadata={"from": "answer"},
    )
    seen = [event["request"]["clientMetadata"] for event in question.events]
    assert seen == [{}, {}] + [{"from": "answer"}] * 3


def test_hidden_unknown_user_runs_the_triggers_with_user_not_found(wire: Wire) -> None:
    question = Question(wire.pool)
    hiding = Wire(wire.pool, wire.pool.app_client(prevent_user_existence_errors="ENABLED").client_id)
    step = hiding.start("CUSTOM_AUTH", USERNAME="unknown")
    assert question.events[0]["request"]["userNotFound"] is True
    assert refusal(lambda: hiding.answer(step, "unknown", ANSWER="4")) == INCORRECT


def test_custom_auth_without_triggers_is_refused(wire: Wire) -> None:
    assert refusal(lambda: wire.start("CUSTOM_AUTH", USERNAME="alice")) == NEVER_STARTED


@pytest.mark.parametrize(
    "name", ["DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse"]
)
def test_trigger_that_raises_is_reported_with_its_text(wire: Wire, name: str) -> None:
    def fail(_event: Any) -> Any:
        raise ValueError("SPIKE")

    Question(wire.pool)
    wire.pool.triggers[name] = fail
    expected = ("UserLambdaValidationException", f"{name} failed with error SPIKE.")
    assert refusal(lambda: wire.answer(wire.start("CUSTOM_AUTH", USERNAME="alice"), ANSWER="4")) == expected


def test_trigger_that_raises_without_text_is_an_unexpected_lambda_exception(wire: Wire) -> None:
    def fail(_event: Any) -> Any:
        raise ValueError

    wire.pool.triggers["PreAuthentication"] = fail
    assert refusal(wire.password)[0] == "UnexpectedLambdaException"


@pytest.mark.parametrize("returned", [None, "x", {}, {"response": "x"}])
def test_trigger_that_returns_no_event_is_an_invalid_lambda_response(wire: Wire, returned: Any) -> None:
    wire.pool.triggers["PreAuthentication"] = lambda _event: returned
    expected = ("InvalidLambdaResponseException", "Unrecognizable lambda output")
    assert refusal(wire.password) == expected


def test_pre_authentication_runs_before_the_password_is_checked(wire: Wire) -> None:
    def lock(_event: Any) -> Any:
        raise PermissionError("SPIKE_LOCKED")

    wire.pool.triggers["PreAuthentication"] = lock
    expected = ("UserLambdaValidationException", "PreAuthentication failed with error SPIKE_LOCKED.")
    assert refusal(lambda: wire.password(password="Wrong horse 1")) == expected


def test_post_authentication_runs_only_after_success(wire: Wire) -> None:
    events: list[Any] = []

    def note(event: Any) -> Any:
        events.append(event)
        return event

    wire.pool.triggers["PostAuthentication"] = note
    assert refusal(lambda: wire.password(password="Wrong horse 1")) == INCORRECT
    assert not events
    wire.password()
    assert events[0]["userName"] == "alice"


def test_unknown_trigger_name_raises_value_error(wire: Wire) -> None:
    with pytest.raises(ValueError, match=r"no trigger 'PreAuthentcation'; it runs .*PreAuthentication"):
        wire.pool.triggers["PreAuthentcation"] = lambda event: event
