"""IdentityPool and AsyncIdentityPool: AWS credentials for a signed-in user or a guest.

Rule of this file: the source keeps the ID token fresh, and botocore the AWS credentials of a session, by the
clock of the `System`. This file exchanges one for the other; the exchange is written once, for both drivers.

Source: "Identity pools authentication flow" in the Amazon Cognito developer guide (the enhanced flow).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import quote

import attrs
import botocore.session
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    Credentials,
    DeferredRefreshableCredentials,
)

from cognito_flow._checks import check_timeout
from cognito_flow._exchange import Call, Exchange
from cognito_flow._extras import missing
from cognito_flow._json import as_object, as_text
from cognito_flow._tracebacks import without_locals
from cognito_flow._transport.clients import Clients
from cognito_flow._transport.drivers import AsyncDriver, Driver, Transport
from cognito_flow._turn import TIMEOUT
from cognito_flow.errors import TokenExpired, UnexpectedResponse, UsageError
from cognito_flow.models import AppClient, System, Tokens
from cognito_flow.tokens.source import AsyncTokenSource, TokenSource

if TYPE_CHECKING:
    import boto3.session
    from aiobotocore.session import (  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
        AioSession,  # a package without types
    )

__all__ = ["AsyncIdentityPool", "AwsCredentials", "IdentityPool", "iot_url"]

T = TypeVar("T")

_METHOD = "cognito-identity-pool"  # how botocore's logs name the origin of the credentials
_RENEW_BEFORE = timedelta(minutes=10)  # as botocore does: a call must not outlive its credentials

# The transport wants an app client, which names regions; calls to an identity pool need none.
_NO_APP = AppClient("eu-west-1_guests", "guests")

# The pattern IdentityPoolId of the service model.
_IDENTITY_POOL_ID = re.compile(r"([\w-]+):[0-9a-f-]+", re.ASCII)


@attrs.frozen
class AwsCredentials:
    """Temporary AWS credentials.

    Args:
        access_key: The access key id.
        secret_key: The secret access key.
        token: The session token.
        expires_at: When they expire, timezone-aware.
    """

    access_key: str
    secret_key: str = attrs.field(repr=False)
    token: str = attrs.field(repr=False)
    expires_at: datetime


@attrs.define
class _Identity:
    """An identity of an identity pool, and how to obtain its credentials. No tokens: a guest."""

    pool_id: str
    provider: str | None
    role: str | None
    identity_id: str | None = None

    def identify(self, tokens: Tokens | None) -> Exchange[str]:
        """Request the identity id, which stays the same."""
        if self.identity_id is None:
            response = yield Call("GetId", {"IdentityPoolId": self.pool_id, **self._logins(tokens)})
            self.identity_id = _text(response.data, "IdentityId")
        return self.identity_id

    def obtain(self, tokens: Tokens | None) -> Exchange[AwsCredentials]:
        """Request new credentials."""
        identity_id = yield from self.identify(tokens)
        role = {} if self.role is None else {"CustomRoleArn": self.role}
        parameters = {"IdentityId": identity_id, **role, **self._logins(tokens)}
        response = yield Call("GetCredentialsForIdentity", parameters)
        credentials = as_object(response.data.get("Credentials")) or {}
        expires_at = credentials.get("Expiration")
        if not isinstance(expires_at, datetime):
            raise UnexpectedResponse("the credentials of the identity pool have no Expiration")
        access_key, secret_key = _text(credentials, "AccessKeyId"), _text(credentials, "SecretKey")
        return AwsCredentials(access_key, secret_key, _text(credentials, "SessionToken"), expires_at)

    def _logins(self, tokens: Tokens | None) -> dict[str, object]:
        if tokens is None or self.provider is None:
            return {}
        if tokens.id_token is None:
            raise UsageError("there is no ID token for the identity pool: sign in again")
        return {"Logins": {self.provider: tokens.id_token}}


class _Pool:
    """What both identity pools share: the settings, and the last credentials."""

    def __init__(
        self,
        app: AppClient | None,
        identity_pool_id: str,
        *,
        custom_role_arn: str | None = None,
        identity_id: str | None = None,
        client: object | None = None,
        timeout: float = TIMEOUT,
        system: System | None = None,
    ) -> None:
        provider = None if app is None else _provider_name(app)
        self._identity = _Identity(identity_pool_id, provider, custom_role_arn, identity_id)
        self._region = _region(identity_pool_id)
        self._system = System() if system is None else system
        clients = Clients(
            app or _NO_APP, client, admin=False, service="cognito-identity", region=self._region
        )
        if client is None:
            clients.method("GetId")  # makes the client now: a region that does not exist is reported here
        self._transport = Transport(clients, self._system, None, check_timeout(timeout))
        self._latest: AwsCredentials | None = None

    def _keep(self, credentials: AwsCredentials) -> AwsCredentials:
        """Keep new credentials.

        Raises:
            UnexpectedResponse: They have expired by the local clock.
        """
        if credentials.expires_at <= self._system.now():
            raise UnexpectedResponse(
                "new credentials of the identity pool have expired already, by the clock of this machine",
                hint="compare this machine's clock with the time: it is ahead",
            )
        self._latest = credentials
        return credentials


@without_locals
class IdentityPool(_Pool):
    """An identity and AWS credentials for a user of a user pool, or for a guest.

    All sessions share the credentials. They are requested with the first signed call, and again before they
    expire, as long as the source has tokens. These requests are not signed: no other AWS credentials are
    needed or read.

    Args:
        source: Where the ID token comes from; None for a guest.
        app: The user pool, which the identity pool must list among its providers, with this app client; None
            for a guest.
        identity_pool_id: The identity pool's id, ``<region>:<uuid>``.
        custom_role_arn: The role to assume, if the identity pool lets users choose among several.
        identity_id: An identity id from earlier, so that a guest stays the same guest.
        client: A client for ``cognito-identity`` to use in place of the library's own.
        timeout: How long the requests of one method to the identity pool may take in all, in seconds. To
            refresh the source's tokens, its flow has a timeout of its own.
        system: Clock, randomness and sleep.

    Raises:
        UsageError: The source is not a `TokenSource`, or only one of source and app is None; the id is
            malformed; the timeout is not a positive number; or botocore cannot make a client.

    Calls of a session can raise the errors of `credentials`, too:

    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.integrations.aws import IdentityPool
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool()
    >>> user = pool.add_user("alice", "correct horse")
    >>> flow = pool.flow()
    >>> source = flow.token_source(flow.sign_in(UserSrpAuth("alice", "correct horse")).tokens)
    >>> identities = IdentityPool(source, pool.app, "eu-west-1:11111111-2222-3333-4444-555555555555")
    >>> identities.session().client("s3").meta.region_name
    'eu-west-1'
    """

    def __init__(
        self,
        source: TokenSource | None,
        app: AppClient | None,
        identity_pool_id: str,
        *,
        custom_role_arn: str | None = None,
        identity_id: str | None = None,
        client: object | None = None,
        timeout: float = TIMEOUT,
        system: System | None = None,
    ) -> None:
        _check_source(source, app, TokenSource)
        super().__init__(
            app,
            identity_pool_id,
            custom_role_arn=custom_role_arn,
            identity_id=identity_id,
            client=client,
            timeout=timeout,
            system=system,
        )
        self._source, self._driver = source, Driver(self._transport)
        self._refreshable = DeferredRefreshableCredentials(self._renew, _METHOD, self._system.now)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._source!r}, {self._identity.pool_id!r})"

    def identity_id(self) -> str:
        """Return the identity id in this pool, ``<region>:<uuid>``. It stays the same; the policies of roles
        know it as ``${cognito-identity.amazonaws.com:sub}``.

        Raises:
            UsageError: There is no ID token.
            Misconfigured: The identity pool does not know this user pool and app client, or has no role.
            NotAuthorized: It refuses this user, or guests.
            CognitoFlowError: See `TokenSource.tokens`.
        """
        return self._run(self._identity.identify)

    def credentials(self) -> AwsCredentials:
        """Return AWS credentials, requesting new ones if the last ones are about to expire.

        Raises:
            UnexpectedResponse: New credentials have expired already: this machine's clock is ahead.
            CognitoFlowError: See `identity_id`.
        """
        self._refreshable.get_frozen_credentials()
        return cast("AwsCredentials", self._latest)

    def session(self, region_name: str | None = None) -> boto3.session.Session:
        """Return a boto3 session with these credentials and no others. It renews them by itself.

        Args:
            region_name: The region of its clients, if not that of the identity pool.
        """
        import boto3.session

        session = botocore.session.Session()
        resolver = CredentialResolver([_Provider(self._refreshable)])
        session.register_component("credential_provider", resolver)
        return boto3.session.Session(botocore_session=session, region_name=region_name or self._region)

    def _renew(self) -> dict[str, str]:
        return _metadata(self._keep(self._run(self._identity.obtain)))

    def _run(self, exchange: Callable[[Tokens | None], Exchange[T]]) -> T:
        if self._source is None:
            return self._driver.run(exchange(None))
        tokens = self._source.tokens()
        try:
            return self._driver.run(exchange(tokens))
        except TokenExpired:  # the clocks differ
            return self._driver.run(exchange(self._source.refresh(tokens.access_token)))


@without_locals
class AsyncIdentityPool(_Pool):
    """`IdentityPool` for asyncio, with the source of an `AsyncAuthFlow`. Create one for each event loop.

    Its arguments are the same. The library's own client is called in threads; an aiobotocore client is
    awaited.
    """

    def __init__(
        self,
        source: AsyncTokenSource | None,
        app: AppClient | None,
        identity_pool_id: str,
        *,
        custom_role_arn: str | None = None,
        identity_id: str | None = None,
        client: object | None = None,
        timeout: float = TIMEOUT,
        system: System | None = None,
    ) -> None:
        _check_source(source, app, AsyncTokenSource)
        super().__init__(
            app,
            identity_pool_id,
            custom_role_arn=custom_role_arn,
            identity_id=identity_id,
            client=client,
            timeout=timeout,
            system=system,
        )
        self._source, self._driver = source, AsyncDriver(self._transport)
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._source!r}, {self._identity.pool_id!r})"

    async def identity_id(self) -> str:
        """Return the identity id in this pool, ``<region>:<uuid>``. It stays the same; the policies of roles
        know it as ``${cognito-identity.amazonaws.com:sub}``.

        Raises:
            UsageError: There is no ID token.
            Misconfigured: The identity pool does not know this user pool and app client, or has no role.
            NotAuthorized: It refuses this user, or guests.
            CognitoFlowError: See `TokenSource.tokens`.
        """
        return await self._run(self._identity.identify)

    async def credentials(self) -> AwsCredentials:
        """Return AWS credentials, requesting new ones if the last ones are about to expire.

        Raises:
            UnexpectedResponse: New credentials have expired already: this machine's clock is ahead.
            CognitoFlowError: See `identity_id`.
        """
        async with self._lock:
            latest = self._latest
            if latest is None or latest.expires_at - self._system.now() <= _RENEW_BEFORE:
                latest = self._keep(await self._run(self._identity.obtain))
            return latest

    def session(self, region_name: str | None = None) -> AioSession:
        """Return an aiobotocore session with these credentials and no others. It renews them by itself.

        Args:
            region_name: The region of its clients, if not that of the identity pool.

        Raises:
            ModuleNotFoundError: The extra ``aio`` is not installed.
        """
        try:
            from aiobotocore.credentials import (  # type: ignore[import-untyped]  # it has no types
                AioCredentialResolver,
                AioDeferredRefreshableCredentials,
            )
            from aiobotocore.session import AioSession  # pyright: ignore[reportMissingTypeStubs]
        except ModuleNotFoundError:
            raise missing("aiobotocore", extra="aio") from None
        session: Any = AioSession()
        refreshable: Any = AioDeferredRefreshableCredentials(self._renew, _METHOD, self._system.now)
        provider: Any = _AsyncProvider(refreshable)
        resolver: Any = AioCredentialResolver([provider])
        session.register_component("credential_provider", resolver)
        session.set_config_variable("region", region_name or self._region)
        return cast("AioSession", session)

    async def _renew(self) -> dict[str, str]:
        return _metadata(await self.credentials())

    async def _run(self, exchange: Callable[[Tokens | None], Exchange[T]]) -> T:
        if self._source is None:
            return await self._driver.run(exchange(None))
        tokens = await self._source.tokens()
        try:
            return await self._driver.run(exchange(tokens))
        except TokenExpired:  # the clocks differ
            return await self._driver.run(exchange(await self._source.refresh(tokens.access_token)))


@attrs.define
class _Provider(CredentialProvider):
    """Where a boto3 session's credentials come from."""

    METHOD = _METHOD
    credentials: DeferredRefreshableCredentials

    def load(self) -> DeferredRefreshableCredentials:
        return self.credentials


@attrs.define
class _AsyncProvider:
    """Where an aiobotocore session's credentials come from."""

    METHOD = _METHOD
    credentials: object

    async def load(self) -> object:
        return self.credentials


def _metadata(credentials: AwsCredentials) -> dict[str, str]:
    """Credentials as botocore expects them of a refresh."""
    return {
        "access_key": credentials.access_key,
        "secret_key": credentials.secret_key,
        "token": credentials.token,
        "expiry_time": credentials.expires_at.isoformat(),
    }


def iot_url(credentials: AwsCredentials, endpoint: str, region: str, *, expires: int = 300) -> str:
    """Return a presigned URL for MQTT over web sockets, for the clients of AWS IoT Core.

    Args:
        credentials: Those of an `IdentityPool`. IoT Core also needs an IoT policy that is attached to the
            identity id.
        endpoint: The data endpoint of the account, such as ``abc123-ats.iot.eu-west-1.amazonaws.com``.
        region: Its region.
        expires: How long a connection can be opened with it, in seconds.

    Raises:
        UsageError: The endpoint is a URL.

    Source: "Device communication protocols" in the AWS IoT Core developer guide: the session token is added
    after signing.
    """
    if "/" in endpoint:
        raise UsageError("endpoint must be a host name, such as abc123-ats.iot.eu-west-1.amazonaws.com")
    request = AWSRequest("GET", f"https://{endpoint}/mqtt")
    without_token: Any = Credentials(credentials.access_key, credentials.secret_key)
    SigV4QueryAuth(without_token, "iotdevicegateway", region, expires=expires).add_auth(request)
    signed = str(request.url).replace("https://", "wss://", 1)
    return f"{signed}&X-Amz-Security-Token={quote(credentials.token, safe='')}"


def _check_source(source: object, app: object, kind: type[object]) -> None:
    if source is not None and not isinstance(source, kind):
        flow = "AuthFlow" if kind is TokenSource else "AsyncAuthFlow"
        raise UsageError(f"the source must be the {kind.__name__} of an {flow}")
    if (source is None) is not (app is None):
        raise UsageError("pass both a source and an app for a user, or neither for a guest")


def _provider_name(app: AppClient) -> str:
    """The name of a user pool in Logins. It has the regional form, whatever `iss` the pool's tokens have.

    Source: GetId in the Amazon Cognito Federated Identities API reference.
    """
    return attrs.evolve(app, issuer=None).issuer.removeprefix("https://")


def _region(identity_pool_id: str) -> str:
    found = _IDENTITY_POOL_ID.fullmatch(identity_pool_id)
    if found is None:
        raise UsageError(f"{identity_pool_id!r} is not an identity pool id: it has the form <region>:<uuid>")
    return found[1]


def _text(data: Mapping[str, object], name: str) -> str:
    value = as_text(data.get(name))
    if value is None:
        raise UnexpectedResponse(f"the response of the identity pool has no {name}")
    return value
