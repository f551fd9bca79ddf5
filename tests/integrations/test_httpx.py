"""The adapters for httpx and httpx2: streamed bodies, shared clients, and sources of the wrong kind."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cognito_flow import AppClient, IncorrectPassword, UsageError
from cognito_flow.testing import Pool
from tests.integrations.api import Api
from tests.integrations.callers import AUTHS, LIBRARIES, AsyncHttpx, Httpx, refreshes

MANY = 50


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def caller(pool: Pool, library: str) -> Httpx:
    return Httpx(pool, library)


@pytest.fixture
def async_caller(pool: Pool, library: str) -> AsyncHttpx:
    return AsyncHttpx(pool, library)


def client(caller: Httpx) -> Any:
    return caller.library.Client(auth=caller.auth, timeout=60)


def a_file() -> dict[str, Any]:
    return {"content": io.BytesIO(b"one two")}


def a_form_with_a_file() -> dict[str, Any]:
    return {"files": {"name": io.BytesIO(b"one two")}}


def a_generator() -> dict[str, Any]:
    return {"content": (part for part in (b"one ", b"two"))}


STREAMS = (a_file, a_form_with_a_file, a_generator)


@pytest.mark.parametrize("stream", STREAMS)
def test_stream_is_not_sent_again(caller: Httpx, pool: Pool, api: Api, stream: Callable[[], Any]) -> None:
    api.revoked.add(caller.access_token())

    with client(caller) as http:
        assert http.post(f"{api.url}/echo", **stream()).status_code == 401
    assert (api.statuses(), refreshes(pool)) == ([401], 1)


@pytest.mark.parametrize("stream", STREAMS)
def test_stream_that_is_read_first_is_sent_again(
    pool: Pool, library: str, api: Api, stream: Callable[[], Any]
) -> None:
    caller = Httpx(pool, library, requires_request_body=True)
    api.revoked.add(caller.access_token())

    with client(caller) as http:
        assert http.post(f"{api.url}/echo", **stream()).status_code == 200
    assert b"one two" in api.bodies()[0]
    assert api.bodies()[0] == api.bodies()[1]


def test_stream_that_is_read_first_with_asyncio_is_sent_again(pool: Pool, library: str, api: Api) -> None:
    caller = AsyncHttpx(pool, library, requires_request_body=True)
    api.revoked.add(caller.access_token())

    assert caller.send("POST", f"{api.url}/echo", parts=[b"one ", b"two"]).body == b"one two"
    assert api.bodies() == [b"one two", b"one two"]


def test_streamed_response_is_that_of_the_repeated_request(caller: Httpx, api: Api) -> None:
    api.revoked.add(caller.access_token())

    with client(caller) as http, http.stream("POST", f"{api.url}/echo", content=b"body") as response:
        assert (response.status_code, response.read()) == (200, b"body")
    assert [earlier.status_code for earlier in response.history] == [401]
    assert api.connections == 1


@pytest.mark.parametrize("is_expired", [True, False], ids=["expired", "revoked"])
def test_many_threads_refresh_once(caller: Httpx, pool: Pool, api: Api, is_expired: bool) -> None:
    if is_expired:
        pool.cognito.clock.advance(3600)
    else:
        api.revoked.add(caller.access_token())

    with client(caller) as http, ThreadPoolExecutor(MANY) as threads:
        replies = list(threads.map(lambda _: http.get(f"{api.url}/echo").status_code, range(MANY)))

    assert replies == [200] * MANY
    assert refreshes(pool) == 1


@pytest.mark.parametrize("is_expired", [True, False], ids=["expired", "revoked"])
def test_many_tasks_refresh_once(async_caller: AsyncHttpx, pool: Pool, api: Api, is_expired: bool) -> None:
    if is_expired:
        pool.cognito.clock.advance(3600)
    else:
        api.revoked.add(async_caller.access_token())

    async def ask() -> list[Any]:
        async with async_caller.library.AsyncClient(auth=async_caller.auth, timeout=60) as http:
            return await asyncio.gather(*(http.get(f"{api.url}/echo") for _ in range(MANY)))

    assert [reply.status_code for reply in asyncio.run(ask())] == [200] * MANY
    assert refreshes(pool) == 1


def test_blocking_client_refuses_an_async_source(caller: Httpx, async_caller: AsyncHttpx, api: Api) -> None:
    caller.auth = async_caller.auth

    with client(caller) as http, pytest.raises(UsageError, match="needs a TokenSource"):
        http.get(f"{api.url}/echo")


def test_async_client_refuses_a_blocking_source(caller: Httpx, async_caller: AsyncHttpx, api: Api) -> None:
    async_caller.auth = caller.auth

    with pytest.raises(UsageError, match="needs an AsyncTokenSource"):
        async_caller.send("GET", f"{api.url}/echo")


def test_name_and_password_sign_in(library: str, pool: Pool, api: Api) -> None:
    auth = AUTHS[library].sign_in(pool.flow(), "alice", "correct horse", token="id")

    with LIBRARIES[library].Client(auth=auth) as http:
        assert http.get(f"{api.url}/id").status_code == 200


def test_name_and_password_sign_in_with_asyncio(library: str, pool: Pool, api: Api) -> None:
    async def ask() -> int:
        auth = await AUTHS[library].sign_in_async(pool.async_flow(), "alice", "correct horse")
        async with LIBRARIES[library].AsyncClient(auth=auth) as http:
            return int((await http.get(f"{api.url}/echo")).status_code)

    assert asyncio.run(ask()) == 200


def test_app_client_is_enough_to_sign_in(library: str, pool: Pool, api: Api) -> None:
    with pool.cognito.serve() as url:
        app = AppClient(pool.id, pool.app.client_id, endpoint_url=url)
        auth = AUTHS[library].sign_in(app, "alice", "correct horse")
        in_a_loop = asyncio.run(AUTHS[library].sign_in_async(app, "alice", "correct horse"))

    with LIBRARIES[library].Client(auth=auth) as http:
        assert http.get(f"{api.url}/echo").status_code == 200
    assert repr(in_a_loop) == "CognitoAuth(AsyncTokenSource('alice'), token='access')"


def test_wrong_password_raises_incorrect_password(library: str, pool: Pool) -> None:
    with pytest.raises(IncorrectPassword):
        AUTHS[library].sign_in(pool.flow(), "alice", "battery staple")
    with pytest.raises(IncorrectPassword):
        asyncio.run(AUTHS[library].sign_in_async(pool.async_flow(), "alice", "battery staple"))
