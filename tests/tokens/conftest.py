"""Fixtures of the tests of token sources: a pool that rotates refresh tokens, and both kinds of sources."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cognito_flow import AppClient
from cognito_flow.testing import Clock, LocalCognito, Pool
from tests.support.token_sources import ROTATION, World


@pytest.fixture
def pool() -> Pool:
    """A pool with a user, on a clock that only moves when a test advances it."""
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    pool = LocalCognito(clock=Clock(lambda: moment)).create_pool()
    pool.add_user("alice", "correct horse")
    return pool


@pytest.fixture
def app(pool: Pool) -> AppClient:
    """An app client that rotates refresh tokens, with no grace."""
    return pool.app_client(flows=("ALLOW_USER_SRP_AUTH",), refresh_token_rotation=ROTATION)


@pytest.fixture(params=["sync", "async"])
def world(request: pytest.FixtureRequest, pool: Pool, app: AppClient) -> World:
    """Both kinds of sources."""
    return World(pool, app, request.param == "async")
