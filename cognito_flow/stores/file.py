"""A store in a file, for programs of one machine.

Rule of this file: what the file contains. How it survives crashes and other processes is the subject of
`_document`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager

from cognito_flow._tracebacks import without_locals
from cognito_flow.models import AppClient
from cognito_flow.stores._document import Document
from cognito_flow.stores._durations import check_patience
from cognito_flow.stores._files import hold
from cognito_flow.stores._records import Records, RecordStore, check_record, users_of


@without_locals
class FileStore(RecordStore):
    """Keeps tokens and devices in one file, which all processes of a machine may share.

    Only the owner may read the file (mode 0600). It is replaced as a whole, so that it survives a kill at any
    point. A file that others may read is refused, unless it is encrypted. A damaged file is renamed and
    reported. The whole file is read and written for each change: it is made for the tokens of a few users.

    Args:
        path: The file. A symbolic link is followed. Missing directories are created for the owner alone.
        keys: Secrets of at least 32 random bytes, newest first: the first one encrypts, all of them decrypt.
            Without any, the file is plain JSON.
        patience: How long to wait for another process that holds a lock, in seconds.

    Raises:
        UsageError: A key is too short, keys is not a sequence, patience is not a number from 0 to a million,
            or a file cannot have this path.
            From the methods: StoreDamaged, StoreError.
        StoreError: The path leads over a symbolic link of another user.

    >>> import tempfile
    >>> from datetime import UTC, datetime
    >>> from cognito_flow import Tokens
    >>> folder, key = tempfile.TemporaryDirectory(), "a secret of at least 32 random bytes"
    >>> path = f"{folder.name}/tokens.json"
    >>> store, app = FileStore(path, keys=[key]), AppClient("eu-west-1_AbC123", "client-id")
    >>> end = datetime(2030, 1, 1, tzinfo=UTC)
    >>> tokens = Tokens("access", "id", "refresh", expires_at=end, username="alice")
    >>> with store.lock(app, "alice"):
    ...     store.put_tokens(app, tokens.username, tokens)
    >>> FileStore(path, keys=[key]).get_tokens(app, "alice") == tokens
    True
    >>> store.users(app)
    ['alice']
    >>> folder.cleanup()
    """

    def __init__(
        self, path: str | os.PathLike[str], *, keys: Sequence[str | bytes] = (), patience: float = 60
    ) -> None:
        self._document = Document.of(path, check_record, keys, check_patience(patience))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._document.path)!r})"

    def users(self, app: AppClient) -> list[str]:
        """Return the names of the users whose tokens are in the file, sorted.

        Raises:
            StoreDamaged: The file was damaged, and was renamed.
            StoreError: The file cannot be used.
        """
        with self._document.open() as records:
            return users_of(records, app)

    def lock(self, app: AppClient, username: str) -> AbstractContextManager[None]:
        """Hold the lock of this user's tokens. See `LockingTokenStore.lock`.

        Each user's lock is an empty file beside the store, which stays there.

        Raises:
            StoreError: Another process held it all the time, or the file cannot be created.
        """
        parts = f"{app.pool_id}/{app.client_id}/{username}".encode("utf-8", "surrogatepass")
        path = self._document.path
        name = f"{path.name}.{hashlib.sha256(parts).hexdigest()[:16]}.lock"
        return hold(path.with_name(name), self._document.patience)

    def _open(self) -> AbstractContextManager[Records]:
        return self._document.open()
