"""Programs of `tests.support.store_writer`, run by the tests of all stores that several processes share."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import attrs

from cognito_flow import Account, UserSrpAuth
from cognito_flow.testing import LocalCognito
from tests.support.store_writer import opened

ROTATION: Any = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}


@contextmanager
def running(*arguments: str | Path) -> Generator[subprocess.Popen[str]]:
    """Run one of the programs; it is killed when the block ends."""
    command = [sys.executable, "-m", "tests.support.store_writer", *map(str, arguments)]
    root, pipe = Path(__file__).parents[2], subprocess.PIPE
    with subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def lines(process: subprocess.Popen[str]) -> list[str]:
    """What a program prints until it ends."""
    assert process.stdout is not None
    return process.stdout.read().split()


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def ask(processes: list[subprocess.Popen[str]], seconds: float) -> set[str]:
    """Let all processes ask for a token at once, at a time that is so far ahead; returns their tokens."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(f"{seconds}\n")
        process.stdin.flush()
    return {json.loads(next_line(process)) for process in processes}


def check_that_processes_refresh_in_turn(cognito: LocalCognito, path: str | Path, rounds: int) -> None:
    """Let three processes, of which one is killed, refresh the same tokens, which rotate without a grace period.

    Cognito accepts each refresh token once, so that a mistake signs alice out.
    """
    pool = cognito.create_pool()
    pool.add_user("alice", "correct horse")
    client = pool.app_client(flows=("ALLOW_USER_SRP_AUTH",), refresh_token_rotation=ROTATION)
    flow = pool.flow(client)
    store = opened(str(path))
    with cognito.serve() as endpoint, ExitStack() as stack:
        app = attrs.evolve(client, endpoint_url=endpoint)
        store.put_tokens(app, "alice", flow.sign_in(UserSrpAuth("alice", "correct horse")).tokens)
        arguments = ("source", path, app.pool_id, app.client_id, endpoint)
        processes = [stack.enter_context(running(*arguments)) for _ in range(3)]
        for number in range(1, rounds + 1):
            cognito.clock.advance(3600)
            if number == rounds // 2:
                processes.pop().kill()
            (access_token,) = ask(processes, number * 3600)
            kept = store.get_tokens(app, "alice")
            assert kept is not None
            assert kept.access_token == access_token
            account = flow.account(kept)
            assert isinstance(account, Account)
            assert account.user().username == "alice"

    refreshes = [call.error for call in cognito.calls if call.operation == "GetTokensFromRefreshToken"]
    assert refreshes == [None] * rounds
