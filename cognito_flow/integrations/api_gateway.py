"""Lambda functions behind Amazon API Gateway and AWS AppSync: an authorizer, and claims that were verified.

Rule of this file: it imports no AWS SDK. `_Request` alone knows the kinds of API.

Source: "Use API Gateway Lambda authorizers" and "Control access to HTTP APIs with JWT authorizers" in the
Amazon API Gateway developer guide; "Authorization and authentication" in the AWS AppSync developer guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Unpack

import attrs

from cognito_flow._json import as_object, as_text, member
from cognito_flow.errors import NotPermitted, TokenRejected, UsageError
from cognito_flow.tokens.claims import AccessClaims, IdClaims
from cognito_flow.tokens.requirements import AccessRequirements, reusable
from cognito_flow.tokens.verifier import TokenVerifier

__all__ = ["Authorizer", "Unauthorized", "claims_of"]

Event = Mapping[str, object]

_DATES = ("auth_time", "exp", "iat", "nbf")
_LISTS = ("cognito:groups", "amr")


class Unauthorized(Exception):
    """Its text is what makes API Gateway answer 401; any other error of an authorizer is a 500."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


class Authorizer:
    """A Lambda authorizer: the handler of a function that verifies access tokens.

    It understands the events of REST and WebSocket APIs (TOKEN and REQUEST), of HTTP APIs (both payload
    formats, with simple responses for 2.0) and of AppSync, and answers each in its own form. The backend
    receives `sub`, `username`, `client_id`, `scope` and `groups` as the authorizer's context.

    A request without a valid token is refused with 401 where API Gateway lets an authorizer choose, else with
    403; a token that lacks a scope or a group with 403. API Gateway caches answers for each token, so a
    policy allows all methods of the stage: require the same of all of them. A cached answer can outlive the
    token, for as long as the authorizer's TTL.

    Args:
        verifier: The verifier. Create it outside the handler, so that its keys live as long as the function.
        header: The header with the token, after the word ``Bearer`` or alone, if the identity source of the
            authorizer is another one than ``Authorization``. For an authorizer of the type TOKEN, API Gateway
            reads the header.
        query: The query string parameter with the token, if the identity source is one, as for web sockets
            of browsers, which cannot send headers. The header is not read then.
        required: What the token must allow: the keywords of `TokenVerifier.verify_access`.

    Raises:
        UsageError: The verifier is not a `TokenVerifier`, `header` or `query` is empty, or a requirement is
            malformed.

    >>> from cognito_flow import AppClient, TokenVerifier
    >>> from cognito_flow.integrations.api_gateway import Authorizer
    >>> verifier = TokenVerifier(AppClient("eu-west-1_AbC123", "client-id"))
    >>> handler = Authorizer(verifier, scopes=["shop/read"])
    >>> handler({"version": "2.0", "routeArn": "arn:...", "headers": {"authorization": "Bearer x.y.z"}}, None)
    {'isAuthorized': False}
    """

    def __init__(
        self,
        verifier: TokenVerifier,
        *,
        header: str = "Authorization",
        query: str | None = None,
        **required: Unpack[AccessRequirements],
    ) -> None:
        if not isinstance(verifier, TokenVerifier):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
            raise UsageError("a Lambda authorizer needs a TokenVerifier")
        if not header or query == "":
            raise UsageError("header and query must be names")
        self._verifier, self._header, self._query = verifier, header, query
        self._required = reusable(required)

    def __call__(self, event: Event, _context: object = None) -> dict[str, object]:
        """Handle one event.

        Raises:
            Unauthorized: The token is missing or not valid, and API Gateway is to answer 401.
            CognitoFlowError: The keys could not be fetched: API Gateway answers 500.
        """
        request = _Request.read(event, self._header, self._query)
        try:
            claims = self._verifier.verify_access(request.token, **self._required)
        except NotPermitted:
            return request.refuse()
        except TokenRejected:
            if request.is_simple:
                return request.refuse()
            raise Unauthorized from None
        return request.allow(claims)


@attrs.frozen
class _Request:
    """A request to be authorized.

    Args:
        token: The token, or "" if there is none.
        resource: The ARN of the method; None if the answer is not an IAM policy.
        context: The name of the answer's member for the backend.
    """

    token: str = attrs.field(repr=False)
    resource: str | None
    context: str

    @classmethod
    def read(cls, event: Event, header: str, query: str | None) -> _Request:
        given = as_text(event.get("authorizationToken")) or _identity(event, header, query)
        scheme, _, rest = given.partition(" ")
        token = rest.strip() if scheme.lower() == "bearer" else given
        if event.get("version") == "2.0":
            return cls(token, None, "context")
        resource = as_text(event.get("methodArn")) or as_text(event.get("routeArn"))
        if resource is not None:
            return cls(token, resource, "context")
        if member(event, "requestContext", "apiId") is not None and "authorizationToken" in event:
            return cls(token, None, "resolverContext")
        raise UsageError("this is not the event of a Lambda authorizer")

    @property
    def is_simple(self) -> bool:
        """Whether the answer is yes or no, instead of an IAM policy."""
        return self.resource is None

    def allow(self, claims: AccessClaims) -> dict[str, object]:
        context = {
            "sub": claims.sub,
            "username": claims.username or "",
            "client_id": claims.client_id,
            "scope": " ".join(sorted(claims.scopes)),
            "groups": ",".join(sorted(claims.groups)),
        }
        if self.resource is None:
            return {"isAuthorized": True, self.context: context}
        return {**self._policy("Allow", claims.sub), self.context: context}

    def refuse(self) -> dict[str, object]:
        return {"isAuthorized": False} if self.resource is None else self._policy("Deny", "unknown")

    def _policy(self, effect: str, principal: str) -> dict[str, object]:
        # arn:aws:execute-api:region:account:api/stage/method/path: everything of the stage.
        api, stage = (*str(self.resource).split("/"), "*")[:2]
        statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": f"{api}/{stage}/*"}
        return {
            "principalId": principal,
            "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        }


def _identity(event: Event, header: str, query: str | None) -> str:
    """The value of the identity source, or "" if the request has none."""
    if query is not None:
        return as_text(member(event, "queryStringParameters", query)) or ""
    headers = as_object(event.get("headers")) or {}
    named = {name.lower(): value for name, value in headers.items()}
    return as_text(named.get(header.lower())) or ""


def claims_of(event: Event) -> AccessClaims | IdClaims:
    """Return the claims that API Gateway verified before it called this function.

    They come from a Cognito authorizer of a REST API or a JWT authorizer of an HTTP API. API Gateway turns
    all claims into strings; here they have their types again. REST APIs separate groups by commas, so a group
    whose name contains a comma is read as two. Nothing is verified: use it only in a function that only API
    Gateway may invoke.

    Args:
        event: The event of the Lambda function.

    Raises:
        UsageError: The event holds no claims: the method has no such authorizer.
        TokenInvalid: A claim is missing.

    >>> from cognito_flow.integrations.api_gateway import claims_of
    >>> claims = {"sub": "1", "token_use": "access", "client_id": "c", "cognito:groups": "[admins editors]"}
    >>> times = {"iat": "1893499200", "exp": "1893502800"}
    >>> event = {"requestContext": {"authorizer": {"jwt": {"claims": {**claims, **times}}}}}
    >>> sorted(claims_of(event).groups)
    ['admins', 'editors']
    """
    authorizer = member(event, "requestContext", "authorizer")
    claims = as_object(member(authorizer, "jwt", "claims")) or as_object(member(authorizer, "claims"))
    if claims is None:
        raise UsageError("the event has no claims: give the method a Cognito or a JWT authorizer")
    typed = {name: _typed(name, value) for name, value in claims.items()}
    return AccessClaims.read(typed) if typed.get("token_use") == "access" else IdClaims.read(typed)


def _typed(name: str, value: object) -> object:
    """A claim with the type that it has in the token."""
    if not isinstance(value, str):
        return value
    if name in _DATES:
        return _seconds(value)
    if name in _LISTS:
        # HTTP APIs write [a b], REST APIs a,b.
        is_bracketed = value.startswith("[") and value.endswith("]")
        parts = value[1:-1].split(" ") if is_bracketed else value.split(",")
        return [part for part in parts if part]
    return value


def _seconds(value: str) -> object:
    """Seconds since 1970. REST APIs write a date as ``Tue Jan 01 12:00:00 UTC 2030``."""
    if value.isdecimal():
        return int(value)
    try:
        parsed = datetime.strptime(value, "%a %b %d %H:%M:%S UTC %Y").replace(tzinfo=UTC)
    except ValueError:
        return value
    return int(parsed.timestamp())
