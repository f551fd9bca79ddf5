"""The command, as a person and as a script run it."""

from __future__ import annotations

import builtins
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from cognito_flow import SignedIn, Tokens, Unanswered, UsageError, UserSrpAuth
from cognito_flow.cli import demo, login, main
from cognito_flow.cli.app import app
from cognito_flow.handlers import HANDLERS, Pending, read_challenge
from cognito_flow.testing import LocalCognito, Pool, SoftAuthenticator
from tests.scenarios.choices import PASSKEYS
from tests.scenarios.custom import create, define, verify
from tests.scenarios.second_factors import EMAIL, ON, SMS, TOTP
from tests.support.command import run, run_without_standard_input

PASSWORD, NEW_PASSWORD = "Correct horse 1", "Battery staple 2"


class Pools:
    """Pools behind a socket, and the command run against them."""

    def __init__(self, cognito: LocalCognito, url: str) -> None:
        self.cognito = cognito
        self.url = url

    def make(self, **members: Any) -> Pool:
        """A pool."""
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


@pytest.fixture
def pools(cognito: LocalCognito) -> Iterator[Pools]:
    """Pools behind a socket."""
    with cognito.serve() as url:
        yield Pools(cognito, url)


def test_tokens_are_all_that_goes_to_standard_output(pools: Pools) -> None:
    """A script can read them."""
    pool = pools.make()
    pool.add_user("alice", PASSWORD)

    result = pools.login(pool, [PASSWORD])

    assert Tokens.from_dict(json.loads(result.stdout)).username == "alice"
    assert "signed in as alice" in result.stderr


@pytest.mark.parametrize("flow", ["srp", "password"])
def test_a_wrong_password_is_refused(pools: Pools, flow: str) -> None:
    """With its own exit code, and nothing on standard output."""
    pool = pools.make()
    pool.add_user("alice", NEW_PASSWORD)

    result = pools.login(pool, [PASSWORD], "--flow", flow, code=login.REFUSED)

    assert "IncorrectPassword" in result.stderr
    assert result.stdout == ""


def test_a_wrong_code_is_asked_for_again(pools: Pools) -> None:
    """The challenge stays answerable."""
    pool = pools.make(**ON, **TOTP)
    pool.add_user("alice", PASSWORD, totp=True)

    result = pools.login(pool, [PASSWORD, "000 00", "", pool.totp("alice")])

    assert result.stderr.count("try again") == 2


def test_a_question_is_asked_five_times(pools: Pools) -> None:
    """Somebody who guesses is not helped."""
    pool = pools.make(**ON, **TOTP)
    pool.add_user("alice", PASSWORD, totp=True)

    result = pools.login(pool, [PASSWORD, *["0"] * 9], code=login.REFUSED)

    assert result.stderr.count("try again") == 4


def test_a_code_by_sms_says_where_it_went(pools: Pools) -> None:
    """As Cognito masks it. No more lines of input: the question stays unanswered."""
    pool = pools.make(**ON, **SMS)
    pool.add_user("alice", PASSWORD, phone_number="+31612341234")

    result = pools.login(pool, [PASSWORD], code=login.UNANSWERED)

    assert "Code (+*******1234)" in result.stderr


def test_a_new_password_and_missing_attributes_are_asked_for(pools: Pools) -> None:
    """All in one answer."""
    pool = pools.make(schema=[{"Name": "nickname", "Required": True}])
    pool.add_user("alice", PASSWORD, temporary=True)

    pools.login(pool, [PASSWORD, "short", "al", NEW_PASSWORD, "al"])

    assert pool.user("alice").attributes["nickname"] == "al"


def test_a_second_factor_is_chosen_by_number_or_name(pools: Pools) -> None:
    """What is no choice is asked for again."""
    pool = pools.make(**ON, **SMS, **TOTP)
    user = pool.add_user("alice", PASSWORD, phone_number="+31612341234", totp=True)
    user.mfa_enabled, user.mfa_preferred = ["SMS_MFA", "SOFTWARE_TOKEN_MFA"], None

    pools.login(pool, [PASSWORD, "9", "2", pool.totp("alice")])
    pools.login(pool, [PASSWORD, "SOFTWARE_TOKEN_MFA", pool.totp("alice")])


class Answers(io.TextIOBase):
    """Standard input whose lines are only known when they are asked for."""

    def __init__(self, *lines: str | Callable[[], str]) -> None:
        self.lines = list(lines)

    def isatty(self) -> bool:
        return False

    def readline(self, _size: int | None = -1, /) -> str:  # type: ignore[override]  # of no size
        line = self.lines.pop(0)
        return (line if isinstance(line, str) else line()) + "\n"


def run_with(answers: Answers, pools: Pools, pool: Pool, monkeypatch: pytest.MonkeyPatch, start: Any) -> None:
    """Run `login` below the command line."""
    monkeypatch.setattr(sys, "stdin", answers)
    app_client = type(pool.app)(pool.id, pool.app.client_id, endpoint_url=pools.url)
    login.run(app_client, start, login.Prompt())
    assert answers.lines == []


def test_an_authenticator_app_is_set_up_by_qr_code(
    pools: Pools, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The code and the secret are shown on standard error."""
    from cognito_flow.testing import totp_code

    pool = pools.make(**ON, **TOTP)
    pool.add_user("alice", PASSWORD)
    shown: list[str] = []

    def first_code() -> str:
        shown.append(capsys.readouterr().err)
        return totp_code(shown[0].split("type ")[1].split()[0], pools.cognito.clock())

    run_with(Answers(first_code), pools, pool, monkeypatch, UserSrpAuth("alice", PASSWORD))

    assert "▄" in shown[0]


def test_an_email_address_is_set_up(pools: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of two things to choose from."""
    pool = pools.make(**ON, **TOTP, **EMAIL)
    pool.add_user("alice", PASSWORD)
    answers = Answers("EMAIL_OTP", "alice@example.com", lambda: pool.last_code("alice"))

    run_with(answers, pools, pool, monkeypatch, UserSrpAuth("alice", PASSWORD))


@pytest.mark.parametrize("choice", ["PASSWORD", "PASSWORD_SRP"])
def test_a_way_to_sign_in_is_chosen(pools: Pools, choice: str) -> None:
    """And its password asked for."""
    pool = pools.make()
    pool.add_user("alice", PASSWORD)

    pools.login(pool, [choice, PASSWORD], "--flow", "choice")


def test_a_password_may_come_first_in_a_choice(pools: Pools) -> None:
    """It is then proved at once."""
    pool = pools.make()
    pool.add_user("alice", PASSWORD)

    pools.login(pool, [PASSWORD], "--flow", "choice", "--with-password")


def test_a_passkey_answers_as_json(
    pools: Pools, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The options are shown, the credential is read."""
    from cognito_flow import UserAuth

    pool, device = pools.make(**PASSKEYS), SoftAuthenticator()
    pool.add_user("alice", PASSWORD)
    done = pool.flow().start(UserSrpAuth("alice", PASSWORD))
    assert isinstance(done, SignedIn)
    client: Any = pools.cognito.client()
    token = done.tokens.access_token
    options = client.start_web_authn_registration(AccessToken=token)["CredentialCreationOptions"]
    client.complete_web_authn_registration(AccessToken=token, Credential=device.create(options))

    def credential() -> str:
        shown = capsys.readouterr().err
        return json.dumps(device.get(shown[shown.index("{") : shown.rindex("}") + 1]))

    run_with(Answers("WEB_AUTHN", credential), pools, pool, monkeypatch, UserAuth("alice"))


@pytest.mark.parametrize("options", [[], ["--with-password"]])
def test_a_custom_challenge_is_shown_and_answered(pools: Pools, options: list[str]) -> None:
    """A wrong answer is asked again, with its number."""
    pool = pools.make()
    pool.add_user("alice", PASSWORD)
    names = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")
    pool.triggers.update(zip(names, (define, create, verify), strict=True))

    lines = [PASSWORD, "5", "4"] if options else ["5", "4"]
    result = pools.login(pool, lines, "--flow", "custom", *options)

    assert "2+2" in result.stderr
    assert "attempt 2" in result.stderr


def test_a_client_secret_comes_from_the_environment(pools: Pools) -> None:
    """Never from the command line, which others can see."""
    pool = pools.make()
    pool.add_user("alice", PASSWORD)
    with_secret = pool.app_client(secret=True)
    options = ["--client", with_secret.client_id, "--client-secret-env", "SECRET"]

    pools.login(pool, [PASSWORD], *options, env={"SECRET": with_secret.client_secret or ""})
    pools.login(pool, [PASSWORD], *options, env={"SECRET": ""}, code=login.USAGE)


def test_nobody_there_has_its_own_exit_code(pools: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script may try again."""
    pool = pools.make()

    result = pools.login(pool, [PASSWORD], "--endpoint", "http://127.0.0.1:1", code=login.UNREACHABLE)

    assert "could not be sent" in result.stderr
    assert "check the pool's region, the endpoint and the network" in result.stderr


@pytest.mark.parametrize("url", ["127.0.0.1:9229", "ftp://127.0.0.1", "http://a b", "http://["])
def test_an_endpoint_is_a_url(pools: Pools, url: str) -> None:
    """What is none is refused before anything is asked."""
    result = pools.login(pools.make(), [], "--endpoint", url, code=login.USAGE)

    assert "no URL" in result.stderr


def test_without_standard_input_a_question_stays_unanswered() -> None:
    """As a service is started, with standard input closed."""
    arguments = ["login", "--pool", "eu-west-1_AbC123", "--client", "c", "--username", "alice"]
    done = run_without_standard_input(*arguments)

    assert done.returncode == login.UNANSWERED, done.stderr


def test_bytes_that_are_no_text_are_wrong_usage(pools: Pools) -> None:
    """And what they were is not shown."""
    pool = pools.make()
    arguments = ["login", "--pool", pool.id, "--client", pool.app.client_id, "--username", "alice"]

    result = CliRunner().invoke(app, arguments, input=b"secret\xff\n")

    assert result.exit_code == login.USAGE
    assert "no text" in result.stderr
    assert "secret" not in result.output


def test_wrong_usage_has_its_own_exit_code(pools: Pools) -> None:
    """A pool id that is none."""
    result = CliRunner().invoke(
        app, ["login", "--pool", "x", "--client", "c", "--username", "u"], input="p\n"
    )

    assert result.exit_code == login.USAGE
    assert "user pool id" in result.stderr


def unknown(name: str, **parameters: str) -> Any:
    """A challenge that no pool asks."""
    return read_challenge(Pending(name=name, username="alice", parameters=parameters))


def test_an_unknown_challenge_is_answered_with_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no JSON object is refused, and can be asked for again."""
    challenge = unknown("NEW_ONE", HINT="x")
    refused = ["[]", "no json", '{"NEW": 1}']
    monkeypatch.setattr(sys, "stdin", Answers('{"NEW": "1"}', *refused))

    assert login._answer(challenge, login.Prompt()).responses == {"NEW": "1"}
    for _ in refused:
        with pytest.raises(UsageError, match="JSON"):
            login._answer(challenge, login.Prompt())


@pytest.mark.parametrize("name", ["PASSWORD", "PASSWORD_SRP"])
def test_the_password_challenges_ask_for_the_password(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the first question would."""
    monkeypatch.setattr(sys, "stdin", Answers("pw"))

    answer = login._answer(unknown(name), login.Prompt())

    assert (answer.responses.get("PASSWORD") or answer.password) == "pw"


@pytest.mark.parametrize(
    "name", ["PASSWORD_VERIFIER", "DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER", "ADMIN_NO_SRP_AUTH"]
)
def test_what_nobody_can_answer_is_not_asked(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """These the flow answers by itself, or nobody does."""
    assert name in {handler.name for handler in HANDLERS}
    with pytest.raises(SystemExit) as stopped, login.exit_codes():
        login._answer(unknown(name), login.Prompt())

    assert stopped.value.code == login.UNANSWERED
    assert name in capsys.readouterr().err


def test_a_second_factor_that_cannot_be_set_up_here_is_not_asked_for() -> None:
    """A phone number is stored before the sign-in, or not at all."""
    challenge = unknown("MFA_SETUP", MFAS_CAN_SETUP='["SMS_MFA"]')

    with pytest.raises(Unanswered, match="SMS_MFA"):
        login._answer(challenge, login.Prompt())


@pytest.mark.parametrize(
    ("typed", "code"), [(b"hidden-word\n", 0), (b"\x04", login.UNANSWERED)], ids=["password", "end of input"]
)
def test_a_password_is_not_echoed_on_a_terminal(typed: bytes, code: int) -> None:
    """It is read by getpass where standard input is a terminal; the end of input leaves it unanswered."""
    script = """
from cognito_flow.cli.login import Prompt, exit_codes
with exit_codes():
    assert Prompt().hidden("Password") == "hidden-word"
"""
    terminal, other_end = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=other_end,
        stdout=subprocess.PIPE,
        stderr=other_end,
        start_new_session=True,
    ) as process:
        os.close(other_end)
        shown = b""
        while b"Password:" not in shown:
            shown += os.read(terminal, 100)
        os.write(terminal, typed)
        out, _ = process.communicate(timeout=30)
    shown += os.read(terminal, 1000)
    os.close(terminal)

    assert process.returncode == code
    assert out == b""
    assert b"hidden-word" not in shown


# -- the demonstration --


def test_the_demonstration_shows_what_happens(capsys: pytest.CaptureFixture[str]) -> None:
    """Operations, challenges and names; plain text when it is not a terminal."""
    result = CliRunner().invoke(app, ["demo"])

    assert result.exit_code == 0
    shown = result.stdout + capsys.readouterr().out
    for word in (
        "PASSWORD_VERIFIER",
        "SRP_A",
        "SOFTWARE_TOKEN_MFA_CODE",
        "RS256",
        "IncorrectPassword",
        "WrongCode",
    ):
        assert word in shown
    assert "\x1b" not in shown
    assert demo._PASSWORD not in shown


def test_the_demonstration_tells_nothing_that_did_not_happen(cognito: LocalCognito) -> None:
    """Each of its claims fails where it is not so."""
    pool = cognito.create_pool()
    pool.add_user("alice", demo._PASSWORD)
    flow = pool.flow()
    with pytest.raises(demo.NotAsTold, match="accepted"):
        demo._refuse_password(flow, demo._PASSWORD)
    with pytest.raises(demo.NotAsTold, match="SignedIn"):
        demo._refuse_code(flow, pool, "1")
    strict = cognito.create_pool(**ON, **TOTP)
    strict.add_user("alice", demo._PASSWORD, totp=True)
    with pytest.raises(demo.NotAsTold, match="accepted"):
        demo._refuse_code(strict.flow(), strict, strict.totp("alice"))
    done = flow.start(UserSrpAuth("alice", demo._PASSWORD))
    assert isinstance(done, SignedIn)
    with pytest.raises(demo.NotAsTold, match="another app client"):
        demo._verify(done.tokens, pool, pool.app_client())
    pool.add_user("bob", demo._PASSWORD)
    of_bob = pool.flow().sign_in(UserSrpAuth("bob", demo._PASSWORD)).tokens
    with pytest.raises(demo.NotAsTold, match="somebody else"):
        demo._verify(of_bob, pool, pool.app)


# -- the way in --


def test_the_command_tells_what_it_can_do() -> None:
    """Through the installed entry point's function."""
    done = run("--help")

    assert done.returncode == 0, done.stderr
    assert "login" in done.stdout
    assert "demo" in done.stdout


@pytest.mark.parametrize("missing", ["typer", "something_else"])
def test_a_missing_extra_is_named(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it; what is no extra is a bug, and shown as one."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "cognito_flow.cli.app":
            raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        SystemExit if missing == "typer" else ModuleNotFoundError, match=r"cognito-flow\[cli\]|something"
    ):
        main()
