"""Token sources from beginning to end: restored, begun with a refresh token, watched, signed out."""

from __future__ import annotations

import asyncio
import os
import threading
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from cognito_flow import (
    AppClient,
    MemoryStore,
    ServiceError,
    SignedOut,
    TokenRevoked,
    Tokens,
    TransportError,
    UsageError,
)
from cognito_flow.testing import Pool
from tests.support.token_sources import ALICE, World, result

# -- restore --


def test_restore_returns_a_source_of_the_stored_tokens(world: World) -> None:
    store, tokens = MemoryStore(), world.sign_in()
    store.put_tokens(world.app, "alice", tokens)

    source = world.restore(store)

    assert source is not None
    assert (source.tokens(), world.refreshes()) == (tokens, 0)


def test_restored_source_stores_what_it_refreshes(world: World) -> None:
    store = MemoryStore()
    store.put_tokens(world.app, "alice", world.sign_in())
    source = world.restore(store)
    assert source is not None
    world.advance(3600)

    assert source.tokens() == store.get_tokens(world.app, "alice")
    assert world.refreshes() == 1


def test_restored_source_has_the_leeway_and_the_callback_that_were_passed(world: World) -> None:
    store, seen = MemoryStore(), list[Tokens]()
    store.put_tokens(world.app, "alice", world.sign_in())
    source = world.restore(store, leeway=600, on_tokens=seen.append)
    assert source is not None
    world.advance(3000)

    assert [source.tokens()] == seen


def test_restore_of_an_unknown_user_returns_none(world: World) -> None:
    assert world.restore(MemoryStore()) is None


def test_restore_without_a_store_raises_usage_error(world: World) -> None:
    with pytest.raises(UsageError, match="store="):
        world.restore(None)


def test_token_source_uses_the_store_of_the_flow(world: World) -> None:
    store = MemoryStore()
    tokens = world.sign_in()
    source = world.flow(store=store).token_source(tokens)
    assert store.get_tokens(world.app, "alice") is None

    result(source.tokens())

    assert store.get_tokens(world.app, "alice") == tokens


def test_token_source_prefers_its_own_store(world: World) -> None:
    flows, own = MemoryStore(), MemoryStore()

    result(world.flow(store=flows).token_source(world.sign_in(), store=own).tokens())

    assert flows.users(world.app) == []
    assert own.users(world.app) == ["alice"]


# -- a refresh token alone --


def test_source_of_a_refresh_token_refreshes_at_first_use(world: World) -> None:
    tokens = world.sign_in()
    assert tokens.refresh_token is not None
    source = world.source(tokens.refresh_token)
    assert world.refreshes() == 0

    assert source.tokens().username == "alice"
    assert source.access_token() == source.access_token()
    assert world.refreshes() == 1


def test_source_of_a_refresh_token_stores_under_the_users_own_name(world: World) -> None:
    store = MemoryStore()
    source = world.source(world.sign_in().refresh_token, store=store)

    tokens = source.tokens()

    assert store.users(world.app) == ["alice"]
    assert store.get_tokens(world.app, "alice") == tokens


def test_source_of_an_invalid_refresh_token_does_not_touch_the_store(world: World) -> None:
    class Untouched(MemoryStore):
        def get_tokens(self, app: AppClient, username: str) -> Tokens | None:
            raise AssertionError(username)

    with pytest.raises(ServiceError):
        world.source("not a token", store=Untouched()).tokens()


def test_leeway_of_a_day_works_with_a_refresh_token(world: World) -> None:
    assert world.source(world.sign_in().refresh_token, leeway=86_400).tokens().username == "alice"


@pytest.mark.parametrize("wrong", ["", None, b"refresh", {"refresh_token": "x"}])
def test_source_of_anything_else_raises_usage_error(pool: Pool, wrong: Any) -> None:
    with pytest.raises(UsageError, match="refresh token"):
        pool.flow().token_source(wrong)


# -- on_tokens --


def test_on_tokens_is_called_with_new_tokens_only(world: World) -> None:
    reported: list[Tokens] = []
    source = world.source(on_tokens=reported.append)
    source.tokens()
    assert reported == []
    world.advance(3600)

    new = source.tokens()
    source.tokens()

    assert reported == [new]


def test_on_tokens_is_called_for_a_bare_refresh_token(world: World) -> None:
    reported: list[Tokens] = []
    new = world.source(world.sign_in().refresh_token, on_tokens=reported.append).tokens()
    assert reported == [new]


def test_on_tokens_is_called_with_tokens_of_another_process(world: World) -> None:
    reported: list[Tokens] = []
    store, tokens = MemoryStore(), world.sign_in()
    one = world.source(tokens, store=store)
    other = world.source(tokens, store=store, on_tokens=reported.append)
    world.advance(3600)

    assert one.tokens() == other.tokens()
    assert reported == [one.tokens()]


def test_on_tokens_that_raises_is_called_again(world: World) -> None:
    """No tokens are returned that were not reported."""
    reported: list[Tokens] = []
    failures = [ConnectionError("no database")]

    def report(tokens: Tokens) -> None:
        if failures:
            raise failures.pop()
        reported.append(tokens)

    source = world.source(on_tokens=report)
    world.advance(3600)
    with pytest.raises(ConnectionError, match="no database"):
        source.tokens()

    new = source.tokens()

    assert reported == [new]
    assert world.refreshes() == 1


def test_coroutine_function_as_on_tokens_is_awaited(pool: Pool, app: AppClient) -> None:
    reported: list[Tokens] = []

    async def report(tokens: Tokens) -> None:
        await asyncio.sleep(0)
        reported.append(tokens)

    source = pool.async_flow(app).token_source(pool.flow(app).sign_in(ALICE).tokens, on_tokens=report)
    pool.cognito.clock.advance(3600)

    new = asyncio.run(source.tokens())

    assert reported == [new]


def test_coroutine_function_as_on_tokens_of_a_blocking_source_raises_usage_error(
    pool: Pool, app: AppClient
) -> None:
    async def report(_tokens: Tokens) -> None:
        raise AssertionError("never awaited")

    source = pool.flow(app).token_source(pool.flow(app).sign_in(ALICE).tokens, on_tokens=report)
    pool.cognito.clock.advance(3600)

    with pytest.raises(UsageError, match="AsyncAuthFlow"):
        source.tokens()


# -- sign_out --


def test_sign_out_revokes_the_tokens_and_deletes_them_from_the_store(world: World) -> None:
    store, tokens = MemoryStore(), world.sign_in()
    source = world.source(tokens, store=store)
    source.tokens()

    source.sign_out()

    assert store.users(world.app) == []
    with pytest.raises(SignedOut):
        world.pool.flow(world.app).refresh(tokens)


def test_signed_out_source_raises_token_revoked_without_a_call(world: World) -> None:
    source = world.source()
    source.sign_out()
    before = world.calls()

    for _ in range(2):
        with pytest.raises(TokenRevoked, match="sign in again"):
            source.tokens()
    assert world.calls() == before


def test_second_sign_out_does_nothing(world: World) -> None:
    source = world.source()
    source.sign_out()
    source.sign_out()
    assert world.calls().count("RevokeToken") == 1


def test_sign_out_revokes_the_newest_tokens_of_the_store(world: World) -> None:
    """Another process has rotated the refresh token."""
    store, tokens = MemoryStore(), world.sign_in()
    source = world.source(tokens, store=store)
    world.advance(3600)
    newer = world.source(tokens, store=store).tokens()

    source.sign_out()

    with pytest.raises(SignedOut):
        world.pool.flow(world.app).refresh(newer)


def test_sign_out_of_a_bare_refresh_token_revokes_it(world: World) -> None:
    tokens = world.sign_in()
    world.source(tokens.refresh_token, store=MemoryStore()).sign_out()
    with pytest.raises(SignedOut):
        world.pool.flow(world.app).refresh(tokens)


def test_sign_out_without_a_refresh_token_deletes_the_tokens(world: World) -> None:
    store, tokens = MemoryStore(), attrs.evolve(world.sign_in(), refresh_token=None)
    source = world.source(tokens, store=store)
    source.tokens()

    source.sign_out()

    assert (store.users(world.app), world.calls().count("RevokeToken")) == ([], 0)


def test_sign_out_that_does_not_reach_cognito_can_be_repeated(world: World) -> None:
    store, tokens = MemoryStore(), world.sign_in()
    source = world.source(tokens, store=store)
    source.tokens()
    world.pool.cognito.faults.lose("RevokeToken", times=3)

    with pytest.raises(TransportError):
        source.sign_out()
    assert store.get_tokens(world.app, "alice") == source.tokens() == tokens
    source.sign_out()
    assert store.users(world.app) == []


def test_sign_out_that_cognito_refuses_deletes_the_tokens_all_the_same(pool: Pool) -> None:
    """This app client does not allow revocation: else no user could ever sign out here."""
    app = pool.app_client(flows=("ALLOW_USER_SRP_AUTH",), enable_token_revocation=False)
    store = MemoryStore()
    flow = pool.flow(app, store=store)
    source = flow.token_source(flow.sign_in(ALICE).tokens)
    source.tokens()

    with pytest.raises(ServiceError) as caught:
        source.sign_out()
    assert not caught.value.retryable
    assert store.users(app) == []
    with pytest.raises(TokenRevoked):
        source.tokens()


def test_sign_out_waits_for_a_running_refresh(pool: Pool, app: AppClient) -> None:
    """Else the refresh would put the tokens back into the store."""
    store, flow = MemoryStore(), pool.async_flow(app)
    source = flow.token_source(pool.flow(app).sign_in(ALICE).tokens, store=store)
    pool.cognito.clock.advance(3600)

    async def refresh_and_sign_out() -> None:
        refreshing = asyncio.create_task(source.tokens())
        await asyncio.sleep(0)
        await source.sign_out()
        await asyncio.gather(refreshing, return_exceptions=True)

    asyncio.run(refresh_and_sign_out())

    assert store.users(app) == []
    with pytest.raises(TokenRevoked):
        asyncio.run(source.tokens())


# -- forks --


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_child_forked_during_a_refresh_can_use_the_source(pool: Pool, app: AppClient) -> None:
    """The thread that holds the lock does not exist in the child, and would never release it there."""
    source = pool.flow(app).token_source(pool.flow(app).sign_in(ALICE).tokens)
    is_held, is_over = threading.Event(), threading.Event()

    def hold() -> None:
        with source._lock.of_this_process:
            is_held.set()
            is_over.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    is_held.wait()
    if (child := os.fork()) == 0:
        threading.Timer(20, os._exit, [1]).start()
        with source._lock.of_this_process:
            os._exit(0)
    is_over.set()
    holder.join()

    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_child_forked_during_an_asynchronous_refresh_begins_its_own(pool: Pool, app: AppClient) -> None:
    source = pool.async_flow(app).token_source(pool.flow(app).sign_in(ALICE).tokens)

    async def fork_during_a_run() -> int:
        never = asyncio.Event()

        async def run() -> Tokens:
            await never.wait()
            raise AssertionError

        task = asyncio.create_task(source._flight.join(run))
        await asyncio.sleep(0)
        assert source._flight.is_running
        if (child := os.fork()) == 0:
            os._exit(source._flight.is_running)
        task.cancel()
        return child

    assert os.waitpid(asyncio.run(fork_during_a_run()), 0)[1] == 0


@pytest.mark.parametrize("kind", ["flow", "async_flow"])
def test_source_names_the_user_and_the_device_of_the_sign_in(pool: Pool, kind: str) -> None:
    tokens = Tokens("access", expires_at=datetime(2030, 1, 1, tzinfo=UTC), username="alice", device_key="key")

    source = getattr(pool, kind)().token_source(tokens)

    assert (source.username, source.device_key) == ("alice", "key")
