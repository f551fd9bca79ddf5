"""The command-line tool signs in once and then prints AWS credentials."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import attrs
import boto3
import pytest
from moto import mock_aws

from cognito_flow import FileStore
from cognito_flow.testing import LocalCognito, Pool
from tests.support.documentation import DOCS, load
from tests.support.planted import tokens_in
from tests.support.pools import PASSWORD, pool_with_totp

cli_tool: Any = load(DOCS / "examples" / "cli_tool.py")


@pytest.fixture
def pool(cognito: LocalCognito) -> Pool:
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD)
    return pool


@pytest.fixture
def identity_pool_id(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "for-tests")
    with mock_aws():
        api = boto3.client("cognito-identity", region_name="eu-west-1")
        made = api.create_identity_pool(IdentityPoolName="people", AllowUnauthenticatedIdentities=False)
        yield made["IdentityPoolId"]


@attrs.frozen
class Tool:
    """Runs the tool; each run is a new process as far as the flow is concerned."""

    pool: Pool
    store: FileStore

    def run(self, *arguments: str, password: str = PASSWORD) -> int:
        status: int = cli_tool.main(self.pool.flow(store=self.store), arguments, lambda _: password)
        return status


@pytest.fixture
def tool(pool: Pool, tmp_path: Any) -> Tool:
    return Tool(pool, FileStore(tmp_path / "tokens.json", keys=["k" * 32]))


def test_signed_in_user_gets_aws_credentials(
    tool: Tool, identity_pool_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool.run("login", "alice") == 0
    assert capsys.readouterr() == ("", "Signed in as alice.\n")

    assert tool.run("credentials", "alice", identity_pool_id) == 0
    printed = json.loads(capsys.readouterr().out)
    assert sorted(printed) == ["AccessKeyId", "Expiration", "SecretAccessKey", "SessionToken", "Version"]
    assert printed["Version"] == 1
    assert datetime.fromisoformat(printed["Expiration"]).tzinfo is not None


def test_expired_tokens_are_refreshed(
    tool: Tool, identity_pool_id: str, cognito: LocalCognito, capsys: pytest.CaptureFixture[str]
) -> None:
    tool.run("login", "alice")
    cognito.clock.advance(7200)

    assert tool.run("credentials", "alice", identity_pool_id) == 0
    assert "GetTokensFromRefreshToken" in [call.operation for call in cognito.calls]


def test_stored_tokens_are_encrypted(tool: Tool, tmp_path: Any) -> None:
    tool.run("login", "alice")

    (file,) = [path for path in tmp_path.iterdir() if path.name == "tokens.json"]
    assert tokens_in(file.read_bytes()) == []


def test_search_finds_each_token_that_is_not_encrypted(pool: Pool, tmp_path: Any) -> None:
    Tool(pool, FileStore(tmp_path / "clear.json")).run("login", "alice")

    assert len(tokens_in((tmp_path / "clear.json").read_bytes())) == 3


def test_user_without_a_sign_in_is_asked_to_sign_in(
    tool: Tool, identity_pool_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool.run("credentials", "alice", identity_pool_id) == 1
    assert capsys.readouterr() == ("", "Please sign in: cli_tool login alice\n")


def test_wrong_password_is_reported(tool: Tool, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.run("login", "alice", password="wrong") == 1
    assert "Incorrect username or password" in capsys.readouterr().err


def test_second_factor_is_asked_in_the_terminal(
    cognito: LocalCognito, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = pool_with_totp(cognito)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{pool.totp('alice')}\n"))

    assert Tool(pool, FileStore(tmp_path / "tokens.json")).run("login", "alice") == 0
