"""ListUsers: filters, pages, and which attributes are shown."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cognito_flow.testing import LocalCognito
from tests.local_cognito.wire import Wire, refusal

INVALID = "InvalidParameterException"


@pytest.fixture
def wire(cognito: LocalCognito) -> Wire:
    """A pool with six users."""
    pool = cognito.create_pool(schema=[{"Name": "team", "AttributeDataType": "String"}])
    pool.add_user("alice", "x", email="alice@example.com", attributes={"given_name": "Alice"})
    pool.add_user("Alma", "x", email="alma@example.com", attributes={"name": 'Alma "Al" Smith'})
    pool.add_user("bob", "x", phone_number="+31612345678", attributes={"family_name": "Reddy"})
    pool.add_user("carol", "x", confirmed=False, attributes={"custom:team": "red"})
    pool.add_user("dave", "x", temporary=True, attributes={"preferred_username": "davy"})
    pool.add_user("erin", "x").is_enabled = False
    return Wire(pool)


def found(wire: Wire, text: str) -> list[str]:
    """The names of the users that a filter finds."""
    answer = wire.api.list_users(UserPoolId=wire.pool.id, Filter=text)
    return [user["Username"] for user in answer["Users"]]


EVERYBODY = ["Alma", "alice", "bob", "carol", "dave", "erin"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", EVERYBODY),
        ("  ", EVERYBODY),
        ('username = "alice"', ["alice"]),
        ('username="alice"', ["alice"]),
        ('"username" = "alice"', ["alice"]),
        ('  username  ^=  "al"  ', ["alice"]),
        ('username = "ALICE"', []),
        ('username ^= ""', EVERYBODY),
        ('email ^= "al"', ["Alma", "alice"]),
        ('email = "al"', []),
        ('email = "ALICE@Example.com"', ["alice"]),
        ('given_name ^= "ALI"', ["alice"]),
        ('phone_number ^= "+316"', ["bob"]),
        ('given_name = "Alice"', ["alice"]),
        ('family_name = "Reddy"', ["bob"]),
        ('preferred_username ^= "dav"', ["dave"]),
        ('name = "Alma \\"Al\\" Smith"', ["Alma"]),
        ('cognito:user_status = "CONFIRMED"', ["Alma", "alice", "bob", "erin"]),
        ('cognito:user_status = "unconfirmed"', ["carol"]),
        ('cognito:user_status ^= "force_"', ["dave"]),
        ('status = "Disabled"', ["erin"]),
        ('status = "Enabled"', ["Alma", "alice", "bob", "carol", "dave"]),
        ('status = "enabled"', []),
    ],
)
def test_filter_finds_whole_values_and_beginnings_without_case_but_for_username_and_status(
    wire: Wire, text: str, names: list[str]
) -> None:
    assert found(wire, text) == names


def test_user_is_found_by_sub(wire: Wire) -> None:
    assert found(wire, f'sub = "{wire.pool.user("bob").sub}"') == ["bob"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('custom:team = "red"', "Invalid search attribute: custom:team"),
        ('nickname = "Al"', "Invalid search attribute: nickname"),
        ('USERNAME = "alice"', "Invalid search attribute: USERNAME"),
        ("username = alice", "Error while parsing filter."),
        ("username = 'alice'", "Error while parsing filter."),
        ('username != "alice"', "Error while parsing filter."),
        ('username = "alice" and email = "x"', "Error while parsing filter."),
        ('username = "ali"ce"', "Error while parsing filter."),
        ('username = "alice\\"', "Error while parsing filter."),
        ('"username = "alice"', "Error while parsing filter."),
        ("username", "Error while parsing filter."),
    ],
)
def test_invalid_filter_is_refused(wire: Wire, text: str, said: str) -> None:
    assert refusal(lambda: found(wire, text)) == (INVALID, said)


@given(value=st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_escaped_value_is_found(wire: Wire, value: str) -> None:
    wire.pool.user("bob").attributes["name"] = value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')

    assert found(wire, f'name = "{escaped}"') == ["bob"]


@given(text=st.text(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_filter_is_answered_or_refused_in_cognitos_form(wire: Wire, text: str) -> None:
    try:
        assert set(found(wire, text)) <= set(EVERYBODY)
    except wire.api.exceptions.InvalidParameterException as refused:
        described: Any = refused.response
        assert described["Error"]["Message"]


@pytest.mark.parametrize("size", [1, 2, 4])
def test_filtered_users_are_listed_in_pages(wire: Wire, size: int) -> None:
    ask = partial(wire.api.list_users, UserPoolId=wire.pool.id, Filter='status = "Enabled"')
    answer = ask(Limit=size)
    names = [user["Username"] for user in answer["Users"]]
    while "PaginationToken" in answer:
        answer = ask(Limit=size, PaginationToken=answer["PaginationToken"])
        assert len(answer["Users"]) <= size
        names += [user["Username"] for user in answer["Users"]]

    assert names == [user["Username"] for user in ask(Limit=0)["Users"]]
    assert names == ["Alma", "alice", "bob", "carol", "dave"]


def test_page_has_at_most_sixty_users(cognito: LocalCognito) -> None:
    pool = cognito.create_pool()
    for number in range(61):
        pool.add_user(f"user{number:02}")
    api: Any = cognito.client()
    pages = list(api.get_paginator("list_users").paginate(UserPoolId=pool.id))

    assert [len(page["Users"]) for page in pages] == [60, 1]


def test_pagination_token_of_another_filter_is_refused(wire: Wire) -> None:
    ask = partial(wire.api.list_users, UserPoolId=wire.pool.id, Limit=1)
    token = ask(Filter='status = "Enabled"')["PaginationToken"]

    for text in ('status = "Disabled"', ""):
        assert refusal(partial(ask, Filter=text, PaginationToken=token))[0] == INVALID
    assert refusal(lambda: ask(PaginationToken="x"))[0] == INVALID


def test_only_requested_attributes_are_shown(wire: Wire) -> None:
    ask = partial(wire.api.list_users, UserPoolId=wire.pool.id, Filter='username = "alice"')
    (user,) = ask(AttributesToGet=["email", "given_name"])["Users"]

    assert sorted(item["Name"] for item in user["Attributes"]) == ["email", "given_name"]
    assert user["Enabled"] is True
    refused = refusal(lambda: ask(AttributesToGet=["email", "team"]))
    assert refused == (INVALID, "One or more requested attributes do not exist.")


def test_requested_attribute_that_a_found_user_lacks_is_refused(wire: Wire) -> None:
    ask = partial(wire.api.list_users, UserPoolId=wire.pool.id, AttributesToGet=["custom:team"])

    assert refusal(ask)[0] == INVALID
    (user,) = ask(Filter='username = "carol"')["Users"]
    assert user["Attributes"] == [{"Name": "custom:team", "Value": "red"}]
