"""AccessToken and IdToken for FastAPI: dependencies that verify the token of a request.

Rule of this file: annotations are not postponed. FastAPI reads those of `__call__`, and older versions cannot
find what a string of them means.
"""

from typing import Unpack

from cognito_flow._extras import missing
from cognito_flow.errors import CognitoFlowError, UsageError
from cognito_flow.integrations._bearer import NO_TOKEN, Refusal, bearer_token, refusal_of
from cognito_flow.tokens.claims import AccessClaims, IdClaims
from cognito_flow.tokens.requirements import (
    AccessRequirements,
    IdRequirements,
    require_scopes,
    reusable,
    reusable_for_id,
)
from cognito_flow.tokens.verifier import AsyncTokenVerifier

try:
    from fastapi import HTTPException
    from fastapi.openapi.models import HTTPBearer
    from fastapi.openapi.models import SecurityBase as SecurityScheme
    from fastapi.security import SecurityScopes
    from fastapi.security.base import SecurityBase
    from starlette.requests import HTTPConnection
except ModuleNotFoundError:
    raise missing("fastapi", extra="fastapi") from None

__all__ = ["AccessToken", "IdToken"]


class AccessToken(SecurityBase):
    """A dependency: the claims of the request's access token.

    A request without a token gets 401, one with an invalid token 401, one whose token lacks a scope or a
    group 403, each with the header WWW-Authenticate of RFC 6750; 503 if the pool's keys cannot be fetched.
    The OpenAPI document shows the scheme. All scopes of `fastapi.Security` are required in addition.

    Args:
        verifier: The verifier, shared by all dependencies.
        required: What the token must allow: the keywords of `TokenVerifier.verify_access`.

    Raises:
        UsageError: The verifier is not an `AsyncTokenVerifier`, or a requirement is malformed.

    >>> from typing import Annotated
    >>> from fastapi import Depends, FastAPI
    >>> from cognito_flow import AccessClaims, AppClient, AsyncTokenVerifier
    >>> from cognito_flow.integrations.fastapi import AccessToken
    >>> verifier = AsyncTokenVerifier(AppClient("eu-west-1_AbC123", "client-id"))
    >>> Reader = Annotated[AccessClaims, Depends(AccessToken(verifier, scopes=["shop/read"]))]
    >>> api = FastAPI()
    >>> @api.get("/orders")
    ... async def orders(caller: Reader):
    ...     return {"orders_of": caller.username}
    """

    def __init__(self, verifier: AsyncTokenVerifier, **required: Unpack[AccessRequirements]) -> None:
        self.model: SecurityScheme = HTTPBearer(bearerFormat="JWT")
        self.scheme_name: str = "CognitoAccessToken"
        self._verifier = _checked(verifier)
        self._required = reusable(required)

    async def __call__(self, request: HTTPConnection, security_scopes: SecurityScopes) -> AccessClaims:
        """Return the claims of the request's token.

        Raises:
            HTTPException: There is no token, or it is refused.
        """
        try:
            claims = await self._verifier.verify_access(_token(request), **self._required)
            # Not together with the dependency's own scopes, of which `any_of` requires one only.
            require_scopes(claims, security_scopes.scopes)
        except CognitoFlowError as error:
            raise _response(refusal_of(error)) from error
        return claims


class IdToken(SecurityBase):
    """A dependency: the claims of the request's ID token. See `AccessToken`.

    ID tokens have no scopes, so `fastapi.Security` must not require any.

    Args:
        verifier: The verifier, shared by all dependencies.
        required: What the token must allow: the keywords of `TokenVerifier.verify_id`.

    Raises:
        UsageError: The verifier is not an `AsyncTokenVerifier`, or a requirement is malformed.
    """

    def __init__(self, verifier: AsyncTokenVerifier, **required: Unpack[IdRequirements]) -> None:
        self.model: SecurityScheme = HTTPBearer(bearerFormat="JWT")
        self.scheme_name: str = "CognitoIdToken"
        self._verifier = _checked(verifier)
        self._required = reusable_for_id(required)

    async def __call__(self, request: HTTPConnection, security_scopes: SecurityScopes) -> IdClaims:
        """Return the claims of the request's token.

        Raises:
            HTTPException: There is no token, or it is refused.
            UsageError: `fastapi.Security` requires scopes, which ID tokens do not have.
        """
        if security_scopes.scopes:
            raise UsageError("ID tokens have no scopes: use AccessToken, or Depends instead of Security")
        try:
            return await self._verifier.verify_id(_token(request), **self._required)
        except CognitoFlowError as error:
            raise _response(refusal_of(error)) from error


def _checked(verifier: AsyncTokenVerifier) -> AsyncTokenVerifier:
    if not isinstance(verifier, AsyncTokenVerifier):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
        raise UsageError("FastAPI needs an AsyncTokenVerifier, which does not block the event loop")
    return verifier


def _token(request: HTTPConnection) -> str:
    token = bearer_token(request.headers.get("Authorization"))
    if token is None:
        raise _response(NO_TOKEN)
    return token


def _response(refusal: Refusal) -> HTTPException:
    return HTTPException(refusal.status, refusal.message, refusal.headers)
