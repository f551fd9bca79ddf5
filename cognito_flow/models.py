"""The records that everything else speaks of: the app client, what a sign-in yields, and how the core talks.

Rule of this file: records only. They are frozen, check themselves when they are made, and do no I/O.

Two groups live here. What an application sees: `AppClient`, `Device`, `Tokens`, `SignedIn`, `UserContext`,
`Event`, `System`. What the core and its drivers pass to each other: `Call`, `Response`, `Exchange`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum

import attrs

from cognito_flow import _deployed
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


def _check_pool_id(_instance: object, _attribute: object, value: str) -> None:
    if not _POOL_ID.fullmatch(value):
        raise UsageError(
            f"{value!r} is not a user pool id: it has the form <region>_<name>, for example eu-west-1_AbC123"
        )


def _check_client_id(_instance: object, _attribute: object, value: str) -> None:
    if not value:
        raise UsageError("client_id is empty: copy it from the user pool's list of app clients")


def _check_client_secret(_instance: object, _attribute: object, value: str | None) -> None:
    if value == "":
        raise UsageError("client_secret is empty: leave it out for an app client that has no secret")


def _without_trailing_slash(url: str | None) -> str | None:
    return None if url is None else url.rstrip("/")


@without_locals
@attrs.frozen
class AppClient:
    """Which user pool, and which of its app clients, people sign in to.

    Args:
        pool_id: The user pool's id, ``<region>_<name>``.
        client_id: The app client's id.
        client_secret: The app client's secret, or None when it was made without one.
        region: The region to call, if it is not the one of the pool id: that of a replica.
        endpoint_url: Where to send API calls instead of the region's public endpoint: a VPC endpoint, a
            proxy, or a local pool. The signing keys are then read from the same place.
        issuer: The `iss` claim of the pool's tokens, when it is not the pool's default one.

    Raises:
        UsageError: The pool id cannot be one, or the client id or the secret is empty.

    >>> app = AppClient("eu-west-1_AbC123", "client-id")
    >>> app.region, app.pool_name
    ('eu-west-1', 'AbC123')
    >>> app.issuer
    'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC123'
    """

    pool_id: str = attrs.field(validator=_check_pool_id)
    client_id: str = attrs.field(validator=_check_client_id)
    client_secret: str | None = attrs.field(default=None, repr=False, validator=_check_client_secret)
    _region: str | None = attrs.field(default=None, kw_only=True, alias="region", repr=False)
    endpoint_url: str | None = attrs.field(default=None, kw_only=True, converter=_without_trailing_slash)
    _issuer: str | None = attrs.field(
        default=None, kw_only=True, alias="issuer", converter=_without_trailing_slash
    )

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
        return cls(**_deployed.from_stack(name, session))

    @classmethod
    def from_amplify_outputs(cls, path: str | os.PathLike[str] = "amplify_outputs.json") -> AppClient:
        """Read the app client from the ``amplify_outputs.json`` that AWS Amplify writes.

        Args:
            path: The file.

        Raises:
            UsageError: The file cannot be read, or names no user pool.
        """
        return cls(**_deployed.from_amplify_outputs(path))

    @property
    def region(self) -> str:
        """The AWS region to call: the part of the pool id before the underscore, unless another was given."""
        return self._region or self.pool_id.partition("_")[0]

    @property
    def pool_name(self) -> str:
        """The part of the pool id after the underscore, which SRP hashes together with the user name."""
        return self.pool_id.partition("_")[2]

    @property
    def issuer(self) -> str:
        """The `iss` claim of the pool's tokens, without a trailing slash.

        Source: "Verifying JSON web tokens" in the Amazon Cognito developer guide.
        """
        if self._issuer is not None:
            return self._issuer
        region = self.pool_id.partition("_")[0]
        return f"https://cognito-idp.{region}.{_dns_suffix(region)}/{self.pool_id}"

    @property
    def jwks_url(self) -> str:
        """Where the pool publishes the public keys of its tokens."""
        base = self.issuer if self.endpoint_url is None else f"{self.endpoint_url}/{self.pool_id}"
        return f"{base}/.well-known/jwks.json"

    def secret_hash(self, username: str) -> str | None:
        """SECRET_HASH for one request: base64 of HMAC-SHA-256(client secret, username + client id).

        Args:
            username: The very name that the same request sends as USERNAME.

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


@attrs.frozen
class Device:
    """A device that Cognito remembers for one user, with the secret that proves it.

    Args:
        key: The DeviceKey, for example ``eu-west-1_6c4b...``.
        group_key: The DeviceGroupKey.
        secret: The device's own password, made on this side. Cognito knows only a verifier of it.

    Source: "Working with user devices in your user pool" in the Amazon Cognito developer guide.
    """

    key: str
    group_key: str
    secret: str = attrs.field(repr=False)


def _check_aware(_instance: object, _attribute: object, value: datetime) -> None:
    if value.tzinfo is None:
        raise UsageError("expires_at has no time zone: give an aware datetime, for example with tzinfo=UTC")


@without_locals
@attrs.frozen
class Tokens:
    """What Cognito hands out for a completed sign-in or a refresh.

    Args:
        access_token: The JWT for Cognito's own operations and for APIs that check scopes.
        id_token: The JWT that says who the person is.
        refresh_token: What new tokens are fetched with.
        expires_at: When the access token ends: an aware datetime, taken from the local clock and ExpiresIn.
        token_type: How to present the access token.
        username: Cognito's own name of the user, never an alias that was typed.
        device_key: The device that took part, which a refresh must name again.

    >>> from datetime import UTC, datetime
    >>> tokens = Tokens("access", "id", "refresh", datetime(2030, 1, 1, tzinfo=UTC), username="alice")
    >>> Tokens.from_dict(tokens.to_dict()) == tokens
    True
    """

    access_token: str = attrs.field(repr=False)
    id_token: str | None = attrs.field(repr=False)
    refresh_token: str | None = attrs.field(repr=False)
    expires_at: datetime = attrs.field(validator=_check_aware)
    token_type: str = "Bearer"
    username: str = attrs.field(kw_only=True)
    device_key: str | None = attrs.field(default=None, kw_only=True)

    def to_dict(self) -> dict[str, str | None]:
        """The same as a dictionary of JSON values, for a store. The secrets stand in it as they are."""
        return {**attrs.asdict(self), "expires_at": self.expires_at.isoformat()}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Tokens:
        """Read what `to_dict` wrote.

        Raises:
            UsageError: A member is missing, or is not what `to_dict` writes. The message names it, never its
            value.
        """
        return cls(
            _stored_text(values, "access_token"),
            _stored_text_or_none(values, "id_token"),
            _stored_text_or_none(values, "refresh_token"),
            _stored_date(values, "expires_at"),
            _stored_text(values, "token_type"),
            username=_stored_text(values, "username"),
            device_key=_stored_text_or_none(values, "device_key"),
        )


def refresh_token_of(tokens: Tokens) -> str:
    """The refresh token.

    Raises:
        UsageError: There is none.
    """
    if not tokens.refresh_token:
        raise UsageError("these tokens have no refresh token: sign in again")
    return tokens.refresh_token


def _stored_text_or_none(values: Mapping[str, object], name: str) -> str | None:
    return None if values.get(name) is None else _stored_text(values, name)


def _stored_text(values: Mapping[str, object], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str):
        raise UsageError(f"these are not stored tokens: {name!r} is missing or is not text")
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
        username: Cognito's own name of the user.
        tokens: The tokens.
        device: The device that was confirmed in this sign-in, to be kept for the next one; None when there is
            no new device.
    """

    username: str
    tokens: Tokens
    device: Device | None = None


def _pairs(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(headers)


@attrs.frozen
class UserContext:
    """What threat protection may know about the person's request.

    Public operations send `ip` and `encoded_data` as UserContextData; Admin operations send all of it as
    ContextData.

    Args:
        ip: The person's IP address, as the server sees it.
        encoded_data: The device fingerprint that Cognito's browser or mobile library collected.
        headers: The request's HTTP headers, as (name, value) pairs.
        server_name: The server's host name.
        server_path: The path of the page.

    Source: UserContextDataType and ContextDataType in the Amazon Cognito API reference.
    """

    ip: str | None = None
    encoded_data: str | None = attrs.field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False, converter=_pairs)
    server_name: str | None = None
    server_path: str | None = None


@attrs.frozen(kw_only=True)
class Event:
    """Something that happened in a flow, told by name only: no value that was sent or received stands in it.

    Args:
        kind: ``"call"`` an operation was called and answered, ``"challenge"`` Cognito asked something,
            ``"signed_in"`` it is done, ``"device_confirmed"``, ``"device_not_confirmed"``,
            ``"device_not_remembered"``, ``"device_not_loaded"``, ``"device_not_stored"``,
            ``"device_not_deleted"`` (the store failed), ``"device_forgotten"``, ``"refreshed"``.
        operation: The API operation, for example ``RespondToAuthChallenge``.
        challenge: The ChallengeName that was asked or answered.
        sent: The names of the parameters that were sent.
        error: The error code that came back, if one did.
        request_id: What AWS support asks for.
        seconds: How long the call took.
    """

    kind: str
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
    """The world outside: clock, dice and waiting. Tests and simulators hand in their own.

    Args:
        now: Tells the time as an aware datetime.
        random_bytes: Draws that many bytes; the default is the operating system's generator.
        sleep: Waits that many seconds before a call is repeated. `AsyncAuthFlow` awaits what it returns.
            None: wait for real.
    """

    now: Callable[[], datetime] = _now
    random_bytes: Callable[[int], bytes] = secrets.token_bytes
    sleep: Callable[[float], Awaitable[None] | None] | None = None


class MfaType(StrEnum):
    """A second factor, by its wire value."""

    SMS_MFA = "SMS_MFA"
    SOFTWARE_TOKEN_MFA = "SOFTWARE_TOKEN_MFA"
    EMAIL_OTP = "EMAIL_OTP"


class FirstFactor(StrEnum):
    """A way to begin a choice-based sign-in, by its wire value."""

    PASSWORD = "PASSWORD"
    PASSWORD_SRP = "PASSWORD_SRP"
    EMAIL_OTP = "EMAIL_OTP"
    SMS_OTP = "SMS_OTP"
    WEB_AUTHN = "WEB_AUTHN"
