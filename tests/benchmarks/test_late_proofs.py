"""How late the proof of a password leaves when many sign in at once."""

from __future__ import annotations

import asyncio
import statistics
import sys

import pytest

from cognito_flow import AsyncAuthFlow, UserSrpAuth
from tests.support.conversation import APP
from tests.transport.test_workers import AsyncService, Service


@pytest.mark.slow
@pytest.mark.skipif("coverage" in sys.modules, reason="measured without coverage")
@pytest.mark.parametrize("make", [Service, AsyncService], ids=["boto3", "aiobotocore"])
def test_proofs_of_200_sign_ins_at_once_are_sent_within_300_milliseconds(make: type[Service]) -> None:
    """Cognito wants the proof within seconds of its challenge. The server takes 0.2 seconds for each call."""
    service = make(seconds=0.2)

    async def run() -> None:
        flow = AsyncAuthFlow(APP, service)
        await asyncio.gather(
            *(flow.start(UserSrpAuth(f"user{number}", "correct horse")) for number in range(200))
        )

    asyncio.run(run())

    assert len(service.gaps) == 200
    assert statistics.median(service.gaps) < 0.3, sorted(service.gaps)
