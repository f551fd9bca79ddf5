"""Signing in from a terminal or a script: each challenge becomes a question.

Rule of this file: questions and messages go to standard error, tokens to standard output, and nothing else
that is secret goes anywhere.
"""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import NoReturn, assert_never

import attrs
import segno
from rich.console import Console

from cognito_flow._json import as_object
from cognito_flow.cli.tokens import printed
from cognito_flow.credentials import Credentials
from cognito_flow.errors import (
    CodeAlreadyUsed,
    CognitoFlowError,
    PasswordRejected,
    StoreError,
    TransportError,
    Unanswered,
    UsageError,
    WrongCode,
)
from cognito_flow.flow import AuthFlow
from cognito_flow.handlers import (
    AdminNoSrpAuth,
    Answer,
    Challenge,
    CodeChallenge,
    CustomChallenge,
    DevicePasswordVerifier,
    DeviceSrpAuth,
    MfaSetup,
    NewPasswordRequired,
    Password,
    PasswordSrp,
    PasswordVerifier,
    SelectChallenge,
    SelectMfaType,
    TotpSetup,
    UnknownChallenge,
    WebAuthn,
)
from cognito_flow.models import AppClient, FirstFactor, MfaType, SignedIn

__all__ = ["Prompt", "exit_codes", "run"]

USAGE, REFUSED, UNREACHABLE, UNANSWERED = 2, 3, 4, 5

_console = Console(stderr=True, soft_wrap=True, markup=False, emoji=False, highlight=False)
_MAX_TRIES = 5


@attrs.define
class Prompt:
    """Asks questions: on the terminal, or of the lines of standard input where that is no terminal."""

    def text(self, question: str) -> str:
        """Ask, and show what is typed."""
        _console.print(f"{question}: ", end="")
        return self._line()

    def hidden(self, question: str) -> str:
        """Ask, and show nothing of what is typed."""
        if sys.stdin is not None and sys.stdin.isatty():
            return getpass.getpass(f"{question}: ", stream=sys.stderr)
        return self.text(question)

    def choice(self, question: str, choices: Sequence[str]) -> str:
        """Ask for one of several, by its name or its number.

        Raises:
            UsageError: The answer is none of them.
        """
        for number, choice in enumerate(choices, 1):
            _console.print(f"  {number}  {choice}")
        given = self.text(question)
        for number, choice in enumerate(choices, 1):
            if given in (str(number), choice):
                return choice
        raise UsageError("this is none of the choices")

    def _line(self) -> str:
        try:
            # A program that was started with standard input closed has none.
            line = "" if sys.stdin is None else sys.stdin.readline()
        except UnicodeDecodeError:  # whose message would quote what was typed
            raise UsageError("standard input is no text") from None
        if not line:
            raise EOFError
        return line.rstrip("\r\n")


@contextmanager
def exit_codes() -> Generator[None]:
    """Turn errors into a message and an exit code."""
    try:
        yield
    except (UsageError, StoreError) as error:
        _stop(str(error), USAGE)
    except TransportError as error:
        _stop(str(error), UNREACHABLE)
    except Unanswered as error:
        _stop(str(error), UNANSWERED)
    except CognitoFlowError as error:
        _stop(f"{type(error).__name__}: {error}", REFUSED)
    except EOFError:
        _stop("the question was not answered", UNANSWERED)


def _stop(message: str, code: int) -> NoReturn:
    _console.print(f"\n{message}", style="red")
    sys.exit(code)


def run(app: AppClient, credentials: Credentials, prompt: Prompt) -> None:
    """Sign in, and print the tokens."""
    flow = AuthFlow(app)
    step, tries = flow.start(credentials), 0
    while not isinstance(step, SignedIn):
        challenge = step
        try:
            step, tries = flow.send(_answer(challenge, prompt)), 0
        except (WrongCode, CodeAlreadyUsed, PasswordRejected, UsageError) as error:
            tries += 1
            if tries == _MAX_TRIES:
                raise
            _console.print(f"{error}: try again", style="yellow")
    _console.print(f"signed in as {step.username}", style="green")
    sys.stdout.write(printed(step.tokens))


def _answer(challenge: Challenge, prompt: Prompt) -> Answer:  # noqa: C901, PLR0911  # one case for each kind
    """Ask a person what Cognito asks."""
    match challenge:
        case CodeChallenge():
            return challenge.answer(prompt.text(_where(challenge)))
        case NewPasswordRequired():
            return _new_password(challenge, prompt)
        case SelectMfaType():
            return challenge.answer(prompt.choice("Second factor", challenge.choices))
        case SelectChallenge():
            return _way_to_sign_in(challenge, prompt)
        case MfaSetup():
            return _set_up(challenge, prompt)
        case TotpSetup():
            return _first_code(challenge, prompt)
        case CustomChallenge():
            _console.print_json(json.dumps(dict(challenge.parameters)))
            return challenge.answer(prompt.text(f"Answer (attempt {challenge.attempt})"))
        case Password() | PasswordSrp():
            return challenge.answer(prompt.hidden("Password"))
        case WebAuthn():
            _console.print(challenge.options_json)
            return challenge.answer(prompt.text("Credential (JSON of navigator.credentials.get)"))
        case UnknownChallenge():
            return _unknown(challenge, prompt)
        case PasswordVerifier() | DeviceSrpAuth() | DevicePasswordVerifier() | AdminNoSrpAuth():
            raise Unanswered(challenge, f"{challenge.name} has no question that a person could answer")
        case _:
            assert_never(challenge)


def _where(challenge: CodeChallenge) -> str:
    return "Code" if challenge.sent_to is None else f"Code ({challenge.sent_to})"


def _new_password(challenge: NewPasswordRequired, prompt: Prompt) -> Answer:
    _console.print("Choose a new password.")
    password = prompt.hidden("New password")
    return challenge.answer(password, {name: prompt.text(name) for name in challenge.missing_attributes})


def _way_to_sign_in(challenge: SelectChallenge, prompt: Prompt) -> Answer:
    choice = prompt.choice("Sign in with", challenge.choices)
    if choice == FirstFactor.PASSWORD:
        return challenge.answer_password(prompt.hidden("Password"))
    if choice == FirstFactor.PASSWORD_SRP:
        return challenge.answer_srp(prompt.hidden("Password"))
    return challenge.answer(choice)


def _set_up(challenge: MfaSetup, prompt: Prompt) -> Answer:
    choices = [
        choice for choice in (MfaType.SOFTWARE_TOKEN_MFA, MfaType.EMAIL_OTP) if choice in challenge.can_set_up
    ]
    if not choices:
        offered = ", ".join(challenge.can_set_up)
        raise Unanswered(challenge, f"nothing that is offered ({offered}) can be set up in a sign-in")
    choice = choices[0] if len(choices) == 1 else prompt.choice("Set up", choices)
    if choice == MfaType.EMAIL_OTP:
        return challenge.answer_email(prompt.text("E-mail address"))
    return challenge.answer_totp()


def _first_code(challenge: TotpSetup, prompt: Prompt) -> Answer:
    # The secret must be shown: it is what this step is for. It is shown on the terminal only.
    segno.make(challenge.uri("Cognito")).terminal(out=sys.stderr, compact=True)
    _console.print(f"Scan this with an authenticator app, or type {challenge.secret_code}")
    return challenge.answer(prompt.text("Code that it shows"))


def _unknown(challenge: UnknownChallenge, prompt: Prompt) -> Answer:
    _console.print(f"Cognito asks {challenge.name}, which this version does not know:")
    _console.print_json(json.dumps(dict(challenge.parameters)))
    text = prompt.text("ChallengeResponses (a JSON object of texts)")
    try:
        given = as_object(json.loads(text))
    except ValueError:
        given = None
    responses = {name: value for name, value in (given or {}).items() if isinstance(value, str)}
    if responses != given:
        raise UsageError("this is no JSON object of texts")
    return challenge.answer(responses)
