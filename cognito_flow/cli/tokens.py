"""How the subcommands hand tokens on: as JSON, on standard output, on standard input, or in a file.

Rule of this file: what was read stands in no message. A file belongs to one process at a time, from before
it is read until it is replaced or removed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from cognito_flow._json import as_object
from cognito_flow.errors import UsageError
from cognito_flow.models import Tokens
from cognito_flow.stores.document import changing

__all__ = ["handed", "printed", "standard_input"]

_PATIENCE = 60  # seconds to wait for another process, which may be waiting for Cognito


def printed(tokens: Tokens) -> str:
    """The tokens as they are printed, and as they stand in a file."""
    return json.dumps(tokens.to_dict(), indent=2) + "\n"


@contextmanager
def handed(path: Path | None) -> Generator[Tokens]:
    """The tokens that a subcommand is given. No other one gets those of a file until the block ends.

    Args:
        path: A file; None: standard input.

    Raises:
        UsageError: They are no tokens as they are printed. The message names what is missing, never a value.
        StoreError: The file cannot be used.
    """
    with nullcontext() if path is None else changing(path, _PATIENCE):
        yield _parsed(path)


def _parsed(path: Path | None) -> Tokens:
    try:
        tokens = as_object(json.loads(standard_input() if path is None else path.read_bytes()))
    except (ValueError, RecursionError):  # whose message, or document, would tell the tokens
        tokens = None
    if tokens is None:
        raise UsageError("there are no tokens: give what `cognito-flow login` printed, a JSON object")
    return Tokens.from_dict(tokens)


def standard_input() -> str:
    """What stands on standard input; nothing, if it is closed, or holds bytes that are no text."""
    try:
        # A program that was started with standard input closed has none.
        return "" if sys.stdin is None else sys.stdin.read()
    except UnicodeDecodeError:
        return ""
