"""`cognito-flow refresh`, `logout`, `status` and `claims`."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest

from cognito_flow import UsageError
from cognito_flow.cli import exit_codes
from cognito_flow.cli import tokens as tokens_command
from cognito_flow.cli.connection import Connection
from cognito_flow.cli.profiles import Profile
from tests.cli.conftest import PASSWORD, Signed, printed, read
from tests.support.command import run, run_without_room_for_files, run_without_standard_input, shown_by

# -- refresh --


def test_refresh_prints_new_tokens_in_the_form_that_it_reads(signed: Signed) -> None:
    tokens = signed.sign_in()

    refreshed = read(signed.run("refresh", given=printed(tokens)).stdout)

    assert refreshed.access_token != tokens.access_token
    assert (refreshed.refresh_token, refreshed.username) == (tokens.refresh_token, "alice")
    assert read(signed.run("refresh", given=printed(refreshed)).stdout).username == "alice"


def test_refresh_reads_what_login_printed(signed: Signed) -> None:
    tokens = signed.run("login", "--username", "alice", given=f"{PASSWORD}\n").stdout

    assert signed.is_valid(read(signed.run("refresh", given=tokens).stdout))


@pytest.mark.parametrize("command", ["refresh", "logout"])
def test_client_secret_comes_from_the_environment(signed: Signed, command: str) -> None:
    with_secret = attrs.evolve(signed, app=signed.pool.app_client(secret=True))
    tokens, secret = printed(with_secret.sign_in()), with_secret.app.client_secret or ""

    with_secret.run(command, "--client-secret-env", "SECRET", given=tokens, SECRET=secret)
    with_secret.run(command, "--client-secret-env", "SECRET", given=tokens, code=exit_codes.USAGE, SECRET="")


def test_refresh_saves_the_new_tokens_in_the_store(rotating: Signed) -> None:
    tokens = rotating.keep(rotating.sign_in())

    new = read(rotating.run("refresh", *rotating.stored).stdout)

    assert rotating.kept() == new
    assert new.refresh_token != tokens.refresh_token
    assert rotating.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_processes_refresh_one_store_in_turn(rotating: Signed) -> None:
    """With rotation, each refresh token is valid once: a second process must see what the first one saved."""
    rotating.keep(rotating.sign_in())
    arguments = rotating.arguments("refresh", *rotating.stored)

    def refresh(_: int) -> subprocess.CompletedProcess[str]:
        return run(*arguments)

    with ThreadPoolExecutor(3) as threads:
        done = list(threads.map(refresh, range(3)))

    assert [process.returncode for process in done] == [0, 0, 0], [process.stderr for process in done]
    assert len({process.stdout for process in done}) == 3
    kept = rotating.kept()
    assert kept is not None
    assert rotating.is_valid(kept)


def test_tokens_that_cannot_be_saved_are_printed(rotating: Signed) -> None:
    """The old refresh token has already ended, so these are the only ones."""
    old = rotating.keep(rotating.sign_in())

    done = run_without_room_for_files(*rotating.arguments("refresh", *rotating.stored))

    assert done.returncode == exit_codes.USAGE
    assert str(rotating.path) in done.stderr
    assert rotating.kept() == old
    assert read(done.stdout).refresh_token != old.refresh_token
    assert rotating.is_valid(read(done.stdout))


def test_refused_refresh_leaves_the_store_as_it_is(signed: Signed) -> None:
    tokens = signed.keep(signed.sign_in())
    signed.pool.flow().revoke(tokens)

    result = signed.run("refresh", *signed.stored, code=exit_codes.REFUSED)

    assert signed.kept() == tokens
    assert str(tokens.refresh_token) not in result.output


def test_nothing_is_refreshed_if_the_store_cannot_be_used(rotating: Signed) -> None:
    """With rotation the new tokens would be lost, and the old ones be of no use."""
    tokens = rotating.keep(rotating.sign_in())
    rotating.path.with_name("tokens.json.lock").unlink(missing_ok=True)
    rotating.path.with_name("tokens.json.lock").mkdir()

    result = rotating.run("refresh", *rotating.stored, code=exit_codes.USAGE)

    assert "cannot be used" in result.stderr
    assert rotating.pool.flow(rotating.app).refresh(tokens).username == "alice"


def test_dash_as_store_reads_standard_input_whatever_the_environment_says(signed: Signed) -> None:
    tokens = printed(signed.sign_in())

    result = signed.run("refresh", "--store", "-", given=tokens, COGNITO_STORE=str(signed.path))

    assert read(result.stdout).username == "alice"
    assert not signed.path.exists()


# -- whose tokens of a store --


def test_store_with_one_user_needs_no_user_name(signed: Signed) -> None:
    """The user name of a profile or the environment may be an alias, which a store does not know."""
    signed.keep(signed.sign_in())

    assert read(signed.run("refresh", *signed.stored).stdout).username == "alice"


def test_store_with_several_users_needs_a_user_name(signed: Signed) -> None:
    signed.pool.add_user("bob", PASSWORD)
    signed.keep(signed.sign_in())
    signed.keep(signed.sign_in("bob"))

    refused = signed.run("refresh", *signed.stored, code=exit_codes.USAGE)
    result = signed.run("refresh", "--username", "bob", *signed.stored)

    assert "the store has tokens of alice, bob: pass one as --username" in refused.stderr
    assert read(result.stdout).username == "bob"


def test_user_who_is_not_in_the_store_is_not_replaced_by_another(signed: Signed) -> None:
    signed.keep(signed.sign_in())

    result = signed.run("logout", "--username", "bob", *signed.stored, code=exit_codes.USAGE)

    assert "the store has tokens of alice" in result.stderr
    assert signed.kept() is not None


@pytest.mark.parametrize("command", ["refresh", "logout", "claims"])
def test_empty_store_is_wrong_usage(signed: Signed, command: str) -> None:
    result = signed.run(command, *signed.stored, code=exit_codes.USAGE)

    assert "the store has no tokens for this app client: run `cognito-flow login --store`" in result.stderr


def test_user_who_was_signed_out_by_another_process_meanwhile_is_wrong_usage(signed: Signed) -> None:
    """A process that waits for the store's lock may find the tokens gone."""
    connection = Connection(signed.app, Profile(), 1)

    with pytest.raises(UsageError, match="the store has no tokens of alice"):
        tokens_command.kept_tokens(connection, signed.store, "alice")


# -- logout --


def test_logout_revokes_these_tokens_only(signed: Signed) -> None:
    tokens, others = signed.sign_in(), signed.sign_in()

    assert signed.run("logout", given=printed(tokens)).stdout == ""

    assert not signed.is_valid(tokens)
    assert signed.is_valid(others)
    signed.run("refresh", given=printed(tokens), code=exit_codes.REFUSED)


def test_logout_everywhere_revokes_all_tokens_of_the_user(signed: Signed) -> None:
    tokens, others = signed.sign_in(), signed.sign_in()

    signed.run("logout", "--everywhere", given=printed(tokens))

    assert not signed.is_valid(tokens)
    assert not signed.is_valid(others)


def test_logout_removes_the_tokens_from_the_store(signed: Signed) -> None:
    tokens = signed.keep(signed.sign_in())

    signed.run("logout", *signed.stored)

    assert signed.kept() is None
    assert not signed.is_valid(tokens)


def test_logout_that_does_not_reach_cognito_keeps_the_tokens(signed: Signed) -> None:
    signed.keep(signed.sign_in())

    signed.run("logout", *signed.stored, "--endpoint", "http://127.0.0.1:1", code=exit_codes.UNREACHABLE)

    assert signed.kept() is not None


def test_logout_everywhere_needs_a_valid_access_token(signed: Signed) -> None:
    tokens = signed.keep(signed.sign_in())
    signed.pool.cognito.clock.advance(86400)

    refused = signed.run("logout", "--everywhere", *signed.stored, code=exit_codes.REFUSED)
    signed.run("refresh", *signed.stored)
    signed.run("logout", "--everywhere", *signed.stored)

    assert "(TokenExpired)" in refused.stderr
    assert tokens.access_token not in refused.output
    assert signed.kept() is None


# -- what is not tokens --

SECRET = "what-must-not-be-shown"
NO_TOKENS = {
    "nothing": "",
    "not JSON": SECRET,
    "half of it": f'{{"access_token": "{SECRET}',
    "a list": f'["{SECRET}"]',
    "nested too deeply": "[" * 100_000,
    "a part": f'{{"access_token": "{SECRET}"}}',
    "not a date": json.dumps(
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
def test_input_that_is_not_tokens_is_wrong_usage_and_not_shown(
    signed: Signed, command: str, given: str
) -> None:
    result = signed.run(command, given=given, code=exit_codes.USAGE)

    assert "tokens" in result.stderr
    assert SECRET not in result.output


@pytest.mark.parametrize("command", ["refresh", "logout"])
def test_input_that_is_not_utf_8_is_wrong_usage(signed: Signed, command: str) -> None:
    signed.run(command, given=b"\xff\xfe\x00{", code=exit_codes.USAGE)


@pytest.mark.parametrize("command", ["refresh", "logout", "claims"])
def test_closed_standard_input_is_wrong_usage(signed: Signed, command: str) -> None:
    """As in a service that was started without one."""
    done = run_without_standard_input(*signed.arguments(command))

    assert done.returncode == exit_codes.USAGE, done.stderr


# -- status --


def test_status_shows_the_app_client_and_the_users_of_the_store(signed: Signed) -> None:
    signed.keep(signed.sign_in())

    lines = signed.run("status", *signed.stored).stdout.splitlines()

    assert lines[:3] == [
        f"pool        {signed.pool.id}",
        f"app client  {signed.app.client_id} (no client secret)",
        f"calls go to {signed.url}",
    ]
    assert str(signed.path) in lines[3]
    assert lines[4] == "user        alice: access token expires in 59 min, with a refresh token"


def test_status_of_an_empty_store_says_how_to_sign_in(signed: Signed) -> None:
    lines = signed.run("status", *signed.stored).stdout.splitlines()

    assert lines[4:] == ["user        none: run `cognito-flow login`"]


def test_status_shows_expired_tokens_and_where_the_secret_comes_from(signed: Signed) -> None:
    signed.pool.cognito.clock.advance(-2 * 3600)
    signed.keep(attrs.evolve(signed.sign_in(), refresh_token=None))

    shown = signed.run("status", *signed.stored, COGNITO_CLIENT_SECRET="a-secret").stdout

    assert "(client secret from COGNITO_CLIENT_SECRET)" in shown
    assert "alice: access token expired 60 min ago, without a refresh token" in shown
    assert "a-secret" not in shown


def test_status_without_a_store_shows_where_calls_go(signed: Signed) -> None:
    result = signed.run("status", "--endpoint", "")

    assert "calls go to AWS, eu-west-1\nstore       none\n" in result.stdout


# -- claims --


def claims_of(result: Any) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(result.stdout)
    return claims


def test_claims_of_an_access_token_are_printed(signed: Signed) -> None:
    claims = claims_of(signed.run("claims", signed.sign_in().access_token))

    assert (claims["username"], claims["token_use"]) == ("alice", "access")


def test_claims_of_an_id_token_are_printed_only_with_the_option_id(signed: Signed) -> None:
    token = str(signed.sign_in().id_token)

    assert claims_of(signed.run("claims", "--id", token))["nickname"] == "[red]al"
    assert "(TokenInvalid)" in signed.run("claims", token, code=exit_codes.REFUSED).stderr


def test_claims_reads_a_token_from_standard_input(signed: Signed) -> None:
    """Where other users of the machine cannot see it in the list of processes."""
    assert claims_of(signed.run("claims", given=f"{signed.sign_in().access_token}\n"))["username"] == "alice"


@pytest.mark.parametrize(("options", "use"), [([], "access"), (["--id"], "id")])
def test_claims_reads_what_login_printed_or_saved(signed: Signed, options: list[str], use: str) -> None:
    tokens = signed.keep(signed.sign_in())

    assert claims_of(signed.run("claims", *options, given=printed(tokens)))["token_use"] == use
    assert claims_of(signed.run("claims", *options, *signed.stored))["token_use"] == use


@pytest.mark.parametrize("given", ["", "\n", "{}", "[]", '{"access_token": 1}', b"\xff\xfe"])
def test_claims_without_a_token_is_wrong_usage(signed: Signed, given: str | bytes) -> None:
    signed.run("claims", given=given, code=exit_codes.USAGE)


def test_claims_of_a_token_that_does_not_verify_are_not_shown(signed: Signed) -> None:
    token = signed.sign_in().access_token

    for given in (f"{token[:-10]}AAAAAAAAAA", "no token", "[" * 100_000):
        assert "(TokenInvalid)" in signed.run("claims", given=given, code=exit_codes.REFUSED).stderr
    other = ["--client", signed.pool.app_client().client_id]
    assert "another app client" in signed.run("claims", token, *other, code=exit_codes.REFUSED).stderr


def test_claims_ends_with_its_own_exit_code_if_the_keys_cannot_be_fetched(signed: Signed) -> None:
    token = signed.sign_in().access_token

    signed.run("claims", token, "--endpoint", "http://127.0.0.1:1", code=exit_codes.UNREACHABLE)


@pytest.mark.parametrize("command", ["login", "refresh", "logout", "status", "claims", "doctor"])
@pytest.mark.parametrize(
    "wrong", [["--endpoint", "nowhere"], ["--pool", "x"], ["--client-secret-env", "NOT_SET"]]
)
def test_wrong_usage_has_its_own_exit_code(signed: Signed, command: str, wrong: list[str]) -> None:
    signed.run(command, *wrong, code=exit_codes.USAGE)


@pytest.mark.parametrize("command", ["login", "refresh", "logout", "status", "claims", "doctor"])
@pytest.mark.parametrize("seconds", ["inf", "nan", "1e30", "0", "-1"])
def test_timeout_that_cannot_be_waited_for_is_wrong_usage(signed: Signed, command: str, seconds: str) -> None:
    result = signed.run(command, "--timeout", seconds, code=exit_codes.USAGE)

    assert result.stderr == "--timeout must be a number of seconds from 0.1 to 86400\n"


def test_claims_on_a_terminal_are_a_table_with_dates_in_words(signed: Signed) -> None:
    shown = shown_by(*signed.arguments("claims", "--id", str(signed.sign_in().id_token)))

    assert b"[red]al" in shown
    assert b" UTC " in shown
    assert b"\\u001b[2Jalice" in shown
    assert b"\x1b[2J" not in shown
