"""New tokens for those that `login` has printed.

Rule of this file: a file has the new tokens before anybody else sees them, because the old ones may have
ended. For the same reason they are printed, too, if the file cannot be written.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cognito_flow.cli.tokens import handed, printed
from cognito_flow.flow import AuthFlow
from cognito_flow.models import AppClient
from cognito_flow.stores.document import replace

__all__ = ["run"]


def run(app: AppClient, path: Path | None) -> None:
    """Refresh, and print the new tokens.

    Args:
        app: The app client that the tokens are of.
        path: The file that holds them, which is replaced; None: standard input holds them.

    Raises:
        CognitoFlowError: Cognito refused, or was not reached; what was given are no tokens; or the file
            cannot be written.
    """
    with handed(path) as tokens:
        refreshed = printed(AuthFlow(app).refresh(tokens))
        try:
            if path is not None:
                replace(path, refreshed.encode())
        finally:
            sys.stdout.write(refreshed)
