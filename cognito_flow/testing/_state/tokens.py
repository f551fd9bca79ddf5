"""AuthenticationResult: the tokens of a completed sign-in or refresh, and what an access token still opens.

Rule of this file: the claims are those of the developer guide's pages on the ID token and the access token;
nothing is issued here without a user who has earned it.
"""

from __future__ import annotations

import math
import uuid
from datetime import datetime

from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import Client, Grant, User, UserPool
from cognito_flow.testing._state.refusal import not_authorized
from cognito_flow.testing._state.signing import opaque_token

# What no trigger can add, change or take away, according to "Pre token generation Lambda trigger" in the
# developer guide.
_RESERVED = frozenset(
    {
        "acr",
        "amr",
        "aud",
        "at_hash",
        "auth_time",
        "azp",
        "cognito:username",
        "exp",
        "iat",
        "identities",
        "iss",
        "jti",
        "nbf",
        "nonce",
        "origin_jti",
        "sub",
        "token_use",
    }
)

_SCOPE = "aws.cognito.signin.user.admin"


def new_grant(pool: UserPool, client: Client, user: User, now: datetime, device_key: str | None) -> Grant:
    """A refresh token for a sign-in that is complete. In a pool that tracks sessions, it may end another."""
    expires_at = now + client.validity("RefreshToken")
    grant = Grant(opaque_token(), client.id, str(uuid.uuid4()), now, expires_at, device_key)
    if pool.tracks_sessions:
        grant.session_id = f"tkn{uuid.uuid4().hex[:25]}"
        user.evict_sessions(pool.sessions["TokenSession"]["MaxPerUser"] - 1)
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
    access, identity = _access_claims(user, grant), _id_claims(client, user, grant)
    details: Members = {**_group_configuration(pool, user), **(overrides.get("groupOverrideDetails") or {})}
    for claims, token in ((access, "AccessToken"), (identity, "IdToken")):
        claims |= {
            "iss": pool.issuer,
            "sub": user.sub,
            "event_id": str(uuid.uuid4()),
            "auth_time": int(grant.auth_time.timestamp()),
            "iat": int(now.timestamp()),
            "exp": int((now + client.validity(token)).timestamp()),
            "jti": str(uuid.uuid4()),
            **grant.acr_claims,
        }
        if details["groupsToOverride"]:
            claims["cognito:groups"] = list(details["groupsToOverride"])
    if details["iamRolesToOverride"]:
        identity["cognito:roles"] = list(details["iamRolesToOverride"])
    if details["preferredRole"]:
        identity["cognito:preferred_role"] = details["preferredRole"]
    added: Members = overrides.get("claimsToAddOrOverride") or {}
    identity |= {name: value for name, value in added.items() if _is_free(name)}
    for name in filter(_is_free, overrides.get("claimsToSuppress") or ()):
        identity.pop(name, None)
    return {
        "AccessToken": pool.keys.sign(access, "access"),
        "IdToken": pool.keys.sign(identity, "id"),
        "ExpiresIn": int(client.validity("AccessToken").total_seconds()),
        "TokenType": "Bearer",
    }


def _is_free(claim: str) -> bool:
    """Whether a trigger may say what this claim is."""
    return claim not in _RESERVED and not claim.startswith("dev:")


def _overrides(pool: UserPool, client: Client, user: User, source: str) -> Members:
    request: Members = {"groupConfiguration": _group_configuration(pool, user)}
    response = pool.run_trigger("PreTokenGeneration", source, client.id, user, request) or {}
    return response.get("claimsOverrideDetails") or {}


def _group_configuration(pool: UserPool, user: User) -> Members:
    """The user's groups, their roles, and the role that comes first: that of the group with the lowest
    Precedence, unless groups of the same Precedence have different ones. (CreateGroup, on Precedence.)"""
    with_role = [group for name in user.groups if "RoleArn" in (group := pool.groups.get(name, {}))]
    ranks = {group["GroupName"]: group.get("Precedence", math.inf) for group in with_role}
    first = {group["RoleArn"] for group in with_role if ranks[group["GroupName"]] == min(ranks.values())}
    return {
        "groupsToOverride": list(user.groups),
        "iamRolesToOverride": list(dict.fromkeys(group["RoleArn"] for group in with_role)),
        "preferredRole": first.pop() if len(first) == 1 else None,
    }


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


def _id_claims(client: Client, user: User, grant: Grant) -> Members:
    attributes: Members = {name: value for name, value in user.attributes.items() if client.may_read(name)}
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
    # The keys may have been those of another pool, which was deleted.
    if user is None or user.sub != claims["sub"] or claims["iss"] != pool.issuer:
        raise not_authorized("Invalid Access Token")
    if not user.is_enabled:
        raise not_authorized("User is disabled.")
    for grant in user.grants:
        if grant.origin_jti == claims["origin_jti"]:
            return user, grant
    raise not_authorized("Access Token has been revoked")
