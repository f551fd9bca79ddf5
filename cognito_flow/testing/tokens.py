"""AuthenticationResult: the tokens of a completed sign-in or refresh, and what an access token still opens.

Rule of this file: the claims are those of the developer guide's pages on the ID token and the access token;
nothing is issued here without a user who has earned it.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from cognito_flow.testing import triggers
from cognito_flow.testing.refusal import not_authorized
from cognito_flow.testing.signing import opaque_token
from cognito_flow.testing.state import Client, Grant, Members, User, UserPool

__all__ = ["issue", "new_grant", "user_of_access_token"]

_SCOPE = "aws.cognito.signin.user.admin"


def new_grant(client: Client, user: User, now: datetime, device_key: str | None) -> Grant:
    """A refresh token for a sign-in that is complete."""
    expires_at = now + client.validity("RefreshToken")
    grant = Grant(opaque_token(), client.id, str(uuid.uuid4()), now, expires_at, device_key)
    user.add_grant(grant, now)
    return grant


def issue(pool: UserPool, client: Client, user: User, grant: Grant, now: datetime, source: str) -> Members:
    """AccessToken, IdToken, ExpiresIn and TokenType.

    Args:
        pool: The pool.
        client: The app client.
        user: The user.
        grant: The sign-in that the tokens belong to.
        now: The time.
        source: The triggerSource for the pre token generation trigger.
    """
    overrides = _overrides(pool, client, user, source)
    access, identity = _access_claims(user, grant), _id_claims(pool, user, grant)
    for claims, token in ((access, "AccessToken"), (identity, "IdToken")):
        claims |= {
            "iss": pool.issuer,
            "sub": user.sub,
            "event_id": str(uuid.uuid4()),
            "auth_time": int(grant.auth_time.timestamp()),
            "iat": int(now.timestamp()),
            "exp": int((now + client.validity(token)).timestamp()),
            "jti": str(uuid.uuid4()),
        }
        groups = overrides.get("groupOverrideDetails", {}).get("groupsToOverride", user.groups)
        if groups:
            claims["cognito:groups"] = list(groups)
    identity |= overrides.get("claimsToAddOrOverride") or {}
    for name in overrides.get("claimsToSuppress") or ():
        identity.pop(name, None)
    return {
        "AccessToken": pool.keys.sign(access, "access"),
        "IdToken": pool.keys.sign(identity, "id"),
        "ExpiresIn": int(client.validity("AccessToken").total_seconds()),
        "TokenType": "Bearer",
    }


def _overrides(pool: UserPool, client: Client, user: User, source: str) -> Members:
    request: Members = {"groupConfiguration": {"groupsToOverride": list(user.groups)}}
    response = triggers.run_if_set(pool, "PreTokenGeneration", source, client.id, user, request) or {}
    return response.get("claimsOverrideDetails") or {}


def _access_claims(user: User, grant: Grant) -> Members:
    claims: Members = {
        "client_id": grant.client_id,
        "origin_jti": grant.origin_jti,
        "token_use": "access",
        "scope": _SCOPE,
        "username": user.username,
    }
    if grant.device_key is not None:
        claims["device_key"] = grant.device_key
    return claims


def _id_claims(pool: UserPool, user: User, grant: Grant) -> Members:
    attributes: Members = dict(user.attributes)
    for name in ("email_verified", "phone_number_verified"):
        if name in attributes:
            attributes[name] = attributes[name] == "true"
    return {
        **attributes,
        "aud": grant.client_id,
        "origin_jti": grant.origin_jti,
        "token_use": "id",
        "cognito:username": user.username,
    }


def user_of_access_token(pool: UserPool, token: str, now: datetime) -> tuple[User, Grant]:
    """The user, and the sign-in, of an access token.

    Raises:
        Refusal: It is not one of this pool, it is over, or it was revoked.
    """
    claims = pool.keys.read(token)
    if now.timestamp() >= claims["exp"]:
        raise not_authorized("Access Token has expired")
    user = pool.users.get(pool.fold(claims["username"]))
    if user is None or user.sub != claims["sub"]:
        raise not_authorized("Invalid Access Token")
    if not user.is_enabled:
        raise not_authorized("User is disabled.")
    for grant in user.grants:
        if grant.origin_jti == claims["origin_jti"]:
            return user, grant
    raise not_authorized("Access Token has been revoked")
