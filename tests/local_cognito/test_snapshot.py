"""Snapshots: everything is put back as it was."""

from __future__ import annotations

from typing import Any

import pytest

from cognito_flow import SignedIn, UserSrpAuth
from cognito_flow.testing import Fault, LocalCognito, Pool

PASSWORD = "Correct horse 1"


@pytest.fixture
def pool(cognito: LocalCognito) -> Pool:
    """A pool with alice."""
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD)
    return pool


def test_pools_users_and_the_clock_are_put_back(cognito: LocalCognito, pool: Pool) -> None:
    """As often as it is asked for, whatever was done in between."""
    before, restore = cognito.clock(), cognito.snapshot()
    for _ in range(2):
        cognito.create_pool("other")
        pool.add_user("bob", PASSWORD)
        pool.user("alice").attributes["email"] = "alice@example.com"
        cognito.clock.advance(3600)
        restore()
        assert cognito.pool_ids() == [pool.id]
        assert list(cognito.state(pool.id).users) == ["alice"]
        assert "email" not in pool.user("alice").attributes
        assert cognito.clock() == before


def test_what_was_noted_and_ordered_is_forgotten(cognito: LocalCognito, pool: Pool) -> None:
    """Calls, messages, and trouble to come."""
    restore = cognito.snapshot()
    cognito.faults.lose("InitiateAuth")
    cognito.faults.sometimes(Fault.LOST, "*", 1)
    restore()
    assert not cognito.calls
    assert not cognito.outbox
    assert cognito.faults.take("InitiateAuth") is None


def test_a_trigger_stays_the_same_one(cognito: LocalCognito, pool: Pool) -> None:
    """It is the test's own, and may remember whom it has seen."""
    seen: list[str] = []

    def remember(event: dict[str, Any]) -> dict[str, Any]:
        seen.append(event["userName"])
        return event

    pool.triggers["PreAuthentication"] = remember
    restore = cognito.snapshot()
    del pool.triggers["PreAuthentication"]
    restore()
    assert isinstance(pool.flow().start(UserSrpAuth("alice", PASSWORD)), SignedIn)
    assert seen == ["alice"]


def test_the_pool_goes_on_when_its_app_client_is_gone(cognito: LocalCognito, pool: Pool) -> None:
    """A snapshot may be older than the app client that `Pool.flow` had made; then there is a new one."""
    restore = cognito.snapshot()
    before = pool.app
    assert pool.app is before
    restore()
    assert pool.app != before
    assert isinstance(pool.flow().start(UserSrpAuth("alice", PASSWORD)), SignedIn)
