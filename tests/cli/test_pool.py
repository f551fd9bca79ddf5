"""The command's `pool`: user pools over HTTP for programs of any language."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from typer.testing import CliRunner

from cognito_flow import AppClient, AuthFlow, CustomAuth, CustomChallenge, SignedIn
from cognito_flow.cli.app import app
from cognito_flow.testing import LocalCognito
from tests.support.command import COMMAND


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The command, and what it prints until everything is told."""
    with subprocess.Popen([*COMMAND, "pool", *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        while not lines[-1].startswith("  user"):
            lines.append(process.stdout.readline())
            assert lines[-1], f"it has ended: {lines}"
        try:
            yield process, lines
        finally:
            process.kill()


SECRET = "JBSWY3DPEHPK3PXP"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_pools_are_served_until_the_process_is_asked_to_end(number: signal.Signals) -> None:
    """What is printed is enough to sign in; the end is clean."""
    with running("--port", "0") as (process, lines):
        url = re.findall(r"http://127\.0\.0\.1:\d+", lines[0])[0]
        (pool_id,) = re.findall(r"pool (\S+)", lines[1])
        (client_id,) = re.findall(r"client (\S+)", lines[2])
        _, secret = re.findall(r"client (\S+) .* secret (\S+)", lines[3])[0]
        assert secret
        flow = AuthFlow(AppClient(pool_id, client_id, endpoint_url=url))
        challenge = flow.start(CustomAuth("alice", "Correct-Horse-9"))
        assert isinstance(challenge, CustomChallenge)
        assert isinstance(flow.send(challenge.answer("4")), SignedIn)

        process.send_signal(number)
        rest, _ = process.communicate(timeout=30)

    assert (process.returncode, rest) == (0, "ended\n")


def test_a_seed_of_ones_own_is_served(tmp_path: Path) -> None:
    """In place of the one that is built in."""
    seed = tmp_path / "seed.toml"
    text = f'[[pool]]\nname = "people"\n[[pool.user]]\nusername = "bob"\ntotp = "{SECRET}"\n'
    seed.write_text(text, encoding="utf-8")
    with running("--port", "0", "--seed", str(seed)) as (_, lines):
        url = re.findall(r"http://127\.0\.0\.1:\d+", lines[0])[0]
        with urlopen(f"{url}/_local/pools") as answer:  # noqa: S310 - it is http
            (pool,) = json.load(answer)
    assert (pool["name"], [user["name"] for user in pool["users"]]) == ("people", ["bob"])
    assert lines[2] == f"  user bob TOTP secret {SECRET}\n"


def test_a_port_that_is_taken_is_told() -> None:
    """As wrong usage; and Ctrl-C ends what called it, as before."""
    before = signal.getsignal(signal.SIGINT)
    with LocalCognito().serve() as url:
        result = CliRunner().invoke(app, ["pool", "--port", url.rpartition(":")[2]])
    assert (result.exit_code, "cannot be served" in result.stderr) == (2, True)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_seed_that_is_not_there_is_told() -> None:
    """As wrong usage."""
    result = CliRunner().invoke(app, ["pool", "--seed", "no/such.toml"])
    assert (result.exit_code, "cannot be read" in result.stderr) == (2, True)


def test_help_tells_how_to_reach_it() -> None:
    """The environment variable that all AWS SDKs know."""
    shown = CliRunner().invoke(app, ["pool", "--help"], env={"COLUMNS": "200"}).stdout
    assert "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER" in shown
