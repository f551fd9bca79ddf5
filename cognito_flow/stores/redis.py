"""A store in Redis, for services on several machines.

Rule of this file: every change is one command or one script, so that another machine sees either all of it or
nothing.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import attrs

from cognito_flow._checks import is_asynchronous
from cognito_flow._tracebacks import without_locals
from cognito_flow.errors import StoreError, UsageError
from cognito_flow.models import AppClient
from cognito_flow.stores._cipher import Cipher
from cognito_flow.stores._durations import Durations
from cognito_flow.stores._records import (
    Record,
    Records,
    RecordStore,
    issued_at,
    open_record,
    record_name,
    seal_record,
)

if TYPE_CHECKING:
    from redis import Redis

# KEYS[1] the record's key. ARGV: when the tokens were issued, the record, its lifetime in milliseconds or 0.
# A machine that lost its lock while it was refreshing must not replace the newer tokens of the next holder.
_PUT = """
local issued = redis.call('HGET', KEYS[1], 'issued')
if issued and ARGV[1] ~= '0' and tonumber(issued) > tonumber(ARGV[1]) then
  return 0
end
redis.call('HSET', KEYS[1], 'issued', ARGV[1], 'record', ARGV[2])
if ARGV[3] == '0' then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 1
"""


@attrs.frozen
class _Hashes:
    """The records in Redis: a hash each, of the record and when its tokens were issued."""

    client: Redis
    cipher: Cipher
    prefix: str
    durations: Durations

    def get(self, name: str, /) -> Record | None:
        data = self.client.hget(f"{self.prefix}/{name}", "record")
        return None if data is None else open_record(self.cipher, name, data)

    def __setitem__(self, name: str, record: Record, /) -> None:
        lifetime = round((self.durations.lifetime or 0) * 1000)
        sealed = seal_record(self.cipher, name, record)
        self.client.eval(_PUT, 1, f"{self.prefix}/{name}", str(issued_at(record)), sealed, str(lifetime))

    def pop(self, name: str, default: None, /) -> None:
        self.client.delete(f"{self.prefix}/{name}")


@without_locals
class RedisStore(RecordStore):
    """Keeps tokens and devices in Redis (extra ``redis``), which all machines of a service share.

    Everybody who can connect to Redis can read it, so records are encrypted; user names are part of the keys.
    Redis must not evict these keys (``maxmemory-policy``), and writes to disk as ``appendfsync`` says.
    Connect to the primary: a replica may lag behind.

    A lock expires if its holder dies. If its holder is only slow, and two machines refresh at once, the
    tokens that Cognito issued last are kept.

    Args:
        client: A redis-py client, not one of ``redis.asyncio``. It is called from several threads.
        keys: Secrets of at least 32 random bytes, newest first: the first one encrypts, all of them decrypt.
            An empty list stores plain JSON.
        prefix: The beginning of all keys in Redis.
        lifetime: How long a record is kept after its last change, in seconds: for example as long as the app
            client's refresh tokens are valid. None: until it is deleted.
        patience: How long to wait for another process that refreshes, in seconds.
        lock_seconds: When a lock expires whose holder died, in seconds. Longer than a refresh takes with all
            its repetitions.

    Raises:
        UsageError: The client is asynchronous, a key is too short, keys is not a sequence, patience is not a
            number from 0 to a million, or lifetime or lock_seconds is not a number, or shorter than a
            millisecond or longer than a hundred years.
            From the methods: StoreDamaged, StoreError.
    """

    def __init__(
        self,
        client: Redis,
        *,
        keys: Sequence[str | bytes],
        prefix: str = "cognito-flow",
        lifetime: float | None = None,
        patience: float = 60,
        lock_seconds: float = 60,
    ) -> None:
        # Its coroutines would never be awaited, and nothing would be stored.
        if is_asynchronous(client, "execute_command"):
            raise UsageError("pass a blocking redis.Redis: AsyncAuthFlow calls stores in worker threads")
        durations = Durations(lifetime, patience, lock_seconds)
        self._hashes = _Hashes(client, Cipher.of(keys, "cognito_flow record", 1), prefix, durations)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prefix={self._hashes.prefix!r})"

    @contextmanager
    def lock(self, app: AppClient, username: str) -> Generator[None]:
        """Hold the lock of this user's tokens. See `LockingTokenStore.lock`.

        Raises:
            StoreError: Another process held it all the time, or Redis cannot be used.
        """
        from redis.exceptions import LockNotOwnedError

        durations = self._hashes.durations
        name = f"{self._hashes.prefix}/{record_name('lock', app, username)}"
        # SET NX PX with a random value; a script releases the lock only if it still has this value.
        lock = self._hashes.client.lock(name, timeout=durations.lock_seconds, thread_local=False)
        with _as_store_error():
            is_held = lock.acquire(blocking_timeout=durations.patience)
        if not is_held:
            raise StoreError(f"another process has held the lock of {username!r} too long", retryable=True)
        try:
            yield
        finally:
            # It may have expired, and belong to another process by now.
            with _as_store_error(), suppress(LockNotOwnedError):
                lock.release()

    @contextmanager
    def _open(self) -> Generator[Records]:
        with _as_store_error():
            yield self._hashes


@contextmanager
def _as_store_error() -> Generator[None]:
    from redis.exceptions import BusyLoadingError, ConnectionError, RedisError, TimeoutError  # noqa: A004

    try:
        yield
    except RedisError as error:
        # Its message may quote a command with its arguments.
        is_temporary = isinstance(error, (BusyLoadingError, ConnectionError, TimeoutError))
        raise StoreError(f"Redis failed ({type(error).__name__})", retryable=is_temporary) from None
