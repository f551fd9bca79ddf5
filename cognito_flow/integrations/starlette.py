"""CognitoBackend for Starlette's AuthenticationMiddleware."""

from __future__ import annotations

import attrs

from cognito_flow._extras import missing
from cognito_flow.errors import CognitoFlowError, UsageError
from cognito_flow.integrations._bearer import Refusal, bearer_token, refusal_of
from cognito_flow.tokens.claims import AccessClaims
from cognito_flow.tokens.verifier import AsyncTokenVerifier

try:
    from starlette.authentication import AuthCredentials, AuthenticationBackend, AuthenticationError, BaseUser
    from starlette.requests import HTTPConnection
    from starlette.responses import JSONResponse, Response
except ModuleNotFoundError:
    raise missing("starlette", extra="starlette") from None

__all__ = ["CognitoBackend", "CognitoUser", "refuse"]


@attrs.frozen(slots=False)
class CognitoUser(BaseUser):
    """The user of a request: `request.user`.

    Args:
        claims: The claims of the access token.
    """

    claims: AccessClaims

    @property
    def is_authenticated(self) -> bool:
        """True: the token was verified."""
        return True

    @property
    def display_name(self) -> str:
        """The user name; in a token of the client credentials grant the app client's id."""
        return self.claims.username or self.claims.client_id

    @property
    def identity(self) -> str:
        """The user's id, `sub`."""
        return self.claims.sub


class _Refused(AuthenticationError):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class CognitoBackend(AuthenticationBackend):
    """Authenticates requests and web sockets by their access token.

    A request without a token stays unauthenticated. `request.auth.scopes` holds ``authenticated``, the
    token's scopes, and each of its groups as ``group:<name>``, for `starlette.authentication.requires`.

    Args:
        verifier: The verifier.

    Raises:
        UsageError: The verifier is not an `AsyncTokenVerifier`.

    >>> from starlette.applications import Starlette
    >>> from starlette.middleware import Middleware
    >>> from starlette.middleware.authentication import AuthenticationMiddleware
    >>> from cognito_flow import AppClient, AsyncTokenVerifier
    >>> from cognito_flow.integrations.starlette import CognitoBackend, refuse
    >>> backend = CognitoBackend(AsyncTokenVerifier(AppClient("eu-west-1_AbC123", "client-id")))
    >>> middleware = Middleware(AuthenticationMiddleware, backend=backend, on_error=refuse)
    >>> app = Starlette(middleware=[middleware])
    """

    def __init__(self, verifier: AsyncTokenVerifier) -> None:
        if not isinstance(verifier, AsyncTokenVerifier):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
            raise UsageError("Starlette needs an AsyncTokenVerifier, which does not block the event loop")
        self._verifier = verifier

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, CognitoUser] | None:
        """Return the scopes and the user of a request; None if it has no token.

        Raises:
            AuthenticationError: The token is not valid, or cannot be verified.
        """
        token = bearer_token(conn.headers.get("Authorization"))
        if token is None:
            return None
        try:
            claims = await self._verifier.verify_access(token)
        except CognitoFlowError as error:
            raise _Refused(refusal_of(error)) from error
        groups = (f"group:{group}" for group in claims.groups)
        return AuthCredentials(["authenticated", *claims.scopes, *groups]), CognitoUser(claims)


def refuse(_conn: HTTPConnection, error: AuthenticationError) -> Response:
    """The response to a request whose token was refused: pass it as `on_error`."""
    refusal = error.refusal if isinstance(error, _Refused) else Refusal(400, str(error))
    return JSONResponse({"detail": refusal.message}, refusal.status, refusal.headers)
