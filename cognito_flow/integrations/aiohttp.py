"""CognitoAuth for aiohttp: requests that carry a fresh token.

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
from cognito_flow.integrations._token_header import TokenHeader, TokenUse
from cognito_flow.models import AppClient
from cognito_flow.tokens.source import AsyncTokenSource

try:
    import aiohttp
except ModuleNotFoundError:
    raise missing("aiohttp", extra="aiohttp") from None

__all__ = ["CognitoAuth"]


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
