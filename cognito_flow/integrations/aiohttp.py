"""CognitoAuth and SigV4Auth for aiohttp: a fresh token, or a signature with the user's AWS credentials.

Rule of this file: `_token_header` decides which token a server receives, the source decides when it is
refreshed. Here is decided whether a refused request is sent a second time. No request is sent a third time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from cognito_flow._extras import missing
from cognito_flow._tracebacks import without_locals
from cognito_flow.errors import UsageError
from cognito_flow.flow import AsyncAsk, AsyncAuthFlow
from cognito_flow.integrations import _sign_in
from cognito_flow.integrations._sigv4 import Signer
from cognito_flow.integrations._token_header import TokenHeader, TokenUse
from cognito_flow.integrations.aws import AsyncIdentityPool
from cognito_flow.models import AppClient
from cognito_flow.tokens.source import AsyncTokenSource

try:
    import aiohttp
except ModuleNotFoundError:
    raise missing("aiohttp", extra="aiohttp") from None

__all__ = ["CognitoAuth", "SigV4Auth"]


class CognitoAuth:
    """Sends a user's token with the requests of an `aiohttp.ClientSession`: a client middleware.

    The token is refreshed before it expires. If a server answers 401 anyway, the source refreshes once and
    the request is sent once more; a second 401 is returned to the caller. A body that cannot be read again (a
    generator, a pipe) is not sent again.

    aiohttp calls middlewares for the requests of a redirect, too. So `origins` is required here: without it,
    every server that another server redirects to would receive the token.

    Args:
        source: Where the tokens come from.
        origins: The servers that receive the token, for example ``["https://api.example.com"]``. Requests to
            others are sent without it.
        token: ``"access"``, or ``"id"`` for servers that require it, such as Cognito authorizers of an
            Amazon API Gateway without scopes.
        header: The name of the header.
        scheme: The word before the token; None: the token alone, as AWS AppSync and some authorizers of an
            Amazon API Gateway expect it.

    Raises:
        UsageError: The source is not an `AsyncTokenSource`, or a setting is malformed. When a request is
            sent: the source has no ID token.
        CognitoFlowError: When a request is sent: the source cannot refresh. See `AsyncTokenSource.tokens`.

    Example::

        auth = CognitoAuth(source, origins=["https://api.example.com"])
        async with aiohttp.ClientSession(middlewares=[auth]) as session:
            await session.get("https://api.example.com/orders")
    """

    def __init__(
        self,
        source: AsyncTokenSource,
        *,
        origins: Iterable[str],
        token: TokenUse = "access",
        header: str = "Authorization",
        scheme: str | None = "Bearer",
    ) -> None:
        if not isinstance(source, AsyncTokenSource):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
            raise UsageError("aiohttp needs an AsyncTokenSource: that of an AsyncAuthFlow")
        self._source = source
        self._header = TokenHeader.read(token=token, origins=origins, header=header, scheme=scheme)

    @classmethod
    @without_locals
    async def sign_in(
        cls,
        app: AppClient | AsyncAuthFlow,
        username: str,
        password: str,
        *,
        origins: Iterable[str],
        ask: AsyncAsk | None = None,
        token: TokenUse = "access",
        header: str = "Authorization",
        scheme: str | None = "Bearer",
    ) -> Self:
        """Sign in with a name and a password.

        Args:
            app: The app client, or a flow for it.
            username: The user name.
            password: The password.
            origins: See `CognitoAuth`.
            ask: Answers challenges, such as a second factor. See `AuthFlow.sign_in`.
            token: See `CognitoAuth`.
            header: See `CognitoAuth`.
            scheme: See `CognitoAuth`.

        Raises:
            CognitoFlowError: See `AuthFlow.sign_in`.
        """
        source = await _sign_in.sign_in_async(app, username, password, ask)
        return cls(source, origins=origins, token=token, header=header, scheme=scheme)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._source!r}, token={self._header.token!r})"

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send a request with the token, and once more if it is refused."""
        if not self._header.goes_to(str(request.url)):
            return await handler(request)
        tokens = await self._source.tokens()
        request.headers[self._header.name] = sent = self._header.value(tokens)
        response = await handler(request)
        if response.status != 401:
            return response
        try:
            fresh = self._header.value(await self._source.refresh(tokens.access_token))
        except BaseException:
            response.close()  # the caller gets the error and never sees the response
            raise
        if fresh == sent or getattr(request.body, "consumed", False):
            return response
        response.release()
        request.headers[self._header.name] = fresh
        return await handler(request)


class SigV4Auth:
    """Signs the requests of an `aiohttp.ClientSession` with AWS credentials of an identity pool.

    For services that authorize with IAM, such as Amazon API Gateway (``execute-api``), AWS AppSync
    (``appsync``), and Lambda function URLs (``lambda``). Bodies are read into memory first.

    Args:
        pool: The identity pool.
        service: The service's name in signatures.
        region: Its region.
        origins: The servers whose requests are signed, for example ``["https://api.example.com"]``. Requests
            to others are sent unsigned.

    Raises:
        UsageError: The pool is not an `AsyncIdentityPool`, or `origins` is malformed.
        CognitoFlowError: When a request is sent: see `IdentityPool.credentials`.
    """

    def __init__(self, pool: AsyncIdentityPool, service: str, region: str, *, origins: Iterable[str]) -> None:
        if not isinstance(pool, AsyncIdentityPool):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
            raise UsageError("aiohttp needs an AsyncIdentityPool")
        self._pool, self._signer = pool, Signer(service, region)
        self._header = TokenHeader.read(token="access", origins=origins, header="Authorization", scheme=None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._pool!r}, {self._signer.service!r}, {self._signer.region!r})"

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send a request with a signature."""
        url = str(request.url)
        if self._header.goes_to(url):
            body = await request.body.as_bytes() if isinstance(request.body, aiohttp.Payload) else b""
            headers = self._signer.sign(
                await self._pool.credentials(), request.method, url, request.headers.items(), body
            )
            request.headers.update(headers)
        return await handler(request)
