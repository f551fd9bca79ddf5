"""Records in one file that a crash never leaves half written, that only one process changes at a time, and
that may be encrypted.

Rule of this file: the file is only touched while its lock is held, also to read. A new version is written
beside the old one and renamed when it is complete, so that a process may be killed at any point. A file that
cannot be read is never overwritten: a damaged one is renamed, and one that needs another key or another
version of the library is left alone.
"""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import attrs

from cognito_flow._json import as_object
from cognito_flow.errors import StoreDamaged, StoreError
from cognito_flow.stores._cipher import Cipher, as_bytes, as_document
from cognito_flow.stores._files import as_store_error, beside, hold, refuse_shared, resolved
from cognito_flow.stores._records import Record

_KIND = "store"
_VERSION = 1


@attrs.frozen
class Document:
    """One file with records.

    Args:
        path: The file. Missing directories are created for their owner alone.
        is_linked: Whether the path was a symbolic link to this file. Then the file may belong to another
            program, and is not renamed if it is damaged.
        check: Raises StoreDamaged for a record that cannot be read.
        cipher: Encrypts the records, if it has keys.
        patience: How long to wait for another process, in seconds.
    """

    path: Path
    is_linked: bool
    check: Callable[[str, Record], None]
    cipher: Cipher
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
            StoreError: The path leads over a link of another user.
        """
        cipher = Cipher.of(secrets, "cognito_flow store", _VERSION)
        target, is_linked = resolved(path), os.path.islink(path)  # noqa: PTH114 - a path may be bytes-like
        return cls(target, is_linked, check, cipher, patience)

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
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise StoreError(f"{self.path} is not a regular file")
                data = file.read()
        except FileNotFoundError:
            return {}
        if not self.cipher.keys:
            refuse_shared(self.path, status)
        return self._parse(data)

    def _parse(self, data: bytes) -> dict[str, Record]:
        document = as_document(data)
        if document.get("cognito_flow") != _KIND:
            raise StoreError(f"{self.path} was not written by this library: choose another path")
        if document.get("version") != _VERSION:
            raise StoreError(f"{self.path} was written by another version of the library")
        return self._checked(self.cipher.open(document, self.path))

    def _checked(self, records: Record) -> dict[str, Record]:
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
        names = (beside(self.path, f"damaged-{number}") for number in itertools.count(1))
        kept_at = next(name for name in names if not name.exists())
        self.path.rename(kept_at)
        damaged = StoreDamaged(
            f"{self.path} was damaged ({error}): it was renamed to {kept_at}, and the store starts empty"
        )
        damaged.kept_at = str(kept_at)
        return damaged

    def _write(self, records: Mapping[str, Record]) -> None:
        document = {"cognito_flow": _KIND, "version": _VERSION, **self.cipher.seal(records)}
        replace(self.path, as_bytes(document))


@contextmanager
def changing(path: Path, patience: float) -> Generator[None]:
    """Hold the lock of the file at a path while the block runs, which may `replace` it.

    Args:
        path: The file, whatever it contains.
        patience: How long to wait for another holder, in seconds.

    Raises:
        StoreError: Another process held it all the time; or the block cannot use the file.
    """
    with hold(beside(path, "lock"), patience), as_store_error(path):
        # Left over from a writer that was killed while it held the lock.
        beside(path, "new").unlink(missing_ok=True)
        yield


def replace(path: Path, data: bytes) -> None:
    """Replace a file atomically, readable by its owner only. Call it while `changing` the file.

    Args:
        path: The file.
        data: The whole new content.

    Raises:
        OSError: It cannot be written.
    """
    new = beside(path, "new")
    with open(new, "xb", opener=_owner_only) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    _fsync_directory(path.parent)


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
