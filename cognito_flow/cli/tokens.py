"""The subcommands that take tokens: `refresh`, `logout` and `claims`.

Rules of this file: no message quotes what was read. A file belongs to one process at a time, from before it
is read until it is replaced or removed; it has the new tokens before they are printed, because with rotation
the old refresh token has already ended. Claims of a token that does not verify are never shown.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cognito_flow._json import as_object, as_text
from cognito_flow.errors import UsageError
from cognito_flow.flow import AuthFlow
from cognito_flow.models import AppClient, Tokens
from cognito_flow.stores._document import changing, replace
from cognito_flow.terminal import escape
from cognito_flow.tokens.verifier import TokenVerifier

_PATIENCE = 60  # seconds to wait for another process, which may be waiting for Cognito
_DATES = ("auth_time", "exp", "iat", "nbf")  # seconds since 1970


def refresh(app: AppClient, path: Path | None) -> None:
    """Refresh tokens, and print the new ones.

    Args:
        app: The app client that the tokens are for.
        path: The file that holds them, which is replaced; None: they come from standard input.

    Raises:
        CognitoFlowError: Cognito refused or was not reached; there are no tokens; or the file cannot be
            written. In the last case the new tokens are printed all the same.
    """
    with _given(path) as tokens:
        refreshed = as_json(AuthFlow(app).refresh(tokens))
        try:
            if path is not None:
                replace(path, refreshed.encode())
        finally:
            sys.stdout.write(refreshed)


def logout(app: AppClient, path: Path | None, *, everywhere: bool) -> None:
    """End one sign-in of a user, or all of them.

    Args:
        app: The app client that the tokens are for.
        path: The file that holds them, which is removed; None: they come from standard input.
        everywhere: End all sign-ins of the user, not only the one of these tokens.

    Raises:
        CognitoFlowError: Cognito refused or was not reached, or there are no tokens. The file is kept.
    """
    flow = AuthFlow(app)
    with _given(path) as tokens:
        if everywhere:
            flow.account(tokens).sign_out_everywhere()
        else:
            flow.revoke(tokens)
        if path is not None:
            path.unlink()


def claims(app: AppClient, token: str | None, *, is_id: bool) -> None:
    """Verify a token, and print its claims: as a table on a terminal, otherwise as JSON.

    Args:
        app: The app client that the token must be for.
        token: The token; None: standard input holds it, or what `login` printed.
        is_id: Verify an ID token instead of an access token.

    Raises:
        CognitoFlowError: The token does not verify, or the keys could not be fetched.
    """
    given = (_token_from_standard_input(is_id=is_id) if token is None else token).strip()
    verifier = TokenVerifier(app)
    verified = verifier.verify_id(given) if is_id else verifier.verify_access(given)
    if sys.stdout.isatty():
        Console().print(_table(verified.claims))
    else:
        sys.stdout.write(json.dumps(dict(verified.claims), indent=2) + "\n")


def as_json(tokens: Tokens) -> str:
    """The tokens as they are printed and kept in a file."""
    return json.dumps(tokens.to_dict(), indent=2) + "\n"


# -- reading tokens --


@contextmanager
def _given(path: Path | None) -> Generator[Tokens]:
    """The tokens of a file, locked until the block ends, or of standard input."""
    with nullcontext() if path is None else changing(path, _PATIENCE):
        yield _parsed(_standard_input() if path is None else path.read_bytes())


def _parsed(text: str | bytes) -> Tokens:
    try:
        tokens = as_object(json.loads(text))
    except (ValueError, RecursionError):  # whose message would quote the tokens
        tokens = None
    if tokens is None:
        raise UsageError("found no tokens: expected the JSON object that `cognito-flow login` printed")
    return Tokens.from_dict(tokens)


def _token_from_standard_input(*, is_id: bool) -> str:
    text = _standard_input()
    if not text.strip():
        raise UsageError("found no token: pass it as an argument or on standard input")
    try:
        tokens = as_object(json.loads(text))
    except (ValueError, RecursionError):
        return text
    name = "id_token" if is_id else "access_token"
    token = as_text((tokens or {}).get(name))
    if token is None:
        raise UsageError(f"the JSON on standard input has no {name}")
    return token


def _standard_input() -> str:
    """All of standard input; empty if it is closed or not valid UTF-8."""
    try:
        # A program that was started with standard input closed has none.
        return "" if sys.stdin is None else sys.stdin.read()
    except UnicodeDecodeError:
        return ""


# -- printing claims --


def _table(claims: Mapping[str, object]) -> Table:
    table = Table("claim", "value")
    for name, value in claims.items():
        # Text, and not str, in which brackets would be markup.
        table.add_row(Text(escape(name)), Text(escape(_readable(name, value))))
    return table


def _readable(name: str, value: object) -> str:
    if name in _DATES and isinstance(value, int | float):
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC"
    return value if isinstance(value, str) else json.dumps(value)
