"""A store in an SQLite database, for services on one machine.

Rule of this file: one row for each record, and one statement for each change, so that the cost does not
depend on the number of users.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import weakref
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import attrs

from cognito_flow._tracebacks import without_locals
from cognito_flow.errors import StoreDamaged, StoreError, UsageError
from cognito_flow.models import AppClient
from cognito_flow.stores._cipher import Cipher
from cognito_flow.stores._durations import check_patience
from cognito_flow.stores._files import (
    as_store_error,
    beside,
    hold,
    make_directories,
    refuse_planted,
    refuse_shared,
    refuse_shared_directory,
    resolved,
)
from cognito_flow.stores._records import (
    Record,
    Records,
    RecordStore,
    open_record,
    record_name,
    seal_record,
    user_number,
    users_of,
)

_APPLICATION = 0x636F6766  # "cogf": says in the file's header whose database it is
_VERSION = 1
_LOCKS = 256  # Lock files. Users who share one may wait for each other.

# What SQLite writes to beside the database, and opens by name.
_OF_SQLITE = ("-wal", "-shm", "-journal")

_SCHEMA = "CREATE TABLE records (name TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID"


@attrs.define(eq=False)
class _Connections:
    """Open connections that no thread uses at the moment.

    They are kept by process and by file. A connection must not cross a fork, not even to be closed, so a
    child leaves those of its parent alone. And if the file was replaced, for example by a backup, connections
    to the old one would write to a file that has no name any more.
    """

    path: Path
    timeout: float
    _idle: dict[tuple[int, int, int], list[sqlite3.Connection]] = attrs.field(
        factory=dict[tuple[int, int, int], list[sqlite3.Connection]], init=False
    )

    @contextmanager
    def one(self) -> Generator[sqlite3.Connection]:
        file = self.path.stat()
        idle = self._idle.setdefault((os.getpid(), file.st_dev, file.st_ino), [])
        connection = idle.pop() if idle else self._connect()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        idle.append(connection)

    def close(self) -> None:
        for (process, *_), idle in list(self._idle.items()):
            while idle and process == os.getpid():
                idle.pop().close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=self.timeout, isolation_level=None, check_same_thread=False
        )
        try:
            # Of two connections that switch a new database to WAL, SQLite refuses one at once, whatever its
            # timeout.
            with hold(beside(self.path, "create.lock"), self.timeout):
                _prepare(connection, self.path)
        except BaseException:
            connection.close()
            raise
        return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Create the table in a new database, and refuse a database that this library did not create."""
    # FULL: what a statement has written survives a loss of power, too. NORMAL would lose the last changes.
    connection.execute("PRAGMA synchronous = FULL")
    if _pragma(connection, "application_id") != _APPLICATION:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("SELECT 1 FROM sqlite_master").fetchone() is not None:
            raise StoreError(f"{path} was not written by this library: choose another path")
        connection.execute(_SCHEMA)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.execute("COMMIT")
    if _pragma(connection, "user_version") != _VERSION:
        raise StoreError(f"{path} was written by another version of the library")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value


@attrs.frozen
class _Rows:
    """The records in a database."""

    connection: sqlite3.Connection
    cipher: Cipher

    def get(self, name: str, /) -> Record | None:
        row = self.connection.execute("SELECT record FROM records WHERE name = ?", (name,)).fetchone()
        return None if row is None else open_record(self.cipher, name, row[0])

    def __setitem__(self, name: str, record: Record, /) -> None:
        sealed = seal_record(self.cipher, name, record)
        self.connection.execute("INSERT OR REPLACE INTO records VALUES (?, ?)", (name, sealed))

    def pop(self, name: str, default: None, /) -> None:
        self.connection.execute("DELETE FROM records WHERE name = ?", (name,))


@without_locals
class SqliteStore(RecordStore):
    """Keeps tokens and devices in an SQLite database, which all processes of a machine may share.

    Each user's tokens are one row, so that the cost of a change does not grow with the number of users. Only
    the owner may read the file (mode 0600); it survives a kill at any point and a loss of power. With keys,
    each row is encrypted by itself; user names stay readable.

    Put it on a local disk: SQLite's locks are unreliable on network file systems.

    Args:
        path: The database file. A symbolic link is followed. Missing directories are created for the owner
            alone. SQLite keeps two more files beside it (``-wal``, ``-shm``).
        keys: Secrets of at least 32 random bytes, newest first: the first one encrypts, all of them decrypt.
            Without any, rows are plain JSON.
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
    >>> store, app = SqliteStore(f"{folder.name}/tokens.db", keys=[key]), AppClient("eu-west-1_AbC", "client")
    >>> expires_at = datetime(2030, 1, 1, tzinfo=UTC)
    >>> store.put_tokens(app, "alice", Tokens("access", expires_at=expires_at, username="alice"))
    >>> store.users(app)
    ['alice']
    >>> store.close()
    >>> folder.cleanup()
    """

    def __init__(
        self, path: str | os.PathLike[str], *, keys: Sequence[str | bytes] = (), patience: float = 60
    ) -> None:
        if str(path) == ":memory:":  # SQLite's own name for it: a reader would not expect a file
            raise UsageError("SqliteStore needs a file: for a store in memory, use MemoryStore")
        self._path, self._patience = resolved(path), check_patience(patience)
        self._cipher = Cipher.of(keys, "cognito_flow record", 1)
        self._connections = _Connections(self._path, patience)
        # Python warns of connections that are collected without having been closed.
        weakref.finalize(self, self._connections.close)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._path)!r})"

    def close(self) -> None:
        """Close the connections to the database. The store can still be used: it opens new ones."""
        self._connections.close()

    def users(self, app: AppClient) -> list[str]:
        """Return the names of the users whose tokens are in the database, sorted.

        Raises:
            StoreError: The database cannot be used.
        """
        prefix = record_name("tokens", app, "")
        # "0" follows "/", with which the prefix ends.
        query = "SELECT name FROM records WHERE name >= ? AND name < ?"
        with self._connection() as connection:
            rows = connection.execute(query, (prefix, f"{prefix[:-1]}0")).fetchall()
        return users_of((name for (name,) in rows), app)

    def lock(self, app: AppClient, username: str) -> AbstractContextManager[None]:
        """Hold the lock of this user's tokens. See `LockingTokenStore.lock`.

        Locks of users are 256 empty files beside the database, which stay there. A few users share each of
        them, and may wait for each other.

        Raises:
            StoreError: Another process held it all the time, or the file cannot be created.
        """
        number = user_number(app, username) % _LOCKS
        return hold(beside(self._path, f"{number:02x}.lock"), self._patience)

    @contextmanager
    def _open(self) -> Generator[Records]:
        with self._connection() as connection:
            yield _Rows(connection, self._cipher)

    @contextmanager
    def _connection(self) -> Generator[sqlite3.Connection]:
        with as_store_error(self._path), _as_store_error(self._path):
            self._create()
            with self._connections.one() as connection:
                yield connection

    def _create(self) -> None:
        """Create the file with its mode before SQLite does, and refuse one that is not ours alone."""
        make_directories(self._path.parent)
        if not self._cipher.keys:
            refuse_shared_directory(self._path.parent)
        for suffix in _OF_SQLITE:
            refuse_planted(self._path.with_name(f"{self._path.name}{suffix}"))
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            status = self._path.lstat()
            if not stat.S_ISREG(status.st_mode):
                raise StoreError(f"{self._path} is not a regular file") from None
            if not self._cipher.keys:
                refuse_shared(self._path, status)


@contextmanager
def _as_store_error(path: Path) -> Generator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        # Locked by another process for longer than `patience`, a full disk, a read-only directory.
        raise StoreError(f"{path} cannot be used: {error}", retryable="locked" in str(error)) from None
    except sqlite3.DatabaseError as error:
        raise StoreDamaged(f"{path} is damaged ({error}): restore it, or remove it") from None
