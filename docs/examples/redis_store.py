"""Stores of tokens and devices in Redis, for services on several machines."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import quote

import attrs
from cryptography.fernet import Fernet, MultiFernet
from redis import Redis
from redis.exceptions import LockNotOwnedError

from cognito_flow import AppClient, Device, StoreError, Tokens


@attrs.frozen
class Sealed:
    """Encrypted JSON objects in Redis: everybody who can connect to Redis can read what it holds.

    Args:
        redis: The connection. If an eviction policy drops these keys, users are signed out.
        fernet: The keys, newest first.
        prefix: The prefix of all key names.
    """

    redis: Redis
    fernet: Fernet | MultiFernet
    prefix: str = "cognito"

    def name(self, kind: str, app: AppClient, username: str) -> str:
        user = quote(username, safe="@", errors="surrogatepass")
        return f"{self.prefix}:{kind}:{app.pool_id}:{app.client_id}:{user}"

    def read(self, name: str) -> dict[str, str] | None:
        sealed = self.redis.get(name)
        return None if sealed is None else json.loads(self.fernet.decrypt(sealed))

    def write(self, name: str, value: Mapping[str, str | None]) -> None:
        self.redis.set(name, self.fernet.encrypt(json.dumps(value).encode()))


@attrs.frozen
class RedisStore:
    """A store of tokens, with locks, and of devices.

    Args:
        sealed: Where the tokens are stored.
        patience: How long to wait for another process to refresh, in seconds.
        lock_seconds: When a lock expires, in seconds. Must be longer than a refresh with all its retries.
    """

    sealed: Sealed
    patience: float = 60
    lock_seconds: float = 60

    def get_tokens(self, app: AppClient, username: str) -> Tokens | None:
        value = self.sealed.read(self.sealed.name("tokens", app, username))
        return None if value is None else Tokens.from_dict(value)

    def put_tokens(self, app: AppClient, username: str, tokens: Tokens) -> None:
        self.sealed.write(self.sealed.name("tokens", app, username), tokens.to_dict())

    def delete_tokens(self, app: AppClient, username: str) -> None:
        self.sealed.redis.delete(self.sealed.name("tokens", app, username))

    @contextmanager
    def lock(self, app: AppClient, username: str) -> Generator[None]:
        # SET NX PX with a random value. Releasing deletes the lock only if it still has this value.
        lock = self.sealed.redis.lock(
            self.sealed.name("lock", app, username), timeout=self.lock_seconds, thread_local=False
        )
        if not lock.acquire(blocking_timeout=self.patience):
            raise StoreError("another process has held the lock of these tokens for too long", retryable=True)
        try:
            yield
        finally:
            # It may have expired, and another process may hold it now.
            with suppress(LockNotOwnedError):
                lock.release()

    def get_device(self, app: AppClient, username: str) -> Device | None:
        value = self.sealed.read(self.device(app, username))
        return None if value is None else Device(**value)

    def put_device(self, app: AppClient, username: str, device: Device, *, alias: str | None = None) -> None:
        name = self.sealed.name("device", app, username)
        self.sealed.write(name, attrs.asdict(device))
        if alias is not None and alias != username:
            self.sealed.write(self.sealed.name("alias", app, alias), {"device": name})

    def delete_device(self, app: AppClient, username: str) -> None:
        self.sealed.redis.delete(self.device(app, username))

    def device(self, app: AppClient, username: str) -> str:
        alias = self.sealed.read(self.sealed.name("alias", app, username))
        return self.sealed.name("device", app, username) if alias is None else alias["device"]
