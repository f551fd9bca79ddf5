"""Pools behind a socket, and the command run against them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from typer.testing import CliRunner

from cognito_flow import AppClient, FileStore, Tokens, UserPasswordAuth, UserSrpAuth
from cognito_flow.cli.app import app
from cognito_flow.testing import LocalCognito, Pool, SoftAuthenticator
from tests.support.http_server import silent_server

PASSWORD, NEW_PASSWORD = "Correct horse 1", "Battery staple 2"


class Lines(io.TextIOBase):
    """Standard input whose lines are only known when they are asked for."""

    def __init__(self, *lines: str | Callable[[], str]) -> None:
        self.lines = list(lines)

    def isatty(self) -> bool:
        return False

    def readline(self, _size: int | None = -1, /) -> str:  # type: ignore[override]  # of no size
        if not self.lines:
            return ""
        line = self.lines.pop(0)
        return (line if isinstance(line, str) else line()) + "\n"


@attrs.frozen
class Served:
    """A service behind a socket."""

    cognito: LocalCognito
    url: str

    def create_pool(self, **members: Any) -> Pool:
        return self.cognito.create_pool(**members)

    def login(
        self, pool: Pool, lines: list[str], *options: str, env: dict[str, str] | None = None, code: int = 0
    ) -> Any:
        """Run `login` with these lines of standard input."""
        arguments = ["login", "--pool", pool.id, "--client", pool.app.client_id, "--username", "alice"]
        arguments += ["--endpoint", self.url, *options]
        result = CliRunner().invoke(app, arguments, input="".join(f"{line}\n" for line in lines), env=env)
        assert result.exit_code == code, result.stderr
        assert PASSWORD not in result.output
        return result


@attrs.frozen
class Signed:
    """A user who has signed in, and a store for tokens."""

    pool: Pool
    app: AppClient
    url: str
    path: Path

    def sign_in(self, username: str = "alice") -> Tokens:
        """Other tokens each time."""
        return self.pool.flow(self.app).sign_in(UserPasswordAuth(username, PASSWORD)).tokens

    def arguments(self, command: str, *more: str) -> list[str]:
        """The command line."""
        options = ["--pool", self.pool.id, "--client", self.app.client_id, "--endpoint", self.url]
        return [command, *options, *more]

    def run(
        self, command: str, *more: str, given: str | bytes = "", code: int = 0, **environment: str
    ) -> Any:
        """Run the command."""
        arguments = self.arguments(command, *more)
        result = CliRunner().invoke(app, arguments, input=given, env=environment)
        assert result.exit_code == code, result.stderr
        assert code == 0 or result.stdout == ""
        return result

    @property
    def store(self) -> FileStore:
        return FileStore(self.path)

    @property
    def stored(self) -> list[str]:
        """The options that name the store."""
        return ["--store", str(self.path)]

    def keep(self, tokens: Tokens) -> Tokens:
        """Put tokens into the store."""
        self.store.put_tokens(self.app, tokens.username, tokens)
        return tokens

    def kept(self, username: str = "alice") -> Tokens | None:
        """The tokens in the store."""
        return self.store.get_tokens(self.app, username)

    def is_valid(self, tokens: Tokens) -> bool:
        """Whether Cognito's own operations accept the access token."""
        client: Any = self.pool.cognito.client()
        try:
            client.get_user(AccessToken=tokens.access_token)
        except client.exceptions.NotAuthorizedException:
            return False
        return True


def unwrapped(panel: str) -> str:
    """The text of typer's panel, whose width and wrapping depend on the versions of typer and rich."""
    return " ".join(panel.replace("│", " ").split())


def read(text: str) -> Tokens:
    """The tokens that were printed."""
    return Tokens.from_dict(json.loads(text))


def printed(tokens: Tokens) -> str:
    """What `login` prints."""
    return json.dumps(tokens.to_dict())


def register_passkey(pool: Pool, device: SoftAuthenticator) -> None:
    client: Any = pool.cognito.client()
    token = pool.flow().sign_in(UserSrpAuth("alice", PASSWORD)).tokens.access_token
    options = client.start_web_authn_registration(AccessToken=token)["CredentialCreationOptions"]
    client.complete_web_authn_registration(AccessToken=token, Credential=device.create(options))


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No profile and no environment variable of the person who runs the tests."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("POOL_ID", "CLIENT_ID", "CLIENT_SECRET", "REGION", "ENDPOINT_URL"):
        monkeypatch.delenv(f"COGNITO_{name}", raising=False)
    for name in ("PROFILE", "USERNAME", "STORE", "IDENTITY_POOL_ID"):
        monkeypatch.delenv(f"COGNITO_{name}", raising=False)


@pytest.fixture
def served(cognito: LocalCognito) -> Iterator[Served]:
    with cognito.serve() as url:
        yield Served(cognito, url)


@pytest.fixture
def silent() -> Iterator[str]:
    """A service that accepts connections and never answers."""
    with silent_server() as url:
        yield url


@pytest.fixture
def signed(served: Served, tmp_path: Path) -> Signed:
    """An app client that does not rotate refresh tokens."""
    pool = served.create_pool()
    pool.add_user("alice", PASSWORD, attributes={"nickname": "[red]al", "name": "\x1b[2Jalice"})
    return Signed(pool, pool.app, served.url, tmp_path / "tokens.json")


@pytest.fixture
def rotating(signed: Signed) -> Signed:
    """One that does, without a grace period."""
    rotation: Any = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}
    client = signed.pool.app_client(flows=("ALLOW_USER_PASSWORD_AUTH",), refresh_token_rotation=rotation)
    return attrs.evolve(signed, app=client)
