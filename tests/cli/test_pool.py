"""The command's `pool`: user pools over HTTP for programs of any language."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import pytest
from typer.testing import CliRunner

from cognito_flow import AppClient, AuthFlow, CustomAuth, CustomChallenge, SignedIn
from cognito_flow.cli.app import app
from cognito_flow.testing import LocalCognito, totp_code
from tests.support.command import COMMAND


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The command, and what it prints up to its last line."""
    with subprocess.Popen([*COMMAND, "pool", *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        while lines[-1] != "\n" or "How to connect:\n" not in lines:
            lines.append(process.stdout.readline())
            assert lines[-1], f"it has ended: {lines}"
        try:
            yield process, lines
        finally:
            process.kill()


SECRET = "JBSWY3DPEHPK3PXP"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_pools_are_served_until_the_process_is_asked_to_stop(number: signal.Signals) -> None:
    with running("--port", "0") as (process, lines):
        url = re.findall(r"http://127\.0\.0\.1:\d+", lines[0])[0]
        (pool_id,) = re.findall(r"pool (\S+)", lines[1])
        (client_id,) = re.findall(r"client (\S+)", lines[2])
        _, secret = re.findall(r"client (\S+) .* secret (\S+)", lines[3])[0]
        assert secret
        flow = AuthFlow(AppClient(pool_id, client_id, endpoint_url=url))
        (password,) = re.findall(r"  user alice password (\S+)\n", lines[4])
        challenge = flow.start(CustomAuth("alice", password))
        assert isinstance(challenge, CustomChallenge)
        assert isinstance(flow.send(challenge.answer("4")), SignedIn)

        process.send_signal(number)
        rest, _ = process.communicate(timeout=30)

    assert (process.returncode, rest) == (0, "stopped\n")


def test_seed_of_a_file_is_served(tmp_path: Path) -> None:
    seed = tmp_path / "seed.toml"
    text = f'[[pool]]\nname = "people"\n[[pool.user]]\nusername = "bob"\ntotp = "{SECRET}"\n'
    seed.write_text(text, encoding="utf-8")
    with running("--port", "0", "--seed", str(seed)) as (_, lines):
        url = re.findall(r"http://127\.0\.0\.1:\d+", lines[0])[0]
        with urlopen(f"{url}/_local/pools") as answer:  # noqa: S310 - it is http
            (pool,) = json.load(answer)
    assert (pool["name"], [user["name"] for user in pool["users"]]) == ("people", ["bob"])
    assert lines[2] == f"  user bob totp {SECRET}\n"


SEED = """
[[pool]]
id = "eu-west-1_Shop00001"
[[pool.client]]
id = "web"
[[pool.user]]
username = "alice"
password = "Correct horse 1"
totp = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
[[pool.user]]
username = "bob"
totp = true
[[pool]]
username_attributes = ["email"]
[[pool.user]]
username = "carol@example.com"
password = "Correct horse 3"
"""


@pytest.mark.slow
def test_passwords_and_totp_secrets_of_the_seed_are_printed(tmp_path: Path) -> None:
    seed = tmp_path / "seed.toml"
    seed.write_text(SEED, encoding="utf-8")
    with running("--port", "0", "--seed", str(seed)) as (_, lines):
        users = [line.strip() for line in lines if line.startswith("  user")]

    assert users[0] == "user alice password Correct horse 1 totp JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    assert re.fullmatch(r"user bob totp [A-Z2-7]{52}", users[1])
    assert users[2] == "user carol@example.com password Correct horse 3"


@pytest.mark.slow
def test_lines_that_say_how_to_connect_name_the_first_app_client(tmp_path: Path) -> None:
    seed = tmp_path / "seed.toml"
    seed.write_text(SEED, encoding="utf-8")
    with running("--port", "0", "--seed", str(seed)) as (_, lines):
        shown = "".join(lines)
        url = re.findall(r"http://127\.0\.0\.1:\d+", shown)[0]
        command = re.findall(r"  cognito-flow +cognito-flow (login .*)", shown)[0]
        assert f"export AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER={url}\n" in shown
        # The line that is shown for the command signs in.
        totp = totp_code("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", datetime.now(UTC))
        arguments = [*command.split(), "--username", "alice"]
        result = CliRunner().invoke(app, arguments, input=f"Correct horse 1\n{totp}\n")

    assert result.exit_code == 0, result.stderr


@pytest.mark.slow
def test_seed_without_a_pool_shows_placeholders(tmp_path: Path) -> None:
    seed = tmp_path / "seed.toml"
    seed.write_text("", encoding="utf-8")
    with running("--port", "0", "--seed", str(seed)) as (_, lines):
        assert "--pool POOL_ID --client CLIENT_ID" in "".join(lines)


def test_taken_port_is_wrong_usage_and_leaves_ctrl_c_as_it_was() -> None:
    before = signal.getsignal(signal.SIGINT)
    with LocalCognito().serve() as url:
        result = CliRunner().invoke(app, ["pool", "--port", url.rpartition(":")[2]])
    assert (result.exit_code, "cannot serve on" in result.stderr) == (2, True)
    assert signal.getsignal(signal.SIGINT) is before


def test_missing_seed_is_wrong_usage() -> None:
    result = CliRunner().invoke(app, ["pool", "--seed", "no/such.toml"])
    assert (result.exit_code, "cannot be read" in result.stderr) == (2, True)


def test_help_names_the_environment_variable_that_aws_sdks_read() -> None:
    shown = CliRunner().invoke(app, ["pool", "--help"], env={"COLUMNS": "200"}).stdout
    assert "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER" in shown
