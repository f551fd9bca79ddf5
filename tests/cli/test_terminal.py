"""`cognito_flow.terminal.ask`, with lines of a pipe and on a pseudo-terminal."""

from __future__ import annotations

import json
import re
import sys
from contextlib import suppress
from typing import Any

import pytest
import segno

from cognito_flow import (
    AuthFlow,
    CustomAuth,
    SignedIn,
    Unanswered,
    UserAuth,
    UserSrpAuth,
)
from cognito_flow.handlers import Pending, read_challenge
from cognito_flow.terminal import ask, ask_text, escape
from cognito_flow.testing import LocalCognito, SoftAuthenticator, totp_code
from tests.cli.conftest import NEW_PASSWORD, PASSWORD, Lines, register_passkey
from tests.scenarios.custom import create, define, verify
from tests.scenarios.second_factors import EMAIL, ON, SMS, TOTP
from tests.support.command import on_a_terminal

PASSKEYS: dict[str, Any] = {
    "policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}},
    "web_authn_configuration": {"RelyingPartyId": "app.example", "UserVerification": "required"},
}


def challenge_of(name: str, **parameters: str) -> Any:
    return read_challenge(Pending(name=name, username="alice", parameters=parameters))


@pytest.fixture
def type_lines(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put lines on standard input."""

    def put(*lines: Any) -> Lines:
        typed = Lines(*lines)
        monkeypatch.setattr(sys, "stdin", typed)
        return typed

    return put


def sign_in(flow: AuthFlow, credentials: Any = None) -> SignedIn:
    return flow.sign_in(credentials or UserSrpAuth("alice", PASSWORD), ask=ask)


# -- the questions --


def test_code_of_an_authenticator_app_is_asked_for_by_device_name(
    cognito: LocalCognito, type_lines: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    pool = cognito.create_pool(**ON, **TOTP)
    pool.add_user("alice", PASSWORD, totp=True)
    type_lines(lambda: pool.totp("alice"))

    assert sign_in(pool.flow()).username == "alice"

    assert capsys.readouterr().err == "Code from your authenticator app: "


@pytest.mark.parametrize(
    ("name", "parameters", "question"),
    [
        ("SMS_MFA", {"CODE_DELIVERY_DESTINATION": "+*1234"}, "Code sent by SMS to +*1234: "),
        ("SMS_OTP", {}, "Code sent by SMS: "),
        ("EMAIL_OTP", {"CODE_DELIVERY_DESTINATION": "a***@e***"}, "Code sent by e-mail to a***@e***: "),
        (
            "SOFTWARE_TOKEN_MFA",
            {"FRIENDLY_DEVICE_NAME": "phone"},
            "Code from your authenticator app (phone): ",
        ),
    ],
)
def test_code_question_says_where_the_code_is(
    name: str, parameters: dict[str, str], question: str, type_lines: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    type_lines("123456")

    assert set(ask(challenge_of(name, **parameters)).responses.values()) == {"123456"}

    assert capsys.readouterr().err == question


def test_new_password_and_missing_attributes_are_sent_in_one_answer(
    cognito: LocalCognito, type_lines: Any
) -> None:
    pool = cognito.create_pool(schema=[{"Name": "nickname", "Required": True}])
    pool.add_user("alice", PASSWORD, temporary=True)
    type_lines(NEW_PASSWORD, "al")

    sign_in(pool.flow())

    assert pool.user("alice").attributes["nickname"] == "al"


@pytest.mark.parametrize("typed", [["2"], ["SOFTWARE_TOKEN_MFA"], ["9", "", "2"]])
def test_choice_is_made_by_number_or_name_and_asked_again_if_it_is_not_in_the_list(
    typed: list[str], cognito: LocalCognito, type_lines: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    pool = cognito.create_pool(**ON, **SMS, **TOTP)
    user = pool.add_user("alice", PASSWORD, phone_number="+31612341234", totp=True)
    user.mfa_enabled, user.mfa_preferred = ["SMS_MFA", "SOFTWARE_TOKEN_MFA"], None
    type_lines(*typed, lambda: pool.totp("alice"))

    sign_in(pool.flow())

    shown = capsys.readouterr().err
    assert "  2  SOFTWARE_TOKEN_MFA (code from your authenticator app)\n" in shown
    assert shown.count("not in the list: enter a number or a name") == len(typed) - 1


@pytest.mark.parametrize("choice", ["PASSWORD", "PASSWORD_SRP"])
def test_chosen_password_factor_asks_for_the_password(
    choice: str, cognito: LocalCognito, type_lines: Any
) -> None:
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD)
    type_lines(choice, PASSWORD)

    assert sign_in(pool.flow(), UserAuth("alice")).username == "alice"


@pytest.mark.parametrize("name", ["PASSWORD", "PASSWORD_SRP", "ADMIN_NO_SRP_AUTH"])
def test_password_challenge_asks_for_the_password(name: str, type_lines: Any) -> None:
    type_lines("pw")

    answer = ask(challenge_of(name))

    assert (answer.responses.get("PASSWORD") or answer.password) == "pw"


def test_email_address_is_set_up_as_second_factor(cognito: LocalCognito, type_lines: Any) -> None:
    pool = cognito.create_pool(**ON, **TOTP, **EMAIL)
    pool.add_user("alice", PASSWORD)
    type_lines("EMAIL_OTP", "alice@example.com", lambda: pool.last_code("alice"))

    assert sign_in(pool.flow()).username == "alice"


def test_second_factor_that_cannot_be_set_up_in_a_sign_in_is_unanswered() -> None:
    """A phone number must be stored before the sign-in."""
    with pytest.raises(Unanswered, match="SMS_MFA cannot be set up during a sign-in"):
        ask(challenge_of("MFA_SETUP", MFAS_CAN_SETUP='["SMS_MFA"]'))


def test_authenticator_app_is_enrolled_by_its_secret_where_there_is_no_terminal(
    cognito: LocalCognito, type_lines: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    pool = cognito.create_pool(**ON, **TOTP)
    pool.add_user("alice", PASSWORD)
    shown: list[str] = []

    def first_code() -> str:
        shown.append(capsys.readouterr().err)
        return totp_code(shown[0].split("its secret: ")[1].split()[0], cognito.clock())

    type_lines(first_code)

    assert sign_in(pool.flow()).username == "alice"
    assert "otpauth://totp/Cognito:alice?secret=" in shown[0]


def test_passkey_options_are_shown_and_the_credential_is_read_as_json(
    cognito: LocalCognito, type_lines: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    pool, device = cognito.create_pool(**PASSKEYS), SoftAuthenticator()
    pool.add_user("alice", PASSWORD)
    register_passkey(pool, device)

    def credential() -> str:
        shown = capsys.readouterr().err
        return json.dumps(device.get(shown[shown.index("{") : shown.rindex("}") + 1]))

    type_lines("WEB_AUTHN", credential)

    assert sign_in(pool.flow(), UserAuth("alice")).username == "alice"


def test_custom_challenge_is_shown_and_asked_again_with_its_number(
    cognito: LocalCognito, type_lines: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD)
    names = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")
    pool.triggers.update(zip(names, (define, create, verify), strict=True))
    type_lines("5", "4")

    sign_in(pool.flow(), CustomAuth("alice"))

    shown = capsys.readouterr().err
    assert "question: 2+2" in shown
    assert "Answer (attempt 2): " in shown


def test_unknown_challenge_is_answered_with_json(type_lines: Any, capsys: pytest.CaptureFixture[str]) -> None:
    type_lines('{"NEW": "1"}')

    answer = ask(challenge_of("NEW_ONE", HINT="x"))

    assert answer.responses == {"NEW": "1"}
    assert "Cognito asks NEW_ONE, which this version does not know:\n  HINT: x\n" in capsys.readouterr().err


@pytest.mark.parametrize("typed", ["[]", "no json", '{"NEW": 1}', "[" * 100_000])
def test_unknown_challenge_asks_again_for_what_is_not_an_object_of_strings(
    typed: str, type_lines: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    type_lines(typed, '{"NEW": "1"}')

    answer = ask(challenge_of("NEW_ONE"))

    assert answer.responses == {"NEW": "1"}
    assert "expected a JSON object whose values are strings: try again" in capsys.readouterr().err


# -- standard input and output --


def test_end_of_input_raises_unanswered_with_the_challenge(type_lines: Any) -> None:
    type_lines()
    challenge = challenge_of("SMS_MFA")

    with pytest.raises(Unanswered, match="standard input ended") as caught:
        ask(challenge)

    assert caught.value.challenge is challenge


def test_empty_code_is_asked_for_again(type_lines: Any, capsys: pytest.CaptureFixture[str]) -> None:
    type_lines("", "123456")

    answer = ask(challenge_of("SMS_MFA"))

    assert answer.responses == {"SMS_MFA_CODE": "123456"}
    assert "try again" in capsys.readouterr().err


def test_closed_standard_input_ends_the_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a service that was started without one."""
    monkeypatch.setattr(sys, "stdin", None)

    with pytest.raises(EOFError):
        ask_text("Code")


def test_nothing_goes_to_standard_output(type_lines: Any, capsys: pytest.CaptureFixture[str]) -> None:
    type_lines("123456")

    ask(challenge_of("SMS_MFA"))

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "challenge",
    [
        challenge_of("SMS_MFA", CODE_DELIVERY_DESTINATION="\x1b[2J"),
        challenge_of("SOFTWARE_TOKEN_MFA", FRIENDLY_DEVICE_NAME="\x1b[2J"),
        challenge_of("CUSTOM_CHALLENGE", question="\x1b[2J"),
        challenge_of("NEW\x1b[2J", **{"\x1b[2J": "\x1b[2J"}),
        challenge_of("SELECT_MFA_TYPE", MFAS_CAN_CHOOSE='["\\u001b[2J"]'),
        challenge_of("WEB_AUTHN", CREDENTIAL_REQUEST_OPTIONS='{"rpId": "\x9b2J"}'),
        challenge_of("NEW_PASSWORD_REQUIRED", requiredAttributes='["\\u001b[2J"]'),
    ],
    ids=lambda challenge: challenge.name.encode("unicode_escape").decode(),
)
def test_text_of_others_is_escaped(
    challenge: Any, type_lines: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    type_lines("x")

    with suppress(Unanswered):  # one line is not enough for each, and not what each expects
        ask(challenge)

    shown = capsys.readouterr().err
    assert re.search(r"\\u00(1b|9b)", shown)
    assert "\x1b" not in shown
    assert "\x9b" not in shown


@pytest.mark.parametrize("text", ["alice", "[red]alice[/red]", "Ünïcödé 名前"])
def test_printable_text_is_left_as_it_is(text: str) -> None:
    assert escape(text) == text


# -- on a terminal --

PROGRAM = """
from cognito_flow.handlers import Pending, read_challenge
from cognito_flow.terminal import ask
challenge = read_challenge(Pending(name={name!r}, username="alice", session="s", parameters={parameters!r}))
answer = ask(challenge)
print({{**answer.responses}})
"""


def program(name: str, **parameters: str) -> list[str]:
    return [sys.executable, "-c", PROGRAM.format(name=name, parameters=parameters)]


def test_password_is_not_echoed_on_a_terminal() -> None:
    with on_a_terminal(program("PASSWORD")) as terminal:
        terminal.wait_for("Password: ")
        terminal.type("hidden-word\n")
        code, out, shown = terminal.finish()

    assert (code, out) == (0, "{'PASSWORD': 'hidden-word'}\n")
    assert "hidden-word" not in shown


def test_end_of_input_at_a_password_raises_unanswered_on_a_terminal() -> None:
    with on_a_terminal(program("PASSWORD")) as terminal:
        terminal.wait_for("Password: ")
        terminal.type("\x04")
        code, _, shown = terminal.finish()

    assert code == 1
    assert "Unanswered: standard input ended before every question was answered" in shown


def test_new_password_is_typed_twice_on_a_terminal_until_both_are_equal() -> None:
    with on_a_terminal(program("NEW_PASSWORD_REQUIRED")) as terminal:
        for typed in ("Battery staple 2", "Batery staple 2"):
            terminal.wait_for("New password")
            terminal.wait_for(": ")
            terminal.type(f"{typed}\n")
        terminal.wait_for("the two passwords differ: type them again")
        terminal.wait_for("New password: ")
        terminal.type("Battery staple 2\n")
        terminal.wait_for("New password again: ")
        terminal.type("Battery staple 2\n")
        code, out, _ = terminal.finish()

    assert (code, out) == (0, "{'NEW_PASSWORD': 'Battery staple 2'}\n")


SECRET_CODE = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSW"
CELLS = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}


def test_qr_code_is_black_on_white_whatever_colours_the_terminal_has() -> None:
    with on_a_terminal(program("MFA_SETUP", SECRET_CODE=SECRET_CODE)) as terminal:
        shown = terminal.wait_for("Code from your authenticator app: ")
        terminal.type("123456\n")
        assert terminal.finish()[0] == 0

    lines = re.findall(r"^\x1b\[38;5;16;48;5;231m([ ▀▄█]+)\x1b\[0m$", shown, re.MULTILINE)
    pairs = [[CELLS[character] for character in line] for line in lines]
    drawn = [[cell[half] for cell in line] for line in pairs for half in (0, 1)]
    uri = f"otpauth://totp/Cognito:alice?secret={SECRET_CODE}&issuer=Cognito"
    expected = [list(row) for row in segno.make(uri).matrix_iter(border=4)]
    assert drawn[: len(expected)] == expected
    assert sum(map(sum, drawn[len(expected) :])) == 0
    assert f"or type its secret: {SECRET_CODE}\n" in shown


def test_secret_is_shown_without_a_qr_code_if_segno_is_not_installed() -> None:
    command = program("MFA_SETUP", SECRET_CODE=SECRET_CODE)
    command[-1] = f"import sys; sys.modules['segno'] = None\n{command[-1]}"
    with on_a_terminal(command) as terminal:
        shown = terminal.wait_for("Code from your authenticator app: ")
        terminal.type("123456\n")
        assert terminal.finish()[0] == 0

    assert f"otpauth://totp/Cognito:alice?secret={SECRET_CODE}" in shown
    assert "\x1b" not in shown
