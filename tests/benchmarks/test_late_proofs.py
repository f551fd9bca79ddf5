"""How late the proof of a password leaves when many sign in at once; ``-s`` shows the figures."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
from botocore import UNSIGNED

from cognito_flow import AppClient, AsyncAuthFlow, UserSrpAuth

APP = AppClient("eu-west-1_abc", "client")
SIGN_INS = 200


@pytest.fixture
def app() -> Iterator[AppClient]:
    """An app client of a server of its own, which takes 0.2 seconds for each call."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.slow_server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield attrs.evolve(APP, endpoint_url=server.stdout.readline().strip())
        server.stdin.close()


@asynccontextmanager
async def client_of(kind: str, app: AppClient) -> AsyncIterator[Any]:
    """None, for which the flow makes a boto3 client, or a client of aiobotocore."""
    if kind == "boto3":
        yield None
        return
    session = pytest.importorskip("aiobotocore.session").get_session()
    config = pytest.importorskip("aiobotocore.config").AioConfig(
        signature_version=UNSIGNED, max_pool_connections=SIGN_INS
    )
    async with session.create_client(
        "cognito-idp", region_name=app.region, endpoint_url=app.endpoint_url, config=config
    ) as client:
        yield client


@pytest.mark.slow
@pytest.mark.skipif("coverage" in sys.modules, reason="measured without coverage")
@pytest.mark.parametrize("kind", ["boto3", "aiobotocore"])
def test_proofs_of_200_sign_ins_at_once_are_sent_within_300_milliseconds(kind: str, app: AppClient) -> None:
    """Cognito wants the proof within seconds of its challenge. The server measures how long it waits."""

    async def run() -> None:
        async with client_of(kind, app) as client:
            flow = AsyncAuthFlow(app, client)
            await asyncio.gather(
                *(flow.start(UserSrpAuth(f"user{number}", "correct horse")) for number in range(SIGN_INS))
            )

    asyncio.run(run())

    with urllib.request.urlopen(f"{app.endpoint_url}/gaps") as response:  # noqa: S310 - it is our own server
        gaps = sorted(json.load(response))
    print(f"{kind}: median {statistics.median(gaps):.3f} s, 95 % {gaps[190]:.3f} s, longest {gaps[-1]:.3f} s")
    assert len(gaps) == SIGN_INS
    assert statistics.median(gaps) < 0.3, gaps
