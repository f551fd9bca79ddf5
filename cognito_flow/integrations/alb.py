"""AlbVerifier: the claims that an Application Load Balancer passes on after it signed a user in.

Rules of this file:

- A token is checked in one order. Its header names ES256, a key and a load balancer that the application
  accepts; the load balancers of the region have that key; the key has signed the token; it is for this app
  client of this pool; it is valid now.
- A token of a cached key never waits. A key is fetched once, however many tokens name it, and after a fetch
  that failed there is a pause: a sender can make up key ids.

Source: "Authenticate users using an Application Load Balancer" in the Elastic Load Balancing user guide.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from datetime import datetime, timedelta
from typing import Any

import attrs
import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from cognito_flow._process_lock import ProcessLock
from cognito_flow._tracebacks import clear_locals, without_locals
from cognito_flow.errors import (
    CognitoFlowError,
    TokenExpired,
    TokenInvalid,
    TransportError,
    UnexpectedResponse,
    UsageError,
)
from cognito_flow.models import AppClient, System
from cognito_flow.tokens._elapsed import has_elapsed
from cognito_flow.tokens.claims import date, text
from cognito_flow.tokens.keys import Fetch, fetch_over_http
from cognito_flow.tokens.requirements import set_of

__all__ = ["AlbClaims", "AlbVerifier", "AsyncAlbVerifier"]

_ARN = re.compile(r"arn:aws:elasticloadbalancing:([a-z0-9-]+):\d{12}:loadbalancer/app/[\w/-]+", re.ASCII)
_KEY_ID = re.compile(r"[0-9A-Za-z-]{1,64}", re.ASCII)  # it becomes part of a URL
_PAUSE = timedelta(seconds=10)  # after a key id that does not exist, which a sender can make up
_PAUSE_WITHOUT_ANSWER = timedelta(seconds=1)  # after a key that could not be fetched


@attrs.frozen(kw_only=True)
class AlbClaims:
    """The claims in the header ``x-amzn-oidc-data``. They come from the pool's user info.

    Args:
        sub: The user's id.
        username: Cognito's own name of the user.
        load_balancer_arn: The load balancer that passed them on.
        expires_at: When the token expires, some minutes after it was signed.
        claims: Every claim of the token.
    """

    sub: str
    username: str
    load_balancer_arn: str
    expires_at: datetime
    claims: Mapping[str, object] = attrs.field(repr=False, hash=False)


@without_locals
class AlbVerifier:
    """Verifies the header ``x-amzn-oidc-data``. Create one and keep it: it caches the keys.

    The access token in the header ``x-amzn-oidc-accesstoken`` is the pool's own: `TokenVerifier` verifies it.

    Args:
        app: The app client that the load balancer signs users in with.
        load_balancer_arns: The load balancers whose tokens are accepted, all of one region of the partition
            ``aws``.
        leeway: How far the clocks may differ, in seconds.
        fetch: Returns the document at a URL, in place of the built-in HTTP client. If it raises an exception
            of its own, `verify` raises `TransportError`.
        timeout: How long to wait for a key, in seconds.
        system: The clock.

    Raises:
        UsageError: A load balancer's ARN is malformed, or there is none, or they are of several regions.

    >>> from cognito_flow import AppClient
    >>> from cognito_flow.integrations.alb import AlbVerifier
    >>> arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188"
    >>> verifier = AlbVerifier(AppClient("eu-west-1_AbC123", "client-id"), [arn])
    """

    def __init__(
        self,
        app: AppClient,
        load_balancer_arns: Iterable[str],
        *,
        leeway: float = 30,
        fetch: Fetch | None = None,
        timeout: float = 5,
        system: System | None = None,
    ) -> None:
        self._app, self._arns = app, set_of("load_balancer_arns", load_balancer_arns)
        found = [_ARN.fullmatch(arn) for arn in self._arns]
        regions = {match[1] for match in found if match is not None}
        if None in found or len(regions) != 1:
            raise UsageError("load_balancer_arns must be ARNs of application load balancers of one region")
        self._leeway = timedelta(seconds=leeway)
        self._now = (System() if system is None else system).now
        base = f"https://public-keys.auth.elb.{regions.pop()}.amazonaws.com"
        self._keys = _Keys(base, fetch_over_http(timeout) if fetch is None else fetch, self._now)

    def verify(self, data: str) -> AlbClaims:
        """Return the claims in the header ``x-amzn-oidc-data``.

        Args:
            data: The value of the header.

        Raises:
            TokenInvalid: It is forged or damaged, or of another load balancer, pool or app client.
            TokenExpired: It has expired.
            TransportError: The key could not be fetched.
        """
        header = _header(data)
        if header.get("alg") != "ES256" or "crit" in header:
            raise TokenInvalid("the token is not signed with ES256")
        if text(header, "signer") not in self._arns:
            raise TokenInvalid("the token is from another load balancer")
        claims = self._signed(data, self._keys.find(text(header, "kid")))
        if text(header, "iss") != self._app.issuer or text(header, "client") != self._app.client_id:
            raise TokenInvalid("the token is of another user pool or app client")
        expires_at = date(header, "exp")
        if self._now() - expires_at >= self._leeway:
            raise TokenExpired("the token has expired")
        return AlbClaims(
            sub=text(claims, "sub"),
            username=text(claims, "username"),
            load_balancer_arn=header["signer"],
            expires_at=expires_at,
            claims=claims,
        )

    def _signed(self, data: str, key: EllipticCurvePublicKey) -> Mapping[str, object]:
        unchecked = dict.fromkeys(
            ("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss"), False
        )
        options: Any = unchecked  # PyJWT knows only the system's clock
        try:
            claims: Mapping[str, object] = jwt.decode(data, key, algorithms=["ES256"], options=options)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise TokenInvalid("the token's signature does not match, or its claims cannot be read") from None
        return claims

    def _needs_fetch(self, data: str) -> bool:
        return _header(data).get("kid") not in self._keys.cached


@attrs.frozen
class _Failure:
    """A fetch that failed, and for how long its error is raised for every key that is not cached."""

    error: CognitoFlowError
    at: datetime
    pause: timedelta


@attrs.define
class _Keys:
    """The keys of a region's load balancers, each of which is published at a URL of its own.

    Args:
        base: What the URLs begin with.
        fetch: Returns the document at a URL.
        now: Returns the current time.
    """

    base: str
    fetch: Fetch
    now: Callable[[], datetime]
    cached: dict[str, EllipticCurvePublicKey] = attrs.field(
        factory=dict[str, EllipticCurvePublicKey], init=False
    )
    _fetching: dict[str, ProcessLock] = attrs.field(factory=dict[str, ProcessLock], init=False)
    _failure: _Failure | None = attrs.field(default=None, init=False)

    def find(self, kid: str) -> EllipticCurvePublicKey:
        """Return the key with this id, fetching it if it is not cached.

        Raises:
            TokenInvalid: There is no such key.
            TransportError: It could not be fetched.
        """
        key = self.cached.get(kid)
        if key is not None:
            return key
        if not _KEY_ID.fullmatch(kid):
            raise TokenInvalid("the token's kid is not that of a load balancer")
        with self._fetching.setdefault(kid, ProcessLock()).of_this_process:
            try:
                return self.cached.get(kid) or self._find_new(kid)
            finally:
                self._fetching.pop(kid, None)

    def _find_new(self, kid: str) -> EllipticCurvePublicKey:
        failure = self._failure
        if failure is None or has_elapsed(failure.pause, since=failure.at, now=self.now()):
            found = self._load(f"{self.base}/{kid}")
            if not isinstance(found, CognitoFlowError):
                self.cached[kid] = found
                return found
            pause = _PAUSE if isinstance(found, TokenInvalid) else _PAUSE_WITHOUT_ANSWER
            failure = self._failure = _Failure(found, self.now(), pause)
        # Each caller gets an error of its own: a traceback is added to it.
        raise copy(failure.error) from failure.error.__cause__

    def _load(self, url: str) -> EllipticCurvePublicKey | CognitoFlowError:
        unknown = TokenInvalid("the token is not signed with a key of the load balancers")
        try:
            document = self.fetch(url)
        except UnexpectedResponse:
            return unknown
        except CognitoFlowError as error:
            clear_locals(error)
            return error
        except Exception as error:  # noqa: BLE001 - the application's `fetch` may raise anything
            message = f"the key at {url} could not be fetched: {type(error).__name__}"
            failure = TransportError(message, retryable=True)
            failure.__cause__ = error
            clear_locals(failure)  # whose frames would keep the connection open
            return failure
        try:
            key = load_pem_public_key(document)
        except (ValueError, UnsupportedAlgorithm):
            return unknown
        return key if isinstance(key, EllipticCurvePublicKey) else unknown


def _header(data: str) -> dict[str, Any]:
    try:
        return jwt.get_unverified_header(data)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise TokenInvalid("this is not a signed token") from None


class AsyncAlbVerifier:
    """`AlbVerifier` for asyncio: keys are fetched in a thread.

    Args:
        verifier: The verifier.
    """

    def __init__(self, verifier: AlbVerifier) -> None:
        self._verifier = verifier

    async def verify(self, data: str) -> AlbClaims:
        """Return the claims in the header ``x-amzn-oidc-data``.

        Args:
            data: The value of the header.

        Raises:
            TokenInvalid: It is forged or damaged, or of another load balancer, pool or app client.
            TokenExpired: It has expired.
            TransportError: The key could not be fetched.
        """
        # A token of a cached key does not need a thread, all of which may be waiting for other keys.
        if self._verifier._needs_fetch(data):  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - its twin
            return await asyncio.to_thread(self._verifier.verify, data)
        return self._verifier.verify(data)
