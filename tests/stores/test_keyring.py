"""The stores in a keyring: short entries, what other programs do in between, and keyrings that fail."""

from __future__ import annotations

import pickle
import sys
import time
import traceback
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as NullKeyring
from keyring.errors import PasswordDeleteError, PasswordSetError

from cognito_flow import Device, KeyringStore, StoreDamaged, StoreError, UsageError
from tests.support.places import APP, Texts, installed, tokens

HEAD = ("cognito-flow", "tokens/eu-west-1_AbC123/client-id/alice")
LARGE = tokens("0123456789" * 1000)


@pytest.fixture
def texts() -> Generator[Texts]:
    """The system's keyring, in memory."""
    backend = Texts()
    with installed(backend):
        yield backend


def test_one_version_lies_in_the_keyring_and_nothing_is_left_of_others(texts: Texts) -> None:
    """The parts of earlier tokens go when later ones have come, and all go with a delete."""
    store = KeyringStore()
    for number in range(3):
        store.put_tokens(APP, "alice", tokens(f"{number}" * 5000))
        joined = "".join(texts.texts.values())
        assert [f"{other}" * 100 in joined for other in range(3)] == [other == number for other in range(3)]
    store.delete_tokens(APP, "alice")

    assert texts.texts == {}


class Slow(Texts):
    """A keyring that another thread comes in between at each call."""

    def set_password(self, service: str, username: str, password: str) -> None:
        time.sleep(0.001)
        super().set_password(service, username, password)


def test_threads_that_put_at_once_leave_one_version() -> None:
    """Else tokens that nobody asks for any more would stay in the keyring for good."""
    backend, store = Slow(), KeyringStore()
    with installed(backend), ThreadPoolExecutor(8) as threads:
        for future in [threads.submit(store.put_tokens, APP, "alice", LARGE) for _ in range(8)]:
            future.result()
        store.delete_tokens(APP, "alice")
    assert backend.texts == {}


def test_each_service_has_entries_of_its_own(texts: Texts) -> None:
    """Two applications of one person do not meet."""
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
def test_a_damaged_entry_is_reported_and_put_mends_it(texts: Texts, damage: Callable[[Texts], None]) -> None:
    """It stays where it is until the person signs in again."""
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
def test_any_text_in_the_entry_is_damage(text: str) -> None:
    """Whatever another program wrote there."""
    backend = Texts()
    with installed(backend):
        backend.texts[HEAD] = text

        with pytest.raises(StoreDamaged):
            KeyringStore().get_tokens(APP, "alice")


class Changing(Texts):
    """A keyring in which another program puts new tokens just when a part is asked for."""

    then: Callable[[], None] | None = None

    def get_password(self, service: str, username: str) -> str | None:
        if username.endswith("/1") and self.then is not None:
            then, self.then = self.then, None
            then()
        return super().get_password(service, username)


def test_tokens_that_change_while_they_are_read_are_read_again() -> None:
    """The parts that were to come are gone, and that is no damage."""
    backend, store = Changing(), KeyringStore()
    with installed(backend):
        store.put_tokens(APP, "alice", LARGE)
        newer = tokens("newer" * 1000)
        backend.then = lambda: store.put_tokens(APP, "alice", newer)

        assert store.get_tokens(APP, "alice") == newer


def test_tokens_that_go_while_they_are_read_are_none() -> None:
    """Another program signed out."""
    backend, store = Changing(), KeyringStore()
    with installed(backend):
        store.put_tokens(APP, "alice", LARGE)
        backend.then = lambda: store.delete_tokens(APP, "alice")

        assert store.get_tokens(APP, "alice") is None


class Stubborn(Texts):
    """A keyring that deletes nothing."""

    def delete_password(self, service: str, username: str) -> None:
        raise PasswordDeleteError("not allowed")


def test_a_refused_delete_is_told() -> None:
    """Nobody should think that the tokens are gone."""
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


def test_no_keyring_is_a_store_error() -> None:
    """A server or a container has none."""
    backend = NoKeyring()  # type: ignore[no-untyped-call]  # keyring gives it no type
    with installed(backend), pytest.raises(StoreError, match="has no keyring"):
        KeyringStore().get_tokens(APP, "alice")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store says what to install when it is made."""
    monkeypatch.setitem(sys.modules, "keyring", None)

    with pytest.raises(UsageError, match=r"cognito-flow\[keyring\]"):
        KeyringStore()


def test_a_service_without_a_name_is_refused() -> None:
    """The person could not tell whose entries these are."""
    with pytest.raises(UsageError, match="service"):
        KeyringStore("")
