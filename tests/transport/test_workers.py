"""The worker threads of an AsyncAuthFlow."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import attrs
import pytest

from cognito_flow import AsyncAuthFlow, Event, SignedIn, TransportError, UserPasswordAuth, UserSrpAuth
from cognito_flow._exchange import Wait
from cognito_flow._transport.drivers import _finish_on
from cognito_flow._transport.workers import Workers
from tests.support.conversation import APP, RESULT, VERIFIER

VERIFIER_CHALLENGE = {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeParameters": VERIFIER}
DONE = {"AuthenticationResult": RESULT}
CREDENTIALS = UserSrpAuth("alice", "correct horse")


@attrs.define
class Service:
    """A blocking client whose calls take some time."""

    seconds: float = 0.0
    threads: list[threading.Thread] = attrs.field(factory=list[threading.Thread])
    gaps: list[float] = attrs.field(factory=list[float])
    _answered: dict[str, float] = attrs.field(factory=dict[str, float])

    def initiate_auth(self, **parameters: Any) -> object:
        self.threads.append(threading.current_thread())
        time.sleep(self.seconds)
        return self.challenge(parameters)

    def respond_to_auth_challenge(self, **parameters: Any) -> object:
        self.threads.append(threading.current_thread())
        self.note_gap(parameters)
        time.sleep(self.seconds)
        return DONE

    def challenge(self, parameters: Any) -> object:
        name = parameters["AuthParameters"]["USERNAME"]
        self._answered[name] = time.monotonic()
        return {
            **VERIFIER_CHALLENGE,
            "ChallengeParameters": {**VERIFIER, "USERNAME": name, "USER_ID_FOR_SRP": name},
        }

    def note_gap(self, parameters: Any) -> None:
        self.gaps.append(time.monotonic() - self._answered[parameters["ChallengeResponses"]["USERNAME"]])


@attrs.define
class AsyncService(Service):
    """The same as aiobotocore has it."""

    async def _make_api_call(self) -> None: ...

    def initiate_auth(self, **parameters: Any) -> object:
        async def call() -> object:
            await asyncio.sleep(self.seconds)
            return self.challenge(parameters)

        return call()

    def respond_to_auth_challenge(self, **parameters: Any) -> object:
        async def call() -> object:
            self.note_gap(parameters)
            await asyncio.sleep(self.seconds)
            return DONE

        return call()


def test_turn_of_a_blocking_client_runs_in_one_thread_of_the_flow() -> None:
    service = Service()
    asyncio.run(AsyncAuthFlow(APP, service).start(CREDENTIALS))

    assert len(service.threads) == 2
    assert len(set(service.threads)) == 1
    assert service.threads[0].name.startswith("cognito-flow-turn")


@pytest.mark.parametrize("make", [Service, AsyncService])
def test_busy_executor_of_asyncio_does_not_delay_a_turn(make: type[Service]) -> None:
    async def run() -> object:
        is_over = threading.Event()
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        busy = loop.run_in_executor(None, is_over.wait)
        try:
            async with asyncio.timeout(20):
                return await AsyncAuthFlow(APP, make()).start(CREDENTIALS)
        finally:
            is_over.set()
            await busy

    assert isinstance(asyncio.run(run()), SignedIn)


@attrs.define
class HeldService(AsyncService):
    """Answers nothing until it is released, and counts the calls that wait."""

    full: asyncio.Event = attrs.field(factory=asyncio.Event)
    released: asyncio.Event = attrs.field(factory=asyncio.Event)
    waiting: int = 0

    def initiate_auth(self, **parameters: Any) -> object:
        async def call() -> object:
            self.waiting += 1
            if self.waiting == 64:
                self.full.set()
            await self.released.wait()
            return DONE

        return call()


def test_at_most_64_turns_run_at_once_on_each_event_loop_that_uses_the_flow() -> None:
    service = HeldService()
    flow = AsyncAuthFlow(APP, service)

    async def run() -> int:
        service.waiting, service.full, service.released = 0, asyncio.Event(), asyncio.Event()
        turns = [asyncio.ensure_future(flow.start(UserPasswordAuth("alice", "x"))) for _ in range(100)]
        await service.full.wait()
        await asyncio.sleep(0.1)  # time enough for a turn too many
        waiting = service.waiting
        service.released.set()
        await asyncio.gather(*turns)
        return waiting

    assert [asyncio.run(run()) for _ in range(2)] == [64, 64]
    assert service.waiting == 100


@attrs.define
class SilentService(Service):
    """A blocking client whose calls end when they are released."""

    released: threading.Event = attrs.field(factory=threading.Event)
    calls: list[str] = attrs.field(factory=list[str])

    def initiate_auth(self, **parameters: Any) -> object:
        self.calls.append(parameters["AuthParameters"]["USERNAME"])
        assert self.released.wait(20)
        return DONE


@attrs.define
class AsyncSilentService(AsyncService):
    """The same as aiobotocore has it."""

    released: threading.Event = attrs.field(factory=threading.Event)
    calls: list[str] = attrs.field(factory=list[str])

    def initiate_auth(self, **parameters: Any) -> object:
        async def call() -> object:
            self.calls.append(parameters["AuthParameters"]["USERNAME"])
            while not self.released.is_set():  # noqa: ASYNC110 - a thread may wait for it, too
                await asyncio.sleep(0.01)
            return DONE

        return call()


@pytest.mark.parametrize("make", [SilentService, AsyncSilentService])
def test_turn_that_waits_for_others_until_its_time_is_over_is_not_sent(
    make: type[SilentService | AsyncSilentService],
) -> None:
    service = make()
    flow = AsyncAuthFlow(APP, service, timeout=20)

    async def run() -> TransportError:
        others = [asyncio.ensure_future(flow.start(UserPasswordAuth("other", "x"))) for _ in range(64)]
        while len(service.calls) < 64:  # noqa: ASYNC110 - calls of threads
            await asyncio.sleep(0.01)
        try:
            with pytest.raises(TransportError) as late:
                await flow.bind(timeout=0.2).start(UserPasswordAuth("late", "x"))
        finally:
            service.released.set()
            await asyncio.gather(*others)
        assert isinstance(await flow.start(UserPasswordAuth("next", "x")), SignedIn)
        return late.value

    started = time.monotonic()
    error = asyncio.run(run())

    assert time.monotonic() - started < 15
    assert error.args[0] == "nothing was sent: 64 other turns took longer than 0.2 seconds"
    assert error.hint == "raise AuthFlow(timeout=...), or find out what is slow"
    assert (error.maybe_processed, error.__cause__) == (False, None)
    assert service.calls == ["other"] * 64 + ["next"]


def test_listener_sees_the_context_variables_of_the_caller() -> None:
    request: ContextVar[str] = ContextVar("request")
    seen: list[str] = []

    def listen(_event: Event) -> None:
        seen.append(request.get("none"))

    async def run() -> None:
        request.set("7")
        await AsyncAuthFlow(APP, Service(), on_event=listen).start(CREDENTIALS)

    asyncio.run(run())

    assert set(seen) == {"7"}


def test_threads_end_with_the_flow() -> None:
    async def run() -> None:
        flow = AsyncAuthFlow(APP, Service())
        await flow.start(CREDENTIALS)

    before = set(threading.enumerate())
    asyncio.run(run())
    gc.collect()
    started = set(threading.enumerate()) - before
    for thread in started:
        thread.join(5)

    assert [thread for thread in started if thread.is_alive()] == []


@pytest.mark.parametrize(
    ("method", "name"),
    [("run", "cognito-flow-turn"), ("run_first_step", "cognito-flow-first-step")],
)
def test_step_runs_in_a_thread_that_is_named_after_it_and_takes_its_arguments(method: str, name: str) -> None:
    def step(*args: int, **kwargs: int) -> tuple[str, tuple[int, ...], dict[str, int]]:
        return threading.current_thread().name, args, kwargs

    thread, args, kwargs = asyncio.run(getattr(Workers(), method)(step, 1, 2, three=3))

    assert thread.startswith(f"{name}_")
    assert (args, kwargs) == ((1, 2), {"three": 3})


@pytest.mark.parametrize(("method", "most"), [("run", 64), ("run_first_step", 2)])
def test_so_many_steps_run_at_once_and_no_more(method: str, most: int) -> None:
    workers, is_over, running = Workers(), threading.Event(), threading.Semaphore(0)

    def step() -> None:
        running.release()
        assert is_over.wait(20)

    async def run() -> bool:
        steps = [asyncio.ensure_future(getattr(workers, method)(step)) for _ in range(most + 1)]
        for _ in range(most):
            assert await asyncio.to_thread(running.acquire, timeout=20)
        one_more = await asyncio.to_thread(running.acquire, timeout=0.1)
        is_over.set()
        await asyncio.gather(*steps)
        return one_more

    assert asyncio.run(run()) is False


def test_threads_of_both_kinds_serve_all_steps() -> None:
    workers = Workers()

    async def run() -> None:
        for _ in range(2):
            await workers.run(int)
            await workers.run_first_step(int)

    asyncio.run(run())
    turns, first_steps = workers._turns, workers._first_steps
    asyncio.run(run())

    assert (workers._turns, workers._first_steps) == (turns, first_steps)
    assert None not in (turns, first_steps)


def test_forked_child_starts_threads_for_first_steps_of_its_own() -> None:
    workers = Workers()
    asyncio.run(workers.run_first_step(int))
    workers._process = -1  # that of a parent
    inherited = workers._first_steps
    asyncio.run(workers.run_first_step(int))

    assert workers._first_steps is not inherited
    assert workers._turns is None


def test_forked_child_starts_threads_of_its_own() -> None:
    """The executor that a parent made has no threads in its child."""
    workers = Workers()
    assert asyncio.run(workers.run(lambda: 1)) == 1
    workers._process = -1  # that of a parent
    inherited = workers._turns

    assert asyncio.run(workers.run(lambda: 2)) == 2
    assert workers._turns is not inherited
    assert workers._process == os.getpid()


def test_worker_thread_does_not_wait_for_an_event_loop_that_was_closed() -> None:
    """An application's store is awaited, and never answers."""
    loop = asyncio.new_event_loop()

    async def never() -> None:
        await asyncio.Event().wait()

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(_finish_on, loop, Wait(never()))
        while not (left_over := asyncio.all_tasks(loop)):
            loop.run_until_complete(asyncio.sleep(0.01))
        left: Any = left_over.pop()
        left._log_destroy_pending = False  # or asyncio prints that the task was left, as is meant here
        loop.close()
        with pytest.raises(RuntimeError, match="closed"):
            waiting.result(20)
