"""What `login` and `refresh` print: tokens in the format that another program reads.

Rule of this file: a file with tokens can be read by its owner only, and is complete or absent.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from functools import partial
from pathlib import Path

import attrs

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

    def put(self, tokens: Tokens) -> None:
        """Write tokens.

        Args:
            tokens: The tokens.

        Raises:
            UsageError: The file cannot be written.
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


def write(text: str, path: Path | None) -> None:
    """Print a text, or write it to a file for its owner alone.

    Args:
        text: The text.
        path: The file, which is replaced as a whole; None: standard output.

    Raises:
        UsageError: The file cannot be written.
    """
    if path is None:
        sys.stdout.write(text)
        return
    try:
        _replace(path, text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


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
