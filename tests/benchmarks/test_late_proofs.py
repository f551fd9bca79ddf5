"""How late the proof of a password leaves when many sign in at once; ``-s`` shows the figures."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import urllib.request

import pytest

from tests.benchmarks import slow_server
from tests.benchmarks.crowd import CROWD, flow_with, sign_all_in


@pytest.mark.slow
@pytest.mark.skipif("coverage" in sys.modules, reason="measured without coverage")
@pytest.mark.parametrize("kind", ["boto3", "aiobotocore"])
def test_proofs_of_200_sign_ins_at_once_are_sent_within_300_milliseconds(kind: str) -> None:
    """Cognito wants the proof within seconds of its challenge. The server measures how long it waits."""
    if kind == "aiobotocore":
        pytest.importorskip("aiobotocore")

    async def run(url: str) -> None:
        async with flow_with(kind, url) as flow:
            await sign_all_in(flow)

    with slow_server.running() as url:
        asyncio.run(run(url))
        with urllib.request.urlopen(f"{url}/gaps") as response:  # noqa: S310 - it is our own server
            gaps = sorted(json.load(response))

    print(f"{kind}: median {statistics.median(gaps):.3f} s, 95 % {gaps[190]:.3f} s, longest {gaps[-1]:.3f} s")
    assert len(gaps) == CROWD
    assert statistics.median(gaps) < 0.3, gaps
