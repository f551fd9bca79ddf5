"""Asynchronous stores: awaited by the asynchronous flow and source, refused by the blocking ones."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cognito_flow import (
    AppClient,
    Device,
    Event,
    Tokens,
    UsageError,
    UserSrpAuth,
)
from cognito_flow.testing import LocalCognito, Pool
from tests.support.async_store import AsyncLockingMemoryStore, AsyncMemoryStore
from tests.support.token_sources import ALICE

DEVICES: Any = {"ChallengeRequiredOnNewDevice": True, "DeviceOnlyRememberedOnUserPrompt": False}


@pytest.fixture
def device_pool() -> Pool:
    """A pool that remembers devices, with the user alice."""
    pool = LocalCognito().create_pool(device_configuration=DEVICES)
    pool.add_user("alice", "correct horse")
    return pool


def sign_in(pool: Pool, app: AppClient) -> Tokens:
    return pool.flow(app).sign_in(ALICE).tokens


def test_asynchronous_store_keeps_tokens_and_new_tokens(pool: Pool, app: AppClient) -> None:
    store = AsyncMemoryStore()
    tokens = sign_in(pool, app)
    source = pool.async_flow(app, store=store).token_source(tokens)

    async def use() -> Tokens:
        assert await source.tokens() == tokens == store.memory.get_tokens(app, "alice")
        pool.cognito.clock.advance(3600)
        return await source.tokens()

    assert asyncio.run(use()) == store.memory.get_tokens(app, "alice") != tokens


def test_restore_awaits_an_asynchronous_store(pool: Pool, app: AppClient) -> None:
    store = AsyncMemoryStore()
    flow = pool.async_flow(app, store=store)
    store.memory.put_tokens(app, "alice", tokens := sign_in(pool, app))

    async def restore() -> Tokens:
        assert await flow.restore("bob") is None
        source = await flow.restore("alice")
        assert source is not None
        return await source.tokens()

    assert asyncio.run(restore()) == tokens


def test_sign_out_awaits_an_asynchronous_store(pool: Pool, app: AppClient) -> None:
    store = AsyncMemoryStore()
    source = pool.async_flow(app, store=store).token_source(sign_in(pool, app))

    async def sign_in_and_out() -> None:
        await source.tokens()
        assert store.memory.users(app) == ["alice"]
        await source.sign_out()

    asyncio.run(sign_in_and_out())

    assert store.memory.users(app) == []


def test_failure_of_an_asynchronous_store_is_raised_and_the_next_call_stores(
    pool: Pool, app: AppClient
) -> None:
    class Failing(AsyncMemoryStore):
        is_full = True

        async def put_tokens(self, app: AppClient, username: str, tokens: Tokens) -> None:
            if self.is_full:
                raise OSError("no space left on device")
            await super().put_tokens(app, username, tokens)

    store = Failing()
    source = pool.async_flow(app, store=store).token_source(sign_in(pool, app))

    with pytest.raises(OSError, match="no space"):
        asyncio.run(source.tokens())
    Failing.is_full = False
    assert asyncio.run(source.tokens()) == store.memory.get_tokens(app, "alice")


def test_asynchronous_lock_is_held_during_a_refresh(pool: Pool, app: AppClient) -> None:
    store = AsyncLockingMemoryStore()
    tokens, flow = sign_in(pool, app), pool.async_flow(app, store=store)
    sources = [flow.token_source(tokens) for _ in range(10)]
    pool.cognito.clock.advance(3600)

    async def ask_all() -> set[str]:
        return set(await asyncio.gather(*(source.access_token() for source in sources)))

    assert len(asyncio.run(ask_all())) == 1
    assert store.operations[:5] == ["lock", "get_tokens", "put_tokens", "put_tokens", "unlock"]
    assert store.operations.count("unlock") == 10


def test_blocking_source_refuses_an_asynchronous_store(pool: Pool, app: AppClient) -> None:
    store: Any = AsyncMemoryStore()
    source = pool.flow(app).token_source(sign_in(pool, app), store=store)

    with pytest.raises(UsageError, match="asynchronous: use AsyncAuthFlow"):
        source.tokens()


def test_blocking_source_refuses_an_asynchronous_lock(pool: Pool, app: AppClient) -> None:
    store: Any = AsyncLockingMemoryStore()
    source = pool.flow(app).token_source(sign_in(pool, app), store=store)

    with pytest.raises(UsageError, match="asynchronous: use AsyncAuthFlow"):
        source.tokens()


def test_blocking_flow_refuses_an_asynchronous_device_store(pool: Pool, app: AppClient) -> None:
    store: Any = AsyncMemoryStore()

    with pytest.raises(UsageError, match="asynchronous: use AsyncAuthFlow"):
        pool.flow(app, devices=store).sign_in(ALICE)


def test_awaitable_without_coroutine_is_refused_by_a_blocking_flow(pool: Pool, app: AppClient) -> None:
    class Lazy:
        def __await__(self) -> Any:
            raise AssertionError("never awaited")

    class LazyStore(AsyncMemoryStore):
        def get_device(self, app: AppClient, username: str) -> Any:
            return Lazy()

    store: Any = LazyStore()
    with pytest.raises(UsageError, match="asynchronous: use AsyncAuthFlow"):
        pool.flow(app, devices=store).sign_in(ALICE)


def test_asynchronous_store_keeps_and_finds_the_device(device_pool: Pool) -> None:
    store = AsyncMemoryStore()
    flow = device_pool.async_flow(store=store)

    async def sign_in_twice() -> tuple[Device | None, str | None]:
        first = await flow.sign_in(UserSrpAuth("alice", "correct horse"))
        second = await flow.sign_in(UserSrpAuth("alice", "correct horse"))
        return first.device, second.tokens.device_key

    device, key_of_the_second = asyncio.run(sign_in_twice())

    assert device is not None
    assert store.memory.get_device(device_pool.app, "alice") == device
    assert key_of_the_second == device.key


def test_asynchronous_device_store_that_fails_costs_no_sign_in(device_pool: Pool) -> None:
    class Down(AsyncMemoryStore):
        async def _note(self, operation: str) -> None:
            raise ConnectionError("no route to host")

    events: list[Event] = []
    flow = device_pool.async_flow(devices=Down(), on_event=events.append)

    signed_in = asyncio.run(flow.sign_in(UserSrpAuth("alice", "correct horse")))

    assert signed_in.username == "alice"
    failures = {(event.kind, event.error) for event in events if event.kind.startswith("device_not")}
    assert failures == {("device_not_loaded", "ConnectionError"), ("device_not_stored", "ConnectionError")}


def test_account_awaits_an_asynchronous_device_store(device_pool: Pool) -> None:
    store = AsyncMemoryStore()
    flow = device_pool.async_flow(devices=store)

    async def sign_in_and_forget() -> None:
        signed_in = await flow.sign_in(UserSrpAuth("alice", "correct horse"))
        assert store.memory.get_device(device_pool.app, "alice") == signed_in.device
        await flow.account(signed_in.tokens).forget_device()

    asyncio.run(sign_in_and_forget())

    assert store.memory.get_device(device_pool.app, "alice") is None
