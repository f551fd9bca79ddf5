"""What the server keeps for a browser: the tokens of its session, and its remembered devices."""

import hashlib
from contextlib import AbstractContextManager
from typing import Protocol

from attrs import frozen

from cognito_flow import AppClient, Device, DeviceStore, LockingTokenStore, Tokens


class Store(LockingTokenStore, DeviceStore, Protocol):
    """SqliteStore, RedisStore and DynamoDBStore are such stores."""


@frozen
class SessionTokens:
    """The tokens of one session. A user may have several sessions, and each of them has its own tokens.

    The store knows only a hash of the cookie, so a copy of the store is not enough to sign in.
    """

    store: Store
    session: str

    def lock(self, app: AppClient, username: str) -> AbstractContextManager[None]:
        return self.store.lock(app, hashed("session", self.session))

    def get_tokens(self, app: AppClient, username: str) -> Tokens | None:
        return self.store.get_tokens(app, hashed("session", self.session))

    def put_tokens(self, app: AppClient, username: str, tokens: Tokens) -> None:
        self.store.put_tokens(app, hashed("session", self.session), tokens)

    def delete_tokens(self, app: AppClient, username: str) -> None:
        self.store.delete_tokens(app, hashed("session", self.session))


@frozen
class BrowserDevices:
    """The remembered devices of one browser. If users shared a store of devices, somebody with a stolen password
    would be spared the second factor in their own browser, too."""

    store: Store
    browser: str

    def get(self, app: AppClient, username: str) -> Device | None:
        return self.store.get_device(app, hashed("device", self.browser, username))

    def put(self, app: AppClient, username: str, device: Device, typed: str) -> None:
        typed = hashed("device", self.browser, typed)
        self.store.put_device(app, hashed("device", self.browser, username), device, alias=typed)

    def delete(self, app: AppClient, username: str) -> None:
        self.store.delete_device(app, hashed("device", self.browser, username))


def hashed(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
