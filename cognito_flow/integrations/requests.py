"""CognitoAuth and SigV4Auth for requests: a fresh token, or a signature with the user's AWS credentials.

Rule of this file: `_token_header` decides which token a server receives, and the source when it is refreshed.
This file decides whether to send a refused request again; no request is sent a third time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol, Self, Unpack, runtime_checkable
from urllib.parse import urljoin

from cognito_flow._extras import missing
from cognito_flow._tracebacks import without_locals
from cognito_flow.errors import UsageError
from cognito_flow.flow import Ask, AuthFlow
from cognito_flow.integrations import _sign_in
from cognito_flow.integrations._sigv4 import Signer
from cognito_flow.integrations._token_header import HeaderOptions, TokenHeader, TokenUse, origin
from cognito_flow.integrations.aws import IdentityPool
from cognito_flow.models import AppClient, Tokens
from cognito_flow.tokens.source import TokenSource

try:
    import requests
    from requests.auth import AuthBase
    from requests.cookies import RequestsCookieJar, get_cookie_header, merge_cookies
except ModuleNotFoundError:
    raise missing("requests", extra="requests") from None

__all__ = ["CognitoAuth", "SigV4Auth"]


@runtime_checkable
class _File(Protocol):
    """A body that can be read again from its position."""

    def seek(self, offset: int, /) -> object: ...
    def tell(self) -> int: ...


class CognitoAuth(AuthBase):
    """Sends a user's token with each request of a `requests.Session`, or with one request.

    The token is refreshed before it expires. If a server answers 401 anyway, the source refreshes once and
    the request is sent once more; a second 401 is returned to the caller. The token is removed from a request
    that is redirected to another host.

    A body is sent again unchanged, a file from the position at which it was. One that cannot be read again,
    such as that of a generator, is not sent again: the caller receives the 401 and can send another request
    with the token that the source has by then.

    Args:
        source: Where the tokens come from.
        token: ``"access"``, or ``"id"`` for servers that require it, such as Cognito authorizers of an
            Amazon API Gateway without scopes.
        origins: The servers that receive the token, for example ``["https://api.example.com"]``. Requests to
            others are sent without it. None: all requests carry it.
        header: The name of the header.
        scheme: The word before the token; None: the token alone, as AWS AppSync and some authorizers of an
            Amazon API Gateway expect it.

    Raises:
        UsageError: The source is not a `TokenSource`, or a setting is malformed. When a request is sent: the
            source has no ID token.
        CognitoFlowError: When a request is sent: the source cannot refresh. See `TokenSource.tokens`.

    >>> import requests
    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.integrations.requests import CognitoAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool()
    >>> user = pool.add_user("alice", "correct horse")
    >>> flow = pool.flow()
    >>> source = flow.token_source(flow.sign_in(UserSrpAuth("alice", "correct horse")).tokens)
    >>> request = requests.Request("GET", "https://api.example.com/", auth=CognitoAuth(source)).prepare()
    >>> request.headers["Authorization"] == f"Bearer {source.access_token()}"
    True
    """

    def __init__(
        self,
        source: TokenSource,
        *,
        token: TokenUse = "access",
        origins: Iterable[str] | None = None,
        header: str = "Authorization",
        scheme: str | None = "Bearer",
    ) -> None:
        if not isinstance(source, TokenSource):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
            raise UsageError("requests needs a TokenSource: that of an AuthFlow")
        self._source = source
        self._header = TokenHeader.read(token=token, origins=origins, header=header, scheme=scheme)

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
        """Sign in with a name and a password.

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

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._source!r}, token={self._header.token!r})"

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token to a request, and a hook that repeats it if it is refused."""
        if self._header.goes_to(str(r.url)):
            tokens = self._source.tokens()
            r.headers[self._header.name] = self._header.value(tokens)
            r.register_hook("response", partial(self._repeat_if_refused, tokens, _way_back(r.body)))
        return r

    def _repeat_if_refused(
        self,
        tokens: Tokens,
        rewind: Callable[[], object] | None,
        response: requests.Response,
        **options: Any,
    ) -> requests.Response:
        """Return the response that the caller gets: the given one, or that of a repeated request."""
        self._forget_before_redirect(response.request, response)
        if not self._is_refused(response, tokens):
            return response
        try:
            fresh = self._source.refresh(tokens.access_token)
            sent, value = self._header.value(tokens), self._header.value(fresh)
            if rewind is None or value == sent or not _has_gone_back(rewind):
                return response
        except BaseException:
            response.close()  # the caller gets the error and never sees the response
            raise
        repeated = _repeat(response, self._header.name, value, options)
        self._forget_before_redirect(response.request, repeated)
        return repeated

    def _forget_before_redirect(self, request: requests.PreparedRequest, response: requests.Response) -> None:
        """Remove the token before a redirect to another origin: requests does so only for Authorization.

        A Location that cannot be read counts as another origin.

        Args:
            request: The request that requests copies for the redirect.
            response: What came for it.
        """
        if response.is_redirect and not _is_same_origin(str(request.url), response.headers["Location"]):
            request.headers.pop(self._header.name, None)

    def _is_refused(self, response: requests.Response, tokens: Tokens) -> bool:
        """Whether a server received the token and refused it. After a redirect it may not have got it."""
        sent = response.request.headers.get(self._header.name)
        return response.status_code == 401 and sent == self._header.value(tokens)


class SigV4Auth(AuthBase):
    """Signs each request of a `requests.Session`, or one request, with AWS credentials of an identity pool.

    For services that authorize with IAM, such as Amazon API Gateway (``execute-api``), AWS AppSync
    (``appsync``), and Lambda function URLs (``lambda``).

    Args:
        pool: The identity pool.
        service: The service's name in signatures.
        region: Its region.

    Raises:
        UsageError: The pool is not an `IdentityPool`. When a request is sent: its body is a file or a
            generator, which cannot be signed.
        CognitoFlowError: When a request is sent: see `IdentityPool.credentials`.
    """

    def __init__(self, pool: IdentityPool, service: str, region: str) -> None:
        if not isinstance(pool, IdentityPool):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
            raise UsageError("requests needs an IdentityPool")
        self._pool, self._signer = pool, Signer(service, region)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._pool!r}, {self._signer.service!r}, {self._signer.region!r})"

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request."""
        body: object = r.body or b""
        if isinstance(body, str):
            body = body.encode()
        if not isinstance(body, bytes):
            raise UsageError("the signature covers the body: read the file or generator, and pass bytes")
        url, method = str(r.url), str(r.method)
        headers = [(name, str(value)) for name, value in r.headers.items()]
        r.headers.update(self._signer.sign(self._pool.credentials(), method, url, headers, body))
        return r


def _is_same_origin(url: str, location: str) -> bool:
    try:
        return origin(urljoin(url, location)) == origin(url)
    except ValueError:  # a port that is not a number, or an address with one bracket
        return False


def _way_back(body: object) -> Callable[[], object] | None:
    """A callable that rewinds the body, or None if it cannot be replayed."""
    if body is None or isinstance(body, bytes | str):
        return lambda: None
    try:
        return partial(body.seek, body.tell()) if isinstance(body, _File) else None
    except OSError:  # a pipe has the methods of a file, but cannot seek
        return None


def _has_gone_back(rewind: Callable[[], object]) -> bool:
    """Rewind the body, and return whether that was possible."""
    try:
        rewind()
    except OSError:  # some files have a position, but cannot seek
        return False
    return True


def _repeat(
    response: requests.Response, header: str, value: str, options: dict[str, Any]
) -> requests.Response:
    # Read to its end, so that the connection can be used again.
    _ = response.content
    response.close()
    request = response.request.copy()
    request.headers[header] = value
    if response.cookies:
        _add_cookies(request, response.cookies)
    # Through the adapter, and so without hooks: this response is not repeated.
    repeated = response.connection.send(request, **options)
    repeated.history.append(response)
    return repeated


def _add_cookies(request: requests.PreparedRequest, more: RequestsCookieJar) -> None:
    """Rebuild the Cookie header with more cookies; one that the caller wrote stays unchanged."""
    cookies = request._cookies or RequestsCookieJar()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - it has no other name
    # requests makes none while there is one.
    present = request.headers.pop("Cookie", None)
    if present is None or present == get_cookie_header(cookies, request):
        request.prepare_cookies(merge_cookies(cookies, more))
    else:
        request.headers["Cookie"] = present
