"""The command in a process of its own: as it is, on a terminal, or where something is missing."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress

TIMEOUT = 300
COMMAND = (sys.executable, "-c", "from cognito_flow.cli import main; main()")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it, and keep what it prints."""
    return _finished([*COMMAND, *arguments])


def run_without_standard_input(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The same as a service is started, with standard input closed."""
    return _finished(["/bin/sh", "-c", 'exec "$0" "$@" <&-', *COMMAND, *arguments])


def run_without_room_for_files(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The same where no byte can be written to a file."""
    return _finished(["/bin/sh", "-c", 'ulimit -f 0; exec "$0" "$@"', *COMMAND, *arguments])


def shown_by(*arguments: str) -> bytes:
    """What a terminal is sent by it."""
    terminal, other_end = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=other_end,
        stderr=subprocess.PIPE,
        env={**os.environ, "COLUMNS": "200"},
    ) as process:
        os.close(other_end)
        shown = b""
        # OSError is how Linux says that the other end is closed.
        with suppress(OSError):
            while part := os.read(terminal, 10_000):
                shown += part
        _, stderr = process.communicate(timeout=TIMEOUT)
    os.close(terminal)
    assert process.returncode == 0, stderr
    return shown


def _finished(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
