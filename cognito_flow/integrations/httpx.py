"""CognitoAuth for httpx: requests that carry a fresh token.

Rule of this file: which token goes where is decided in `bearer`, and when it is refreshed in the source. Here
is decided whether a request that was refused is sent a second time. None is sent a third time.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterable

from cognito_flow._extras import missing
from cognito_flow.errors import UsageError
from cognito_flow.integrations.bearer import Bearer, TokenUse
from cognito_flow.models import Tokens
from cognito_flow.tokens.source import AsyncTokenSource, TokenSource

try:
    import httpx
except ModuleNotFoundError:
    raise missing("httpx", extra="httpx") from None

__all__ = ["CognitoAuth"]


class CognitoAuth(httpx.Auth):
    """Sends a token of one user with each request of an `httpx.Client` or `httpx.AsyncClient`.

    The token is refreshed before it ends. If a server answers 401 all the same, the source refreshes once,
    and the request is sent once more; a second 401 is the caller's. httpx takes the token off a request that
    is redirected to another origin.

    A body that is in memory (``content``, ``data`` or ``json``) is sent again as it was. One that is
    streamed (a file, a generator, ``files``) may be gone: such a request is not repeated, and its 401 is the
    caller's, who can send it again with the token that the source has then.

    Args:
        source: A `TokenSource` for an `httpx.Client`, an `AsyncTokenSource` for an `httpx.AsyncClient`.
        token: ``"access"``, or ``"id"`` for servers that ask for it, such as Cognito authorizers of an
            Amazon API Gateway that name no scopes.
        origins: Who may see the token, for example ``["https://api.example.com"]``. Requests to others go
            without. None: all requests carry it.
        requires_request_body: httpx's own setting: read a streamed body into memory before it is sent, so
            that it can be sent again.

    Raises:
        UsageError: `origins` holds something else. Where a request is sent: the source is of the other kind,
            or has no ID token.
        CognitoFlowError: Where a request is sent: the source cannot refresh. See `TokenSource.tokens`.

    >>> import httpx
    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.integrations.httpx import CognitoAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool()
    >>> user = pool.add_user("alice", "correct horse")
    >>> flow = pool.flow()
    >>> source = flow.token_source(flow.sign_in(UserSrpAuth("alice", "correct horse")).tokens)
    >>> api = httpx.MockTransport(lambda request: httpx.Response(200, text=request.headers["Authorization"]))
    >>> with httpx.Client(auth=CognitoAuth(source), transport=api) as client:
    ...     client.get("https://api.example.com/").text == f"Bearer {source.access_token()}"
    True
    """

    def __init__(
        self,
        source: TokenSource | AsyncTokenSource,
        *,
        token: TokenUse = "access",
        origins: Iterable[str] | None = None,
        requires_request_body: bool = False,
    ) -> None:
        self._source = source
        self._bearer = Bearer(token, origins)
        self.requires_request_body = requires_request_body

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._source!r}, token={self._bearer.token!r})"

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """What `httpx.Client` sends in place of a request."""
        if not isinstance(self._source, TokenSource):
            raise UsageError("an httpx.Client needs a TokenSource: that of an AuthFlow")
        if not self._bearer.goes_to(str(request.url)):
            yield request
            return
        if self.requires_request_body:
            request.read()
        tokens = self._source.tokens()
        response = yield self._show(request, tokens)
        if self._is_refused(response, tokens):
            fresh = self._source.refresh(tokens.access_token)
            yield from self._repetition(response.request, tokens, fresh)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """What `httpx.AsyncClient` sends in place of a request."""
        if not isinstance(self._source, AsyncTokenSource):
            raise UsageError("an httpx.AsyncClient needs an AsyncTokenSource: that of an AsyncAuthFlow")
        if not self._bearer.goes_to(str(request.url)):
            yield request
            return
        if self.requires_request_body:
            await request.aread()
        tokens = await self._source.tokens()
        response = yield self._show(request, tokens)
        if self._is_refused(response, tokens):
            fresh = await self._source.refresh(tokens.access_token)
            for repeated in self._repetition(response.request, tokens, fresh):
                yield repeated

    def _show(self, request: httpx.Request, tokens: Tokens) -> httpx.Request:
        request.headers["Authorization"] = self._bearer.authorization(tokens)
        return request

    def _is_refused(self, response: httpx.Response, tokens: Tokens) -> bool:
        """Whether a server saw the token and refused it. After a redirect it may not have seen it."""
        shown = response.request.headers.get("Authorization")
        return response.status_code == 401 and shown == self._bearer.authorization(tokens)

    def _repetition(
        self, request: httpx.Request, tokens: Tokens, fresh: Tokens
    ) -> Generator[httpx.Request, httpx.Response]:
        """The request again, if that is possible, and if there is another token to show."""
        is_in_memory = isinstance(request.stream, httpx.ByteStream)
        if is_in_memory and self._bearer.authorization(fresh) != self._bearer.authorization(tokens):
            yield self._show(request, fresh)
