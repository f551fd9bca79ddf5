"""Answer challenges in a terminal.

Rules of this file:

- Questions go to standard error and answers come from standard input: standard output stays free for what the
  program prints.
- Text that Cognito, a Lambda trigger or a user wrote is escaped before it is printed, so that it can neither
  move the cursor nor colour the terminal.
"""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Mapping, Sequence
from typing import assert_never

from cognito_flow._json import as_object, parse_json
from cognito_flow.errors import InvalidInput, Unanswered
from cognito_flow.handlers import (
    AdminNoSrpAuth,
    Answer,
    Challenge,
    CustomChallenge,
    EmailOtp,
    MfaSetup,
    NewPasswordRequired,
    Password,
    PasswordSrp,
    SelectChallenge,
    SelectMfaType,
    SmsMfa,
    SmsOtp,
    SoftwareTokenMfa,
    TotpSetup,
    UnknownChallenge,
    WebAuthn,
)
from cognito_flow.models import FirstFactor, MfaType

_MEANINGS: Mapping[str, str] = {
    MfaType.SMS_MFA: "code by SMS",
    MfaType.SOFTWARE_TOKEN_MFA: "code from your authenticator app",
    MfaType.EMAIL_OTP: "code by e-mail",
    FirstFactor.SMS_OTP: "code by SMS",
    FirstFactor.WEB_AUTHN: "passkey",
    FirstFactor.PASSWORD: "password, sent to Cognito",
    FirstFactor.PASSWORD_SRP: "password, proved without sending it",
}
# Black on white, from the part of the 256 colours that no theme changes: a QR code in the terminal's own
# colours cannot be scanned where the background is dark.
_QR_COLOURS, _OWN_COLOURS = "\x1b[38;5;16;48;5;231m", "\x1b[0m"
_HALVES = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}  # dark above, dark below


def ask(challenge: Challenge) -> Answer:
    """Answer a challenge by asking the user in the terminal, for ``flow.sign_in(credentials, ask=ask)``.

    It asks in words ("Code from your authenticator app:"), and asks again for what cannot be an answer, such
    as an empty code. A choice is made by number or by name; a new password is typed twice; an authenticator
    app is enrolled by a QR code, if the package segno is installed (extra ``cli``), or by typing its secret.
    What is typed as a password is not shown. Where standard input is not a terminal, each answer is one line
    of it.

    Args:
        challenge: The challenge that Cognito asked.

    Returns:
        The answer.

    Raises:
        Unanswered: Standard input ended before the answer, or is not valid UTF-8; or the pool offers only
            second factors that cannot be set up during a sign-in.

    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool()
    >>> user = pool.add_user("alice", "correct horse")
    >>> pool.flow().sign_in(UserSrpAuth("alice", "correct horse"), ask=ask).username
    'alice'
    """
    while True:
        try:
            return _answer(challenge)
        except InvalidInput as error:
            say(f"{error}: try again")
        except EOFError as error:
            raise Unanswered(challenge, str(error)) from None


def _answer(challenge: Challenge) -> Answer:  # noqa: C901, PLR0911 - one case for each class
    match challenge:
        case SoftwareTokenMfa() | SmsMfa() | SmsOtp() | EmailOtp():
            return challenge.answer(ask_text(_code_question(challenge)))
        case NewPasswordRequired():
            return _new_password(challenge)
        case SelectMfaType():
            return challenge.answer(choose("Which second factor do you want to use?", challenge.choices))
        case SelectChallenge():
            return _first_factor(challenge)
        case MfaSetup():
            return _second_factor_to_set_up(challenge)
        case TotpSetup():
            return _first_code(challenge)
        case CustomChallenge():
            return _custom(challenge)
        case Password() | PasswordSrp() | AdminNoSrpAuth():
            return challenge.answer(ask_hidden("Password"))
        case WebAuthn():
            say(escape(challenge.options_json))
            return challenge.answer(ask_text("Credential of navigator.credentials.get(), as JSON"))
        case UnknownChallenge():
            return _unknown(challenge)
        case _:
            assert_never(challenge)


def _code_question(challenge: SoftwareTokenMfa | SmsMfa | SmsOtp | EmailOtp) -> str:
    sent_to = None if challenge.sent_to is None else escape(challenge.sent_to)
    if isinstance(challenge, SoftwareTokenMfa):
        return "Code from your authenticator app" + ("" if sent_to is None else f" ({sent_to})")
    way = "e-mail" if isinstance(challenge, EmailOtp) else "SMS"
    return f"Code sent by {way}" + ("" if sent_to is None else f" to {sent_to}")


def _new_password(challenge: NewPasswordRequired) -> Answer:
    say("Choose a new password.")
    password = _password_twice()
    return challenge.answer(password, {name: ask_text(escape(name)) for name in challenge.missing_attributes})


def _password_twice() -> str:
    """A new password: typed twice where it is not shown, since one line of a pipe holds no typing error."""
    password = ask_hidden("New password")
    while is_terminal() and ask_hidden("New password again") != password:
        say("the two passwords differ: type them again")
        password = ask_hidden("New password")
    return password


def _first_factor(challenge: SelectChallenge) -> Answer:
    choice = choose("How do you want to sign in?", challenge.choices)
    if choice == FirstFactor.PASSWORD:
        return challenge.answer_password(ask_hidden("Password"))
    if choice == FirstFactor.PASSWORD_SRP:
        return challenge.answer_srp(ask_hidden("Password"))
    return challenge.answer(choice)


def _second_factor_to_set_up(challenge: MfaSetup) -> Answer:
    possible = (MfaType.SOFTWARE_TOKEN_MFA, MfaType.EMAIL_OTP)
    choices = [choice for choice in possible if choice in challenge.can_set_up]
    if not choices:
        offered = ", ".join(map(escape, challenge.can_set_up))
        raise Unanswered(challenge, f"{offered} cannot be set up during a sign-in")
    choice = (
        choices[0] if len(choices) == 1 else choose("Which second factor do you want to set up?", choices)
    )
    if choice == MfaType.EMAIL_OTP:
        return challenge.answer_email(ask_text("E-mail address"))
    return challenge.answer_totp()


def _first_code(challenge: TotpSetup) -> Answer:
    uri = challenge.uri("Cognito")
    say(_qr_code(uri) or escape(uri))
    say(f"Scan this with your authenticator app, or type its secret: {escape(challenge.secret_code)}")
    return challenge.answer(ask_text("Code from your authenticator app"))


def _qr_code(text: str) -> str | None:
    """A QR code in half blocks, if standard error is a terminal and segno is installed."""
    if not sys.stderr.isatty():
        return None
    try:
        import segno
    except ModuleNotFoundError:
        return None
    rows = [tuple(row) for row in segno.make(text).matrix_iter(border=4)]
    rows += [(0,) * len(rows[0])] * (len(rows) % 2)
    pairs = zip(rows[::2], rows[1::2], strict=True)
    lines = ("".join(_HALVES[halves] for halves in zip(*pair, strict=True)) for pair in pairs)
    return "\n".join(f"{_QR_COLOURS}{line}{_OWN_COLOURS}" for line in lines)


def _custom(challenge: CustomChallenge) -> Answer:
    _show(challenge.parameters)
    attempt = f" (attempt {challenge.attempt})" if challenge.attempt > 1 else ""
    return challenge.answer(ask_text(f"Answer{attempt}"))


def _unknown(challenge: UnknownChallenge) -> Answer:
    say(f"Cognito asks {escape(challenge.name)}, which this version does not know:")
    _show(challenge.parameters)
    try:
        given = as_object(parse_json(ask_text("ChallengeResponses, as a JSON object")))
    except ValueError:
        given = None
    responses = {name: value for name, value in (given or {}).items() if isinstance(value, str)}
    if responses != given:
        raise InvalidInput("expected a JSON object whose values are strings")
    return challenge.answer(responses)


def _show(parameters: Mapping[str, str]) -> None:
    for name, value in parameters.items():
        say(f"  {escape(name)}: {escape(value)}")


# -- the terminal itself --


def ask_text(question: str) -> str:
    """Ask a question, and show what is typed.

    Args:
        question: The question, already escaped, without the colon.

    Raises:
        EOFError: Standard input has ended, is closed, or is not valid UTF-8.
    """
    sys.stderr.write(f"{question}: ")
    sys.stderr.flush()
    try:
        # A program that was started with standard input closed has none.
        line = "" if sys.stdin is None else sys.stdin.readline()
    except UnicodeDecodeError:  # whose message would quote what was typed
        raise EOFError("standard input is not valid UTF-8") from None
    if not line:
        say("")  # end the line of the question
        raise EOFError("standard input ended before every question was answered")
    return line.rstrip("\r\n")


def ask_hidden(question: str) -> str:
    """Ask a question; on a terminal, do not show what is typed.

    Args:
        question: The question, already escaped, without the colon.

    Raises:
        EOFError: Standard input has ended, is closed, or is not valid UTF-8.
    """
    if not is_terminal():
        return ask_text(question)
    try:
        return getpass.getpass(f"{question}: ", stream=sys.stderr)
    except EOFError:
        say("")
        raise EOFError("standard input ended before every question was answered") from None


def choose(question: str, choices: Sequence[str]) -> str:
    """Ask for one of several choices, by its name or its number, until one is given.

    Args:
        question: The question.
        choices: What there is to choose from, in Cognito's words.

    Raises:
        EOFError: Standard input has ended, is closed, or is not valid UTF-8.
    """
    say(question)
    for number, choice in enumerate(choices, 1):
        meaning = f" ({_MEANINGS[choice]})" if choice in _MEANINGS else ""
        say(f"  {number}  {escape(choice)}{meaning}")
    while True:
        given = ask_text("Number or name").strip()
        for number, choice in enumerate(choices, 1):
            if given in {str(number), choice}:
                return choice
        say("not in the list: enter a number or a name")


def say(text: str) -> None:
    """Print a line on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def escape(text: str) -> str:
    """The text as it is, or in JSON's notation if it holds characters that control a terminal.

    >>> escape("alice")
    'alice'
    >>> print(escape("\\x1b[2Jalice"))
    "\\u001b[2Jalice"
    """
    return text if text.isprintable() else json.dumps(text)


def is_terminal() -> bool:
    """Whether a user types the answers."""
    return sys.stdin is not None and sys.stdin.isatty()
