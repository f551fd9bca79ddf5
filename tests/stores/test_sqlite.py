"""The store in an SQLite database: its file, damage, encryption of rows, several processes, forks and kills."""

from __future__ import annotations

import gc
import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cognito_flow import AppClient, Device, SqliteStore, StoreDamaged, StoreError, UsageError
from cognito_flow.testing import LocalCognito
from tests.stores.processes import check_that_processes_refresh_in_turn, next_line, running
from tests.support.places import APP, tokens
from tests.support.planted import Place, searches
from tests.support.store_writer import tokens as written_tokens

KEY, OTHER_KEY = "k" * 32, b"o" * 32
ALICE = "tokens/eu-west-1_AbC123/client-id/alice"
for_posix = pytest.mark.skipif(os.name != "posix", reason="files have another kind of permissions here")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A path at which there is no file, and no directory."""
    return tmp_path / "new" / "tokens.db"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def change(path: Path, statement: str, *parameters: object) -> None:
    """Change a database behind the store's back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, parameters)


# -- the file --


@for_posix
def test_database_and_directories_are_for_the_owner_alone(path: Path) -> None:
    umask = os.umask(0)
    try:
        store = SqliteStore(path)
        store.put_tokens(APP, "alice", tokens())
        with store.lock(APP, "alice"):
            files = list(path.parent.iterdir())
            modes = {mode(file) for file in files}
    finally:
        os.umask(umask)

    assert len(files) == 5  # the database, -wal, -shm, the lock of its creation and one of users
    assert modes == {0o600}
    assert mode(path.parent) == 0o700


@for_posix
def test_database_that_others_may_read_is_refused_unless_it_is_encrypted(path: Path) -> None:
    SqliteStore(path).put_tokens(APP, "alice", tokens())
    path.chmod(0o640)
    with pytest.raises(StoreError, match="chmod 600"):
        SqliteStore(path).get_tokens(APP, "alice")

    sealed = path.with_name("sealed.db")
    SqliteStore(sealed, keys=[KEY]).put_tokens(APP, "alice", tokens())
    sealed.chmod(0o644)
    assert SqliteStore(sealed, keys=[KEY]).get_tokens(APP, "alice") == tokens()


def test_link_is_followed(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(path)
    SqliteStore(link).put_tokens(APP, "alice", tokens())

    assert link.is_symlink()
    assert SqliteStore(path).get_tokens(APP, "alice") == tokens()


@for_posix
def test_fifo_in_its_place_is_a_store_error_at_once(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)

    with pytest.raises(StoreError, match="not a regular file"):
        SqliteStore(path).get_tokens(APP, "alice")


def test_database_of_another_program_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.touch(0o600)
    change(path, "CREATE TABLE cookies (name)")

    with pytest.raises(StoreError, match="choose another path"):
        SqliteStore(path).put_tokens(APP, "alice", tokens())
    change(path, "INSERT INTO cookies VALUES ('still there')")


def test_database_of_another_version_is_left_alone(path: Path) -> None:
    store = SqliteStore(path)
    store.put_tokens(APP, "alice", tokens())
    store.close()
    change(path, "PRAGMA user_version = 2")

    with pytest.raises(StoreError, match="another version"):
        store.get_tokens(APP, "alice")


def test_file_that_is_not_a_database_is_damaged_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.touch(0o600)
    path.write_bytes(b"not a database" * 1000)

    with pytest.raises(StoreDamaged, match="restore it, or remove it") as caught:
        SqliteStore(path).get_tokens(APP, "alice")
    assert caught.value.kept_at is None
    assert path.read_bytes() == b"not a database" * 1000


def test_path_that_cannot_be_used_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(StoreError, match=r"File exists|Not a directory"):
        SqliteStore(tmp_path / "file" / "tokens.db").get_tokens(APP, "alice")


def test_path_of_a_directory_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="directory"):
        SqliteStore(tmp_path)


@for_posix
def test_full_disk_leaves_the_old_tokens(path: Path) -> None:
    import resource

    store = SqliteStore(path)
    store.put_tokens(APP, "alice", tokens("old"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(StoreError, match="cannot be used"):
            store.put_tokens(APP, "alice", tokens("new" * 10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert store.get_tokens(APP, "alice") == tokens("old")


def test_locked_database_is_a_retryable_store_error(path: Path) -> None:
    store = SqliteStore(path, patience=0)
    store.put_tokens(APP, "alice", tokens("old"))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked") as caught:
            store.put_tokens(APP, "alice", tokens("new"))

        assert caught.value.retryable
        assert store.get_tokens(APP, "alice") == tokens("old")  # a reader does not wait for a writer


def test_database_that_was_removed_begins_again(path: Path) -> None:
    """An open connection would write into the removed file."""
    store = SqliteStore(path)
    store.put_tokens(APP, "alice", tokens())
    shutil.rmtree(path.parent)

    assert store.get_tokens(APP, "alice") is None
    store.put_tokens(APP, "bob", tokens())
    assert SqliteStore(path).users(APP) == ["bob"]


def test_users_lists_whose_tokens_are_in_the_database(path: Path) -> None:
    store = SqliteStore(path, keys=[KEY])
    for user in ("bob", "al ice/\ud83d", "Zoë"):
        store.put_tokens(APP, user, tokens())
    store.put_device(APP, "carol", Device("key", "group", "secret"), alias="carol@example.com")
    for other in ("client-id0", "client", "zzz"):
        store.put_tokens(AppClient("eu-west-1_AbC123", other), "dave", tokens())

    assert store.users(APP) == ["Zoë", "al ice/\ud83d", "bob"]


def test_store_can_be_used_after_close(path: Path) -> None:
    store = SqliteStore(path)
    store.put_tokens(APP, "alice", tokens())
    store.close()

    assert not path.with_name("tokens.db-wal").exists()
    assert store.get_tokens(APP, "alice") == tokens()


def test_connections_are_closed_with_the_store(path: Path) -> None:
    store = SqliteStore(path)
    store.put_tokens(APP, "alice", tokens())
    assert path.with_name("tokens.db-wal").exists()

    del store
    gc.collect()

    assert not path.with_name("tokens.db-wal").exists()


# -- rows --


@searches(Place.SEALED)
def test_encrypted_rows_show_no_token(path: Path) -> None:
    store = SqliteStore(path, keys=[KEY])
    store.put_tokens(APP, "alice", tokens("ACCESS"))
    store.close()

    assert b"ACCESS" not in path.read_bytes()


def test_older_keys_decrypt_and_the_newest_encrypts(path: Path) -> None:
    SqliteStore(path, keys=[OTHER_KEY]).put_tokens(APP, "alice", tokens())
    rotated = SqliteStore(path, keys=[KEY, OTHER_KEY])
    rotated.put_tokens(APP, "bob", tokens("bob's"))

    assert rotated.get_tokens(APP, "alice") == tokens()
    assert SqliteStore(path, keys=[KEY]).get_tokens(APP, "bob") == tokens("bob's")


@pytest.mark.parametrize(
    ("written", "read", "message"),
    [
        ([KEY], [OTHER_KEY], "encrypted with another key"),
        ([KEY], [], "pass its key"),
        ([], [KEY], "is not encrypted"),
    ],
)
def test_wrong_key_is_a_store_error_and_leaves_the_row(
    path: Path, written: list[str], read: list[str], message: str
) -> None:
    SqliteStore(path, keys=written).put_tokens(APP, "alice", tokens())

    with pytest.raises(StoreError, match=message) as caught:
        SqliteStore(path, keys=read).get_tokens(APP, "alice")
    assert not isinstance(caught.value, StoreDamaged)
    assert SqliteStore(path, keys=written).get_tokens(APP, "alice") == tokens()


def spoil(path: Path) -> None:
    change(path, "UPDATE records SET record = '{}'")


def cut(path: Path) -> None:
    change(path, "UPDATE records SET record = substr(record, 1, 40)")


def swap(path: Path) -> None:
    """Put bob's row in the place of alice's."""
    change(path, "UPDATE records SET record = (SELECT record FROM records WHERE name LIKE '%/bob')")


@pytest.mark.parametrize("patience", [-1, 1e7, float("inf"), float("nan"), None, True])
def test_patience_without_an_end_is_a_usage_error(path: Path, patience: Any) -> None:
    """For filelock, a negative timeout and None mean that it waits for ever."""
    with pytest.raises(UsageError, match="patience"):
        SqliteStore(path, patience=patience)


@pytest.mark.parametrize("kind", [str, Path])
def test_sqlites_name_for_memory_is_a_usage_error_that_names_the_store_in_memory(
    kind: Callable[[str], str | Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError, match="MemoryStore"):
        SqliteStore(kind(":memory:"))


@pytest.mark.parametrize("damage", [spoil, cut])
def test_damaged_device_and_alias_are_reported_and_can_be_deleted_and_put(
    path: Path, damage: Callable[[Path], None]
) -> None:
    device, store = Device("key", "group", "secret"), SqliteStore(path)
    for name in ("alice", "alice@example.com"):
        store.put_device(APP, "alice", device, alias="alice@example.com")
        damage(path)
        with pytest.raises(StoreDamaged, match="alice"):
            store.get_device(APP, name)
        store.delete_device(APP, name)
        assert store.get_device(APP, name) is None

    store.put_device(APP, "alice", device, alias="alice@example.com")
    assert store.get_device(APP, "alice@example.com") == device


def test_device_that_was_encrypted_with_a_lost_key_can_be_replaced_and_deleted(path: Path) -> None:
    device, store = Device("key", "group", "secret"), SqliteStore(path, keys=[KEY])
    for _ in range(2):
        SqliteStore(path, keys=[OTHER_KEY]).put_device(APP, "alice", device)
        store.put_device(APP, "alice", device)
        assert store.get_device(APP, "alice") == device
        store.delete_device(APP, "alice")
        assert store.get_device(APP, "alice") is None


@pytest.mark.parametrize("damage", [spoil, cut, swap])
@pytest.mark.parametrize("keys", [[], [KEY]], ids=["plain", "encrypted"])
def test_damaged_row_is_reported_and_repaired_by_put(
    path: Path, keys: list[str], damage: Callable[[Path], None]
) -> None:
    store = SqliteStore(path, keys=keys)
    store.put_tokens(APP, "alice", tokens())
    store.put_tokens(APP, "bob", tokens("bob's"))
    damage(path)

    with pytest.raises(StoreDamaged, match="alice"):
        store.get_tokens(APP, "alice")
    store.put_tokens(APP, "alice", tokens("new"))
    assert store.get_tokens(APP, "alice") == tokens("new")


# -- threads, processes, forks --


def test_lock_keeps_other_processes_out(path: Path) -> None:
    with running("hold", path) as process:
        assert next_line(process) == "held"
        with pytest.raises(StoreError, match="has held the lock") as caught:
            SqliteStore(path, patience=0.1).lock(APP, "alice").__enter__()
        assert caught.value.retryable

        process.send_signal(signal.SIGKILL)
        process.wait()
        with SqliteStore(path).lock(APP, "alice"):
            pass


def test_there_are_few_lock_files(path: Path) -> None:
    store = SqliteStore(path)
    for number in range(1000):
        with store.lock(APP, f"user-{number}"):
            pass

    assert len(list(path.parent.glob("*.lock"))) in range(201, 258)


def test_threads_use_few_connections(path: Path) -> None:
    store = SqliteStore(path)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: store.put_tokens(APP, f"user-{n}", tokens()), range(100)))

    (idle,) = store._connections._idle.values()
    assert len(idle) <= 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_child_and_parent_share_the_database_after_a_fork(path: Path) -> None:
    store = SqliteStore(path)
    store.put_tokens(APP, "alice", tokens("parent's"))
    if (child := os.fork()) == 0:
        try:
            assert store.get_tokens(APP, "alice") == tokens("parent's")
            store.put_tokens(APP, "alice", tokens("child's"))
            store.close()
        except BaseException:  # noqa: BLE001 - the parent reads the exit status
            os._exit(1)
        os._exit(0)

    assert os.waitpid(child, 0)[1] == 0
    assert store.get_tokens(APP, "alice") == tokens("child's")
    store.put_tokens(APP, "bob", tokens())
    assert SqliteStore(path).users(APP) == ["alice", "bob"]


@pytest.mark.slow
def test_processes_that_begin_at_once_lose_nothing(path: Path) -> None:
    """They also create the database at once."""
    with (
        running("write", path, "a", "0", "50") as a,
        running("write", path, "b", "0", "50") as b,
        running("write", path, "c", "0", "50") as c,
    ):
        for process in (a, b, c):
            assert process.wait() == 0

    expected = {f"{prefix}-{number}" for prefix in "abc" for number in range(50)}
    assert set(SqliteStore(path).users(APP)) == expected


@pytest.mark.slow
def test_kill_at_any_moment_keeps_all_that_was_put(path: Path) -> None:
    moments, written = random.Random(2), 0  # noqa: S311 - a moment is not a secret
    for _ in range(10):
        with running("write", path, "user", str(written), "100000") as process:
            assert next_line(process) == "ready"
            printed = [next_line(process) for _ in range(moments.randrange(1, 20))]
            time.sleep(moments.uniform(0, 0.02))
            process.send_signal(signal.SIGKILL)
            assert process.stdout is not None
            printed += process.stdout.read().split()
        users = SqliteStore(path).users(APP)
        assert {f"user-{number}" for number in printed} <= set(users)
        written = len(users)

    assert SqliteStore(path).get_tokens(APP, "user-0") == written_tokens("0")


@pytest.mark.slow
def test_processes_refresh_rotated_tokens_in_turn(cognito: LocalCognito, path: Path) -> None:
    check_that_processes_refresh_in_turn(cognito, path, rounds=200)
