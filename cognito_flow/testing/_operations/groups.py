"""Groups of users.

Rule of this file: the pool stores its groups, each user the names of their groups.

Source: "Adding groups to a user pool" in the Amazon Cognito developer guide.
"""

from __future__ import annotations

from cognito_flow.testing._operations.directory import describe_user
from cognito_flow.testing._operations.paging import page
from cognito_flow.testing._operations.request import Operation, Request
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import UserPool
from cognito_flow.testing._state.refusal import Refusal


def _named(request: Request) -> tuple[UserPool, Members]:
    """The group that GroupName names.

    Raises:
        Refusal: There is no such group.
    """
    pool = request.pool()
    group = pool.groups.get(request.parameters["GroupName"])
    if group is None:
        raise Refusal("ResourceNotFoundException", "Group not found.")
    return pool, group


def create_group(request: Request) -> Members:
    """CreateGroup."""
    pool, name = request.pool(), request.parameters["GroupName"]
    if name in pool.groups:
        raise Refusal("GroupExistsException", "A group with the name already exists.")
    request.check_quota(pool.groups)
    dates = {"CreationDate": request.now.timestamp(), "LastModifiedDate": request.now.timestamp()}
    pool.groups[name] = {**request.parameters, **dates}
    return {"Group": pool.groups[name]}


def get_group(request: Request) -> Members:
    """GetGroup."""
    _, group = _named(request)
    return {"Group": group}


def update_group(request: Request) -> Members:
    """UpdateGroup. Members that are not sent keep their values."""
    _, group = _named(request)
    group |= {**request.parameters, "LastModifiedDate": request.now.timestamp()}
    return {"Group": group}


def delete_group(request: Request) -> Members:
    """DeleteGroup. The next tokens of its users do not name it."""
    pool, group = _named(request)
    del pool.groups[group["GroupName"]]
    for user in pool.users.values():
        user.groups = [name for name in user.groups if name != group["GroupName"]]
    return {}


def list_groups(request: Request) -> Members:
    """ListGroups."""
    listed, more = page(request, request.pool().groups)
    return {"Groups": listed, **more}


def admin_add_user_to_group(request: Request) -> Members:
    """AdminAddUserToGroup."""
    pool, group = _named(request)
    user = request.user(pool)
    if group["GroupName"] not in user.groups:
        user.groups.append(group["GroupName"])
    return {}


def admin_remove_user_from_group(request: Request) -> Members:
    """AdminRemoveUserFromGroup."""
    pool, group = _named(request)
    user = request.user(pool)
    user.groups = [name for name in user.groups if name != group["GroupName"]]
    return {}


def admin_list_groups_for_user(request: Request) -> Members:
    """AdminListGroupsForUser."""
    pool = request.pool()
    user = request.user(pool)
    groups = {name: group for name, group in pool.groups.items() if name in user.groups}
    listed, more = page(request, groups)
    return {"Groups": listed, **more}


def list_users_in_group(request: Request) -> Members:
    """ListUsersInGroup."""
    pool, group = _named(request)
    users = {
        user.username: {**describe_user(user), "Attributes": user.as_members()}
        for user in pool.users.values()
        if group["GroupName"] in user.groups
    }
    listed, more = page(request, users)
    return {"Users": listed, **more}


OPERATIONS: dict[str, Operation] = {
    "AdminAddUserToGroup": admin_add_user_to_group,
    "AdminListGroupsForUser": admin_list_groups_for_user,
    "AdminRemoveUserFromGroup": admin_remove_user_from_group,
    "CreateGroup": create_group,
    "DeleteGroup": delete_group,
    "GetGroup": get_group,
    "ListGroups": list_groups,
    "ListUsersInGroup": list_users_in_group,
    "UpdateGroup": update_group,
}
