"""Concurrency for asynchronous token sources: a run that tasks share, and a store's lock held by a task."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AbstractContextManager, ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from cognito_flow.errors import UsageError

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


@attrs.define
class AsyncFlight(Generic[T]):
    """One run for all tasks that ask while it lasts. A task that is cancelled leaves it to the others."""

    _task: asyncio.Task[T] | None = attrs.field(default=None, init=False)
    _process: int = attrs.field(default=0, init=False)

    @property
    def is_running(self) -> bool:
        """Whether a run has begun and not ended. A run whose event loop was closed, or which belongs to the
        process that this one was forked from, will never end here: it does not count."""
        task = self._task
        return (
            task is not None
            and not task.done()
            and not task.get_loop().is_closed()
            and self._process == os.getpid()
        )

    async def join(self, run: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return the result of the current run, beginning a new one if there is none.

        Raises:
            UsageError: The current run belongs to another event loop.
        """
        import asyncio  # here, so that a program without asyncio does not load it

        if self._task is None or not self.is_running:
            self._task, self._process = asyncio.create_task(run()), os.getpid()
            # Retrieve the exception, or asyncio warns when every waiter was cancelled.
            self._task.add_done_callback(lambda task: task.cancelled() or task.exception())
        elif self._task.get_loop() is not asyncio.get_running_loop():
            raise UsageError("bound to another event loop: create one per loop")
        return await asyncio.shield(self._task)

    async def wait(self) -> None:
        """Wait until no run is left, however the last one ends."""
        import asyncio

        while self._task is not None and self.is_running:
            await asyncio.wait([self._task])


@attrs.define
class Holding:
    """Holds a store's lock in a task, as an asynchronous context manager.

    A blocking lock is held in a thread of its own: it may belong to the thread that took it, and tasks that
    wait for it must not use up the threads that its holder needs.

    It is not a generator: when tasks are collected that a closed event loop left, asyncio does not run the
    end of asynchronous generators, and the lock would never be released.

    Args:
        make: Makes the lock. It is a method of a store, which may block, so it is called in that thread, too.
    """

    make: Callable[[], AbstractContextManager[object] | AbstractAsyncContextManager[object]]
    _thread: ThreadPoolExecutor = attrs.field(factory=lambda: ThreadPoolExecutor(max_workers=1), init=False)
    _held: ExitStack = attrs.field(factory=ExitStack, init=False)
    _awaited: AbstractAsyncContextManager[object] | None = attrs.field(default=None, init=False)

    async def __aenter__(self) -> None:
        import asyncio

        try:
            self._awaited = await asyncio.get_running_loop().run_in_executor(self._thread, self._enter)
            if self._awaited is not None:
                await self._awaited.__aenter__()
        except BaseException:
            # A thread that waits cannot be stopped: if it gets the lock after all, it releases it at once.
            self._thread.submit(self._held.close)
            self._thread.shutdown(wait=False)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        import asyncio

        if isinstance(error, GeneratorExit):
            # The task is being collected, and its thread may be gone already. Nothing can be awaited.
            self._held.close()
            self._thread.shutdown(wait=False)
            return
        try:
            if self._awaited is not None:
                await self._awaited.__aexit__(kind, error, traceback)
        finally:
            released = self._thread.submit(self._held.close)
            self._thread.shutdown(wait=False)
            # The lock is released even if the task is cancelled at this moment.
            await asyncio.shield(asyncio.wrap_future(released))

    def _enter(self) -> AbstractAsyncContextManager[object] | None:
        lock = self.make()
        if isinstance(lock, AbstractAsyncContextManager) and not isinstance(lock, AbstractContextManager):
            return lock
        self._held.enter_context(lock)
        return None
