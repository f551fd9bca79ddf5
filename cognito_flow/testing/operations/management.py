"""Setting pools up, and looking after their users: the operations that AWS credentials sign.

Rule of this file: a pool and an app client are what was sent, with the service's defaults; other files read
them as they are.
"""

from __future__ import annotations

import secrets
import string

from cognito_flow.testing.operations.request import Operation, Request
from cognito_flow.testing.operations.users import attributes_of, mfa_settings, new_user, set_preference
from cognito_flow.testing.outbox import Message
from cognito_flow.testing.passwords import check_attributes, check_policy, set_password
from cognito_flow.testing.refusal import Refusal, invalid_parameter, not_authorized
from cognito_flow.testing.signing import SigningKeys
from cognito_flow.testing.state import Client, Members, User, UserPool

__all__ = ["OPERATIONS"]

_ALPHANUMERIC = string.ascii_letters + string.digits
_LOWER = string.ascii_lowercase + string.digits


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


# -- pools --


def create_user_pool(request: Request) -> Members:
    """CreateUserPool."""
    members = {name: value for name, value in request.parameters.items() if name != "PoolName"}
    if members.get("UsernameAttributes") and members.get("AliasAttributes"):
        raise invalid_parameter(
            "Only one of the aliasAttributes or usernameAttributes can be set in a user pool."
        )
    pool = UserPool(
        id=f"{request.region}_{_random(_ALPHANUMERIC, 9)}",
        members={"Name": request.parameters["PoolName"], **members},
        created_at=request.now,
        # By the number of pools there are, so that no two of them share a key.
        keys=SigningKeys.draw(len(request.pools)),
        mfa={"MfaConfiguration": members.get("MfaConfiguration", "OFF")},
    )
    request.pools[pool.id] = pool
    return {"UserPool": _describe_pool(pool)}


def _describe_pool(pool: UserPool) -> Members:
    return {
        **pool.members,
        "Id": pool.id,
        "Arn": f"arn:aws:cognito-idp:{pool.region}:123456789012:userpool/{pool.id}",
        "Policies": {**pool.members.get("Policies", {}), "PasswordPolicy": dict(pool.policy)},
        "MfaConfiguration": pool.mfa["MfaConfiguration"],
        "CreationDate": pool.created_at.timestamp(),
        "LastModifiedDate": pool.created_at.timestamp(),
        "EstimatedNumberOfUsers": len(pool.users),
    }


def describe_user_pool(request: Request) -> Members:
    """DescribeUserPool."""
    return {"UserPool": _describe_pool(request.pool())}


def set_user_pool_mfa_config(request: Request) -> Members:
    """SetUserPoolMfaConfig."""
    pool, given = (
        request.pool(),
        {name: value for name, value in request.parameters.items() if name != "UserPoolId"},
    )
    merged = {**pool.mfa, **given}
    if merged["MfaConfiguration"] != "OFF" and not _has_factor(merged):
        raise invalid_parameter("At least one MFA factor must be configured.")
    pool.mfa = merged
    return dict(pool.mfa)


def _has_factor(mfa: Members) -> bool:
    is_totp = bool(mfa.get("SoftwareTokenMfaConfiguration", {}).get("Enabled"))
    return is_totp or "SmsMfaConfiguration" in mfa or "EmailMfaConfiguration" in mfa


def get_user_pool_mfa_config(request: Request) -> Members:
    """GetUserPoolMfaConfig."""
    return dict(request.pool().mfa)


# -- app clients --


def create_user_pool_client(request: Request) -> Members:
    """CreateUserPoolClient."""
    pool, parameters = request.pool(), dict(request.parameters)
    generates = parameters.pop("GenerateSecret", False)
    if generates:
        parameters["ClientSecret"] = _random(_LOWER, 51)
    _check_client(parameters)
    client = Client({"RefreshTokenValidity": 30, "AuthSessionValidity": 3, **parameters})
    client.members["ClientId"] = _random(_LOWER, 26)
    pool.clients[client.id] = client
    return {"UserPoolClient": dict(client.members)}


def _check_client(members: Members) -> None:
    flows = members.get("ExplicitAuthFlows", ())
    if len({flow.startswith("ALLOW_") for flow in flows}) > 1:
        text = "Legacy ExplicitAuthFlows cannot be used together with those that begin with ALLOW_."
        raise invalid_parameter(text)
    rotates = members.get("RefreshTokenRotation", {}).get("Feature") == "ENABLED"
    if rotates and "ALLOW_REFRESH_TOKEN_AUTH" in flows:
        raise invalid_parameter("ALLOW_REFRESH_TOKEN_AUTH cannot be used with refresh token rotation.")


def _named_client(request: Request) -> Client:
    return request.client()[1]


def describe_user_pool_client(request: Request) -> Members:
    """DescribeUserPoolClient."""
    return {"UserPoolClient": dict(_named_client(request).members)}


def update_user_pool_client(request: Request) -> Members:
    """UpdateUserPoolClient. What is not sent goes back to its default, as in the service."""
    client = _named_client(request)
    kept: Members = {
        name: client.members[name] for name in ("ClientId", "ClientSecret") if name in client.members
    }
    _check_client(request.parameters)
    client.members = {"RefreshTokenValidity": 30, "AuthSessionValidity": 3, **request.parameters, **kept}
    return {"UserPoolClient": dict(client.members)}


# -- users --


def _describe_user(user: User) -> Members:
    return {
        "Username": user.username,
        "UserCreateDate": user.created_at.timestamp(),
        "UserLastModifiedDate": user.created_at.timestamp(),
        "Enabled": user.is_enabled,
        "UserStatus": user.status,
    }


def admin_create_user(request: Request) -> Members:
    """AdminCreateUser. Without a password, in a pool with one-time passwords, the user is confirmed at
    once."""
    pool, parameters = request.pool(), request.parameters
    attributes = attributes_of(parameters.get("UserAttributes", []))
    password = parameters.get("TemporaryPassword")
    is_passwordless = password is None and any(name.endswith("_OTP") for name in pool.first_factors)
    user = new_user(pool, request, attributes, "CONFIRMED" if is_passwordless else "FORCE_CHANGE_PASSWORD")
    if not is_passwordless:
        password = password or f"Aa1!{_random(_ALPHANUMERIC, 8)}"
        check_policy(pool, password)
        set_password(pool, user, password, request.now)
        _invite(pool, user, password, request)
    pool.users[user.username] = user
    return {"User": {**_describe_user(user), "Attributes": user.as_members()}}


def _invite(pool: UserPool, user: User, password: str, request: Request) -> None:
    if request.parameters.get("MessageAction") == "SUPPRESS":
        return
    for name, medium in (("email", "EMAIL"), ("phone_number", "SMS")):
        if name in user.attributes:
            destination = user.attributes[name]
            request.outbox.append(
                Message(user.username, medium, destination, password, "AdminCreateUser", pool.id)
            )
            return


def admin_get_user(request: Request) -> Members:
    """AdminGetUser."""
    user = request.user(request.pool())
    return {**_describe_user(user), "UserAttributes": user.as_members(), **mfa_settings(user)}


def admin_delete_user(request: Request) -> Members:
    """AdminDeleteUser."""
    pool = request.pool()
    del pool.users[request.user(pool).username]
    return {}


def admin_set_user_password(request: Request) -> Members:
    """AdminSetUserPassword."""
    pool = request.pool()
    user, password = request.user(pool), request.parameters["Password"]
    check_policy(pool, password)
    set_password(pool, user, password, request.now)
    user.status = "CONFIRMED" if request.parameters.get("Permanent") else "FORCE_CHANGE_PASSWORD"
    return {}


def admin_reset_user_password(request: Request) -> Members:
    """AdminResetUserPassword."""
    user = request.user(request.pool())
    if user.status == "FORCE_CHANGE_PASSWORD":
        raise not_authorized("User password cannot be reset in the current state.")
    user.status = "RESET_REQUIRED"
    return {}


def admin_confirm_sign_up(request: Request) -> Members:
    """AdminConfirmSignUp."""
    user = request.user(request.pool())
    if user.status != "UNCONFIRMED":
        raise not_authorized(f"User cannot be confirmed. Current status is {user.status}")
    user.status = "CONFIRMED"
    return {}


def admin_disable_user(request: Request) -> Members:
    """AdminDisableUser. All sign-ins of the user end."""
    user = request.user(request.pool())
    user.is_enabled, user.grants = False, []
    return {}


def admin_enable_user(request: Request) -> Members:
    """AdminEnableUser."""
    request.user(request.pool()).is_enabled = True
    return {}


def admin_update_user_attributes(request: Request) -> Members:
    """AdminUpdateUserAttributes."""
    pool = request.pool()
    user, attributes = request.user(pool), attributes_of(request.parameters["UserAttributes"])
    if "sub" in attributes:
        raise invalid_parameter("Cannot modify the non-mutable attribute sub")
    check_attributes(pool, attributes)
    user.attributes |= attributes
    return {}


def admin_set_user_mfa_preference(request: Request) -> Members:
    """AdminSetUserMFAPreference."""
    return set_preference(request.user(request.pool()), request.parameters)


# -- groups --


def create_group(request: Request) -> Members:
    """CreateGroup."""
    pool, name = request.pool(), request.parameters["GroupName"]
    if name in pool.groups:
        raise Refusal("GroupExistsException", "A group with the name already exists.")
    pool.groups[name] = dict(request.parameters)
    return {"Group": pool.groups[name]}


def admin_add_user_to_group(request: Request) -> Members:
    """AdminAddUserToGroup."""
    pool, name = request.pool(), request.parameters["GroupName"]
    if name not in pool.groups:
        raise Refusal("ResourceNotFoundException", "Group not found.")
    user = request.user(pool)
    if name not in user.groups:
        user.groups.append(name)
    return {}


OPERATIONS: dict[str, Operation] = {
    "AdminAddUserToGroup": admin_add_user_to_group,
    "AdminConfirmSignUp": admin_confirm_sign_up,
    "AdminCreateUser": admin_create_user,
    "AdminDeleteUser": admin_delete_user,
    "AdminDisableUser": admin_disable_user,
    "AdminEnableUser": admin_enable_user,
    "AdminGetUser": admin_get_user,
    "AdminResetUserPassword": admin_reset_user_password,
    "AdminSetUserMFAPreference": admin_set_user_mfa_preference,
    "AdminSetUserPassword": admin_set_user_password,
    "AdminUpdateUserAttributes": admin_update_user_attributes,
    "CreateGroup": create_group,
    "CreateUserPool": create_user_pool,
    "CreateUserPoolClient": create_user_pool_client,
    "DescribeUserPool": describe_user_pool,
    "DescribeUserPoolClient": describe_user_pool_client,
    "GetUserPoolMfaConfig": get_user_pool_mfa_config,
    "SetUserPoolMfaConfig": set_user_pool_mfa_config,
    "UpdateUserPoolClient": update_user_pool_client,
}
