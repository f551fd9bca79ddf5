"""Requests and URLs that are signed with the AWS credentials of an identity pool."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import httpx
import httpx2
import pytest
import requests

from cognito_flow import UsageError
from cognito_flow.integrations import aiohttp as for_aiohttp
from cognito_flow.integrations import httpx as for_httpx
from cognito_flow.integrations import httpx2 as for_httpx2
from cognito_flow.integrations import requests as for_requests
from cognito_flow.integrations.aws import AsyncIdentityPool, AwsCredentials, IdentityPool, iot_url
from cognito_flow.testing import Pool
from tests.integrations import identities as services
from tests.integrations import signed_api
from tests.integrations.identities import POOL_ID
from tests.integrations.signed_api import SignedApi, signature

SECRET = "secret-key-of-the-user"
HTTPX: dict[str, Any] = {"httpx": (httpx, for_httpx.SigV4Auth), "httpx2": (httpx2, for_httpx2.SigV4Auth)}


@pytest.fixture(autouse=True)
def _identities(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with services.serve(pool, pool.app) as identities:
        monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", identities.url)
        yield


@pytest.fixture
def api() -> Iterator[tuple[str, SignedApi]]:
    with signed_api.serve(SECRET) as served:
        yield served


def by_httpx(library: str, method: str, url: str, **content: Any) -> tuple[int, bytes]:
    module, auth = HTTPX[library]
    with module.Client(auth=auth(IdentityPool(None, None, POOL_ID), "execute-api", "eu-west-1")) as client:
        response = client.request(method, url, **content)
    return response.status_code, response.content


def by_async_httpx(library: str, method: str, url: str, **content: Any) -> tuple[int, bytes]:
    module, kind = HTTPX[library]

    async def ask() -> tuple[int, bytes]:
        auth = kind(AsyncIdentityPool(None, None, POOL_ID), "execute-api", "eu-west-1")
        async with module.AsyncClient(auth=auth) as client:
            response = await client.request(method, url, **content)
        return response.status_code, response.content

    return asyncio.run(ask())


def by_requests(method: str, url: str, **content: Any) -> tuple[int, bytes]:
    auth = for_requests.SigV4Auth(IdentityPool(None, None, POOL_ID), "execute-api", "eu-west-1")
    response = requests.request(method, url, auth=auth, timeout=30, **content)
    return response.status_code, response.content


def by_aiohttp(method: str, url: str, **content: Any) -> tuple[int, bytes]:
    async def ask() -> tuple[int, bytes]:
        pool = AsyncIdentityPool(None, None, POOL_ID)
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        auth = for_aiohttp.SigV4Auth(pool, "execute-api", "eu-west-1", origins=[origin])
        async with (
            aiohttp.ClientSession(middlewares=[auth]) as session,
            session.request(method, url, **content) as response,
        ):
            return response.status, await response.read()

    return asyncio.run(ask())


SENDERS: dict[str, Callable[..., tuple[int, bytes]]] = {
    "httpx": lambda *args, **content: by_httpx("httpx", *args, **content),
    "httpx2": lambda *args, **content: by_httpx("httpx2", *args, **content),
    "async httpx": lambda *args, **content: by_async_httpx("httpx", *args, **content),
    "async httpx2": lambda *args, **content: by_async_httpx("httpx2", *args, **content),
    "requests": by_requests,
    "aiohttp": by_aiohttp,
}


@pytest.mark.parametrize("send", SENDERS.values(), ids=SENDERS)
@pytest.mark.parametrize("path", ["", "/", "/orders/7", "/orders?page=2&all=&a=%2F%20x", "/a%20b/~c"])
def test_signature_of_a_request_is_right(
    send: Callable[..., tuple[int, bytes]], api: tuple[str, SignedApi], path: str
) -> None:
    url, server = api

    assert send("GET", f"{url}{path}")[0] == 200
    (signed,) = server.signed
    assert (signed["key"], signed["token"]) == ("ASIAKEYOFTHEUSER0001", "session-1")
    assert str(signed["scope"]).endswith("/eu-west-1/execute-api/aws4_request")
    assert set(str(signed["names"]).split(";")) <= {"host", "x-amz-date", "x-amz-security-token"}


@pytest.mark.parametrize("send", SENDERS.values(), ids=SENDERS)
@pytest.mark.parametrize(
    ("content", "body"),
    [
        ({"json": {"book": "Middlemarch"}}, None),
        ({"data": {"a": "1", "b": "ü"}}, b"a=1&b=%C3%BC"),
    ],
)
def test_signature_covers_the_body_and_its_type(
    send: Callable[..., tuple[int, bytes]], api: tuple[str, SignedApi], content: Any, body: bytes | None
) -> None:
    url, server = api

    status, echoed = send("POST", f"{url}/orders", **content)

    assert (status, echoed) == (200, echoed if body is None else body)
    assert b"Middlemarch" in echoed or body
    assert "content-type" in str(server.signed[0]["names"]).split(";")


def test_wrong_secret_key_is_refused(api: tuple[str, SignedApi]) -> None:
    """The API of these tests really verifies."""
    url, server = api
    server.secret = "another"

    assert by_requests("GET", url)[0] == 403


@pytest.mark.parametrize("library", HTTPX)
def test_httpx_streams_are_read_and_signed(library: str, api: tuple[str, SignedApi]) -> None:
    async def parts() -> AsyncGenerator[bytes]:
        yield b"one "
        yield b"two"

    url, _ = api
    in_parts = (part for part in (b"one ", b"two"))
    assert by_httpx(library, "POST", url, content=in_parts) == (200, b"one two")
    assert by_async_httpx(library, "POST", url, content=parts()) == (200, b"one two")


def test_aiohttp_streams_are_read_and_signed(api: tuple[str, SignedApi]) -> None:
    url, _ = api

    assert by_aiohttp("POST", url, data=io.BytesIO(b"one two")) == (200, b"one two")


def test_aiohttp_does_not_sign_for_other_origins(pool: Pool, api: tuple[str, SignedApi]) -> None:
    url, server = api

    async def ask() -> int:
        identities = AsyncIdentityPool(None, None, POOL_ID)
        auth = for_aiohttp.SigV4Auth(identities, "s3", "eu-west-1", origins=["https://api.example.com"])
        async with aiohttp.ClientSession(middlewares=[auth]) as session, session.get(url) as response:
            return response.status

    assert (asyncio.run(ask()), server.signed) == (403, [])


def test_requests_to_s3_carry_the_hash_of_the_body() -> None:
    pool = IdentityPool(None, None, POOL_ID)
    auth = for_requests.SigV4Auth(pool, "s3", "eu-west-1")

    prepared = requests.Request(
        "PUT", "https://bucket.s3.amazonaws.com/key", data="text", auth=auth
    ).prepare()

    assert len(prepared.headers["X-Amz-Content-SHA256"]) == 64


def test_requests_refuses_a_body_that_cannot_be_signed() -> None:
    auth = for_requests.SigV4Auth(IdentityPool(None, None, POOL_ID), "execute-api", "eu-west-1")

    with pytest.raises(UsageError, match="pass bytes"):
        requests.Request("POST", "https://api.example.com", data=io.BytesIO(b"x"), auth=auth).prepare()


def test_pool_of_the_wrong_kind_raises_usage_error() -> None:
    blocking, asynchronous = IdentityPool(None, None, POOL_ID), AsyncIdentityPool(None, None, POOL_ID)

    with pytest.raises(UsageError, match="requests needs an IdentityPool"):
        for_requests.SigV4Auth(cast("IdentityPool", asynchronous), "s3", "eu-west-1")
    with pytest.raises(UsageError, match="needs an AsyncIdentityPool"):
        for_aiohttp.SigV4Auth(cast("AsyncIdentityPool", blocking), "s3", "eu-west-1", origins=["https://a.b"])
    with (
        httpx.Client(auth=for_httpx.SigV4Auth(asynchronous, "s3", "eu-west-1")) as client,
        pytest.raises(UsageError, match="needs an IdentityPool"),
    ):
        client.get("https://api.example.com")

    async def ask() -> None:
        async with httpx.AsyncClient(auth=for_httpx.SigV4Auth(blocking, "s3", "eu-west-1")) as client:
            await client.get("https://api.example.com")

    with pytest.raises(UsageError, match="needs an AsyncIdentityPool"):
        asyncio.run(ask())


def test_repr_names_the_service_and_no_secret() -> None:
    blocking, asynchronous = IdentityPool(None, None, POOL_ID), AsyncIdentityPool(None, None, POOL_ID)
    blocking.credentials()
    made = [
        for_httpx.SigV4Auth(blocking, "s3", "eu-west-1"),
        for_requests.SigV4Auth(blocking, "s3", "eu-west-1"),
        for_aiohttp.SigV4Auth(asynchronous, "s3", "eu-west-1", origins=["https://a.b"]),
    ]

    for auth in made:
        assert repr(auth).endswith(f"IdentityPool(None, {POOL_ID!r}), 's3', 'eu-west-1')")


def test_iot_url_is_signed_without_the_session_token() -> None:
    expires_at = datetime(2030, 1, 1, tzinfo=UTC)
    credentials = AwsCredentials("ASIAKEY", SECRET, "session/token+1", expires_at)

    url = iot_url(credentials, "abc-ats.iot.eu-west-1.amazonaws.com", "eu-west-1", expires=60)

    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    assert (parts.scheme, parts.netloc, parts.path) == ("wss", "abc-ats.iot.eu-west-1.amazonaws.com", "/mqtt")
    assert (query["X-Amz-Security-Token"], query["X-Amz-Expires"]) == ("session/token+1", "60")
    assert parts.query.endswith("&X-Amz-Security-Token=session%2Ftoken%2B1")
    key, _, scope = query["X-Amz-Credential"].partition("/")
    assert (key, scope.split("/")[1:]) == ("ASIAKEY", ["eu-west-1", "iotdevicegateway", "aws4_request"])
    without_token = url.partition("&X-Amz-Security-Token")[0]
    expected = signature(
        SECRET,
        scope,
        query["X-Amz-Date"],
        "GET",
        without_token,
        {"host": parts.netloc},
        "host",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",  # of an empty body
    )
    assert query["X-Amz-Signature"] == expected


def test_iot_url_for_a_url_in_place_of_a_host_raises_usage_error() -> None:
    credentials = AwsCredentials("ASIAKEY", SECRET, "session", datetime(2030, 1, 1, tzinfo=UTC))

    with pytest.raises(UsageError, match="must be a host name"):
        iot_url(credentials, "https://abc-ats.iot.eu-west-1.amazonaws.com", "eu-west-1")
