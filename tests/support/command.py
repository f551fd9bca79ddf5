"""Run the command in a process of its own: plainly, in a terminal, without standard input or output, or on a
full disk."""

from __future__ import annotations

import codecs
import os
import pty
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import attrs

TIMEOUT = 300
COMMAND = (sys.executable, "-c", "from cognito_flow.cli import main; main()")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command and capture its output."""
    return _finished([*COMMAND, *arguments])


def run_without_standard_input(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it with standard input closed, as a service manager does."""
    return _finished(["/bin/sh", "-c", 'exec "$0" "$@" <&-', *COMMAND, *arguments])


def run_writing_to(
    where: str, *arguments: str, given: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run it with standard output led elsewhere: ``&-`` closes it, ``/dev/full`` has no room."""
    return _finished(
        ["/bin/sh", "-c", f'exec "$0" "$@" >{where}', *COMMAND, *arguments], given, **environment
    )


def run_without_room_for_files(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it where no byte can be written to a file."""
    return _finished(["/bin/sh", "-c", 'ulimit -f 0; exec "$0" "$@"', *COMMAND, *arguments])


def shown_by(*arguments: str) -> bytes:
    """Run it in a terminal, and return what it writes there."""
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
        # Linux raises OSError when the other end is closed.
        with suppress(OSError):
            while part := os.read(terminal, 10_000):
                shown += part
        _, stderr = process.communicate(timeout=TIMEOUT)
    os.close(terminal)
    assert process.returncode == 0, stderr
    return shown


@attrs.define
class Terminal:
    """A program whose standard input and standard error are a terminal; its standard output is a pipe."""

    process: subprocess.Popen[bytes]
    descriptor: int
    shown: str = ""
    _decoder: codecs.IncrementalDecoder = attrs.field(factory=codecs.getincrementaldecoder("utf-8"))

    def wait_for(self, text: str) -> str:
        """Read until the terminal shows this text; return everything that was shown since the last call."""
        while text not in self.shown:
            self.shown += self._read()
        before, found, self.shown = self.shown.partition(text)
        return before + found

    def type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def finish(self) -> tuple[int, str, str]:
        """The exit code, the standard output, and what else the terminal showed."""
        with suppress(OSError):  # how Linux says that the other end is closed
            while part := self._read():
                self.shown += part
        out, _ = self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode, out.decode(), self.shown

    def _read(self) -> str:
        while part := os.read(self.descriptor, 100_000):
            if text := self._decoder.decode(part):  # empty for a part of a character
                return text.replace("\r", "")
        return ""


@contextmanager
def on_a_terminal(command: list[str], cwd: Path | None = None, **environment: str) -> Generator[Terminal]:
    """A program on a terminal of its own."""
    descriptor, other_end = pty.openpty()
    with subprocess.Popen(
        command,
        stdin=other_end,
        stdout=subprocess.PIPE,
        stderr=other_end,
        start_new_session=True,
        cwd=cwd,
        # Since Python 3.13, tracebacks have colours on a terminal.
        env={**os.environ, "COLUMNS": "200", "PYTHON_COLORS": "0", **environment},
    ) as process:
        os.close(other_end)
        try:
            yield Terminal(process, descriptor)
        finally:
            process.kill()
            os.close(descriptor)


def _finished(
    command: list[str], given: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        input=given,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
        env={**os.environ, **environment},
    )
