"""The clients of a flow: shared, watched, and made anew in a forked child."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from cognito_flow import (
    AppClient,
    AsyncAuthFlow,
    AuthFlow,
    CognitoFlowError,
    InternalError,
    SignedIn,
    UserPasswordAuth,
)
from cognito_flow._transport import clients
from cognito_flow.testing import LocalCognito
from tests.support.aiobotocore_client import aiobotocore_client
from tests.support.spoiling_proxy import SpoilingProxy, spoiling

PASSWORD = "Correct-horse-1"
CREDENTIALS = UserPasswordAuth("alice", PASSWORD)
ROOT = Path(__file__).parents[2]


@attrs.frozen
class World:
    """A served pool with alice in it, behind a proxy."""

    proxy: SpoilingProxy
    app: AppClient


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    cognito = LocalCognito()
    with cognito.serve() as url, spoiling(url) as proxy:
        pool = cognito.create_pool()
        pool.add_user("alice", PASSWORD)
        yield World(proxy, attrs.evolve(pool.app_client(), endpoint_url=proxy.url))


def client_of(flow: AuthFlow) -> object:
    """The client that a flow would use now."""
    method: Any = flow._transport.clients.method("InitiateAuth")
    return method.__self__


def run(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program of its own."""
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={"PATH": "", "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_flows_of_one_region_share_a_client() -> None:
    one, other = (AuthFlow(AppClient("eu-west-1_abc", f"client{number}")) for number in range(2))

    assert client_of(one) is client_of(other)


def test_flows_of_different_regions_endpoints_and_kinds_do_not_share_a_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    flows = [
        AuthFlow(AppClient("eu-west-1_abc", "client")),
        AuthFlow(AppClient("eu-west-2_abc", "client")),
        AuthFlow(AppClient("eu-west-1_abc", "client", endpoint_url="http://127.0.0.1:1")),
        AuthFlow(AppClient("eu-west-1_abc", "client"), admin=True),
    ]

    assert len({id(client_of(flow)) for flow in flows}) == len(flows)


@pytest.mark.slow
def test_client_that_no_flow_uses_any_more_is_freed() -> None:
    app = AppClient("eu-west-1_abc", "client", endpoint_url="http://127.0.0.1:2")
    flow = AuthFlow(app)
    client_of(flow)
    gc.collect()  # clients of earlier tests, too
    made = len(clients._shared)
    del flow
    gc.collect()

    assert len(clients._shared) == made - 1


THOUSAND = """
import resource
from cognito_flow import AppClient, AuthFlow
from cognito_flow._transport import clients
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
flows = [AuthFlow(AppClient("eu-west-1_abc", f"client{number}")) for number in range(1000)]
for flow in flows:
    flow._transport.clients.method("InitiateAuth")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, len(clients._shared))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units elsewhere")
def test_thousand_flows_of_one_region_share_a_client_and_take_60_mib() -> None:
    done = run(THOUSAND)
    kib, made = done.stdout.split()

    assert made == "1"
    assert int(kib) < 60 * 1024


def test_unsigned_client_needs_neither_boto3_nor_the_profile_that_aws_profile_names(
    world: World, tmp_path: Path
) -> None:
    script = """
import json, sys
from cognito_flow import AppClient, AsyncAuthFlow, AuthFlow, UserPasswordAuth
app = AppClient(sys.argv[1], sys.argv[2], endpoint_url=sys.argv[3])
signed_in = AuthFlow(app).start(UserPasswordAuth("alice", sys.argv[4]))
print(json.dumps([signed_in.username, "boto3" in sys.modules]))
"""
    app = world.app
    done = run(
        script,
        app.pool_id,
        app.client_id,
        world.proxy.url,
        PASSWORD,
        AWS_PROFILE="missing",
        HOME=str(tmp_path),
    )

    assert done.stderr == ""
    assert json.loads(done.stdout) == ["alice", False]


def test_forty_threads_do_not_fill_the_connection_pool(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    flow = AuthFlow(world.app)
    with caplog.at_level(logging.WARNING), ThreadPoolExecutor(40) as threads:
        steps = list(threads.map(lambda _: flow.start(CREDENTIALS), range(80)))

    assert all(isinstance(step, SignedIn) for step in steps)
    assert [record.getMessage() for record in caplog.records if record.name.startswith("urllib3")] == []


FORKS = """
import os, sys, threading
from cognito_flow import AppClient, AsyncAuthFlow, AuthFlow, UserSrpAuth
from cognito_flow._transport import clients
app = AppClient(sys.argv[1], sys.argv[2], endpoint_url=sys.argv[3])
flow = AuthFlow(app)
sign_in = lambda: flow.start(UserSrpAuth("alice", sys.argv[4])).username
sign_in()
held = clients._lock.of_this_process
held.acquire()  # as another thread of the parent may hold it at this moment
children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        names = {sign_in() for _ in range(3)}
        os._exit(0 if names == {"alice"} else 1)
    children.append(child)
held.release()
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
print(codes, sign_in())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_forked_children_sign_in_over_connections_of_their_own(world: World) -> None:
    done = run(FORKS, world.app.pool_id, world.app.client_id, world.proxy.url, PASSWORD)

    assert (done.stdout, done.stderr) == ("[0, 0, 0, 0] alice\n", "")


@pytest.fixture(params=["legacy", "standard", "adaptive"])
def given(request: pytest.FixtureRequest, world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of the caller's that the environment configures for five attempts."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    monkeypatch.setenv("AWS_RETRY_MODE", request.param)
    config = Config(signature_version=UNSIGNED)
    return boto3.client("cognito-idp", world.app.region, endpoint_url=world.proxy.url, config=config)


def test_given_client_sends_a_call_of_the_flow_once(world: World, given: Any) -> None:
    world.proxy.spoil("InitiateAuth", "500 after", times=9)
    with pytest.raises(InternalError) as refused:
        AuthFlow(world.app, given).start(CREDENTIALS)
    world.proxy.times = 0

    assert refused.value.maybe_processed
    assert world.proxy.arrived["InitiateAuth"] == 1


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_given_aiobotocore_client_sends_a_call_of_the_flow_once(
    world: World, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    pytest.importorskip("aiobotocore")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    monkeypatch.setenv("AWS_RETRY_MODE", mode)

    async def start() -> None:
        async with aiobotocore_client(world.proxy.url) as client:
            await AsyncAuthFlow(world.app, client).start(CREDENTIALS)

    world.proxy.spoil("InitiateAuth", "500 after", times=9)
    with pytest.raises(InternalError) as refused:
        asyncio.run(start())
    world.proxy.times = 0

    assert refused.value.maybe_processed
    assert world.proxy.arrived["InitiateAuth"] == 1


def test_given_client_repeats_the_callers_own_calls_as_before(world: World, given: Any) -> None:
    with pytest.raises(CognitoFlowError):
        AuthFlow(world.app, given).start(UserPasswordAuth("alice", "wrong"))
    world.proxy.spoil("ForgotPassword", "500 before", times=2)
    with pytest.raises(ClientError, match="InvalidParameter"):
        given.forgot_password(ClientId=world.app.client_id, Username="alice")

    assert world.proxy.arrived["ForgotPassword"] == 3
