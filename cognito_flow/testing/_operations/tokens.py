"""Refreshing, revoking and signing out.

Rule of this file: a refresh token is valid for the app client and the device that it was issued for, until it
expires, is revoked or is rotated.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from cognito_flow.testing._operations.request import (
    Operation,
    Request,
    check_client_secret,
    check_secret_hash,
    need,
)
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import Client, Grant, User, UserPool
from cognito_flow.testing._state.refusal import Refusal, not_authorized
from cognito_flow.testing._state.signing import opaque_token
from cognito_flow.testing._state.tokens import check_needs_no_reset, issue


def _find(request: Request, pool: UserPool, client: Client, token: str) -> tuple[User, Grant]:
    for user in pool.users.values():
        grant = user.grant(token)
        if grant is not None and grant.client_id == client.id:
            if grant.is_revoked:
                raise not_authorized("Refresh Token has been revoked")
            if grant.is_device_forgotten:
                break
            if request.now >= grant.expires_at:
                raise not_authorized("Refresh Token has expired")
            return user, grant
    raise not_authorized("Invalid Refresh Token.")


def _check_device(pool: UserPool, grant: Grant, device_key: str | None) -> None:
    """With device tracking, the device of the sign-in must be named."""
    if pool.tracks_devices and grant.device_key is not None and device_key != grant.device_key:
        raise not_authorized("Invalid Refresh Token.")


def _check_user(user: User) -> None:
    if not user.is_enabled:
        raise not_authorized("User is disabled.")


def _is_rotated_away(grant: Grant, client: Client, now: datetime) -> bool:
    return grant.superseded_at is not None and now >= grant.superseded_at + client.grace


def refresh(request: Request, pool: UserPool, client: Client, values: Mapping[str, str]) -> Members:
    """REFRESH_TOKEN_AUTH. The token is checked before the hash."""
    token = need(values, "REFRESH_TOKEN")
    if client.rotates:
        text = "This API does not support refresh token rotation"
        raise Refusal("UnsupportedOperationException", text)
    user, grant = _find(request, pool, client, token)
    check_secret_hash(client, values.get("SECRET_HASH"), user.username)
    _check_device(pool, grant, values.get("DEVICE_KEY"))
    _check_user(user)
    if _is_rotated_away(grant, client, request.now):  # before rotation was switched off
        raise not_authorized("Refresh Token has been revoked")
    check_needs_no_reset(user)
    result = issue(pool, client, user, grant, request.now, "TokenGeneration_RefreshTokens", {})
    grant.active_at = request.now
    return result


def get_tokens_from_refresh_token(request: Request) -> Members:
    """GetTokensFromRefreshToken."""
    pool, client = request.client()
    parameters = request.parameters
    user, grant = _find(request, pool, client, parameters["RefreshToken"])
    check_client_secret(client, parameters.get("ClientSecret"))
    _check_device(pool, grant, parameters.get("DeviceKey"))
    _check_user(user)
    if _is_rotated_away(grant, client, request.now):
        raise Refusal("RefreshTokenReuseException", "Refresh token reuse detected.")
    if user.status == "RESET_REQUIRED":  # the model lists no error of its own for it in this operation
        raise not_authorized("Password reset required for the user")
    metadata = parameters.get("ClientMetadata", {})
    result = issue(pool, client, user, grant, request.now, "TokenGeneration_RefreshTokens", metadata)
    grant.active_at = request.now
    if client.rotates:
        result["RefreshToken"] = _rotate(user, grant, request)
    return {"AuthenticationResult": result}


def _rotate(user: User, grant: Grant, request: Request) -> str:
    """Return a new refresh token that expires when the old one would have."""
    new = attrs.evolve(grant, token=opaque_token(), superseded_at=None)
    if grant.superseded_at is None:
        grant.superseded_at = request.now
    user.add_grant(new, request.now)
    return new.token


def revoke_token(request: Request) -> Members:
    """RevokeToken. An unknown token gets the same answer as a known one."""
    pool, client = request.client()
    check_client_secret(client, request.parameters.get("ClientSecret"), "UnauthorizedException")
    if client.members.get("EnableTokenRevocation") is False:
        text = "Token revocation is not enabled for this client."
        raise Refusal("UnsupportedOperationException", text)
    token = request.parameters["Token"]
    if pool.keys.has_signed(token):
        raise Refusal("UnsupportedTokenTypeException", "Only refresh tokens can be revoked.")
    for user in pool.users.values():
        grant = user.grant(token)
        if grant is not None:
            if grant.client_id != client.id:
                raise Refusal("UnauthorizedException", "The token was issued to another client.")
            for known in user.grants:
                known.is_revoked |= known.origin_jti == grant.origin_jti
    return {}


def global_sign_out(request: Request) -> Members:
    """GlobalSignOut."""
    _, user, _ = request.signed_in()
    user.sign_out_everywhere()
    return {}


def admin_user_global_sign_out(request: Request) -> Members:
    """AdminUserGlobalSignOut."""
    request.user(request.pool()).sign_out_everywhere()
    return {}


OPERATIONS: dict[str, Operation] = {
    "AdminUserGlobalSignOut": admin_user_global_sign_out,
    "GetTokensFromRefreshToken": get_tokens_from_refresh_token,
    "GlobalSignOut": global_sign_out,
    "RevokeToken": revoke_token,
}
