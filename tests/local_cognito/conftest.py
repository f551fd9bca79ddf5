"""The pools that these tests speak to. The clock stands still, so that no code changes in mid-test."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cognito_flow.testing import Clock, LocalCognito
from tests.local_cognito.wire import PASSWORD, Wire

NOW = datetime(2026, 11, 5, 9, 30, 5, tzinfo=UTC)  # a Thursday, with a day of one digit


@pytest.fixture
def cognito() -> LocalCognito:
    """A service at a fixed time."""
    return LocalCognito(clock=Clock(lambda: NOW))


@pytest.fixture
def wire(cognito: LocalCognito) -> Wire:
    """A pool with alice and bob, who have the same password, and nothing switched on."""
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD, email="alice@example.com", phone_number="+31612345678")
    pool.add_user("bob", PASSWORD)
    return Wire(pool)


@pytest.fixture
def totp_wire(cognito: LocalCognito) -> Wire:
    """A pool that requires a second factor, with alice and bob, who have an authenticator app."""
    pool = cognito.create_pool(
        mfa_configuration="ON",
        software_token_mfa_configuration={"Enabled": True},
        email_mfa_configuration={},
    )
    pool.add_user("alice", PASSWORD, totp=True)
    pool.add_user("bob", PASSWORD, totp=True)
    return Wire(pool)
