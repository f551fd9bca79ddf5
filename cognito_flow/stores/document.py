"""Entries in one file that no crash leaves half written, that no two processes change at once, and that may
be sealed.

Rule of this file: whoever touches the file holds its lock, also to read. A new version is written beside the
old one and takes its name when it is complete, so that a process may be killed at any point. What cannot be
read is never overwritten: a damaged file is put aside under another name, and one that needs another key or
another version of the library is left alone.
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
from cognito_flow.stores.entries import Record

__all__ = ["Document", "changing", "hold", "replace"]

_KINDS = ("devices", "tokens")
_VERSION = 1
_POLL = 0.01  # seconds between two looks at a lock that another process holds

# What the owner keeps from others, where files have such a mode.
_OTHERS = stat.S_IRWXG | stat.S_IRWXO if os.name == "posix" else 0


@attrs.frozen
class Document:
    """One file with entries.

    Args:
        path: The file. A missing directory is made for its owner alone.
        kind: What stands in it: ``"tokens"`` or ``"devices"``.
        check: Raises StoreDamaged for a name and a record that do not belong here.
        keys: Seal it with the first; each of them opens it. By their ids. Without any, it is not sealed.
        patience: How long to wait for another process, in seconds.
    """

    path: Path
    kind: str
    check: Callable[[str, Record], None]
    keys: Mapping[str, Fernet] = attrs.field(repr=False)
    patience: float

    @classmethod
    def of(
        cls,
        path: str | os.PathLike[str],
        kind: str,
        check: Callable[[str, Record], None],
        secrets: Sequence[str | bytes],
        patience: float,
    ) -> Document:
        """The document at a path, sealed with these secrets if there are any.

        A link is followed now: the file that it leads to is the one that is replaced.

        Raises:
            UsageError: A secret is too short, or they are no sequence, or no file can have this path.
        """
        keys = fernet_keys("keys", secrets, "cognito_flow store", _VERSION, kind)
        return cls(_resolved(path), kind, check, {_id(key): Fernet(key) for key in keys}, patience)

    @contextmanager
    def open(self) -> Generator[dict[str, Record]]:
        """The entries; when the block ends, what was changed is in the file.

        Raises:
            StoreDamaged: The file was damaged, and was put aside. The change is in a new file.
            StoreError: The file cannot be used. Nothing was changed.
        """
        damaged: StoreDamaged | None = None
        with changing(self.path, self.patience):
            try:
                entries = self._read()
            except StoreDamaged as error:
                entries, damaged = {}, self._put_aside(error)
            before = dict(entries)
            yield entries
            if entries != before:
                self._write(entries)
        if damaged is not None:
            raise damaged

    def _read(self) -> dict[str, Record]:
        try:
            with self.path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                data = file.read()
        except FileNotFoundError:
            return {}
        if mode & _OTHERS and not self.keys:
            raise StoreError(
                f"others may read or change {self.path}: take that from them (chmod 600), and think of what "
                "they have read; or seal the file with a key"
            )
        return self._parse(data)

    def _parse(self, data: bytes) -> dict[str, Record]:
        document = _object(data)
        kind, version = as_text(document.get("cognito_flow")), document.get("version")
        if kind not in _KINDS:
            raise StoreDamaged("it is no store of this library")
        if kind != self.kind:
            raise StoreError(f"{self.path} keeps {kind}, not {self.kind}: give each store a path of its own")
        if version != _VERSION:
            raise StoreError(f"{self.path} was written by another version of the library")
        entries = as_object((self._unsealed(document) if self.keys else document).get("entries"))
        if entries is None and "sealed" in document:
            raise StoreError(f"{self.path} is sealed: give the store its key")
        return self._checked(entries)

    def _unsealed(self, document: Record) -> Record:
        sealed, key = as_text(document.get("sealed")), as_text(document.get("key"))
        if "entries" in document:
            raise StoreError(f"{self.path} is not sealed: open it without keys, or remove it")
        if sealed is None or key is None:
            raise StoreDamaged("it has no sealed entries")
        if key not in self.keys:
            raise StoreError(f"{self.path} was sealed with another key: give the store that one, too")
        try:
            return _object(self.keys[key].decrypt(sealed.encode()))
        except (InvalidToken, ValueError):
            raise StoreDamaged("its seal is broken") from None

    def _checked(self, entries: Record | None) -> dict[str, Record]:
        if entries is None:
            raise StoreDamaged("it has no entries")
        checked: dict[str, Record] = {}
        for name, value in entries.items():
            if (record := as_object(value)) is None:
                raise StoreDamaged(f"{name}: this is no record")
            self.check(name, record)
            checked[name] = record
        return checked

    def _put_aside(self, error: StoreDamaged) -> StoreDamaged:
        names = (_beside(self.path, f"damaged-{number}") for number in itertools.count(1))
        kept_at = next(name for name in names if not name.exists())
        self.path.rename(kept_at)
        damaged = StoreDamaged(
            f"{self.path} was damaged ({error}): it is kept as {kept_at}, and a new one begins"
        )
        damaged.kept_at = str(kept_at)
        return damaged

    def _write(self, entries: Mapping[str, Record]) -> None:
        document = {"cognito_flow": self.kind, "version": _VERSION, **self._sealed(entries)}
        replace(self.path, _bytes(document))

    def _sealed(self, entries: Mapping[str, Record]) -> Record:
        for key, fernet in self.keys.items():
            return {"key": key, "sealed": fernet.encrypt(_bytes({"entries": entries})).decode()}
        return {"entries": entries}


@contextmanager
def changing(path: Path, patience: float) -> Generator[None]:
    """Hold the lock of the file at a path while the block runs, which may `replace` it.

    Args:
        path: The file, whatever stands in it.
        patience: How long to wait for another holder, in seconds.

    Raises:
        StoreError: Another process held it all the time; or the block cannot use the file.
    """
    with hold(_beside(path, "lock"), patience), _said_plainly(path):
        # Only who holds the lock writes this: it was left by one who died.
        _beside(path, "new").unlink(missing_ok=True)
        yield


def replace(path: Path, data: bytes) -> None:
    """Put a new version in the place of a file, for its owner alone. It is for those who are `changing` it.

    Args:
        path: The file.
        data: All that shall stand in it.

    Raises:
        OSError: It cannot be written.
    """
    new = _beside(path, "new")
    with open(new, "xb", opener=_for_the_owner_alone) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    _fsync_directory(path.parent)


@contextmanager
def hold(path: Path, patience: float) -> Generator[None]:
    """Hold the lock at a path while the block runs.

    Args:
        path: A file that is made for it, and stays: without it, those who wait and those who come later would
            hold two different locks.
        patience: How long to wait for another holder, in seconds.

    Raises:
        StoreError: Another process held it all the time, or the file cannot be made.
    """
    from filelock import FileLock, Timeout

    # It may be left in another thread than it was entered in.
    lock = FileLock(path, mode=0o600, thread_local=False)
    with _said_plainly(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=patience, poll_interval=_POLL)
        except Timeout:
            raise StoreError(
                f"another process has held {path} for {patience} seconds", retryable=True
            ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _said_plainly(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path} cannot be used: {error.strerror}") from error


def _resolved(path: str | os.PathLike[str]) -> Path:
    try:
        resolved = Path(path).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle; no character of any path
        raise UsageError(f"{str(path)!r} is no path of a file: {error}") from None
    # Since Python 3.13, a circle of links stays one.
    if os.path.isdir(resolved) or os.path.islink(resolved):  # noqa: PTH112, PTH114 - Path raises for no access
        raise UsageError(
            f"{str(path)!r} is a directory, or a link to nowhere: give the store the path of a file"
        )
    return resolved


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}.{suffix}")


def _id(key: bytes) -> str:
    """A name for a key that tells nothing about it."""
    return hashlib.sha256(key).hexdigest()[:16]


def _object(data: bytes) -> Record:
    try:
        document = as_object(json.loads(data))
    except (ValueError, RecursionError):
        raise StoreDamaged("it is not JSON") from None
    if document is None:
        raise StoreDamaged("it is no JSON object")
    return document


def _bytes(document: Record) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _for_the_owner_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _fsync_directory(directory: Path) -> None:
    """Let the new name survive a loss of power, too."""
    # Where a directory cannot be opened, as on Windows, there is no way to ask for this.
    with suppress(PermissionError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
