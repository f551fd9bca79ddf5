"""The commands of the documentation start the login service and its pool."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.docs.login_service import FOLDER, Visitor
from tests.support.command import COMMAND
from tests.support.documentation import DOCS
from tests.support.ports import free_port

pytest.importorskip("uvicorn")
pytestmark = pytest.mark.other_programs

PAGE = (DOCS / "how-to" / "login-service.md").read_text(encoding="utf-8")


def options_of(program: str) -> list[str]:
    """The arguments that the page gives a program, without the port."""
    (line,) = re.findall(rf"^.*\b{program} (.*?) --port \d+$", PAGE, re.MULTILINE)
    return str(line).split()


@contextmanager
def running(command: list[str], until: str, **environment: str) -> Iterator[str]:
    """Run a program in the folder of the service; yields the line that contains a text."""
    with subprocess.Popen(
        command,
        cwd=FOLDER,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        try:
            lines = []
            for line in process.stdout:
                lines.append(line)
                if until in line:
                    yield line
                    return
            pytest.fail("".join(lines))
        finally:
            process.terminate()
            process.stdout.read()


def test_commands_of_the_page_start_the_service_on_a_local_pool(tmp_path: Path) -> None:
    settings = dict(line.split("=", 1) for line in (FOLDER / "local.env").read_text().splitlines())
    port = str(free_port())
    with running([*COMMAND, *options_of("cognito-flow"), "--port", "0"], "LocalCognito serves") as line:
        url = re.findall(r"http://[\d.:]+", line)[0]
        settings |= {"COGNITO_ENDPOINT_URL": url, "LOGIN_STORE": str(tmp_path / "login.db")}
        uvicorn = [sys.executable, "-m", "uvicorn", *options_of("uvicorn"), "--port", port]
        with (
            running(uvicorn, "running on", **settings),
            httpx.Client(base_url=f"http://localhost:{port}", trust_env=False) as client,
        ):
            assert "Signed in as" in Visitor(client).sign_in("alice").text
