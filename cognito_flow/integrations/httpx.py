"""CognitoAuth and SigV4Auth for httpx: a fresh token, or a signature with the user's AWS credentials."""

from __future__ import annotations

from cognito_flow._extras import missing
from cognito_flow.integrations._httpx_auth import HttpxAuth, HttpxSigV4

try:
    import httpx
except ModuleNotFoundError:
    raise missing("httpx", extra="httpx") from None

__all__ = ["CognitoAuth", "SigV4Auth"]


class CognitoAuth(HttpxAuth[httpx.Request, httpx.Response], httpx.Auth):
    """Sends a user's token with each request of an `httpx.Client` or `httpx.AsyncClient`.

    The token is refreshed before it expires. If a server answers 401 anyway, the source refreshes once and
    the request is sent once more; a second 401 is returned to the caller. httpx removes the header
    Authorization when a server redirects to another origin. It does not remove other headers: if you set
    `header`, do not let the client follow redirects.

    A body in memory (``content``, ``data`` or ``json``) is sent again unchanged. A streamed body (a file, a
    generator, ``files``) may be used up: such a request is not repeated, and the caller receives the 401 and
    can send it again with the token that the source has by then.

    Args:
        source: A `TokenSource` for an `httpx.Client`, an `AsyncTokenSource` for an `httpx.AsyncClient`.
        token: ``"access"``, or ``"id"`` for servers that require it, such as Cognito authorizers of an
            Amazon API Gateway without scopes.
        origins: The servers that receive the token, for example ``["https://api.example.com"]``. Requests to
            others are sent without it. None: all requests carry it.
        header: The name of the header.
        scheme: The word before the token; None: the token alone, as AWS AppSync and some authorizers of an
            Amazon API Gateway expect it.
        requires_request_body: httpx's own setting: read a streamed body into memory before it is sent, so
            that it can be sent again.

    Raises:
        UsageError: A setting is malformed. When a request is sent: the source is of the other kind, or has no
            ID token.
        CognitoFlowError: When a request is sent: the source cannot refresh. See `TokenSource.tokens`.

    >>> import httpx
    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.integrations.httpx import CognitoAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool()
    >>> user = pool.add_user("alice", "correct horse")
    >>> flow = pool.flow()
    >>> source = flow.token_source(flow.sign_in(UserSrpAuth("alice", "correct horse")).tokens)
    >>> api = httpx.MockTransport(lambda request: httpx.Response(200, headers=request.headers))
    >>> with httpx.Client(auth=CognitoAuth(source), transport=api) as client:
    ...     response = client.get("https://api.example.com/")
    >>> response.headers["Authorization"] == f"Bearer {source.access_token()}"
    True
    """

    _in_memory = httpx.ByteStream


class SigV4Auth(HttpxSigV4[httpx.Request, httpx.Response], httpx.Auth):
    """Signs each request of an `httpx.Client` or `httpx.AsyncClient` with AWS credentials of an identity
    pool.

    For services that authorize with IAM, such as Amazon API Gateway (``execute-api``), AWS AppSync
    (``appsync``), and Lambda function URLs (``lambda``). Streamed bodies are read into memory first.

    Args:
        pool: An `IdentityPool` for an `httpx.Client`, an `AsyncIdentityPool` for an `httpx.AsyncClient`.
        service: The service's name in signatures.
        region: Its region.

    Raises:
        UsageError: When a request is sent: the identity pool is of the other kind.
        CognitoFlowError: When a request is sent: see `IdentityPool.credentials`.
    """
