"""CognitoAuth for requests: requests that carry a fresh token.

Rule of this file: which token goes where is decided in `bearer`, and when it is refreshed in the source. Here
is decided whether a request that was refused is sent a second time. None is sent a third time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol, runtime_checkable

from cognito_flow._extras import missing
from cognito_flow.errors import UsageError
from cognito_flow.integrations.bearer import Bearer, TokenUse
from cognito_flow.models import Tokens
from cognito_flow.tokens.source import TokenSource

try:
    import requests
    from requests.auth import AuthBase
    from requests.cookies import RequestsCookieJar, get_cookie_header, merge_cookies
except ModuleNotFoundError:
    raise missing("requests", extra="requests") from None

__all__ = ["CognitoAuth"]


@runtime_checkable
class _File(Protocol):
    """What can be read again from where it stood."""

    def seek(self, offset: int, /) -> object: ...
    def tell(self) -> int: ...


class CognitoAuth(AuthBase):
    """Sends a token of one user with each request of a `requests.Session`, or with one request.

    The token is refreshed before it ends. If a server answers 401 all the same, the source refreshes once,
    and the request is sent once more; a second 401 is the caller's. requests takes the token off a request
    that is redirected to another host.

    A body is sent again as it was, and a file from where it stood. One that cannot be had a second time, as
    that of a generator, is not sent again: the 401 is the caller's, who can send another with the token that
    the source has then.

    Args:
        source: Where the tokens come from.
        token: ``"access"``, or ``"id"`` for servers that ask for it, such as Cognito authorizers of an
            Amazon API Gateway that name no scopes.
        origins: Who may see the token, for example ``["https://api.example.com"]``. Requests to others go
            without. None: all requests carry it.

    Raises:
        UsageError: The source is not a `TokenSource`, or `origins` holds something else. Where a request is
            sent: the source has no ID token.
        CognitoFlowError: Where a request is sent: the source cannot refresh. See `TokenSource.tokens`.

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
        self, source: TokenSource, *, token: TokenUse = "access", origins: Iterable[str] | None = None
    ) -> None:
        if not isinstance(source, TokenSource):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
            raise UsageError("requests needs a TokenSource: that of an AuthFlow")
        self._source = source
        self._bearer = Bearer(token, origins)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._source!r}, token={self._bearer.token!r})"

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """What requests sends in place of a request."""
        if self._bearer.goes_to(str(r.url)):
            tokens = self._source.tokens()
            r.headers["Authorization"] = self._bearer.authorization(tokens)
            r.register_hook("response", partial(self._answer, tokens, _way_back(r.body)))
        return r

    def _answer(
        self,
        tokens: Tokens,
        rewind: Callable[[], object] | None,
        response: requests.Response,
        **options: Any,
    ) -> requests.Response:
        """What the caller gets in place of a response."""
        if not self._is_refused(response, tokens):
            return response
        try:
            fresh = self._source.refresh(tokens.access_token)
            shown, authorization = self._bearer.authorization(tokens), self._bearer.authorization(fresh)
            if rewind is None or authorization == shown or not _has_gone_back(rewind):
                return response
        except BaseException:
            response.close()  # the caller gets the error and never sees it: its connection would stay open
            raise
        return _repeat(response, authorization, options)

    def _is_refused(self, response: requests.Response, tokens: Tokens) -> bool:
        """Whether a server saw the token and refused it. After a redirect it may not have seen it."""
        shown = response.request.headers.get("Authorization")
        return response.status_code == 401 and shown == self._bearer.authorization(tokens)


def _way_back(body: object) -> Callable[[], object] | None:
    """How to bring a body back to where it stands; None, if there is no way."""
    if body is None or isinstance(body, bytes | str):
        return lambda: None
    try:
        return partial(body.seek, body.tell()) if isinstance(body, _File) else None
    except OSError:  # a pipe has the methods of a file, too
        return None


def _has_gone_back(rewind: Callable[[], object]) -> bool:
    """Try that way."""
    try:
        rewind()
    except OSError:  # some files tell where they stand, and cannot go back all the same
        return False
    return True


def _repeat(response: requests.Response, authorization: str, options: dict[str, Any]) -> requests.Response:
    # Read to its end, so that the connection can be used again.
    _ = response.content
    response.close()
    request = response.request.copy()
    request.headers["Authorization"] = authorization
    if response.cookies:
        _add_cookies(request, response.cookies)
    # Through the adapter, and so without hooks: what comes now is not looked at again.
    repeated = response.connection.send(request, **options)
    repeated.history.append(response)
    return repeated


def _add_cookies(request: requests.PreparedRequest, more: RequestsCookieJar) -> None:
    """Make the Cookie header again, with more cookies; one that the caller wrote stays as it is."""
    cookies = request._cookies or RequestsCookieJar()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - it has no other name
    # requests makes none while there is one.
    present = request.headers.pop("Cookie", None)
    if present is None or present == get_cookie_header(cookies, request):
        request.prepare_cookies(merge_cookies(cookies, more))
    else:
        request.headers["Cookie"] = present
