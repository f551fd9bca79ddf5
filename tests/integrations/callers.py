"""HTTP clients that tests use in one way: httpx and httpx2, both also with asyncio, requests, and aiohttp."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Any, Protocol

import aiohttp
import attrs
import httpx
import httpx2
import requests

from cognito_flow import UserSrpAuth
from cognito_flow.integrations.aiohttp import CognitoAuth as AiohttpAuth
from cognito_flow.integrations.httpx import CognitoAuth as HttpxAuth
from cognito_flow.integrations.httpx2 import CognitoAuth as Httpx2Auth
from cognito_flow.integrations.requests import CognitoAuth as RequestsAuth
from cognito_flow.testing import Pool

ALICE = UserSrpAuth("alice", "correct horse")
REFRESH = "GetTokensFromRefreshToken"

LIBRARIES: dict[str, Any] = {"httpx": httpx, "httpx2": httpx2}
AUTHS: dict[str, Any] = {"httpx": HttpxAuth, "httpx2": Httpx2Auth}


@attrs.frozen
class Reply:
    """The last response."""

    status: int
    body: bytes


class Caller(Protocol):
    """A client whose requests carry a token."""

    @property
    def auth(self) -> object:
        """The adapter."""
        ...

    def send(self, method: str, url: str, **content: Any) -> Reply:
        """Send a request, with `json`, a form or bytes as `data`, or a body that comes in `parts`."""
        ...

    def access_token(self) -> str:
        """The source's token."""
        ...


class Requests:
    """requests, with a session."""

    def __init__(self, pool: Pool, **options: Any) -> None:
        flow = pool.flow()
        self.source = flow.token_source(flow.sign_in(ALICE).tokens)
        self.auth = RequestsAuth(self.source, **options)

    def send(self, method: str, url: str, *, parts: Iterable[bytes] = (), **content: Any) -> Reply:
        if parts:
            content["data"] = iter(parts)
        with requests.Session() as session:
            session.auth = self.auth
            response = session.request(method, url, **content)
        return Reply(response.status_code, response.content)

    def access_token(self) -> str:
        return self.source.access_token()


class Httpx:
    """httpx or httpx2, with a client."""

    def __init__(self, pool: Pool, library: str = "httpx", **options: Any) -> None:
        flow = pool.flow()
        self.library = LIBRARIES[library]
        self.source = flow.token_source(flow.sign_in(ALICE).tokens)
        self.auth = AUTHS[library](self.source, **options)

    def send(self, method: str, url: str, *, parts: Iterable[bytes] = (), **content: Any) -> Reply:
        if parts:
            content["content"] = (part for part in parts)
        with self.library.Client(auth=self.auth, follow_redirects=True, timeout=60) as client:
            response = client.request(method, url, **_for_httpx(content))
        return Reply(response.status_code, response.content)

    def access_token(self) -> str:
        return self.source.access_token()


class AsyncHttpx:
    """httpx or httpx2, with a client for asyncio."""

    def __init__(self, pool: Pool, library: str = "httpx", **options: Any) -> None:
        self.library = LIBRARIES[library]
        self.source = pool.async_flow().token_source(pool.flow().sign_in(ALICE).tokens)
        self.auth = AUTHS[library](self.source, **options)

    def send(self, method: str, url: str, *, parts: Iterable[bytes] = (), **content: Any) -> Reply:
        if parts:
            content["content"] = _each(parts)
        return asyncio.run(self._send(method, url, _for_httpx(content)))

    async def _send(self, method: str, url: str, content: dict[str, Any]) -> Reply:
        async with self.library.AsyncClient(auth=self.auth, follow_redirects=True, timeout=60) as client:
            response = await client.request(method, url, **content)
        return Reply(response.status_code, response.content)

    def access_token(self) -> str:
        return asyncio.run(self.source.access_token())


class Aiohttp:
    """aiohttp, with a session."""

    def __init__(self, pool: Pool, **options: Any) -> None:
        self.source = pool.async_flow().token_source(pool.flow().sign_in(ALICE).tokens)
        self.auth = AiohttpAuth(self.source, **options)

    def send(self, method: str, url: str, *, parts: Iterable[bytes] = (), **content: Any) -> Reply:
        if parts:
            content["data"] = _each(parts)
        return asyncio.run(self._send(method, url, content))

    async def _send(self, method: str, url: str, content: dict[str, Any]) -> Reply:
        async with (
            aiohttp.ClientSession(middlewares=[self.auth]) as session,
            session.request(method, url, **content) as response,
        ):
            return Reply(response.status, await response.read())

    def access_token(self) -> str:
        return asyncio.run(self.source.access_token())


_MAKERS: dict[str, Callable[..., Caller]] = {
    "httpx": Httpx,
    "async httpx": AsyncHttpx,
    "httpx2": lambda pool, **options: Httpx(pool, "httpx2", **options),
    "async httpx2": lambda pool, **options: AsyncHttpx(pool, "httpx2", **options),
    "requests": Requests,
    "aiohttp": Aiohttp,
}
KINDS = tuple(_MAKERS)


def make(kind: str, pool: Pool, origin: str, **options: Any) -> Caller:
    """Create a client of one kind, for alice. The origin is for aiohttp, which requires one."""
    if kind == "aiohttp":
        options = {"origins": [origin], **options}
    return _MAKERS[kind](pool, **options)


def refreshes(pool: Pool) -> int:
    """How often the pool was asked to refresh."""
    return [call.operation for call in pool.cognito.calls].count(REFRESH)


def _for_httpx(content: dict[str, Any]) -> dict[str, Any]:
    """httpx calls `content` what requests calls `data`, unless it is a form."""
    if isinstance(content.get("data"), bytes):
        return {"content": content["data"]}
    return content


async def _each(parts: Iterable[bytes]) -> AsyncGenerator[bytes]:
    for part in parts:
        yield part
