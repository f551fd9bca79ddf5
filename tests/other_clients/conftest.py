"""Run other people's clients as programs that read calls line by line.

A client reaches LocalCognito over HTTP only. The test controls both, so it answers the client's questions from
the outbox or the authenticator app.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest
from filelock import FileLock

from cognito_flow import AppClient
from cognito_flow.testing import LocalCognito
from tests.support.environments import node_with, python_with

JAVASCRIPT = Path(__file__).with_name("javascript")
PYCOGNITO = ("pycognito==2024.5.1",)
SECONDS_TO_ANSWER = 60


class Thrown(Exception):
    """What a client threw: the name of its error, and the message."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(name, message)
        self.name = name
        self.message = message


@attrs.frozen
class Program:
    """A client's process."""

    process: subprocess.Popen[str]

    def call(self, name: str, **given: object) -> Any:
        """Let the client do something; gives what came of it.

        Raises:
            Thrown: The client threw it.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        # A client that hangs is ended, and then its output, too.
        timer = threading.Timer(SECONDS_TO_ANSWER, self.process.kill)
        timer.start()
        try:
            self.process.stdin.write(json.dumps({"call": name, "given": given}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            raise RuntimeError(f"the client ended in {name}, with {self.process.wait()}")
        answer = json.loads(line)
        if "threw" in answer:
            raise Thrown(**answer["threw"])
        return answer["gave"]

    def refusal(self, name: str, **given: object) -> tuple[str, str]:
        """The name and message of what the client must throw."""
        with pytest.raises(Thrown) as thrown:
            self.call(name, **given)
        return thrown.value.name, thrown.value.message


@attrs.frozen
class JavaScript:
    """Where Node is, and the folder with the programs."""

    node: Path
    folder: Path

    def program(self, name: str) -> list[str | Path]:
        """The command that runs a program."""
        return [self.node, self.folder / f"{name}.mjs"]


Run: TypeAlias = Callable[[list[str | Path], AppClient], Program]
"""Runs a program for an app client."""


@pytest.fixture
def url(cognito: LocalCognito) -> Iterator[str]:
    """Where LocalCognito is served."""
    with cognito.serve(port=0) as url:
        yield url


@pytest.fixture(scope="session")
def javascript(programs_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> JavaScript:
    """The programs in JavaScript, beside the packages that they use."""
    with FileLock(programs_folder / "lock"):
        node, modules = node_with(JAVASCRIPT, programs_folder)
    folder = tmp_path_factory.mktemp("javascript")
    for program in JAVASCRIPT.glob("*.mjs"):
        shutil.copy(program, folder)
    (folder / "node_modules").symlink_to(modules, target_is_directory=True)
    return JavaScript(node, folder)


@pytest.fixture(scope="session")
def pycognito_python(programs_folder: Path) -> Path:
    """The interpreter that has pycognito."""
    with FileLock(programs_folder / "lock"):
        return python_with(PYCOGNITO, programs_folder)


@pytest.fixture
def run(url: str) -> Iterator[Run]:
    """Runs a program for an app client; all are ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def run(command: list[str | Path], app: AppClient) -> Program:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
        started.append(process)
        program = Program(process)
        program.call(
            "open", endpoint=url, poolId=app.pool_id, clientId=app.client_id, clientSecret=app.client_secret
        )
        return program

    yield run
    for process in started:
        with process:  # closes the pipes, and waits
            process.terminate()
