"""The worker threads of one AsyncAuthFlow, and how many turns it runs at once."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager, nullcontext
from contextvars import copy_context
from typing import TYPE_CHECKING, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import attrs

from cognito_flow._transport.attempts import Attempt

if TYPE_CHECKING:
    import asyncio

P = ParamSpec("P")
T = TypeVar("T")

_MAX_TURNS = 64  # at once; each mostly waits for Cognito
_MAX_FIRST_STEPS = 2
# How many seconds a thread waits for the others: a client whose hooks or credentials hang must not stop all
# turns. Without a GIL, threads do not wait for each other.
_PATIENCE = 1.0 if getattr(sys, "_is_gil_enabled", lambda: True)() else 0.0


@attrs.frozen(eq=False)
class Gate:
    """Lets one call at a time be prepared on an event loop, those of turns that have begun first.

    aiobotocore needs a millisecond to prepare a request, in which the loop does nothing else. If hundreds of
    turns began at once, the loop would stand still for all of them, and the first proof would wait behind the
    last InitiateAuth.

    Args:
        turns: What a turn enters, which waits until there is a connection for it.
        is_open: Whether all calls pass, because the client does not say when it sends one.
    """

    turns: asyncio.Semaphore
    is_open: bool
    _preparing: asyncio.Lock
    _first: asyncio.Lock

    @asynccontextmanager
    async def until_sent(self, attempt: Attempt, *, is_first: bool) -> AsyncGenerator[None]:
        """Prepare a call. The next one may be prepared once this one is sent.

        Args:
            attempt: The attempt at the call.
            is_first: Whether its turn begins with it. At most one such call waits beside the others.
        """
        import asyncio

        if self.is_open:
            yield
            return
        async with self._first if is_first else nullcontext():
            await self._preparing.acquire()
        with ExitStack() as prepared:
            prepared.callback(self._preparing.release)
            attempt.before_waiting = prepared.close  # which does nothing the second time
            await asyncio.sleep(0)  # the loop sees to everything else that is ready
            yield


@attrs.define(eq=False)
class _Place:
    """The place of one thread behind a lock, which it leaves while it waits for the network."""

    lock: threading.RLock
    is_taken: bool = False

    def take(self) -> None:
        self.is_taken = self.is_taken or self.lock.acquire(timeout=_PATIENCE)

    def leave(self) -> None:
        if self.is_taken:
            self.is_taken = False
            self.lock.release()


@attrs.define
class Workers:
    """Threads that run turns, so that the event loop does not wait. They are started when they are needed,
    and end with the flow.

    They are of the flow alone: in asyncio's own executor, which the whole application shares, the proof of a
    password would wait behind everything else, and Cognito wants it within seconds.
    """

    _turns: ThreadPoolExecutor | None = attrs.field(default=None, init=False, repr=False)
    _first_steps: ThreadPoolExecutor | None = attrs.field(default=None, init=False, repr=False)
    _process: int | None = attrs.field(default=None, init=False)
    _gates: WeakKeyDictionary[asyncio.AbstractEventLoop, Gate] = attrs.field(
        factory=WeakKeyDictionary["asyncio.AbstractEventLoop", "Gate"], init=False, repr=False
    )
    _in_botocore: threading.RLock = attrs.field(factory=threading.RLock, init=False, repr=False)

    def gate(self, connections: int | None) -> Gate:
        """Return the gate of the running event loop.

        Args:
            connections: How many the client keeps. With more turns at once, proofs would wait for one behind
                the first calls of others. None: it is not a client of boto.
        """
        import asyncio  # here, so that a program without asyncio does not load it

        loop = asyncio.get_running_loop()
        turns = asyncio.Semaphore(connections or _MAX_TURNS)
        gate = Gate(turns, connections is None, asyncio.Lock(), asyncio.Lock())
        return self._gates.setdefault(loop, gate)

    @contextmanager
    def one_in_botocore(self, attempt: Attempt) -> Generator[None]:
        """Run botocore's code in this thread while no other thread of the flow does.

        Threads that wait for a lock do not compete for the GIL, for which the event loop waits like each of
        them.

        Args:
            attempt: The attempt. While it waits for the network, another thread may run.
        """
        place = _Place(self._in_botocore)
        place.take()
        attempt.before_waiting, attempt.after_waiting = place.leave, place.take
        try:
            yield
        finally:
            place.leave()

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a turn, or a step of one that has begun."""
        self._forget_threads_of_a_parent()
        if self._turns is None:
            self._turns = ThreadPoolExecutor(_MAX_TURNS, "cognito-flow-turn")
        return await _run(self._turns, function, *args, **kwargs)

    async def run_first_step(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the first step of a turn. Turns that have begun do not wait behind it."""
        self._forget_threads_of_a_parent()
        if self._first_steps is None:
            self._first_steps = ThreadPoolExecutor(_MAX_FIRST_STEPS, "cognito-flow-first-step")
        return await _run(self._first_steps, function, *args, **kwargs)

    def _forget_threads_of_a_parent(self) -> None:
        """A forked child has the executors of its parent, but none of their threads."""
        if self._process != os.getpid():
            self._turns = self._first_steps = None
            self._in_botocore = threading.RLock()
            self._process = os.getpid()


async def _run(
    executor: ThreadPoolExecutor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Run a function with the context variables of the caller, as `asyncio.to_thread` does."""
    import asyncio

    loop, context = asyncio.get_running_loop(), copy_context()
    return await loop.run_in_executor(executor, lambda: context.run(function, *args, **kwargs))
