"""What counts as a difference between two recordings."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.comparison import Difference, compare, differences
from tests.conformance.recording import Recording


def recording(*exchanges: dict[str, Any]) -> Recording:
    return Recording("scenario", "4.1", exchanges, {})


def exchange(operation: str = "InitiateAuth", *, flow: str = "USER_AUTH", **outcome: Any) -> dict[str, Any]:
    return {"operation": operation, "sent": {"AuthFlow": flow}, "status": 200, **outcome}


def refused(code: str, text: str) -> dict[str, Any]:
    return {"error": {"code": code, "text": text}}


TOKENS: dict[str, Any] = {"answer": {"AuthenticationResult": {"AccessToken": "<AccessToken 1>"}}}
CHALLENGE: dict[str, Any] = {"answer": {"ChallengeName": "SMS_MFA"}}


@pytest.mark.parametrize(
    ("left", "right", "difference"),
    [
        pytest.param(TOKENS, refused("A", "b"), ("accepted", "tokens", "A: b"), id="accepted"),
        pytest.param(refused("A", "b"), refused("B", "b"), ("code", "A: b", "B: b"), id="code"),
        pytest.param(refused("A", "b"), refused("A", "c"), ("text", "A: b", "A: c"), id="text"),
        pytest.param(TOKENS, CHALLENGE, ("challenge", "tokens", "SMS_MFA"), id="challenge"),
        pytest.param(
            {"answer": {"Users": [{"Name": "x", "Status": "y"}], "Gone": {"Inner": 1}}},
            {"answer": {"Users": [{"Name": "x"}], "More": 1}},
            ("keys", "Gone, Users.Status", "More"),
            id="keys",
        ),
    ],
)
def test_differing_exchange_is_one_difference(
    left: dict[str, Any], right: dict[str, Any], difference: tuple[str, str, str]
) -> None:
    found = list(compare(recording(exchange(**left)), recording(exchange(**right))))

    assert found == [Difference("InitiateAuth USER_AUTH", *difference)]


def test_other_values_of_tokens_are_not_reported() -> None:
    other: dict[str, Any] = {"answer": {"AuthenticationResult": {"AccessToken": "<AccessToken 7>"}}}

    assert list(compare(recording(exchange(**TOKENS)), recording(exchange(**other)))) == []


def test_comparison_ends_where_the_servers_lead_to_different_calls() -> None:
    left = recording(exchange(**TOKENS), exchange("GetUser", **CHALLENGE))
    right = recording(exchange(flow="USER_SRP_AUTH", **TOKENS), exchange("GetUser", **TOKENS))

    found = list(compare(left, right))

    assert found == [
        Difference("InitiateAuth USER_AUTH", "way", "InitiateAuth USER_AUTH", "InitiateAuth USER_SRP_AUTH")
    ]


def test_scenario_that_ends_early_is_a_difference_unless_its_last_exchange_explains_it() -> None:
    both = recording(exchange(**TOKENS), exchange("GetUser", **TOKENS))

    assert list(compare(both, recording(exchange(**TOKENS)))) == [
        Difference("GetUser USER_AUTH", "way", "GetUser USER_AUTH", "-")
    ]
    assert [each.what for each in compare(both, recording(exchange(**CHALLENGE)))] == ["challenge"]


def test_same_difference_is_listed_once_with_its_scenarios() -> None:
    left = {name: recording(exchange(**TOKENS), exchange(**TOKENS)) for name in ("one", "two", "alone")}
    right = {name: recording(exchange(**CHALLENGE), exchange(**CHALLENGE)) for name in ("one", "two")}

    found = differences(left, right)

    assert list(found.values()) == [["one", "two"]]
