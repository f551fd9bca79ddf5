"""A server that takes a while for each call, and measures how late each proof of a password is.

Run as a program of its own, so that its work is not in the way of the client that is measured: it prints its
URL, and the gaps in seconds as JSON for ``GET /gaps``. It ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SECONDS = 0.2
HEAD = b"HTTP/1.1 200 OK\r\nx-amzn-RequestId: 1\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: %d\r\n\r\n"


class SlowServer:
    """Answers InitiateAuth with PASSWORD_VERIFIER, and any proof with tokens."""

    def __init__(self) -> None:
        # Imported here, because a client with an earlier tree of the package imports this module, too.
        from tests.support.conversation import DONE, VERIFIER

        self._verifier, self._done = VERIFIER, DONE
        self._answered: dict[str, float] = {}
        self._gaps: list[float] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        while head := await self._head(reader):
            length = int(head.get("content-length", 0))
            body = json.loads(await reader.readexactly(length) or b"{}")
            answer, username = await self._answer(head.get("x-amz-target", ""), body)
            content = json.dumps(answer).encode()
            writer.write(HEAD % len(content) + content)
            if username is not None:
                self._answered[username] = time.monotonic()
            await writer.drain()
        writer.close()

    async def _head(self, reader: asyncio.StreamReader) -> dict[str, str]:
        """The headers; none if the client closed the connection."""
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        except asyncio.IncompleteReadError:
            return {}
        pairs = (line.split(":", 1) for line in lines[1:] if line)
        return {name.lower(): value.strip() for name, value in pairs}

    async def _answer(self, target: str, body: dict[str, Any]) -> tuple[object, str | None]:
        """The answer, and who was given a challenge."""
        if target.endswith(".InitiateAuth"):
            await asyncio.sleep(SECONDS)
            username: str = body["AuthParameters"]["USERNAME"]
            names = {"USERNAME": username, "USER_ID_FOR_SRP": username}
            challenge = {
                "ChallengeName": "PASSWORD_VERIFIER",
                "ChallengeParameters": {**self._verifier, **names},
            }
            return challenge, username
        if target:
            self._gaps.append(time.monotonic() - self._answered[body["ChallengeResponses"]["USERNAME"]])
            await asyncio.sleep(SECONDS)
            return self._done, None
        return self._gaps, None


@contextmanager
def running() -> Generator[str]:
    """Run the server in a process of its own.

    Yields:
        Its URL.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.slow_server"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate()  # closes its standard input


async def main() -> None:
    server = await asyncio.start_server(SlowServer().serve, "127.0.0.1", 0, backlog=1000)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        await asyncio.to_thread(sys.stdin.read)
        os._exit(0)  # asyncio of Python 3.11 would report each connection that is cancelled


if __name__ == "__main__":
    asyncio.run(main())
