"""The pools of these tests. The clock is fixed, so that no code expires during a test, and every answer is
checked against the service model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from cognito_flow.testing import Clock, LocalCognito
from tests.local_cognito.wire import PASSWORD, Wire
from tests.support.contract import check_answer, check_refusal

if TYPE_CHECKING:
    from cognito_flow.testing._service import Reply

NOW = datetime(2026, 11, 5, 9, 30, 5, tzinfo=UTC)  # a Thursday, with a day of one digit


class CheckedCognito(LocalCognito):
    """A service that checks each answer against the service model."""

    def handle(self, headers: Mapping[str, str], body: bytes) -> Reply:
        reply = super().handle(headers, body)
        operation, answer = headers.get("x-amz-target", "").rpartition(".")[2], json.loads(reply.body)
        if reply.status == 200:
            check_answer(operation, answer)
        else:
            check_refusal(operation, answer["__type"])
        return reply


@pytest.fixture
def cognito() -> LocalCognito:
    """A service at a fixed time."""
    return CheckedCognito(clock=Clock(lambda: NOW))


@pytest.fixture
def wire(cognito: LocalCognito) -> Wire:
    """A pool with default settings, and alice and bob, who have the same password."""
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD, email="alice@example.com", phone_number="+31612345678")
    pool.add_user("bob", PASSWORD)
    return Wire(pool)


@pytest.fixture
def totp_wire(cognito: LocalCognito) -> Wire:
    """A pool that requires a second factor, and alice and bob, who have an authenticator app."""
    pool = cognito.create_pool(
        mfa_configuration="ON",
        software_token_mfa_configuration={"Enabled": True},
        email_mfa_configuration={},
    )
    pool.add_user("alice", PASSWORD, totp=True)
    pool.add_user("bob", PASSWORD, totp=True)
    return Wire(pool)
