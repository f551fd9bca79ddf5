"""Stores that live as long as the process.

Rule of this file: nothing is written anywhere. A lock around the entries makes threads safe.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager

import attrs

from cognito_flow.stores.entries import DeviceEntries, Entries, Record, TokenEntries

__all__ = ["MemoryDeviceStore", "MemoryTokenStore"]


@attrs.define
class _Memory:
    records: dict[str, Record] = attrs.field(factory=dict[str, Record])
    lock: threading.Lock = attrs.field(factory=threading.Lock)

    @contextmanager
    def open(self) -> Generator[Entries]:
        with self.lock:
            yield self.records


@attrs.define
class MemoryTokenStore(TokenEntries):
    """A `TokenStore` that lives as long as the process.

    >>> from datetime import UTC, datetime
    >>> from cognito_flow import AppClient, Tokens
    >>> store, app = MemoryTokenStore(), AppClient("eu-west-1_AbC123", "client-id")
    >>> tokens = Tokens("access", "id", "refresh", datetime(2030, 1, 1, tzinfo=UTC), username="alice")
    >>> store.put(app, tokens.username, tokens)
    >>> store.get(app, "alice") == tokens
    True
    """

    _memory: _Memory = attrs.field(factory=_Memory, init=False, repr=False)

    def _entries(self) -> AbstractContextManager[Entries]:
        return self._memory.open()


@attrs.define
class MemoryDeviceStore(DeviceEntries):
    """A `DeviceStore` that lives as long as the process.

    >>> from cognito_flow import AppClient, Device
    >>> store, app = MemoryDeviceStore(), AppClient("eu-west-1_AbC123", "client-id")
    >>> store.put(app, "alice", Device("eu-west-1_key", "-group", "secret"), alias="alice@example.com")
    >>> store.get(app, "alice@example.com").key
    'eu-west-1_key'
    """

    _memory: _Memory = attrs.field(factory=_Memory, init=False, repr=False)

    def _entries(self) -> AbstractContextManager[Entries]:
        return self._memory.open()
