"""Two asyncio primitives of the token source: a run shared by tasks, and a blocking lock held in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from typing import Any, Generic, TypeVar

import attrs

from cognito_flow.errors import UsageError

T = TypeVar("T")


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
