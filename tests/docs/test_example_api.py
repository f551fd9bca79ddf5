"""The example API accepts and refuses tokens as RFC 6750 says."""

from __future__ import annotations

import asyncio
from typing import Any

import attrs
import httpx
import pytest

from cognito_flow import AsyncTokenVerifier, UserPasswordAuth
from cognito_flow.testing import LocalCognito, Pool
from tests.support.documentation import DOCS, load

PASSWORD = "Correct horse 1"
API: Any = load(DOCS / "examples" / "api.py")


@attrs.frozen
class Client:
    """Calls the API in process."""

    api: Any

    def request(self, method: str, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(self.api), base_url="http://api.example"
            ) as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(ask())

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.request("GET", path, headers)


@pytest.fixture
def pool(cognito: LocalCognito) -> Pool:
    """A pool with a user and an administrator."""
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD)
    pool.add_user("bob", PASSWORD).groups.append("admins")
    return pool


@pytest.fixture
def client(pool: Pool) -> Client:
    """A client of the example API."""
    return Client(API.make_api(pool.async_verifier()))


def bearer(pool: Pool, username: str) -> dict[str, str]:
    """The header of a signed-in user."""
    tokens = pool.flow().sign_in(UserPasswordAuth(username, PASSWORD)).tokens
    return {"Authorization": f"Bearer {tokens.access_token}"}


def test_signed_in_user_gets_their_name(pool: Pool, client: Client) -> None:
    assert client.get("/me", headers=bearer(pool, "alice")).json() == {"username": "alice"}


def test_request_without_a_token_gets_401_without_an_error_code(client: Client) -> None:
    response = client.get("/me")

    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("spoilt", ["no token", ".", "a.b.c"])
def test_invalid_token_is_refused(client: Client, spoilt: str) -> None:
    response = client.get("/me", headers={"Authorization": f"Bearer {spoilt}"})

    assert (response.status_code, response.headers["www-authenticate"]) == (
        401,
        'Bearer error="invalid_token"',
    )


def test_expired_token_is_refused_like_an_invalid_one(pool: Pool, client: Client) -> None:
    headers = bearer(pool, "alice")
    pool.cognito.clock.advance(7200)

    assert client.get("/me", headers=headers).headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_only_members_of_the_group_may_delete(pool: Pool, client: Client) -> None:
    refused = client.request("DELETE", "/orders", bearer(pool, "alice"))

    assert (refused.status_code, refused.headers["www-authenticate"]) == (
        403,
        'Bearer error="insufficient_scope"',
    )
    assert client.request("DELETE", "/orders", bearer(pool, "bob")).json() == {"deleted_by": "bob"}


def test_keys_that_cannot_be_fetched_are_status_503(pool: Pool) -> None:

    def fail(url: str) -> bytes:
        raise ConnectionError

    client = Client(API.make_api(AsyncTokenVerifier(pool.app, fetch=fail)))

    assert client.get("/me", headers=bearer(pool, "alice")).status_code == 503
