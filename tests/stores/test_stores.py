"""What every store of the library promises."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from cognito_flow import AppClient, Device, KeyringStore, LockingTokenStore, MemoryStore, Tokens
from tests.support.places import APP, PLACES, Opener, tokens
from tests.support.planted import Place, searches

OTHERS = [AppClient("eu-west-1_AbC123", "other"), AppClient("eu-west-1_Other", "client-id")]
DEVICE, OTHER_DEVICE = Device("key", "group", "secret"), Device("key 2", "group", "secret 2")

# Also what no other program would send: half a character, a slash, nothing at all.
names = st.text(st.characters(), max_size=20)


every_place = pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)


@pytest.fixture(params=list(PLACES.values()), ids=list(PLACES))
def opener(request: pytest.FixtureRequest) -> Generator[Opener]:
    """Opens the store at each place."""
    with request.param() as opener:
        yield opener


def test_tokens_are_returned_unchanged_by_a_store_that_is_opened_again(opener: Opener) -> None:
    opener().put_tokens(APP, "alice", tokens())

    assert opener().get_tokens(APP, "alice") == tokens()


def test_tokens_without_optional_members_are_returned_unchanged(opener: Opener) -> None:
    bare = Tokens("access", expires_at=datetime(2030, 1, 1, tzinfo=UTC), username="alice")
    opener().put_tokens(APP, "alice", bare)

    assert opener().get_tokens(APP, "alice") == bare


def test_tokens_may_have_tens_of_kilobytes(opener: Opener) -> None:
    """An access token with many groups and claims has."""
    large = tokens("0123456789" * 3000)
    opener().put_tokens(APP, "alice", large)

    assert opener().get_tokens(APP, "alice") == large


def test_user_without_tokens_has_none(opener: Opener) -> None:
    opener().put_tokens(APP, "alice", tokens())

    assert opener().get_tokens(APP, "bob") is None


def test_put_replaces_earlier_tokens(opener: Opener) -> None:
    opener().put_tokens(APP, "alice", tokens("first"))
    opener().put_tokens(APP, "alice", tokens("second"))

    assert opener().get_tokens(APP, "alice") == tokens("second")


def test_delete_removes_one_users_tokens_and_may_be_repeated(opener: Opener) -> None:
    store = opener()
    store.put_tokens(APP, "alice", tokens())
    store.put_tokens(APP, "bob", tokens("bob's"))
    store.delete_tokens(APP, "alice")
    store.delete_tokens(APP, "alice")

    assert opener().get_tokens(APP, "alice") is None
    assert opener().get_tokens(APP, "bob") == tokens("bob's")


@pytest.mark.parametrize("other", OTHERS, ids=["client", "pool"])
def test_each_pool_and_app_client_has_its_own_users(opener: Opener, other: AppClient) -> None:
    opener().put_tokens(APP, "alice", tokens())

    assert opener().get_tokens(other, "alice") is None


@every_place
@settings(max_examples=settings().max_examples // 3)  # each writes to a disk or to moto
@given(one=names, other=names)
@example(one="\ud83d\ude00", other="\U0001f600")
@example(one="", other="/")
def test_two_names_are_two_users_whatever_they_consist_of(
    place: Callable[[], AbstractContextManager[Opener]], one: str, other: str
) -> None:
    assume(one != other)
    with place() as opener:
        opener().put_tokens(APP, one, tokens("one"))
        opener().put_tokens(APP, other, tokens("other"))
        opener().put_device(APP, one, DEVICE)
        opener().put_device(APP, other, OTHER_DEVICE)

        assert opener().get_tokens(APP, one) == tokens("one")
        assert opener().get_tokens(APP, other) == tokens("other")
        assert opener().get_device(APP, one) == DEVICE
        assert opener().get_device(APP, other) == OTHER_DEVICE


def test_many_threads_that_put_at_once_lose_nothing(opener: Opener) -> None:
    store = opener()
    users = [f"user-{number}" for number in range(64)]
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda user: store.put_tokens(APP, user, tokens(user)), users))

    assert [store.get_tokens(APP, user) for user in users] == [tokens(user) for user in users]


def test_device_is_returned_unchanged_by_a_store_that_is_opened_again(opener: Opener) -> None:
    opener().put_device(APP, "alice", DEVICE)

    assert opener().get_device(APP, "alice") == DEVICE
    assert opener().get_device(APP, "bob") is None


def test_device_is_found_by_name_and_by_alias(opener: Opener) -> None:
    opener().put_device(APP, "alice", DEVICE, alias="alice@example.com")
    opener().put_device(APP, "bob", OTHER_DEVICE, alias="bob")

    assert opener().get_device(APP, "alice") == DEVICE
    assert opener().get_device(APP, "alice@example.com") == DEVICE
    assert opener().get_device(APP, "bob") == OTHER_DEVICE


def test_alias_leads_to_the_user_who_had_it_last(opener: Opener) -> None:
    """An e-mail address moves to another user, and the first one keeps the device."""
    opener().put_device(APP, "alice", DEVICE, alias="office@example.com")
    opener().put_device(APP, "bob", OTHER_DEVICE, alias="office@example.com")

    assert opener().get_device(APP, "office@example.com") == OTHER_DEVICE
    assert opener().get_device(APP, "alice") == DEVICE


@pytest.mark.parametrize("name", ["alice", "alice@example.com"])
def test_device_is_deleted_by_name_or_alias_and_delete_may_be_repeated(opener: Opener, name: str) -> None:
    opener().put_device(APP, "alice", DEVICE, alias="alice@example.com")
    opener().delete_device(APP, name)
    opener().delete_device(APP, name)

    assert opener().get_device(APP, "alice") is None
    assert opener().get_device(APP, "alice@example.com") is None


def test_alias_that_became_the_name_of_another_user_leads_to_that_user(opener: Opener) -> None:
    opener().put_device(APP, "alice", DEVICE, alias="bob")
    assert opener().get_device(APP, "bob") == DEVICE

    opener().put_device(APP, "bob", OTHER_DEVICE)

    assert opener().get_device(APP, "bob") == OTHER_DEVICE
    assert opener().get_device(APP, "alice") == DEVICE


def test_delete_of_a_name_that_was_an_alias_leaves_the_other_users_device(opener: Opener) -> None:
    opener().put_device(APP, "alice", DEVICE, alias="bob")
    opener().put_device(APP, "bob", OTHER_DEVICE)
    opener().delete_device(APP, "bob")
    opener().delete_device(APP, "bob")

    assert opener().get_device(APP, "bob") is None
    assert opener().get_device(APP, "alice") == DEVICE


def test_alias_does_not_hide_the_device_of_the_user_with_this_name(opener: Opener) -> None:
    opener().put_device(APP, "bob", OTHER_DEVICE)
    opener().put_device(APP, "alice", DEVICE, alias="bob")

    assert opener().get_device(APP, "bob") == OTHER_DEVICE


def test_deleted_device_takes_all_its_aliases_with_it(opener: Opener) -> None:
    """A device that is stored later under the first name was not used with the aliases of the deleted one."""
    for alias in ("alice@example.com", "+31612341234", None):
        opener().put_device(APP, "alice", DEVICE, alias=alias)
    opener().delete_device(APP, "alice")
    opener().put_device(APP, "alice", OTHER_DEVICE)

    assert opener().get_device(APP, "alice@example.com") is None
    assert opener().get_device(APP, "+31612341234") is None
    assert opener().get_device(APP, "alice") == OTHER_DEVICE


def test_deleted_device_leaves_an_alias_that_moved_to_another_user(opener: Opener) -> None:
    opener().put_device(APP, "alice", DEVICE, alias="office@example.com")
    opener().put_device(APP, "bob", OTHER_DEVICE, alias="office@example.com")
    opener().delete_device(APP, "alice")

    assert opener().get_device(APP, "office@example.com") == OTHER_DEVICE


@every_place
@settings(max_examples=settings().max_examples // 3)  # each writes to a disk or to moto
@given(names, names)
@example("\ud83d\ude00", "\ud83d")
@example("", "/")
def test_alias_leads_to_the_device_whatever_it_consists_of(
    place: Callable[[], AbstractContextManager[Opener]], username: str, alias: str
) -> None:
    with place() as opener:
        opener().put_device(APP, username, DEVICE, alias=alias)

        assert opener().get_device(APP, alias) == DEVICE
        assert opener().get_device(APP, username) == DEVICE


@searches(Place.REPRS)
def test_repr_contains_no_secret(opener: Opener) -> None:
    store = opener()
    store.put_tokens(APP, "alice", tokens("ACCESS"))
    store.put_device(APP, "alice", Device("key", "group", "SECRET"))

    assert "ACCESS" not in repr(store)
    assert "SECRET" not in repr(store)
    assert "k" * 32 not in repr(store)


def test_all_stores_but_memory_and_keyring_have_locks(opener: Opener) -> None:
    store = opener()

    assert isinstance(store, LockingTokenStore) != isinstance(store, MemoryStore | KeyringStore)
