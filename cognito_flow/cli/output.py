"""What the subcommands print, and above all tokens, in the format that another program reads.

Rules of this file: nothing else writes to standard output, so that a full disk or a closed pipe ends every
subcommand in the same way. A file with tokens can be read by its owner only, and is complete or absent.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from enum import StrEnum
from functools import partial
from io import UnsupportedOperation
from pathlib import Path
from typing import TextIO

import attrs
from rich.console import Console, RenderableType

from cognito_flow.errors import UsageError
from cognito_flow.models import Tokens


class Format(StrEnum):
    """The format of the output.

    JSON is what `Tokens.to_dict` gives; ENV is for ``eval`` in a shell; HEADER for ``curl -H @-``;
    CREDENTIAL_PROCESS for AWS's tools, which get AWS credentials in place of the tokens.
    """

    JSON = "json"
    ENV = "env"
    HEADER = "header"
    CREDENTIAL_PROCESS = "credential-process"


@attrs.frozen
class Destination:
    """Where tokens go, and in which format.

    Args:
        path: The file; None: standard output.
        format: The format; None: JSON.
        fetch_credentials: Returns AWS credentials for the tokens, as text in the format CREDENTIAL_PROCESS.

    Raises:
        UsageError: The format is that of AWS credentials, and nothing fetches them.
    """

    path: Path | None
    format: Format | None
    fetch_credentials: Callable[[Tokens], str] | None = None

    def __attrs_post_init__(self) -> None:
        if self.format is Format.CREDENTIAL_PROCESS and self.fetch_credentials is None:
            raise UsageError("for AWS credentials of a stored sign-in, use `cognito-flow credentials`")

    @property
    def is_given(self) -> bool:
        """Whether an option says where tokens go, or how."""
        return self.path is not None or self.format is not None

    def check(self) -> None:
        """Find out whether tokens can be written, before there are any that would be lost.

        Raises:
            UsageError: They cannot, as far as this shows without writing: a disk may be full.
        """
        if self.path is None:
            _check_standard_output()
        else:
            _check_file(self.path)

    def put(self, tokens: Tokens) -> None:
        """Write tokens.

        Args:
            tokens: The tokens.

        Raises:
            UsageError: The file or standard output cannot be written.
            CognitoFlowError: AWS credentials could not be fetched.
        """
        formatted = self.fetch_credentials or partial(_formatted, how=self.format)
        write(formatted(tokens), self.path)


def _formatted(tokens: Tokens, how: Format | None) -> str:
    if how is Format.HEADER:
        return f"Authorization: {tokens.token_type} {tokens.access_token}\n"
    if how is Format.ENV:
        named = {
            "COGNITO_ACCESS_TOKEN": tokens.access_token,
            "COGNITO_ID_TOKEN": tokens.id_token,
            "COGNITO_REFRESH_TOKEN": tokens.refresh_token,
        }
        return "".join(f"export {name}={shlex.quote(text)}\n" for name, text in named.items() if text)
    return json.dumps(tokens.to_dict(), indent=2) + "\n"


# -- standard output and files --


def is_terminal() -> bool:
    """Whether a user reads standard output."""
    return sys.stdout is not None and sys.stdout.isatty()


def show(renderable: RenderableType, *, soft_wrap: bool = False) -> None:
    """Print what rich lays out.

    Args:
        renderable: A table or a text.
        soft_wrap: Leave it to the terminal to wrap lines.

    Raises:
        UsageError: Standard output cannot be written.
    """
    console = Console(highlight=False)
    # rich flushes the file even if it only captures what would be printed.
    with _writing(), console.capture() as captured:
        console.print(renderable, soft_wrap=soft_wrap)
    write(captured.get(), None)


def write(text: str, path: Path | None) -> None:
    """Print a text, or write it to a file for its owner alone.

    Args:
        text: The text.
        path: The file, which is replaced as a whole; None: standard output, whose encoding may lack
            characters of the text: they are written as escapes.

    Raises:
        UsageError: The file or standard output cannot be written.
    """
    if path is None:
        _print(text)
        return
    try:
        _replace(path, text)
    except OSError as error:
        raise _unwritable(path, error) from error


def _print(text: str) -> None:
    with _writing() as out:
        encoding = out.encoding or "utf-8"
        out.write(text.encode(encoding, "backslashreplace").decode(encoding))


@contextmanager
def _writing() -> Generator[TextIO]:
    """Yield standard output, and flush it when the block ends.

    Raises:
        UsageError: It cannot be written.
    """
    out = _standard_output()
    try:
        yield out
        out.flush()
    except OSError as error:
        _discard_what_is_left(out)
        raise _unwritable("standard output", error) from error


def _standard_output() -> TextIO:
    # A program that was started with standard output closed has none.
    if sys.stdout is None:
        raise UsageError("standard output is closed")
    return sys.stdout


def _discard_what_is_left(out: TextIO) -> None:
    """Lead standard output nowhere, or Python would try to write the rest at its end, and report that.

    Source: the note on SIGPIPE in the documentation of Python's module signal.
    """
    with suppress(OSError):  # where it is not a file of the system
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, out.fileno())
        os.close(nowhere)


def _check_standard_output() -> None:
    out = _standard_output()
    try:
        os.write(out.fileno(), b"")
    except UnsupportedOperation:
        return  # it is not a file of the system
    except OSError as error:
        raise _unwritable("standard output", error) from error


def _check_file(path: Path) -> None:
    try:
        with tempfile.NamedTemporaryFile(dir=path.resolve().parent, prefix=f"{path.name}."):
            pass
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(what: object, error: OSError) -> UsageError:
    return UsageError(f"{what} cannot be written: {error.strerror}")


def _replace(path: Path, text: str) -> None:
    path = path.resolve()  # the file that a symbolic link leads to is replaced, not the link
    descriptor, new = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(new).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(new).unlink()
        raise
