"""`cognito-flow login`, with lines on standard input and on a terminal."""

from __future__ import annotations

import json
import re
import signal
import time

import pytest
from typer.testing import CliRunner

from cognito_flow import Tokens
from cognito_flow.cli import exit_codes
from cognito_flow.cli.app import app
from cognito_flow.testing import Pool
from tests.cli.conftest import NEW_PASSWORD, PASSWORD, Served, unwrapped
from tests.scenarios.custom import create, define, verify
from tests.scenarios.second_factors import ON, SMS, TOTP
from tests.support.command import COMMAND, on_a_terminal, run_without_standard_input


def test_standard_output_has_the_tokens_and_nothing_else(served: Served) -> None:
    pool = served.create_pool()
    pool.add_user("alice", PASSWORD)

    result = served.login(pool, [PASSWORD])

    assert Tokens.from_dict(json.loads(result.stdout)).username == "alice"
    assert "signed in as alice" in result.stderr


@pytest.mark.parametrize("flow", ["srp", "password"])
def test_wrong_password_ends_with_its_own_exit_code(served: Served, flow: str) -> None:
    pool = served.create_pool()
    pool.add_user("alice", NEW_PASSWORD)

    result = served.login(pool, [PASSWORD], "--flow", flow, code=exit_codes.REFUSED)

    assert "IncorrectPassword" in result.stderr
    assert result.stdout == ""


def test_wrong_code_is_asked_for_again(served: Served) -> None:
    pool = served.create_pool(**ON, **TOTP)
    pool.add_user("alice", PASSWORD, totp=True)

    result = served.login(pool, [PASSWORD, "000 00", "", pool.totp("alice")])

    assert "wrong code; try again" in result.stderr
    assert result.stderr.count("try again") == 2


def test_code_is_asked_for_five_times_at_most(served: Served) -> None:
    pool = served.create_pool(**ON, **TOTP)
    pool.add_user("alice", PASSWORD, totp=True)

    result = served.login(pool, [PASSWORD, *["0"] * 9], code=exit_codes.REFUSED)

    assert result.stderr.count("try again") == 4


def test_end_of_input_ends_with_its_own_exit_code(served: Served) -> None:
    pool = served.create_pool(**ON, **SMS)
    pool.add_user("alice", PASSWORD, phone_number="+31612341234")

    result = served.login(pool, [PASSWORD], code=exit_codes.UNANSWERED)

    assert "Code sent by SMS to +*******1234" in result.stderr


def test_rejected_new_password_is_asked_for_again(served: Served) -> None:
    pool = served.create_pool(schema=[{"Name": "nickname", "Required": True}])
    pool.add_user("alice", PASSWORD, temporary=True)

    served.login(pool, [PASSWORD, "short", "al", NEW_PASSWORD, "al"])

    assert pool.user("alice").attributes["nickname"] == "al"


@pytest.mark.parametrize("choice", ["PASSWORD", "PASSWORD_SRP"])
def test_first_factor_is_chosen(served: Served, choice: str) -> None:
    pool = served.create_pool()
    pool.add_user("alice", PASSWORD)

    served.login(pool, [choice, PASSWORD], "--flow", "choice")


def test_password_is_asked_for_before_a_choice_with_with_password(served: Served) -> None:
    pool = served.create_pool()
    pool.add_user("alice", PASSWORD)

    served.login(pool, [PASSWORD], "--flow", "choice", "--with-password")


@pytest.mark.parametrize("options", [[], ["--with-password"]])
def test_custom_challenge_is_answered(served: Served, options: list[str]) -> None:
    pool = served.create_pool()
    pool.add_user("alice", PASSWORD)
    names = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")
    pool.triggers.update(zip(names, (define, create, verify), strict=True))

    lines = [PASSWORD, "4"] if options else ["4"]
    served.login(pool, lines, "--flow", "custom", *options)


def test_client_secret_comes_from_the_environment(served: Served) -> None:
    """Never from the command line, which other users of the machine can see."""
    pool = served.create_pool()
    pool.add_user("alice", PASSWORD)
    with_secret = pool.app_client(secret=True)
    options = ["--client", with_secret.client_id, "--client-secret-env", "SECRET"]

    served.login(pool, [PASSWORD], *options, env={"SECRET": with_secret.client_secret or ""})
    served.login(pool, [PASSWORD], *options, env={"SECRET": ""}, code=exit_codes.USAGE)


def test_endpoint_that_does_not_answer_ends_with_its_own_exit_code(served: Served) -> None:
    pool = served.create_pool()

    result = served.login(pool, [PASSWORD], "--endpoint", "http://127.0.0.1:1", code=exit_codes.UNREACHABLE)

    assert "could not be sent" in result.stderr
    assert "check the pool's region, the endpoint and the network" in result.stderr


@pytest.mark.parametrize("url", ["127.0.0.1:9229", "ftp://127.0.0.1", "http://a b", "http://["])
def test_endpoint_that_is_not_a_url_is_refused_before_anything_is_asked(served: Served, url: str) -> None:
    result = served.login(served.create_pool(), [], "--endpoint", url, code=exit_codes.USAGE)

    assert re.search(r"--endpoint must be an http:// or https:// URL", result.stderr)


def test_closed_standard_input_ends_with_the_exit_code_of_an_unanswered_question() -> None:
    arguments = ["login", "--pool", "eu-west-1_AbC123", "--client", "c", "--username", "alice"]
    done = run_without_standard_input(*arguments)

    assert done.returncode == exit_codes.UNANSWERED, done.stderr


def test_standard_input_that_is_not_utf_8_is_unanswered_and_not_shown(served: Served) -> None:
    pool = served.create_pool()
    arguments = ["login", "--pool", pool.id, "--client", pool.app.client_id, "--username", "alice"]

    result = CliRunner().invoke(app, arguments, input=b"secret\xff\n")

    assert result.exit_code == exit_codes.UNANSWERED
    assert "standard input is not valid UTF-8" in result.stderr
    assert "secret" not in result.output


def test_malformed_pool_id_is_wrong_usage() -> None:
    result = CliRunner().invoke(
        app, ["login", "--pool", "x", "--client", "c", "--username", "u"], input="p\n"
    )

    assert result.exit_code == exit_codes.USAGE
    assert "user pool id" in result.stderr


# -- on a terminal --


def arguments(served: Served, pool: Pool, *more: str) -> list[str]:
    named = ["--pool", pool.id, "--client", pool.app.client_id, "--endpoint", served.url]
    return [*COMMAND, "login", *named, *more]


@pytest.mark.slow
def test_wrong_password_is_asked_for_three_times_on_a_terminal(served: Served) -> None:
    """Cognito locks a user who fails more often."""
    pool = served.create_pool()
    pool.add_user("alice", PASSWORD)

    with on_a_terminal(arguments(served, pool, "--username", "alice")) as terminal:
        for _ in range(2):
            terminal.wait_for("Password: ")
            terminal.type("wrong\n")
            terminal.wait_for("wrong user name or password; try again")
        terminal.wait_for("Password: ")
        terminal.type("wrong\n")
        code, out, shown = terminal.finish()

    assert (code, out) == (exit_codes.REFUSED, "")
    assert "(IncorrectPassword)" in shown


@pytest.mark.slow
def test_right_password_after_a_wrong_one_signs_in_on_a_terminal(served: Served) -> None:
    pool = served.create_pool()
    pool.add_user("alice", PASSWORD)

    with on_a_terminal(arguments(served, pool)) as terminal:
        terminal.wait_for("User name: ")
        terminal.type("alice\n")
        for typed in ("wrong", PASSWORD):
            terminal.wait_for("Password: ")
            terminal.type(f"{typed}\n")
        code, out, _ = terminal.finish()

    assert code == 0
    assert Tokens.from_dict(json.loads(out)).username == "alice"


@pytest.mark.slow
def test_refusal_of_a_lambda_trigger_is_not_asked_again(served: Served) -> None:
    """A new custom sign-in may send new messages."""
    pool = served.create_pool()
    pool.add_user("alice", PASSWORD)
    names = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")
    pool.triggers.update(zip(names, (define, create, verify), strict=True))

    with on_a_terminal(arguments(served, pool, "--username", "alice", "--flow", "custom")) as terminal:
        for _ in range(3):
            terminal.wait_for("Answer")
            terminal.wait_for(": ")
            terminal.type("5\n")
        code, _, _ = terminal.finish()

    assert code == exit_codes.REFUSED


@pytest.mark.slow
def test_ctrl_c_ends_with_its_own_exit_code_and_no_traceback(served: Served) -> None:
    pool = served.create_pool()

    with on_a_terminal(arguments(served, pool, "--username", "alice")) as terminal:
        terminal.wait_for("Password: ")
        terminal.process.send_signal(signal.SIGINT)
        code, _, shown = terminal.finish()

    assert code == exit_codes.STOPPED
    assert "stopped" in shown
    assert "Traceback" not in shown


# -- waiting --


@pytest.mark.slow
def test_service_that_does_not_answer_is_waited_for_until_the_timeout_and_no_longer(
    served: Served, silent: str
) -> None:
    pool, started = served.create_pool(), time.monotonic()

    result = served.login(
        pool, [PASSWORD], "--endpoint", silent, "--timeout", "2.5", code=exit_codes.UNREACHABLE
    )

    assert 2 < time.monotonic() - started < 15
    assert f"waiting for {silent} (up to 2.5 s, Ctrl-C stops)" in result.stderr
    assert "Cognito did not answer within 2.5 s" in result.stderr


def test_quick_answer_prints_no_line_about_waiting(served: Served) -> None:
    pool = served.create_pool()
    pool.add_user("alice", PASSWORD)

    assert "waiting" not in served.login(pool, [PASSWORD]).stderr


def test_region_that_cannot_be_one_is_wrong_usage(served: Served) -> None:
    result = served.login(served.create_pool(), [PASSWORD], "--region", "-", code=exit_codes.USAGE)

    assert "cannot call Cognito" in unwrapped(result.stderr)


def test_wrong_client_secret_is_explained_with_the_option(served: Served) -> None:
    pool = served.create_pool()
    client = pool.app_client(secret=True)

    result = served.login(pool, [PASSWORD], "--client", client.client_id, code=exit_codes.REFUSED)

    assert "set it in the environment variable of --client-secret-env" in result.stderr
