"""200 people sign in at once through one AsyncAuthFlow, against a server that takes 0.2 seconds for each call.

The server is a process of its own and speaks HTTP. It answers with fixed challenges and tokens, so that hardly any
of the CPU time is its own.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from botocore import UNSIGNED
from botocore.config import Config

from cognito_flow import AppClient, AsyncAuthFlow, SignedIn, UserSrpAuth
from tests.support.conversation import RESULT, VERIFIER

CROWD = 200
SECONDS = 0.2


async def _serve() -> None:
    """Serve until standard input is closed; prints the port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.partition("content-length:")[2].split()[0])
                parameters = json.loads(await reader.readexactly(length))
                await asyncio.sleep(SECONDS)
                body = json.dumps(_answer(parameters)).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n"
                    b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
                )

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=CROWD)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


def _answer(parameters: Any) -> object:
    if "ChallengeName" in parameters:
        return {"AuthenticationResult": RESULT}
    name = parameters["AuthParameters"]["USERNAME"]
    asked = {**VERIFIER, "USERNAME": name, "USER_ID_FOR_SRP": name}
    return {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeParameters": asked, "Session": "s" * 1000}


@contextmanager
def _server() -> Generator[str]:
    program = "import asyncio; from tests.benchmarks import crowd; asyncio.run(crowd._serve())"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.communicate()


@asynccontextmanager
async def _flow(kind: str, url: str) -> AsyncGenerator[AsyncAuthFlow]:
    app = AppClient("eu-west-1_AbC123", "client-id", endpoint_url=url)
    if kind == "boto3":
        yield AsyncAuthFlow(app)
        return
    session: Any = importlib.import_module("aiobotocore.session")
    config: Any = Config(signature_version=UNSIGNED, max_pool_connections=CROWD)
    made: Any = session.get_session().create_client(
        "cognito-idp", "eu-west-1", endpoint_url=url, config=config
    )
    async with made as client:
        yield AsyncAuthFlow(app, client)


async def _run(kind: str, url: str) -> tuple[float, float]:
    """How long it took, and the longest time in which the loop did nothing else, in seconds."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - before - 0.001)

    async with _flow(kind, url) as flow:
        await flow.start(UserSrpAuth("first", "correct horse"))  # makes the client, as a running service has
        watching = asyncio.create_task(watch())
        await asyncio.sleep(0.01)
        began = time.perf_counter()
        steps = await asyncio.gather(
            *(flow.start(UserSrpAuth(f"user{number}", "correct horse")) for number in range(CROWD))
        )
        took = time.perf_counter() - began
        watching.cancel()
    assert all(isinstance(step, SignedIn) for step in steps)
    return took, longest


def sign_in(kind: str) -> None:
    """Print how long all sign-ins took, in milliseconds."""
    with _server() as url:
        print(asyncio.run(_run(kind, url))[0] * 1000)


def stall(kind: str) -> None:
    """Print the longest stall of the event loop, in milliseconds."""
    with _server() as url:
        print(asyncio.run(_run(kind, url))[1] * 1000)
