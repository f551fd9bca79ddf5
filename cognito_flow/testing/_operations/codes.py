"""Codes for something other than a sign-in: a new user, a new address, a new password.

Rule of this file: a code is valid for one purpose, once, while the address that it was sent to is the user's.
The newest one replaces the one before.

Source: "Quotas in Amazon Cognito", on how long codes are valid.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta

from cognito_flow.testing._operations.messages import compose
from cognito_flow.testing._operations.request import Request
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.attributes import EMAIL, PHONE
from cognito_flow.testing._state.records import Code, User, UserPool
from cognito_flow.testing._state.refusal import Refusal
from cognito_flow.testing.outbox import Message, mask

_LIFE = {"ForgotPassword": timedelta(hours=1)}
_DEFAULT_LIFE = timedelta(hours=24)
# The triggerSource of CustomMessage, where it is not the operation.
_SOURCES = {
    "AdminResetUserPassword": "ForgotPassword",
    "AdminUpdateUserAttributes": "UpdateUserAttribute",
    "GetUserAttributeVerificationCode": "VerifyUserAttribute",
    "ResendConfirmationCode": "ResendCode",
    "UpdateUserAttributes": "UpdateUserAttribute",
}
_MEDIA = {"email": "EMAIL", "phone_number": "SMS"}


def _delivery(attribute: str, destination: str) -> Members:
    medium = _MEDIA[attribute]
    return {"Destination": mask(medium, destination), "DeliveryMedium": medium, "AttributeName": attribute}


def send_code(
    request: Request, pool: UserPool, user: User, purpose: str, attribute: str, pending: str | None = None
) -> Members:
    """Send a code.

    Args:
        request: The request.
        pool: The pool.
        user: The user.
        purpose: The operation or attribute that the code is for.
        attribute: ``email`` or ``phone_number``.
        pending: The address, if it is not yet the user's.

    Returns:
        CodeDeliveryDetails.
    """
    code, destination = f"{secrets.randbelow(10**6):06}", pending or user.attributes[attribute]
    expires_at = request.now + _LIFE.get(purpose, _DEFAULT_LIFE)
    message = Message(user.username, _MEDIA[attribute], destination, code, request.operation, pool.id)
    metadata = request.parameters.get("ClientMetadata", {})
    source = _SOURCES.get(request.operation, request.operation)
    request.outbox.append(compose(pool, user, message, source, request.client_id, metadata))
    user.codes[purpose] = Code(code, expires_at, attribute, pending)
    return _delivery(attribute, destination)


def simulated_delivery(pool: UserPool, typed: str, usual: str) -> Members:
    """Made-up CodeDeliveryDetails for an unknown user, so that the response does not reveal who has an
    account. They are always the same for a name.

    Args:
        pool: The pool.
        typed: The name. If it is an address, the code is said to go there.
        usual: The attribute that codes of this pool are usually sent to.
    """
    if EMAIL.fullmatch(typed):
        return _delivery("email", typed)
    if PHONE.fullmatch(typed):
        return _delivery("phone_number", typed)
    return _delivery(usual, pool.simulated_address(_MEDIA[usual], typed))


def find_code(request: Request, user: User, purpose: str, given: str) -> Code:
    """Return the code that was sent for a purpose, if it was given. It stays valid.

    Raises:
        Refusal: No code was sent, it has expired, or another one was given.
    """
    sent = user.codes.get(purpose)
    if sent is None or request.now >= sent.expires_at:
        raise expired_code()
    if not hmac.compare_digest(sent.code.encode(), given.encode()):
        raise wrong_code()
    return sent


def expired_code() -> Refusal:
    """ExpiredCodeException, also if no code was requested."""
    return Refusal("ExpiredCodeException", "Invalid code provided, please request a code again.")


def wrong_code() -> Refusal:
    """CodeMismatchException."""
    return Refusal("CodeMismatchException", "Invalid verification code provided, please try again.")
