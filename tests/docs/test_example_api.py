"""The example of an API works: it lets in, and keeps out, as RFC 6750 says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from cognito_flow import AsyncTokenVerifier, UserPasswordAuth
from cognito_flow.testing import LocalCognito, Pool
from tests.docs.test_docs import load

PASSWORD = "Correct horse 1"
API: Any = load(Path(__file__).parents[2] / "docs" / "examples" / "api.py")


@attrs.frozen
class Client:
    """Asks the API, in this process."""

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
    """A pool with a user, and one who may do more."""
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD)
    pool.add_user("bob", PASSWORD).groups.append("admins")
    return pool


@pytest.fixture
def client(pool: Pool) -> Client:
    """A client of the example's API."""
    return Client(API.make_api(pool.async_verifier()))


def bearer(pool: Pool, username: str) -> dict[str, str]:
    """The header of who has signed in."""
    tokens = pool.flow().sign_in(UserPasswordAuth(username, PASSWORD)).tokens
    return {"Authorization": f"Bearer {tokens.access_token}"}


def test_who_has_signed_in_is_known(pool: Pool, client: Client) -> None:
    """By the name in the token."""
    assert client.get("/me", headers=bearer(pool, "alice")).json() == {"username": "alice"}


def test_who_brings_no_token_is_asked_for_one(client: Client) -> None:
    """Without an error: nothing was wrong yet."""
    response = client.get("/me")

    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("spoilt", ["no token", ".", "a.b.c"])
def test_a_bad_token_is_refused(client: Client, spoilt: str) -> None:
    """Whatever is wrong with it."""
    response = client.get("/me", headers={"Authorization": f"Bearer {spoilt}"})

    assert (response.status_code, response.headers["www-authenticate"]) == (
        401,
        'Bearer error="invalid_token"',
    )


def test_a_token_that_has_ended_is_refused(pool: Pool, client: Client) -> None:
    """In the same words."""
    headers = bearer(pool, "alice")
    pool.cognito.clock.advance(7200)

    assert client.get("/me", headers=headers).headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_a_group_opens_more(pool: Pool, client: Client) -> None:
    """To who is in it, and to nobody else."""
    refused = client.request("DELETE", "/orders", bearer(pool, "alice"))

    assert (refused.status_code, refused.headers["www-authenticate"]) == (
        403,
        'Bearer error="insufficient_scope"',
    )
    assert client.request("DELETE", "/orders", bearer(pool, "bob")).json() == {"deleted_by": "bob"}


def test_without_keys_nothing_is_said_of_a_token(pool: Pool) -> None:
    """The client may try again."""

    def nobody_there(url: str) -> bytes:
        raise ConnectionError

    client = Client(API.make_api(AsyncTokenVerifier(pool.app, fetch=nobody_there)))

    assert client.get("/me", headers=bearer(pool, "alice")).status_code == 503
