"""TokenVerifier and AsyncTokenVerifier: whether a token is of this user pool, for this application, and now.

Rule of this file: a token is looked at in one order. Its header names RS256 and a key; the pool has that key;
the key has signed it; it is of this pool, of the kind that was asked for, and for one of the app clients; it
is valid now; it allows what is required. Nothing that it says is used before its signature was checked, but
which key that is.

Source: "Verifying JSON web tokens" in the Amazon Cognito developer guide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from threading import TIMEOUT_MAX

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from cognito_flow._tracebacks import without_locals
from cognito_flow.errors import NotPermitted, TokenExpired, TokenInvalid, UsageError
from cognito_flow.models import AppClient, System
from cognito_flow.tokens.claims import AccessClaims, IdClaims, date, date_or_none, text
from cognito_flow.tokens.keys import Fetch, KeySet, download

__all__ = ["AsyncTokenVerifier", "TokenVerifier"]

_ALGORITHM = "RS256"
_REGIONAL, _UPDATED = "https://cognito-idp.", "https://issuer-cognito-idp."


@without_locals
class _Verifier:
    """What both verifiers share: the settings, and every step but finding the key."""

    def __init__(
        self,
        app: AppClient,
        *,
        leeway: float = 30,
        client_ids: Iterable[str] | None = None,
        fetch: Fetch | None = None,
        timeout: float = 5,
        system: System | None = None,
    ) -> None:
        system = System() if system is None else system
        if not 0 <= leeway <= TIMEOUT_MAX or not 0 < timeout <= TIMEOUT_MAX:
            raise UsageError(
                "leeway and timeout are seconds: leeway at least 0, timeout more than 0, and neither for ever"
            )
        self._leeway = timedelta(seconds=leeway)
        self._client_ids = _set_of("client_ids", [app.client_id] if client_ids is None else client_ids)
        if not self._client_ids:
            raise UsageError("client_ids is empty: no token could ever be accepted")
        self._issuers = _issuers(app)
        self._now = system.now
        fetch = download(timeout) if fetch is None else fetch
        self._keys = KeySet(app.jwks_url, fetch, timeout, system.now)

    def _access(
        self, token: str, key: RSAPublicKey, scopes: Iterable[str], groups: Iterable[str]
    ) -> AccessClaims:
        claims = AccessClaims.read(self._believe(token, key, "access", "client_id"))
        _require("scopes", scopes, claims.scopes)
        _require("groups", groups, claims.groups)
        return claims

    def _id(self, token: str, key: RSAPublicKey, groups: Iterable[str]) -> IdClaims:
        claims = IdClaims.read(self._believe(token, key, "id", "aud"))
        _require("groups", groups, claims.groups)
        return claims

    def _believe(self, token: str, key: RSAPublicKey, use: str, audience: str) -> Mapping[str, object]:
        claims = _signed(token, key)
        if text(claims, "iss") not in self._issuers:
            raise TokenInvalid("the token is of another issuer")
        if text(claims, "token_use") != use:
            raise TokenInvalid(f"this is not a token of the kind {use}")
        if text(claims, audience) not in self._client_ids:
            raise TokenInvalid("the token was issued to another app client")
        self._check_times(claims)
        return claims

    def _check_times(self, claims: Mapping[str, object]) -> None:
        now = self._now()
        if now - date(claims, "exp") >= self._leeway:
            raise TokenExpired("the token has expired")
        for name in ("iat", "nbf"):
            begins = date_or_none(claims, name)
            if begins is not None and begins - now > self._leeway:
                raise TokenInvalid("the token is not valid yet: compare the clocks")


@without_locals
class TokenVerifier(_Verifier):
    """Tells whether tokens that were sent to this application are good. Make one, and keep it: it keeps the
    pool's keys.

    Nothing is asked of Cognito but the pool's public keys, so a token that was revoked is good until it ends.

    Args:
        app: The user pool, and the app client whose tokens are accepted.
        leeway: How far the clocks may be apart, in seconds.
        client_ids: The app clients whose tokens are accepted, in place of that of `app`.
        fetch: Gets the key set from its URL, in place of an HTTP client. It is called in a thread of its own.
        timeout: How long to wait for the keys, in seconds.
        system: The clock.

    Raises:
        UsageError: A number of seconds cannot be, or no app client is named.

    >>> import json
    >>> from cognito_flow import TokenVerifier, UserPasswordAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool()
    >>> user = pool.add_user("alice", "correct horse")
    >>> tokens = pool.flow().sign_in(UserPasswordAuth("alice", "correct horse")).tokens
    >>> verifier = TokenVerifier(pool.app, fetch=lambda url: json.dumps(pool.jwks()).encode())
    >>> verifier.verify_access(tokens.access_token).username
    'alice'
    >>> verifier.verify_access(tokens.id_token)
    Traceback (most recent call last):
    cognito_flow.errors.TokenInvalid: this is not a token of the kind access
    """

    def verify_access(
        self, token: str, *, scopes: Iterable[str] = (), groups: Iterable[str] = ()
    ) -> AccessClaims:
        """What an access token says.

        Args:
            token: The token, without ``Bearer``.
            scopes: The scopes that it must allow, all of them.
            groups: The groups that the user must be in, all of them.

        Raises:
            TokenInvalid: It is forged or damaged, of another pool, app client or kind, or not valid yet.
            TokenExpired: It was good once.
            NotPermitted: It is good, and lacks a scope or a group.
            TransportError: The pool's keys are needed and could not be fetched.
            UnexpectedResponse: The same, but something came that is no key set.
            UsageError: `scopes` or `groups` is one text.
        """
        return self._access(token, self._keys.find(_key_id(token)), scopes, groups)

    def verify_id(self, token: str, *, groups: Iterable[str] = ()) -> IdClaims:
        """What an ID token says.

        Args:
            token: The token.
            groups: The groups that the user must be in, all of them.

        Raises:
            CognitoFlowError: As `verify_access`.
        """
        return self._id(token, self._keys.find(_key_id(token)), groups)


@without_locals
class AsyncTokenVerifier(_Verifier):
    """`TokenVerifier` for asyncio: while the keys are fetched, the event loop goes on.

    It takes the same arguments. One of them may serve several event loops.
    """

    async def verify_access(
        self, token: str, *, scopes: Iterable[str] = (), groups: Iterable[str] = ()
    ) -> AccessClaims:
        """See `TokenVerifier.verify_access`."""
        return self._access(token, await self._keys.find_async(_key_id(token)), scopes, groups)

    async def verify_id(self, token: str, *, groups: Iterable[str] = ()) -> IdClaims:
        """See `TokenVerifier.verify_id`."""
        return self._id(token, await self._keys.find_async(_key_id(token)), groups)


def _issuers(app: AppClient) -> frozenset[str]:
    """What may stand in `iss`. A pool can be switched from the one form to the other at any time.

    Source: IssuerConfigurationType in the Amazon Cognito API reference.
    """
    issuers = {app.issuer}
    for form, other in ((_REGIONAL, _UPDATED), (_UPDATED, _REGIONAL)):
        if app.issuer.startswith(form):
            issuers.add(other + app.issuer.removeprefix(form))
    return frozenset(issuers)


def _key_id(token: str) -> str:
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise TokenInvalid("this is not a signed token") from None
    if header.get("alg") != _ALGORITHM:
        raise TokenInvalid(f"the token is not signed with {_ALGORITHM}")
    if "crit" in header:  # RFC 7515, section 4.1.11; older versions of PyJWT pass over it
        raise TokenInvalid("the token's header demands an extension that is not known here")
    return text(header, "kid")


def _signed(token: str, key: RSAPublicKey) -> Mapping[str, object]:
    # PyJWT could check more than the signature, but it knows only the system's clock. See `_believe`.
    try:
        claims: Mapping[str, object] = jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            options={
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "verify_aud": False,
                "verify_iss": False,
            },
        )
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise TokenInvalid("the token's signature does not match, or what is signed are no claims") from None
    return claims


def _set_of(name: str, values: Iterable[str]) -> frozenset[str]:
    if isinstance(values, str):
        raise UsageError(f"{name} is one text: give a list")
    return frozenset(values)


def _require(name: str, required: Iterable[str], present: frozenset[str]) -> None:
    missing = _set_of(name, required) - present
    if missing:
        raise NotPermitted(f"the token lacks {name} that are required: {', '.join(sorted(missing))}")
