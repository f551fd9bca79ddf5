"""`cognito-flow claims`, as a person and as a script run it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from typer.testing import CliRunner

from cognito_flow import Tokens, UserPasswordAuth
from cognito_flow.cli import exit_codes
from cognito_flow.cli.app import app
from cognito_flow.testing import LocalCognito, Pool
from tests.support.command import run_without_standard_input, shown_by

PASSWORD = "Correct horse 1"


@attrs.frozen
class Signed:
    """Somebody's tokens, and where their pool's keys are published."""

    pool: Pool
    url: str
    tokens: Tokens

    def arguments(self, *more: str) -> list[str]:
        """The command line."""
        options = ["--pool-id", self.pool.id, "--client-id", self.pool.app.client_id]
        return ["claims", *options, "--endpoint-url", self.url, *more]

    def claims(self, *more: str, given: str | bytes = "", code: int = 0) -> Any:
        """Run the command."""
        result = CliRunner().invoke(app, self.arguments(*more), input=given)
        assert result.exit_code == code, result.stderr
        assert (result.stdout == "") is (code != 0)
        return result


@pytest.fixture
def signed(cognito: LocalCognito) -> Iterator[Signed]:
    """Tokens of a user with brackets in her nickname, and a command for the terminal in her name."""
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD, attributes={"nickname": "[red]al", "name": "\x1b[2Jalice"})
    with cognito.serve() as url:
        yield Signed(pool, url, pool.flow().sign_in(UserPasswordAuth("alice", PASSWORD)).tokens)


def told(result: Any) -> dict[str, Any]:
    """The claims on standard output."""
    claims: dict[str, Any] = json.loads(result.stdout)
    return claims


def test_the_claims_of_an_access_token(signed: Signed) -> None:
    """All of them, as they stand in the token."""
    claims = told(signed.claims(signed.tokens.access_token))

    assert (claims["username"], claims["token_use"]) == ("alice", "access")


def test_the_claims_of_an_id_token(signed: Signed) -> None:
    """Only when it is asked for one."""
    assert told(signed.claims("--id", str(signed.tokens.id_token)))["nickname"] == "[red]al"
    assert (
        "not a token of the kind access"
        in signed.claims(str(signed.tokens.id_token), code=exit_codes.REFUSED).stderr
    )


def test_a_token_on_standard_input(signed: Signed) -> None:
    """Where others cannot see it in the list of processes."""
    assert told(signed.claims(given=f"{signed.tokens.access_token}\n"))["username"] == "alice"


def test_what_login_has_printed(signed: Signed) -> None:
    """The two commands fit together."""
    printed = json.dumps(signed.tokens.to_dict())

    assert told(signed.claims(given=printed))["token_use"] == "access"
    assert told(signed.claims("--id", given=printed))["token_use"] == "id"


@pytest.mark.parametrize("given", ["", "\n", "{}", "[]", '{"access_token": 1}', b"\xff\xfe"])
def test_no_token_is_wrong_usage(signed: Signed, given: str | bytes) -> None:
    """Nothing on standard input, no text, or JSON of another kind."""
    signed.claims(given=given, code=exit_codes.USAGE)


def test_without_standard_input_there_is_no_token(signed: Signed) -> None:
    """As a service is started, with standard input closed."""
    done = run_without_standard_input(*signed.arguments())

    assert done.returncode == exit_codes.USAGE, done.stderr


def test_the_exit_code_says_that_a_token_is_bad(signed: Signed) -> None:
    """And its claims are not shown."""
    token = signed.tokens.access_token

    assert "TokenInvalid" in signed.claims(f"{token[:-10]}AAAAAAAAAA", code=exit_codes.REFUSED).stderr
    for given in ("no token", "[" * 100_000):
        assert "TokenInvalid" in signed.claims(given=given, code=exit_codes.REFUSED).stderr
    other = ["--client-id", signed.pool.app_client().client_id]
    assert "another app client" in signed.claims(token, *other, code=exit_codes.REFUSED).stderr


def test_nobody_there_has_its_own_exit_code(signed: Signed) -> None:
    """Nothing is known of the token then."""
    signed.claims(signed.tokens.access_token, "--endpoint", "http://127.0.0.1:1", code=exit_codes.UNREACHABLE)


@pytest.mark.parametrize("wrong", [["--endpoint", "nowhere"], ["--pool", "x"]])
def test_wrong_usage_has_its_own_exit_code(signed: Signed, wrong: list[str]) -> None:
    """As for `login`."""
    signed.claims(signed.tokens.access_token, *wrong, code=exit_codes.USAGE)


def test_a_terminal_shows_a_table(signed: Signed) -> None:
    """With dates that a person can read, and text as it is."""
    shown = shown_by(*signed.arguments("--id", str(signed.tokens.id_token)))

    assert b"[red]al" in shown
    assert b" UTC " in shown
    assert b"\\u001b[2Jalice" in shown
    assert b"\x1b[2J" not in shown
