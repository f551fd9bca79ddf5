"""Groups, their users, and the claims about them."""

from __future__ import annotations

from functools import partial
from typing import Any

import attrs
import jwt
import pytest

from tests.local_cognito.wire import Wire, refusal

ADMINS, STAFF = "arn:aws:iam::123456789012:role/admins", "arn:aws:iam::123456789012:role/staff"
NO_GROUP = ("ResourceNotFoundException", "Group not found.")


@attrs.frozen
class Groups:
    """The groups of a pool, through boto3."""

    wire: Wire

    def call(self, operation: str, **parameters: Any) -> Any:
        """Call an operation on this pool."""
        return getattr(self.wire.api, operation)(UserPoolId=self.wire.pool.id, **parameters)

    def make(self, name: str, **members: Any) -> None:
        """Create a group with alice in it."""
        self.call("create_group", GroupName=name, **members)
        self.call("admin_add_user_to_group", GroupName=name, Username="alice")

    def claims(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The claims of alice's next ID token and access token."""
        tokens = self.wire.password()["AuthenticationResult"]
        read = partial(jwt.decode, options={"verify_signature": False})
        return read(tokens["IdToken"]), read(tokens["AccessToken"])


@pytest.fixture
def groups(wire: Wire) -> Groups:
    """The groups of the pool with alice and bob, which has none yet."""
    return Groups(wire)


def test_group_is_created_once_and_described(groups: Groups) -> None:
    made = groups.call("create_group", GroupName="staff", Description="Us", Precedence=1)["Group"]

    assert groups.call("get_group", GroupName="staff")["Group"] == made
    assert (made["Description"], made["Precedence"], made["UserPoolId"]) == ("Us", 1, groups.wire.pool.id)
    again = refusal(lambda: groups.call("create_group", GroupName="staff"))
    assert again == ("GroupExistsException", "A group with the name already exists.")


def test_group_update_keeps_members_that_are_not_sent(groups: Groups) -> None:
    groups.call("create_group", GroupName="staff", Description="Us", Precedence=1)
    groups.wire.cognito.clock.advance(60)
    shown = groups.call("update_group", GroupName="staff", Precedence=2)["Group"]

    assert (shown["Description"], shown["Precedence"]) == ("Us", 2)
    assert (shown["LastModifiedDate"] - shown["CreationDate"]).total_seconds() == 60


@pytest.mark.parametrize(
    "operation",
    [
        "get_group",
        "update_group",
        "delete_group",
        "list_users_in_group",
        "admin_add_user_to_group",
        "admin_remove_user_from_group",
    ],
)
def test_unknown_group_is_refused_by_every_operation(groups: Groups, operation: str) -> None:
    user = {"Username": "alice"} if "user_" in operation else {}

    assert refusal(lambda: groups.call(operation, GroupName="none", **user)) == NO_GROUP


@pytest.mark.parametrize(
    "operation", ["admin_add_user_to_group", "admin_remove_user_from_group", "admin_list_groups_for_user"]
)
def test_unknown_user_is_refused_by_every_group_operation(groups: Groups, operation: str) -> None:
    groups.make("staff")
    group = {} if "list" in operation else {"GroupName": "staff"}
    refused = refusal(lambda: groups.call(operation, Username="unknown", **group))

    assert refused == ("UserNotFoundException", "User does not exist.")


def test_user_is_added_once_and_removed_without_error(groups: Groups) -> None:
    groups.make("staff")
    groups.call("admin_add_user_to_group", GroupName="staff", Username="alice")
    groups.call("admin_add_user_to_group", GroupName="staff", Username="bob")
    users = groups.call("list_users_in_group", GroupName="staff")["Users"]
    assert [user["Username"] for user in users] == ["alice", "bob"]
    assert {"Name": "email", "Value": "alice@example.com"} in users[0]["Attributes"]

    for _ in range(2):
        groups.call("admin_remove_user_from_group", GroupName="staff", Username="alice")
    users = groups.call("list_users_in_group", GroupName="staff")["Users"]
    assert [user["Username"] for user in users] == ["bob"]


def test_groups_of_a_user_are_listed_in_pages(groups: Groups) -> None:
    for name in ("a", "b", "c"):
        groups.make(name)
    groups.call("create_group", GroupName="d")
    ask = partial(groups.call, "admin_list_groups_for_user", Username="alice")
    first = ask(Limit=2)
    second = ask(Limit=2, NextToken=first["NextToken"])

    assert [group["GroupName"] for group in first["Groups"] + second["Groups"]] == ["a", "b", "c"]
    names = [group["GroupName"] for group in groups.call("list_groups")["Groups"]]
    assert names == ["a", "b", "c", "d"]


def test_users_of_a_group_are_listed_in_pages(groups: Groups) -> None:
    groups.make("staff")
    groups.call("admin_add_user_to_group", GroupName="staff", Username="bob")
    ask = partial(groups.call, "list_users_in_group", GroupName="staff", Limit=1)
    first = ask()
    second = ask(NextToken=first["NextToken"])

    assert [user["Username"] for user in first["Users"] + second["Users"]] == ["alice", "bob"]
    assert "NextToken" not in second


# -- in tokens --


def test_next_tokens_name_the_groups_until_they_are_deleted(groups: Groups) -> None:
    assert all("cognito:groups" not in claims for claims in groups.claims())
    groups.make("staff")
    groups.make("admins")
    assert [claims["cognito:groups"] for claims in groups.claims()] == [["staff", "admins"]] * 2
    groups.call("delete_group", GroupName="staff")
    assert [claims["cognito:groups"] for claims in groups.claims()] == [["admins"]] * 2
    assert "cognito:roles" not in groups.claims()[0]


def test_role_of_the_group_with_the_lowest_precedence_is_preferred(groups: Groups) -> None:
    groups.make("none", RoleArn=STAFF)
    assert groups.claims()[0]["cognito:preferred_role"] == STAFF
    groups.make("first", RoleArn=ADMINS, Precedence=0)
    groups.make("later", RoleArn=STAFF, Precedence=7)
    identity, access = groups.claims()

    assert identity["cognito:preferred_role"] == ADMINS
    assert identity["cognito:roles"] == [STAFF, ADMINS]
    assert "cognito:roles" not in access


def test_different_roles_of_equal_precedence_leave_no_preferred_role(groups: Groups) -> None:
    groups.make("a", RoleArn=STAFF, Precedence=1)
    groups.make("b", RoleArn=STAFF, Precedence=1)
    assert groups.claims()[0]["cognito:preferred_role"] == STAFF
    groups.make("c", RoleArn=ADMINS, Precedence=1)
    assert "cognito:preferred_role" not in groups.claims()[0]


def test_pre_token_generation_gets_the_groups_and_overrides_them(groups: Groups) -> None:
    groups.make("staff", RoleArn=STAFF)
    seen: list[Any] = []

    def override(event: Any) -> Any:
        seen.append(event["request"]["groupConfiguration"])
        details = {"groupsToOverride": ["chosen"], "iamRolesToOverride": [ADMINS], "preferredRole": ADMINS}
        event["response"]["claimsOverrideDetails"] = {"groupOverrideDetails": details}
        return event

    groups.wire.pool.triggers["PreTokenGeneration"] = override
    identity, access = groups.claims()

    shown = {"groupsToOverride": ["staff"], "iamRolesToOverride": [STAFF], "preferredRole": STAFF}
    assert seen == [shown]
    assert identity["cognito:groups"] == access["cognito:groups"] == ["chosen"]
    assert (identity["cognito:roles"], identity["cognito:preferred_role"]) == ([ADMINS], ADMINS)
