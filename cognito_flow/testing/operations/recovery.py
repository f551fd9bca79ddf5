"""Forgotten passwords: a code to an address that is known to be the user's, and a new password for it.

Rule of this file: where the app client hides who exists, an unknown name is answered like a known one, and
nothing is sent.

Sources: "Managing error responses" (PreventUserExistenceErrors) and "Resetting the password" in the Amazon
Cognito developer guide.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta

from cognito_flow.testing.operations.request import Operation, Request
from cognito_flow.testing.outbox import Message, mask
from cognito_flow.testing.passwords import check_new_password, set_password
from cognito_flow.testing.refusal import Refusal, invalid_parameter, not_authorized
from cognito_flow.testing.state import Code, Members, User, UserPool

__all__ = ["OPERATIONS"]

_CODE_LIFE = timedelta(hours=1)
_MEDIA = {"email": "EMAIL", "phone_number": "SMS"}


def forgot_password(request: Request) -> Members:
    """ForgotPassword."""
    pool, client = request.client()
    user = pool.find(request.parameters["Username"])
    request.check_secret_hash(client, user)
    attribute = None if user is None or not user.is_enabled else _channel(pool, user)
    if user is not None and user.status == "FORCE_CHANGE_PASSWORD":
        raise not_authorized("User password cannot be reset in the current state.")
    if user is not None and attribute is not None:
        return {"CodeDeliveryDetails": _send_code(pool, user, attribute, request)}
    if client.hides_users:
        return {"CodeDeliveryDetails": _simulated_delivery(pool, request.parameters["Username"])}
    raise _refusal(user)


def _refusal(user: User | None) -> Refusal:
    if user is None:
        return Refusal("UserNotFoundException", "Username/client id combination not found.")
    if not user.is_enabled:
        return not_authorized("User is disabled.")
    return invalid_parameter(
        "Cannot reset password for the user as there is no registered/verified email or phone_number"
    )


def _channel(pool: UserPool, user: User) -> str | None:
    """The attribute that a code may go to: verified, and the first that AccountRecoverySetting names."""
    settings = pool.members.get("AccountRecoverySetting", {}).get("RecoveryMechanisms")
    ranked = sorted(settings or (), key=lambda mechanism: mechanism["Priority"])
    names = [mechanism["Name"].removeprefix("verified_") for mechanism in ranked] or ["phone_number", "email"]
    usable = (name for name in names if user.attributes.get(f"{name}_verified") == "true")
    return next((name for name in usable if user.attributes.get(name)), None)


def _send_code(pool: UserPool, user: User, attribute: str, request: Request) -> Members:
    """Send a code with which the user can set a new password.

    Returns:
        CodeDeliveryDetails.
    """
    code, medium, destination = (
        f"{secrets.randbelow(10**6):06}",
        _MEDIA[attribute],
        user.attributes[attribute],
    )
    user.codes["ForgotPassword"] = Code(code, request.now + _CODE_LIFE, attribute)
    request.outbox.append(Message(user.username, medium, destination, code, request.operation, pool.id))
    return {"Destination": mask(medium, destination), "DeliveryMedium": medium, "AttributeName": attribute}


def _simulated_delivery(pool: UserPool, typed: str) -> Members:
    """The same for the same name each time."""
    seed = pool.derive("destination", typed)
    address = f"{chr(97 + seed[0] % 26)}@{chr(97 + seed[1] % 26)}"
    return {"Destination": mask("EMAIL", address), "DeliveryMedium": "EMAIL", "AttributeName": "email"}


def confirm_forgot_password(request: Request) -> Members:
    """ConfirmForgotPassword. A refused password leaves the code good."""
    pool, client = request.client()
    user = pool.find(request.parameters["Username"])
    request.check_secret_hash(client, user)
    if user is None:
        raise _wrong_code() if client.hides_users else _refusal(None)
    sent = user.codes.get("ForgotPassword")
    if sent is None or request.now >= sent.expires_at:
        raise Refusal("ExpiredCodeException", "Invalid code provided, please request a code again.")
    if not hmac.compare_digest(sent.code.encode(), request.parameters["ConfirmationCode"].encode()):
        raise _wrong_code()
    check_new_password(pool, user, request.parameters["Password"])
    set_password(pool, user, request.parameters["Password"], request.now)
    del user.codes["ForgotPassword"]
    user.attributes[f"{sent.attribute}_verified"] = "true"
    user.status = "CONFIRMED"
    return {}


def _wrong_code() -> Refusal:
    return Refusal("CodeMismatchException", "Invalid verification code provided, please try again.")


OPERATIONS: dict[str, Operation] = {
    "ConfirmForgotPassword": confirm_forgot_password,
    "ForgotPassword": forgot_password,
}
