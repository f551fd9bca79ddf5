"""Codes for something other than a sign-in: a new user, a new address, a new password.

Rule of this file: a code is good for one purpose, once, for as long as the address that it went to is the
user's; the newest one replaces the one before.

Source: "Quotas in Amazon Cognito", on how long codes are valid.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta

from cognito_flow.testing._operations.request import Request
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.attributes import EMAIL, PHONE
from cognito_flow.testing._state.records import Code, User, UserPool
from cognito_flow.testing._state.refusal import Refusal
from cognito_flow.testing.outbox import Message, mask

_LIFE = {"ForgotPassword": timedelta(hours=1)}
_DEFAULT_LIFE = timedelta(hours=24)
_MEDIA = {"email": "EMAIL", "phone_number": "SMS"}


def _delivery(attribute: str, destination: str) -> Members:
    medium = _MEDIA[attribute]
    return {"Destination": mask(medium, destination), "DeliveryMedium": medium, "AttributeName": attribute}


def send_code(
    request: Request, pool: UserPool, user: User, purpose: str, attribute: str, pending: str | None = None
) -> Members:
    """Send a code.

    Args:
        request: The request that wants it.
        pool: The pool.
        user: To whom.
        purpose: What it is good for.
        attribute: Where it goes: ``email`` or ``phone_number``.
        pending: The address, if it is not yet the user's.

    Returns:
        CodeDeliveryDetails.
    """
    code, destination = f"{secrets.randbelow(10**6):06}", pending or user.attributes[attribute]
    expires_at = request.now + _LIFE.get(purpose, _DEFAULT_LIFE)
    user.codes[purpose] = Code(code, expires_at, attribute, pending)
    message = Message(user.username, _MEDIA[attribute], destination, code, request.operation, pool.id)
    request.outbox.append(message)
    return _delivery(attribute, destination)


def simulated_delivery(pool: UserPool, typed: str, usual: str) -> Members:
    """CodeDeliveryDetails for a name that does not exist: the same for the same name each time.

    Args:
        pool: The pool.
        typed: The name. If it is an address, a code would go there.
        usual: Where codes go in this pool otherwise: ``email`` or ``phone_number``.
    """
    if EMAIL.fullmatch(typed):
        return _delivery("email", typed)
    if PHONE.fullmatch(typed):
        return _delivery("phone_number", typed)
    return _delivery(usual, pool.simulated_address(_MEDIA[usual], typed))


def find_code(request: Request, user: User, purpose: str, given: str) -> Code:
    """The code that was sent for a purpose, if it is the one that is given. It stays good.

    Raises:
        Refusal: None was sent, it is too old, or it is another one.
    """
    sent = user.codes.get(purpose)
    if sent is None or request.now >= sent.expires_at:
        raise expired_code()
    if not hmac.compare_digest(sent.code.encode(), given.encode()):
        raise wrong_code()
    return sent


def expired_code() -> Refusal:
    """ExpiredCodeException: also where no code was asked for."""
    return Refusal("ExpiredCodeException", "Invalid code provided, please request a code again.")


def wrong_code() -> Refusal:
    """CodeMismatchException."""
    return Refusal("CodeMismatchException", "Invalid verification code provided, please try again.")
