"""Check what a user typed and what a program passed, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import iscoroutinefunction
from threading import TIMEOUT_MAX
from typing import TypeVar

from cognito_flow._json import as_list, as_object, is_encodable
from cognito_flow.errors import InvalidInput, UsageError
from cognito_flow.models import SignedIn, Tokens

S = TypeVar("S", bound=str)


def check_text(what: str, value: object, *, may_be_empty: bool = False) -> str:
    """Return the text that a user typed, if it is a str, not empty, and encodable.

    Args:
        what: How the message names it.
        value: What was typed. No message contains it.
        may_be_empty: Whether Cognito may take an empty one.

    Raises:
        InvalidInput: It is empty, or contains a lone surrogate, which UTF-8 cannot encode.
        UsageError: It is not a str.
    """
    if not isinstance(value, str):
        raise UsageError(f"{what} must be a str, not {type(value).__name__}")
    if not value and not may_be_empty:
        raise InvalidInput(f"{what} is empty")
    if not is_encodable(value):
        raise InvalidInput(f"{what} contains a lone surrogate: decode the input as UTF-8")
    return value


def check_code(code: object) -> str:
    """Return the code without its whitespace: apps show codes in groups.

    Args:
        code: What was typed.

    Raises:
        InvalidInput: It is empty, or contains a lone surrogate.
        UsageError: It is not a str.
    """
    return check_text("the code", "".join(check_text("the code", code).split()))


def check_list(what: str, values: Iterable[S]) -> list[S]:
    """Return several strings that a program passed.

    Args:
        what: How the message names them.
        values: The strings.

    Raises:
        UsageError: It is one str, whose letters would be taken for them, or no iterable.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
        raise UsageError(f"{what} must be a list of strings, not a {type(values).__name__}")
    return list(values)


def refresh_token_of(tokens: object) -> str:
    """Return the refresh token.

    Args:
        tokens: `Tokens`, or a refresh token as a str.

    Raises:
        UsageError: There is none, or something else was passed.
    """
    if isinstance(tokens, SignedIn):
        raise UsageError("pass the tokens of the sign-in: signed_in.tokens")
    refresh_token = tokens.refresh_token if isinstance(tokens, Tokens) else tokens
    if refresh_token is None:
        raise UsageError("these tokens have no refresh token: sign in again")
    if not isinstance(refresh_token, str):
        raise UsageError(f"pass Tokens or a refresh token as a str, not {type(tokens).__name__}")
    if not refresh_token:
        raise UsageError("the refresh token is empty")
    return refresh_token


def check_mapping(what: str, values: object) -> dict[str, str]:
    """Return names and their texts.

    Args:
        what: How the message names the mapping.
        values: What a program passed, perhaps from the JSON of a front end.

    Raises:
        UsageError: It is not a mapping of str to str.
    """
    given = as_object(values)
    if given is None or not all(isinstance(each, str) for item in given.items() for each in item):
        raise UsageError(f"{what} must be a mapping of str to str")
    return {name: str(value) for name, value in given.items()}


def check_names(what: str, names: object) -> tuple[str, ...]:
    """Return the names of a list.

    Args:
        what: How the message names the list.
        names: What a program passed, perhaps from the JSON of a front end.

    Raises:
        UsageError: It is not a list or tuple of str.
    """
    given = as_list(names)
    if given is None or not all(isinstance(name, str) for name in given):
        raise UsageError(f"{what} must be a list of str")
    return tuple(map(str, given))


def check_timeout(timeout: object) -> float:
    """Return a time limit in seconds, shortened to the longest that threads can wait.

    Args:
        timeout: What a program passed.

    Raises:
        UsageError: It is not a positive number.
    """
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
        raise UsageError("timeout must be a positive number of seconds")
    return min(float(timeout), TIMEOUT_MAX)


def is_asynchronous(client: object, method: str) -> bool:
    """Return whether the calls of a client that a program passed must be awaited.

    Args:
        client: The client.
        method: The method that makes its calls: ``_make_api_call`` of boto3 and aiobotocore.
    """
    return iscoroutinefunction(getattr(client, method, None))
