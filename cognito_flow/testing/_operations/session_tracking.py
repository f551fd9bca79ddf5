"""Where users are signed in: the sessions of a pool that tracks them.

Rule of this file: a session is a sign-in and its refresh tokens, however often they were rotated. There are
no SSO sessions here, because there is no managed login, so RevokeAssociatedSessions and the SSO settings of
an app client change nothing.

Sources: SetUserPoolSessionConfiguration, SetUserPoolClientSessionConfiguration, ListUserSessions and
RevokeUserSession in the service model. It does not say which error refuses a pool without session tracking,
or the caller's own session.
"""

from __future__ import annotations

from cognito_flow.testing._operations.paging import page
from cognito_flow.testing._operations.request import Operation, Request
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import Client, Grant, User, UserPool
from cognito_flow.testing._state.refusal import Refusal, invalid_parameter


def set_user_pool_session_configuration(request: Request) -> Members:
    """SetUserPoolSessionConfiguration. It replaces the whole configuration."""
    pool = request.pool()
    _check_tier(pool)
    pool.sessions = {name: request.parameters[name] for name in ("UserSessionTracking", "TokenSession")}
    pool.modified_at = request.now
    return _configuration(pool)


def get_user_pool_session_configuration(request: Request) -> Members:
    """GetUserPoolSessionConfiguration."""
    return _configuration(request.pool())


def set_user_pool_client_session_configuration(request: Request) -> Members:
    """SetUserPoolClientSessionConfiguration. It is kept while session tracking is off."""
    pool, client = request.client()
    _check_tier(pool)
    _check_tracking(pool)
    client.sso_minutes = request.parameters["SSOSession"]["MaxValidityMinutes"]
    return _client_configuration(pool, client)


def get_user_pool_client_session_configuration(request: Request) -> Members:
    """GetUserPoolClientSessionConfiguration."""
    return _client_configuration(*request.client())


def _client_configuration(pool: UserPool, client: Client) -> Members:
    sso = {"MaxValidityMinutes": client.sso_minutes}
    return {"UserPoolId": pool.id, "ClientId": client.id, "SSOSession": sso}


def _check_tier(pool: UserPool) -> None:
    if pool.members.get("UserPoolTier") == "LITE":
        text = "Session tracking is not available in this feature plan."
        raise Refusal("FeatureUnavailableInTierException", text)


def _configuration(pool: UserPool) -> Members:
    return {"UserPoolId": pool.id, **pool.sessions}


def list_user_sessions(request: Request) -> Members:
    """ListUserSessions."""
    pool, user, grant = request.signed_in()
    return _list(request, pool, user, grant.session_id)


def admin_list_user_sessions(request: Request) -> Members:
    """AdminListUserSessions."""
    pool = request.pool()
    return _list(request, pool, request.user(pool), None)


def _list(request: Request, pool: UserPool, user: User, current: str | None) -> Members:
    _check_tracking(pool)
    sessions = {
        str(grant.session_id): {**_describe(grant), "IsCurrentSession": grant.session_id == current}
        for grant in user.grants
        if grant.has_session and grant.expires_at > request.now
    }
    listed, more = page(request, sessions)
    return {"Sessions": listed, **more}


def _describe(grant: Grant) -> Members:
    return {
        "SessionId": grant.session_id,
        "SessionType": "TOKEN",
        "ClientId": grant.client_id,
        "CreateDate": grant.auth_time.timestamp(),
        "LastActiveDate": grant.active_at.timestamp(),
        "DeviceType": "unknown",
        "LastIPAddress": "127.0.0.1",
    }


def revoke_user_session(request: Request) -> Members:
    """RevokeUserSession."""
    pool, user, grant = request.signed_in()
    if request.parameters["SessionId"] == grant.session_id:
        raise invalid_parameter("The current session cannot be revoked.")
    return _revoke(request, pool, user)


def admin_revoke_user_session(request: Request) -> Members:
    """AdminRevokeUserSession."""
    pool = request.pool()
    return _revoke(request, pool, request.user(pool))


def _revoke(request: Request, pool: UserPool, user: User) -> Members:
    _check_tracking(pool)
    wanted = request.parameters["SessionId"]
    ended = [grant for grant in user.grants if grant.has_session and grant.session_id == wanted]
    if not ended:
        raise Refusal("ResourceNotFoundException", "Session does not exist.")
    for grant in ended:
        grant.is_revoked = True
    return {}


def _check_tracking(pool: UserPool) -> None:
    if not pool.tracks_sessions:
        raise Refusal("OperationNotEnabledException", "Session tracking is not enabled for the user pool.")


OPERATIONS: dict[str, Operation] = {
    "AdminListUserSessions": admin_list_user_sessions,
    "AdminRevokeUserSession": admin_revoke_user_session,
    "GetUserPoolClientSessionConfiguration": get_user_pool_client_session_configuration,
    "GetUserPoolSessionConfiguration": get_user_pool_session_configuration,
    "ListUserSessions": list_user_sessions,
    "RevokeUserSession": revoke_user_session,
    "SetUserPoolClientSessionConfiguration": set_user_pool_client_session_configuration,
    "SetUserPoolSessionConfiguration": set_user_pool_session_configuration,
}
