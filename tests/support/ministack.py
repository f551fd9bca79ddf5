"""Start ministack, an emulator that verifies SRP, and stop it at the end.

It is installed once, into a virtual environment of its own. Every worker of pytest-xdist starts its own server;
a lock keeps workers from creating one environment at the same time, and from taking the same free port.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from tests.support.environments import python_with
from tests.support.ports import free_port

MINISTACK = ("ministack==1.5.33", "cryptography")
SECONDS_TO_START = 60


@contextmanager
def running_ministack(programs_folder: Path, folder: Path) -> Generator[str]:
    """The URL of ministack. Its AWS credentials are test and test.

    Args:
        programs_folder: Where it is installed.
        folder: Where it keeps its files.
    """
    with FileLock(programs_folder / "lock"):
        python = python_with(MINISTACK, programs_folder)
        port = free_port()
        server = start_ministack(python, port, folder)
        wait_until_ready(server, port, folder / "log")
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(server)


def start_ministack(python: Path, port: int, folder: Path) -> subprocess.Popen[bytes]:
    settings = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "SERVICES": "cognito-idp",
        "IOT_MTLS_ENABLED": "0",  # else it listens on a fixed port, on all interfaces
        "TMPDIR": str(folder),  # for its file with the process id
    }
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [python, "-m", "ministack"],
            cwd=folder,
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def wait_until_ready(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + SECONDS_TO_START
    while not is_healthy(port):
        if server.poll() is not None or time.monotonic() > give_up:
            stop(server)
            raise RuntimeError(f"ministack does not answer. It said:\n{log.read_text()}")
        time.sleep(0.1)


def is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
