"""Whose access token authorizes the calls of an account: tokens, a token source or a bare access token.

Rule of this file: an access token is read without a check of its signature, only to learn the names in it.
Cognito verifies it with each call.
"""

from __future__ import annotations

from typing import Protocol

from cognito_flow._jwt import unverified_claims
from cognito_flow.errors import UsageError
from cognito_flow.models import SignedIn, Tokens
from cognito_flow.tokens.source import AsyncTokenSource, TokenSource


class SignedInUser(Protocol):
    """What tokens and token sources know of the user."""

    @property
    def username(self) -> str:
        """The user name in the pool."""
        ...

    @property
    def device_key(self) -> str | None:
        """The DeviceKey of the sign-in, if a device took part in it."""
        ...


def authorization(given: Tokens | TokenSource | str) -> Tokens | TokenSource:
    """The authorization of a blocking account.

    Raises:
        UsageError: It is something else; the message names what to pass.
    """
    return given if isinstance(given, TokenSource) else _tokens(given, "AuthFlow.token_source")


def async_authorization(given: Tokens | AsyncTokenSource | str) -> Tokens | AsyncTokenSource:
    """The authorization of an account for asyncio.

    Raises:
        UsageError: It is something else; the message names what to pass.
    """
    return given if isinstance(given, AsyncTokenSource) else _tokens(given, "AsyncAuthFlow.token_source")


def _tokens(given: object, source: str) -> Tokens:
    if isinstance(given, Tokens):
        return given
    if isinstance(given, str):
        return _of_access_token(given)
    if isinstance(given, SignedIn):
        raise UsageError("an account needs tokens: pass signed_in.tokens")
    raise UsageError(
        f"an account needs Tokens, a source of {source} or an access token, not {type(given).__name__}"
    )


def _of_access_token(access_token: str) -> Tokens:
    if unverified_claims(access_token).get("token_use") == "id":
        raise UsageError("this is an ID token: pass the access token")
    try:
        return Tokens.from_jwts(access_token)
    except UsageError:
        raise UsageError(
            "this is not an access token of Cognito: pass Tokens, a token source or an access token; "
            "for a refresh token, pass flow.token_source(...)"
        ) from None
