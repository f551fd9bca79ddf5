"""Tokens of an app client itself, for machines.

Rule of this file: botocore's model documents the request, but not every refusal; the texts of the refusals
are LocalCognito's own where Cognito's are unknown.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

from cognito_flow.testing._operations.request import Operation, Request, check_client_secret
from cognito_flow.testing._operations.resource_servers import custom_scopes
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import Client, UserPool
from cognito_flow.testing._state.refusal import invalid_parameter
from cognito_flow.testing._state.tokens import override_client_claims

_FLOW = "ALLOW_CLIENT_TOKEN_AUTH"


def get_client_token(request: Request) -> Members:
    """GetClientToken."""
    pool, client = request.client()
    if _FLOW not in client.flows:
        raise invalid_parameter(f"{_FLOW} flow not enabled for this client")
    check_client_secret(client, request.parameters["Secret"])
    scopes = _granted(pool, client, request.parameters.get("Scopes"))
    metadata = request.parameters.get("ClientMetadata", {})
    return {
        "ClientAuthenticationResult": {
            "AccessToken": client_token(pool, client, scopes, request.now, metadata),
            "ExpiresIn": int(client.validity("AccessToken").total_seconds()),
            "TokenType": "Bearer",
        }
    }


def _granted(pool: UserPool, client: Client, requested: list[str] | None) -> list[str]:
    """Return the requested scopes, or without any all that the app client may have."""
    allowed = custom_scopes(pool) & set(client.members.get("AllowedOAuthScopes", ()))
    for scope in requested or ():
        if scope not in allowed:
            raise invalid_parameter(f"Invalid scope requested: {scope}")
    return sorted(requested or allowed)


def client_token(
    pool: UserPool, client: Client, scopes: list[str], now: datetime, metadata: Mapping[str, str]
) -> str:
    """Return an access token of an app client itself, as the pre token generation trigger wants it.

    Raises:
        Refusal: The trigger failed. The service model names no error for that.
    """
    claims = client_claims(pool, client, scopes, now)
    override_client_claims(pool, client, claims, scopes, metadata)
    return pool.keys.sign(claims, "access")


def client_claims(pool: UserPool, client: Client, scopes: list[str], now: datetime) -> Members:
    """Return the claims of a token of the client credentials grant: its subject is the app client."""
    return {
        "iss": pool.issuer,
        "sub": client.id,
        "client_id": client.id,
        "token_use": "access",
        "scope": " ".join(scopes),
        "auth_time": int(now.timestamp()),
        "iat": int(now.timestamp()),
        "exp": int((now + client.validity("AccessToken")).timestamp()),
        "version": 2,
        "jti": str(uuid.uuid4()),
    }


OPERATIONS: dict[str, Operation] = {"GetClientToken": get_client_token}
