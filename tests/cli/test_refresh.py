"""`cognito-flow refresh` and `cognito-flow logout`, as a person and as a script run them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import pytest
from typer.testing import CliRunner

from cognito_flow import AppClient, Tokens, UserPasswordAuth
from cognito_flow.cli import exit_codes
from cognito_flow.cli.app import app
from cognito_flow.testing import LocalCognito, Pool
from tests.support.command import run, run_without_room_for_files, run_without_standard_input

PASSWORD = "Correct horse 1"
ROTATION = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}
FLOWS = ("ALLOW_USER_PASSWORD_AUTH",)


@attrs.frozen
class Signed:
    """A user who has signed in, and what her tokens are given to."""

    pool: Pool
    app: AppClient
    url: str
    path: Path

    def sign_in(self) -> Tokens:
        """Other tokens each time."""
        return self.pool.flow(self.app).sign_in(UserPasswordAuth("alice", PASSWORD)).tokens

    def arguments(self, command: str, *more: str) -> list[str]:
        """The command line."""
        return [
            command,
            "--pool",
            self.pool.id,
            "--client",
            self.app.client_id,
            "--endpoint",
            self.url,
            *more,
        ]

    def run(self, command: str, *more: str, given: str = "", code: int = 0, **environment: str) -> Any:
        """Run the command."""
        arguments = self.arguments(command, *more)
        result = CliRunner().invoke(app, arguments, input=given, env=environment)
        assert result.exit_code == code, result.stderr
        assert code == 0 or result.stdout == ""
        return result

    def keep(self, tokens: Tokens) -> Tokens:
        """Put tokens into the file, as a shell does."""
        self.path.write_text(json.dumps(tokens.to_dict()))
        self.path.chmod(0o644)
        return tokens

    def kept(self) -> Tokens:
        """What the file holds now."""
        return read(self.path.read_text())

    def is_good(self, tokens: Tokens) -> bool:
        """Whether Cognito's own operations take the access token."""
        client: Any = self.pool.cognito.client()
        try:
            client.get_user(AccessToken=tokens.access_token)
        except client.exceptions.NotAuthorizedException:
            return False
        return True


def read(text: str) -> Tokens:
    """What was printed."""
    return Tokens.from_dict(json.loads(text))


def of(tokens: Tokens) -> str:
    """What `login` prints."""
    return json.dumps(tokens.to_dict())


@pytest.fixture
def signed(cognito: LocalCognito, tmp_path: Path) -> Iterator[Signed]:
    """An app client that does not rotate refresh tokens."""
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD)
    with cognito.serve() as url:
        yield Signed(pool, pool.app, url, tmp_path / "tokens.json")


@pytest.fixture
def rotating(signed: Signed) -> Signed:
    """One that does, without a grace period."""
    return attrs.evolve(signed, app=signed.pool.app_client(flows=FLOWS, refresh_token_rotation=ROTATION))


# -- refresh --


def test_new_tokens_are_printed_as_login_prints_them(signed: Signed) -> None:
    """So they go where the old ones went."""
    tokens = signed.sign_in()

    refreshed = read(signed.run("refresh", given=of(tokens)).stdout)

    assert refreshed.access_token != tokens.access_token
    assert (refreshed.refresh_token, refreshed.username) == (tokens.refresh_token, "alice")
    assert read(signed.run("refresh", given=of(refreshed)).stdout).username == "alice"


def test_login_and_refresh_fit_together(signed: Signed) -> None:
    """One prints what the other reads."""
    printed = signed.run("login", "--username", "alice", given=f"{PASSWORD}\n").stdout

    assert signed.is_good(read(signed.run("refresh", given=printed).stdout))


def test_a_client_secret_comes_from_the_environment(signed: Signed) -> None:
    """As for `login`."""
    with_secret = attrs.evolve(signed, app=signed.pool.app_client(secret=True))
    printed, secret = of(with_secret.sign_in()), with_secret.app.client_secret or ""

    for command in ("refresh", "logout"):
        options = ["--client-secret-env", "SECRET"]
        with_secret.run(command, *options, given=printed, SECRET=secret)
        with_secret.run(command, *options, given=printed, SECRET="", code=exit_codes.USAGE)


def test_a_file_gets_the_new_tokens_for_its_owner_alone(rotating: Signed) -> None:
    """They are printed, too."""
    tokens = rotating.keep(rotating.sign_in())

    printed = rotating.run("refresh", "--tokens", str(rotating.path)).stdout

    assert rotating.kept() == read(printed)
    assert rotating.kept().refresh_token != tokens.refresh_token
    assert rotating.path.stat().st_mode & 0o777 == 0o600


def test_a_link_to_a_file_stays_a_link(signed: Signed) -> None:
    """The file that it leads to is the one that is replaced."""
    tokens, link = signed.keep(signed.sign_in()), signed.path.with_name("link")
    link.symlink_to(signed.path)

    signed.run("refresh", "--tokens", str(link))

    assert link.is_symlink()
    assert signed.kept().access_token != tokens.access_token


@pytest.mark.slow
def test_processes_refresh_one_file_in_turn(rotating: Signed) -> None:
    """With rotation, each refresh token is good only once: a second one must see what the first one wrote."""
    rotating.keep(rotating.sign_in())
    arguments = rotating.arguments("refresh", "--tokens", str(rotating.path))

    def refresh(_: int) -> subprocess.CompletedProcess[str]:
        return run(*arguments)

    with ThreadPoolExecutor(3) as threads:
        done = list(threads.map(refresh, range(3)))

    assert [process.returncode for process in done] == [0, 0, 0], [process.stderr for process in done]
    assert len({process.stdout for process in done}) == 3
    assert rotating.is_good(rotating.kept())


def test_what_cannot_be_written_is_printed(rotating: Signed) -> None:
    """The old refresh token has ended: nobody else has the new one."""
    old = rotating.keep(rotating.sign_in())

    done = run_without_room_for_files(*rotating.arguments("refresh", "--tokens", str(rotating.path)))

    assert done.returncode == exit_codes.USAGE
    assert str(rotating.path) in done.stderr
    assert rotating.kept() == old
    assert read(done.stdout).refresh_token != old.refresh_token
    assert rotating.is_good(read(done.stdout))


def test_what_a_killed_process_left_is_in_nobodys_way(signed: Signed) -> None:
    """Half a new version beside the file."""
    tokens = signed.keep(signed.sign_in())
    signed.path.with_name("tokens.json.new").write_text("{")

    signed.run("refresh", "--tokens", str(signed.path))

    assert signed.kept().access_token != tokens.access_token


def test_a_refused_refresh_leaves_the_file_as_it_is(signed: Signed) -> None:
    """And has its own exit code."""
    tokens = signed.keep(signed.sign_in())
    signed.pool.flow().revoke(tokens)

    result = signed.run("refresh", "--tokens", str(signed.path), code=exit_codes.REFUSED)

    assert signed.kept() == tokens
    assert str(tokens.refresh_token) not in result.output


def test_nothing_is_refreshed_where_the_file_could_not_be_replaced(rotating: Signed) -> None:
    """With rotation the new tokens would be lost, and the old ones be of no use."""
    tokens = rotating.keep(rotating.sign_in())
    rotating.path.with_name("tokens.json.lock").mkdir()

    result = rotating.run("refresh", "--tokens", str(rotating.path), code=exit_codes.USAGE)

    assert "cannot be used" in result.stderr
    assert rotating.pool.flow(rotating.app).refresh(tokens).username == "alice"


# -- logout --


def test_a_logout_ends_the_tokens(signed: Signed) -> None:
    """Those of this sign-in; the others of the same user stay good."""
    tokens, others = signed.sign_in(), signed.sign_in()

    assert signed.run("logout", given=of(tokens)).stdout == ""

    assert not signed.is_good(tokens)
    assert signed.is_good(others)
    signed.run("refresh", given=of(tokens), code=exit_codes.REFUSED)


def test_a_logout_everywhere_ends_all_tokens_of_the_user(signed: Signed) -> None:
    """Those of other sign-ins, too."""
    tokens, others = signed.sign_in(), signed.sign_in()

    signed.run("logout", "--everywhere", given=of(tokens))

    assert not signed.is_good(tokens)
    assert not signed.is_good(others)


def test_a_logout_removes_the_file(signed: Signed) -> None:
    """What stands in it is of no more use."""
    tokens = signed.keep(signed.sign_in())

    signed.run("logout", "--tokens", str(signed.path))

    assert not signed.path.exists()
    assert not signed.is_good(tokens)


def test_a_logout_that_did_not_happen_keeps_the_file(signed: Signed) -> None:
    """It can be tried again."""
    signed.keep(signed.sign_in())

    signed.run(
        "logout",
        "--tokens",
        str(signed.path),
        "--endpoint",
        "http://127.0.0.1:1",
        code=exit_codes.UNREACHABLE,
    )

    assert signed.path.exists()


def test_a_logout_everywhere_wants_an_access_token_that_is_good(signed: Signed) -> None:
    """Cognito refuses it otherwise; after a refresh it works."""
    tokens = signed.keep(signed.sign_in())
    signed.pool.cognito.clock.advance(86400)

    refused = signed.run("logout", "--everywhere", "--tokens", str(signed.path), code=exit_codes.REFUSED)
    signed.run("refresh", "--tokens", str(signed.path))
    signed.run("logout", "--everywhere", "--tokens", str(signed.path))

    assert "TokenExpired" in refused.stderr
    assert tokens.access_token not in refused.output
    assert not signed.path.exists()


# -- both --

SECRET = "what-nobody-may-see"
NO_TOKENS = {
    "nothing": "",
    "no JSON": SECRET,
    "half of it": f'{{"access_token": "{SECRET}',
    "no object": f'["{SECRET}"]',
    "too deep": "[" * 100_000,
    "a part": f'{{"access_token": "{SECRET}"}}',
    "a date that is none": json.dumps(
        {"access_token": SECRET, "expires_at": SECRET, "token_type": "Bearer", "username": "alice"}
    ),
    "no refresh token": json.dumps(
        {
            "access_token": SECRET,
            "expires_at": "2030-01-01T00:00:00+00:00",
            "token_type": "Bearer",
            "username": "alice",
        }
    ),
}


@pytest.mark.parametrize("command", ["refresh", "logout"])
@pytest.mark.parametrize("given", NO_TOKENS.values(), ids=NO_TOKENS)
def test_what_are_no_tokens_is_wrong_usage(signed: Signed, command: str, given: str) -> None:
    """From standard input and from a file; what was given is not shown."""
    signed.path.write_text(given)

    for options in ([], ["--tokens", str(signed.path)]):
        result = signed.run(command, *options, given=given, code=exit_codes.USAGE)
        assert "tokens" in result.stderr
        assert SECRET not in result.output

    assert signed.path.read_text() == given


@pytest.mark.parametrize("command", ["refresh", "logout"])
def test_bytes_that_are_no_text_are_no_tokens(signed: Signed, command: str) -> None:
    """As of a file that somebody has taken for another one."""
    signed.path.write_bytes(b"\xff\xfe\x00{")

    signed.run(command, "--tokens", str(signed.path), code=exit_codes.USAGE)


@pytest.mark.parametrize("command", ["refresh", "logout"])
def test_a_file_that_is_not_there_is_wrong_usage(signed: Signed, command: str) -> None:
    """And nothing is made in its place."""
    signed.run(command, "--tokens", str(signed.path), code=exit_codes.USAGE)

    assert list(signed.path.parent.iterdir()) == []


@pytest.mark.parametrize("command", ["refresh", "logout"])
def test_without_standard_input_there_are_no_tokens(signed: Signed, command: str) -> None:
    """As a service is started, with standard input closed."""
    done = run_without_standard_input(*signed.arguments(command))

    assert done.returncode == exit_codes.USAGE, done.stderr
