"""What a verified token says: one record for each kind of token.

Rule of this file: records, and how they are read from claims. Whether the claims are to be believed was found
out before; here only their types are looked at.

Source: "Understanding the access token" and "Understanding the identity (ID) token" in the Amazon Cognito
developer guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeAlias

import attrs

from cognito_flow._json import as_list, as_text
from cognito_flow.errors import TokenInvalid

__all__ = ["AccessClaims", "IdClaims", "date", "date_or_none", "text"]

Claims: TypeAlias = Mapping[str, object]


@attrs.frozen(kw_only=True)
class AccessClaims:
    """What a verified access token says.

    Args:
        sub: The user's id, which never changes and is never given to another one; for a token of the client
            credentials grant the app client's id.
        username: Cognito's own name of the user; None in a token of the client credentials grant.
        client_id: The app client that the token was issued to.
        scopes: What the token allows. A sign-in without managed login gives
            ``aws.cognito.signin.user.admin`` alone.
        groups: The user's groups.
        issued_at: When the token was issued.
        expires_at: When it ends.
        auth_time: When the person signed in; a refresh does not change it.
        device_key: The remembered device that took part.
        claims: Everything that the token says.
    """

    sub: str
    username: str | None
    client_id: str
    scopes: frozenset[str]
    groups: frozenset[str]
    issued_at: datetime
    expires_at: datetime
    auth_time: datetime | None
    device_key: str | None
    claims: Claims = attrs.field(repr=False, hash=False)

    @classmethod
    def read(cls, claims: Claims) -> AccessClaims:
        """The record of these claims.

        Raises:
            TokenInvalid: A claim is missing or has the wrong type. The message names it.
        """
        return cls(
            sub=text(claims, "sub"),
            username=_text_or_none(claims, "username"),
            client_id=text(claims, "client_id"),
            scopes=frozenset((_text_or_none(claims, "scope") or "").split()),
            groups=_texts(claims, "cognito:groups"),
            issued_at=date(claims, "iat"),
            expires_at=date(claims, "exp"),
            auth_time=date_or_none(claims, "auth_time"),
            device_key=_text_or_none(claims, "device_key"),
            claims=claims,
        )


@attrs.frozen(kw_only=True)
class IdClaims:
    """What a verified ID token says.

    Args:
        sub: The user's id, which never changes and is never given to another one.
        username: Cognito's own name of the user.
        client_id: The app client that the token was issued to (`aud`).
        groups: The user's groups.
        issued_at: When the token was issued.
        expires_at: When it ends.
        auth_time: When the person signed in; a refresh does not change it.
        email: The e-mail address, if the app client may read it.
        email_verified: Whether the person has shown that it is theirs.
        phone_number: The phone number, if the app client may read it.
        phone_number_verified: Whether the person has shown that it is theirs.
        custom: The custom attributes, by their names without ``custom:``. Cognito writes all of them as text.
        claims: Everything that the token says: the other attributes, too.
    """

    sub: str
    username: str
    client_id: str
    groups: frozenset[str]
    issued_at: datetime
    expires_at: datetime
    auth_time: datetime | None
    email: str | None
    email_verified: bool
    phone_number: str | None
    phone_number_verified: bool
    custom: Mapping[str, str] = attrs.field(hash=False)
    claims: Claims = attrs.field(repr=False, hash=False)

    @classmethod
    def read(cls, claims: Claims) -> IdClaims:
        """The record of these claims.

        Raises:
            TokenInvalid: A claim is missing or has the wrong type. The message names it.
        """
        return cls(
            sub=text(claims, "sub"),
            username=text(claims, "cognito:username"),
            client_id=text(claims, "aud"),
            groups=_texts(claims, "cognito:groups"),
            issued_at=date(claims, "iat"),
            expires_at=date(claims, "exp"),
            auth_time=date_or_none(claims, "auth_time"),
            email=_text_or_none(claims, "email"),
            email_verified=_flag(claims, "email_verified"),
            phone_number=_text_or_none(claims, "phone_number"),
            phone_number_verified=_flag(claims, "phone_number_verified"),
            custom={
                name.removeprefix("custom:"): value
                for name, value in claims.items()
                if name.startswith("custom:") and isinstance(value, str)
            },
            claims=claims,
        )


def text(claims: Claims, name: str) -> str:
    """A claim that must be there, as text.

    Raises:
        TokenInvalid: It is not there, or is something else.
    """
    value = as_text(claims.get(name))
    if value is None:
        raise TokenInvalid(f"the token's claim {name} is missing or is not text")
    return value


def date(claims: Claims, name: str) -> datetime:
    """A claim that must be there, as a date. In the token it is a number of seconds since 1970 (RFC 7519).

    Raises:
        TokenInvalid: It is not there, or is something else.
    """
    seconds = claims.get(name)
    # In Python, True is a number, too; and JSON of Python knows NaN, which is neither early nor late.
    if isinstance(seconds, int | float) and not isinstance(seconds, bool):
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError):
            pass
    raise TokenInvalid(f"the token's claim {name} is missing or is not a date")


def date_or_none(claims: Claims, name: str) -> datetime | None:
    """A claim that may be missing, as a date.

    Raises:
        TokenInvalid: It is something else.
    """
    return date(claims, name) if name in claims else None


def _text_or_none(claims: Claims, name: str) -> str | None:
    return text(claims, name) if name in claims else None


def _texts(claims: Claims, name: str) -> frozenset[str]:
    values = as_list(claims.get(name, ()))
    if values is None or not all(isinstance(value, str) for value in values):
        raise TokenInvalid(f"the token's claim {name} is not a list of texts")
    return frozenset(map(str, values))


def _flag(claims: Claims, name: str) -> bool:
    # Attributes that come from another identity provider are texts.
    return claims.get(name) in (True, "true")
