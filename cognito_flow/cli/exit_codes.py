"""How the subcommands end: a message on standard error and an exit code.

Rule of this file: messages speak of options, not of the library's arguments.
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
    Misconfigured,
    SecretHashMismatch,
    SignedOut,
    StoreError,
    TransportError,
    Unanswered,
    UsageError,
)
from cognito_flow.terminal import escape

PROBLEMS, USAGE, REFUSED, UNREACHABLE, UNANSWERED, STOPPED = 1, 2, 3, 4, 5, 130

_OF_AWS_CREDENTIALS = (
    "AccessDeniedException",
    "ExpiredTokenException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
)

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
    except (Unanswered, EOFError) as error:
        _stop(str(error), UNANSWERED)
    except CognitoFlowError as error:
        _stop(f"{_in_words(error)} ({type(error).__name__})", REFUSED)
    except KeyboardInterrupt:
        _stop("\nstopped", STOPPED)


def _in_words(error: CognitoFlowError) -> str:
    if isinstance(error, SecretHashMismatch):
        return (
            f"{error.args[0]}: the client secret is missing, wrong or not wanted; set it in the environment "
            "variable of --client-secret-env, or run `cognito-flow doctor`"
        )
    if isinstance(error, Misconfigured) and error.code in _OF_AWS_CREDENTIALS:
        return f"{error.args[0]}: use AWS credentials that may call {error.operation}, or leave out --admin"
    if isinstance(error, SignedOut):
        return f"{error}: run `cognito-flow login`"
    return str(error)


def _stop(message: str, code: int) -> NoReturn:
    lines = "\n".join(map(escape, message.splitlines()))
    _console.print(Text(lines, style="red"))
    sys.exit(code)
