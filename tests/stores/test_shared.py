"""The example stores for several machines: their locks, what the services see, and two machines that refresh."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import attrs
import pytest
from cryptography.fernet import Fernet, InvalidToken

from cognito_flow import LockingTokenStore, StoreError, UserSrpAuth
from cognito_flow.testing import LocalCognito
from tests.support.places import APP, Opener, in_dynamodb, in_redis, tokens

SHARED = {"Redis": in_redis, "DynamoDB": in_dynamodb}


def opened(place: Callable[[], AbstractContextManager[Opener]]) -> Generator[Any]:
    """The store of tokens at a place. It comes from a file of the documentation, so it has no type here."""
    with place() as opener:
        yield opener()


@pytest.fixture(params=list(SHARED.values()), ids=list(SHARED))
def store(request: pytest.FixtureRequest) -> Generator[Any]:
    """A store that machines share."""
    yield from opened(request.param)


@pytest.fixture
def redis_store() -> Generator[Any]:
    """The one in Redis."""
    yield from opened(in_redis)


@pytest.fixture
def dynamodb_store() -> Generator[Any]:
    """The one in DynamoDB."""
    yield from opened(in_dynamodb)


def is_free(store: Any) -> bool:
    """Whether the lock of alice's tokens can be had at once."""
    impatient: LockingTokenStore = attrs.evolve(store, patience=0)
    try:
        with impatient.lock(APP, "alice"):
            return True
    except StoreError as error:
        return not error.retryable


def test_a_lock_keeps_others_out(store: LockingTokenStore) -> None:
    """While it is held, nobody else gets it; then the next one does."""
    with store.lock(APP, "alice"):
        assert not is_free(store)

    assert is_free(store)


def test_each_user_has_a_lock_of_its_own(store: LockingTokenStore) -> None:
    """Refreshing one user's tokens holds up nobody else, and no reader or writer."""
    with store.lock(APP, "bob"):
        store.put_tokens(APP, "bob", tokens())

        assert is_free(store)
        assert store.get_tokens(APP, "bob") == tokens()


def test_a_lock_is_left_when_the_block_fails(store: LockingTokenStore) -> None:
    """An error in a refresh holds up nobody."""
    with pytest.raises(KeyError), store.lock(APP, "alice"):
        raise KeyError

    assert is_free(store)


def test_a_lock_may_be_left_in_another_thread(store: LockingTokenStore) -> None:
    """Tasks run their blocking parts wherever a thread is free."""
    lock = store.lock(APP, "alice")
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        one.submit(lock.__enter__).result()
        other.submit(lock.__exit__, None, None, None).result()

    assert is_free(store)


def test_a_lock_in_redis_runs_out(redis_store: Any) -> None:
    """A machine that dies holds up the others for a minute at most."""
    redis = redis_store.sealed.redis
    with redis_store.lock(APP, "alice"):
        (name,) = redis.keys()

        assert 0 < redis.pttl(name) <= 60_000


def test_a_lock_in_redis_that_ran_out_is_left_to_its_next_holder(redis_store: Any) -> None:
    """Who comes back late does not take away what is another's now."""
    redis = redis_store.sealed.redis
    late = redis_store.lock(APP, "alice")
    late.__enter__()
    redis.flushall()  # it ran out
    with redis_store.lock(APP, "alice"):
        late.__exit__(None, None, None)

        assert not is_free(redis_store)
    assert is_free(redis_store)


def test_a_lock_in_dynamodb_that_ran_out_goes_to_the_next(dynamodb_store: Any) -> None:
    """A machine that died holds up the others for a minute at most, and one that is late takes nothing away."""
    after_a_minute = attrs.evolve(dynamodb_store, now=lambda: dynamodb_store.now() + 62)
    late = dynamodb_store.lock(APP, "alice")
    late.__enter__()
    with after_a_minute.lock(APP, "alice"):
        late.__exit__(None, None, None)

        assert not is_free(after_a_minute)
    assert is_free(dynamodb_store)


def test_a_lock_in_dynamodb_is_waited_for(dynamodb_store: Any) -> None:
    """It is asked for again until it is free."""
    first = dynamodb_store.lock(APP, "alice")
    first.__enter__()
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            first.__exit__(None, None, None)

    with attrs.evolve(dynamodb_store, sleep=sleep).lock(APP, "alice"):
        assert len(waited) == 3


def test_redis_sees_no_token(redis_store: Any) -> None:
    """What lies there is sealed, and opens with no other key."""
    redis_store.put_tokens(APP, "alice", tokens("ACCESS"))
    redis = redis_store.sealed.redis
    other = attrs.evolve(
        redis_store, sealed=attrs.evolve(redis_store.sealed, fernet=Fernet(Fernet.generate_key()))
    )

    assert b"ACCESS" not in b"".join(redis.mget(redis.keys()))
    with pytest.raises(InvalidToken):
        other.get_tokens(APP, "alice")


def test_two_machines_refresh_rotated_tokens_in_turn(
    cognito: LocalCognito, redis_store: LockingTokenStore
) -> None:
    """Both hold the same tokens when they end. One refreshes them, and the other takes what it stored; so
    often as one likes, nobody is signed out."""
    pool = cognito.create_pool()
    pool.add_user("alice", "correct horse")
    app = pool.app_client(
        flows=("ALLOW_USER_SRP_AUTH",),
        refresh_token_rotation={"Feature": "ENABLED", "RetryGracePeriodSeconds": 0},
    )
    first = pool.flow(app).sign_in(UserSrpAuth("alice", "correct horse")).tokens
    machines = [pool.flow(app).token_source(first, store=redis_store) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        for _ in range(5):
            cognito.clock.advance(3600)
            one, other = threads.map(lambda machine: machine.tokens(), machines)

            assert one == other

    assert [call.operation for call in cognito.calls].count("GetTokensFromRefreshToken") == 5
