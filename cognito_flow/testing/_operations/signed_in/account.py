"""The account of a signed-in user.

Rule of this file: the access token says whose account it is.
"""

from __future__ import annotations

from cognito_flow.testing._operations.directory import mfa_settings
from cognito_flow.testing._operations.request import Operation, Request
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.passwords import check_new_password, is_right, set_password
from cognito_flow.testing._state.refusal import incorrect_password


def get_user(request: Request) -> Members:
    """GetUser. It shows the attributes that the app client may read."""
    pool, user, grant = request.signed_in()
    client = pool.clients[grant.client_id]
    attributes = [
        item for item in user.as_members() if item["Name"] == "sub" or client.may_read(item["Name"])
    ]
    return {"Username": user.username, "UserAttributes": attributes, **mfa_settings(user)}


def get_user_auth_factors(request: Request) -> Members:
    """GetUserAuthFactors."""
    _, user, _ = request.signed_in()
    has = {
        "PASSWORD": user.verifier is not None,
        "EMAIL_OTP": "email" in user.attributes,
        "SMS_OTP": "phone_number" in user.attributes,
        "WEB_AUTHN": bool(user.passkeys),
        "SOFTWARE_TOKEN": user.totp_secret is not None,
    }
    factors = [name for name, is_there in has.items() if is_there]
    return {"Username": user.username, "ConfiguredUserAuthFactors": factors, **mfa_settings(user)}


def change_password(request: Request) -> Members:
    """ChangePassword. PreviousPassword may be omitted by users without a password."""
    pool, user, _ = request.signed_in()
    request.count(pool, user.username)
    if user.verifier is not None and not is_right(
        pool, user, request.parameters.get("PreviousPassword") or ""
    ):
        raise incorrect_password()
    check_new_password(pool, user, request.parameters["ProposedPassword"])
    set_password(pool, user, request.parameters["ProposedPassword"], request.now)
    return {}


def delete_user(request: Request) -> Members:
    """DeleteUser. Sessions and tokens refer to the sub, which is never reused."""
    pool, user, _ = request.signed_in()
    del pool.users[user.username]
    return {}


OPERATIONS: dict[str, Operation] = {
    "ChangePassword": change_password,
    "DeleteUser": delete_user,
    "GetUser": get_user,
    "GetUserAuthFactors": get_user_auth_factors,
}
