"""The stores for several machines: locks, conditional writes, expiry, encryption, failures, two machines."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import attrs
import jwt
import pytest
import redis
import redis.asyncio
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    EndpointResolutionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from cognito_flow import (
    Device,
    DynamoDBStore,
    LockingTokenStore,
    RedisStore,
    StoreDamaged,
    StoreError,
    Tokens,
    UsageError,
    UserSrpAuth,
)
from cognito_flow.testing import LocalCognito
from tests.support.places import APP, Opener, in_dynamodb, in_redis, tokens
from tests.support.planted import Place, searches

SHARED = {"Redis": in_redis, "DynamoDB": in_dynamodb}
ALICE = "tokens/eu-west-1_AbC123/client-id/alice"


def opened(place: Callable[[], AbstractContextManager[Opener]]) -> Generator[Opener]:
    with place() as opener:
        yield opener


@pytest.fixture(params=list(SHARED.values()), ids=list(SHARED))
def opener(request: pytest.FixtureRequest) -> Generator[Opener]:
    """Opens the store at a place that machines share, with any keyword arguments."""
    yield from opened(request.param)


@pytest.fixture
def redis_opener() -> Generator[Opener]:
    yield from opened(in_redis)


@pytest.fixture
def dynamodb_opener() -> Generator[Opener]:
    yield from opened(in_dynamodb)


def is_free(opener: Opener, **options: Any) -> bool:
    """Whether the lock of alice's tokens can be taken at once."""
    impatient: Any = opener(patience=0, **options)
    try:
        with impatient.lock(APP, "alice"):
            return True
    except StoreError as error:
        return not error.retryable


def issued(moment: int, text: str = "") -> Tokens:
    """Tokens that Cognito issued at a time in seconds since 1970."""
    access_token = jwt.encode({"iat": moment, "text": text}, "k" * 32)
    return Tokens(access_token, expires_at=datetime(2030, 1, 1, tzinfo=UTC), username="alice")


# -- locks --


def test_lock_keeps_others_out(opener: Opener) -> None:
    store: Any = opener()
    with store.lock(APP, "alice"):
        assert not is_free(opener)

    assert is_free(opener)


def test_each_user_has_a_lock_and_reads_and_writes_do_not_take_it(opener: Opener) -> None:
    store: Any = opener()
    with store.lock(APP, "bob"):
        store.put_tokens(APP, "bob", tokens())

        assert is_free(opener)
        assert store.get_tokens(APP, "bob") == tokens()


def test_lock_is_released_when_the_block_fails(opener: Opener) -> None:
    store: Any = opener()
    with pytest.raises(KeyError), store.lock(APP, "alice"):
        raise KeyError

    assert is_free(opener)


def test_lock_may_be_released_in_another_thread(opener: Opener) -> None:
    """Tasks run their blocking parts wherever a thread is free."""
    store: Any = opener()
    lock = store.lock(APP, "alice")
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        one.submit(lock.__enter__).result()
        other.submit(lock.__exit__, None, None, None).result()

    assert is_free(opener)


def test_lock_in_redis_expires(redis_opener: Opener) -> None:
    store: Any = redis_opener(lock_seconds=30)
    client = store._hashes.client
    with store.lock(APP, "alice"):
        (name,) = client.keys()

        assert 0 < client.pttl(name) <= 30_000


def test_expired_lock_in_redis_is_left_to_its_next_holder(redis_opener: Opener) -> None:
    store: Any = redis_opener()
    late = store.lock(APP, "alice")
    late.__enter__()
    store._hashes.client.flushall()  # it expired
    with store.lock(APP, "alice"):
        late.__exit__(None, None, None)

        assert not is_free(redis_opener)
    assert is_free(redis_opener)


def test_expired_lock_in_dynamodb_is_left_to_its_next_holder(dynamodb_opener: Opener) -> None:
    def in_a_minute() -> float:
        return datetime.now(UTC).timestamp() + 62

    store: Any = dynamodb_opener()
    after_a_minute: Any = dynamodb_opener(now=in_a_minute)
    late = store.lock(APP, "alice")
    late.__enter__()
    with after_a_minute.lock(APP, "alice"):
        late.__exit__(None, None, None)

        assert not is_free(dynamodb_opener, now=in_a_minute)
    assert is_free(dynamodb_opener)


def test_lock_in_dynamodb_is_taken_when_it_becomes_free(dynamodb_opener: Opener) -> None:
    store: Any = dynamodb_opener()
    first = store.lock(APP, "alice")
    first.__enter__()
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            first.__exit__(None, None, None)

    waiting: Any = dynamodb_opener(sleep=sleep)
    with waiting.lock(APP, "alice"):
        assert len(waited) == 3


def test_lock_in_dynamodb_is_waited_for_no_longer_if_the_clock_is_set_back(dynamodb_opener: Opener) -> None:
    clock, waited = [1_000_000.0], list[float]()
    store: Any = dynamodb_opener(now=lambda: clock[0])

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        clock[0] -= 10
        assert len(waited) < 100

    waiting: Any = dynamodb_opener(now=lambda: clock[0], sleep=sleep, patience=2)
    with store.lock(APP, "alice"), pytest.raises(StoreError, match="too long"):
        waiting.lock(APP, "alice").__enter__()

    assert 2 <= sum(waited) < 2.5


def test_lock_in_dynamodb_is_ours_if_the_first_response_was_lost(dynamodb_opener: Opener) -> None:
    """botocore repeats the request, and finds our own lock."""
    store: Any = dynamodb_opener()
    assert store._items.take("lock/x", "us")
    assert store._items.take("lock/x", "us")
    assert not store._items.take("lock/x", "others")


# -- conditional writes and expiry --


def test_tokens_that_were_issued_earlier_do_not_replace_later_ones(opener: Opener) -> None:
    """A machine that lost its lock while it was refreshing comes back late."""
    store = opener()
    store.put_tokens(APP, "alice", issued(2_000))
    store.put_tokens(APP, "alice", issued(1_999))
    assert store.get_tokens(APP, "alice") == issued(2_000)

    store.put_tokens(APP, "alice", issued(2_000, "same second"))
    assert store.get_tokens(APP, "alice") == issued(2_000, "same second")


def test_tokens_without_a_time_of_issue_replace_others(opener: Opener) -> None:
    store = opener()
    store.put_tokens(APP, "alice", issued(2_000))
    store.put_tokens(APP, "alice", tokens("opaque"))
    assert store.get_tokens(APP, "alice") == tokens("opaque")


def test_deleted_tokens_do_not_keep_earlier_ones_out(opener: Opener) -> None:
    store = opener()
    store.put_tokens(APP, "alice", issued(2_000))
    store.delete_tokens(APP, "alice")
    store.put_tokens(APP, "alice", issued(1_000))
    assert store.get_tokens(APP, "alice") == issued(1_000)


def test_records_in_redis_expire_after_their_lifetime(redis_opener: Opener) -> None:
    store: Any = redis_opener(lifetime=3600)
    client = store._hashes.client
    store.put_tokens(APP, "alice", tokens())
    (name,) = client.keys()
    assert 0 < client.pttl(name) <= 3_600_000

    redis_opener().put_tokens(APP, "alice", tokens())
    assert client.pttl(name) == -1


def test_records_in_dynamodb_expire_after_their_lifetime(dynamodb_opener: Opener) -> None:
    """DynamoDB deletes them later, by the attribute `until`."""
    moment = 1_000_000.5
    store: Any = dynamodb_opener(lifetime=3600, now=lambda: moment)
    store.put_tokens(APP, "alice", tokens())
    item = store._items.client.get_item(TableName="stores", Key={"name": {"S": ALICE}})["Item"]
    assert item["until"] == {"N": "1003601"}

    assert dynamodb_opener(now=lambda: moment + 3600).get_tokens(APP, "alice") == tokens()
    assert dynamodb_opener(now=lambda: moment + 3601).get_tokens(APP, "alice") is None


@pytest.mark.parametrize("option", ["lifetime", "lock_seconds"])
@pytest.mark.parametrize("seconds", [0, 0.0004, -1, 1e10, float("inf"), float("nan"), True, "60"])
def test_duration_that_is_not_positive_and_finite_is_a_usage_error(
    opener: Opener, option: str, seconds: object
) -> None:
    with pytest.raises(UsageError, match=option):
        opener(**{option: seconds})


@pytest.mark.parametrize("patience", [-1, 1e7, float("inf"), float("nan"), None])
def test_patience_without_an_end_is_a_usage_error(opener: Opener, patience: float | None) -> None:
    with pytest.raises(UsageError, match="patience"):
        opener(patience=patience)


def test_shortest_lifetime_expires_in_redis(redis_opener: Opener) -> None:
    store: Any = redis_opener(lifetime=0.001)
    store.put_device(APP, "alice", Device("key", "group", "secret"))
    client = store._hashes.client

    assert all(client.pttl(name) in {-2, 0, 1} for name in client.keys())  # noqa: SIM118 - no dictionary


# -- encryption and damage --


def dump(store: Any) -> str:
    """All that the service has kept."""
    if isinstance(store, RedisStore):
        client = store._hashes.client
        return str([(name, client.hgetall(name)) for name in client.keys()])  # noqa: SIM118 - no dictionary
    items: Any = store._items
    return str(items.client.scan(TableName=items.table)["Items"])


@searches(Place.SEALED)
def test_service_sees_no_secret_if_there_are_keys(opener: Opener) -> None:
    store = opener(keys=["k" * 32])
    store.put_tokens(APP, "alice", tokens("ACCESS"))
    store.put_device(APP, "alice", Device("key", "group", "SECRET"))

    assert "alice" in dump(store)
    assert not [secret for secret in ("ACCESS", "SECRET") if secret in dump(store)]


def test_records_are_plain_json_without_keys(opener: Opener) -> None:
    store = opener(keys=[])
    store.put_tokens(APP, "alice", tokens("ACCESS"))

    assert "ACCESS" in dump(store)
    assert store.get_tokens(APP, "alice") == tokens("ACCESS")


def test_record_of_another_key_is_a_store_error(opener: Opener) -> None:
    opener(keys=["k" * 32]).put_tokens(APP, "alice", tokens())

    with pytest.raises(StoreError, match="another key"):
        opener(keys=["o" * 32]).get_tokens(APP, "alice")
    assert opener(keys=["o" * 32, "k" * 32]).get_tokens(APP, "alice") == tokens()


def test_item_without_a_record_is_damaged(dynamodb_opener: Opener) -> None:
    store: Any = dynamodb_opener()
    store._items.put({"name": {"S": ALICE}}, None)

    with pytest.raises(StoreDamaged, match="alice"):
        store.get_tokens(APP, "alice")


def test_redis_client_that_decodes_responses_can_be_used(redis_opener: Opener) -> None:
    store: Any = redis_opener()
    store._hashes.client.connection_pool.connection_kwargs["decode_responses"] = True
    store.put_tokens(APP, "alice", tokens("Zoë"))

    assert store.get_tokens(APP, "alice") == tokens("Zoë")


def test_asynchronous_client_of_redis_raises_usage_error() -> None:
    client: Any = redis.asyncio.Redis()

    with pytest.raises(UsageError, match="pass a blocking"):
        RedisStore(client, keys=["k" * 32])


def test_asynchronous_client_of_dynamodb_raises_usage_error() -> None:
    class Client:
        async def _make_api_call(self) -> None: ...

    with pytest.raises(UsageError, match="pass a client of boto3"):
        DynamoDBStore(Client(), "stores")


# -- failures --


@searches(Place.ERRORS)
@pytest.mark.parametrize(
    ("error", "is_temporary"),
    [
        (redis.ConnectionError, True),
        (redis.TimeoutError, True),
        (redis.BusyLoadingError, True),
        (redis.AuthenticationError, True),  # a ConnectionError of redis-py's
        (redis.ResponseError, False),
    ],
)
def test_failure_of_redis_is_a_store_error_that_quotes_nothing(
    redis_opener: Opener, error: type[Exception], is_temporary: bool
) -> None:
    class Failing(redis.Redis):
        def execute_command(self, *args: Any, **options: Any) -> Any:
            raise error(str(args))

    store = RedisStore(Failing(), keys=[])

    with pytest.raises(StoreError, match=error.__name__) as caught:
        store.put_tokens(APP, "alice", tokens("ACCESS"))
    assert "ACCESS" not in str(caught.value)
    assert caught.value.retryable == is_temporary
    with pytest.raises(StoreError, match=error.__name__), store.lock(APP, "alice"):
        pass


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "ACCESS"}}, "PutItem")


@searches(Place.ERRORS)
@pytest.mark.parametrize(
    ("error", "message", "is_temporary"),
    [
        (client_error("ThrottlingException"), "ThrottlingException", True),
        (client_error("AccessDeniedException"), "AccessDeniedException", False),
        (EndpointConnectionError(endpoint_url="https://x"), "EndpointConnectionError", True),
        (ReadTimeoutError(endpoint_url="https://x"), "ReadTimeoutError", True),
        (NoCredentialsError(), "NoCredentialsError", False),
        (EndpointResolutionError(msg="ACCESS"), "EndpointResolutionError", False),
    ],
)
def test_failure_of_dynamodb_is_a_store_error_that_quotes_nothing(
    error: Exception, message: str, is_temporary: bool
) -> None:
    store = DynamoDBStore(FailingClient(error), "stores")

    with pytest.raises(StoreError, match=message) as caught:
        store.put_tokens(APP, "alice", tokens("ACCESS"))
    assert "ACCESS" not in str(caught.value)
    assert caught.value.retryable == is_temporary


def test_error_that_is_not_of_dynamodb_is_raised_unchanged() -> None:
    with pytest.raises(ZeroDivisionError):
        DynamoDBStore(FailingClient(ZeroDivisionError()), "stores").put_tokens(APP, "alice", tokens())


@attrs.frozen
class FailingClient:
    """A DynamoDB client whose requests fail."""

    error: Exception

    class exceptions:  # noqa: N801 - boto3's name
        class ConditionalCheckFailedException(Exception):
            pass

    def put_item(self, **_members: object) -> None:
        raise self.error


# -- two machines --


def test_two_machines_refresh_rotated_tokens_in_turn(cognito: LocalCognito, redis_opener: Opener) -> None:
    """One refreshes, and the other takes what it stored, so that no user is signed out."""
    pool = cognito.create_pool()
    pool.add_user("alice", "correct horse")
    app = pool.app_client(
        flows=("ALLOW_USER_SRP_AUTH",),
        refresh_token_rotation={"Feature": "ENABLED", "RetryGracePeriodSeconds": 0},
    )
    first = pool.flow(app).sign_in(UserSrpAuth("alice", "correct horse")).tokens
    machines = [pool.flow(app, store=redis_opener()).token_source(first) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        for _ in range(5):
            cognito.clock.advance(3600)
            one, other = threads.map(lambda machine: machine.tokens(), machines)

            assert one == other

    assert [call.operation for call in cognito.calls].count("GetTokensFromRefreshToken") == 5


def test_shared_stores_have_locks(opener: Opener) -> None:
    assert isinstance(opener(), LockingTokenStore)
