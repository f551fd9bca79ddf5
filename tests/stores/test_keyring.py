"""The store in a keyring: short entries, changes by other programs, and keyrings that fail."""

from __future__ import annotations

import pickle
import sys
import time
import traceback
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as NullKeyring
from keyring.errors import PasswordDeleteError, PasswordSetError

from cognito_flow import Device, KeyringStore, StoreDamaged, StoreError, Tokens, UsageError
from tests.support.places import APP, Texts, installed, tokens
from tests.support.planted import Place, searches

HEAD = ("cognito-flow", "tokens/eu-west-1_AbC123/client-id/alice")
LARGE = tokens("0123456789" * 1000)


@pytest.fixture
def texts() -> Generator[Texts]:
    """The system's keyring, in memory."""
    backend = Texts()
    with installed(backend):
        yield backend


def test_parts_of_replaced_and_deleted_tokens_are_deleted(texts: Texts) -> None:
    store = KeyringStore()
    for number in range(3):
        store.put_tokens(APP, "alice", tokens(f"{number}" * 5000))
        joined = "".join(texts.texts.values())
        assert [f"{other}" * 100 in joined for other in range(3)] == [other == number for other in range(3)]
    store.delete_tokens(APP, "alice")

    assert texts.texts == {}


class Slow(Texts):
    """A keyring that switches threads at each call."""

    def set_password(self, service: str, username: str, password: str) -> None:
        time.sleep(0.001)
        super().set_password(service, username, password)


def test_threads_that_put_at_once_leave_no_unused_parts() -> None:
    backend, store = Slow(), KeyringStore()
    with installed(backend), ThreadPoolExecutor(8) as threads:
        for future in [threads.submit(store.put_tokens, APP, "alice", LARGE) for _ in range(8)]:
            future.result()
        store.delete_tokens(APP, "alice")
    assert backend.texts == {}


def test_each_service_has_its_own_entries(texts: Texts) -> None:
    KeyringStore("one").put_device(APP, "alice", Device("key", "group", "secret"))

    assert KeyringStore("other").get_device(APP, "alice") is None
    assert {service for service, _ in texts.texts} == {"one"}


def lose_a_part(texts: Texts) -> None:
    part = next(name for name in texts.texts if name[1].endswith("/1"))
    del texts.texts[part]


def spoil_the_head(texts: Texts) -> None:
    texts.texts[HEAD] = "?"


def spoil_a_part(texts: Texts) -> None:
    part = next(name for name in texts.texts if name[1].endswith("/1"))
    texts.texts[part] = '"'


def drop_a_member(texts: Texts) -> None:
    for part in texts.texts:
        texts.texts[part] = texts.texts[part].replace("refresh_token", "?").replace("access_token", "?")


@pytest.mark.parametrize("damage", [lose_a_part, spoil_the_head, spoil_a_part, drop_a_member])
def test_damaged_entry_is_reported_until_it_is_put_again(
    texts: Texts, damage: Callable[[Texts], None]
) -> None:
    store = KeyringStore()
    store.put_tokens(APP, "alice", LARGE)
    damage(texts)

    for _ in range(2):
        with pytest.raises(StoreDamaged, match=HEAD[1]) as caught:
            store.get_tokens(APP, "alice")
        assert caught.value.kept_at is None
    store.put_tokens(APP, "alice", LARGE)
    assert store.get_tokens(APP, "alice") == LARGE


@given(st.text())
@example("abc 99999999999999999999")
@example("abc ²")
@example("abc -1")
def test_any_other_text_in_the_entry_is_damage(text: str) -> None:
    backend = Texts()
    with installed(backend):
        backend.texts[HEAD] = text

        with pytest.raises(StoreDamaged):
            KeyringStore().get_tokens(APP, "alice")


class Caseless(Texts):
    """A keyring that ignores the case of names."""

    def get_password(self, service: str, username: str) -> str | None:
        return super().get_password(service, username.lower())

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username.lower(), password)


def test_keyring_that_ignores_case_does_not_return_the_tokens_of_another_user() -> None:
    with installed(Caseless()):
        store = KeyringStore()
        store.put_tokens(APP, "alice", tokens())

        with pytest.raises(StoreDamaged, match="belongs to another name"):
            store.get_tokens(APP, "Alice")
        assert store.get_tokens(APP, "alice") == tokens()


class Changing(Texts):
    """A keyring in which another program changes the tokens while a part is read."""

    then: Callable[[], None] | None = None

    def get_password(self, service: str, username: str) -> str | None:
        if username.endswith("/1") and self.then is not None:
            then, self.then = self.then, None
            then()
        return super().get_password(service, username)


def test_tokens_that_are_replaced_while_they_are_read_are_read_again() -> None:
    backend, store = Changing(), KeyringStore()
    with installed(backend):
        store.put_tokens(APP, "alice", LARGE)
        newer = tokens("newer" * 1000)
        backend.then = lambda: store.put_tokens(APP, "alice", newer)

        assert store.get_tokens(APP, "alice") == newer


def test_tokens_that_are_deleted_while_they_are_read_are_none() -> None:
    backend, store = Changing(), KeyringStore()
    with installed(backend):
        store.put_tokens(APP, "alice", LARGE)
        backend.then = lambda: store.delete_tokens(APP, "alice")

        assert store.get_tokens(APP, "alice") is None


class Full(Texts):
    """A keyring that has room for so many entries more."""

    room: int | None = None

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.room is not None:
            if not self.room:
                raise PasswordSetError("no room")
            self.room -= 1
        super().set_password(service, username, password)


@pytest.mark.parametrize("room", [0, 1, 5, 9])
def test_write_that_fails_half_way_leaves_the_old_tokens_and_nothing_else(room: int) -> None:
    backend, store = Full(), KeyringStore()
    with installed(backend):
        store.put_tokens(APP, "alice", LARGE)
        before = dict(backend.texts)
        backend.room = room

        with pytest.raises(StoreError, match="PasswordSetError"):
            store.put_tokens(APP, "alice", tokens("9876543210" * 1000))
        assert backend.texts == before
        store.delete_tokens(APP, "alice")
    assert backend.texts == {}


class Late(Texts):
    """A keyring that fails after it has stored the entry that lists the parts."""

    fails = False

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password)
        if self.fails and (service, username) == HEAD:
            raise PasswordSetError("too late")


@pytest.mark.parametrize("before", [(), (tokens(),)], ids=["new", "replaced"])
def test_write_that_fails_after_its_last_entry_was_stored_is_complete(before: Sequence[Tokens]) -> None:
    backend, store = Late(), KeyringStore()
    with installed(backend):
        for each in before:
            store.put_tokens(APP, "alice", each)
        backend.fails = True

        with pytest.raises(StoreError, match="PasswordSetError"):
            store.put_tokens(APP, "alice", LARGE)
        assert store.get_tokens(APP, "alice") == LARGE
        store.delete_tokens(APP, "alice")
    assert backend.texts == {}


class Broken(Full):
    """A keyring that answers nothing once it is full, but deletes all the same."""

    def get_password(self, service: str, username: str) -> str | None:
        if self.room == 0:
            raise PasswordSetError("no answer")
        return super().get_password(service, username)


def test_parts_of_a_failed_write_are_dropped_by_a_keyring_that_cannot_be_read() -> None:
    backend = Broken()
    backend.room = 3
    with installed(backend), pytest.raises(StoreError, match="PasswordSetError"):
        KeyringStore().put_tokens(APP, "alice", LARGE)
    assert backend.texts == {}


class Stubborn(Texts):
    """A keyring that deletes nothing."""

    def delete_password(self, service: str, username: str) -> None:
        raise PasswordDeleteError("not allowed")


def test_refused_delete_is_a_store_error() -> None:
    with installed(Stubborn()):
        store = KeyringStore()
        store.put_tokens(APP, "alice", tokens())

        with pytest.raises(StoreError, match="PasswordDeleteError"):
            store.delete_tokens(APP, "alice")


def test_null_keyring_is_refused() -> None:
    """It accepts every entry, and stores nothing."""
    backend = NullKeyring()  # type: ignore[no-untyped-call]  # keyring gives it no type
    with installed(backend), pytest.raises(StoreError, match="disabled"):
        KeyringStore().get_tokens(APP, "alice")


class Quoting(Texts):
    """A keyring whose errors quote what they were given."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise PasswordSetError(f"cannot store {password!r} for {username!r}")


@searches(Place.ERRORS)
def test_keyring_error_that_quotes_the_value_is_not_passed_on() -> None:
    secret = "0123456789" * 10
    with installed(Quoting()), pytest.raises(StoreError, match="PasswordSetError") as caught:
        KeyringStore().put_tokens(APP, "alice", tokens(secret))

    error: BaseException | None = caught.value
    assert secret not in "".join(traceback.format_exception(caught.value))
    assert secret.encode() not in pickle.dumps(caught.value)
    while error is not None:
        assert secret not in str(error) + repr(error)
        error = error.__cause__ or error.__context__


def test_machine_without_a_keyring_is_a_store_error() -> None:
    backend = NoKeyring()  # type: ignore[no-untyped-call]  # keyring gives it no type
    with installed(backend), pytest.raises(StoreError, match="has no keyring"):
        KeyringStore().get_tokens(APP, "alice")


def test_missing_package_keyring_is_a_usage_error_that_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)

    with pytest.raises(UsageError, match=r"cognito-flow\[keyring\]"):
        KeyringStore()


def test_empty_service_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="service"):
        KeyringStore("")
