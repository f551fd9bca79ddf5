"""Records of the claims in an access token and an ID token.

Rule of this file: it reads claims and checks their types. Whether the token is genuine was verified before.

Source: "Understanding the access token" and "Understanding the identity (ID) token" in the Amazon Cognito
developer guide; RFC 8176 for `amr`; RFC 8693, section 4.1, for `act`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeAlias

import attrs

from cognito_flow._json import as_list, as_object
from cognito_flow.errors import TokenInvalid

Claims: TypeAlias = Mapping[str, object]

_MAX_ACTORS = 16  # in one chain of actors, so that reading, comparing and printing it has an end


@attrs.frozen(kw_only=True)
class Actor:
    """Who uses a token on behalf of its subject, for example an agent that acts for a user.

    Args:
        sub: The actor's id.
        claims: Everything that the token says of the actor.
        actor: Who used the token before this actor. Do not grant access because of it: RFC 8693 calls these
            actors informational.
    """

    sub: str
    claims: Claims = attrs.field(repr=False, hash=False)
    actor: Actor | None = None

    @classmethod
    def read(cls, value: object) -> Actor:
        """Return the record of an `act` claim.

        Raises:
            TokenInvalid: It is not an object with a `sub`, or an actor in it is not.
        """
        return cls._read(value, _MAX_ACTORS)

    @classmethod
    def _read(cls, value: object, allowed: int) -> Actor:
        claims = as_object(value)
        if claims is None or not allowed:
            raise TokenInvalid(f"the token's claim act is not an object with at most {_MAX_ACTORS} actors")
        earlier = cls._read(claims["act"], allowed - 1) if "act" in claims else None
        return cls(sub=text(claims, "sub"), claims=claims, actor=earlier)


@attrs.frozen(kw_only=True)
class AccessClaims:
    """The claims of a verified access token.

    Args:
        sub: The user's id, which never changes and is never reused; in a token of the client credentials
            grant the app client's id.
        username: Cognito's own name of the user; None in a token of the client credentials grant.
        client_id: The app client that the token was issued to.
        audience: The services that the token is for, if it came from a token exchange that named one.
        scopes: What the token allows. A sign-in without managed login gives only
            ``aws.cognito.signin.user.admin``.
        groups: The user's groups.
        issued_at: When the token was issued.
        expires_at: When it expires.
        auth_time: When the user signed in; a refresh does not change it.
        acr: The level of the authentication, such as ``urn:cognito:loa:2``, if the pool is configured for it.
        amr: The methods of the authentication, such as ``pwd``, ``otp`` and ``mfa``; empty if the pool does
            not say.
        actor: Who uses the token on the user's behalf, if it came from a token exchange.
        device_key: The remembered device that the user signed in with.
        claims: Every claim of the token.

    >>> from cognito_flow import UserPasswordAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool()
    >>> user = pool.add_user("alice", "correct horse")
    >>> tokens = pool.flow().sign_in(UserPasswordAuth("alice", "correct horse")).tokens
    >>> claims = pool.verifier().verify_access(tokens.access_token)
    >>> claims.username, sorted(claims.scopes)
    ('alice', ['aws.cognito.signin.user.admin'])
    """

    sub: str
    username: str | None
    client_id: str
    audience: frozenset[str]
    scopes: frozenset[str]
    groups: frozenset[str]
    issued_at: datetime
    expires_at: datetime
    auth_time: datetime | None
    acr: str | None
    amr: frozenset[str]
    actor: Actor | None
    device_key: str | None
    claims: Claims = attrs.field(repr=False, hash=False)

    @classmethod
    def read(cls, claims: Claims) -> AccessClaims:
        """Return the record of these claims.

        Raises:
            TokenInvalid: A claim is missing or has the wrong type. The message names it.
        """
        return cls(
            sub=text(claims, "sub"),
            username=_text_or_none(claims, "username"),
            client_id=text(claims, "client_id"),
            audience=_audience(claims),
            scopes=frozenset((_text_or_none(claims, "scope") or "").split()),
            groups=_texts(claims, "cognito:groups"),
            issued_at=date(claims, "iat"),
            expires_at=date(claims, "exp"),
            auth_time=date_or_none(claims, "auth_time"),
            acr=_text_or_none(claims, "acr"),
            amr=_texts(claims, "amr"),
            actor=Actor.read(claims["act"]) if "act" in claims else None,
            device_key=_text_or_none(claims, "device_key"),
            claims=claims,
        )


@attrs.frozen(kw_only=True)
class IdClaims:
    """The claims of a verified ID token.

    Args:
        sub: The user's id, which never changes and is never reused.
        username: Cognito's own name of the user.
        client_id: The app client that the token was issued to (`aud`).
        groups: The user's groups.
        issued_at: When the token was issued.
        expires_at: When it expires.
        auth_time: When the user signed in; a refresh does not change it.
        acr: The level of the authentication. See `AccessClaims`.
        amr: The methods of the authentication. See `AccessClaims`.
        actor: Who uses the token on the user's behalf. See `AccessClaims`.
        email: The e-mail address, if the app client may read it.
        email_verified: Whether the user has verified it.
        phone_number: The phone number, if the app client may read it.
        phone_number_verified: Whether the user has verified it.
        custom: The custom attributes, by their names without ``custom:``. Cognito writes all of them as text.
        claims: Every claim of the token, including other attributes.
    """

    sub: str
    username: str
    client_id: str
    groups: frozenset[str]
    issued_at: datetime
    expires_at: datetime
    auth_time: datetime | None
    acr: str | None
    amr: frozenset[str]
    actor: Actor | None
    email: str | None
    email_verified: bool
    phone_number: str | None
    phone_number_verified: bool
    custom: Mapping[str, str] = attrs.field(hash=False)
    claims: Claims = attrs.field(repr=False, hash=False)

    @classmethod
    def read(cls, claims: Claims) -> IdClaims:
        """Return the record of these claims.

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
            acr=_text_or_none(claims, "acr"),
            amr=_texts(claims, "amr"),
            actor=Actor.read(claims["act"]) if "act" in claims else None,
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
    """Return a required claim as text.

    Raises:
        TokenInvalid: It is missing or not text.
    """
    value = claims.get(name)
    if not isinstance(value, str):
        raise TokenInvalid(f"the token's claim {name} is missing or is not text")
    return value


def date(claims: Claims, name: str) -> datetime:
    """Return a required claim as a date. In the token it is a number of seconds since 1970 (RFC 7519).

    Raises:
        TokenInvalid: It is missing or not such a number.
    """
    seconds = claims.get(name)
    # In Python, True is a number, and NaN, which Python's JSON accepts, is neither early nor late.
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool):  # faster than int | float
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError):
            pass
    raise TokenInvalid(f"the token's claim {name} is missing or is not a date")


def date_or_none(claims: Claims, name: str) -> datetime | None:
    """Return an optional claim as a date.

    Raises:
        TokenInvalid: It is something else.
    """
    return date(claims, name) if name in claims else None


def _text_or_none(claims: Claims, name: str) -> str | None:
    return text(claims, name) if name in claims else None


def _texts(claims: Claims, name: str) -> frozenset[str]:
    if name not in claims:
        return frozenset()
    values = as_list(claims[name])
    if values is None or not all(isinstance(value, str) for value in values):
        raise TokenInvalid(f"the token's claim {name} is not a list of strings")
    return frozenset(map(str, values))


def _audience(claims: Claims) -> frozenset[str]:
    """The claim aud, which is one string or a list of them (RFC 7519, section 4.1.3)."""
    return frozenset({text(claims, "aud")}) if isinstance(claims.get("aud"), str) else _texts(claims, "aud")


def _flag(claims: Claims, name: str) -> bool:
    # Attributes that come from another identity provider are strings.
    return claims.get(name) in (True, "true")
