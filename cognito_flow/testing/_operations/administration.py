"""Management of a pool's users, with AWS credentials.

Rule of this file: an administrator can do what the user could do, without proof of the user.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping

from cognito_flow.testing._operations.directory import describe_user
from cognito_flow.testing._operations.messages import compose
from cognito_flow.testing._operations.request import Operation, Request
from cognito_flow.testing._operations.sign_up import new_user
from cognito_flow.testing._operations.signed_in.attributes import update
from cognito_flow.testing._operations.signed_in.mfa import set_preference
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.attributes import (
    as_dictionary,
    change,
    check_aliases,
    check_attributes,
    check_mutable,
    take_aliases,
)
from cognito_flow.testing._state.passwords import check_new_password, check_policy, set_password
from cognito_flow.testing._state.records import User, UserPool
from cognito_flow.testing._state.refusal import Refusal, not_authorized
from cognito_flow.testing.outbox import Message

_ALPHANUMERIC = string.ascii_letters + string.digits


# -- coming and going --


def admin_create_user(request: Request) -> Members:
    """AdminCreateUser. A user without a password in a pool with one-time passwords is confirmed at once."""
    pool, parameters = request.pool(), request.parameters
    if parameters.get("MessageAction") == "RESEND":
        user = _invite_again(pool, request)
    else:
        is_passwordless = "TemporaryPassword" not in parameters and any(
            name.endswith("_OTP") for name in pool.first_factors
        )
        attributes = as_dictionary(parameters.get("UserAttributes", []))
        status = "CONFIRMED" if is_passwordless else "FORCE_CHANGE_PASSWORD"
        user = new_user(pool, request, attributes, status, "User account already exists")
        # Only what was given is stored: no email_verified or phone_number_verified of its own.
        for name in [name for name in user.attributes if not _is_given(name, attributes)]:
            del user.attributes[name]
        by_force = bool(parameters.get("ForceAliasCreation"))
        check_aliases(pool, user, user.attributes, by_force=by_force)
        _pre_sign_up(pool, user, request)
        if not is_passwordless:
            _invite(pool, user, request)
        if by_force:
            take_aliases(pool, user, user.attributes)
        pool.users[user.username] = user
    return {"User": {**describe_user(user), "Attributes": user.as_members()}}


def _is_given(name: str, attributes: Mapping[str, str]) -> bool:
    return name in attributes or not name.endswith("_verified")


def _pre_sign_up(pool: UserPool, user: User, request: Request) -> None:
    """Run the trigger, which may refuse the user. The rest of its response counts for sign-ups only."""
    data: Members = {
        "validationData": as_dictionary(request.parameters.get("ValidationData", [])),
        "clientMetadata": request.parameters.get("ClientMetadata", {}),
        "userAttributes": dict(user.attributes),
    }
    pool.run_trigger("PreSignUp", "PreSignUp_AdminCreateUser", request.client_id, user, data)


def _invite_again(pool: UserPool, request: Request) -> User:
    user = request.user(pool)
    if user.status != "FORCE_CHANGE_PASSWORD":
        text = f"Resend not possible. Status of the user is {user.status}."
        raise Refusal("UnsupportedUserStateException", text)
    _invite(pool, user, request)
    return user


def _invite(pool: UserPool, user: User, request: Request) -> None:
    """Set a temporary password and send it."""
    password = request.parameters.get("TemporaryPassword") or _temporary_password(pool)
    check_policy(pool, password)
    invitations = _invitations(pool, user, request, password)  # the trigger CustomMessage may refuse them
    set_password(pool, user, password, request.now)
    for message in invitations:
        request.outbox.append(message)


def _invitations(pool: UserPool, user: User, request: Request, password: str) -> list[Message]:
    if request.parameters.get("MessageAction") == "SUPPRESS":
        return []
    addresses = {"EMAIL": user.attributes.get("email"), "SMS": user.attributes.get("phone_number")}
    # The default is SMS. Without a phone number, the service model does not say what happens.
    default = ["SMS"] if addresses["SMS"] else ["EMAIL"]
    wanted = request.parameters.get("DesiredDeliveryMediums", default)
    metadata = request.parameters.get("ClientMetadata", {})
    messages = [
        Message(user.username, medium, address, password, "AdminCreateUser", pool.id)
        for medium, address in addresses.items()
        if medium in wanted and address is not None
    ]
    source, client_id = "AdminCreateUser", request.client_id
    return [compose(pool, user, message, source, client_id, metadata) for message in messages]


def _temporary_password(pool: UserPool) -> str:
    """A password that every policy accepts."""
    length = max(12, pool.policy["MinimumLength"])
    return "Aa1!" + "".join(secrets.choice(_ALPHANUMERIC) for _ in range(length - 4))


def admin_confirm_sign_up(request: Request) -> Members:
    """AdminConfirmSignUp. It verifies no address."""
    pool = request.pool()
    user = request.user(pool)
    if user.status != "UNCONFIRMED":
        raise not_authorized(f"User cannot be confirmed. Current status is {user.status}")
    user.status, user.modified_at = "CONFIRMED", request.now
    data: Members = {"clientMetadata": request.parameters.get("ClientMetadata", {})}
    pool.run_trigger("PostConfirmation", "PostConfirmation_ConfirmSignUp", request.client_id, user, data)
    return {}


def admin_delete_user(request: Request) -> Members:
    """AdminDeleteUser. Sessions and tokens refer to the sub, which is never reused."""
    pool = request.pool()
    del pool.users[request.user(pool).username]
    return {}


def admin_disable_user(request: Request) -> Members:
    """AdminDisableUser. All sign-ins of the user end."""
    user = request.user(request.pool())
    user.sign_out_everywhere()
    user.is_enabled, user.modified_at = False, request.now
    return {}


def admin_enable_user(request: Request) -> Members:
    """AdminEnableUser."""
    user = request.user(request.pool())
    user.is_enabled, user.modified_at = True, request.now
    return {}


# -- what belongs to a user --


def admin_set_user_password(request: Request) -> Members:
    """AdminSetUserPassword."""
    pool = request.pool()
    user, password = request.user(pool), request.parameters["Password"]
    check_new_password(pool, user, password)
    set_password(pool, user, password, request.now)
    user.status = "CONFIRMED" if request.parameters.get("Permanent") else "FORCE_CHANGE_PASSWORD"
    user.modified_at = request.now
    return {}


def admin_update_user_attributes(request: Request) -> Members:
    """AdminUpdateUserAttributes. Only administrators can set an address as verified."""
    pool = request.pool()
    user, changes = request.user(pool), as_dictionary(request.parameters["UserAttributes"])
    check_mutable(pool, user, changes)
    check_attributes(pool, changes)
    update(request, pool, user, changes, by_force=True)
    return {}


def admin_delete_user_attributes(request: Request) -> Members:
    """AdminDeleteUserAttributes."""
    pool = request.pool()
    user, changes = request.user(pool), dict.fromkeys(request.parameters["UserAttributeNames"], "")
    check_mutable(pool, user, changes)
    check_attributes(pool, changes)
    change(user, changes, request.now)
    return {}


def admin_set_user_mfa_preference(request: Request) -> Members:
    """AdminSetUserMFAPreference."""
    pool = request.pool()
    return set_preference(pool, request.user(pool), request.parameters)


OPERATIONS: dict[str, Operation] = {
    "AdminConfirmSignUp": admin_confirm_sign_up,
    "AdminCreateUser": admin_create_user,
    "AdminDeleteUser": admin_delete_user,
    "AdminDeleteUserAttributes": admin_delete_user_attributes,
    "AdminDisableUser": admin_disable_user,
    "AdminEnableUser": admin_enable_user,
    "AdminSetUserMFAPreference": admin_set_user_mfa_preference,
    "AdminSetUserPassword": admin_set_user_password,
    "AdminUpdateUserAttributes": admin_update_user_attributes,
}
