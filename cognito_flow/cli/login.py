"""The subcommand `login`: sign in from a terminal or a script.

Rule of this file: questions and messages go to standard error, tokens to standard output.
"""

from __future__ import annotations

import sys

from cognito_flow.cli.tokens import as_json
from cognito_flow.credentials import Credentials
from cognito_flow.errors import AnswerRejected, Unanswered
from cognito_flow.flow import AuthFlow
from cognito_flow.handlers import Answer, Challenge
from cognito_flow.models import AppClient, SignedIn
from cognito_flow.terminal import ask, escape, say

_MAX_TRIES = 5


def run(app: AppClient, credentials: Credentials) -> None:
    """Sign in, and print the tokens.

    Args:
        app: The app client to sign in to.
        credentials: How the sign-in begins.

    Raises:
        CognitoFlowError: Cognito refused or was not reached, or a question was not answered.
    """
    flow = AuthFlow(app)
    step, tries = flow.start(credentials), 0
    while not isinstance(step, SignedIn):
        challenge = step
        try:
            step, tries = flow.send(_answer(challenge)), 0
        except AnswerRejected as error:
            tries += 1
            if tries == _MAX_TRIES:
                raise
            say(f"{error}: try again")
    say(f"signed in as {escape(step.username)}")
    sys.stdout.write(as_json(step.tokens))


def _answer(challenge: Challenge) -> Answer:
    answer = ask(challenge)
    if answer is None:
        raise Unanswered(challenge, f"{challenge.name} cannot be answered in a terminal")
    return answer
