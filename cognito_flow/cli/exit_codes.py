"""How the subcommands end: a message on standard error and an exit code.

Rule of this file: the whole table of exit codes is here and in the page about the command.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import NoReturn

from rich.console import Console
from rich.text import Text

from cognito_flow.errors import (
    CognitoFlowError,
    InvalidInput,
    StoreError,
    TransportError,
    Unanswered,
    UsageError,
)

PROBLEMS, USAGE, REFUSED, UNREACHABLE, UNANSWERED = 1, 2, 3, 4, 5

_console = Console(stderr=True, soft_wrap=True, highlight=False)


@contextmanager
def exit_codes() -> Generator[None]:
    """Turn errors into a message and an exit code."""
    try:
        yield
    except (UsageError, InvalidInput, StoreError) as error:
        _stop(str(error), USAGE)
    except TransportError as error:
        _stop(str(error), UNREACHABLE)
    except Unanswered as error:
        _stop(str(error), UNANSWERED)
    except CognitoFlowError as error:
        _stop(f"{type(error).__name__}: {error}", REFUSED)
    except EOFError:
        _stop("standard input ended before every question was answered", UNANSWERED)


def _stop(message: str, code: int) -> NoReturn:
    _console.print(Text(f"\n{message}", style="red"))
    sys.exit(code)
