"""The worker threads of one AsyncAuthFlow, and how many turns it runs at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import attrs

if TYPE_CHECKING:
    import asyncio

P = ParamSpec("P")
T = TypeVar("T")

MAX_TURNS = 64  # at once; each mostly waits for Cognito
_MAX_FIRST_STEPS = 2


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
    _loops: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = attrs.field(
        factory=WeakKeyDictionary["asyncio.AbstractEventLoop", "asyncio.Semaphore"], init=False, repr=False
    )

    def room(self) -> asyncio.Semaphore:
        """Return what a turn on the running event loop acquires, which waits until there is room for it.

        It waits here and not in the queue of an executor, where no deadline could end its wait. Besides,
        aiobotocore needs milliseconds to prepare a request, in which the loop does nothing else. If hundreds
        of turns began at once, the first proof would wait behind the last InitiateAuth.
        """
        import asyncio  # here, so that a program without asyncio does not load it

        loop = asyncio.get_running_loop()
        return self._loops.setdefault(loop, asyncio.Semaphore(MAX_TURNS))

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a turn, or a step of one that has begun."""
        self._forget_threads_of_a_parent()
        if self._turns is None:
            self._turns = ThreadPoolExecutor(MAX_TURNS, "cognito-flow-turn")
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
            self._process = os.getpid()


async def _run(
    executor: ThreadPoolExecutor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Run a function with the context variables of the caller, as `asyncio.to_thread` does."""
    import asyncio

    loop, context = asyncio.get_running_loop(), copy_context()
    return await loop.run_in_executor(executor, lambda: context.run(function, *args, **kwargs))
