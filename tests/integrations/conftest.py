"""A pool with a user, and APIs for its tokens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from cognito_flow.testing import Clock, LocalCognito, Pool
from tests.integrations import api as apis
from tests.integrations.api import Api


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reach the servers on this machine without a proxy."""
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def pool() -> Pool:
    """A pool with a user, on a clock that only moves when a test advances it."""
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    pool = LocalCognito(clock=Clock(lambda: moment)).create_pool()
    pool.add_user("alice", "correct horse")
    return pool


@pytest.fixture
def api(pool: Pool) -> Iterator[Api]:
    """An API for the users of the pool."""
    with apis.serve(pool) as api:
        yield api


@pytest.fixture
def elsewhere(pool: Pool) -> Iterator[Api]:
    """Another API, on another port."""
    with apis.serve(pool) as api:
        yield api
