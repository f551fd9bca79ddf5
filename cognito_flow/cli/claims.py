"""Whether a token is good, and what it says.

Rule of this file: claims of a token that is not good are never shown.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from cognito_flow._json import as_object, as_text
from cognito_flow.cli.plain import plain
from cognito_flow.cli.tokens import standard_input
from cognito_flow.errors import UsageError
from cognito_flow.models import AppClient
from cognito_flow.tokens import TokenVerifier

__all__ = ["run"]

_DATES = ("auth_time", "exp", "iat", "nbf")  # seconds since 1970


def run(app: AppClient, token: str | None, *, is_id: bool) -> None:
    """Verify a token, and print its claims: as a table on a terminal, else as JSON.

    Args:
        app: The app client that it must be for.
        token: The token; None: standard input holds it, or what `login` has printed.
        is_id: It must be an ID token, instead of an access token.

    Raises:
        CognitoFlowError: It is not good; or the keys could not be fetched.
    """
    given = (_from_standard_input(is_id=is_id) if token is None else token).strip()
    verifier = TokenVerifier(app)
    verified = verifier.verify_id(given) if is_id else verifier.verify_access(given)
    if sys.stdout.isatty():
        Console().print(_table(verified.claims))
    else:
        sys.stdout.write(json.dumps(dict(verified.claims), indent=2) + "\n")


def _from_standard_input(*, is_id: bool) -> str:
    text = standard_input()
    if not text.strip():
        raise UsageError("there is no token: give it as an argument, or on standard input")
    try:
        tokens = as_object(json.loads(text))
    except (ValueError, RecursionError):
        return text
    name = "id_token" if is_id else "access_token"
    token = as_text((tokens or {}).get(name))
    if token is None:
        raise UsageError(f"the JSON on standard input has no {name}")
    return token


def _table(claims: Mapping[str, object]) -> Table:
    table = Table("claim", "value")
    for name, value in claims.items():
        table.add_row(plain(name), plain(_readable(name, value)))
    return table


def _readable(name: str, value: object) -> str:
    if name in _DATES and isinstance(value, int | float):
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC"
    return value if isinstance(value, str) else json.dumps(value)
