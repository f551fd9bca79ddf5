"""Which calls are repeated, and after which pause.

Rule of this file: `repeating` is itself a generator and does not wait: it yields a `Pause`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeAlias, TypeVar, cast

import attrs

from cognito_flow._exchange import Call, Exchange, Response, Wait
from cognito_flow.errors import CognitoFlowError, UnexpectedResponse

T = TypeVar("T")
Outcome: TypeAlias = Response | CognitoFlowError

_MAX_ATTEMPTS = 3
_FIRST_PAUSE = 0.2  # seconds; doubled for each further one, and drawn between half and the whole of it

# What can be processed twice without harm. An answer to a challenge cannot: its Session may be used up, and
# only the response was lost.
_SAFE_TO_REPEAT = frozenset(
    {
        "AdminAddUserToGroup",
        "AdminGetUser",
        "GetUser",
        "GetUserAuthFactors",
        "GetDevice",
        "GetDerivedToken",
        # With rotation, the same token works again for the grace period; after it, nothing is lost by asking.
        "GetTokensFromRefreshToken",
        "ListDevices",
        "ListUserSessions",
        "ListUsers",
        "ListWebAuthnCredentials",
        "RevokeToken",
        "SetUserMFAPreference",
        "StartWebAuthnRegistration",
        "UpdateDeviceStatus",
        # Of identity pools:
        "GetCredentialsForIdentity",
        "GetId",
    }
)

# A sign-in that begins with SRP_A has no effect on the server yet. The others count a wrong password, send a
# message, run the triggers that send one, or use up the Session of a sign-up.
_SAFE_AUTH_FLOWS = frozenset({"USER_SRP_AUTH", "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"})


@attrs.frozen
class Pause:
    """Wait before the next attempt.

    Args:
        seconds: How long.
    """

    seconds: float


Steps: TypeAlias = Generator[Call | Wait[object] | Pause, Outcome | None, T]


def repeating(exchange: Exchange[T], random_bytes: Callable[[int], bytes]) -> Steps[T]:
    """Return an exchange that repeats its calls after temporary failures, with a pause before each.

    Args:
        exchange: What to run.
        random_bytes: Draws the jitter of the pauses.
    """
    try:
        step, has_response = next(exchange), False  # whether a response came to the last call
        while True:
            if isinstance(step, Wait):
                yield step
                step = _resumed(exchange, None, has_response)
                continue
            outcome = yield from _call_repeatedly(step, random_bytes)
            has_response = isinstance(outcome, Response)
            step = _resumed(exchange, outcome, has_response)
    except StopIteration as stop:
        return cast("T", stop.value)


def _resumed(exchange: Exchange[T], outcome: Outcome | None, has_response: bool) -> Call | Wait[object]:
    """Send an outcome, or nothing after a wait, and return the next request."""
    if isinstance(outcome, CognitoFlowError):
        return exchange.throw(outcome)
    try:
        return next(exchange) if outcome is None else exchange.send(outcome)
    except UnexpectedResponse as error:
        error.maybe_processed |= has_response  # which the exchange cannot use: that call was processed
        raise


def _call_repeatedly(call: Call, random_bytes: Callable[[int], bytes]) -> Steps[Outcome]:
    maybe_processed = False
    for attempt in range(1, _MAX_ATTEMPTS):
        outcome = yield call
        if not isinstance(outcome, CognitoFlowError) or not _may_repeat(call, outcome):
            break
        maybe_processed |= outcome.maybe_processed
        jitter = 1 + random_bytes(1)[0] / 255
        yield Pause(_FIRST_PAUSE * 2 ** (attempt - 1) * jitter / 2)
    else:
        outcome = yield call
    if isinstance(outcome, CognitoFlowError):
        outcome.maybe_processed |= maybe_processed  # by an earlier attempt
    return cast("Outcome", outcome)


def _may_repeat(call: Call, error: CognitoFlowError) -> bool:
    return error.retryable and (not error.maybe_processed or _is_safe_to_repeat(call))


def _is_safe_to_repeat(call: Call) -> bool:
    if call.operation in ("InitiateAuth", "AdminInitiateAuth"):
        return call.parameters.get("AuthFlow") in _SAFE_AUTH_FLOWS
    return call.operation in _SAFE_TO_REPEAT
