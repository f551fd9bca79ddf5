"""The adapter for aiohttp: bodies, connections, and sources of the wrong kind."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import Any, cast

import aiohttp
import pytest

from cognito_flow import AsyncTokenSource, IncorrectPassword, Throttled, UsageError
from cognito_flow.integrations.aiohttp import CognitoAuth
from cognito_flow.testing import Pool
from tests.integrations.api import Api
from tests.integrations.callers import Aiohttp, Httpx, refreshes

MANY = 50


@pytest.fixture
def caller(pool: Pool, api: Api) -> Aiohttp:
    return Aiohttp(pool, origins=[api.url])


def test_many_tasks_refresh_once(caller: Aiohttp, pool: Pool, api: Api) -> None:
    api.revoked.add(caller.access_token())

    async def ask() -> list[int]:
        async with aiohttp.ClientSession(middlewares=[caller.auth]) as session:

            async def one() -> int:
                async with session.get(f"{api.url}/echo") as response:
                    return response.status

            return await asyncio.gather(*(one() for _ in range(MANY)))

    assert asyncio.run(ask()) == [200] * MANY
    assert refreshes(pool) == 1


def a_file() -> io.BytesIO:
    return io.BytesIO(b"one two")


def a_form() -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("name", io.BytesIO(b"one two"))
    return form


@pytest.mark.parametrize("make", [a_file, a_form])
def test_body_that_can_be_read_again_is_sent_again(
    caller: Aiohttp, api: Api, make: Callable[[], object]
) -> None:
    api.revoked.add(caller.access_token())

    assert caller.send("POST", f"{api.url}/echo", data=make()).status == 200
    assert b"one two" in api.bodies()[0]
    assert api.bodies()[0] == api.bodies()[1]


def test_connection_is_reused_for_the_repeated_request(caller: Aiohttp, api: Api) -> None:
    api.revoked.add(caller.access_token())

    assert caller.send("POST", f"{api.url}/echo", data=b"body").body == b"body"
    assert (api.statuses(), api.connections) == ([401, 200], 1)


def test_failed_refresh_leaves_no_connection_open(caller: Aiohttp, pool: Pool, api: Api) -> None:
    api.revoked.add(caller.access_token())
    pool.cognito.faults.throttle("GetTokensFromRefreshToken", times=10)

    async def ask() -> None:
        connector = aiohttp.TCPConnector()
        async with aiohttp.ClientSession(connector=connector, middlewares=[caller.auth]) as session:
            with pytest.raises(Throttled):
                await session.get(f"{api.url}/echo")
            assert not connector._acquired

    asyncio.run(ask())


def test_blocking_source_raises_usage_error(pool: Pool) -> None:
    source = cast("AsyncTokenSource", Httpx(pool).source)

    with pytest.raises(UsageError, match="needs an AsyncTokenSource"):
        CognitoAuth(source, origins=["https://api.example.com"])


def test_name_and_password_sign_in(pool: Pool, api: Api) -> None:
    async def ask() -> int:
        auth = await CognitoAuth.sign_in(
            pool.async_flow(), "alice", "correct horse", origins=[api.url], token="id"
        )
        async with (
            aiohttp.ClientSession(middlewares=[auth]) as session,
            session.get(f"{api.url}/id") as reply,
        ):
            return reply.status

    assert asyncio.run(ask()) == 200


def test_wrong_password_raises_incorrect_password(pool: Pool) -> None:
    signing_in: Any = CognitoAuth.sign_in(pool.async_flow(), "alice", "battery staple", origins=[])

    with pytest.raises(IncorrectPassword):
        asyncio.run(signing_in)
