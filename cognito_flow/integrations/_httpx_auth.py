"""The authentication flow that httpx and httpx2 share.

Rule of this file: it imports neither of the two packages. `_token_header` decides which token a server
receives, and the source when it is refreshed. This file decides whether to send a refused request again; no
request is sent a third time.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterable, MutableMapping
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar, Unpack

from cognito_flow._tracebacks import without_locals
from cognito_flow.errors import UsageError
from cognito_flow.flow import Ask, AsyncAsk, AsyncAuthFlow, AuthFlow
from cognito_flow.integrations import _sign_in
from cognito_flow.integrations._sigv4 import Signer
from cognito_flow.integrations._token_header import HeaderOptions, TokenHeader, TokenUse
from cognito_flow.integrations.aws import AsyncIdentityPool, AwsCredentials, IdentityPool
from cognito_flow.models import AppClient, Tokens
from cognito_flow.tokens.source import AsyncTokenSource, TokenSource


class _Request(Protocol):
    @property
    def method(self) -> str: ...
    @property
    def url(self) -> object: ...
    @property
    def stream(self) -> object: ...
    @property
    def headers(self) -> MutableMapping[str, str]: ...

    def read(self) -> bytes: ...
    async def aread(self) -> bytes: ...


class _Response(Protocol):
    status_code: int

    @property
    def request(self) -> Any: ...


RequestT = TypeVar("RequestT", bound=_Request)
ResponseT = TypeVar("ResponseT", bound=_Response)


class HttpxAuth(Generic[RequestT, ResponseT]):
    """See the `CognitoAuth` classes of `httpx` and `httpx2`."""

    _in_memory: ClassVar[type]
    """The class of a request body that can be sent again."""

    def __init__(
        self,
        source: TokenSource | AsyncTokenSource,
        *,
        token: TokenUse = "access",
        origins: Iterable[str] | None = None,
        header: str = "Authorization",
        scheme: str | None = "Bearer",
        requires_request_body: bool = False,
    ) -> None:
        self._source = source
        self._header = TokenHeader.read(token=token, origins=origins, header=header, scheme=scheme)
        self.requires_request_body = requires_request_body

    @classmethod
    @without_locals
    def sign_in(
        cls,
        app: AppClient | AuthFlow,
        username: str,
        password: str,
        *,
        ask: Ask | None = None,
        **options: Unpack[HeaderOptions],
    ) -> Self:
        """Sign in with a name and a password, for a blocking client.

        Args:
            app: The app client, or a flow for it.
            username: The user name.
            password: The password.
            ask: Answers challenges, such as a second factor. See `AuthFlow.sign_in`.
            options: The constructor's keywords.

        Raises:
            CognitoFlowError: See `AuthFlow.sign_in`.
        """
        return cls(_sign_in.sign_in(app, username, password, ask), **options)

    @classmethod
    @without_locals
    async def sign_in_async(
        cls,
        app: AppClient | AsyncAuthFlow,
        username: str,
        password: str,
        *,
        ask: AsyncAsk | None = None,
        **options: Unpack[HeaderOptions],
    ) -> Self:
        """Sign in with a name and a password, for an asynchronous client. See `sign_in`."""
        return cls(await _sign_in.sign_in_async(app, username, password, ask), **options)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._source!r}, token={self._header.token!r})"

    def sync_auth_flow(self, request: RequestT) -> Generator[RequestT, ResponseT]:
        """The requests that a blocking client sends in place of a request."""
        if not isinstance(self._source, TokenSource):
            raise UsageError("a blocking client needs a TokenSource: that of an AuthFlow")
        if not self._header.goes_to(str(request.url)):
            yield request
            return
        if self.requires_request_body:
            request.read()
        tokens = self._source.tokens()
        response = yield self._add_token(request, tokens)
        if self._is_refused(response, tokens):
            fresh = self._source.refresh(tokens.access_token)
            yield from self._repetition(response.request, tokens, fresh)

    async def async_auth_flow(self, request: RequestT) -> AsyncGenerator[RequestT, ResponseT]:
        """The requests that an asynchronous client sends in place of a request."""
        if not isinstance(self._source, AsyncTokenSource):
            raise UsageError("an asynchronous client needs an AsyncTokenSource: that of an AsyncAuthFlow")
        if not self._header.goes_to(str(request.url)):
            yield request
            return
        if self.requires_request_body:
            await request.aread()
        tokens = await self._source.tokens()
        response = yield self._add_token(request, tokens)
        if self._is_refused(response, tokens):
            fresh = await self._source.refresh(tokens.access_token)
            for repeated in self._repetition(response.request, tokens, fresh):
                yield repeated

    def _add_token(self, request: RequestT, tokens: Tokens) -> RequestT:
        request.headers[self._header.name] = self._header.value(tokens)
        return request

    def _is_refused(self, response: ResponseT, tokens: Tokens) -> bool:
        """Whether a server received the token and refused it. After a redirect it may not have got it."""
        sent = response.request.headers.get(self._header.name)
        return response.status_code == 401 and sent == self._header.value(tokens)

    def _repetition(self, request: RequestT, tokens: Tokens, fresh: Tokens) -> Generator[RequestT, ResponseT]:
        """The request again, if its body is in memory and the token is another one."""
        is_in_memory = isinstance(request.stream, self._in_memory)
        if is_in_memory and self._header.value(fresh) != self._header.value(tokens):
            yield self._add_token(request, fresh)


class HttpxSigV4(Generic[RequestT, ResponseT]):
    """See the `SigV4Auth` classes of `httpx` and `httpx2`."""

    requires_request_body = True  # the signature covers the body

    def __init__(self, pool: IdentityPool | AsyncIdentityPool, service: str, region: str) -> None:
        self._pool, self._signer = pool, Signer(service, region)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._pool!r}, {self._signer.service!r}, {self._signer.region!r})"

    def sync_auth_flow(self, request: RequestT) -> Generator[RequestT, ResponseT]:
        """The request that a blocking client sends in place of a request."""
        if not isinstance(self._pool, IdentityPool):
            raise UsageError("a blocking client needs an IdentityPool")
        yield self._sign(request, self._pool.credentials(), request.read())

    async def async_auth_flow(self, request: RequestT) -> AsyncGenerator[RequestT, ResponseT]:
        """The request that an asynchronous client sends in place of a request."""
        if not isinstance(self._pool, AsyncIdentityPool):
            raise UsageError("an asynchronous client needs an AsyncIdentityPool")
        yield self._sign(request, await self._pool.credentials(), await request.aread())

    def _sign(self, request: RequestT, credentials: AwsCredentials, body: bytes) -> RequestT:
        url, headers = str(request.url), request.headers
        headers.update(self._signer.sign(credentials, request.method, url, headers.items(), body))
        return request
