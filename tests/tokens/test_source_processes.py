"""Four processes that share a file of tokens, which rotate without a grace period: no user is signed out."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import attrs
import pytest

from cognito_flow import Account, FileStore, UserSrpAuth
from cognito_flow.testing import LocalCognito

PROCESSES, ROUNDS = 4, 500
ROTATION: Any = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}

PROGRAM = """
import json, sys
from datetime import UTC, datetime, timedelta
from cognito_flow import AppClient, AuthFlow, FileStore, System

pool_id, client_id, url, path = sys.argv[1:]
ahead = timedelta()
app = AppClient(pool_id, client_id, endpoint_url=url)
flow = AuthFlow(app, system=System(now=lambda: datetime.now(UTC) + ahead))
store = FileStore(path)
source = flow.token_source(store.get_tokens(app, "alice"), store=store)
for line in sys.stdin:
    ahead = timedelta(seconds=json.loads(line))
    print(json.dumps(source.access_token()), flush=True)
"""


def ask(processes: list[subprocess.Popen[str]], seconds: float) -> set[str]:
    """Let all processes ask for a token at once, at a time that is so far ahead; returns their tokens."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(f"{seconds}\n")
        process.stdin.flush()
    return {json.loads(process.stdout.readline()) for process in processes if process.stdout is not None}


@pytest.mark.slow
def test_processes_that_share_a_store_refresh_once_and_get_the_same_tokens(
    cognito: LocalCognito, tmp_path: Path
) -> None:
    pool = cognito.create_pool()
    pool.add_user("alice", "correct horse")
    client = pool.app_client(flows=("ALLOW_USER_SRP_AUTH",), refresh_token_rotation=ROTATION)
    path = tmp_path / "tokens.json"
    with cognito.serve() as url, ExitStack() as stack:
        app = attrs.evolve(client, endpoint_url=url)
        flow = pool.flow(client)
        store = FileStore(path)
        store.put_tokens(app, "alice", flow.sign_in(UserSrpAuth("alice", "correct horse")).tokens)
        command = [sys.executable, "-c", PROGRAM, app.pool_id, app.client_id, url, str(path)]
        processes = [
            stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(PROCESSES)
        ]
        for number in range(1, ROUNDS + 1):
            cognito.clock.advance(3600)
            (access_token,) = ask(processes, number * 3600)
            kept = store.get_tokens(app, "alice")
            assert kept is not None
            assert kept.access_token == access_token
            account = flow.account(kept)
            assert isinstance(account, Account)
            assert account.user().username == "alice"

    refreshes = [call.error for call in cognito.calls if call.operation == "GetTokensFromRefreshToken"]
    assert refreshes == [None] * ROUNDS
