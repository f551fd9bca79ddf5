"""The adapter for httpx: bodies that are streamed, clients that are shared, and sources of the wrong kind."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from cognito_flow import UsageError
from cognito_flow.integrations.httpx import CognitoAuth
from cognito_flow.testing import Pool
from tests.integrations.api import Api
from tests.integrations.callers import AsyncHttpx, Httpx, refreshes

MANY = 50
ROOT = Path(__file__).parents[2]


def client(auth: CognitoAuth) -> httpx.Client:
    """A client, with time to wait."""
    return httpx.Client(auth=auth, timeout=60)


def a_file() -> dict[str, Any]:
    return {"content": io.BytesIO(b"one two")}


def a_form_with_a_file() -> dict[str, Any]:
    return {"files": {"name": io.BytesIO(b"one two")}}


def a_generator() -> dict[str, Any]:
    return {"content": (part for part in (b"one ", b"two"))}


STREAMS = (a_file, a_form_with_a_file, a_generator)


@pytest.mark.parametrize("stream", STREAMS)
def test_what_is_streamed_is_not_sent_again(pool: Pool, api: Api, stream: Callable[[], Any]) -> None:
    """httpx does not tell whether it can be read twice, and half a body is worse than a 401."""
    caller = Httpx(pool)
    api.revoked.add(caller.access_token())

    with client(caller.auth) as http:
        assert http.post(f"{api.url}/echo", **stream()).status_code == 401
    assert (api.statuses(), refreshes(pool)) == ([401], 1)


@pytest.mark.parametrize("stream", STREAMS)
def test_what_is_streamed_is_read_first_where_it_is_asked_for(
    pool: Pool, api: Api, stream: Callable[[], Any]
) -> None:
    """Then it is in memory, and can be sent twice."""
    caller = Httpx(pool, requires_request_body=True)
    api.revoked.add(caller.access_token())

    with client(caller.auth) as http:
        assert http.post(f"{api.url}/echo", **stream()).status_code == 200
    assert b"one two" in api.bodies()[0]
    assert api.bodies()[0] == api.bodies()[1]


def test_what_is_streamed_is_read_first_with_asyncio_too(pool: Pool, api: Api) -> None:
    """The same of a body that comes bit by bit."""
    caller = AsyncHttpx(pool, requires_request_body=True)
    api.revoked.add(caller.access_token())

    assert caller.send("POST", f"{api.url}/echo", parts=[b"one ", b"two"]).body == b"one two"
    assert api.bodies() == [b"one two", b"one two"]


def test_an_answer_that_is_streamed_is_one_that_was_let_in(pool: Pool, api: Api) -> None:
    """The refusal is over before the caller begins to read."""
    caller = Httpx(pool)
    api.revoked.add(caller.access_token())

    with client(caller.auth) as http, http.stream("POST", f"{api.url}/echo", content=b"body") as response:
        assert (response.status_code, response.read()) == (200, b"body")
    assert api.connections == 1


def test_many_threads_refresh_once(pool: Pool, api: Api) -> None:
    """All of them are refused, and all of them are let in."""
    caller = Httpx(pool)
    api.revoked.add(caller.access_token())

    with client(caller.auth) as http, ThreadPoolExecutor(MANY) as threads:
        replies = list(threads.map(lambda _: http.get(f"{api.url}/echo").status_code, range(MANY)))

    assert replies == [200] * MANY
    assert refreshes(pool) == 1


def test_many_threads_refresh_an_old_token_once(pool: Pool, api: Api) -> None:
    """Nobody is refused."""
    caller = Httpx(pool)
    pool.cognito.clock.advance(3600)

    with client(caller.auth) as http, ThreadPoolExecutor(MANY) as threads:
        replies = list(threads.map(lambda _: http.get(f"{api.url}/echo").status_code, range(MANY)))

    assert (replies, api.statuses()) == ([200] * MANY, [200] * MANY)
    assert refreshes(pool) == 1


@pytest.mark.parametrize("is_old", [True, False], ids=["old", "revoked"])
def test_many_tasks_refresh_once(pool: Pool, api: Api, is_old: bool) -> None:
    """Be the token old or refused."""
    caller = AsyncHttpx(pool)
    if is_old:
        pool.cognito.clock.advance(3600)
    else:
        api.revoked.add(caller.access_token())

    async def ask() -> list[httpx.Response]:
        async with httpx.AsyncClient(auth=caller.auth, timeout=60) as http:
            return await asyncio.gather(*(http.get(f"{api.url}/echo") for _ in range(MANY)))

    assert [reply.status_code for reply in asyncio.run(ask())] == [200] * MANY
    assert refreshes(pool) == 1


def test_a_client_that_blocks_refuses_a_source_for_asyncio(pool: Pool, api: Api) -> None:
    """Nobody would wait for its tokens."""
    with client(AsyncHttpx(pool).auth) as http, pytest.raises(UsageError, match="needs a TokenSource"):
        http.get(f"{api.url}/echo")


def test_a_client_for_asyncio_refuses_a_source_that_blocks(pool: Pool, api: Api) -> None:
    """It would hold up the event loop."""

    async def ask() -> None:
        async with httpx.AsyncClient(auth=Httpx(pool).auth) as http:
            await http.get(f"{api.url}/echo")

    with pytest.raises(UsageError, match="needs an AsyncTokenSource"):
        asyncio.run(ask())


def test_a_missing_package_is_named() -> None:
    """The import says what to install."""
    program = "import sys; sys.modules['httpx'] = None; import cognito_flow.integrations.httpx"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=False, capture_output=True, text=True
    )

    assert (
        "ModuleNotFoundError: the package httpx is missing: python -m pip install 'cognito-flow[httpx]'"
        in done.stderr
    )
