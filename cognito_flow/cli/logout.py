"""The end of a sign-in whose tokens `login` has printed.

Rule of this file: a file of tokens is removed only when Cognito has ended them.
"""

from __future__ import annotations

from pathlib import Path

from cognito_flow.cli.tokens import handed
from cognito_flow.flow import AuthFlow
from cognito_flow.models import AppClient

__all__ = ["run"]


def run(app: AppClient, path: Path | None, *, everywhere: bool) -> None:
    """End one sign-in of a user, or all of them.

    Args:
        app: The app client that the tokens are of.
        path: The file that holds them, which is removed; None: standard input holds them.
        everywhere: All sign-ins of the user, and not only that of these tokens.

    Raises:
        CognitoFlowError: Cognito refused, or was not reached; or what was given are no tokens.
    """
    flow = AuthFlow(app)
    with handed(path) as tokens:
        if everywhere:
            flow.account(tokens).sign_out_everywhere()
        else:
            flow.revoke(tokens)
        if path is not None:
            path.unlink()
