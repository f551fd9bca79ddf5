"""Driver and AsyncDriver: they run an exchange to its end.

Rules of this file:

- `advance` is the whole contract between an exchange and its driver; `Driver` and `AsyncDriver` are loops
  around it.
- A step of an exchange may hold arithmetic and may ask a store, so the asynchronous driver runs it in a
  worker thread.
- A turn has one deadline, for all of its calls and the pauses between them.
"""

from __future__ import annotations

import inspect
import logging
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs
import botocore.exceptions

from cognito_flow._events import notify
from cognito_flow._exchange import Call, Exchange, Response, Wait
from cognito_flow._json import as_object
from cognito_flow._tracebacks import without_locals
from cognito_flow._transport.attempts import Attempt, attempting
from cognito_flow._transport.causes import without_contents
from cognito_flow._transport.clients import Clients
from cognito_flow._transport.retry import Outcome, Pause, Steps, repeating
from cognito_flow._transport.translate import read_response, request_id, translate
from cognito_flow._transport.workers import MAX_TURNS, Workers
from cognito_flow._turn import TIMEOUT
from cognito_flow.errors import CognitoFlowError, TransportError, UsageError
from cognito_flow.models import Event, System

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

_NOTICE = 0.5  # seconds, in which a worker thread notices that the event loop was closed

_TOO_SLOW = "raise AuthFlow(timeout=...), or find out what is slow"

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
class Transport:
    """What the runs of one flow share.

    Args:
        clients: The boto clients.
        system: Clock, randomness and sleep.
        on_event: The flow's listener.
        timeout: How long a turn may take in all, in seconds.
        workers: The threads of an asynchronous flow.
    """

    clients: Clients
    system: System
    on_event: Callable[[Event], object] | None
    timeout: float = TIMEOUT
    workers: Workers = attrs.field(factory=Workers)

    def begin(self) -> _Run:
        """A run that begins now, before it waits for a worker."""
        return _Run(self, time.monotonic() + self.timeout)


@attrs.frozen
class _Run:
    """One run of an exchange, which ends at its deadline."""

    transport: Transport
    deadline: float

    def seconds_left(self) -> float:
        """How long it may still take; zero once the deadline has passed."""
        return max(0.0, self.deadline - time.monotonic())

    def attempt(self, call: Call) -> Attempt | CognitoFlowError:
        """The next attempt, if there is time left for one."""
        attempt = Attempt(call.operation, self.deadline)
        if attempt.seconds_left() > 0:
            return attempt
        return TransportError(
            f"{call.operation} was not sent: the turn took longer than {self.transport.timeout:g} seconds",
            hint=_TOO_SLOW,
            operation=call.operation,
        )

    async def enter(self, room: asyncio.Semaphore) -> None:
        """Wait until fewer turns run.

        Raises:
            TransportError: The time was over before.
        """
        import asyncio

        try:
            async with asyncio.timeout(self.seconds_left()):
                await room.acquire()
        except TimeoutError:
            seconds = self.transport.timeout
            raise TransportError(
                f"nothing was sent: {MAX_TURNS} other turns took longer than {seconds:g} seconds",
                hint=_TOO_SLOW,
            ) from None

    def pause(self, pause: Pause) -> float:
        """How long to wait, at most until the deadline."""
        return max(0.0, min(pause.seconds, self.seconds_left()))

    def outcome(self, call: Call, attempt: Attempt, started: float, output: object) -> Outcome:
        """The outcome of an attempt, as the exchange may know it."""
        if isinstance(output, Exception):
            outcome: Outcome = translate(call, attempt, output)
        else:
            outcome = read_response(output)
        self._notify(call, time.monotonic() - started, outcome, output)
        return outcome

    def _notify(self, call: Call, seconds: float, outcome: Outcome, output: object) -> None:
        error = outcome.code or type(outcome).__name__ if isinstance(outcome, CognitoFlowError) else None
        challenge = call.parameters.get("ChallengeName")
        event = Event(
            kind="call",
            operation=call.operation,
            challenge=str(challenge) if challenge is not None else None,
            sent=_names(call.parameters),
            error=error,
            request_id=outcome.request_id if isinstance(outcome, CognitoFlowError) else request_id(output),
            seconds=seconds,
        )
        _log.debug(
            "%s %s -> %s", event.operation, event.challenge or "", error or "ok", extra={"event": event}
        )
        notify(self.transport.on_event, event)


@attrs.frozen
class Driver:
    """Runs exchanges with blocking calls."""

    transport: Transport

    @without_locals
    def run(self, exchange: Exchange[T]) -> T:
        """Run an exchange to its end."""
        if self.transport.clients.are_asynchronous:
            raise UsageError("this client is asynchronous: use AsyncAuthFlow")
        return _run_blocking(self.transport.begin(), exchange, _refuse)


@attrs.frozen
class AsyncDriver:
    """Runs exchanges for an event loop, which never waits for arithmetic, a store or a blocking client.

    With a boto3 client, a whole turn runs in one worker thread: nothing comes between a challenge and its
    proof. With a client of aiobotocore, the calls are made on the event loop, and the steps between them in
    worker threads.
    """

    transport: Transport

    @without_locals
    async def run(self, exchange: Exchange[T]) -> T:
        """Run an exchange to its end."""
        import asyncio  # here, so that a program without asyncio does not load it

        workers, run = self.transport.workers, self.transport.begin()
        room = workers.room()
        await run.enter(room)
        try:
            if self.transport.clients.are_asynchronous:
                return await _run_on_the_loop(run, exchange)
            finish = partial(_finish_on, asyncio.get_running_loop())
            return await workers.run(_run_blocking, run, exchange, finish)
        finally:
            room.release()


async def _run_on_the_loop(run: _Run, exchange: Exchange[T]) -> T:
    import asyncio

    workers, system = run.transport.workers, run.transport.system
    steps = repeating(exchange, system.random_bytes)
    step = await workers.run_first_step(advance, steps, None)
    while not isinstance(step, Done):
        outcome = None
        if isinstance(step, Call):
            outcome = await _await_call(run, step)
        elif isinstance(step, Wait):
            await step.run()
        elif (pause := (system.sleep or asyncio.sleep)(run.pause(step))) is not None:
            await pause
        step = await workers.run(advance, steps, outcome)
    return step.value


def _run_blocking(run: _Run, exchange: Exchange[T], finish: Callable[[Wait[Any]], object]) -> T:
    """Run an exchange in this thread.

    Args:
        run: The run.
        exchange: The exchange.
        finish: Awaits what an asynchronous store, callback or `System.sleep` returned.
    """
    system, outcome = run.transport.system, None
    steps = repeating(exchange, system.random_bytes)
    while not isinstance(step := advance(steps, outcome), Done):
        outcome = None
        if isinstance(step, Call):
            outcome = _call(run, step)
        elif isinstance(step, Wait):
            finish(step)
        elif (pause := (system.sleep or time.sleep)(run.pause(step))) is not None:
            finish(Wait(pause))
    return step.value


def _refuse(wait: Wait[Any]) -> None:
    if inspect.iscoroutine(wait.awaitable):
        wait.awaitable.close()  # or Python warns that it was never awaited
    raise UsageError("this store or callback is asynchronous: use AsyncAuthFlow")


def _finish_on(loop: asyncio.AbstractEventLoop, wait: Wait[Any]) -> None:
    """Await on the event loop while this worker thread waits, but not for a loop that was closed."""
    import asyncio

    finished = asyncio.run_coroutine_threadsafe(wait.run(), loop)
    while not loop.is_closed():
        with suppress(TimeoutError):
            return finished.result(_NOTICE)
    raise RuntimeError("the event loop was closed")


def _call(run: _Run, call: Call) -> Outcome:
    if isinstance(attempt := run.attempt(call), CognitoFlowError):
        return attempt
    method, started, outer = run.transport.clients.method(call.operation), time.monotonic(), sys.exception()
    try:
        with attempting(attempt):
            output: object = method(**call.parameters)
    except Exception as error:  # noqa: BLE001 - botocore's parsers raise whatever they stumble over
        output = without_contents(error, outer)
    return run.outcome(call, attempt, started, output)


async def _await_call(run: _Run, call: Call) -> Outcome:
    import asyncio

    if isinstance(attempt := run.attempt(call), CognitoFlowError):
        return attempt
    method, started, outer = run.transport.clients.method(call.operation), time.monotonic(), sys.exception()
    calling: Any = method(**call.parameters)
    try:
        with attempting(attempt):
            async with asyncio.timeout(attempt.seconds_left()):
                output: object = await calling
    except TimeoutError as error:
        output = botocore.exceptions.ReadTimeoutError(endpoint_url="the endpoint", error=error)
    except Exception as error:  # noqa: BLE001 - as above
        output = without_contents(error, outer)
    return run.outcome(call, attempt, started, output)


def _names(parameters: Mapping[str, object]) -> tuple[str, ...]:
    """The names that were sent, one level deep: never a value."""
    names: list[str] = []
    for name, value in parameters.items():
        inner = as_object(value)
        names += [name] if inner is None else [f"{name}.{inner_name}" for inner_name in inner]
    return tuple(names)
