"""The subcommand `login`: sign in from a terminal or a script.

Rule of this file: questions and messages go to standard error, tokens to their destination.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from cognito_flow.cli import passkey_page
from cognito_flow.cli.connection import Connection
from cognito_flow.cli.output import Destination
from cognito_flow.credentials import Credentials, CustomAuth
from cognito_flow.errors import (
    AnswerRejected,
    CodeAlreadyUsed,
    CognitoFlowError,
    IncorrectPassword,
    WrongCode,
)
from cognito_flow.flow import AuthFlow, Step
from cognito_flow.handlers import Answer, Challenge, WebAuthn
from cognito_flow.models import SignedIn
from cognito_flow.stores import FileStore
from cognito_flow.terminal import ask, escape, is_terminal, say

_MAX_ANSWERS = 5
_MAX_PASSWORDS = 3  # Cognito locks a user after five wrong passwords in a row

# Cognito's texts and the library's hints are written for programmers.
_IN_WORDS: Mapping[type[CognitoFlowError], str] = {
    IncorrectPassword: "wrong user name or password",
    WrongCode: "wrong code",
    CodeAlreadyUsed: "this code was used before, wait for the next one",
}


def run(
    connection: Connection, begin: Callable[[], Credentials], store: FileStore | None, to: Destination
) -> None:
    """Sign in, and save or print the tokens.

    Args:
        connection: The app client.
        begin: Asks for the credentials that the sign-in begins with.
        store: Where to keep the tokens and a remembered device; None: the tokens are printed.
        to: Where and how to print them. With a store, they are printed only if this says so.

    Raises:
        CognitoFlowError: Cognito refused or was not reached, a question was not answered, or the destination
            cannot be written.
    """
    is_printed = store is None or to.is_given
    if is_printed:
        to.check()
    flow = connection.flow(store)
    done = _sign_in_repeatedly(_SignIn(flow, connection), begin)
    say(f"signed in as {escape(done.username)}")
    if store is not None:
        store.put_tokens(connection.app, done.tokens.username, done.tokens)
    if is_printed:
        to.put(done.tokens)


def _sign_in_repeatedly(sign_in: _SignIn, begin: Callable[[], Credentials]) -> SignedIn:
    """Sign in. On a terminal, ask again for a wrong password, but stop before Cognito locks the user."""
    for _ in range(_MAX_PASSWORDS - 1):
        credentials = begin()
        try:
            return sign_in.run(credentials)
        except IncorrectPassword as error:
            # With CustomAuth, a Lambda trigger gave up: a new sign-in may send new messages.
            if isinstance(credentials, CustomAuth) or not is_terminal():
                raise
            say(_again(error))
    return sign_in.run(begin())


@attrs.frozen
class _SignIn:
    flow: AuthFlow
    connection: Connection

    def run(self, credentials: Credentials) -> SignedIn:
        with self.connection.waiting():
            step = self.flow.start(credentials)
        while not isinstance(step, SignedIn):
            step = self._answered(step)
        return step

    def _answered(self, challenge: Challenge) -> Step:
        """The step after a challenge. A wrong answer is asked again."""
        for _ in range(_MAX_ANSWERS - 1):
            try:
                return self._send(challenge)
            except AnswerRejected as error:
                say(_again(error))
        return self._send(challenge)

    def _send(self, challenge: Challenge) -> Step:
        answer = _answer(challenge)
        with self.connection.waiting():
            return self.flow.send(answer)


def _again(error: CognitoFlowError) -> str:
    return f"{_IN_WORDS.get(type(error)) or escape(str(error.args[0]))}; try again"


def _answer(challenge: Challenge) -> Answer:
    if isinstance(challenge, WebAuthn) and is_terminal():
        if passkey_page.can_answer(challenge):
            return passkey_page.answer(challenge)
        relying_party = escape(str(challenge.options.get("rpId")))
        say(f"The passkey belongs to {relying_party}, so a page on localhost cannot use it.")
        say("Sign on a page of that domain, with these options:")
    return ask(challenge)
