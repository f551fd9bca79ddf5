"""A FastAPI application that verifies access tokens: one route for every user, one for administrators."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from cognito_flow import AccessClaims, AsyncTokenVerifier, CognitoFlowError, NotPermitted, TokenRejected

# Without auto_error, the code below answers requests without a token as RFC 6750, section 3, wants it.
Given = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


class Caller:
    """A dependency: the claims of the request's access token."""

    def __init__(
        self, verifier: AsyncTokenVerifier, *, scopes: Sequence[str] = (), groups: Sequence[str] = ()
    ) -> None:
        self.verifier = verifier
        self.scopes = scopes
        self.groups = groups

    async def __call__(self, given: Given) -> AccessClaims:
        if given is None:
            raise refusal(401, "Bearer")
        try:
            return await self.verifier.verify_access(
                given.credentials, scopes=self.scopes, groups=self.groups
            )
        except NotPermitted as error:
            raise refusal(403, 'Bearer error="insufficient_scope"') from error
        except TokenRejected as error:  # one answer, whether it is forged, expired, or for another app client
            raise refusal(401, 'Bearer error="invalid_token"') from error
        except CognitoFlowError as error:  # the pool's keys could not be fetched
            raise HTTPException(503) from error


def refusal(status: int, challenge: str) -> HTTPException:
    """A response that clients of RFC 6750 understand."""
    return HTTPException(status, headers={"WWW-Authenticate": challenge})


def make_api(verifier: AsyncTokenVerifier) -> FastAPI:
    """Create the application. The verifier is an argument, so that a test can pass one of a local pool."""
    api = FastAPI()
    any_user, admin = Caller(verifier), Caller(verifier, groups=["admins"])

    @api.get("/me")
    async def me(caller: Annotated[AccessClaims, Depends(any_user)]) -> dict[str, str | None]:
        return {"username": caller.username}

    @api.delete("/orders")
    async def delete_orders(caller: Annotated[AccessClaims, Depends(admin)]) -> dict[str, str | None]:
        return {"deleted_by": caller.username}

    return api
