"""The engine: a turn of a sign-in as an exchange of calls and responses.

Rule of this file: no I/O; time and randomness are passed in. It goes from credentials or an answer to the
next step, answers by itself what needs no user, and leaves how to the credentials and the handlers: it names
none of their classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, cast

from cognito_flow._exchange import Exchange, Response
from cognito_flow._json import as_list, as_object
from cognito_flow._result import finish
from cognito_flow._turn import Turn
from cognito_flow.credentials import Credentials
from cognito_flow.errors import AnswerRejected, CognitoFlowError, DeviceForgotten, UnexpectedResponse
from cognito_flow.handlers import Answer, Challenge, Handler, Pending, read_challenge
from cognito_flow.handlers.pending import read_session
from cognito_flow.models import Event, SignedIn

Step: TypeAlias = SignedIn | Challenge

# The most challenges that the flow answers by itself in one turn. The longest chain of Cognito has four.
_MAX_HOPS = 16


def start(turn: Turn, credentials: Credentials) -> Exchange[Step]:
    """Begin a sign-in. If Cognito turns out to have forgotten the device, begin once more without it."""
    try:
        return (yield from _begin(turn, credentials))
    except DeviceForgotten:
        yield from turn.drop_device()
        return (yield from _begin(turn, credentials))


def _begin(turn: Turn, credentials: Credentials) -> Exchange[Step]:
    return (yield from _continue(turn, None, (yield from credentials.begin(turn))))


def send(turn: Turn, answer: Answer) -> Exchange[Step]:
    """Send an answer, and continue to the next step.

    As soon as one call has succeeded, Cognito has processed the answer and used up its Session. Whatever
    fails later in the turn, the same answer can never succeed again, and the error says so.
    """
    try:
        return (yield from _send(turn, answer))
    except AnswerRejected:
        turn.is_answered = False  # Cognito has read the answer, and takes another one
        raise
    except CognitoFlowError as error:
        if turn.is_answered:
            error.maybe_processed, error.retryable = True, False
        raise


def _send(turn: Turn, answer: Answer) -> Exchange[Step]:
    pending = answer.challenge.pending
    turn.username, turn.alias, turn.device = (pending.username, pending.alias, pending.device)
    try:
        outcome = yield from answer.challenge.exchange(turn, answer)
        return (yield from _continue(turn, pending, outcome))
    except DeviceForgotten:
        yield from turn.drop_device()
        raise


def _continue(turn: Turn, previous: Pending | None, outcome: Response | Handler) -> Exchange[Step]:
    """Go from an outcome to the next step, through all challenges that need no user."""
    for _ in range(_MAX_HOPS):
        if not isinstance(outcome, Response):
            return cast("Challenge", outcome)
        result = as_object(outcome.data.get("AuthenticationResult"))
        if result is not None:
            return (yield from finish(turn, result))
        challenge = yield from _read(turn, previous, outcome.data)
        answer = challenge.auto()
        if answer is None:
            return cast("Challenge", challenge)  # the internal ones, which no program meets, always answer
        previous = challenge.pending
        outcome = yield from challenge.exchange(turn, answer)
    raise UnexpectedResponse(f"the flow answered {_MAX_HOPS} challenges by itself, and Cognito sent one more")


def _read(turn: Turn, previous: Pending | None, data: Mapping[str, object]) -> Exchange[Handler]:
    pending = yield from _pending(turn, previous, data)
    turn.username = pending.username
    challenge = read_challenge(pending, turn.settings.handlers)
    turn.emit(Event(kind="challenge", challenge=pending.name))
    return challenge


def _pending(turn: Turn, previous: Pending | None, data: Mapping[str, object]) -> Exchange[Pending]:
    name = data.get("ChallengeName")
    if not isinstance(name, str):
        raise UnexpectedResponse("Cognito answered with neither tokens nor a challenge")
    parameters = _texts(data.get("ChallengeParameters"))
    # USERNAME is absent from some challenges, and never an alias: the most recent name that Cognito sent
    # wins.
    username = parameters.get("USERNAME") or parameters.get("USER_ID_FOR_SRP") or turn.username
    yield from turn.find_device(username)
    again = previous is not None and previous.name == name
    available = as_list(data.get("AvailableChallenges"))
    return Pending(
        name=name,
        username=username,
        parameters=parameters,
        session=read_session(data),
        available=tuple(item for item in available or () if isinstance(item, str)),
        pool_id=turn.settings.app.pool_id,
        client_id=turn.settings.app.client_id,
        alias=turn.alias,
        device=turn.device,
        attempt=previous.attempt + 1 if previous is not None and again else 1,
        is_repeat=previous is not None and again and _asked(previous.parameters) == _asked(parameters),
        received_at=turn.settings.system.now(),
    )


def _texts(values: object) -> dict[str, str]:
    return {name: str(value) for name, value in (as_object(values) or {}).items() if value is not None}


def _asked(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters without USERNAME, which Cognito sends inconsistently."""
    return {name: value for name, value in parameters.items() if name != "USERNAME"}
