"""The shared stores on real servers: Debian's redis-server, and moto's DynamoDB, with several processes."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import redis
from botocore.exceptions import BotoCoreError
from filelock import FileLock

from cognito_flow.testing import LocalCognito
from tests.stores.processes import check_that_processes_refresh_in_turn, next_line, running
from tests.support.environments import python_with
from tests.support.ports import free_port
from tests.support.store_writer import APP, LOCK_SECONDS, dynamodb, opened, tokens

MOTO = ("moto[server]==5.2.5",)
ROUNDS = 20
SECONDS_TO_START = 30

pytestmark = [pytest.mark.other_programs, pytest.mark.slow]


@contextmanager
def serving(*command: str | Path) -> Iterator[None]:
    with subprocess.Popen(
        [*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            yield
        finally:
            server.terminate()


def wait_for(ask: Any, *errors: type[Exception]) -> None:
    """Wait until a server answers."""
    give_up = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < give_up:
        with suppress(*errors):
            ask()
            return
        time.sleep(0.05)
    pytest.fail("the server did not start")


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if (program := shutil.which("redis-server")) is None:
        pytest.skip("there is no redis-server here: apt-get install redis-server")
    port, folder = free_port(), tmp_path_factory.mktemp("redis")
    with serving(program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", folder):
        client = redis.Redis(port=port)
        wait_for(client.ping, redis.ConnectionError)
        yield f"redis://127.0.0.1:{port}"
        client.close()


@pytest.fixture(scope="module")
def dynamodb_server(programs_folder: Path) -> Iterator[str]:
    with FileLock(programs_folder / "lock"):
        python = python_with(MOTO, programs_folder)
    port = free_port()
    url = f"dynamodb+http://127.0.0.1:{port}"
    with serving(python, Path(__file__).with_name("dynamodb_server.py"), str(port)):
        client = dynamodb(url)
        wait_for(client.list_tables, BotoCoreError)
        client.create_table(
            TableName="stores",
            KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield url
        client.close()


@pytest.fixture(params=["redis_server", "dynamodb_server"], ids=["Redis", "DynamoDB"])
def url(request: pytest.FixtureRequest) -> str:
    """Where the store is, as store_writer opens it."""
    found: str = request.getfixturevalue(request.param)
    return found


def test_processes_that_write_at_once_lose_nothing(url: str) -> None:
    with running("write", url, "a", "0", "50") as a, running("write", url, "b", "0", "50") as b:
        for process in (a, b):
            assert process.wait() == 0

    store = opened(url)
    for prefix in "ab":
        for number in range(50):
            assert store.get_tokens(APP, f"{prefix}-{number}") == tokens(str(number))


def test_lock_of_a_killed_process_expires(url: str) -> None:
    store = opened(url)
    with running("hold", url) as process:
        assert next_line(process) == "held"
        process.send_signal(signal.SIGKILL)
        process.wait()
        begun = time.monotonic()
        with store.lock(APP, "alice"):
            waited = time.monotonic() - begun

    assert waited < LOCK_SECONDS + 30  # the store itself waits for 60 seconds


def test_lock_of_a_living_process_keeps_others_out(url: str) -> None:
    store = opened(url)
    with running("hold", url) as process, ExitStack() as stack:
        assert next_line(process) == "held"
        asked = float(next_line(process))
        stack.enter_context(store.lock(APP, "alice"))

        assert time.monotonic() - asked > LOCK_SECONDS


def test_processes_refresh_rotated_tokens_in_turn(cognito: LocalCognito, url: str) -> None:
    check_that_processes_refresh_in_turn(cognito, url, ROUNDS)
