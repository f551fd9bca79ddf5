"""Whose access token authorizes the calls of an account: tokens, a token source or a bare access token.

Rule of this file: an access token is read without a check of its signature, only to learn the names in it.
Cognito verifies it with each call.
"""

from __future__ import annotations

from typing import Protocol

import attrs

from cognito_flow._json import as_text
from cognito_flow._jwt import unverified_claims
from cognito_flow.errors import UsageError
from cognito_flow.models import SignedIn, Tokens
from cognito_flow.tokens.source import AsyncTokenSource, TokenSource


class SignedInUser(Protocol):
    """What tokens, token sources and access tokens know of the user."""

    @property
    def username(self) -> str:
        """The user name in the pool."""
        ...

    @property
    def device_key(self) -> str | None:
        """The DeviceKey of the sign-in, if a device took part in it."""
        ...


@attrs.frozen
class AccessToken:
    """An access token without the other tokens.

    Args:
        access_token: The token.
        username: The user name in the pool.
        device_key: The DeviceKey of the sign-in, if a device took part in it.
    """

    access_token: str = attrs.field(repr=False)
    username: str
    device_key: str | None

    @classmethod
    def read(cls, access_token: str) -> AccessToken:
        """Read the names from the claims of an access token.

        Raises:
            UsageError: It is not an access token.
        """
        claims = unverified_claims(access_token)
        if claims.get("token_use") == "id":
            raise UsageError("this is an ID token: pass the access token")
        username = as_text(claims.get("username"))
        if not username:
            raise UsageError(
                "this is not an access token of Cognito: pass Tokens, a token source or an access token; "
                "for a refresh token, pass flow.token_source(...)"
            )
        return cls(access_token, username, as_text(claims.get("device_key")))


def authorization(given: Tokens | TokenSource | str) -> Tokens | TokenSource | AccessToken:
    """The authorization of a blocking account.

    Raises:
        UsageError: It is something else; the message names what to pass.
    """
    if isinstance(given, TokenSource):
        return given
    return _tokens_or_access_token(given, "AuthFlow.token_source")


def async_authorization(given: Tokens | AsyncTokenSource | str) -> Tokens | AsyncTokenSource | AccessToken:
    """The authorization of an account for asyncio.

    Raises:
        UsageError: It is something else; the message names what to pass.
    """
    if isinstance(given, AsyncTokenSource):
        return given
    return _tokens_or_access_token(given, "AsyncAuthFlow.token_source")


def _tokens_or_access_token(given: object, source: str) -> Tokens | AccessToken:
    if isinstance(given, Tokens):
        return given
    if isinstance(given, str):
        return AccessToken.read(given)
    if isinstance(given, SignedIn):
        raise UsageError("an account needs tokens: pass signed_in.tokens")
    raise UsageError(
        f"an account needs Tokens, a source of {source} or an access token, not {type(given).__name__}"
    )
