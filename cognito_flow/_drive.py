"""The drivers: they make the calls that an exchange asks for. The only file of the core that knows boto and
asyncio.

Rules of this file:

- `advance` is the whole contract between an exchange and its driver; `Driver` and `AsyncDriver` are loops
  around it.
- Every botocore error becomes a typed one here, with the botocore error as its cause, and is thrown into the
  exchange.
- What may be repeated is decided once, in `repeating`, which is itself a generator and does not wait: it asks
  to.
- A step of an exchange may hold arithmetic and may ask a store, so the asynchronous driver runs it in a
  worker thread.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeAlias, TypeVar, cast

import attrs
import boto3
import botocore.exceptions
import botocore.session
from botocore import UNSIGNED, xform_name
from botocore.config import Config

from cognito_flow._json import as_object, as_text, member
from cognito_flow.errors import (
    CognitoFlowError,
    Throttled,
    TransportError,
    UnexpectedResponse,
    UsageError,
    from_service,
)
from cognito_flow.models import AppClient, Call, Event, Exchange, Response, System, tell

__all__ = [
    "AsyncDriver",
    "AsyncFlight",
    "Driver",
    "advance",
    "holding",
    "one_call",
    "repeating",
    "service_date",
    "unsigned_client",
    "without_frames",
]

T = TypeVar("T")
Outcome: TypeAlias = Response | CognitoFlowError
BotoMethod: TypeAlias = Callable[..., object]

_log = logging.getLogger("cognito_flow")

_MAX_ATTEMPTS = 3
_FIRST_PAUSE = 0.2  # seconds; doubled for each further one, and drawn between half and the whole of it

# What can be done twice without harm. An answer to a challenge cannot: its Session may be spent although the
# answer was lost.
_SAFE_TO_REPEAT = frozenset(
    {
        "InitiateAuth",
        "AdminInitiateAuth",
        "GetUser",
        "GetUserAuthFactors",
        # With rotation, the same token works again for the grace period; after it, nothing is lost by asking.
        "GetTokensFromRefreshToken",
        # These two are of identity pools.
        "GetCredentialsForIdentity",
        "GetId",
        "ListDevices",
        "ListWebAuthnCredentials",
        "RevokeToken",
        "SetUserMFAPreference",
        "StartWebAuthnRegistration",
        "UpdateDeviceStatus",
    }
)
_NOT_SENT = (
    botocore.exceptions.EndpointConnectionError,
    botocore.exceptions.ConnectTimeoutError,
    botocore.exceptions.ProxyConnectionError,
)
# Lost on the way. An SSL error belongs here: the connection may break while the answer is being read.
_LOST = (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError)
_BAD_CREDENTIALS = (
    botocore.exceptions.NoCredentialsError,
    botocore.exceptions.PartialCredentialsError,
    botocore.exceptions.CredentialRetrievalError,
    botocore.exceptions.SSOError,
    botocore.exceptions.TokenRetrievalError,
)


@attrs.frozen
class Done(Generic[T]):
    """The exchange is over.

    Args:
        value: What it returned.
    """

    value: T


@attrs.frozen
class Pause:
    """Wait before the next call.

    Args:
        seconds: How long.
    """

    seconds: float


Steps: TypeAlias = Generator[Call | Pause, Outcome | None, T]


def advance(exchange: Steps[T], outcome: Outcome | None) -> Call | Pause | Done[T]:
    """Run an exchange up to its next request.

    Args:
        exchange: A generator of requests.
        outcome: What became of its last one; None for the first step, and after a pause.
    """
    try:
        return exchange.send(outcome)
    except StopIteration as stop:
        return Done(stop.value)
    except CognitoFlowError as error:
        raise without_frames(error) from error.__cause__


def one_call(call: Call) -> Exchange[Response]:
    """The exchange that makes this call and nothing else."""
    return (yield call)


def without_frames(error: CognitoFlowError) -> CognitoFlowError:
    """The error without the frames it came through: their locals hold passwords, and tools print them."""
    links: list[BaseException] = [error]
    for link in links:  # which grows meanwhile
        link.__traceback__ = None
        links += [
            behind
            for behind in (link.__cause__, link.__context__)
            if behind is not None and behind not in links
        ]
    return error


def repeating(exchange: Exchange[T], random_bytes: Callable[[int], bytes]) -> Steps[T]:
    """The exchange, with calls that failed in passing made again after a pause.

    Args:
        exchange: What to run.
        random_bytes: Draws the jitter of the pauses.
    """
    try:
        call = next(exchange)
        while True:
            outcome = yield from _call_repeatedly(call, random_bytes)
            call = exchange.send(outcome) if isinstance(outcome, Response) else exchange.throw(outcome)
    except StopIteration as stop:
        return cast("T", stop.value)


def _call_repeatedly(call: Call, random_bytes: Callable[[int], bytes]) -> Steps[Outcome]:
    for attempt in range(1, _MAX_ATTEMPTS):
        outcome = yield call
        if not isinstance(outcome, CognitoFlowError) or not _may_repeat(call, outcome):
            break
        jitter = 1 + random_bytes(1)[0] / 255
        yield Pause(_FIRST_PAUSE * 2 ** (attempt - 1) * jitter / 2)
    else:
        outcome = yield call
    return cast("Outcome", outcome)


def _may_repeat(call: Call, error: CognitoFlowError) -> bool:
    if isinstance(error, Throttled):
        return True
    return error.retryable and (call.operation in _SAFE_TO_REPEAT or not error.maybe_processed)


@attrs.define
class Clients:
    """The boto clients of one flow. Those that nobody handed in are made when they are first needed.

    Args:
        app: The app client.
        given: A client of the caller's, which is then used for every call.
        admin: Whether Admin operations are called, which are signed.
    """

    app: AppClient
    given: object | None
    admin: bool
    _made: object | None = attrs.field(default=None, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    def method(self, operation: str) -> BotoMethod:
        """The client's method for an operation.

        Raises:
            UsageError: The caller's client has no such method, or no client can be made.
        """
        method: object = getattr(self._client(), xform_name(operation), None)
        if not callable(method):
            raise UsageError(
                f"the client cannot call {operation}: it is for another service, or not a client of boto"
            )
        return method

    def _client(self) -> object:
        if self.given is not None:
            return self.given
        with self._lock:
            if self._made is None:
                make = _signed_client if self.admin else unsigned_client
                self._made = make("cognito-idp", self.app.region, self.app.endpoint_url)
            return self._made


def unsigned_client(service: str, region: str, endpoint_url: str | None = None) -> object:
    """A client that looks for no credentials, whatever the process has set up.

    Args:
        service: The service, as botocore names it.
        region: The region.
        endpoint_url: Where it is, if not at the region's public endpoint.

    Raises:
        UsageError: botocore cannot make it.
    """
    with _making_a_client():
        return botocore.session.Session().create_client(
            service, region_name=region, endpoint_url=endpoint_url, config=_config(is_signed=False)
        )


def _signed_client(service: str, region: str, endpoint_url: str | None) -> object:
    with _making_a_client():
        session: Any = boto3.session.Session()  # its overloads name every service there is
        client: object = session.client(
            service, region_name=region, endpoint_url=endpoint_url, config=_config(is_signed=True)
        )
        return client


@contextmanager
def _making_a_client() -> Generator[None]:
    try:
        yield
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        raise UsageError(f"botocore cannot make a client: {error}") from error


def _config(*, is_signed: bool) -> Config:
    """No retries of its own: botocore would repeat answers to challenges, and refusals that ask for
    patience."""
    return Config(
        signature_version=None if is_signed else UNSIGNED,
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=5,
        read_timeout=30,
        user_agent_extra="cognito-flow",
    )


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
        outcome = _translate(call, answer) if isinstance(answer, Exception) else _response(answer)
        self._tell(call, time.monotonic() - started, outcome, answer)
        return outcome

    def _tell(self, call: Call, seconds: float, outcome: Outcome, answer: object) -> None:
        error = outcome.code or type(outcome).__name__ if isinstance(outcome, CognitoFlowError) else None
        challenge = call.parameters.get("ChallengeName")
        event = Event(
            kind="call",
            operation=call.operation,
            challenge=str(challenge) if challenge is not None else None,
            sent=_names(call.parameters),
            error=error,
            request_id=outcome.request_id if isinstance(outcome, CognitoFlowError) else _request_id(answer),
            seconds=seconds,
        )
        _log.debug(
            "%s %s -> %s", event.operation, event.challenge or "", error or "ok", extra={"event": event}
        )
        tell(self.on_event, event)


@attrs.frozen
class Driver:
    """Runs exchanges with blocking calls."""

    wire: Wire

    def run(self, exchange: Exchange[T]) -> T:
        """Run an exchange to its end."""
        steps, outcome = repeating(exchange, self.wire.system.random_bytes), None
        while not isinstance(step := advance(steps, outcome), Done):
            outcome = self._make(step)
        return step.value

    def _make(self, step: Call | Pause) -> Outcome | None:
        if isinstance(step, Call):
            return self._call(step)
        (self.wire.system.sleep or time.sleep)(step.seconds)
        return None

    def _call(self, call: Call) -> Outcome:
        method, started = self.wire.clients.method(call.operation), time.monotonic()
        answer = _attempt(method, call)
        if inspect.iscoroutine(answer):
            answer.close()
            raise UsageError("this client is asynchronous: use AsyncAuthFlow")
        return self.wire.outcome(call, started, answer)


@attrs.frozen
class AsyncDriver:
    """Runs exchanges on an event loop, with a boto3 client in worker threads or with an aiobotocore
    client."""

    wire: Wire

    async def run(self, exchange: Exchange[T]) -> T:
        """Run an exchange to its end."""
        steps, outcome = repeating(exchange, self.wire.system.random_bytes), None
        while not isinstance(step := await asyncio.to_thread(advance, steps, outcome), Done):
            outcome = await self._make(step)
        return step.value

    async def _make(self, step: Call | Pause) -> Outcome | None:
        if isinstance(step, Call):
            return await self._call(step)
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


@attrs.define
class AsyncFlight(Generic[T]):
    """One run for all tasks that ask while it lasts. A task that is cancelled leaves it to the others."""

    _task: asyncio.Task[T] | None = attrs.field(default=None, init=False)

    @property
    def is_under_way(self) -> bool:
        """Whether a run has begun and has not ended. One whose event loop was closed goes on no more."""
        task = self._task
        return task is not None and not task.done() and not task.get_loop().is_closed()

    async def join(self, run: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What the run that is under way returns; if there is none, what a new one returns.

        Raises:
            UsageError: It is under way on another event loop.
        """
        if self._task is None or not self.is_under_way:
            self._task = asyncio.create_task(run())
            # All who asked may be gone when it fails: then nobody is to be warned.
            self._task.add_done_callback(lambda task: task.cancelled() or task.exception())
        elif self._task.get_loop() is not asyncio.get_running_loop():
            raise UsageError("it is in use on another event loop: make one for each loop")
        return await asyncio.shield(self._task)


@asynccontextmanager
async def holding(lock: Callable[[], AbstractContextManager[object]]) -> AsyncGenerator[None]:
    """Hold a blocking lock in a thread of its own: it may belong to the thread that took it, and those who
    wait for it must not use up the threads of which its holder needs one.

    Args:
        lock: Makes it. It is a method of a store, so it is called in that thread, too.
    """
    thread, held, loop = ThreadPoolExecutor(max_workers=1), ExitStack(), asyncio.get_running_loop()
    try:
        try:
            await loop.run_in_executor(thread, lambda: held.enter_context(lock()))
        except asyncio.CancelledError:
            # The thread that waits cannot be stopped: if it still takes the lock, it leaves it at once.
            thread.submit(held.close)
            raise
        try:
            yield
        finally:
            # A task that is cancelled at this moment leaves the lock all the same.
            await asyncio.shield(loop.run_in_executor(thread, held.close))
    finally:
        thread.shutdown(wait=False)


def _attempt(method: BotoMethod, call: Call) -> object:
    """The answer, or the error as a value: raised errors would carry the parameters' frames further than
    needed."""
    try:
        return method(**call.parameters)
    except Exception as error:  # noqa: BLE001 - botocore's parsers raise whatever they stumble over
        return error


async def _attempt_awaiting(answer: Awaitable[object]) -> object:
    try:
        return await answer
    except Exception as error:  # noqa: BLE001 - as above
        return error


def _response(answer: object) -> Response:
    data = as_object(answer)
    if data is None:
        raise UsageError(
            "the client answered with something that boto3 does not: give a boto3 or aiobotocore client"
        )
    return Response(data, service_date(data))


def _request_id(answer: object) -> str | None:
    return as_text(member(answer, "ResponseMetadata", "RequestId"))


def service_date(answer: object) -> datetime | None:
    """When the service answered, by its own clock.

    Args:
        answer: What botocore gives, also for a refusal.
    """
    date = as_text(member(answer, "ResponseMetadata", "HTTPHeaders", "date"))
    try:
        return parsedate_to_datetime(date or "").replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _names(parameters: Mapping[str, object]) -> tuple[str, ...]:
    """The names that were sent, one level deep: never a value."""
    names: list[str] = []
    for name, value in parameters.items():
        inner = as_object(value)
        names += [name] if inner is None else [f"{name}.{inner_name}" for inner_name in inner]
    return tuple(names)


def _translate(call: Call, error: Exception) -> CognitoFlowError:
    translated = _typed(call, error)
    # Neither may hang on as a cause: botocore's text for a bad parameter quotes the value, which may be a
    # password, and a UnicodeDecodeError holds the whole answer, with its tokens.
    if not isinstance(error, botocore.exceptions.ParamValidationError | UnicodeError):
        translated.__cause__ = error
    return translated


def _typed(call: Call, error: Exception) -> CognitoFlowError:
    operation = call.operation
    if isinstance(error, botocore.exceptions.ClientError):
        said = error.response.get("Error", {})
        return from_service(
            str(said.get("Code", "")),
            str(said.get("Message", "")),
            operation=operation,
            request_id=_request_id(error.response),
            status=int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)),
            parameters=call.parameters,
        )
    if isinstance(error, botocore.exceptions.ParamValidationError):
        return UsageError(
            f"botocore refused the parameters of {operation}: a value is too short or of the wrong type"
        )
    if isinstance(error, _BAD_CREDENTIALS):
        return UsageError(
            f"{operation} is signed, and there are no usable AWS credentials", operation=operation
        )
    if isinstance(error, _NOT_SENT):
        return TransportError(
            f"{operation} could not be sent: {type(error).__name__}",
            hint="check the pool's region, the endpoint and the network",
            operation=operation,
            retryable=True,
        )
    if isinstance(error, _LOST):
        return TransportError(
            f"no answer to {operation} came: {type(error).__name__}; it may have been carried out",
            operation=operation,
            retryable=True,
            maybe_processed=True,
        )
    return UnexpectedResponse(f"botocore failed at {operation}: {type(error).__name__}", operation=operation)
