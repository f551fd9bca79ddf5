"""TokenVerifier and AsyncTokenVerifier: accept a token only if a user pool issued it to this application.

Rule of this file: a token is checked in one order. It names RS256, a key and a pool that the application
accepts; the pool has that key; the key has signed the token; it was issued by that pool, is of the right
kind, and is for one of the app clients; it is valid now; it allows what is required; the application's own
check accepts it. Before the signature is verified, claims serve only to choose the key.

Source: "Verifying JSON web tokens" in the Amazon Cognito developer guide.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from inspect import isawaitable, iscoroutinefunction
from threading import TIMEOUT_MAX
from typing import Generic, TypeAlias, TypeVar

import attrs
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from cognito_flow._tracebacks import without_locals
from cognito_flow.errors import NotPermitted, TokenExpired, TokenInvalid, UsageError
from cognito_flow.models import AppClient, System
from cognito_flow.tokens.claims import AccessClaims, IdClaims, date_or_none, text
from cognito_flow.tokens.keys import Fetch, KeySet, fetch_over_http
from cognito_flow.tokens.requirements import Required

Check: TypeAlias = Callable[[AccessClaims | IdClaims], bool]
AsyncCheck: TypeAlias = Callable[[AccessClaims | IdClaims], bool | Awaitable[bool]]

_ALGORITHM = "RS256"
_RS256 = RSAAlgorithm(RSAAlgorithm.SHA256)
_LEEWAY, _TIMEOUT = 30, 5  # seconds
_REGIONAL, _UPDATED = "https://cognito-idp.", "https://issuer-cognito-idp."

_Claims = TypeVar("_Claims", AccessClaims, IdClaims)


@attrs.frozen
class _Kind(Generic[_Claims]):
    """A kind of token: its `token_use`, the claim that holds the app client's id, and how it is read."""

    use: str
    audience: str
    read: Callable[[Mapping[str, object]], _Claims]


_ACCESS = _Kind("access", "client_id", AccessClaims.read)
_ID = _Kind("id", "aud", IdClaims.read)


@attrs.frozen
class _Pool:
    """A user pool, and the app clients of it whose tokens are accepted."""

    issuer: str
    client_ids: set[str]
    keys: KeySet


@attrs.frozen
class _Unverified:
    """A token that was decoded, but not verified: nothing in it is proven.

    Args:
        claims: What it claims.
        signed: The bytes that the signature is over.
        signature: The signature.
        kid: The id of the key that it names.
        pool: The pool that it names.
    """

    claims: Mapping[str, object] = attrs.field(repr=False)
    signed: bytes = attrs.field(repr=False)
    signature: bytes = attrs.field(repr=False)
    kid: str
    pool: _Pool = attrs.field(repr=False)

    def verified(self, key: RSAPublicKey) -> Mapping[str, object]:
        """Return the claims, if this key has signed them.

        Raises:
            TokenInvalid: It has not.
        """
        if not _RS256.verify(self.signed, key, self.signature):
            raise TokenInvalid("the token's signature does not match")
        return self.claims


@without_locals
class _Verifier:
    """What both verifiers share: the settings, and every step but waiting for the keys."""

    def __init__(
        self,
        app: AppClient | Iterable[AppClient],
        *,
        leeway: float = _LEEWAY,
        fetch: Fetch | None = None,
        timeout: float = _TIMEOUT,
        system: System | None = None,
    ) -> None:
        self._now = (System() if system is None else system).now
        if not 0 <= leeway <= TIMEOUT_MAX or not 0 < timeout <= TIMEOUT_MAX:
            raise UsageError("leeway and timeout must be finite numbers of seconds: leeway >= 0, timeout > 0")
        self._leeway = timedelta(seconds=leeway)
        fetch = fetch_over_http(timeout) if fetch is None else fetch
        self._pools: dict[str, _Pool] = {}  # by each of their issuers
        for each in _apps(app):
            pool = self._pools.get(each.issuer)
            if pool is None:
                keys = KeySet(each.jwks_url, fetch, timeout, self._now)
                pool = _Pool(each.issuer, set(), keys)
                self._pools.update(dict.fromkeys(_issuers(each), pool))
            elif each.issuer == pool.issuer and each.jwks_url != pool.keys.url:
                raise UsageError(
                    f"the keys of {pool.issuer} are fetched from one URL: give its app clients the same"
                    " jwks_url, or the same endpoint_url"
                )
            pool.client_ids.add(each.client_id)

    def _key_sets(self) -> list[KeySet]:
        return list({id(pool): pool.keys for pool in self._pools.values()}.values())

    def _decode(self, token: str) -> _Unverified:
        """Decode a token once: decoding costs more than verifying the signature."""
        if not isinstance(token, str):  # pyright: ignore[reportUnnecessaryIsInstance] - PyJWT takes bytes, too
            raise TokenInvalid("this is not a signed token: it must be a str")
        try:
            decoded = jwt.decode_complete(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise TokenInvalid("this is not a signed token") from None
        header, claims = decoded["header"], decoded["payload"]
        if header.get("alg") != _ALGORITHM:
            raise TokenInvalid(f"the token is not signed with {_ALGORITHM}")
        if "crit" in header:  # RFC 7515, section 4.1.11; older versions of PyJWT ignore it
            raise TokenInvalid("the token's header requires an extension that is not supported")
        pool = self._pools.get(text(claims, "iss"))
        if pool is None:
            raise TokenInvalid("the token is from another issuer")
        signed, _, signature = token.encode().rpartition(b".")
        if urlsafe_b64encode(decoded["signature"]).rstrip(b"=") != signature:  # PyJWT takes padding
            raise TokenInvalid("this is not a signed token")
        return _Unverified(claims, signed, decoded["signature"], text(header, "kid"), pool)

    def _read(
        self, token: _Unverified, kind: _Kind[_Claims], required: Required, key: RSAPublicKey
    ) -> _Claims:
        claims = token.verified(key)  # whose `iss`, which chose the pool, is thereby proven
        if text(claims, "token_use") != kind.use:
            raise TokenInvalid(f"the token's token_use is not {kind.use!r}")
        if text(claims, kind.audience) not in token.pool.client_ids:
            raise TokenInvalid("the token was issued to another app client")
        read, now = kind.read(claims), self._now()
        self._check_times(read, date_or_none(claims, "nbf"), now)
        required.check(read, now, self._leeway)
        return read

    def _check_times(
        self, claims: AccessClaims | IdClaims, not_before: datetime | None, now: datetime
    ) -> None:
        if now - claims.expires_at >= self._leeway:
            raise TokenExpired("the token has expired")
        for begins in (claims.issued_at, not_before):
            if begins is not None and begins - now > self._leeway:
                raise TokenInvalid("the token is not valid yet: compare the clocks")


@without_locals
class TokenVerifier(_Verifier):
    """Verifies the tokens that are sent to an application. Create one and keep it: it caches the pools' keys.

    Cognito is only asked for the pools' public keys, so a revoked token is accepted until it expires.

    Args:
        app: The app client whose tokens are accepted, or several of them, of one user pool or of several.
        leeway: How far the clocks may differ, in seconds.
        check: The application's own rule, called with the claims of a token that passed all other checks. The
            token is accepted only if it returns True. It may also raise an error of its own.
        fetch: Returns the document at a URL, in place of the built-in HTTP client. It is called in a thread
            of its own.
        timeout: How long to wait for the keys, in seconds.
        system: The clock.

    Raises:
        UsageError: There is no app client, those of one user pool differ in where its keys are, a number of
            seconds is out of range, or `check` is a coroutine function.

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
    cognito_flow.errors.TokenInvalid: the token's token_use is not 'access'
    """

    def __init__(
        self,
        app: AppClient | Iterable[AppClient],
        *,
        leeway: float = _LEEWAY,
        check: Check | None = None,
        fetch: Fetch | None = None,
        timeout: float = _TIMEOUT,
        system: System | None = None,
    ) -> None:
        if iscoroutinefunction(check):
            raise UsageError("check is a coroutine function: use AsyncTokenVerifier")
        super().__init__(app, leeway=leeway, fetch=fetch, timeout=timeout, system=system)
        self._check = check

    def verify_access(
        self,
        token: str,
        *,
        scopes: Iterable[str] = (),
        groups: Iterable[str] = (),
        any_of: bool = False,
        acr_values: Iterable[str] = (),
        amr: Iterable[str] = (),
        max_age: float | None = None,
        audience: str | None = None,
    ) -> AccessClaims:
        """Return the claims of an access token, if it is valid and allows what is required.

        Args:
            token: The token, without ``Bearer``.
            scopes: The scopes that it must have.
            groups: The groups that the user must be in.
            any_of: Whether one of the scopes and one of the groups are enough.
            acr_values: Levels of authentication, such as ``urn:cognito:loa:2``: the sign-in must have had one
                of them.
            amr: Methods of authentication, such as ``mfa``: the sign-in must have used all of them.
            max_age: How long ago the user may have signed in, in seconds. A refresh is not a sign-in.
            audience: The service that the token must have been issued for, by a token exchange.

        Raises:
            TokenInvalid: It is forged or damaged, of another pool, app client or kind, or not valid yet.
            TokenExpired: It has expired: the client should refresh it.
            NotPermitted: It is valid, but lacks a scope or a group, or `check` did not accept it.
            StepUpRequired: It is valid, but the user must sign in again: `acr_values`, `amr` or `max_age` is
                not met.
            TransportError: The pool's keys are needed and could not be fetched.
            UnexpectedResponse: The pool's keys are needed, and the response was not a JWKS.
            UsageError: A list of strings is a str, or `max_age` is out of range.
        """
        required = Required.read(
            scopes=scopes,
            groups=groups,
            any_of=any_of,
            acr_values=acr_values,
            amr=amr,
            max_age=max_age,
            audience=audience,
        )
        return self._verify(token, _ACCESS, required)

    def verify_id(
        self,
        token: str,
        *,
        groups: Iterable[str] = (),
        any_of: bool = False,
        acr_values: Iterable[str] = (),
        amr: Iterable[str] = (),
        max_age: float | None = None,
    ) -> IdClaims:
        """Return the claims of an ID token, if it is valid and allows what is required.

        Args:
            token: The token.
            groups: See `verify_access`.
            any_of: See `verify_access`.
            acr_values: See `verify_access`.
            amr: See `verify_access`.
            max_age: See `verify_access`.

        Raises:
            CognitoFlowError: See `verify_access`.
        """
        required = Required.read(
            groups=groups, any_of=any_of, acr_values=acr_values, amr=amr, max_age=max_age
        )
        return self._verify(token, _ID, required)

    def prefetch(self) -> None:
        """Fetch the keys of all pools now, for example when the service starts.

        Raises:
            TransportError: Keys could not be fetched.
            UnexpectedResponse: A response was not a JWKS.
        """
        for keys in self._key_sets():
            keys.prefetch()

    def _verify(self, token: str, kind: _Kind[_Claims], required: Required) -> _Claims:
        unverified = self._decode(token)
        claims = self._read(unverified, kind, required, unverified.pool.keys.find(unverified.kid))
        if self._check is not None:
            _accept(self._check(claims))
        return claims


@without_locals
class AsyncTokenVerifier(_Verifier):
    """`TokenVerifier` for asyncio: the event loop keeps running while the keys are fetched.

    It takes the same arguments; `check` may be a coroutine function. One verifier may serve several event
    loops.

    >>> import asyncio
    >>> from cognito_flow import UserPasswordAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool()
    >>> user = pool.add_user("alice", "correct horse")
    >>> tokens = pool.flow().sign_in(UserPasswordAuth("alice", "correct horse")).tokens
    >>> verifier = pool.async_verifier()  # for your own pool: AsyncTokenVerifier(app)
    >>> asyncio.run(verifier.verify_access(tokens.access_token)).username
    'alice'
    """

    def __init__(
        self,
        app: AppClient | Iterable[AppClient],
        *,
        leeway: float = _LEEWAY,
        check: AsyncCheck | None = None,
        fetch: Fetch | None = None,
        timeout: float = _TIMEOUT,
        system: System | None = None,
    ) -> None:
        super().__init__(app, leeway=leeway, fetch=fetch, timeout=timeout, system=system)
        self._check = check

    async def verify_access(
        self,
        token: str,
        *,
        scopes: Iterable[str] = (),
        groups: Iterable[str] = (),
        any_of: bool = False,
        acr_values: Iterable[str] = (),
        amr: Iterable[str] = (),
        max_age: float | None = None,
        audience: str | None = None,
    ) -> AccessClaims:
        """Return the claims of an access token, if it is valid and allows what is required.

        Args:
            token: The token, without ``Bearer``.
            scopes: The scopes that it must have.
            groups: The groups that the user must be in.
            any_of: Whether one of the scopes and one of the groups are enough.
            acr_values: Levels of authentication, such as ``urn:cognito:loa:2``: the sign-in must have had one
                of them.
            amr: Methods of authentication, such as ``mfa``: the sign-in must have used all of them.
            max_age: How long ago the user may have signed in, in seconds. A refresh is not a sign-in.
            audience: The service that the token must have been issued for, by a token exchange.

        Raises:
            TokenInvalid: It is forged or damaged, of another pool, app client or kind, or not valid yet.
            TokenExpired: It has expired: the client should refresh it.
            NotPermitted: It is valid, but lacks a scope or a group, or `check` did not accept it.
            StepUpRequired: It is valid, but the user must sign in again: `acr_values`, `amr` or `max_age` is
                not met.
            TransportError: The pool's keys are needed and could not be fetched.
            UnexpectedResponse: The pool's keys are needed, and the response was not a JWKS.
            UsageError: A list of strings is a str, or `max_age` is out of range.
        """
        required = Required.read(
            scopes=scopes,
            groups=groups,
            any_of=any_of,
            acr_values=acr_values,
            amr=amr,
            max_age=max_age,
            audience=audience,
        )
        return await self._verify(token, _ACCESS, required)

    async def verify_id(
        self,
        token: str,
        *,
        groups: Iterable[str] = (),
        any_of: bool = False,
        acr_values: Iterable[str] = (),
        amr: Iterable[str] = (),
        max_age: float | None = None,
    ) -> IdClaims:
        """Return the claims of an ID token, if it is valid and allows what is required.

        Args:
            token: The token.
            groups: See `verify_access`.
            any_of: See `verify_access`.
            acr_values: See `verify_access`.
            amr: See `verify_access`.
            max_age: See `verify_access`.

        Raises:
            CognitoFlowError: See `verify_access`.
        """
        required = Required.read(
            groups=groups, any_of=any_of, acr_values=acr_values, amr=amr, max_age=max_age
        )
        return await self._verify(token, _ID, required)

    async def prefetch(self) -> None:
        """Fetch the keys of all pools now, for example when the service starts.

        Raises:
            TransportError: Keys could not be fetched.
            UnexpectedResponse: A response was not a JWKS.
        """
        for keys in self._key_sets():
            await keys.prefetch_async()

    async def _verify(self, token: str, kind: _Kind[_Claims], required: Required) -> _Claims:
        unverified = self._decode(token)
        key = await unverified.pool.keys.find_async(unverified.kid)
        claims = self._read(unverified, kind, required, key)
        if self._check is not None:
            verdict = self._check(claims)
            _accept(await verdict if isawaitable(verdict) else verdict)
        return claims


def _apps(app: AppClient | Iterable[AppClient]) -> list[AppClient]:
    apps = [app] if isinstance(app, AppClient) else list(app)
    if not apps or not all(isinstance(each, AppClient) for each in apps):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
        raise UsageError("a verifier needs an AppClient, or a list of at least one of them")
    return apps


def _issuers(app: AppClient) -> frozenset[str]:
    """The values of `iss` in this pool's tokens. A pool can be switched from one form to the other at any
    time.

    Source: IssuerConfigurationType in the Amazon Cognito API reference.
    """
    issuers = {app.issuer}
    for form, other in ((_REGIONAL, _UPDATED), (_UPDATED, _REGIONAL)):
        if app.issuer.startswith(form):
            issuers.add(other + app.issuer.removeprefix(form))
    return frozenset(issuers)


def _accept(verdict: object) -> None:
    if verdict is not True:  # a check that forgets to return, or to be awaited, must not accept every token
        raise NotPermitted("the application's own check does not accept the token")
