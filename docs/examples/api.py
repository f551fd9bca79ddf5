"""An API for signed-in users, with FastAPI: two pages, one of them for administrators only."""

from typing import Annotated

from fastapi import Depends, FastAPI

from cognito_flow import AccessClaims, AsyncTokenVerifier
from cognito_flow.integrations.fastapi import AccessToken


def make_api(verifier: AsyncTokenVerifier) -> FastAPI:
    """The application. The verifier is passed in, so that a test can use that of a local pool."""
    api = FastAPI()
    any_user, admin = AccessToken(verifier), AccessToken(verifier, groups=["admins"])

    @api.get("/me")
    async def me(user: Annotated[AccessClaims, Depends(any_user)]) -> dict[str, str | None]:
        return {"username": user.username}

    @api.delete("/orders")
    async def delete_orders(user: Annotated[AccessClaims, Depends(admin)]) -> dict[str, str | None]:
        return {"deleted_by": user.username}

    return api
