"""Stores in a file, for programs of one machine.

Rule of this file: what stands in the file. How it is kept whole is the subject of `document`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager

from cognito_flow._tracebacks import without_locals
from cognito_flow.models import AppClient
from cognito_flow.stores.document import Document, hold
from cognito_flow.stores.entries import DeviceEntries, Entries, TokenEntries, check_device, check_tokens

__all__ = ["FileDeviceStore", "FileTokenStore"]


@without_locals
class FileTokenStore(TokenEntries):
    """A `TokenStore` in one file, which all processes of a machine may share.

    The file is for its owner alone (mode 0600), is replaced as a whole, and survives a kill at any point. One
    that others may read is refused, unless it is sealed. A damaged one is put aside and reported.

    Args:
        path: The file. A missing directory is made for its owner alone.
        keys: Secrets of at least 32 random bytes, newest first: the first one seals, all of them open.
            Without any, the file is plain JSON.
        patience: How long to wait for another process that holds a lock, in seconds.

    Raises:
        UsageError: A key is too short, or they are no sequence. From the methods: StoreDamaged, StoreError.

    >>> import tempfile
    >>> from datetime import UTC, datetime
    >>> from cognito_flow import Tokens
    >>> folder, key = tempfile.TemporaryDirectory(), "a secret of at least 32 random bytes"
    >>> path = f"{folder.name}/tokens.json"
    >>> store, app = FileTokenStore(path, keys=[key]), AppClient("eu-west-1_AbC123", "client-id")
    >>> tokens = Tokens("access", "id", "refresh", datetime(2030, 1, 1, tzinfo=UTC), username="alice")
    >>> with store.lock(app, "alice"):
    ...     store.put(app, tokens.username, tokens)
    >>> FileTokenStore(path, keys=[key]).get(app, "alice") == tokens
    True
    >>> folder.cleanup()
    """

    def __init__(
        self, path: str | os.PathLike[str], *, keys: Sequence[str | bytes] = (), patience: float = 60
    ) -> None:
        self._document = Document.of(path, "tokens", check_tokens, keys, patience)

    def _entries(self) -> AbstractContextManager[Entries]:
        return self._document.open()

    def lock(self, app: AppClient, username: str) -> AbstractContextManager[None]:
        """See `LockingTokenStore.lock`. Each user's lock is an empty file beside the store, which stays.

        Raises:
            StoreError: Another process held it all the time, or the file cannot be made.
        """
        parts = f"{app.pool_id}/{app.client_id}/{username}".encode("utf-8", "surrogatepass")
        path = self._document.path
        name = f"{path.name}.{hashlib.sha256(parts).hexdigest()[:16]}.lock"
        return hold(path.with_name(name), self._document.patience)


@without_locals
class FileDeviceStore(DeviceEntries):
    """A `DeviceStore` in one file, which all processes of a machine may share: see `FileTokenStore`.

    Args:
        path: The file, another one than that of the tokens.
        keys: Secrets of at least 32 random bytes, newest first. Without any, the file is plain JSON.
        patience: How long to wait for another process that holds the file, in seconds.

    Raises:
        UsageError: A key is too short, or they are no sequence. From the methods: StoreDamaged, StoreError.

    >>> import tempfile
    >>> from cognito_flow import Device
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = f"{folder.name}/devices.json"
    >>> store, app = FileDeviceStore(path), AppClient("eu-west-1_AbC123", "client-id")
    >>> store.put(app, "alice", Device("eu-west-1_key", "-group", "secret"), alias="alice@example.com")
    >>> FileDeviceStore(path).get(app, "alice@example.com").key
    'eu-west-1_key'
    >>> folder.cleanup()
    """

    def __init__(
        self, path: str | os.PathLike[str], *, keys: Sequence[str | bytes] = (), patience: float = 60
    ) -> None:
        self._document = Document.of(path, "devices", check_device, keys, patience)

    def _entries(self) -> AbstractContextManager[Entries]:
        return self._document.open()
