"""An asynchronous store, as an application would write it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import attrs

from cognito_flow import AppClient, Device, MemoryStore, Tokens


@attrs.define
class AsyncMemoryStore:
    """An `AsyncTokenStore` and `AsyncDeviceStore` in memory. Its methods need a running event loop."""

    memory: MemoryStore = attrs.field(factory=MemoryStore)
    operations: list[str] = attrs.field(factory=list[str])

    async def get_tokens(self, app: AppClient, username: str) -> Tokens | None:
        await self._note("get_tokens")
        return self.memory.get_tokens(app, username)

    async def put_tokens(self, app: AppClient, username: str, tokens: Tokens) -> None:
        await self._note("put_tokens")
        self.memory.put_tokens(app, username, tokens)

    async def delete_tokens(self, app: AppClient, username: str) -> None:
        await self._note("delete_tokens")
        self.memory.delete_tokens(app, username)

    async def get_device(self, app: AppClient, username: str) -> Device | None:
        await self._note("get_device")
        return self.memory.get_device(app, username)

    async def put_device(
        self, app: AppClient, username: str, device: Device, *, alias: str | None = None
    ) -> None:
        await self._note("put_device")
        self.memory.put_device(app, username, device, alias=alias)

    async def delete_device(self, app: AppClient, username: str) -> None:
        await self._note("delete_device")
        self.memory.delete_device(app, username)

    async def _note(self, operation: str) -> None:
        await asyncio.sleep(0)
        self.operations.append(operation)


@attrs.define
class AsyncLockingMemoryStore(AsyncMemoryStore):
    """The same, as an `AsyncLockingTokenStore`."""

    turn: asyncio.Lock = attrs.field(factory=asyncio.Lock)

    @asynccontextmanager
    async def lock(self, app: AppClient, username: str) -> AsyncGenerator[None]:
        async with self.turn:
            self.operations.append("lock")
            yield
            self.operations.append("unlock")
