"""Each example program is on its page, and starts with the line there."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from cognito_flow.testing import LocalCognito, seed
from tests.support.documentation import DOCS

EXAMPLES = DOCS / "examples"
PAGE = (DOCS / "how-to" / "examples.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```console\n(.+)\n```$", PAGE, re.MULTILINE)
SECONDS_TO_START = 60


def test_each_program_is_on_the_page() -> None:
    programs = {path.name for path in EXAMPLES.glob("*.py")}
    elsewhere = {
        "api.py",
        "web_login.py",
    }  # in the guides "Protect an API with FastAPI" and "Build a login page"

    assert {name for name in programs - elsewhere if f"[`{name}`]" not in PAGE} == set()


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The variables of local.env, but for the port of the pool."""
    cognito: LocalCognito = seed.plant(seed.read(str(EXAMPLES / "pool.toml")))
    lines = (EXAMPLES / "local.env").read_text(encoding="utf-8").splitlines()
    local = dict(line.split("=", 1) for line in lines)
    with cognito.serve() as url:
        yield {
            **os.environ,
            **local,
            "COGNITO_ENDPOINT_URL": url,
            "HOME": str(tmp_path),
            "NO_PROXY": "*",
            "PYTHONPATH": os.pathsep.join([str(DOCS.parent), str(EXAMPLES)]),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        }


def command(part: str) -> str:
    (found,) = [command for command in COMMANDS if part in command]
    return str(found)


@contextmanager
def started(line: str, environment: dict[str, str]) -> Iterator[int]:
    """The port at which a web application is served, on a free port in place of 8000."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    program, *arguments = line.replace("8000", str(port)).split()
    module = [] if program == "python" else ["-m", program]
    with subprocess.Popen([sys.executable, *module, *arguments], cwd=EXAMPLES, env=environment) as process:
        try:
            yield port
        finally:
            process.terminate()


def status(port: int, path: str) -> int:
    """The status of a page, once the server has started."""
    end = time.monotonic() + SECONDS_TO_START
    while True:
        connection = HTTPConnection("localhost", port, timeout=SECONDS_TO_START)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        finally:
            connection.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "part", "path", "expected"),
    [
        ("uvicorn", "fastapi_login", "/me", 401),
        ("flask", "flask_login", "/", 200),
        ("django", "django_login", "/", 200),
    ],
)
def test_web_application_starts_with_its_line(
    environment: dict[str, str], package: str, part: str, path: str, expected: int
) -> None:
    pytest.importorskip(package)

    with started(command(part), environment) as port:
        assert status(port, path) == expected


@pytest.mark.slow
def test_lambda_function_answers_the_event_of_its_line(environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["/bin/bash", "-c", command("passwordless_lambda.py")],
        cwd=EXAMPLES,
        env=environment,
        check=True,
        capture_output=True,
    )

    assert json.loads(json.loads(done.stdout)["body"])["asks"] == "EMAIL_OTP"


@pytest.mark.slow
def test_command_line_tool_signs_in_with_its_line(environment: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, *command("cli_tool.py login").split()[1:]],
        cwd=EXAMPLES,
        env=environment,
        input="Correct-Horse-9\n",
        start_new_session=True,  # without a terminal, the password is read from standard input
        check=True,
        capture_output=True,
        text=True,
    )

    assert "Signed in as alice." in done.stderr
    assert (tmp_path / ".cli_tool.json").exists()
