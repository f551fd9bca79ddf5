"""The store in a file: permissions, paths, damage, encryption, several processes, and kills at any point."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cognito_flow import (
    AppClient,
    Device,
    FileStore,
    StoreDamaged,
    StoreError,
    UsageError,
)
from cognito_flow.testing import LocalCognito
from tests.stores.processes import check_that_processes_refresh_in_turn, lines, next_line, running
from tests.support.places import APP, tokens
from tests.support.planted import Place, searches

KEY, OTHER_KEY = "k" * 32, b"o" * 32
GOOD = "tokens/eu-west-1_AbC123/client-id/alice"
for_posix = pytest.mark.skipif(os.name != "posix", reason="files have another kind of permissions here")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A path at which there is neither a file nor its directory."""
    return tmp_path / "new" / "tokens.json"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def beside(path: Path) -> list[str]:
    """The other files in the directory of a file."""
    return sorted(file.name for file in path.parent.iterdir() if file != path)


def users_of(path: Path) -> set[str]:
    """Whose tokens are in a file, read without the library."""
    return {name.rpartition("/")[2] for name in json.loads(path.read_bytes())["content"]}


# -- permissions --


@for_posix
def test_file_locks_and_directory_are_for_the_owner_alone(path: Path) -> None:
    """Even if the umask forbids nothing."""
    umask = os.umask(0)
    try:
        store = FileStore(path)
        store.put_tokens(APP, "alice", tokens())
        with store.lock(APP, "alice"):
            modes = {mode(file) for file in path.parent.iterdir()}
    finally:
        os.umask(umask)

    assert modes == {0o600}
    assert mode(path.parent) == 0o700


@for_posix
@pytest.mark.parametrize("others", [0o640, 0o604, 0o620])
def test_file_that_others_may_read_is_refused_and_unchanged(path: Path, others: int) -> None:
    FileStore(path).put_tokens(APP, "alice", tokens())
    before = path.read_bytes()
    path.chmod(others)

    with pytest.raises(StoreError, match="chmod 600"):
        FileStore(path).get_tokens(APP, "alice")
    with pytest.raises(StoreError, match="chmod 600"):
        FileStore(path).put_tokens(APP, "bob", tokens())
    assert path.read_bytes() == before


@for_posix
def test_encrypted_file_may_be_readable_by_others(path: Path) -> None:
    """The next version is for its owner alone again."""
    store = FileStore(path, keys=[KEY])
    store.put_tokens(APP, "alice", tokens())
    path.chmod(0o664)

    assert store.get_tokens(APP, "alice") == tokens()
    store.put_tokens(APP, "bob", tokens())
    assert mode(path) == 0o600


@searches(Place.SEALED)
def test_encrypted_file_shows_neither_tokens_nor_names(path: Path) -> None:
    FileStore(path, keys=[KEY]).put_tokens(APP, "alice", tokens("ACCESS"))
    text = path.read_text()

    assert not [secret for secret in ("ACCESS", "alice", "client-id", KEY) if secret in text]


def test_file_without_keys_is_json(path: Path) -> None:
    FileStore(path).put_tokens(APP, "alice", tokens())

    assert json.loads(path.read_bytes())["content"] == {GOOD: tokens().to_dict()}


def test_users_lists_whose_tokens_are_in_the_file(path: Path) -> None:
    store = FileStore(path)
    for user in ("bob", "al ice/\ud83d", "Zoë"):
        store.put_tokens(APP, user, tokens())
    store.put_device(APP, "carol", Device("key", "group", "secret"), alias="carol@example.com")
    store.put_tokens(AppClient("eu-west-1_AbC123", "other"), "dave", tokens())

    assert store.users(APP) == ["Zoë", "al ice/\ud83d", "bob"]


def test_users_of_a_missing_file_is_empty(path: Path) -> None:
    assert FileStore(path).users(APP) == []


# -- paths --


def test_link_is_followed(path: Path, tmp_path: Path) -> None:
    """Its target is replaced, not the link."""
    link = tmp_path / "link.json"
    link.symlink_to(path)
    FileStore(link).put_tokens(APP, "alice", tokens())

    assert link.is_symlink()
    assert FileStore(path).get_tokens(APP, "alice") == tokens()


def test_relative_path_stays_valid_when_the_working_directory_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = FileStore("tokens.json")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    store.put_tokens(APP, "alice", tokens())

    assert FileStore(tmp_path / "tokens.json").get_tokens(APP, "alice") == tokens()


@pytest.mark.parametrize("impossible", ["", "/", "a\0b"])
def test_path_of_a_directory_or_with_a_null_character_is_a_usage_error(impossible: str) -> None:
    with pytest.raises(UsageError, match="path"):
        FileStore(impossible)


def test_circle_of_links_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")

    with pytest.raises(UsageError, match="path"):
        FileStore(tmp_path / "a")


def test_path_below_a_file_is_a_store_error_with_the_systems_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")

    with pytest.raises(StoreError, match=r"File exists|Not a directory"):
        FileStore(tmp_path / "file" / "tokens.json").get_tokens(APP, "alice")


def test_path_that_is_too_long_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be used"):
        FileStore(tmp_path / ("a" * 300)).get_tokens(APP, "alice")


def test_directory_in_its_place_is_a_store_error(path: Path) -> None:
    """The directory was created after the store."""
    store = FileStore(path)
    path.mkdir(parents=True)

    with pytest.raises(StoreError, match="cannot be used"):
        store.get_tokens(APP, "alice")


@for_posix
def test_fifo_in_its_place_is_a_store_error_at_once(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)

    with pytest.raises(StoreError, match="not a regular file"):
        FileStore(path).get_tokens(APP, "alice")


def test_file_of_another_program_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.touch(0o600)
    path.write_text('{"theme": "dark"}')

    with pytest.raises(StoreError, match="choose another path"):
        FileStore(path).put_tokens(APP, "alice", tokens())
    assert path.read_text() == '{"theme": "dark"}'
    assert beside(path) == ["tokens.json.lock"]


def test_damaged_file_behind_a_link_is_left_alone(tmp_path: Path) -> None:
    """The link may lead to a file of another program, for example a private key."""
    key, link = tmp_path / "id_rsa", tmp_path / "tokens.json"
    key.touch(0o600)
    key.write_text("-----BEGIN PRIVATE KEY-----")
    link.symlink_to(key)

    with pytest.raises(StoreError, match="remove it, or the link to it") as caught:
        FileStore(link).put_tokens(APP, "alice", tokens())
    assert not isinstance(caught.value, StoreDamaged)
    assert key.read_text() == "-----BEGIN PRIVATE KEY-----"


def test_link_that_takes_the_place_of_the_file_is_not_followed(path: Path, tmp_path: Path) -> None:
    store = FileStore(path)
    store.put_tokens(APP, "alice", tokens())
    path.rename(tmp_path / "victim.json")
    path.symlink_to(tmp_path / "victim.json")

    with pytest.raises(StoreError, match="cannot be used"):
        store.put_tokens(APP, "bob", tokens())
    assert users_of(tmp_path / "victim.json") == {"alice"}


def test_link_in_place_of_the_lock_is_not_followed(path: Path, tmp_path: Path) -> None:
    """Older versions of filelock emptied the file that it leads to."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path.parent.mkdir()
    path.with_name("tokens.json.lock").symlink_to(victim)

    with pytest.raises(StoreError, match="cannot be used"):
        FileStore(path).put_tokens(APP, "alice", tokens())
    assert victim.read_text() == "precious"


@for_posix
def test_missing_directories_are_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "one" / "two" / "three" / "tokens.json"
    umask = os.umask(0)
    try:
        FileStore(path).put_tokens(APP, "alice", tokens())
    finally:
        os.umask(umask)

    assert [mode(directory) for directory in path.parents[:3]] == [0o700] * 3


@for_posix
def test_full_disk_leaves_the_old_tokens(path: Path) -> None:
    """When there is room again, the store works again."""
    import resource

    store = FileStore(path)
    store.put_tokens(APP, "alice", tokens("old"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(StoreError, match="too large"):
            store.put_tokens(APP, "alice", tokens("new"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert store.get_tokens(APP, "alice") == tokens("old")
    store.put_tokens(APP, "alice", tokens("new"))
    assert store.get_tokens(APP, "alice") == tokens("new")


@pytest.mark.parametrize("patience", [-1, 1e7, float("inf"), float("nan"), None, True])
def test_patience_without_an_end_is_a_usage_error(path: Path, patience: Any) -> None:
    """For filelock, a negative timeout and None mean that it waits for ever."""
    with pytest.raises(UsageError, match="patience"):
        FileStore(path, patience=patience)


# -- damage --


def document(**members: object) -> bytes:
    """The content of a file, as the store writes it."""
    return json.dumps({"cognito_flow": "store", "version": 1, **members}).encode()


DAMAGED = {
    "empty": b"",
    "truncated": document(content={GOOD: tokens().to_dict()})[:-20],
    "not JSON": b"\x00\xff\xfe",
    "nested too deep": b"[" * 200_000,
    "a number": b"1",
    "without content": document(),
    "with a list as content": document(content=[1]),
    "with a text as record": document(content={GOOD: "tokens"}),
    "with a record of unknown kind": document(content={"cookies/alice": {}}),
    "without a member": document(content={GOOD: {**tokens().to_dict(), "access_token": None}}),
    "with another day": document(content={GOOD: {**tokens().to_dict(), "expires_at": "tomorrow"}}),
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_damaged_file_is_renamed_and_reported_once(path: Path, data: bytes) -> None:
    path.parent.mkdir()
    path.touch(0o600)
    path.write_bytes(data)
    store = FileStore(path)

    with pytest.raises(StoreDamaged, match=r"tokens\.json\.damaged-1") as caught:
        store.get_tokens(APP, "alice")
    assert caught.value.kept_at is not None
    assert Path(caught.value.kept_at).read_bytes() == data
    assert store.get_tokens(APP, "alice") is None


@pytest.mark.parametrize(
    "record",
    [
        {"device/a": {"key": "key", "group_key": "group"}},
        {"device/a": {"key": "key", "group_key": "group", "secret": 1}},
        {"alias/a": {"device": None}},
    ],
)
def test_damaged_record_of_a_device_or_alias_is_reported(path: Path, record: object) -> None:
    path.parent.mkdir()
    path.touch(0o600)
    path.write_bytes(document(content=record))

    with pytest.raises(StoreDamaged):
        FileStore(path).get_device(APP, "alice")
    assert beside(path) == ["tokens.json.damaged-1", "tokens.json.lock"]


def test_device_of_an_older_file_which_lists_no_aliases_is_found_and_deleted(path: Path) -> None:
    name, alias = GOOD.replace("tokens", "device"), GOOD.replace("tokens", "alias").replace("alice", "al")
    path.parent.mkdir()
    path.touch(0o600)
    record = {"key": "key", "group_key": "group", "secret": "secret"}
    path.write_bytes(document(content={name: record, alias: {"device": name}}))
    store = FileStore(path)

    assert store.get_device(APP, "alice") == store.get_device(APP, "al") == Device("key", "group", "secret")
    store.delete_device(APP, "al")
    assert json.loads(path.read_bytes())["content"] == {}


def test_alias_of_an_older_file_does_not_hide_the_user_with_this_name(path: Path) -> None:
    alice, bob = GOOD.replace("tokens", "device"), GOOD.replace("tokens", "device").replace("alice", "bob")
    records = {each: {"key": each, "group_key": "group", "secret": "secret"} for each in (alice, bob)}
    path.parent.mkdir()
    path.touch(0o600)
    path.write_bytes(document(content={**records, bob.replace("device", "alias"): {"device": alice}}))
    store = FileStore(path)

    assert store.get_device(APP, "bob") == Device(bob, "group", "secret")
    store.delete_device(APP, "bob")
    assert store.get_device(APP, "bob") is None
    assert store.get_device(APP, "alice") == Device(alice, "group", "secret")


def test_put_into_a_damaged_store_reports_the_damage_and_keeps_the_tokens(path: Path) -> None:
    """A rotated refresh token must not be lost."""
    path.parent.mkdir()
    path.touch(0o600)
    store = FileStore(path)

    with pytest.raises(StoreDamaged):
        store.put_tokens(APP, "alice", tokens())
    assert store.get_tokens(APP, "alice") == tokens()


def test_each_damaged_file_is_renamed_differently(path: Path) -> None:
    path.parent.mkdir()
    store = FileStore(path)
    for data in (b"first", b"second"):
        path.touch(0o600)
        path.write_bytes(data)
        with pytest.raises(StoreDamaged):
            store.get_tokens(APP, "alice")

    assert [path.with_name(f"tokens.json.damaged-{number}").read_bytes() for number in (1, 2)] == [
        b"first",
        b"second",
    ]


@searches(Place.ERRORS)
def test_report_of_damage_contains_no_secret(path: Path) -> None:
    path.parent.mkdir()
    path.touch(0o600)
    path.write_bytes(document(content={GOOD: {"access_token": "ACCESS", "refresh_token": ["REFRESH"]}}))

    with pytest.raises(StoreDamaged) as caught:
        FileStore(path).get_tokens(APP, "alice")
    assert "ACCESS" not in str(caught.value)
    assert "REFRESH" not in str(caught.value)


@given(data=st.binary() | st.text().map(str.encode), keys=st.sampled_from([(), (KEY,)]))
@example(data=document(content={}, sealed=1), keys=(KEY,))
def test_any_content_raises_store_error_and_is_kept(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, keys: tuple[str, ...]
) -> None:
    path = tmp_path_factory.mktemp("any") / "tokens.json"
    path.touch(0o600)
    path.write_bytes(data)

    with pytest.raises(StoreError):
        FileStore(path, keys=keys).put_tokens(APP, "alice", tokens())
    assert data in [file.read_bytes() for file in path.parent.iterdir() if not file.name.endswith(".lock")]


# -- encryption, and files that need other settings --


def test_older_keys_decrypt_and_the_newest_encrypts(path: Path) -> None:
    FileStore(path, keys=[OTHER_KEY]).put_tokens(APP, "alice", tokens())
    FileStore(path, keys=[KEY, OTHER_KEY]).put_tokens(APP, "bob", tokens("bob's"))

    assert FileStore(path, keys=[KEY]).get_tokens(APP, "alice") == tokens()
    assert FileStore(path, keys=[KEY]).get_tokens(APP, "bob") == tokens("bob's")


def open_with_another_key(path: Path) -> None:
    FileStore(path, keys=[KEY]).put_tokens(APP, "alice", tokens())
    FileStore(path, keys=[OTHER_KEY]).put_tokens(APP, "alice", tokens("replacement"))


def open_without_a_key(path: Path) -> None:
    FileStore(path, keys=[KEY]).put_tokens(APP, "alice", tokens())
    path.chmod(0o600)
    FileStore(path).put_tokens(APP, "alice", tokens("replacement"))


def open_a_plain_file_with_a_key(path: Path) -> None:
    FileStore(path).put_tokens(APP, "alice", tokens())
    FileStore(path, keys=[KEY]).put_tokens(APP, "alice", tokens("replacement"))


def open_a_later_version(path: Path) -> None:
    path.parent.mkdir()
    path.touch(0o600)
    path.write_bytes(document(version=2, rows=[]))
    FileStore(path).put_tokens(APP, "alice", tokens("replacement"))


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (open_with_another_key, "encrypted with another key"),
        (open_without_a_key, "pass its key"),
        (open_a_plain_file_with_a_key, "is not encrypted"),
        (open_a_later_version, "another version of the library"),
    ],
)
def test_file_that_needs_other_settings_is_left_alone(
    path: Path, case: Callable[[Path], None], message: str
) -> None:
    """The file is not damaged: neither its content nor its name changes."""
    with pytest.raises(StoreError, match=message) as caught:
        case(path)

    assert not isinstance(caught.value, StoreDamaged)
    assert "replacement" not in path.read_text()
    assert beside(path) == ["tokens.json.lock"]


@pytest.mark.parametrize("spoil", ["sealed", "nothing sealed", "no key"])
def test_content_that_cannot_be_decrypted_with_its_key_is_damage(path: Path, spoil: str) -> None:
    store = FileStore(path, keys=[KEY])
    store.put_tokens(APP, "alice", tokens())
    values = json.loads(path.read_bytes())
    spoilt = {
        "sealed": {**values, "sealed": f"{values['sealed'][:-6]}AAAA=="},
        "nothing sealed": {**values, "sealed": None},
        "no key": {**values, "key": None},
    }
    path.write_text(json.dumps(spoilt[spoil]))

    with pytest.raises(StoreDamaged, match="damaged-1"):
        store.get_tokens(APP, "alice")
    assert beside(path) == ["tokens.json.damaged-1", "tokens.json.lock"]


@pytest.mark.parametrize("keys", [["short"], KEY, b"k" * 32], ids=["short", "text", "bytes"])
def test_short_key_or_key_outside_a_list_is_a_usage_error(path: Path, keys: list[str] | str | bytes) -> None:
    with pytest.raises(UsageError, match=r"32 random bytes|put the key into a list"):
        FileStore(path, keys=keys)  # type: ignore[arg-type]  # that is the mistake


# -- locks and several processes --


def test_lock_keeps_others_out(path: Path) -> None:
    store, impatient = FileStore(path), FileStore(path, patience=0)
    with (
        store.lock(APP, "alice"),
        pytest.raises(StoreError, match="another process") as caught,
        impatient.lock(APP, "alice"),
    ):
        pytest.fail("two hold it")

    assert caught.value.retryable
    with impatient.lock(APP, "alice"):
        pass


def test_each_user_has_a_lock_and_reads_and_writes_do_not_take_it(path: Path) -> None:
    store = FileStore(path, patience=0)
    with store.lock(APP, "alice"), store.lock(APP, "bob"):
        store.put_tokens(APP, "alice", tokens())

        assert store.get_tokens(APP, "alice") == tokens()


def test_lock_may_be_released_in_another_thread(path: Path) -> None:
    """Tasks run their blocking parts wherever a thread is free."""
    store = FileStore(path, patience=0)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        for _ in range(2):
            lock = store.lock(APP, "alice")
            one.submit(lock.__enter__).result()
            other.submit(lock.__exit__, None, None, None).result()

        with store.lock(APP, "alice"):
            pass


def test_lock_is_released_when_the_block_fails(path: Path) -> None:
    store = FileStore(path, patience=0)
    with pytest.raises(KeyError), store.lock(APP, "alice"):
        raise KeyError

    with store.lock(APP, "alice"):
        pass


def test_lock_is_free_when_its_holder_is_killed(path: Path) -> None:
    with running("hold", path) as holder:
        assert next_line(holder) == "held"
        with (
            pytest.raises(StoreError, match="another process"),
            FileStore(path, patience=0).lock(APP, "alice"),
        ):
            pytest.fail("two hold it")

    with FileStore(path).lock(APP, "alice"):
        pass


def test_four_processes_that_write_at_once_lose_nothing(path: Path) -> None:
    with (
        running("write", path, "a", "0", "40") as a,
        running("write", path, "b", "0", "40") as b,
        running("write", path, "c", "0", "40") as c,
        running("write", path, "d", "0", "40") as d,
    ):
        assert [len(lines(process)) for process in (a, b, c, d)] == [41] * 4

    assert users_of(path) == {f"{process}-{number}" for process in "abcd" for number in range(40)}


# -- kills --


def test_half_written_file_of_a_killed_process_is_removed(path: Path) -> None:
    """It may contain tokens."""
    store = FileStore(path)
    store.put_tokens(APP, "alice", tokens())
    path.with_name("tokens.json.new").write_text("half of a new ver")

    assert store.get_tokens(APP, "alice") == tokens()
    assert beside(path) == ["tokens.json.lock"]


@for_posix
def test_kill_at_any_line_leaves_the_old_or_the_new_tokens(path: Path) -> None:
    """Also, no file is readable by others at any line."""
    with running("die", path) as process:
        assert process.stdout is not None
        deaths = [json.loads(line) for line in process.stdout]

    found = [death[0] for death in deaths]
    assert found == sorted(found, key=["old", "new"].index)
    assert set(found) == {"old", "new"}
    assert len(deaths) > 40
    assert {mode for death in deaths for mode in death[1]} == {0o600}
    assert {name for death in deaths for name in death[2]} == {"tokens.json", "tokens.json.lock"}


@pytest.mark.slow
@for_posix
def test_kill_at_any_moment_keeps_all_that_was_put(path: Path) -> None:
    """A process writes more than 200 users, and is killed and started again. At most the write that was running
    is there, too."""
    moments = random.Random(20260101)  # noqa: S311 - moments, no secrets
    written = 0
    while written < 200:
        with running("write", path, "user", str(written), "1000") as process:
            assert next_line(process) == "ready"
            started = time.monotonic()
            printed = [next_line(process) for _ in range(moments.randrange(1, 20))]
            seconds = (time.monotonic() - started) / len(printed)
            time.sleep(moments.uniform(0, 2 * seconds))
            process.send_signal(signal.SIGKILL)
            printed += lines(process)
        before, written = written, len(users_of(path))

        assert printed == [str(number) for number in range(before, before + len(printed))]
        assert before + len(printed) <= written <= before + len(printed) + 1
        assert users_of(path) == {f"user-{number}" for number in range(written)}


@pytest.mark.slow
def test_processes_refresh_rotated_tokens_in_turn(cognito: LocalCognito, path: Path) -> None:
    check_that_processes_refresh_in_turn(cognito, path, rounds=200)
