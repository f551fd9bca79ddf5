"""Files and locks on one machine: where a path leads, who may read it, and which process may change it.

Rule of this file: it does not know what the files contain.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from cognito_flow.errors import StoreError, UsageError

_POLL = 0.01  # seconds between two attempts to take a lock that another process holds

# The permissions of others, on systems where files have such a mode.
_OTHERS = stat.S_IRWXG | stat.S_IRWXO if os.name == "posix" else 0


def resolved(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file with all links followed.

    Raises:
        UsageError: It is a directory, or cannot be the path of a file.
    """
    try:
        target = Path(path).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle; a null character
        raise UsageError(f"{str(path)!r} cannot be the path of a file: {error}") from None
    # Since Python 3.13, resolve returns a circle of links unchanged.
    if os.path.isdir(target) or os.path.islink(target):  # noqa: PTH112, PTH114 - Path raises for no access
        raise UsageError(
            f"{str(path)!r} is a directory or a circle of links: give the store the path of a file"
        )
    return target


def beside(path: Path, suffix: str) -> Path:
    """Return the path of a file that belongs to another one, in the same directory."""
    return path.with_name(f"{path.name}.{suffix}")


def make_directories(directory: Path) -> None:
    """Create a directory and the missing ones above it, each for its owner alone: `Path.mkdir` applies its
    mode to the last one only."""
    missing = [each for each in (directory, *directory.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def refuse_readable(path: Path, mode: int) -> None:
    """Check the permissions of a file that is not encrypted.

    Args:
        path: The file.
        mode: Its mode.

    Raises:
        StoreError: Others may read or change it.
    """
    if mode & _OTHERS:
        raise StoreError(
            f"others may read or change {path}: run chmod 600 and treat the tokens as leaked, or "
            "encrypt the file with keys=[...]"
        )


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
    with as_store_error(path):
        make_directories(path.parent)
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
def as_store_error(path: Path) -> Generator[None]:
    """Raise the errors of the file system as `StoreError`."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path} cannot be used: {error.strerror}") from error
