"""Records in one file that a crash never leaves half written, that only one process changes at a time, and
that may be encrypted.

Rule of this file: the file is only touched while its lock is held, also to read. A new version is written
beside the old one and renamed when it is complete, so that a process may be killed at any point. A file that
cannot be read is never overwritten: a damaged one is renamed, and one that needs another key or another
version of the library is left alone.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import stat
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import attrs
from cryptography.fernet import Fernet, InvalidToken

from cognito_flow._json import as_object, as_text
from cognito_flow._keys import fernet_keys
from cognito_flow.errors import StoreDamaged, StoreError, UsageError
from cognito_flow.stores._records import Record

__all__ = ["Document", "changing", "hold", "replace"]

_KIND = "store"
_VERSION = 1
_POLL = 0.01  # seconds between two attempts to take a lock that another process holds

# The permissions of others, on systems where files have such a mode.
_OTHERS = stat.S_IRWXG | stat.S_IRWXO if os.name == "posix" else 0


@attrs.frozen
class Document:
    """One file with records.

    Args:
        path: The file. Missing directories are created for their owner alone.
        is_linked: Whether the path was a symbolic link to this file. Then the file may belong to another
            program, and is not renamed if it is damaged.
        check: Raises StoreDamaged for a record that cannot be read.
        keys: Encrypt with the first; decrypt with any. By their ids. Without any, the file is plain JSON.
        patience: How long to wait for another process, in seconds.
    """

    path: Path
    is_linked: bool
    check: Callable[[str, Record], None]
    keys: Mapping[str, Fernet] = attrs.field(repr=False)
    patience: float

    @classmethod
    def of(
        cls,
        path: str | os.PathLike[str],
        check: Callable[[str, Record], None],
        secrets: Sequence[str | bytes],
        patience: float,
    ) -> Document:
        """Return the document at a path, encrypted if there are secrets.

        A symbolic link is followed now, and not again: its target is the file that is replaced.

        Raises:
            UsageError: A secret is too short, or they are not a sequence, or a file cannot have this path.
        """
        keys = fernet_keys("keys", secrets, "cognito_flow store", _VERSION)
        resolved, is_linked = _resolved(path), os.path.islink(path)  # noqa: PTH114 - a path may be bytes-like
        return cls(resolved, is_linked, check, {_id(key): Fernet(key) for key in keys}, patience)

    @contextmanager
    def open(self) -> Generator[dict[str, Record]]:
        """Yield the records; changes are in the file when the block ends.

        Raises:
            StoreDamaged: The file was damaged, and was renamed. The change is in a new file.
            StoreError: The file cannot be used. It was not changed.
        """
        damaged: StoreDamaged | None = None
        with changing(self.path, self.patience):
            try:
                records = self._read()
            except StoreDamaged as error:
                records, damaged = {}, self._put_aside(error)
            before = dict(records)
            yield records
            if records != before:
                self._write(records)
        if damaged is not None:
            raise damaged

    def _read(self) -> dict[str, Record]:
        try:
            with open(self.path, "rb", opener=_without_following) as file:
                mode = os.fstat(file.fileno()).st_mode
                if not stat.S_ISREG(mode):
                    raise StoreError(f"{self.path} is not a regular file")
                data = file.read()
        except FileNotFoundError:
            return {}
        if mode & _OTHERS and not self.keys:
            raise StoreError(
                f"others may read or change {self.path}: run chmod 600 and treat the tokens as leaked, or "
                "encrypt the file with keys=[...]"
            )
        return self._parse(data)

    def _parse(self, data: bytes) -> dict[str, Record]:
        document = _object(data)
        if document.get("cognito_flow") != _KIND:
            raise StoreError(f"{self.path} was not written by this library: choose another path")
        if document.get("version") != _VERSION:
            raise StoreError(f"{self.path} was written by another version of the library")
        records = as_object((self._opened(document) if self.keys else document).get("records"))
        if records is None and "sealed" in document:
            raise StoreError(f"{self.path} is encrypted: pass its key in keys=[...]")
        return self._checked(records)

    def _opened(self, document: Record) -> Record:
        sealed, key = as_text(document.get("sealed")), as_text(document.get("key"))
        if "records" in document:
            raise StoreError(f"{self.path} is not encrypted: open it without keys, or remove it")
        if sealed is None or key is None:
            raise StoreDamaged("it has no encrypted records")
        if key not in self.keys:
            raise StoreError(f"{self.path} was encrypted with another key: add that one to keys=[...]")
        try:
            return _object(self.keys[key].decrypt(sealed.encode()))
        except (InvalidToken, ValueError):
            raise StoreDamaged("it cannot be decrypted") from None

    def _checked(self, records: Record | None) -> dict[str, Record]:
        if records is None:
            raise StoreDamaged("it has no records")
        checked: dict[str, Record] = {}
        for name, value in records.items():
            if (record := as_object(value)) is None:
                raise StoreDamaged(f"{name}: expected a JSON object")
            self.check(name, record)
            checked[name] = record
        return checked

    def _put_aside(self, error: StoreDamaged) -> StoreDamaged:
        if self.is_linked:
            raise StoreError(
                f"{self.path} is damaged ({error}), or is not a store: remove it, or the link to it"
            )
        names = (_beside(self.path, f"damaged-{number}") for number in itertools.count(1))
        kept_at = next(name for name in names if not name.exists())
        self.path.rename(kept_at)
        damaged = StoreDamaged(
            f"{self.path} was damaged ({error}): it was renamed to {kept_at}, and the store starts empty"
        )
        damaged.kept_at = str(kept_at)
        return damaged

    def _write(self, records: Mapping[str, Record]) -> None:
        document = {"cognito_flow": _KIND, "version": _VERSION, **self._sealed(records)}
        replace(self.path, _bytes(document))

    def _sealed(self, records: Mapping[str, Record]) -> Record:
        for key, fernet in self.keys.items():  # the first one encrypts
            return {"key": key, "sealed": fernet.encrypt(_bytes({"records": records})).decode()}
        return {"records": records}


@contextmanager
def changing(path: Path, patience: float) -> Generator[None]:
    """Hold the lock of the file at a path while the block runs, which may `replace` it.

    Args:
        path: The file, whatever it contains.
        patience: How long to wait for another holder, in seconds.

    Raises:
        StoreError: Another process held it all the time; or the block cannot use the file.
    """
    with hold(_beside(path, "lock"), patience), _as_store_error(path):
        # Left over from a writer that was killed while it held the lock.
        _beside(path, "new").unlink(missing_ok=True)
        yield


def replace(path: Path, data: bytes) -> None:
    """Replace a file atomically, readable by its owner only. Call it while `changing` the file.

    Args:
        path: The file.
        data: The whole new content.

    Raises:
        OSError: It cannot be written.
    """
    new = _beside(path, "new")
    with open(new, "xb", opener=_owner_only) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    _fsync_directory(path.parent)


@contextmanager
def hold(path: Path, patience: float) -> Generator[None]:
    """Hold the lock at a path while the block runs.

    Args:
        path: A file that is created for the lock, and stays: if it were removed, a process that waits and
            one that comes later would hold two different locks.
        patience: How long to wait for another holder, in seconds.

    Raises:
        StoreError: Another process held it all the time, or the file cannot be created.
    """
    from filelock import FileLock, Timeout

    # It may be released in another thread than it was acquired in.
    lock = FileLock(path, mode=0o600, thread_local=False)
    with _as_store_error(path):
        _make_directories(path.parent)
        try:
            lock.acquire(timeout=patience, poll_interval=_POLL)
        except Timeout:
            raise StoreError(
                f"another process has held the lock {path} for {patience} seconds", retryable=True
            ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _as_store_error(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path} cannot be used: {error.strerror}") from error


def _resolved(path: str | os.PathLike[str]) -> Path:
    try:
        resolved = Path(path).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle; a null character
        raise UsageError(f"{str(path)!r} cannot be the path of a file: {error}") from None
    # Since Python 3.13, resolve returns a circle of links unchanged.
    if os.path.isdir(resolved) or os.path.islink(resolved):  # noqa: PTH112, PTH114 - Path raises for no access
        raise UsageError(
            f"{str(path)!r} is a directory or a circle of links: give the store the path of a file"
        )
    return resolved


def _make_directories(directory: Path) -> None:
    """Create a directory and the missing ones above it, each for its owner alone: `Path.mkdir` applies its
    mode to the last one only."""
    missing = [each for each in (directory, *directory.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}.{suffix}")


def _id(key: bytes) -> str:
    """Return a name for a key that reveals nothing about it."""
    return hashlib.sha256(key).hexdigest()[:16]


def _object(data: bytes) -> Record:
    try:
        document = as_object(json.loads(data))
    except (ValueError, RecursionError):
        raise StoreDamaged("it is not JSON") from None
    if document is None:
        raise StoreDamaged("it is not a JSON object")
    return document


def _bytes(document: Record) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _without_following(path: str, flags: int) -> int:
    """Open a file without following a link that has taken its place since, and without waiting for the writer
    of a FIFO."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _fsync_directory(directory: Path) -> None:
    """Make the rename survive a power loss, too."""
    # On Windows, a directory cannot be opened, and there is no way to ask for this.
    with suppress(PermissionError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
