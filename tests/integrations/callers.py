"""HTTP clients that are asked in one way: httpx, httpx with asyncio, and requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import Any, Protocol

import attrs
import httpx
import requests

from cognito_flow import UserSrpAuth
from cognito_flow.integrations.httpx import CognitoAuth as HttpxAuth
from cognito_flow.integrations.requests import CognitoAuth as RequestsAuth
from cognito_flow.testing import Pool

ALICE = UserSrpAuth("alice", "correct horse")
REFRESH = "GetTokensFromRefreshToken"
KINDS = ("httpx", "async httpx", "requests")


@attrs.frozen
class Reply:
    """What came back in the end, and the statuses of what came before."""

    status: int
    body: bytes
    before: list[int]


class Caller(Protocol):
    """A client whose requests carry a token."""

    @property
    def auth(self) -> HttpxAuth | RequestsAuth:
        """The adapter."""
        ...

    def send(self, method: str, url: str, **content: Any) -> Reply:
        """Send a request, with `json`, a form or bytes as `data`, or a body that comes in `parts`."""
        ...

    def access_token(self) -> str:
        """The token in hand."""
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
        return Reply(response.status_code, response.content, [each.status_code for each in response.history])

    def access_token(self) -> str:
        return self.source.access_token()


class Httpx:
    """httpx, with a client."""

    def __init__(self, pool: Pool, **options: Any) -> None:
        flow = pool.flow()
        self.source = flow.token_source(flow.sign_in(ALICE).tokens)
        self.auth = HttpxAuth(self.source, **options)

    def send(self, method: str, url: str, *, parts: Iterable[bytes] = (), **content: Any) -> Reply:
        if parts:
            content["content"] = (part for part in parts)
        with httpx.Client(auth=self.auth, follow_redirects=True, timeout=60) as client:
            return _reply(client.request(method, url, **_for_httpx(content)))

    def access_token(self) -> str:
        return self.source.access_token()


class AsyncHttpx:
    """httpx, with a client for asyncio."""

    def __init__(self, pool: Pool, **options: Any) -> None:
        self.source = pool.async_flow().token_source(pool.flow().sign_in(ALICE).tokens)
        self.auth = HttpxAuth(self.source, **options)

    def send(self, method: str, url: str, *, parts: Iterable[bytes] = (), **content: Any) -> Reply:
        if parts:
            content["content"] = _each(parts)
        return asyncio.run(self._send(method, url, _for_httpx(content)))

    async def _send(self, method: str, url: str, content: dict[str, Any]) -> Reply:
        async with httpx.AsyncClient(auth=self.auth, follow_redirects=True, timeout=60) as client:
            return _reply(await client.request(method, url, **content))

    def access_token(self) -> str:
        return asyncio.run(self.source.access_token())


def make(kind: str, pool: Pool, **options: Any) -> Caller:
    """A client of one kind, for alice."""
    callers: dict[str, type[Httpx | AsyncHttpx | Requests]] = dict(
        zip(KINDS, (Httpx, AsyncHttpx, Requests), strict=True)
    )
    return callers[kind](pool, **options)


def refreshes(pool: Pool) -> int:
    """How many refreshes the pool has seen."""
    return [call.operation for call in pool.cognito.calls].count(REFRESH)


def _for_httpx(content: dict[str, Any]) -> dict[str, Any]:
    """What requests calls data is content to httpx, unless it is a form."""
    if isinstance(content.get("data"), bytes):
        return {"content": content["data"]}
    return content


async def _each(parts: Iterable[bytes]) -> AsyncGenerator[bytes]:
    for part in parts:
        yield part


def _reply(response: httpx.Response) -> Reply:
    return Reply(response.status_code, response.content, [each.status_code for each in response.history])
