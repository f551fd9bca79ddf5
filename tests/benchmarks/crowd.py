"""200 users sign in at once through one AsyncAuthFlow, against the server of `slow_server`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from botocore import UNSIGNED
from botocore.config import Config

from cognito_flow import AppClient, AsyncAuthFlow, SignedIn, Step, UserSrpAuth
from tests.benchmarks import slow_server
from tests.support.aiobotocore_client import aiobotocore_client

CROWD = 200


@asynccontextmanager
async def flow_with(kind: str, url: str) -> AsyncGenerator[AsyncAuthFlow]:
    """A flow that calls this URL in threads (`boto3`) or on the loop (`aiobotocore`)."""
    app = AppClient("eu-west-1_AbC123", "client-id", endpoint_url=url)
    if kind == "boto3":
        yield AsyncAuthFlow(app)
        return
    config = Config(signature_version=UNSIGNED, max_pool_connections=CROWD)
    async with aiobotocore_client(url, config) as client:
        yield AsyncAuthFlow(app, client)


async def sign_all_in(flow: AsyncAuthFlow) -> list[Step]:
    """All of them at once."""
    names = (f"user{number}" for number in range(CROWD))
    return await asyncio.gather(*(flow.start(UserSrpAuth(name, "correct horse")) for name in names))


async def _run(kind: str, url: str) -> tuple[float, float]:
    """How long it took, and the longest time in which the loop did nothing else, in seconds."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - before - 0.001)

    async with flow_with(kind, url) as flow:
        await flow.start(UserSrpAuth("first", "correct horse"))  # makes the client, as a running service has
        watching = asyncio.create_task(watch())
        await asyncio.sleep(0.01)
        began = time.perf_counter()
        steps = await sign_all_in(flow)
        took = time.perf_counter() - began
        watching.cancel()
    assert all(isinstance(step, SignedIn) for step in steps)
    return took, longest


def sign_in(kind: str) -> None:
    """Print how long all sign-ins took, in milliseconds."""
    with slow_server.running() as url:
        print(asyncio.run(_run(kind, url))[0] * 1000)


def stall(kind: str) -> None:
    """Print the longest stall of the event loop, in milliseconds."""
    with slow_server.running() as url:
        print(asyncio.run(_run(kind, url))[1] * 1000)
