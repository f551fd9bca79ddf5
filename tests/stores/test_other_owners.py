"""Stores where another user of the machine has planted something. Root runs most of these tests, as two other users."""

from __future__ import annotations

import os
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from cognito_flow import FileStore, SqliteStore, StoreError
from tests.support.places import APP, tokens

pytestmark = pytest.mark.skipif(os.name != "posix", reason="files have no owners of this kind here")

ROOT, ALICE, MALLORY = 0, 65534, 65533
KEY = "k" * 32
OPEN_TO_ALL, STICKY = 0o777, 0o1777

Kind: TypeAlias = type[FileStore] | type[SqliteStore]
every_kind = pytest.mark.parametrize("kind", [FileStore, SqliteStore])
alice_and_root = pytest.mark.parametrize("user", [ALICE, ROOT], ids=["alice", "root"])


@contextmanager
def acting_as(user: int) -> Iterator[None]:
    """Have the permissions of a user while the block runs."""
    try:
        os.setegid(user)
        os.seteuid(user)
        yield
    finally:
        os.seteuid(ROOT)
        os.setegid(ROOT)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory that other users reach, which pytest's are not. Everybody may write to it."""
    try:
        with acting_as(ALICE):
            pass
    except OSError:
        pytest.skip("only a root who has other users can act as two of them")
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        # What the stores import when they are used first may be out of the reach of others.
        for kind in (FileStore, SqliteStore):
            kind(Path(made, "first", kind.__name__), keys=[KEY]).put_tokens(APP, "alice", tokens())
        shared = Path(made, "shared")
        shared.mkdir()
        Path(made).chmod(0o755)
        shared.chmod(STICKY)
        yield shared


def precious_file(folder: Path, user: int) -> Path:
    """A file that a user would not want to lose."""
    path = folder / "precious"
    with acting_as(user):
        path.touch(0o600)
        path.write_text("precious")
    return path


@pytest.mark.parametrize(
    ("planted", "kind"),
    [(".", SqliteStore), ("tokens", FileStore), ("tokens.lock", FileStore), ("link", FileStore)],
)
def test_what_belongs_to_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: str, kind: Kind
) -> None:
    """This process says that it is another user's, so that the test needs no root."""
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    if planted == "link":
        (folder / planted).symlink_to("tokens")
    else:
        (folder / planted).touch(0o600)
    if os.geteuid() == ROOT:  # whose files are trusted
        os.chown(folder / planted, ALICE, ALICE, follow_symlinks=False)
    monkeypatch.setattr(os, "geteuid", lambda: MALLORY)

    with pytest.raises(StoreError, match=r"other users?"):
        kind(folder / (planted if planted == "link" else "tokens")).put_tokens(APP, "alice", tokens())


# -- what is planted in the place of the store --


@every_kind
def test_files_of_a_store_are_out_of_the_reach_of_other_users(folder: Path, kind: Kind) -> None:
    with acting_as(ALICE):
        store = kind(folder / "tokens")
        store.put_tokens(APP, "alice", tokens())
        with store.lock(APP, "alice"):
            files = [path for path in folder.iterdir() if path.is_file()]

    assert len(files) >= 3
    with acting_as(MALLORY):
        for path in files:
            with pytest.raises(PermissionError):
                path.open("rb")
        with pytest.raises(StoreError, match="cannot be used"):
            kind(folder / "tokens").get_tokens(APP, "alice")


@every_kind
@alice_and_root
@pytest.mark.parametrize("mode", [0o600, 0o666])
def test_store_of_another_user_is_refused_and_unchanged(
    folder: Path, kind: Kind, user: int, mode: int
) -> None:
    """Its tokens would sign the victim in as the attacker."""
    path = folder / "tokens"
    with acting_as(MALLORY):
        store = kind(path)
        store.put_tokens(APP, "alice", tokens())
        if isinstance(store, SqliteStore):
            store.close()
        path.with_name("tokens.lock").unlink(missing_ok=True)
        path.chmod(mode)
    before = path.read_bytes()

    with acting_as(user):
        with pytest.raises(StoreError, match=r"belongs to another user|cannot be used"):
            kind(path).get_tokens(APP, "alice")
        with pytest.raises(StoreError, match=r"belongs to another user|cannot be used"):
            kind(path).put_tokens(APP, "bob", tokens())
    assert path.read_bytes() == before
    assert path.stat().st_uid == MALLORY


@every_kind
@alice_and_root
def test_link_of_another_user_is_not_followed(folder: Path, kind: Kind, user: int) -> None:
    victim = precious_file(folder, user)
    with acting_as(MALLORY):
        (folder / "tokens").symlink_to(victim)
        (folder / "missing").symlink_to(folder / "elsewhere")

    with acting_as(user):
        for name in ("tokens", "missing"):
            with pytest.raises(StoreError, match="link of another user"):
                kind(folder / name)
    assert victim.read_text() == "precious"
    assert not (folder / "elsewhere").exists()


@every_kind
def test_directory_link_of_another_user_is_not_followed(folder: Path, kind: Kind) -> None:
    with acting_as(MALLORY):
        (folder / "app").symlink_to(folder)

    with acting_as(ALICE), pytest.raises(StoreError, match="link of another user"):
        kind(folder / "app" / "tokens")


@every_kind
def test_link_behind_a_link_is_checked_too(folder: Path, kind: Kind) -> None:
    with acting_as(MALLORY):
        (folder / "second").symlink_to(folder / "tokens")
    with acting_as(ALICE):
        (folder / "first").symlink_to("second")
        with pytest.raises(StoreError, match="second is a link of another user"):
            kind(folder / "first")


@every_kind
def test_links_of_root_are_followed(folder: Path, kind: Kind) -> None:
    """As /var/run is one on many systems."""
    (folder / "run").symlink_to(folder, target_is_directory=True)
    with acting_as(ALICE):
        kind(folder / "run" / "tokens").put_tokens(APP, "alice", tokens())
        assert kind(folder / "tokens").get_tokens(APP, "alice") == tokens()


# -- what is planted beside it --


@every_kind
@alice_and_root
def test_lock_of_another_user_is_refused(folder: Path, kind: Kind, user: int) -> None:
    """Its owner could hold it forever."""
    names = ("tokens.lock", "tokens.create.lock")
    with acting_as(MALLORY):
        for name in names:
            (folder / name).touch()
            (folder / name).chmod(0o666)

    with acting_as(user), pytest.raises(StoreError, match=r"lock cannot be used"):
        kind(folder / "tokens", patience=1).put_tokens(APP, "alice", tokens())


@every_kind
@alice_and_root
@pytest.mark.parametrize("plant", [os.link, os.symlink])
def test_lock_that_is_a_link_does_not_lead_to_another_file(
    folder: Path, kind: Kind, user: int, plant: Callable[[Path, Path], None]
) -> None:
    """Root plants it here: many systems let users make hard links to their own files only."""
    victim = precious_file(folder, user)
    for name in ("tokens.lock", "tokens.create.lock"):
        plant(victim, folder / name)

    with acting_as(user), pytest.raises(StoreError, match="cannot be used"):
        kind(folder / "tokens").put_tokens(APP, "alice", tokens())
    assert victim.read_text() == "precious"


def test_new_version_of_a_file_is_not_written_through_a_link_of_another_user(folder: Path) -> None:
    victim = precious_file(folder, ALICE)
    folder.chmod(OPEN_TO_ALL)
    with acting_as(MALLORY):
        (folder / "tokens.new").symlink_to(victim)

    with acting_as(ALICE):
        FileStore(folder / "tokens").put_tokens(APP, "alice", tokens())
    assert victim.read_text() == "precious"
    written = (folder / "tokens").lstat()
    assert (written.st_uid, stat.S_IMODE(written.st_mode)) == (ALICE, 0o600)


def test_new_version_that_another_user_has_planted_is_a_store_error(folder: Path) -> None:
    """In a directory like /tmp, only its owner can remove it."""
    with acting_as(ALICE):
        FileStore(folder / "tokens").put_tokens(APP, "alice", tokens())
    with acting_as(MALLORY):
        (folder / "tokens.new").touch()
        (folder / "tokens.new").chmod(0o666)

    with acting_as(ALICE), pytest.raises(StoreError, match="cannot be used"):
        FileStore(folder / "tokens").put_tokens(APP, "bob", tokens())
    assert (folder / "tokens.new").read_bytes() == b""
    with acting_as(MALLORY):
        (folder / "tokens.new").unlink()
    with acting_as(ALICE):
        assert FileStore(folder / "tokens").users(APP) == ["alice"]


@alice_and_root
@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
@pytest.mark.parametrize("keys", [(), (KEY,)], ids=["plain", "encrypted"])
def test_file_that_sqlite_would_write_to_is_refused_if_another_user_has_planted_it(
    folder: Path, user: int, suffix: str, keys: tuple[str, ...]
) -> None:
    """SQLite writes each row to one of them first."""
    planted = folder / f"tokens{suffix}"
    with acting_as(MALLORY):
        planted.touch()
        planted.chmod(0o666)

    with acting_as(user), pytest.raises(StoreError, match=f"{suffix} cannot be used"):
        SqliteStore(folder / "tokens", keys=keys).put_tokens(APP, "alice", tokens())
    assert planted.read_bytes() == b""


def test_file_that_sqlite_would_write_to_is_refused_if_it_is_a_link(folder: Path) -> None:
    victim = precious_file(folder, ALICE)
    with acting_as(MALLORY):
        (folder / "tokens-wal").symlink_to(victim)

    with acting_as(ALICE), pytest.raises(StoreError, match="-wal cannot be used"):
        SqliteStore(folder / "tokens").put_tokens(APP, "alice", tokens())
    assert victim.read_text() == "precious"


# -- directories that others can write to --


@alice_and_root
def test_file_that_another_user_puts_in_place_of_the_store_is_not_read(folder: Path, user: int) -> None:
    folder.chmod(OPEN_TO_ALL)
    with acting_as(user):
        store = FileStore(folder / "tokens")
        store.put_tokens(APP, "alice", tokens())
    with acting_as(MALLORY):
        (folder / "tokens").rename(folder / "old")
        FileStore(folder / "planted").put_tokens(APP, "alice", tokens("mallory's"))
        (folder / "planted").rename(folder / "tokens")

    with acting_as(user), pytest.raises(StoreError, match=r"belongs to another user|cannot be used"):
        store.get_tokens(APP, "alice")


@pytest.mark.parametrize("owner", [ALICE, MALLORY])
def test_database_where_other_users_can_replace_files_must_be_encrypted(folder: Path, owner: int) -> None:
    """SQLite opens its other files by name each time, so the user who planted them could read each row."""
    folder.chmod(OPEN_TO_ALL)
    os.chown(folder, owner, owner)
    with acting_as(ALICE):
        with pytest.raises(StoreError, match="other users can replace the files"):
            SqliteStore(folder / "tokens").put_tokens(APP, "alice", tokens())
        assert not (folder / "tokens").exists()

        store = SqliteStore(folder / "tokens", keys=[KEY])
        store.put_tokens(APP, "alice", tokens("a recognisable token"))
        assert store.get_tokens(APP, "alice") == tokens("a recognisable token")
        store.close()
    with closing(sqlite3.connect(folder / "tokens")) as database:
        rows = database.execute("SELECT record FROM records").fetchall()
    assert len(rows) == 1
    assert b"a recognisable token" not in bytes(rows[0][0])
