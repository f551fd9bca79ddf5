"""The records that applications see: the app client, tokens, devices, events.

Rule of this file: frozen records only. They check themselves when they are made, and do no I/O.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Literal, Self, TypeAlias, cast

import attrs

from cognito_flow._json import as_object, as_text, is_encodable
from cognito_flow._jwt import unverified_claims, unverified_moment
from cognito_flow._tracebacks import without_locals
from cognito_flow.errors import UsageError

# The pattern UserPoolIdType of the service model, and that a region never holds an underscore.
_POOL_ID = re.compile(r"[a-z0-9-]+_[0-9a-zA-Z]+", re.ASCII)

# The DNS suffix of each partition, by the first part of its regions' names; any other region is in `aws`.
_DNS_SUFFIXES = {
    "cn": "amazonaws.com.cn",
    "eusc": "amazonaws.eu",
    "us-iso": "c2s.ic.gov",
    "us-isob": "sc2s.sgov.gov",
    "us-isof": "csp.hci.ic.gov",
    "eu-isoe": "cloud.adc-e.uk",
}


def _dns_suffix(region: str) -> str:
    for prefix, suffix in _DNS_SUFFIXES.items():
        if region.startswith(f"{prefix}-"):
            return suffix
    return "amazonaws.com"


def _check_pool_id(app: AppClient, _attribute: object, value: str) -> None:
    region = app._region  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - a validator of this class
    if value == "" and region:
        return
    if not isinstance(value, str) or not _POOL_ID.fullmatch(value):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
        raise UsageError(
            f"{value!r} is not a user pool id: use <region>_<name>, for example eu-west-1_AbC123"
        )


def _check_client_id(_instance: object, _attribute: object, value: str) -> None:
    if not value:
        raise UsageError("client_id is empty: copy it from the user pool's list of app clients")


def _check_client_secret(_instance: object, _attribute: object, value: str | None) -> None:
    if value == "":
        raise UsageError("client_secret is empty: remove it if the app client has no secret")


def _without_trailing_slash(url: str | None) -> str | None:
    return None if url is None else url.rstrip("/")


@without_locals
@attrs.frozen
class AppClient:
    """Which user pool, and which of its app clients, users sign in to.

    Args:
        pool_id: The user pool's id, ``<region>_<name>``. It may be empty if `region` is given: an app client
            is found by its own id. A password that is proved by SRP, Admin operations and the verification of
            tokens need the pool's id.
        client_id: The app client's id.
        client_secret: The app client's secret, or None if it has none.
        region: The AWS region to call, if it is not the region in the pool's id: a replica of a multi-Region
            pool.
        endpoint_url: Where to send API calls instead of the region's public endpoint: a VPC endpoint, a
            proxy, or a local pool. The signing keys are then read from the same place, unless `jwks_url` is
            given.
        issuer: The `iss` claim of the pool's tokens, if it is not the pool's default one.
        jwks_url: Where the pool publishes its signing keys, if it is not the default place.

    Raises:
        UsageError: The pool id does not have the form of one, or is empty and no region is given; or the
            client id or the secret is empty.

    >>> app = AppClient("eu-west-1_AbC123", "client-id")
    >>> app.region, app.pool_name
    ('eu-west-1', 'AbC123')
    >>> app.issuer
    'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC123'
    """

    pool_id: str = attrs.field(validator=_check_pool_id)
    client_id: str = attrs.field(validator=_check_client_id)
    client_secret: str | None = attrs.field(default=None, repr=False, validator=_check_client_secret)
    endpoint_url: str | None = attrs.field(default=None, kw_only=True, converter=_without_trailing_slash)
    _region: str | None = attrs.field(default=None, kw_only=True, alias="region", repr=False)
    _issuer: str | None = attrs.field(
        default=None, kw_only=True, alias="issuer", converter=_without_trailing_slash, repr=False
    )
    _jwks_url: str | None = attrs.field(default=None, kw_only=True, alias="jwks_url", repr=False)

    @classmethod
    def from_env(cls, prefix: str = "COGNITO_") -> AppClient:
        """Read the app client from environment variables.

        They are COGNITO_POOL_ID and COGNITO_CLIENT_ID, and optionally COGNITO_CLIENT_SECRET, COGNITO_REGION
        and COGNITO_ENDPOINT_URL. An empty variable counts as not set.

        Args:
            prefix: What the names begin with, instead of ``COGNITO_``.

        Raises:
            UsageError: The pool id or the client id is not set, or cannot be one.
        """
        from cognito_flow import _deployed

        return cls(**_deployed.from_environment(prefix))

    @classmethod
    def from_stack(cls, name: str, session: object | None = None) -> AppClient:
        """Read the app client from a CloudFormation stack (of CDK, SAM, Serverless or your own template).

        Outputs whose names end in ``UserPoolId`` and ``ClientId`` say which pool and app client it is;
        otherwise the stack must have exactly one of each. The client secret is read by
        DescribeUserPoolClient, if the AWS credentials permit it.

        Args:
            name: The name or id of the stack.
            session: A boto3 session; None: a new one, which finds AWS credentials and region as boto3 does.

        Raises:
            UsageError: The stack cannot be read, or does not say which pool and app client it is.
            TransportError: AWS could not be reached.
        """
        from cognito_flow import _deployed

        return cls(**_deployed.from_stack(name, session))

    @classmethod
    def from_amplify_outputs(cls, path: str | os.PathLike[str] = "amplify_outputs.json") -> AppClient:
        """Read the app client from the ``amplify_outputs.json`` that AWS Amplify writes.

        Args:
            path: The file.

        Raises:
            UsageError: The file cannot be read, or names no user pool.
        """
        from cognito_flow import _deployed

        return cls(**_deployed.from_amplify_outputs(path))

    @property
    def region(self) -> str:
        """The AWS region to call."""
        return self._region or self._pool_region

    @property
    def _pool_region(self) -> str:
        return need_pool_id(self).partition("_")[0]

    @property
    def pool_name(self) -> str:
        """The part of the pool id after the underscore, which SRP hashes together with the user name."""
        return need_pool_id(self).partition("_")[2]

    @property
    def issuer(self) -> str:
        """The `iss` claim of the pool's tokens, without a trailing slash. It names the pool's own region,
        also in a replica.

        Source: "Verifying JSON web tokens" in the Amazon Cognito developer guide.
        """
        if self._issuer is not None:
            return self._issuer
        return f"https://cognito-idp.{self._pool_region}.{_dns_suffix(self._pool_region)}/{self.pool_id}"

    @property
    def jwks_url(self) -> str:
        """Where the pool publishes the public keys of its tokens."""
        if self._jwks_url is not None:
            return self._jwks_url
        base = self.issuer if self.endpoint_url is None else f"{self.endpoint_url}/{need_pool_id(self)}"
        return f"{base}/.well-known/jwks.json"

    def secret_hash(self, username: str) -> str | None:
        """SECRET_HASH for one request: base64 of HMAC-SHA-256(client secret, username + client id).

        Args:
            username: The name that the same request sends as USERNAME.

        Returns:
            The hash in base64, or None for an app client without a secret.

        Source: "Computing secret hash values" in the Amazon Cognito developer guide.

        >>> AppClient("eu-west-1_AbC123", "abc", "secret").secret_hash("alice")
        'nNe16ZOhfQ2BKBtOzeJ1L0Cv5xJoONOYykzPHWQ7Xvc='
        """
        if self.client_secret is None:
            return None
        message = (username + self.client_id).encode()
        return base64.b64encode(hmac.digest(self.client_secret.encode(), message, hashlib.sha256)).decode()


def need_pool_id(app: AppClient) -> str:
    """Return the user pool's id.

    Raises:
        UsageError: The app client was made without it.
    """
    if not app.pool_id:
        raise UsageError("this needs the user pool's id: pass it to AppClient")
    return app.pool_id


@attrs.frozen
class Device:
    """A device that Cognito remembers for one user, with the secret that proves it.

    Args:
        key: The DeviceKey, for example ``eu-west-1_6c4b...``.
        group_key: The DeviceGroupKey.
        secret: The device's own password, made by the client. Cognito knows only a verifier of it.

    Source: "Working with user devices in your user pool" in the Amazon Cognito developer guide.
    """

    key: str
    group_key: str
    secret: str = attrs.field(repr=False)


def _check_aware(_instance: object, _attribute: object, value: datetime) -> None:
    if value.tzinfo is None:
        raise UsageError("expires_at has no time zone: use an aware datetime, for example with tzinfo=UTC")


@without_locals
@attrs.frozen
class Tokens:
    """The tokens of a completed sign-in or refresh.

    Args:
        access_token: The JWT for Cognito's own operations and for APIs that check scopes.
        id_token: The JWT that says who the user is.
        refresh_token: The token that new tokens are requested with.
        expires_at: When the access token expires: an aware datetime.
        token_type: How to present the access token.
        username: Cognito's own name for the user, never an alias that was typed.
        device_key: The device of the sign-in, which a refresh must name again.

    >>> from datetime import UTC, datetime
    >>> end = datetime(2030, 1, 1, tzinfo=UTC)
    >>> tokens = Tokens("access", "id", "refresh", expires_at=end, username="alice")
    >>> Tokens.from_dict(tokens.to_dict()) == tokens
    True
    """

    access_token: str = attrs.field(repr=False)
    id_token: str | None = attrs.field(default=None, repr=False)
    refresh_token: str | None = attrs.field(default=None, repr=False)
    expires_at: datetime = attrs.field(kw_only=True, validator=_check_aware)
    token_type: str = attrs.field(default="Bearer", kw_only=True)
    username: str = attrs.field(kw_only=True)
    device_key: str | None = attrs.field(default=None, kw_only=True)

    @property
    def expires_in(self) -> float:
        """How long the access token is still valid, in seconds, by the local clock; negative once it has
        expired."""
        return (self.expires_at - datetime.now(UTC)).total_seconds()

    @property
    def id_expires_at(self) -> datetime | None:
        """When the ID token expires, by its own `exp` claim; None without an ID token that says so."""
        return None if self.id_token is None else unverified_moment(self.id_token, "exp")

    def to_dict(self) -> dict[str, str | None]:
        """Return the tokens as a dictionary of JSON values, for a store. It contains the secrets in clear
        text."""
        return {**attrs.asdict(self), "expires_at": self.expires_at.isoformat()}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            UsageError: A member is missing or has the wrong type. The message names it, never its value.
        """
        return cls(
            _stored_text(values, "access_token"),
            _stored_text_or_none(values, "id_token"),
            _stored_text_or_none(values, "refresh_token"),
            expires_at=_stored_date(values, "expires_at"),
            token_type=_stored_text(values, "token_type"),
            username=_stored_text(values, "username"),
            device_key=_stored_text_or_none(values, "device_key"),
        )

    @classmethod
    def from_jwts(
        cls, access_token: str, id_token: str | None = None, refresh_token: str | None = None
    ) -> Self:
        """Make tokens from the three strings that a program already has.

        The user name, the expiry and the device are read from the claims of the access token, without
        verifying it.

        Raises:
            UsageError: The access token is not a JWT with the claims `exp` and `username`, one of its claims
                contains a lone surrogate, or another token is not a str.
        """
        _check_jwt(access_token)
        return cls.from_result(
            {"AccessToken": access_token, "IdToken": id_token, "RefreshToken": refresh_token}
        )

    @classmethod
    def from_result(
        cls, result: Mapping[str, object], *, username: str | None = None, now: datetime | None = None
    ) -> Self:
        """Read an AuthenticationResult, as boto3 returns it.

        Args:
            result: The AuthenticationResult.
            username: The user name, if the access token does not contain it.
            now: When the result was received; None is now.

        Raises:
            UsageError: There is no access token, its expiry or its user name cannot be read, one of its
                claims contains a lone surrogate, or another token is not a str.

        >>> result = {"AccessToken": "opaque", "ExpiresIn": 3600}
        >>> Tokens.from_result(result, username="alice").username
        'alice'
        """
        access_token = (as_object(result) or {}).get("AccessToken")
        if not isinstance(access_token, str) or not access_token:
            raise UsageError("there is no AccessToken: pass the AuthenticationResult itself")
        claims = unverified_claims(access_token)
        name = claims.get("username", username)
        if not isinstance(name, str):
            raise UsageError("the access token has no claim 'username'")
        if not is_encodable([name, claims.get("device_key")]):
            raise UsageError("a claim of the access token contains a lone surrogate, which cannot be sent")
        return cls(
            access_token,
            _token_or_none(result, "IdToken"),
            _token_or_none(result, "RefreshToken"),
            expires_at=expiry(access_token, result.get("ExpiresIn"), now or datetime.now(UTC)),
            token_type=as_text(result.get("TokenType")) or "Bearer",
            username=name,
            device_key=as_text(claims.get("device_key")),
        )


def _token_or_none(result: Mapping[str, object], name: str) -> str | None:
    token = result.get(name)
    if token is not None and not isinstance(token, str):
        raise UsageError(f"{name} must be a str, not {type(token).__name__}")
    return token


def _check_jwt(token: object) -> None:
    if not isinstance(token, str):
        raise UsageError(f"the access token must be a str, not {type(token).__name__}")
    if not unverified_claims(token):
        raise UsageError("the access token is not a JWT")


def expiry(token: str, expires_in: object, now: datetime) -> datetime:
    """Return when a token expires: by ExpiresIn and the local clock, which is what the expiry is compared
    with; else by its `exp` claim.

    Raises:
        UsageError: ExpiresIn is out of range, or neither says it.
    """
    if isinstance(expires_in, int):
        try:
            return now + timedelta(seconds=expires_in)
        except OverflowError:
            raise UsageError("ExpiresIn is out of range") from None
    expires_at = unverified_moment(token, "exp")
    if expires_at is None:
        raise UsageError("there is neither ExpiresIn nor a claim 'exp' in the token")
    return expires_at


def _stored_text_or_none(values: Mapping[str, object], name: str) -> str | None:
    return None if values.get(name) is None else _stored_text(values, name)


def _stored_text(values: Mapping[str, object], name: str) -> str:
    value = (as_object(values) or {}).get(name)
    if not isinstance(value, str):
        raise UsageError(f"these are not stored tokens: {name!r} is missing or not a str")
    return value


def _stored_date(values: Mapping[str, object], name: str) -> datetime:
    try:
        return datetime.fromisoformat(_stored_text(values, name))
    except ValueError:
        raise UsageError(f"these are not stored tokens: {name!r} is not a date") from None


@attrs.frozen
class SignedIn:
    """The sign-in is complete.

    Args:
        username: Cognito's own name for the user.
        tokens: The tokens.
        device: The device that was confirmed in this sign-in, to be kept for the next one; None if there is
            no new device.

    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool()
    >>> user = pool.add_user("alice", "correct horse")
    >>> signed_in = pool.flow().sign_in(UserSrpAuth("alice", "correct horse"))
    >>> signed_in.username, signed_in.tokens.token_type
    ('alice', 'Bearer')
    """

    username: str
    tokens: Tokens
    device: Device | None = None


def _pairs(headers: Iterable[tuple[str, str]] | Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    mapping = as_object(headers)
    pairs = headers if mapping is None else mapping.items()
    try:
        return tuple((name, value) for name, value in cast("Iterable[tuple[str, str]]", pairs))
    except (TypeError, ValueError):
        raise UsageError("headers must be a mapping, or (name, value) pairs") from None


@attrs.frozen
class UserContext:
    """What threat protection may know about the user's request.

    Public operations send `ip` and `encoded_data` as UserContextData; Admin operations send all of it as
    ContextData.

    Args:
        ip: The user's IP address, as the server sees it.
        encoded_data: The device fingerprint that Cognito's browser or mobile library collected.
        headers: The request's HTTP headers, as a mapping or as (name, value) pairs.
        server_name: The server's host name.
        server_path: The path of the page.

    Raises:
        UsageError: The headers are neither a mapping nor pairs.

    Source: UserContextDataType and ContextDataType in the Amazon Cognito API reference.

    >>> from cognito_flow import AppClient, AuthFlow, UserContext
    >>> flow = AuthFlow(AppClient("eu-west-1_AbC123", "client-id"))
    >>> request_flow = flow.bind(context=UserContext(ip="192.0.2.1"))
    """

    ip: str | None = None
    encoded_data: str | None = attrs.field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False, converter=_pairs)
    server_name: str | None = None
    server_path: str | None = None


EventKind: TypeAlias = Literal[
    "call",
    "challenge",
    "device_confirmed",
    "device_forgotten",
    "device_not_confirmed",
    "device_not_deleted",
    "device_not_loaded",
    "device_not_remembered",
    "device_not_stored",
    "refreshed",
    "signed_in",
]
"""What an `Event` reports."""


@attrs.frozen(kw_only=True)
class Event:
    """Something that happened in a flow. It carries names, never a value that was sent or received.

    Args:
        kind: ``"call"`` an operation was called, ``"challenge"`` Cognito sent a challenge, ``"signed_in"``,
            ``"refreshed"``. The rest is about the remembered device: ``"device_confirmed"``,
            ``"device_not_confirmed"``, ``"device_not_remembered"``, ``"device_forgotten"``, and
            ``"device_not_loaded"``, ``"device_not_stored"``, ``"device_not_deleted"`` if the store failed.
        operation: The API operation, for example ``RespondToAuthChallenge``.
        challenge: The ChallengeName that was received or answered.
        sent: The names of the parameters that were sent.
        error: The error code, if the call failed.
        request_id: The request id, which AWS support asks for.
        seconds: How long the call took.

    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool()
    >>> user = pool.add_user("alice", "correct horse")
    >>> flow = pool.flow(on_event=lambda event: print(event.kind, event.operation))
    >>> step = flow.start(UserSrpAuth("alice", "correct horse"))
    call InitiateAuth
    challenge None
    call RespondToAuthChallenge
    signed_in None
    """

    kind: EventKind
    operation: str | None = None
    challenge: str | None = None
    sent: tuple[str, ...] = ()
    error: str | None = None
    request_id: str | None = None
    seconds: float | None = None


def _now() -> datetime:
    return datetime.now(UTC)


@attrs.frozen
class System:
    """Injectable clock, randomness and sleep, for tests and simulators.

    Args:
        now: Returns the time as an aware datetime.
        random_bytes: Returns that many random bytes; the default is the operating system's generator.
        sleep: Waits that many seconds before a call is repeated. `AsyncAuthFlow` awaits what it returns. None
            waits in real time.

    >>> from datetime import UTC, datetime
    >>> from cognito_flow import AppClient, AuthFlow, System
    >>> system = System(now=lambda: datetime(2030, 1, 1, tzinfo=UTC))
    >>> flow = AuthFlow(AppClient("eu-west-1_AbC123", "client-id"), system=system)
    """

    now: Callable[[], datetime] = _now
    random_bytes: Callable[[int], bytes] = secrets.token_bytes
    sleep: Callable[[float], Awaitable[None] | None] | None = None


class MfaType(StrEnum):
    """A second factor, by its wire value."""

    SMS_MFA = "SMS_MFA"
    SOFTWARE_TOKEN_MFA = "SOFTWARE_TOKEN_MFA"
    EMAIL_OTP = "EMAIL_OTP"
    WEB_AUTHN = "WEB_AUTHN"


class FirstFactor(StrEnum):
    """A way to begin a choice-based sign-in, by its wire value."""

    PASSWORD = "PASSWORD"
    PASSWORD_SRP = "PASSWORD_SRP"
    EMAIL_OTP = "EMAIL_OTP"
    SMS_OTP = "SMS_OTP"
    WEB_AUTHN = "WEB_AUTHN"
