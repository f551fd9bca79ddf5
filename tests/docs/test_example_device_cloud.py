"""The integration of a device cloud begins with three strings, and keeps them fresh."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import attrs
import pytest

pytest.importorskip("aiohttp")

from cognito_flow import SignedOut, TokenRejected, UserSrpAuth
from cognito_flow.testing import LocalCognito, Pool
from tests.support.documentation import DOCS, load
from tests.support.http_server import Handler, running

device_cloud: Any = load(DOCS / "examples" / "device_cloud.py")
PASSWORD = "correct horse"
DEVICES = [{"name": "thermostat", "on": True}]


class _Server(ThreadingHTTPServer):
    pool: Pool


class _Handler(Handler):
    """The device cloud."""

    def do_GET(self) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            cast("_Server", self.server).pool.verifier(leeway=0).verify_access(token)
            status, body = 200, json.dumps(DEVICES).encode()
        except TokenRejected:
            status, body = 401, b"{}"
        self.answer(status, body, {"Content-Type": "application/json"})


@pytest.fixture
def pool(cognito: LocalCognito) -> Pool:
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD)
    return pool


@pytest.fixture
def url(pool: Pool) -> Iterator[str]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.pool = pool
    with running(server) as url:
        yield url


@pytest.fixture
def stored(pool: Pool) -> dict[str, str | None]:
    """The three strings of an earlier sign-in."""
    tokens = pool.flow().sign_in(UserSrpAuth("alice", PASSWORD)).tokens
    return {name: getattr(tokens, name) for name in device_cloud.NAMES}


@attrs.frozen
class Integration:
    pool: Pool
    url: str
    saved: list[dict[str, str]] = attrs.field(factory=list)

    def devices(self, stored: dict[str, str | None]) -> object:
        async def ask() -> object:
            flow = self.pool.async_flow()
            async with device_cloud.connect(flow, self.url, stored, self.saved.append) as cloud:
                return await cloud.devices()

        return asyncio.run(ask())


@pytest.fixture
def integration(pool: Pool, url: str) -> Integration:
    return Integration(pool, url)


def test_stored_strings_read_the_devices(integration: Integration, stored: dict[str, str | None]) -> None:
    assert integration.devices(stored) == DEVICES


def test_expired_tokens_are_refreshed_and_stored(
    integration: Integration, stored: dict[str, str | None], cognito: LocalCognito
) -> None:
    cognito.clock.advance(7200)

    assert integration.devices(stored) == DEVICES

    assert [strings["access_token"] != stored["access_token"] for strings in integration.saved] == [True]
    assert integration.saved[0]["refresh_token"] == stored["refresh_token"]
    assert integration.devices({**integration.saved[0]}) == DEVICES


def test_ended_sign_in_raises_signed_out(
    integration: Integration, stored: dict[str, str | None], pool: Pool, cognito: LocalCognito
) -> None:
    api: Any = cognito.client()
    api.admin_user_global_sign_out(UserPoolId=pool.id, Username="alice")
    cognito.clock.advance(7200)

    with pytest.raises(SignedOut):
        integration.devices(stored)


def test_program_prints_the_devices(
    pool: Pool,
    url: str,
    stored: dict[str, str | None],
    cognito_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COGNITO_POOL_ID", pool.id)
    monkeypatch.setenv("COGNITO_CLIENT_ID", pool.app.client_id)
    monkeypatch.setenv("COGNITO_ENDPOINT_URL", cognito_url)
    file = tmp_path / "tokens.json"
    file.write_text(json.dumps(stored), encoding="utf-8")

    device_cloud.main(file, url)

    assert json.loads(capsys.readouterr().out) == DEVICES
