"""The drivers alone, over clients that answer at once: events, deadlines, pauses and awaitables."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Generator
from typing import Any

import attrs
import botocore.exceptions as boto
import pytest

from cognito_flow import AppClient, CognitoFlowError, Event, Throttled, TransportError, UsageError
from cognito_flow._exchange import Call, Response, Wait
from cognito_flow._transport.attempts import Attempt, attempt_in_progress
from cognito_flow._transport.clients import Clients
from cognito_flow._transport.drivers import AsyncDriver, Done, Driver, Transport, advance, one_call
from cognito_flow._transport.retry import Pause
from cognito_flow.models import System

APP = AppClient("eu-west-1_abc", "client")
ANSWER = {"Username": "alice", "ResponseMetadata": {"RequestId": "id"}}
CALL = Call("GetUser", {"AccessToken": "SENTINEL", "ChallengeName": "SMS_MFA", "Inner": {"A": 1, "B": 2}})
THROTTLED: Any = {
    "Error": {"Code": "TooManyRequestsException", "Message": "Rate exceeded"},
    "ResponseMetadata": {"RequestId": "refused", "HTTPStatusCode": 400},
}
REFUSED: Any = {**THROTTLED, "Error": {"Code": "X", "Message": ""}}


@attrs.define
class Client:
    """A client that gives these answers in order, and keeps what it was called with."""

    answers: list[object]
    calls: list[dict[str, Any]] = attrs.field(factory=list[dict[str, Any]])
    attempts: list[Attempt | None] = attrs.field(factory=list["Attempt | None"])

    def get_user(self, **parameters: Any) -> object:
        self.calls.append(parameters)
        self.attempts.append(attempt_in_progress())
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@attrs.define
class AsyncClient(Client):
    """The same as aiobotocore has it."""

    async def _make_api_call(self) -> None: ...

    def get_user(self, **parameters: Any) -> object:
        async def call() -> object:
            await asyncio.sleep(0)
            return Client.get_user(self, **parameters)

        return call()


KINDS = pytest.mark.parametrize("kind", ["blocking", "threads", "loop"])


@attrs.define
class World:
    """A driver of one kind, and what it did."""

    kind: str
    answers: list[object]
    timeout: float = 30.0
    sleep: Any = None
    events: list[Event] = attrs.field(factory=list[Event])
    client: Client = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.client = AsyncClient(self.answers) if self.kind == "loop" else Client(self.answers)

    @property
    def transport(self) -> Transport:
        system = System(sleep=self.sleep, random_bytes=lambda length: b"\0" * length)
        return Transport(Clients(APP, self.client, admin=False), system, self.events.append, self.timeout)

    def run(self, exchange: Generator[Any, Any, Any]) -> Any:
        """Run an exchange to its end."""
        if self.kind == "blocking":
            return Driver(self.transport).run(exchange)

        async def run() -> Any:
            return await AsyncDriver(self.transport).run(exchange)

        return asyncio.run(run())


@KINDS
def test_call_is_an_attempt_with_the_deadline_of_the_turn(kind: str) -> None:
    world = World(kind, [ANSWER, ANSWER], timeout=20)
    started = time.monotonic()

    def twice() -> Generator[Call, Response, list[Response]]:
        return [(yield CALL), (yield CALL)]

    responses = world.run(twice())

    assert [response.data for response in responses] == [ANSWER, ANSWER]
    assert world.client.calls == [CALL.parameters] * 2
    first, second = world.client.attempts
    assert first is not None
    assert second is not None
    assert first is not second
    assert first.operation == "GetUser"
    assert first.deadline == second.deadline
    assert started + 20 <= first.deadline <= time.monotonic() + 20
    assert attempt_in_progress() is None


NAMES = ("AccessToken", "ChallengeName", "Inner.A", "Inner.B")


@KINDS
def test_event_of_a_call_has_names_and_never_values(kind: str) -> None:
    world = World(kind, [ANSWER])
    world.run(one_call(CALL))

    (event,) = world.events
    assert attrs.evolve(event, seconds=None) == Event(
        kind="call", operation="GetUser", challenge="SMS_MFA", sent=NAMES, error=None, request_id="id"
    )
    assert event.seconds is not None
    assert 0 <= event.seconds < 10


@KINDS
@pytest.mark.parametrize(
    ("failure", "error", "request_id"),
    [
        (boto.ClientError(REFUSED, "GetUser"), "X", "refused"),
        (boto.UnknownSignatureVersionError(signature_version="x"), "UnexpectedResponse", None),
    ],
    ids=["refused", "failed"],
)
def test_event_of_a_call_that_failed_has_the_code_or_the_class(
    kind: str, failure: Exception, error: str, request_id: str | None
) -> None:
    world = World(kind, [failure])
    with pytest.raises(CognitoFlowError):
        world.run(one_call(Call("GetUser", {})))

    (event,) = world.events
    assert attrs.evolve(event, seconds=None) == Event(
        kind="call", operation="GetUser", error=error, request_id=request_id
    )


@pytest.mark.parametrize(
    ("answer", "call", "message"),
    [
        (ANSWER, CALL, "GetUser SMS_MFA -> ok"),
        (ANSWER, Call("GetUser", {}), "GetUser  -> ok"),
        (boto.ClientError(THROTTLED, "GetUser"), CALL, "GetUser SMS_MFA -> TooManyRequestsException"),
    ],
)
def test_log_record_of_a_call_shows_names_and_carries_the_event(
    caplog: pytest.LogCaptureFixture, answer: object, call: Call, message: str
) -> None:
    world = World("blocking", [answer, ANSWER], sleep=lambda _: None)
    with caplog.at_level(logging.DEBUG, "cognito_flow"):
        world.run(one_call(call))

    record: Any = caplog.records[0]
    assert (record.getMessage(), record.levelname, record.name) == (message, "DEBUG", "cognito_flow")
    assert record.event == world.events[0]


@KINDS
def test_turn_that_has_used_its_time_makes_no_call(kind: str) -> None:
    world = World(kind, [ANSWER], timeout=1e-9)
    with pytest.raises(TransportError) as late:
        world.run(one_call(CALL))

    assert late.value.args[0] == "GetUser was not sent: the turn took longer than 1e-09 seconds"
    assert late.value.hint == "raise AuthFlow(timeout=...), or find out what is slow"
    assert (late.value.operation, late.value.maybe_processed) == ("GetUser", False)
    assert world.client.calls == []


@pytest.mark.parametrize(("seconds", "waited"), [(2.0, 2.0), (600.0, 100.0), (0.0, 0.0)])
def test_pause_ends_with_the_turn_at_the_latest(seconds: float, waited: float) -> None:
    run = World("blocking", [], timeout=100).transport.begin()

    assert run.pause(Pause(seconds)) == pytest.approx(waited, rel=0.1)


def test_pause_after_the_end_of_the_turn_is_zero() -> None:
    assert World("blocking", [], timeout=-5).transport.begin().pause(Pause(2.0)) == 0.0


@KINDS
def test_pause_between_attempts_is_slept(kind: str) -> None:
    world = World(kind, [boto.ClientError(THROTTLED, "GetUser"), ANSWER])
    started = time.monotonic()
    world.run(one_call(CALL))

    assert 0.09 < time.monotonic() - started < 5
    assert len(world.client.calls) == 2


@KINDS
def test_sleep_of_the_system_is_used_for_a_pause(kind: str) -> None:
    slept: list[float] = []
    world = World(kind, [boto.ClientError(THROTTLED, "GetUser"), ANSWER], sleep=slept.append)
    world.run(one_call(CALL))

    assert slept == [pytest.approx(0.1)]


@pytest.mark.parametrize("kind", ["threads", "loop"])
def test_asynchronous_sleep_of_the_system_is_awaited(kind: str) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)
        slept.append(seconds)

    world = World(kind, [boto.ClientError(THROTTLED, "GetUser"), ANSWER], sleep=sleep)
    world.run(one_call(CALL))

    assert slept == [pytest.approx(0.1)]


async def stored() -> str:
    """What an asynchronous store returns."""
    await asyncio.sleep(0)
    return "stored"


def waiting() -> Generator[Any, Any, tuple[str, object]]:
    """An exchange that awaits an asynchronous store and then makes a call."""
    wait = Wait(stored())
    nothing = yield wait
    assert nothing is None
    response = yield CALL
    return wait.result(), response.data


@pytest.mark.parametrize("kind", ["threads", "loop"])
def test_awaitable_of_the_application_is_awaited_between_calls(kind: str) -> None:
    assert World(kind, [ANSWER]).run(waiting()) == ("stored", ANSWER)


def test_awaitable_of_the_application_is_a_usage_error_of_the_blocking_driver() -> None:
    with pytest.raises(UsageError, match="this store or callback is asynchronous: use AsyncAuthFlow"):
        World("blocking", [ANSWER]).run(waiting())


def test_awaitable_that_is_not_a_coroutine_is_a_usage_error_of_the_blocking_driver() -> None:
    class Stored:
        def __await__(self) -> Generator[None, None, str]:
            yield
            return "stored"

    def exchange() -> Generator[Any, Any, None]:
        yield Wait(Stored())

    with pytest.raises(UsageError, match="asynchronous"):
        World("blocking", []).run(exchange())


def test_asynchronous_client_is_a_usage_error_of_the_blocking_driver() -> None:
    world = World("loop", [ANSWER])
    with pytest.raises(UsageError, match="this client is asynchronous: use AsyncAuthFlow"):
        Driver(world.transport).run(one_call(CALL))


def test_call_on_the_loop_that_never_ends_is_lost_at_the_deadline() -> None:
    class Silent(AsyncClient):
        def change_password(self, **parameters: Any) -> object:
            return asyncio.sleep(60)

    world = World("loop", [], timeout=1)
    world.client = Silent([])
    with pytest.raises(TransportError) as lost:
        world.run(one_call(Call("ChangePassword", {})))

    assert lost.value.args[0] == (
        "no response to ChangePassword came: ReadTimeoutError; it may have been processed"
    )
    cause: Any = lost.value.__cause__
    assert isinstance(cause, boto.ReadTimeoutError)
    assert str(cause) == 'Read timeout on endpoint URL: "the endpoint"'
    assert isinstance(cause.kwargs["error"], TimeoutError)


@KINDS
def test_error_of_a_client_loses_what_hangs_on_it_and_the_callers_own_does_not(kind: str) -> None:
    failure = boto.HTTPClientError(error=OSError(b"SENTINEL"), request="SENTINEL")
    own = OSError(b"the caller's own")

    def fail() -> None:
        try:
            raise own
        except OSError:
            World(kind, [failure] * 3, sleep=lambda _: None).run(one_call(CALL))

    with pytest.raises(TransportError) as lost:
        fail()

    assert lost.value.__cause__ is failure
    cause: Any = failure
    assert (cause.request, cause.kwargs["error"].args) == (None, ())
    assert own.args == (b"the caller's own",)


def test_exchange_that_is_over_is_done_with_its_value() -> None:
    exchange: Any = one_call(CALL)

    assert advance(exchange, None) is CALL
    assert advance(exchange, Response(ANSWER)) == Done(Response(ANSWER))


@KINDS
def test_error_that_the_exchange_does_not_catch_is_raised(kind: str) -> None:
    world = World(kind, [boto.ClientError(THROTTLED, "GetUser")] * 3, sleep=lambda _: None)
    with pytest.raises(Throttled):
        world.run(one_call(CALL))

    assert len(world.client.calls) == 3
