"""Custom challenges: the pool's triggers ask, and the application's own handlers answer."""

from __future__ import annotations

from typing import Self

import attrs
import pytest

from cognito_flow import (
    Answer,
    CustomAuth,
    CustomChallenge,
    FlowExpired,
    IncorrectPassword,
    Misconfigured,
    Pending,
    SmsMfa,
    TriggerRefused,
    UnexpectedResponse,
    UserNotFound,
)
from cognito_flow.testing._state import Members
from tests.scenarios.passwords import HIDING
from tests.scenarios.second_factors import ON, SMS
from tests.scenarios.table import OTHER_PASSWORD, PASSWORD, Moves, Send, Start, World, expect, row, signed_in


def define(event: Members) -> Members:
    """A define trigger: PASSWORD_VERIFIER after SRP_A, then CUSTOM_CHALLENGE; tokens after a right answer,
    failure after three wrong ones."""
    rounds = event["request"]["session"]
    names = [round_["challengeName"] for round_ in rounds]
    answers = [
        round_["challengeResult"] for round_ in rounds if round_["challengeName"] == "CUSTOM_CHALLENGE"
    ]
    response = {"challengeName": "CUSTOM_CHALLENGE", "issueTokens": False, "failAuthentication": False}
    if names == ["SRP_A"]:
        response["challengeName"] = "PASSWORD_VERIFIER"
    elif answers and answers[-1]:
        response = {"issueTokens": True, "failAuthentication": False}
    elif len(answers) >= 3:
        response = {"issueTokens": False, "failAuthentication": True}
    return {**event, "response": response}


def create(event: Members) -> Members:
    """A create trigger that asks for 2+2."""
    public, private = {"question": "2+2"}, {"answer": "4"}
    response = {
        "publicChallengeParameters": public,
        "privateChallengeParameters": private,
        "challengeMetadata": "SUM",
    }
    return {**event, "response": response}


def verify(event: Members) -> Members:
    """A verify trigger that compares with the private answer."""
    request = event["request"]
    is_right = request["privateChallengeParameters"]["answer"] == request["challengeAnswer"]
    return {**event, "response": {"answerCorrect": is_right}}


def ask_sums(world: World, **user: str) -> None:
    """Set the triggers that ask for a sum, and add a user."""
    world.pool.triggers.update(
        {
            "DefineAuthChallenge": define,
            "CreateAuthChallenge": create,
            "VerifyAuthChallengeResponse": verify,
        }
    )
    world.pool.add_user("alice", PASSWORD, phone_number=user.get("phone_number"))


def begin(password: str | None = None, username: str = "alice") -> Start:
    """Begin a custom sign-in."""
    return Start(credentials=CustomAuth(username, password))


@row("4.3")
def a_custom_challenge_signs_in(world: World) -> Moves:
    ask_sums(world)
    challenge = expect(CustomChallenge, (yield begin()))
    assert challenge.parameters == {"question": "2+2"}
    assert (challenge.attempt, challenge.is_repeat) == (1, False)
    signed_in((yield Send(challenge.answer("4"))))


@row("4.3")
def the_password_is_verified_before_the_custom_challenge(world: World) -> Moves:
    ask_sums(world)
    challenge = expect(CustomChallenge, (yield begin(PASSWORD)))
    assert challenge.parameters == {"question": "2+2"}
    signed_in((yield Send(challenge.answer("4"))))


@row("4.3")
def a_wrong_password_before_the_custom_challenge_is_refused(world: World) -> Moves:
    ask_sums(world)
    with pytest.raises(IncorrectPassword):
        yield begin(OTHER_PASSWORD)


@row("5.8")
def a_wrong_answer_asks_again_with_a_new_session(world: World) -> Moves:
    ask_sums(world)
    first = expect(CustomChallenge, (yield begin()))
    second = expect(CustomChallenge, (yield Send(first.answer("5"))))
    assert (second.attempt, second.is_repeat) == (2, True)
    assert second.pending.session != first.pending.session
    third = expect(CustomChallenge, (yield Send(second.answer("6"))))
    assert third.attempt == 3
    signed_in((yield Send(third.answer("4"))))


@row("5.8")
def a_trigger_that_fails_the_authentication_ends_the_sign_in(world: World) -> Moves:
    ask_sums(world)
    challenge = expect(CustomChallenge, (yield begin()))
    for _ in range(2):
        challenge = expect(CustomChallenge, (yield Send(challenge.answer("5"))))
    with pytest.raises(IncorrectPassword):
        yield Send(challenge.answer("5"))
    with pytest.raises(FlowExpired):
        yield Send(challenge.answer("4"))


@row("12.5")
def a_trigger_that_raises_is_reported_and_ends_the_sign_in(world: World) -> Moves:
    ask_sums(world)
    challenge = expect(CustomChallenge, (yield begin()))

    def fail(event: Members) -> Members:
        raise KeyError("challengeMetaData")

    world.pool.triggers["CreateAuthChallenge"] = fail
    with pytest.raises(TriggerRefused, match=r"CreateAuthChallenge failed with error 'challengeMetaData'\."):
        yield Send(challenge.answer("5"))
    with pytest.raises(FlowExpired):
        yield Send(challenge.answer("4"))


@row("4.3")
def custom_auth_in_a_pool_without_triggers_raises_misconfigured(world: World) -> Moves:
    world.pool.add_user("alice", PASSWORD)
    with pytest.raises(Misconfigured, match="DefineAuthChallenge"):
        yield begin()


@row("4.3", pool={**ON, **SMS})
def a_second_factor_follows_a_custom_challenge(world: World) -> Moves:
    ask_sums(world, phone_number="+31612341234")
    challenge = expect(CustomChallenge, (yield begin(PASSWORD)))
    code = expect(SmsMfa, (yield Send(challenge.answer("4"))))
    signed_in((yield Send(code.answer(world.pool.last_code("alice")))))


@row("4.3")
def a_password_verifier_after_a_custom_challenge_raises_unexpected_response(world: World) -> Moves:
    ask_sums(world)

    def question_first(event: Members) -> Members:
        asked = [round_["challengeName"] for round_ in event["request"]["session"]]
        name = "PASSWORD_VERIFIER" if "CUSTOM_CHALLENGE" in asked else "CUSTOM_CHALLENGE"
        return {
            **event,
            "response": {"challengeName": name, "issueTokens": False, "failAuthentication": False},
        }

    world.pool.triggers["DefineAuthChallenge"] = question_first
    challenge = expect(CustomChallenge, (yield begin(PASSWORD)))
    # The password is not kept after the call that it was given to.
    with pytest.raises(UnexpectedResponse, match="start again"):
        yield Send(challenge.answer("4"))


@row("3.1", pool={"alias_attributes": ["email"]})
def an_alias_is_resolved_before_the_answer(world: World) -> Moves:
    ask_sums(world)
    world.pool.user("alice").attributes |= {"email": "alice@example.com", "email_verified": "true"}
    challenge = expect(CustomChallenge, (yield begin(username="alice@example.com")))
    assert challenge.username == "alice"
    signed_in((yield Send(challenge.answer("4"))))


@row("12.4")
def custom_auth_of_an_unknown_user_raises_user_not_found(world: World) -> Moves:
    ask_sums(world)
    with pytest.raises(UserNotFound):
        yield begin(username="unknown")


@row("12.4", client=HIDING)
def custom_auth_of_an_unknown_user_runs_the_triggers_if_existence_is_hidden(world: World) -> Moves:
    ask_sums(world)
    challenge = expect(CustomChallenge, (yield begin(username="unknown")))
    with pytest.raises(IncorrectPassword):
        yield Send(challenge.answer("4"))


@row("14.35")
def metadata_of_the_answer_reaches_the_verify_trigger_and_metadata_of_the_start_does_not(
    world: World,
) -> Moves:
    ask_sums(world)
    seen: list[object] = []

    def note(event: Members) -> Members:
        seen.append(event["request"]["clientMetadata"])
        return define(event) if "session" in event["request"] else verify(event)

    world.pool.triggers.update({"DefineAuthChallenge": note, "VerifyAuthChallengeResponse": note})
    start = attrs.evolve(begin(), metadata={"from": "start"})
    challenge = expect(CustomChallenge, (yield start))
    signed_in((yield Send(challenge.answer("4"), {"from": "answer"})))
    assert seen == [{}, {"from": "answer"}, {"from": "answer"}]


@attrs.frozen(kw_only=True)
class Sum(CustomChallenge):
    """A custom handler that reads a parameter."""

    question: str

    @classmethod
    def parse(cls, pending: Pending) -> Self:
        return cls(pending=pending, question=pending.need("question"))


@attrs.frozen(kw_only=True)
class Calculator(Sum):
    """A custom handler that answers automatically."""

    def auto(self) -> Answer:
        return self.answer(str(sum(int(term) for term in self.question.split("+"))))


@attrs.frozen(kw_only=True)
class Captcha(CustomChallenge):
    """A custom handler for another question."""

    image: str

    @classmethod
    def parse(cls, pending: Pending) -> Self:
        return cls(pending=pending, image=pending.need("image"))


@row("5.8", flow={"handlers": [Captcha, Sum]})
def a_custom_handler_is_selected_by_the_parameters_it_reads(world: World) -> Moves:
    ask_sums(world)
    challenge = expect(Sum, (yield begin()))
    assert challenge.question == "2+2"
    signed_in((yield Send(challenge.answer("4"))))


@row("5.8", flow={"handlers": [Captcha]})
def a_handler_that_cannot_parse_the_challenge_is_skipped(world: World) -> Moves:
    ask_sums(world)
    challenge = expect(CustomChallenge, (yield begin()))
    assert type(challenge) is CustomChallenge


@row("5.8", flow={"handlers": [Calculator]})
def a_custom_handler_answers_automatically(world: World) -> Moves:
    ask_sums(world)
    signed_in((yield begin(PASSWORD)))


@attrs.frozen(kw_only=True)
class Stubborn(CustomChallenge):
    """A custom handler that always gives the same wrong answer."""

    def auto(self) -> Answer:
        return self.answer("5")


@row("5.8", flow={"handlers": [Stubborn]})
def an_automatic_answer_that_stays_wrong_is_stopped(world: World) -> Moves:
    ask_sums(world)
    world.pool.triggers["DefineAuthChallenge"] = lambda event: {
        **event,
        "response": {"challengeName": "CUSTOM_CHALLENGE", "issueTokens": False, "failAuthentication": False},
    }
    with pytest.raises(UnexpectedResponse, match="16 challenges"):
        yield begin()
