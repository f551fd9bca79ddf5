"""Files and locks on one machine: where a path leads, who may read it, and which process may change it.

Rule of this file: it does not know what the files contain.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from cognito_flow.errors import StoreError, UsageError

_POLL = 0.01  # seconds between two attempts to take a lock that another process holds

_MAX_LINKS = 40  # Linux follows no more in one path, either

# The permissions of others, on systems where files have such a mode.
_OTHERS = stat.S_IRWXG | stat.S_IRWXO if os.name == "posix" else 0


def resolved(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file with all links followed.

    Raises:
        UsageError: It is a directory, or cannot be the path of a file.
        StoreError: Another user created one of the links.
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
    with as_store_error(target):
        _refuse_links_of_others(Path(path).absolute())
    return target


def _refuse_links_of_others(path: Path) -> None:
    """Check each link that leads to a file.

    Where everybody may write, as in /tmp, Linux does not follow the links of others (fs.protected_symlinks).
    `Path.resolve` only reads them, which is allowed.

    Raises:
        StoreError: Another user created one of them.
    """
    paths = [path]
    for followed in islice(paths, _MAX_LINKS):  # grows during the loop
        for part in (followed, *followed.parents):
            if os.path.islink(part):  # noqa: PTH114 - Path raises for no access
                if belongs_to_another(part.lstat()):
                    raise StoreError(f"{part} is a link of another user: give the store the path of a file")
                paths.append(part.parent / part.readlink())


def beside(path: Path, suffix: str) -> Path:
    """Return the path of a file that belongs to another one, in the same directory."""
    return path.with_name(f"{path.name}.{suffix}")


def make_directories(directory: Path) -> None:
    """Create a directory and the missing ones above it, each for its owner alone: `Path.mkdir` applies its
    mode to the last one only."""
    missing = [each for each in (directory, *directory.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def belongs_to_another(status: os.stat_result) -> bool:
    """Whether a file belongs to neither the user of this process nor root. On Windows, all belong to 0.

    Args:
        status: Of the file.
    """
    return status.st_uid != 0 and status.st_uid != os.geteuid()


def refuse_shared(path: Path, status: os.stat_result) -> None:
    """Check the owner and the permissions of a file that is not encrypted.

    Args:
        path: The file.
        status: Its status.

    Raises:
        StoreError: It belongs to another user, or others may read or change it.
    """
    if belongs_to_another(status):
        raise StoreError(
            f"{path} belongs to another user: choose another path, or encrypt the file with keys=[...]"
        )
    if status.st_mode & _OTHERS:
        raise StoreError(
            f"others may read or change {path}: run chmod 600 and treat the tokens as leaked, or "
            "encrypt the file with keys=[...]"
        )


def refuse_shared_directory(directory: Path) -> None:
    """Check that no other user can replace the files in a directory.

    Args:
        directory: The directory.

    Raises:
        StoreError: It belongs to another user; or everybody may write to it, and to files of others, too.
    """
    status = directory.stat()
    others_may_write = status.st_mode & _OTHERS & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX
    if belongs_to_another(status) or others_may_write:
        raise StoreError(
            f"other users can replace the files in {directory}: choose a directory of your own, or encrypt "
            "the file with keys=[...]"
        )


def refuse_planted(path: Path) -> None:
    """Check a file that another library opens by its name.

    Args:
        path: The file, which may be absent.

    Raises:
        StoreError: It belongs to another user, or is a link or not a file at all: what is written to it would
            go elsewhere.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    if belongs_to_another(status) or not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        raise StoreError(f"{path} cannot be used: it belongs to another user, or is a link: remove it")


@contextmanager
def hold(path: Path, patience: float) -> Generator[None]:
    """Hold the lock at a path while the block runs.

    Args:
        path: A file that is created for the lock, and stays: if it were removed, a process that waits and
            one that comes later would hold two different locks.
        patience: How long to wait for another holder, in seconds.

    Raises:
        StoreError: Another process held it all the time, or the file cannot be created or used.
    """
    from filelock import FileLock, Timeout

    # It may be released in another thread than it was acquired in.
    lock = FileLock(path, mode=0o600, thread_local=False)
    with as_store_error(path):
        make_directories(path.parent)
        refuse_planted(path)  # older versions of filelock empty the file that they lock
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
