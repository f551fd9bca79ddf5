"""Driver and AsyncDriver: they run an exchange to its end.

Rules of this file:

- `advance` is the whole contract between an exchange and its driver; `Driver` and `AsyncDriver` are loops
  around it.
- A step of an exchange may hold arithmetic and may ask a store, so the asynchronous driver runs it in a
  worker thread.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

import attrs

from cognito_flow._events import notify
from cognito_flow._exchange import Call, Exchange, Response, Wait
from cognito_flow._json import as_object
from cognito_flow._tracebacks import without_locals
from cognito_flow._transport.clients import BotoMethod, Clients
from cognito_flow._transport.retry import Outcome, Pause, Steps, repeating
from cognito_flow._transport.translate import read_response, request_id, translate
from cognito_flow.errors import CognitoFlowError, UsageError
from cognito_flow.models import Event, System

T = TypeVar("T")

_log = logging.getLogger("cognito_flow")


@attrs.frozen
class Done(Generic[T]):
    """The exchange is over.

    Args:
        value: What it returned.
    """

    value: T


def advance(exchange: Steps[T], outcome: Outcome | None) -> Call | Wait[object] | Pause | Done[T]:
    """Run an exchange up to its next request.

    Args:
        exchange: A generator of requests.
        outcome: What became of its last one; None for the first step, and after a pause or a wait.
    """
    try:
        return exchange.send(outcome)
    except StopIteration as stop:
        return Done(stop.value)


def one_call(call: Call) -> Exchange[Response]:
    """The exchange that makes this call and nothing else."""
    return (yield call)


@attrs.frozen
class Wire:
    """What both drivers share: clients, translation of errors, and telling about calls.

    Args:
        clients: The boto clients.
        system: Clock, dice and waiting.
        on_event: The flow's listener.
    """

    clients: Clients
    system: System
    on_event: Callable[[Event], object] | None

    def outcome(self, call: Call, started: float, answer: object) -> Outcome:
        """What a call came to, as the exchange may know it."""
        outcome = translate(call, answer) if isinstance(answer, Exception) else read_response(answer)
        self._notify(call, time.monotonic() - started, outcome, answer)
        return outcome

    def _notify(self, call: Call, seconds: float, outcome: Outcome, answer: object) -> None:
        error = outcome.code or type(outcome).__name__ if isinstance(outcome, CognitoFlowError) else None
        challenge = call.parameters.get("ChallengeName")
        event = Event(
            kind="call",
            operation=call.operation,
            challenge=str(challenge) if challenge is not None else None,
            sent=_names(call.parameters),
            error=error,
            request_id=outcome.request_id if isinstance(outcome, CognitoFlowError) else request_id(answer),
            seconds=seconds,
        )
        _log.debug(
            "%s %s -> %s", event.operation, event.challenge or "", error or "ok", extra={"event": event}
        )
        notify(self.on_event, event)


@attrs.frozen
class Driver:
    """Runs exchanges with blocking calls."""

    wire: Wire

    @without_locals
    def run(self, exchange: Exchange[T]) -> T:
        """Run an exchange to its end."""
        steps, outcome = repeating(exchange, self.wire.system.random_bytes), None
        while not isinstance(step := advance(steps, outcome), Done):
            outcome = self._make(step)
        return step.value

    def _make(self, step: Call | Wait[object] | Pause) -> Outcome | None:
        if isinstance(step, Call):
            return self._call(step)
        if isinstance(step, Wait):
            _close(step.awaitable)
            raise UsageError("this store or callback is asynchronous: use AsyncAuthFlow")
        (self.wire.system.sleep or time.sleep)(step.seconds)
        return None

    def _call(self, call: Call) -> Outcome:
        method, started = self.wire.clients.method(call.operation), time.monotonic()
        answer = _attempt(method, call)
        if inspect.iscoroutine(answer):
            _close(answer)
            raise UsageError("this client is asynchronous: use AsyncAuthFlow")
        return self.wire.outcome(call, started, answer)


@attrs.frozen
class AsyncDriver:
    """Runs exchanges on an event loop, with a boto3 client in worker threads or with an aiobotocore
    client."""

    wire: Wire

    @without_locals
    async def run(self, exchange: Exchange[T]) -> T:
        """Run an exchange to its end."""
        steps, outcome = repeating(exchange, self.wire.system.random_bytes), None
        while not isinstance(step := await asyncio.to_thread(advance, steps, outcome), Done):
            outcome = await self._make(step)
        return step.value

    async def _make(self, step: Call | Wait[object] | Pause) -> Outcome | None:
        if isinstance(step, Call):
            return await self._call(step)
        if isinstance(step, Wait):
            await step.run()
            return None
        waiting = (self.wire.system.sleep or asyncio.sleep)(step.seconds)
        if waiting is not None:
            await waiting
        return None

    async def _call(self, call: Call) -> Outcome:
        method, started = (
            await asyncio.to_thread(self.wire.clients.method, call.operation),
            time.monotonic(),
        )
        # aiobotocore's methods are plain functions that return coroutines: only a call tells which kind it
        # is.
        answer = await asyncio.to_thread(_attempt, method, call)
        if inspect.isawaitable(answer):
            answer = await _attempt_awaiting(answer)
        return self.wire.outcome(call, started, answer)


def _close(awaitable: object) -> None:
    """End a coroutine that is not awaited, or Python warns that it never was."""
    if inspect.iscoroutine(awaitable):
        awaitable.close()


def _attempt(method: BotoMethod, call: Call) -> object:
    """The answer, or the error as a value."""
    try:
        return method(**call.parameters)
    except Exception as error:  # noqa: BLE001 - botocore's parsers raise whatever they stumble over
        return error


async def _attempt_awaiting(answer: Awaitable[object]) -> object:
    try:
        return await answer
    except Exception as error:  # noqa: BLE001 - as above
        return error


def _names(parameters: Mapping[str, object]) -> tuple[str, ...]:
    """The names that were sent, one level deep: never a value."""
    names: list[str] = []
    for name, value in parameters.items():
        inner = as_object(value)
        names += [name] if inner is None else [f"{name}.{inner_name}" for inner_name in inner]
    return tuple(names)
