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
    """JSON objects in Redis, sealed: Redis itself shows what it holds to whoever may ask.

    Args:
        redis: The connection. Let no eviction policy drop these keys, or people are signed out.
        fernet: The keys, newest first.
        prefix: What the names of all keys begin with.
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
class RedisTokenStore:
    """A `TokenStore` with locks.

    Args:
        sealed: Where the tokens lie.
        patience: How long to wait for another process that refreshes, in seconds.
        lock_seconds: How long a lock outlives its holder. Longer than a refresh with all its repetitions.
    """

    sealed: Sealed
    patience: float = 60
    lock_seconds: float = 60

    def get(self, app: AppClient, username: str) -> Tokens | None:
        value = self.sealed.read(self.sealed.name("tokens", app, username))
        return None if value is None else Tokens.from_dict(value)

    def put(self, app: AppClient, username: str, tokens: Tokens) -> None:
        self.sealed.write(self.sealed.name("tokens", app, username), tokens.to_dict())

    def delete(self, app: AppClient, username: str) -> None:
        self.sealed.redis.delete(self.sealed.name("tokens", app, username))

    @contextmanager
    def lock(self, app: AppClient, username: str) -> Generator[None]:
        # SET NX PX with a random value; only a lock that still has this value is deleted.
        lock = self.sealed.redis.lock(
            self.sealed.name("lock", app, username), timeout=self.lock_seconds, thread_local=False
        )
        if not lock.acquire(blocking_timeout=self.patience):
            raise StoreError("another process has held the lock of these tokens for too long", retryable=True)
        try:
            yield
        finally:
            # It may have run out, and be another's by now.
            with suppress(LockNotOwnedError):
                lock.release()


@attrs.frozen
class RedisDeviceStore:
    """A `DeviceStore`."""

    sealed: Sealed

    def get(self, app: AppClient, username: str) -> Device | None:
        value = self.sealed.read(self.device(app, username))
        return None if value is None else Device(**value)

    def put(self, app: AppClient, username: str, device: Device, *, alias: str | None = None) -> None:
        name = self.sealed.name("device", app, username)
        self.sealed.write(name, attrs.asdict(device))
        if alias is not None and alias != username:
            self.sealed.write(self.sealed.name("alias", app, alias), {"device": name})

    def delete(self, app: AppClient, username: str) -> None:
        self.sealed.redis.delete(self.device(app, username))

    def device(self, app: AppClient, username: str) -> str:
        alias = self.sealed.read(self.sealed.name("alias", app, username))
        return self.sealed.name("device", app, username) if alias is None else alias["device"]
