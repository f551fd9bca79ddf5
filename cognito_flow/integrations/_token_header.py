"""The header that carries a token, and the servers that receive it: what the HTTP adapters share.

Rule of this file: it knows tokens and addresses, but no HTTP client.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, TypeAlias, TypedDict
from urllib.parse import urlsplit

import attrs

from cognito_flow._checks import check_list
from cognito_flow.errors import UsageError
from cognito_flow.models import Tokens

TokenUse: TypeAlias = Literal["access", "id"]

_Origin: TypeAlias = tuple[str, str | None, int | None]
_DEFAULT_PORTS = {"http": 80, "https": 443}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # of RFC 9110, section 5.6.2


class HeaderOptions(TypedDict, total=False):
    """The keywords that all `CognitoAuth` classes take."""

    token: TokenUse
    origins: Iterable[str] | None
    header: str
    scheme: str | None


@attrs.frozen
class TokenHeader:
    """Which token is sent, in which header, and to which servers.

    Args:
        token: Which of the tokens.
        origins: The servers that receive it; None: all of them.
        name: The name of the header.
        scheme: The word before the token; None: the token alone.

    Raises:
        UsageError: One of them is malformed.
    """

    token: TokenUse
    origins: frozenset[_Origin] | None
    name: str
    scheme: str | None

    @classmethod
    def read(
        cls, *, token: TokenUse, origins: Iterable[str] | None, header: str, scheme: str | None
    ) -> TokenHeader:
        """Return the record of an adapter's keywords.

        Raises:
            UsageError: One of them is malformed.
        """
        if token not in ("access", "id"):
            raise UsageError(f"token is {token!r}: it must be 'access' or 'id'")
        for what, text in (("header", header), ("scheme", scheme)):
            if text is not None and not _TOKEN.fullmatch(text):
                raise UsageError(f"{what} is {text!r}: it must be one word of letters, digits and hyphens")
        return cls(token, _read_origins(origins), header, scheme)

    def goes_to(self, url: str) -> bool:
        """Whether a request to this URL carries the token."""
        return self.origins is None or origin(url) in self.origins

    def value(self, tokens: Tokens) -> str:
        """Return the value of the header. Source: RFC 6750, section 2.1.

        Raises:
            UsageError: The ID token is to be sent, but the source has none.
        """
        value = tokens.access_token if self.token == "access" else tokens.id_token
        if value is None:
            raise UsageError("there is no ID token to send: sign in again, or use token='access'")
        return value if self.scheme is None else f"{self.scheme} {value}"


def origin(url: str) -> _Origin:
    """Return the scheme, host and port of a URL. Source: RFC 6454, section 4."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)


def _read_origin(text: str) -> _Origin:
    try:
        read = origin(text)
    except ValueError:  # a port that is not a number, or an address with one bracket
        read = ("", None, None)
    scheme, host, _ = read
    # A path or a query would be ignored, although the caller meant something by it.
    is_more = any(mark in text.partition("://")[2] for mark in "/?#@")
    if scheme not in _DEFAULT_PORTS or not host or is_more or not text.isascii():
        raise UsageError(
            f"{text!r} is not an origin: it has the form https://host or https://host:port, in ASCII"
        )
    return read


def _read_origins(origins: Iterable[str] | None) -> frozenset[_Origin] | None:
    if origins is None:
        return None
    read = frozenset(map(_read_origin, check_list("origins", origins)))
    if not read:
        raise UsageError("origins is empty: no server would receive the token")
    return read
