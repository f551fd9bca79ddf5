"""Servers of user pools, and statements that call them over HTTP.

Rule of this file: a figure is the CPU time of the client and of the server together. A server in a process of its
own would otherwise seem to cost nothing. The client is boto3's for all of them.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import attrs

from tests.benchmarks.rounds import ROOT, Loop, Measure, Programs
from tests.support import ministack
from tests.support.ports import free_port

Start: TypeAlias = Callable[[Programs, Path], AbstractContextManager[tuple[str, int]]]
"""Starts a server that keeps its files in a folder; yields its URL and the id of its process."""

SERVE = """
import sys
from cognito_flow.testing import LocalCognito
with LocalCognito().serve() as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@attrs.frozen
class Served:
    """A statement that calls a server, repeated in each round.

    Args:
        name: What the table calls it.
        start: Starts the server.
        setup: Runs once, in the client. `client` is one of boto3 for the server.
        statement: What is measured.
        repeat: How often, in each round.
    """

    name: str
    start: Start
    setup: str
    statement: str
    repeat: int

    @contextmanager
    def measured(self, programs: Programs) -> Generator[Measure]:
        with tempfile.TemporaryDirectory() as folder, self.start(programs, Path(folder)) as (url, process):
            clock = cpu_clock(process)
            setup = CLIENT.format(url=url) + self.setup
            with Loop(self.name, setup, self.statement, self.repeat).measured(programs) as run:

                def run_both() -> float:
                    before = time.clock_gettime(clock)
                    client = run()
                    return client + (time.clock_gettime(clock) - before) / self.repeat * 1000

                yield run_both


CLIENT = """
import boto3
client = boto3.client(
    "cognito-idp", "eu-west-1", endpoint_url="{url}", aws_access_key_id="test", aws_secret_access_key="test")
"""


def cpu_clock(process: int) -> int:
    """The clock that counts the CPU time of all threads of a process, also of one that runs."""
    clock = ctypes.c_int()
    if error := ctypes.CDLL(None).clock_getcpuclockid(process, ctypes.byref(clock)):
        raise OSError(error, os.strerror(error))
    return clock.value


@contextmanager
def local_cognito(programs: Programs, folder: Path) -> Generator[tuple[str, int]]:
    """LocalCognito, in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip(), server.pid
        # Popen closes the standard input now, which ends the server.


@contextmanager
def other_ministack(programs: Programs, folder: Path) -> Generator[tuple[str, int]]:
    """ministack."""
    port = free_port()
    server = ministack.start_ministack(programs.python(*ministack.MINISTACK), port, folder)
    try:
        ministack.wait_until_ready(server, port, folder / "log")
        yield f"http://127.0.0.1:{port}", server.pid
    finally:
        ministack.stop(server)


@contextmanager
def cognito_local(programs: Programs, folder: Path) -> Generator[tuple[str, int]]:
    """cognito-local, which writes each change to a file."""
    port = free_port()
    node, packages = programs.node()
    start = packages / "node_modules" / "cognito-local" / "lib" / "bin" / "start.js"
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            # One of its packages is an ES module, which Node 20 takes with `require` only if asked to.
            [node, "--experimental-require-module", start],
            cwd=folder,
            env={**os.environ, "HOST": "127.0.0.1", "PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_listening(server, port, folder / "log")
        yield f"http://127.0.0.1:{port}", server.pid
    finally:
        ministack.stop(server)


def wait_until_listening(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + ministack.SECONDS_TO_START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            if server.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"cognito-local does not answer. It said:\n{log.read_text()}") from None
            time.sleep(0.1)
        else:
            return
