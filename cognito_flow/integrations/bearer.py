"""Which token goes where: what the adapters of HTTP clients share.

Rule of this file: it knows tokens and addresses, and no HTTP client.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

import attrs

from cognito_flow.errors import UsageError
from cognito_flow.models import Tokens

__all__ = ["Bearer", "TokenUse"]

TokenUse: TypeAlias = Literal["access", "id"]

_Origin: TypeAlias = tuple[str, str | None, int | None]
_DEFAULT_PORTS = {"http": 80, "https": 443}


def _origin(url: str) -> _Origin:
    """Scheme, host and port. Source: RFC 6454, section 4."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)


def _read_origin(text: str) -> _Origin:
    try:
        origin = _origin(text)
    except ValueError:  # a port that is no number, or an address with half its brackets
        origin = ("", None, None)
    scheme, host, _ = origin
    # Whatever is more than an origin was meant to say something, and would say nothing.
    is_more = any(mark in text.partition("://")[2] for mark in "/?#@")
    if scheme not in _DEFAULT_PORTS or not host or is_more or not text.isascii():
        raise UsageError(
            f"{text!r} is not an origin: it has the form https://host or https://host:port, in ASCII"
        )
    return origin


def _read_origins(origins: Iterable[str] | None) -> frozenset[_Origin] | None:
    if origins is None:
        return None
    if isinstance(origins, str):
        raise UsageError("origins is one text: give a list")
    read = frozenset(map(_read_origin, origins))
    if not read:
        raise UsageError("origins is empty: the token would go nowhere")
    return read


def _check_token(_instance: object, _attribute: object, value: str) -> None:
    if value not in ("access", "id"):
        raise UsageError(f"token is {value!r}: it is 'access' or 'id'")


@attrs.frozen
class Bearer:
    """Which token is presented, and to whom.

    Args:
        token: Which of the tokens.
        origins: Who may see it; None: everybody who is asked.
    """

    token: TokenUse = attrs.field(validator=_check_token)
    origins: frozenset[_Origin] | None = attrs.field(converter=_read_origins)

    def goes_to(self, url: str) -> bool:
        """Whether a request to this URL carries the token."""
        return self.origins is None or _origin(url) in self.origins

    def authorization(self, tokens: Tokens) -> str:
        """The value of the header Authorization. Source: RFC 6750, section 2.1.

        Raises:
            UsageError: The ID token is to be sent, and there is none.
        """
        value = tokens.access_token if self.token == "access" else tokens.id_token
        if value is None:
            raise UsageError("there is no ID token to send: sign in again, or use token='access'")
        return f"Bearer {value}"
