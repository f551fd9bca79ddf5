"""AlbVerifier: the claims that an Application Load Balancer passes on after it signed a user in.

Rule of this file: a token is checked in one order. Its header names ES256, a key and a load balancer that the
application accepts; the load balancers of the region have that key; the key has signed the token; it is for
this app client of this pool; it is valid now.

Source: "Authenticate users using an Application Load Balancer" in the Elastic Load Balancing user guide.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any

import attrs
import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from cognito_flow._tracebacks import without_locals
from cognito_flow.errors import TokenExpired, TokenInvalid, TransportError, UnexpectedResponse, UsageError
from cognito_flow.models import AppClient, System
from cognito_flow.tokens._elapsed import has_elapsed
from cognito_flow.tokens.claims import date, text
from cognito_flow.tokens.keys import Fetch, fetch_over_http
from cognito_flow.tokens.requirements import set_of

__all__ = ["AlbClaims", "AlbVerifier", "AsyncAlbVerifier"]

_ARN = re.compile(r"arn:aws:elasticloadbalancing:([a-z0-9-]+):\d{12}:loadbalancer/app/[\w/-]+", re.ASCII)
_KEY_ID = re.compile(r"[0-9A-Za-z-]{1,64}", re.ASCII)  # it becomes part of a URL
_PAUSE = timedelta(seconds=10)  # after a key id that does not exist, which a sender can make up


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
        fetch: Returns the document at a URL, in place of the built-in HTTP client.
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
        self._base = f"https://public-keys.auth.elb.{regions.pop()}.amazonaws.com"
        self._leeway = timedelta(seconds=leeway)
        self._fetch = fetch_over_http(timeout) if fetch is None else fetch
        self._now = (System() if system is None else system).now
        self._keys: dict[str, EllipticCurvePublicKey] = {}
        self._failed_at: datetime | None = None
        self._lock = threading.Lock()

    def verify(self, data: str) -> AlbClaims:
        """Return the claims in the header ``x-amzn-oidc-data``.

        Args:
            data: The value of the header.

        Raises:
            TokenInvalid: It is forged or damaged, or of another load balancer, pool or app client.
            TokenExpired: It has expired.
            TransportError: The key could not be fetched.
        """
        try:
            header = jwt.get_unverified_header(data)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise TokenInvalid("this is not a signed token") from None
        if header.get("alg") != "ES256" or "crit" in header:
            raise TokenInvalid("the token is not signed with ES256")
        if text(header, "signer") not in self._arns:
            raise TokenInvalid("the token is from another load balancer")
        claims = self._signed(data, self._key(text(header, "kid")))
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

    def _key(self, kid: str) -> EllipticCurvePublicKey:
        if not _KEY_ID.fullmatch(kid):
            raise TokenInvalid("the token's kid is not that of a load balancer")
        with self._lock:
            if kid not in self._keys:
                if not has_elapsed(_PAUSE, since=self._failed_at, now=self._now()):
                    raise TokenInvalid("the token is not signed with a key of the load balancers")
                self._keys[kid] = self._fetch_key(kid)
            return self._keys[kid]

    def _fetch_key(self, kid: str) -> EllipticCurvePublicKey:
        url = f"{self._base}/{kid}"
        try:
            key = load_pem_public_key(self._fetch(url))
        except (UnexpectedResponse, ValueError):
            key = None
        except (OSError, HTTPException) as error:
            message = f"the key at {url} could not be fetched: {type(error).__name__}"
            raise TransportError(message, retryable=True) from error
        if not isinstance(key, EllipticCurvePublicKey):
            self._failed_at = self._now()
            raise TokenInvalid("the token is not signed with a key of the load balancers")
        return key


class AsyncAlbVerifier:
    """`AlbVerifier` for asyncio: it verifies in a thread, because a key may have to be fetched.

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
        return await asyncio.to_thread(self._verifier.verify, data)
