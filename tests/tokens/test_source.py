"""Token sources: when they refresh, what they return meanwhile, and what they store."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest

from cognito_flow import (
    AppClient,
    AsyncTokenSource,
    MemoryStore,
    RefreshTokenReused,
    SignedOut,
    StoreError,
    System,
    Throttled,
    Tokens,
    UsageError,
)
from cognito_flow.testing import Pool
from cognito_flow.tokens._flight import Holding
from tests.support.token_sources import ALICE, REFRESH, Source, World

MANY = 200


def test_tokens_that_expire_later_are_returned_without_a_call(world: World) -> None:
    tokens = world.sign_in()
    source = world.source(tokens)
    world.advance(3600 - 61)
    assert (source.tokens(), world.refreshes()) == (tokens, 0)


def test_tokens_are_refreshed_leeway_seconds_before_they_expire(world: World) -> None:
    source = world.source(leeway=300)
    before = source.access_token()
    world.advance(3600 - 300)
    assert source.access_token() != before
    assert source.access_token() == source.access_token()
    assert world.refreshes() == 1


def test_refresh_is_up_to_twice_the_leeway_early(pool: Pool, app: AppClient) -> None:
    """So that sources that began together do not refresh together."""
    eager = System(now=pool.cognito.clock, random_bytes=lambda length: b"\xff" * length)
    tokens = pool.flow(app).sign_in(ALICE).tokens
    source = pool.flow(app, system=eager).token_source(tokens, leeway=300)
    pool.cognito.clock.advance(3600 - 600)
    assert source.access_token() != tokens.access_token


def test_leeway_longer_than_a_token_lives_refreshes_once_in_five_seconds(world: World) -> None:
    source = world.source(leeway=7200)
    tokens = [source.access_token() for _ in range(5)]
    assert (len(set(tokens)), world.refreshes()) == (1, 1)
    world.advance(5)
    assert source.access_token() not in tokens


@pytest.mark.parametrize("leeway", [-1, 86_401, float("inf"), float("nan"), 10**400])
def test_leeway_that_is_negative_or_longer_than_a_day_is_a_usage_error(world: World, leeway: float) -> None:
    with pytest.raises(UsageError, match="leeway"):
        world.source(leeway=leeway)


def test_valid_tokens_are_returned_while_a_refresh_fails_temporarily(world: World) -> None:
    """Cognito is asked again after five seconds."""
    tokens = world.sign_in()
    source = world.source(tokens)
    world.advance(3600 - 30)
    world.pool.cognito.faults.throttle(REFRESH, times=3)

    assert [source.access_token() for _ in range(10)] == [tokens.access_token] * 10
    assert world.refreshes() == 3  # the repetitions of one refresh
    world.advance(5)
    assert source.access_token() != tokens.access_token


@attrs.define
class WrongClock:
    """A local clock that is ahead of Cognito's, until it is set back."""

    world: World
    ahead: timedelta = timedelta(hours=2)

    def __call__(self) -> datetime:
        return self.world.pool.cognito.clock() + self.ahead

    def set_back(self) -> None:
        self.ahead = timedelta()

    def source(self, tokens: Tokens | None = None, store: MemoryStore | None = None) -> Source:
        """A source of tokens that were obtained by this clock, or of these."""
        pool, system = self.world.pool, System(now=self, random_bytes=bytes, sleep=lambda _: None)
        if tokens is None:
            tokens = pool.flow(self.world.app, system=System(now=self)).sign_in(ALICE).tokens
        make = pool.async_flow if self.world.is_async else pool.flow
        return Source(make(self.world.app, system=system).token_source(tokens, store=store))


def test_tokens_are_refreshed_once_after_the_clock_was_set_back(world: World) -> None:
    clock = WrongClock(world)
    source = clock.source()
    first = source.access_token()
    world.advance(1800)
    assert (source.access_token(), world.refreshes()) == (first, 0)

    clock.set_back()
    second = source.access_token()
    assert [source.access_token() for _ in range(3)] == [second] * 3
    assert (second != first, world.refreshes()) == (True, 1)
    world.advance(3600)  # the new tokens expire by the right clock
    assert source.access_token() != second


def test_expired_tokens_are_not_fresh_after_the_clock_was_set_back(world: World) -> None:
    clock = WrongClock(world)
    source = clock.source()
    clock.set_back()
    world.advance(3700)

    world.pool.verifier(world.app, leeway=0).verify_access(source.access_token())


def test_failed_refresh_after_the_clock_was_set_back_is_repeated_after_five_seconds(world: World) -> None:
    clock = WrongClock(world)
    source = clock.source()
    first = source.access_token()
    clock.set_back()
    world.pool.cognito.faults.throttle(REFRESH, times=6)

    assert [source.access_token() for _ in range(10)] == [first] * 10
    assert world.refreshes() == 3  # the repetitions of one refresh
    world.advance(4.9)
    assert (source.access_token(), world.refreshes()) == (first, 3)
    world.advance(0.1)
    assert (source.access_token(), world.refreshes()) == (first, 6)
    world.advance(5)
    assert source.access_token() != first


def test_tokens_from_a_machine_whose_clock_is_ahead_are_not_refreshed(world: World) -> None:
    """What counts is when the source got them."""
    tokens = world.sign_in()
    ahead = attrs.evolve(tokens, expires_at=tokens.expires_at + timedelta(hours=2))

    assert (world.source(ahead).tokens(), world.refreshes()) == (ahead, 0)


def test_stored_tokens_are_refreshed_after_the_clock_was_set_back(world: World) -> None:
    """Another process may have set them by the same wrong clock."""
    clock, store = WrongClock(world), MemoryStore()
    idle = clock.source(store=store)
    stored_by_idle = idle.tokens()
    other = clock.source(stored_by_idle, store)
    stored_by_other = other.refresh(stored_by_idle.access_token)
    clock.set_back()

    fresh = idle.tokens()

    assert fresh not in (stored_by_idle, stored_by_other)
    assert fresh.expires_at == clock() + timedelta(hours=1)


def test_temporary_error_is_raised_when_the_tokens_have_expired(world: World) -> None:
    """Every caller gets it, without a call for each."""
    source = world.source()
    world.advance(3600)
    world.pool.cognito.faults.throttle(REFRESH, times=3)
    for _ in range(3):
        with pytest.raises(Throttled) as error:
            source.access_token()
        assert error.value.__cause__ is not None
    assert world.refreshes() == 3


def test_permanent_error_is_raised_although_the_access_token_is_valid(world: World) -> None:
    tokens = world.sign_in()
    source = world.source(tokens)
    world.pool.flow(world.app).revoke(tokens)
    world.advance(3600 - 30)
    with pytest.raises(SignedOut):
        source.access_token()


def test_rejected_token_is_replaced_once(world: World) -> None:
    """A server that refuses the new one too has another reason."""
    source = world.source()
    first = source.access_token()
    second = source.refresh(first).access_token
    assert second != first
    assert source.refresh(first).access_token == second
    assert source.refresh(second).access_token == second
    assert world.refreshes() == 1


def test_rejected_token_is_returned_to_others_if_the_refresh_fails(world: World) -> None:
    source = world.source()
    first = source.access_token()
    world.pool.cognito.faults.throttle(REFRESH, times=3)
    with pytest.raises(Throttled):
        source.refresh(first)
    assert source.access_token() == first


def test_late_rejection_of_an_older_token_does_not_undo_that_of_the_current_one(
    pool: Pool, app: AppClient
) -> None:
    store, flow = Locking(), pool.async_flow(app)
    older = pool.flow(app).sign_in(ALICE).tokens
    source = flow.token_source(pool.flow(app).refresh(older), store=store)

    async def refuse_both() -> tuple[str, Tokens]:
        newer = await source.access_token()
        with store.turn:
            refreshing = asyncio.create_task(source.refresh(newer))
            await asyncio.sleep(0)
            late = asyncio.create_task(source.refresh(older.access_token))
            await asyncio.sleep(0)
        await late
        return newer, await refreshing

    newer, refreshed = asyncio.run(refuse_both())
    assert refreshed.access_token != newer


def test_clock_that_is_set_back_does_not_stop_refreshes(world: World) -> None:
    source = world.source()
    second = source.refresh(source.access_token()).access_token
    world.advance(-3600)
    assert source.refresh(second).access_token != second


def test_five_seconds_begin_at_the_end_of_a_slow_failure(world: World) -> None:
    source = world.source(sleep=lambda _: world.advance(30))
    world.advance(3600)
    world.pool.cognito.faults.throttle(REFRESH, times=100)
    for _ in range(5):
        with pytest.raises(Throttled):
            source.tokens()
    assert world.refreshes() == 3


# -- ID tokens --


@pytest.fixture
def short_id_tokens(world: World) -> World:
    """The same, with an app client whose ID tokens are valid for ten minutes and access tokens for an hour."""
    app = world.pool.app_client(
        flows=("ALLOW_USER_SRP_AUTH",), id_token_validity=10, token_validity_units={"IdToken": "minutes"}
    )
    return attrs.evolve(world, app=app)


def test_tokens_are_refreshed_before_the_id_token_expires(short_id_tokens: World) -> None:
    source = short_id_tokens.source()
    before = source.id_token()
    short_id_tokens.advance(600 - 61)
    assert source.id_token() == before

    short_id_tokens.advance(1)

    assert source.id_token() != before
    assert short_id_tokens.refreshes() == 1


def test_expired_id_token_is_not_served_while_a_refresh_fails(short_id_tokens: World) -> None:
    source = short_id_tokens.source()
    short_id_tokens.advance(600)
    short_id_tokens.pool.cognito.faults.throttle(REFRESH, times=3)
    with pytest.raises(Throttled):
        source.id_token()


@pytest.mark.parametrize("skew", [-7200, 7200])
def test_wrong_local_clock_does_not_change_how_long_tokens_are_used(pool: Pool, skew: float) -> None:
    """Tokens name their end by Cognito's clock; the local clock counts from when they were received."""
    app, clock = pool.app_client(flows=("ALLOW_USER_SRP_AUTH",)), pool.cognito.clock
    system = System(now=lambda: clock() + timedelta(seconds=skew), random_bytes=bytes)
    tokens = pool.flow(app).sign_in(ALICE).tokens
    received = attrs.evolve(tokens, expires_at=system.now() + timedelta(seconds=3600))
    source = pool.flow(app, system=system).token_source(received)

    clock.advance(3600 - 61)
    assert source.tokens() == received
    clock.advance(1)
    assert source.tokens() != received


def test_end_of_an_id_token_counts_beside_an_opaque_access_token(short_id_tokens: World) -> None:
    tokens = attrs.evolve(short_id_tokens.sign_in(), access_token="opaque")
    source = short_id_tokens.source(tokens)
    short_id_tokens.advance(600 - 60)
    assert source.id_token() != tokens.id_token


def test_id_token_that_a_server_refused_is_replaced(world: World) -> None:
    source = world.source()
    first = source.id_token()
    assert source.refresh(first).id_token != first
    assert world.refreshes() == 1


def test_missing_id_token_raises_usage_error(world: World) -> None:
    source = world.source(attrs.evolve(world.sign_in(), id_token=None))
    with pytest.raises(UsageError, match="openid"):
        source.id_token()


# -- with a store --


@attrs.define
class Store(MemoryStore):
    """A store that may fail, and that records what was put."""

    stored: list[Tokens] = attrs.field(factory=list[Tokens], init=False)
    is_full: bool = attrs.field(default=False, init=False)

    def put_tokens(self, app: AppClient, username: str, tokens: Tokens) -> None:
        if self.is_full:
            raise OSError("no space left on device")
        self.stored.append(tokens)
        super().put_tokens(app, username, tokens)


def test_tokens_are_stored_once_before_they_are_returned(world: World) -> None:
    tokens, store = world.sign_in(), Store()
    source = world.source(tokens, store=store)
    source.tokens()
    source.tokens()
    assert store.stored == [tokens]
    world.advance(3600)
    assert source.tokens() == store.get_tokens(world.app, "alice") == store.stored[-1]
    assert len(store.stored) == 2


def test_tokens_from_the_store_are_not_stored_again(world: World) -> None:
    tokens, store = world.sign_in(), Store()
    store.put_tokens(world.app, "alice", tokens)
    world.source(tokens, store=store).tokens()
    assert len(store.stored) == 1


def test_tokens_stay_in_memory_if_the_store_fails_and_are_stored_next_time(world: World) -> None:
    store = Store()
    source = world.source(store=store)
    source.tokens()
    world.advance(3600)
    store.is_full = True
    for _ in range(2):
        with pytest.raises(OSError, match="no space"):
            source.tokens()
    store.is_full = False
    assert source.tokens() == store.get_tokens(world.app, "alice")
    assert world.refreshes() == 1


def test_valid_tokens_are_returned_while_the_store_fails_temporarily(world: World) -> None:
    class Away(MemoryStore):
        is_away = False

        def get_tokens(self, app: AppClient, username: str) -> Tokens | None:
            if self.is_away:
                raise StoreError("locked", retryable=True)
            return super().get_tokens(app, username)

    tokens, store = world.sign_in(), Away()
    source = world.source(tokens, store=store)
    source.tokens()
    store.is_away = True
    world.advance(3600 - 30)
    assert source.tokens() == tokens
    world.advance(30)
    with pytest.raises(StoreError, match="locked"):
        source.tokens()


def test_store_that_fails_during_a_refresh_does_not_make_expired_tokens_valid(world: World) -> None:
    class Breaking(MemoryStore):
        reads_left = 100

        def get_tokens(self, app: AppClient, username: str) -> Tokens | None:
            self.reads_left -= 1
            if self.reads_left == 0:
                raise ConnectionError("reset by peer")
            return super().get_tokens(app, username)

    tokens, store = world.sign_in(), Breaking()
    source = world.source(tokens, store=store)
    source.tokens()
    world.pool.flow(world.app).revoke(tokens)
    world.advance(3600)
    store.reads_left = 2
    with pytest.raises(ConnectionError):
        source.tokens()
    with pytest.raises(SignedOut):
        source.tokens()


def test_valid_stored_tokens_are_returned_at_first_use_while_a_refresh_fails_temporarily(
    world: World,
) -> None:
    tokens = world.sign_in()
    world.advance(3600 - 30)
    world.pool.cognito.faults.throttle(REFRESH, times=3)
    assert world.source(tokens, store=MemoryStore()).tokens() == tokens


def test_tokens_that_another_process_stored_are_used_without_a_call(world: World) -> None:
    store = MemoryStore()
    tokens = world.sign_in()
    one, other = world.source(tokens, store=store), world.source(tokens, store=store)
    one.tokens()
    world.advance(3600)
    assert one.tokens() == other.tokens()
    assert world.refreshes() == 1


def test_stored_tokens_that_were_issued_earlier_are_replaced_even_if_they_expire_later(world: World) -> None:
    """They came while the clock was ahead, or were valid for longer."""
    store, older = MemoryStore(), world.sign_in()
    store.put_tokens(world.app, "alice", attrs.evolve(older, expires_at=older.expires_at + timedelta(days=1)))
    world.advance(60)
    newer = world.sign_in()
    assert world.source(newer, store=store).tokens() == newer == store.get_tokens(world.app, "alice")


def test_opaque_tokens_are_compared_by_when_they_expire(world: World) -> None:
    """An emulator's tokens need not be JWTs."""
    store, tokens = MemoryStore(), attrs.evolve(world.sign_in(), access_token="opaque")
    later = attrs.evolve(tokens, expires_at=tokens.expires_at + timedelta(seconds=60))
    store.put_tokens(world.app, "alice", later)
    assert world.source(tokens, store=store).tokens() == later


def test_older_stored_tokens_are_replaced(world: World) -> None:
    store = MemoryStore()
    store.put_tokens(world.app, "alice", world.sign_in())
    world.advance(10)
    tokens = world.sign_in()
    assert world.source(tokens, store=store).tokens() == tokens == store.get_tokens(world.app, "alice")


@attrs.define
class Behind(MemoryStore):
    """A store whose refreshes of two processes cross: the other one's tokens appear during ours."""

    other: Tokens | None = attrs.field(default=None)
    reads: int = attrs.field(default=0, init=False)

    def get_tokens(self, app: AppClient, username: str) -> Tokens | None:
        self.reads += 1
        return super().get_tokens(app, username) if self.reads % 2 else self.other


@pytest.mark.parametrize("wait", [0, 3600], ids=["fresh", "due as well"])
def test_reused_refresh_token_makes_the_source_read_the_store_again(world: World, wait: float) -> None:
    """Another process was faster. Its tokens are used, and refreshed if they are due."""
    tokens = world.sign_in()
    world.advance(3600)
    other = world.pool.flow(world.app).refresh(tokens)
    world.advance(1 + wait)

    new = world.source(tokens, store=Behind(other)).tokens()

    assert (new == other) == (wait == 0)
    assert world.refreshes() == 2 + (wait > 0)


def test_reused_refresh_token_is_an_error_if_the_store_has_no_other_tokens(world: World) -> None:
    tokens = world.sign_in()
    world.advance(3600)
    world.pool.flow(world.app).refresh(tokens)
    world.advance(1)
    with pytest.raises(RefreshTokenReused):
        world.source(tokens, store=MemoryStore()).tokens()


@attrs.define
class Locking(MemoryStore):
    """A store whose lock can be held up, and that records which thread holds it."""

    turn: threading.Lock = attrs.field(factory=threading.Lock, init=False)
    is_waited_for: threading.Event = attrs.field(factory=threading.Event, init=False)
    holders: list[int] = attrs.field(factory=list[int], init=False)

    def lock(self, app: AppClient, username: str) -> AbstractContextManager[None]:
        """Return a lock that belongs to the thread that took it."""
        return self._locked()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.is_waited_for.set()
        with self.turn:
            self.holders.append(threading.get_ident())
            yield
            assert threading.get_ident() == self.holders[-1]


def test_sources_of_one_user_refresh_in_turn_and_only_once(world: World) -> None:
    store, tokens = Locking(), world.sign_in()
    sources = [world.source(tokens, store=store) for _ in range(20)]
    world.advance(3600)
    with ThreadPoolExecutor(20) as threads:
        new = {found.access_token for found in threads.map(Source.tokens, sources)}
    assert (len(new), world.refreshes(), len(store.holders)) == (1, 1, 20)


async def _ask_all(sources: list[AsyncTokenSource]) -> set[str]:
    return set(await asyncio.gather(*(source.access_token() for source in sources)))


def test_many_asynchronous_sources_that_wait_for_the_lock_do_not_starve_its_holder(
    pool: Pool, app: AppClient
) -> None:
    """They wait in threads of their own."""
    store, tokens, flow = Locking(), pool.flow(app).sign_in(ALICE).tokens, pool.async_flow(app)
    sources = [flow.token_source(tokens, store=store) for _ in range(50)]
    pool.cognito.clock.advance(3600)
    assert len(asyncio.run(_ask_all(sources))) == 1


def test_task_that_is_cancelled_while_it_waits_for_the_lock_leaves_it_free(
    pool: Pool, app: AppClient
) -> None:
    store = Locking()
    source = pool.async_flow(app).token_source(pool.flow(app).sign_in(ALICE).tokens, store=store)

    async def end_while_waiting() -> None:
        asking = asyncio.create_task(source.tokens())
        await asyncio.to_thread(store.is_waited_for.wait)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    with store.turn:
        asyncio.run(end_while_waiting())
    while not store.holders:  # the thread that waited is not stopped: it takes its turn, and ends it
        time.sleep(0.01)
    with store.turn:
        assert len(store.holders) == 1


class Strict(Locking):
    """A store whose methods must not be called on an event loop."""

    def lock(self, app: AppClient, username: str) -> AbstractContextManager[None]:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        return super().lock(app, username)


def test_lock_of_the_store_is_not_made_on_the_event_loop(pool: Pool, app: AppClient) -> None:
    """It may connect to a server before there is anything to enter."""
    store = Strict()
    source = pool.async_flow(app).token_source(pool.flow(app).sign_in(ALICE).tokens, store=store)
    asyncio.run(source.tokens())
    assert len(store.holders) == 1


# -- many at once --


def test_many_threads_share_one_refresh(pool: Pool, app: AppClient) -> None:
    source = pool.flow(app).token_source(pool.flow(app).sign_in(ALICE).tokens)
    before = source.access_token()
    pool.cognito.clock.advance(3600)
    gate = threading.Barrier(MANY)

    def ask(_: int) -> str:
        gate.wait()
        return source.access_token()

    with ThreadPoolExecutor(MANY) as threads:
        (new,) = set(threads.map(ask, range(MANY)))

    assert new != before
    assert [call.operation for call in pool.cognito.calls].count(REFRESH) == 1


def test_many_tasks_share_one_refresh(pool: Pool, app: AppClient) -> None:
    source = pool.async_flow(app).token_source(pool.flow(app).sign_in(ALICE).tokens)
    before = asyncio.run(source.access_token())
    pool.cognito.clock.advance(3600)

    (new,) = asyncio.run(_ask_all([source] * MANY))

    assert new != before
    assert [call.operation for call in pool.cognito.calls].count(REFRESH) == 1


def test_threads_with_a_valid_token_do_not_wait_for_a_refresh(pool: Pool, app: AppClient) -> None:
    store = Locking()
    tokens = pool.flow(app).sign_in(ALICE).tokens
    source = pool.flow(app).token_source(tokens, store=store)
    source.tokens()
    pool.cognito.clock.advance(3600 - 30)
    with store.turn, ThreadPoolExecutor(1) as thread:
        refreshing = thread.submit(source.access_token)
        while not source._lock.of_this_process.locked():
            pass
        assert source.access_token() == tokens.access_token
        store.turn.release()
        assert refreshing.result() != tokens.access_token
        store.turn.acquire()


def test_tokens_that_are_not_stored_yet_are_not_returned_to_other_threads(pool: Pool, app: AppClient) -> None:
    """Not even to one that reads them while they change."""
    is_asked, is_new, clock = threading.Event(), threading.Event(), pool.cognito.clock
    asking = threading.local()

    class Slow(Locking):
        def put_tokens(self, app: AppClient, username: str, tokens: Tokens) -> None:
            is_new.set()
            time.sleep(0.2)
            super().put_tokens(app, username, tokens)

    def now() -> datetime:
        if asking.__dict__:
            is_asked.set()
            is_new.wait()
        return clock()

    def gets_what_is_stored() -> bool:
        asking.now = True
        return source.tokens() == store.get_tokens(app, "alice")

    store = Slow()
    flow = pool.flow(app, system=System(now=now))
    source = flow.token_source(pool.flow(app).sign_in(ALICE).tokens, store=store)
    source.tokens()
    is_new.clear()
    clock.advance(3600 - 30)
    with store.turn, ThreadPoolExecutor(2) as threads:
        refreshing = threads.submit(source.tokens)
        while not source._lock.of_this_process.locked():
            pass
        asked = threads.submit(gets_what_is_stored)
        is_asked.wait()
        store.turn.release()
        assert asked.result()
        refreshing.result()
        store.turn.acquire()


def test_token_that_is_rejected_while_a_refresh_ends_is_replaced(pool: Pool, app: AppClient) -> None:
    """The refresh has checked the token before it was rejected."""
    is_over = threading.Event()

    class Leaving(MemoryStore):
        @contextmanager
        def lock(self, app: AppClient, username: str) -> Iterator[None]:
            yield
            is_over.set()
            time.sleep(0.2)

    tokens = pool.flow(app).sign_in(ALICE).tokens
    source = pool.async_flow(app).token_source(tokens, store=Leaving())

    async def refuse() -> Tokens:
        asking = asyncio.create_task(source.tokens())
        await asyncio.to_thread(is_over.wait)
        refreshed = await source.refresh(tokens.access_token)
        await asking
        return refreshed

    assert asyncio.run(refuse()).access_token != tokens.access_token


def test_tasks_with_a_valid_token_do_not_wait_for_a_refresh(pool: Pool, app: AppClient) -> None:
    store = Locking()
    tokens = pool.flow(app).sign_in(ALICE).tokens
    source = pool.async_flow(app).token_source(tokens, store=store)

    async def ask() -> tuple[str, str]:
        await source.tokens()
        pool.cognito.clock.advance(3600 - 30)
        store.turn.acquire()
        refreshing = asyncio.create_task(source.access_token())
        await asyncio.sleep(0)
        meanwhile = await source.access_token()
        store.turn.release()
        return meanwhile, await refreshing

    meanwhile, after = asyncio.run(ask())
    assert meanwhile == tokens.access_token != after


def test_cancelled_task_does_not_stop_the_refresh(pool: Pool, app: AppClient) -> None:
    """Else rotated tokens would be lost."""
    store = MemoryStore()
    source = pool.async_flow(app).token_source(pool.flow(app).sign_in(ALICE).tokens, store=store)
    pool.cognito.clock.advance(3600)

    async def cancel_the_first() -> str:
        first = asyncio.create_task(source.access_token())
        await asyncio.sleep(0)
        second = asyncio.create_task(source.access_token())
        await asyncio.sleep(0)
        first.cancel()
        return await second

    new, kept = asyncio.run(cancel_the_first()), store.get_tokens(app, "alice")
    assert kept is not None
    assert kept.access_token == new
    assert [call.operation for call in pool.cognito.calls].count(REFRESH) == 1


def test_failure_after_every_waiter_was_cancelled_does_not_make_asyncio_warn(
    pool: Pool, app: AppClient
) -> None:
    source = pool.async_flow(app).token_source(pool.flow(app).sign_in(ALICE).tokens)
    pool.cognito.clock.advance(3600)
    pool.cognito.faults.throttle(REFRESH, times=3)
    warnings: list[dict[str, Any]] = []

    async def leave() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: warnings.append(context))
        asking = asyncio.create_task(source.access_token())
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        while [call.operation for call in pool.cognito.calls].count(REFRESH) < 3:  # noqa: ASYNC110 - nothing tells when the last call is over
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)

    asyncio.run(leave())
    assert warnings == []


# -- event loops --


@attrs.define
class Pausing:
    """A source whose refresh has stopped at a pause, because Cognito was busy once."""

    source: AsyncTokenSource
    is_waiting: bool = False

    @classmethod
    def of(cls, pool: Pool, app: AppClient) -> Pausing:
        """Return a source with expired tokens."""
        cognito, tokens = pool.cognito, pool.flow(app).sign_in(ALICE).tokens
        flow = pool.async_flow(app, system=System(now=cognito.clock, sleep=lambda _: pausing.wait()))
        pausing = cls(flow.token_source(tokens))
        cognito.clock.advance(3600)
        cognito.faults.throttle(REFRESH, times=1)
        return pausing

    async def wait(self) -> None:
        """Wait forever."""
        self.is_waiting = True
        await asyncio.Event().wait()

    async def begin(self) -> asyncio.Task[Tokens]:
        """Ask for tokens, and return when the refresh has stopped."""
        asking = asyncio.create_task(self.source.tokens())
        while not self.is_waiting:  # noqa: ASYNC110 - the refresh itself tells
            await asyncio.sleep(0.001)
        return asking


def test_refresh_that_ended_with_its_event_loop_is_repeated(pool: Pool, app: AppClient) -> None:
    pausing = Pausing.of(pool, app)
    asyncio.run(pausing.begin())
    assert asyncio.run(pausing.source.tokens()).expires_at > pool.cognito.clock()


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # asyncio's own, for such an end
def test_refresh_whose_event_loop_was_closed_is_repeated(pool: Pool, app: AppClient) -> None:
    """The loop was closed although tasks were left."""
    pausing, loop = Pausing.of(pool, app), asyncio.new_event_loop()
    loop.run_until_complete(pausing.begin())
    left = weakref.WeakSet(asyncio.all_tasks(loop))
    loop.close()
    assert asyncio.run(pausing.source.tokens()).expires_at > pool.cognito.clock()
    del pausing, loop
    while left:  # until the worker thread notices, so that asyncio logs them here and not in another test
        gc.collect()
        time.sleep(0.01)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # asyncio's own, for such an end
def test_lock_is_released_if_the_event_loop_of_its_holder_was_closed() -> None:
    turn, loop = threading.Lock(), asyncio.new_event_loop()

    async def hold() -> None:
        async with Holding(lambda: turn):
            await asyncio.Event().wait()

    holder = loop.create_task(hold())
    while not turn.locked():
        loop.run_until_complete(asyncio.sleep(0.001))
    loop.close()
    del holder
    gc.collect()

    assert turn.acquire(timeout=10)


def test_second_event_loop_during_a_refresh_is_a_usage_error(pool: Pool, app: AppClient) -> None:
    pausing = Pausing.of(pool, app)

    async def ask_from_another_loop() -> None:
        await pausing.begin()
        await asyncio.to_thread(asyncio.run, pausing.source.tokens())

    with pytest.raises(UsageError, match="another event loop"):
        asyncio.run(ask_from_another_loop())


def test_repr_of_a_source_names_the_user_and_no_token(world: World) -> None:
    tokens = world.sign_in()
    text = repr(world.source(tokens).source)
    assert "alice" in text
    assert tokens.access_token not in text
