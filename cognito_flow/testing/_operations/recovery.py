"""Forgotten passwords: a code to a verified address, and a new password for it.

Rule of this file: if the app client hides which users exist, an unknown name is answered like a known one,
and nothing is sent.

Sources: "Managing error responses" (PreventUserExistenceErrors) and "Resetting the password" in the Amazon
Cognito developer guide.
"""

from __future__ import annotations

from cognito_flow.testing._operations.authentication.migration import migrate_without_password
from cognito_flow.testing._operations.codes import (
    expired_code,
    find_code,
    send_code,
    simulated_delivery,
    wrong_code,
)
from cognito_flow.testing._operations.request import Operation, Request
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.attributes import ADDRESSES
from cognito_flow.testing._state.passwords import check_new_password, set_password
from cognito_flow.testing._state.records import User, UserPool, is_verified
from cognito_flow.testing._state.refusal import Refusal, invalid_parameter, not_authorized

# With an AccountRecoverySetting, the address of a second factor is not used for recovery.
_SECOND_FACTORS = {"phone_number": "SMS_MFA", "email": "EMAIL_OTP"}


def forgot_password(request: Request) -> Members:
    """ForgotPassword."""
    pool, client, user = request.named_user()
    if user is None:
        typed, metadata = request.parameters["Username"], request.parameters.get("ClientMetadata", {})
        user = migrate_without_password(pool, client, typed, metadata, request.now)
    attribute = None if user is None or not user.is_enabled else _channel(pool, user)
    if user is not None and user.status == "FORCE_CHANGE_PASSWORD":
        raise not_authorized("User password cannot be reset in the current state.")
    if user is not None and attribute is not None:
        details = send_code(request, pool, user, "ForgotPassword", attribute)
    elif client.hides_users:
        details = simulated_delivery(pool, request.parameters["Username"], _usual(pool))
    else:
        raise _refusal(user)
    return {"CodeDeliveryDetails": details}


def _refusal(user: User | None) -> Refusal:
    if user is None:
        return Refusal("UserNotFoundException", "Username/client id combination not found.")
    if not user.is_enabled:
        return not_authorized("User is disabled.")
    return _no_channel()


def _no_channel() -> Refusal:
    text = "Cannot reset password for the user as there is no registered/verified email or phone_number"
    return invalid_parameter(text)


def _ranked(pool: UserPool) -> list[str]:
    """The attributes that AccountRecoverySetting names, the preferred one first."""
    mechanisms = pool.members.get("AccountRecoverySetting", {}).get("RecoveryMechanisms", ())
    ranked = sorted(mechanisms, key=lambda mechanism: mechanism["Priority"])
    return [mechanism["Name"].removeprefix("verified_") for mechanism in ranked]


def _channel(pool: UserPool, user: User) -> str | None:
    """The verified attribute that a code may be sent to."""
    ranked = [name for name in _ranked(pool) if _SECOND_FACTORS.get(name) not in user.mfa_enabled]
    names = ranked if _ranked(pool) else ADDRESSES
    usable = (name for name in names if is_verified(user.attributes, name))
    return next((name for name in usable if user.attributes.get(name)), None)


def _usual(pool: UserPool) -> str:
    """The attribute that codes of this pool are usually sent to."""
    known: list[str] = [*_ranked(pool), *pool.members.get("AutoVerifiedAttributes", ()), "email"]
    return next(name for name in known if name in ADDRESSES)


def confirm_forgot_password(request: Request) -> Members:
    """ConfirmForgotPassword. A refused password leaves the code valid."""
    pool, client, user = request.named_user()
    if user is None and not client.hides_users:
        raise _refusal(None)
    if user is None or (client.hides_users and "ForgotPassword" not in user.codes):
        raise _simulated_refusal(pool, request)
    find_code(request, user, "ForgotPassword", request.parameters["ConfirmationCode"])
    check_new_password(pool, user, request.parameters["Password"])
    set_password(pool, user, request.parameters["Password"], request.now)
    del user.codes["ForgotPassword"]
    user.status, user.modified_at = "CONFIRMED", request.now
    source, data = "PostConfirmation_ConfirmForgotPassword", request.parameters.get("ClientMetadata", {})
    pool.run_trigger("PostConfirmation", source, client.id, user, {"clientMetadata": data})
    return {}


def _simulated_refusal(pool: UserPool, request: Request) -> Refusal:
    """The refusal if no code was sent: the same as if one was, provided that one was requested. Codes and
    counts both expire after an hour."""
    name = pool.own_name(request.parameters["Username"])
    return wrong_code() if pool.attempts.made("ForgotPassword", name, request.now) else expired_code()


def admin_reset_user_password(request: Request) -> Members:
    """AdminResetUserPassword. It sends a code for ConfirmForgotPassword."""
    pool = request.pool()
    user = request.user(pool)
    if user.status == "FORCE_CHANGE_PASSWORD":
        raise not_authorized("User password cannot be reset in the current state.")
    attribute = _channel(pool, user)
    if attribute is None:
        raise _no_channel()
    send_code(request, pool, user, "ForgotPassword", attribute)
    user.status, user.modified_at = "RESET_REQUIRED", request.now
    return {}


OPERATIONS: dict[str, Operation] = {
    "AdminResetUserPassword": admin_reset_user_password,
    "ConfirmForgotPassword": confirm_forgot_password,
    "ForgotPassword": forgot_password,
}
