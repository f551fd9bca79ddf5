"""RequestsSrpAuth: requests with a token of a user who signs in when it is first needed."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from cognito_flow._extras import missing
from cognito_flow._tracebacks import without_locals
from cognito_flow.compat.pycognito.cognito import Cognito

try:
    import requests
    from requests.auth import AuthBase
except ModuleNotFoundError:
    raise missing("requests", extra="requests") from None

__all__ = ["RequestsSrpAuth", "TokenType"]


class TokenType(StrEnum):
    """Which token a request carries."""

    ID_TOKEN = "id_token"
    ACCESS_TOKEN = "access_token"


@without_locals
class RequestsSrpAuth(AuthBase):
    """Sends a token with each request, and refreshes it when it has expired.

    Args:
        username: The user name, unless `cognito` is given.
        password: The password; the user signs in with the first request.
        user_pool_id: The user pool's id, unless `cognito` is given.
        user_pool_region: Its region.
        client_id: The app client's id, unless `cognito` is given.
        cognito: A `Cognito` to use.
        http_header: The header.
        http_header_prefix: What comes before the token, with a space at its end.
        auth_token_type: Which token.
        boto3_client_kwargs: More arguments for the client.
    """

    def __init__(
        self,
        username: str | None = None,
        password: str | None = None,
        user_pool_id: str | None = None,
        user_pool_region: str | None = None,
        client_id: str | None = None,
        cognito: Cognito | None = None,
        http_header: str = "Authorization",
        http_header_prefix: str = "Bearer ",
        auth_token_type: TokenType = TokenType.ACCESS_TOKEN,
        boto3_client_kwargs: Mapping[str, object] | None = None,
    ) -> None:
        self.cognito_client: Cognito = cognito or Cognito(
            user_pool_id=user_pool_id or "",
            client_id=client_id or "",
            user_pool_region=user_pool_region,
            username=username,
            boto3_client_kwargs=boto3_client_kwargs,
        )
        self.username = username
        self._password = password
        self.http_header = http_header
        self.http_header_prefix = http_header_prefix
        self.token_type = auth_token_type

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Attach the token."""
        if not self.cognito_client.access_token:
            self.cognito_client.authenticate(password=self._password or "")
        self.cognito_client.check_token(renew=True)
        token = getattr(self.cognito_client, self.token_type.value)
        request.headers[self.http_header] = f"{self.http_header_prefix}{token}"
        return request
