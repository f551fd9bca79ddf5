"""Snapshots restore everything."""

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


def test_snapshot_restores_pools_users_and_clock_repeatedly(cognito: LocalCognito, pool: Pool) -> None:
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


def test_restore_clears_calls_outbox_and_faults(cognito: LocalCognito, pool: Pool) -> None:
    restore = cognito.snapshot()
    cognito.faults.lose("InitiateAuth")
    cognito.faults.sometimes(Fault.LOST, "*", 1)
    restore()
    assert not cognito.calls
    assert not cognito.outbox
    assert cognito.faults.take("InitiateAuth") is None


def test_trigger_object_stays_the_same_after_a_restore(cognito: LocalCognito, pool: Pool) -> None:
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


def test_pool_makes_a_new_default_client_after_a_restore(cognito: LocalCognito, pool: Pool) -> None:
    restore = cognito.snapshot()
    before = pool.app
    assert pool.app is before
    restore()
    assert pool.app != before
    assert isinstance(pool.flow().start(UserSrpAuth("alice", PASSWORD)), SignedIn)
