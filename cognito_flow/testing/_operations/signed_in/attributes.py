"""The attributes of a signed-in user, and the codes that verify their addresses.

Rule of this file: only a code that was sent to an address verifies it.

Source: "Verifying updates to email addresses and phone numbers" in the Amazon Cognito developer guide, and
UpdateUserAttributes and VerifyUserAttribute in the API reference.
"""

from __future__ import annotations

from collections.abc import Mapping

from cognito_flow.testing._operations.codes import find_code, send_code
from cognito_flow.testing._operations.request import Operation, Request
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.attributes import (
    ADDRESSES,
    as_dictionary,
    change,
    check_alias,
    check_aliases,
    check_attributes,
    check_mutable,
    check_writable,
    take_aliases,
)
from cognito_flow.testing._state.records import User, UserPool, is_verified
from cognito_flow.testing._state.refusal import invalid_parameter


def _purpose(attribute: str) -> str:
    return f"VerifyUserAttribute {attribute}"


def _check_changes(request: Request, changes: Mapping[str, str]) -> tuple[UserPool, User]:
    """The user whose attributes would change, if they may."""
    pool, user, grant = request.signed_in()
    check_mutable(pool, user, changes)
    check_writable(pool.clients[grant.client_id], changes)
    check_attributes(pool, changes)
    return pool, user


def update_user_attributes(request: Request) -> Members:
    """UpdateUserAttributes."""
    changes = as_dictionary(request.parameters["UserAttributes"])
    pool, user = _check_changes(request, changes)
    sent = update(request, pool, user, changes)
    return {"CodeDeliveryDetailsList": sent} if sent else {}


def update(
    request: Request, pool: UserPool, user: User, changes: Mapping[str, str], *, by_force: bool = False
) -> list[Members]:
    """Change attributes. A new address that is not set as verified gets a code if the pool verifies such
    addresses. If it must be verified before the update, the old one stays until then.

    Args:
        request: The request.
        pool: The pool.
        user: The user.
        changes: The changes.
        by_force: Whether addresses that they set as verified are taken from the users who have them.

    Returns:
        CodeDeliveryDetails of each code that was sent.

    Raises:
        Refusal: A value is an alias of another user.
    """
    new = {name: changes[name] for name in ADDRESSES if _is_new(name, user, changes)}
    settings = pool.members.get("UserAttributeUpdateSettings", {})
    later = set(settings.get("AttributesRequireVerificationBeforeUpdate", ())) & set(new)
    at_once = {name: value for name, value in changes.items() if name not in later}
    check_aliases(pool, user, at_once, by_force=by_force)
    if by_force:
        take_aliases(pool, user, at_once)
    change(user, at_once, request.now)
    return [
        send_code(request, pool, user, _purpose(name), name, address if name in later else None)
        for name, address in new.items()
        if name in later or name in pool.members.get("AutoVerifiedAttributes", ())
    ]


def _is_new(name: str, user: User, changes: Mapping[str, str]) -> bool:
    """Whether an address changes without being set as verified."""
    value = changes.get(name)
    return bool(value) and value != user.attributes.get(name) and not is_verified(changes, name)


def delete_user_attributes(request: Request) -> Members:
    """DeleteUserAttributes."""
    changes = dict.fromkeys(request.parameters["UserAttributeNames"], "")
    _, user = _check_changes(request, changes)
    change(user, changes, request.now)
    return {}


def get_user_attribute_verification_code(request: Request) -> Members:
    """GetUserAttributeVerificationCode. An address that waits for its code gets a new one."""
    pool, user, _ = request.signed_in()
    name = request.parameters["AttributeName"]
    request.count(pool, user.username)
    waiting = user.codes.get(_purpose(name))
    pending = None if waiting is None else waiting.pending
    if name not in ADDRESSES or not (pending or user.attributes.get(name)):
        raise invalid_parameter(f"There is no {name} to verify.")
    return {"CodeDeliveryDetails": send_code(request, pool, user, _purpose(name), name, pending)}


def verify_user_attribute(request: Request) -> Members:
    """VerifyUserAttribute."""
    pool, user, _ = request.signed_in()
    name = request.parameters["AttributeName"]
    request.count(pool, user.username)
    sent = find_code(request, user, _purpose(name), request.parameters["Code"])
    address = sent.pending or user.attributes[name]
    check_alias(pool, user, name, address)
    del user.codes[_purpose(name)]
    change(user, {name: address, f"{name}_verified": "true"}, request.now)
    return {}


OPERATIONS: dict[str, Operation] = {
    "DeleteUserAttributes": delete_user_attributes,
    "GetUserAttributeVerificationCode": get_user_attribute_verification_code,
    "UpdateUserAttributes": update_user_attributes,
    "VerifyUserAttribute": verify_user_attribute,
}
