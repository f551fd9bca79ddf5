"""User search.

Rule of this file: it shows users as administrators see them, and changes nothing.

Source: "Managing and searching for user accounts" in the Amazon Cognito developer guide, and the parameter
Filter of ListUsers in the API reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cognito_flow.testing._operations.paging import page
from cognito_flow.testing._operations.request import Operation, Request
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.attributes import schema
from cognito_flow.testing._state.records import User, UserPool
from cognito_flow.testing._state.refusal import invalid_parameter

# AttributeName Filter-Type "AttributeValue"; the name may be in quotation marks, too.
_FILTER = re.compile(r'\s*("?)([\w:]+)\1\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*')
_COMPARED_BY_CASE = frozenset({"username", "status"})
_SEARCHABLE = frozenset(
    [
        "username",
        "email",
        "phone_number",
        "name",
        "given_name",
        "family_name",
        "preferred_username",
        "cognito:user_status",
        "status",
        "sub",
    ]
)


def describe_user(user: User) -> Members:
    """What operations for administrators show of a user, without the attributes."""
    return {
        "Username": user.username,
        "UserCreateDate": user.created_at.timestamp(),
        "UserLastModifiedDate": user.modified_at.timestamp(),
        "Enabled": user.is_enabled,
        "UserStatus": user.status,
    }


def mfa_settings(user: User) -> Members:
    """UserMFASettingList and PreferredMfaSetting, if they are set."""
    settings: Members = {}
    if user.mfa_enabled:
        settings["UserMFASettingList"] = list(user.mfa_enabled)
    if user.mfa_preferred is not None:
        settings["PreferredMfaSetting"] = user.mfa_preferred
    return settings


def admin_get_user(request: Request) -> Members:
    """AdminGetUser."""
    user = request.user(request.pool())
    return {**describe_user(user), "UserAttributes": user.as_members(), **mfa_settings(user)}


def list_users(request: Request) -> Members:
    """ListUsers. The filter is applied before the list is cut into pages."""
    pool, wanted = request.pool(), request.parameters.get("AttributesToGet")
    if wanted is not None:
        _check_names(pool, wanted)
    users = _matching(request.parameters.get("Filter", ""), pool.users.values())
    described = {
        user.username: {**describe_user(user), "Attributes": _attributes(user, wanted)} for user in users
    }
    listed, more = page(request, described, token="PaginationToken")
    return {"Users": listed, **more}


def _check_names(pool: UserPool, names: Iterable[str]) -> None:
    if not set(names) <= set(schema(pool)):
        raise invalid_parameter("One or more requested attributes do not exist.")


def _attributes(user: User, wanted: list[str] | None) -> list[dict[str, str]]:
    """The requested attributes, or all.

    Raises:
        Refusal: The user does not have them. (ListUsers, on AttributesToGet.)
    """
    attributes = user.as_members()
    if wanted is None:
        return attributes
    shown = [item for item in attributes if item["Name"] in wanted]
    if len(shown) < len(set(wanted)):
        raise invalid_parameter("One or more requested attributes have no value for some of the users.")
    return shown


def _matching(text: str, users: Iterable[User]) -> list[User]:
    """The users that a filter finds.

    Raises:
        Refusal: The filter cannot be parsed, or names an attribute that cannot be searched.
    """
    if not text.strip():
        return list(users)
    parts = _FILTER.fullmatch(text)
    if parts is None:
        raise invalid_parameter("Error while parsing filter.")
    name, comparison, value = parts[2], parts[3], re.sub(r"\\(.)", r"\1", parts[4])
    if name not in _SEARCHABLE:
        raise invalid_parameter(f"Invalid search attribute: {name}")
    if name not in _COMPARED_BY_CASE:
        value = value.lower()
    return [user for user in users if _matches(_searched(user, name), comparison, value)]


def _searched(user: User, name: str) -> str | None:
    special = {
        "username": user.username,
        "sub": user.sub,
        "status": "Enabled" if user.is_enabled else "Disabled",
        "cognito:user_status": user.status,
    }
    found = special.get(name) or user.attributes.get(name)
    return found if found is None or name in _COMPARED_BY_CASE else found.lower()


def _matches(found: str | None, comparison: str, value: str) -> bool:
    if found is None:
        return False
    return found == value if comparison == "=" else found.startswith(value)


OPERATIONS: dict[str, Operation] = {
    "AdminGetUser": admin_get_user,
    "ListUsers": list_users,
}
