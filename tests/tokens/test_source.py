"""Token sources: when they refresh, what they serve meanwhile, and what they keep."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
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


def test_tokens_that_are_far_from_their_end_are_given_as_they_are(world: World) -> None:
    """Without a call."""
    tokens = world.sign_in()
    source = world.source(tokens)
    world.advance(3600 - 61)
    assert (source.tokens(), world.refreshes()) == (tokens, 0)


def test_tokens_are_refreshed_ahead_of_their_end(world: World) -> None:
    """By the leeway."""
    source = world.source(leeway=300)
    before = source.access_token()
    world.advance(3600 - 300)
    assert source.access_token() != before
    assert source.access_token() == source.access_token()
    assert world.refreshes() == 1


def test_sources_that_began_together_do_not_refresh_together(pool: Pool, app: AppClient) -> None:
    """Up to twice the leeway is drawn for each."""
    eager = System(now=pool.cognito.clock, random_bytes=lambda length: b"\xff" * length)
    tokens = pool.flow(app).sign_in(ALICE).tokens
    source = pool.flow(app, system=eager).token_source(tokens, leeway=300)
    pool.cognito.clock.advance(3600 - 600)
    assert source.access_token() != tokens.access_token


def test_a_leeway_longer_than_a_token_lives_does_not_refresh_at_each_turn(world: World) -> None:
    """A refresh is tried once in five seconds."""
    source = world.source(leeway=7200)
    tokens = [source.access_token() for _ in range(5)]
    assert (len(set(tokens)), world.refreshes()) == (1, 1)
    world.advance(5)
    assert source.access_token() not in tokens


@pytest.mark.parametrize("leeway", [-1, 86_401, float("inf"), float("nan"), 10**400])
def test_a_leeway_is_part_of_a_tokens_life(world: World, leeway: float) -> None:
    """Below, tokens would be served after their end; beyond, there is no such time."""
    with pytest.raises(UsageError, match="leeway"):
        world.source(leeway=leeway)


def test_valid_tokens_are_served_while_a_refresh_fails_in_passing(world: World) -> None:
    """And Cognito is not asked again at each turn."""
    tokens = world.sign_in()
    source = world.source(tokens)
    world.advance(3600 - 30)
    world.pool.cognito.faults.throttle(REFRESH, times=3)

    assert [source.access_token() for _ in range(10)] == [tokens.access_token] * 10
    assert world.refreshes() == 3  # the repetitions of one refresh
    world.advance(5)
    assert source.access_token() != tokens.access_token


def test_passing_trouble_is_told_when_the_tokens_are_over(world: World) -> None:
    """To everybody who asks meanwhile, and without a call for each."""
    source = world.source()
    world.advance(3600)
    world.pool.cognito.faults.throttle(REFRESH, times=3)
    for _ in range(3):
        with pytest.raises(Throttled) as error:
            source.access_token()
        assert error.value.__cause__ is not None
    assert world.refreshes() == 3


def test_a_refusal_is_told_at_once(world: World) -> None:
    """The sign-in is over, although the access token may go on for a while."""
    tokens = world.sign_in()
    source = world.source(tokens)
    world.pool.flow(world.app).revoke(tokens)
    world.advance(3600 - 30)
    with pytest.raises(SignedOut):
        source.access_token()


def test_a_token_that_a_server_refused_is_replaced(world: World) -> None:
    """Once: a server that refuses the new one too has another reason."""
    source = world.source()
    first = source.access_token()
    second = source.refresh(first).access_token
    assert second != first
    assert source.refresh(first).access_token == second
    assert source.refresh(second).access_token == second
    assert world.refreshes() == 1


def test_a_refused_token_is_served_on_to_others_if_it_cannot_be_replaced(world: World) -> None:
    """The one who was refused hears why."""
    source = world.source()
    first = source.access_token()
    world.pool.cognito.faults.throttle(REFRESH, times=3)
    with pytest.raises(Throttled):
        source.refresh(first)
    assert source.access_token() == first


def test_a_late_refusal_of_an_older_token_takes_nothing_back(pool: Pool, app: AppClient) -> None:
    """The token in hand was refused, too, and is replaced."""
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


def test_a_clock_that_is_set_back_does_not_stop_refreshes(world: World) -> None:
    """The last try lies in the future now, and counts as long ago."""
    source = world.source()
    second = source.refresh(source.access_token()).access_token
    world.advance(-3600)
    assert source.refresh(second).access_token != second


def test_those_who_waited_for_a_slow_failure_do_not_wait_once_more(world: World) -> None:
    """The five seconds begin at its end."""
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
    """The same with an app client whose ID tokens live for ten minutes, and its access tokens for an hour."""
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
    """Their times are Cognito's; the local clock counts from when they came."""
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
    """A store that may fail, and that notes what was put."""

    stored: list[Tokens] = attrs.field(factory=list[Tokens], init=False)
    is_full: bool = attrs.field(default=False, init=False)

    def put_tokens(self, app: AppClient, username: str, tokens: Tokens) -> None:
        """Note it, or fail."""
        if self.is_full:
            raise OSError("no space left on device")
        self.stored.append(tokens)
        super().put_tokens(app, username, tokens)


def test_tokens_are_stored_before_they_are_handed_out(world: World) -> None:
    """The first ones, and each new ones, once."""
    tokens, store = world.sign_in(), Store()
    source = world.source(tokens, store=store)
    source.tokens()
    source.tokens()
    assert store.stored == [tokens]
    world.advance(3600)
    assert source.tokens() == store.get_tokens(world.app, "alice") == store.stored[-1]
    assert len(store.stored) == 2


def test_tokens_that_come_from_the_store_are_not_stored_again(world: World) -> None:
    """They are there."""
    tokens, store = world.sign_in(), Store()
    store.put_tokens(world.app, "alice", tokens)
    world.source(tokens, store=store).tokens()
    assert len(store.stored) == 1


def test_a_store_that_fails_loses_nothing(world: World) -> None:
    """The rotated tokens stay in hand, and are stored when somebody asks again."""
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


def test_a_store_that_is_out_of_reach_in_passing_is_no_trouble_to_valid_tokens(world: World) -> None:
    """They are served until it is back, or they end."""

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


def test_a_store_that_fails_in_the_midst_of_a_refresh_makes_no_token_valid(world: World) -> None:
    """Nothing became of that try: the next who asks gets no token that is over."""

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


def test_tokens_that_come_from_a_store_are_served_while_a_refresh_fails_in_passing(world: World) -> None:
    """Although nobody has asked for them before."""
    tokens = world.sign_in()
    world.advance(3600 - 30)
    world.pool.cognito.faults.throttle(REFRESH, times=3)
    assert world.source(tokens, store=MemoryStore()).tokens() == tokens


def test_what_another_process_stored_is_taken(world: World) -> None:
    """Without a call."""
    store = MemoryStore()
    tokens = world.sign_in()
    one, other = world.source(tokens, store=store), world.source(tokens, store=store)
    one.tokens()
    world.advance(3600)
    assert one.tokens() == other.tokens()
    assert world.refreshes() == 1


def test_older_tokens_that_end_later_are_replaced(world: World) -> None:
    """They came while the clock was ahead, or lived longer: a person who signs in again is not held to them."""
    store, older = MemoryStore(), world.sign_in()
    store.put_tokens(world.app, "alice", attrs.evolve(older, expires_at=older.expires_at + timedelta(days=1)))
    world.advance(60)
    newer = world.sign_in()
    assert world.source(newer, store=store).tokens() == newer == store.get_tokens(world.app, "alice")


def test_tokens_that_do_not_tell_their_age_go_by_their_end(world: World) -> None:
    """An emulator's tokens may be no JWTs."""
    store, tokens = MemoryStore(), attrs.evolve(world.sign_in(), access_token="opaque")
    later = attrs.evolve(tokens, expires_at=tokens.expires_at + timedelta(seconds=60))
    store.put_tokens(world.app, "alice", later)
    assert world.source(tokens, store=store).tokens() == later


def test_older_tokens_in_the_store_are_replaced(world: World) -> None:
    """The person has signed in again."""
    store = MemoryStore()
    store.put_tokens(world.app, "alice", world.sign_in())
    world.advance(10)
    tokens = world.sign_in()
    assert world.source(tokens, store=store).tokens() == tokens == store.get_tokens(world.app, "alice")


@attrs.define
class Behind(MemoryStore):
    """A store as two processes see it whose refreshes cross: the other one's tokens appear during ours."""

    other: Tokens | None = attrs.field(default=None)
    reads: int = attrs.field(default=0, init=False)

    def get_tokens(self, app: AppClient, username: str) -> Tokens | None:
        """Nothing new at first."""
        self.reads += 1
        return super().get_tokens(app, username) if self.reads % 2 else self.other


@pytest.mark.parametrize("wait", [0, 3600], ids=["fresh", "due as well"])
def test_a_reused_token_makes_the_store_be_read_again(world: World, wait: float) -> None:
    """Another process won. What it stored is taken, and refreshed if it is due, too."""
    tokens = world.sign_in()
    world.advance(3600)
    other = world.pool.flow(world.app).refresh(tokens)
    world.advance(1 + wait)

    new = world.source(tokens, store=Behind(other)).tokens()

    assert (new == other) == (wait == 0)
    assert world.refreshes() == 2 + (wait > 0)


def test_a_reused_token_is_told_when_the_store_knows_no_other(world: World) -> None:
    """Sign in again."""
    tokens = world.sign_in()
    world.advance(3600)
    world.pool.flow(world.app).refresh(tokens)
    world.advance(1)
    with pytest.raises(RefreshTokenReused):
        world.source(tokens, store=MemoryStore()).tokens()


@attrs.define
class Locking(MemoryStore):
    """A store whose lock can be held up, and notes who holds it."""

    turn: threading.Lock = attrs.field(factory=threading.Lock, init=False)
    holders: list[int] = attrs.field(factory=list[int], init=False)

    def lock(self, app: AppClient, username: str) -> AbstractContextManager[None]:
        """A lock that belongs to the thread that took it."""
        return self._locked()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self.turn:
            self.holders.append(threading.get_ident())
            yield
            assert threading.get_ident() == self.holders[-1]


def test_a_refresh_holds_the_lock_of_the_store(world: World) -> None:
    """Many sources of one user take turns, although they wait for each other: one refresh is enough."""
    store, tokens = Locking(), world.sign_in()
    sources = [world.source(tokens, store=store) for _ in range(20)]
    world.advance(3600)
    with ThreadPoolExecutor(20) as threads:
        new = {found.access_token for found in threads.map(Source.tokens, sources)}
    assert (len(new), world.refreshes(), len(store.holders)) == (1, 1, 20)


async def _ask_all(sources: list[AsyncTokenSource]) -> set[str]:
    return set(await asyncio.gather(*(source.access_token() for source in sources)))


def test_many_asynchronous_sources_of_one_user_do_not_starve_each_other(pool: Pool, app: AppClient) -> None:
    """They wait for the store's lock in threads of their own, not in those that its holder needs."""
    store, tokens, flow = Locking(), pool.flow(app).sign_in(ALICE).tokens, pool.async_flow(app)
    sources = [flow.token_source(tokens, store=store) for _ in range(50)]
    pool.cognito.clock.advance(3600)
    assert len(asyncio.run(_ask_all(sources))) == 1


def test_a_task_that_is_cancelled_while_it_waits_for_the_lock_leaves_it_free(
    pool: Pool, app: AppClient
) -> None:
    """Else nobody could ever refresh again."""
    store = Locking()
    source = pool.async_flow(app).token_source(pool.flow(app).sign_in(ALICE).tokens, store=store)

    async def end_while_waiting() -> None:
        asking = asyncio.create_task(source.tokens())
        await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    with store.turn:
        asyncio.run(end_while_waiting())
    while not store.holders:  # the thread that waited is not stopped: it takes its turn, and ends it
        time.sleep(0.01)
    with store.turn:
        assert len(store.holders) == 1


class Strict(Locking):
    """A store whose methods block, so that no event loop may call them."""

    def lock(self, app: AppClient, username: str) -> AbstractContextManager[None]:
        """Its `lock` may look for a connection before there is anything to enter."""
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        return super().lock(app, username)


def test_the_lock_of_the_store_is_made_in_a_thread_of_its_own(pool: Pool, app: AppClient) -> None:
    """A store's methods may block: none is called on the event loop."""
    store = Strict()
    source = pool.async_flow(app).token_source(pool.flow(app).sign_in(ALICE).tokens, store=store)
    asyncio.run(source.tokens())
    assert len(store.holders) == 1


# -- many at once --


def test_many_threads_share_one_refresh(pool: Pool, app: AppClient) -> None:
    """All of them get the new token."""
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
    """All of them get the new token."""
    source = pool.async_flow(app).token_source(pool.flow(app).sign_in(ALICE).tokens)
    before = asyncio.run(source.access_token())
    pool.cognito.clock.advance(3600)

    (new,) = asyncio.run(_ask_all([source] * MANY))

    assert new != before
    assert [call.operation for call in pool.cognito.calls].count(REFRESH) == 1


def test_those_who_can_go_on_with_a_valid_token_do_not_wait(pool: Pool, app: AppClient) -> None:
    """Only one pays for the refresh."""
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


def test_what_is_not_stored_yet_is_handed_to_no_other_thread(pool: Pool, app: AppClient) -> None:
    """Not even to one that looks at the tokens in the very moment in which they change."""
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

    def is_handed_what_is_stored() -> bool:
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
        asked = threads.submit(is_handed_what_is_stored)
        is_asked.wait()
        store.turn.release()
        assert asked.result()
        refreshing.result()
        store.turn.acquire()


def test_a_token_that_is_refused_while_the_refresh_ends_is_replaced(pool: Pool, app: AppClient) -> None:
    """The refresh that is under way has looked at it before."""
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


def test_tasks_that_can_go_on_with_a_valid_token_do_not_wait(pool: Pool, app: AppClient) -> None:
    """Only one pays for the refresh."""
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


def test_a_cancelled_task_leaves_the_refresh_to_the_others(pool: Pool, app: AppClient) -> None:
    """Its tokens are rotated: if it were stopped half-way, they would be lost."""
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


def test_a_failure_that_nobody_waits_for_warns_nobody(pool: Pool, app: AppClient) -> None:
    """All who asked are gone."""
    source = pool.async_flow(app).token_source(pool.flow(app).sign_in(ALICE).tokens)
    pool.cognito.clock.advance(3600)
    pool.cognito.faults.throttle(REFRESH, times=3)
    told: list[dict[str, Any]] = []

    async def leave() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        asking = asyncio.create_task(source.access_token())
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        while [call.operation for call in pool.cognito.calls].count(REFRESH) < 3:  # noqa: ASYNC110 - nothing tells when the last call is over
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)

    asyncio.run(leave())
    assert told == []


# -- event loops --


@attrs.define
class Pausing:
    """A source that has stopped at the pause of a refresh, because Cognito was busy once."""

    source: AsyncTokenSource
    is_waiting: bool = False

    @classmethod
    def of(cls, pool: Pool, app: AppClient) -> Pausing:
        """A source with tokens that are over."""
        cognito, tokens = pool.cognito, pool.flow(app).sign_in(ALICE).tokens
        flow = pool.async_flow(app, system=System(now=cognito.clock, sleep=lambda _: pausing.wait()))
        pausing = cls(flow.token_source(tokens))
        cognito.clock.advance(3600)
        cognito.faults.throttle(REFRESH, times=1)
        return pausing

    async def wait(self) -> None:
        """Wait for good."""
        self.is_waiting = True
        await asyncio.Event().wait()

    async def begin(self) -> asyncio.Task[Tokens]:
        """Ask, and come back when the refresh has stopped."""
        asking = asyncio.create_task(self.source.tokens())
        while not self.is_waiting:  # noqa: ASYNC110 - the refresh itself tells
            await asyncio.sleep(0.001)
        return asking


def test_a_refresh_that_ended_with_its_event_loop_is_begun_again(pool: Pool, app: AppClient) -> None:
    """Nothing became of it: the next loop gets no token that is over."""
    pausing = Pausing.of(pool, app)
    asyncio.run(pausing.begin())
    assert asyncio.run(pausing.source.tokens()).expires_at > pool.cognito.clock()


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # asyncio's own, for such an end
def test_a_refresh_whose_event_loop_was_closed_is_begun_again(pool: Pool, app: AppClient) -> None:
    """The loop was closed although tasks were left."""
    pausing, loop = Pausing.of(pool, app), asyncio.new_event_loop()
    loop.run_until_complete(pausing.begin())
    loop.close()
    assert asyncio.run(pausing.source.tokens()).expires_at > pool.cognito.clock()
    gc.collect()  # the tasks that were left, so that what asyncio says of them is said here


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


def test_two_event_loops_at_once_are_a_usage_error(pool: Pool, app: AppClient) -> None:
    """A source belongs to the tasks of one loop."""
    pausing = Pausing.of(pool, app)

    async def ask_from_another_loop() -> None:
        await pausing.begin()
        await asyncio.to_thread(asyncio.run, pausing.source.tokens())

    with pytest.raises(UsageError, match="another event loop"):
        asyncio.run(ask_from_another_loop())


def test_a_source_tells_no_token(world: World) -> None:
    """Its repr names the user."""
    tokens = world.sign_in()
    text = repr(world.source(tokens).source)
    assert "alice" in text
    assert tokens.access_token not in text
