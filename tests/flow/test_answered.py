"""The Sessions that were answered: each takes one answer, unless it was refused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from cognito_flow import (
    Answer,
    CustomChallenge,
    FlowExpired,
    Pending,
    SessionAlreadyUsed,
    TransportError,
    WrongCode,
)
from cognito_flow._answered import AnsweredSessions
from tests.support.conversation import turn


@attrs.define
class Clock:
    """A clock that is set by hand."""

    now: datetime = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> AnsweredSessions:
    return AnsweredSessions(clock)


def challenge(session: str | None = "s") -> CustomChallenge:
    """A challenge with this session."""
    return CustomChallenge(pending=Pending(name="CUSTOM_CHALLENGE", username="alice", session=session))


def answer(session: str | None = "s") -> Answer:
    """An answer to it."""
    return challenge(session).answer("x")


def take(sessions: AnsweredSessions, session: str | None = "s") -> None:
    """Answer a challenge, which leads to one with another session."""
    with sessions.once(answer(session), turn()) as leads_to:
        leads_to(challenge("another session"))


def test_second_answer_is_refused(sessions: AnsweredSessions) -> None:
    take(sessions)
    with pytest.raises(SessionAlreadyUsed, match="this challenge was already answered"):
        take(sessions)


def test_answers_to_different_sessions_are_taken(sessions: AnsweredSessions) -> None:
    take(sessions, "one")
    take(sessions, "other")


def test_session_with_a_lone_surrogate_is_remembered(sessions: AnsweredSessions) -> None:
    """Cognito's own servers send none; a proxy may."""
    take(sessions, "\ud800")
    with pytest.raises(SessionAlreadyUsed):
        take(sessions, "\ud800")


def test_challenge_without_a_session_takes_any_number_of_answers(sessions: AnsweredSessions) -> None:
    for _ in range(2):
        take(sessions, None)


def test_refused_answer_may_be_followed_by_another(sessions: AnsweredSessions) -> None:
    with pytest.raises(WrongCode), sessions.once(answer(), turn()):
        raise WrongCode("no")

    take(sessions)


def test_challenge_with_the_session_of_the_one_before_can_be_answered(sessions: AnsweredSessions) -> None:
    for _ in range(2):
        with sessions.once(answer(), turn()) as leads_to:
            leads_to(challenge())


def test_step_without_a_session_does_not_reopen_the_challenge(sessions: AnsweredSessions) -> None:
    with sessions.once(answer(), turn()) as leads_to:
        leads_to(challenge(None))
    with pytest.raises(SessionAlreadyUsed):
        take(sessions)


def test_challenge_whose_answer_was_cancelled_cannot_be_answered_again(sessions: AnsweredSessions) -> None:
    with pytest.raises(asyncio.CancelledError), sessions.once(answer(), turn()):
        raise asyncio.CancelledError
    with pytest.raises(SessionAlreadyUsed):
        take(sessions)


def fail_later(sessions: AnsweredSessions) -> None:
    """Answer the challenge in a turn whose second call fails."""
    used = turn()
    used.is_answered = True
    with pytest.raises(TransportError), sessions.once(answer(), used):
        raise TransportError("not sent", maybe_processed=True)


def test_challenge_whose_answer_is_used_up_cannot_be_answered_again(sessions: AnsweredSessions) -> None:
    fail_later(sessions)
    with pytest.raises(SessionAlreadyUsed, match="begin a new sign-in") as used:
        take(sessions)

    assert used.value.maybe_processed


def test_challenge_whose_answer_led_to_a_step_is_not_maybe_processed(sessions: AnsweredSessions) -> None:
    take(sessions)
    with pytest.raises(SessionAlreadyUsed) as used:
        take(sessions)

    assert not used.value.maybe_processed


def lose(sessions: AnsweredSessions, *, maybe_processed: bool = True) -> None:
    """Answer the challenge, and get no response."""
    with pytest.raises(TransportError), sessions.once(answer(), turn()):
        raise TransportError("no answer", maybe_processed=maybe_processed)


def expire(sessions: AnsweredSessions, session: str = "s") -> bool:
    """Answer the challenge when it has expired; whether an earlier answer may have been processed."""
    with pytest.raises(FlowExpired) as expired, sessions.once(answer(session), turn()):
        raise FlowExpired("invalid session")
    return expired.value.maybe_processed


def test_expired_flow_after_a_lost_answer_is_maybe_processed(sessions: AnsweredSessions) -> None:
    lose(sessions)

    assert expire(sessions)
    assert not expire(sessions, "another session")


def test_expired_flow_after_an_answer_that_was_not_sent_is_not_maybe_processed(
    sessions: AnsweredSessions,
) -> None:
    lose(sessions, maybe_processed=False)

    assert not expire(sessions)


def test_wrong_code_after_a_lost_answer_is_not_maybe_processed(sessions: AnsweredSessions) -> None:
    lose(sessions)
    with pytest.raises(WrongCode) as wrong, sessions.once(answer(), turn()):
        raise WrongCode("no")

    assert not wrong.value.maybe_processed


@pytest.mark.parametrize(("minutes", "is_remembered"), [(15, True), (15.1, False)])
def test_session_is_remembered_for_as_long_as_it_can_live(
    sessions: AnsweredSessions, clock: Clock, minutes: float, is_remembered: bool
) -> None:
    """AuthSessionValidity is 15 minutes at most."""
    for name in ("one", "other"):
        take(sessions, name)
    lose(sessions)
    clock.now += timedelta(minutes=minutes)

    take(sessions, "new")

    assert len(sessions._answered) == (3 if is_remembered else 1)
    assert len(sessions._lost) == (1 if is_remembered else 0)
    assert len(sessions._ages) == (4 if is_remembered else 1)
