"""An API that is open to people who have signed in, with FastAPI: two pages, one of them for some only."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from cognito_flow import AccessClaims, AsyncTokenVerifier, CognitoFlowError, NotAuthorized, NotPermitted

# Without auto_error a request that brings no token is answered here, as RFC 6750, section 3, has it.
Given = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


class Caller:
    """A dependency: who calls, by the access token that the request brings."""

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
        except NotAuthorized as error:  # nobody is told whether it is forged, too old, or for somebody else
            raise refusal(401, 'Bearer error="invalid_token"') from error
        except CognitoFlowError as error:  # without the pool's keys nothing can be said about a token
            raise HTTPException(503) from error


def refusal(status: int, challenge: str) -> HTTPException:
    """What a client that follows RFC 6750 understands."""
    return HTTPException(status, headers={"WWW-Authenticate": challenge})


def make_api(verifier: AsyncTokenVerifier) -> FastAPI:
    """The application. It is given the verifier, so that a test can give it one of a local pool."""
    api = FastAPI()
    anybody, admin = Caller(verifier), Caller(verifier, groups=["admins"])

    @api.get("/me")
    async def me(caller: Annotated[AccessClaims, Depends(anybody)]) -> dict[str, str | None]:
        return {"username": caller.username}

    @api.delete("/orders")
    async def delete_orders(caller: Annotated[AccessClaims, Depends(admin)]) -> dict[str, str | None]:
        return {"deleted_by": caller.username}

    return api
