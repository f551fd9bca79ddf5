"""Stores that live as long as the process.

Rule of this file: nothing is written anywhere. One lock around each dictionary makes threads safe.
"""

from __future__ import annotations

import threading
from typing import TypeAlias

import attrs

from cognito_flow.models import AppClient, Device, Tokens

__all__ = ["MemoryDeviceStore", "MemoryTokenStore"]


_Key: TypeAlias = tuple[str, str, str]  # pool, app client, user


@attrs.define
class MemoryTokenStore:
    """A `TokenStore` that lives as long as the process.

    >>> from datetime import UTC, datetime
    >>> store, app = MemoryTokenStore(), AppClient("eu-west-1_AbC123", "client-id")
    >>> tokens = Tokens("access", "id", "refresh", datetime(2030, 1, 1, tzinfo=UTC), username="alice")
    >>> store.put(app, tokens.username, tokens)
    >>> store.get(app, "alice") == tokens
    True
    """

    _tokens: dict[_Key, Tokens] = attrs.field(factory=dict[_Key, Tokens], init=False, repr=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    def get(self, app: AppClient, username: str) -> Tokens | None:
        """See `TokenStore.get`."""
        with self._lock:
            return self._tokens.get((app.pool_id, app.client_id, username))

    def put(self, app: AppClient, username: str, tokens: Tokens) -> None:
        """See `TokenStore.put`."""
        with self._lock:
            self._tokens[app.pool_id, app.client_id, username] = tokens

    def delete(self, app: AppClient, username: str) -> None:
        """See `TokenStore.delete`."""
        with self._lock:
            self._tokens.pop((app.pool_id, app.client_id, username), None)


@attrs.define
class MemoryDeviceStore:
    """A `DeviceStore` that lives as long as the process.

    >>> store, app = MemoryDeviceStore(), AppClient("eu-west-1_AbC123", "client-id")
    >>> store.put(app, "alice", Device("eu-west-1_key", "-group", "secret"), alias="alice@example.com")
    >>> store.get(app, "alice@example.com").key
    'eu-west-1_key'
    """

    _devices: dict[_Key, Device] = attrs.field(factory=dict[_Key, Device], init=False, repr=False)
    _names: dict[_Key, str] = attrs.field(factory=dict[_Key, str], init=False, repr=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    def _key(self, app: AppClient, username: str) -> _Key:
        name = self._names.get((app.pool_id, app.client_id, username), username)
        return app.pool_id, app.client_id, name

    def get(self, app: AppClient, username: str) -> Device | None:
        """See `DeviceStore.get`."""
        with self._lock:
            return self._devices.get(self._key(app, username))

    def put(self, app: AppClient, username: str, device: Device, *, alias: str | None = None) -> None:
        """See `DeviceStore.put`."""
        with self._lock:
            if alias is not None and alias != username:
                self._names[app.pool_id, app.client_id, alias] = username
            self._devices[app.pool_id, app.client_id, username] = device

    def delete(self, app: AppClient, username: str) -> None:
        """See `DeviceStore.delete`."""
        with self._lock:
            self._devices.pop(self._key(app, username), None)
