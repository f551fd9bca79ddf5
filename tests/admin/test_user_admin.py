"""UserAdmin and AsyncUserAdmin on LocalCognito, each test with both."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from cognito_flow import (
    InvalidInput,
    Misconfigured,
    NewPasswordRequired,
    PasswordRejected,
    ServiceError,
    SeveralUsers,
    SignedIn,
    TryLater,
    UsageError,
    UserExists,
    UserNotFound,
    UserPasswordAuth,
    UserSrpAuth,
)
from cognito_flow._turn import Settings
from cognito_flow.admin import AsyncUserAdmin, UserAdmin, _UserExchanges
from cognito_flow.testing import LocalCognito, Pool
from tests.account.exchanges import APP, run
from tests.account.world import Awaited

PASSWORD, OTHER_PASSWORD = "Correct-horse-1", "Battery-staple-2"
ADDRESS = "alice@example.com"


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@attrs.define
class Administered:
    """A pool and its administration, which has no type here: the tests are the same for both classes."""

    pool: Pool
    users: Any

    def operations(self) -> list[str]:
        calls = [call.operation for call in self.pool.cognito.calls]
        return [name for name in calls if name.startswith("Admin") or name == "ListUsers"]


def administer(kind: str, pool: Pool) -> Administered:
    if kind == "async":
        return Administered(pool, Awaited(AsyncUserAdmin(pool.app, pool.cognito.client())))
    return Administered(pool, UserAdmin(pool.app, pool.cognito.client()))


@pytest.fixture
def administered(kind: str, cognito: LocalCognito) -> Administered:
    return administer(kind, cognito.create_pool())


# -- ensure_user --


def test_missing_user_is_created_and_can_sign_in(administered: Administered) -> None:
    ensured = administered.users.ensure_user("alice", PASSWORD, attributes={"email": ADDRESS})

    assert ensured.created is True
    assert ensured.user.status == "CONFIRMED"
    assert ensured.user.enabled is True
    assert ensured.user.attributes["email"] == ADDRESS
    assert ensured.user.sub == administered.pool.user("alice").sub
    assert isinstance(administered.pool.flow().start(UserSrpAuth("alice", PASSWORD)), SignedIn)


def test_created_user_gets_no_message(administered: Administered) -> None:
    administered.users.ensure_user("alice", PASSWORD, attributes={"email": ADDRESS}, verified=["email"])

    assert list(administered.pool.cognito.outbox) == []


def test_user_who_has_everything_is_left_unchanged(administered: Administered) -> None:
    wanted: dict[str, Any] = {"attributes": {"email": ADDRESS}, "verified": ["email"]}
    first = administered.users.ensure_user("alice", PASSWORD, **wanted)
    before = len(administered.operations())
    second = administered.users.ensure_user("alice", PASSWORD, **wanted)

    assert (first.created, second.created) == (True, False)
    assert first.user == second.user
    assert administered.operations()[before:] == ["AdminGetUser", "AdminSetUserPassword", "AdminGetUser"]


def test_existing_user_gets_the_password_and_the_attributes_that_differ(administered: Administered) -> None:
    administered.pool.add_user("alice", PASSWORD, email=ADDRESS, attributes={"name": "Alice"})
    ensured = administered.users.ensure_user(
        "alice", OTHER_PASSWORD, attributes={"name": "Alice", "locale": "nl"}
    )

    assert ensured.created is False
    assert ensured.user.attributes["locale"] == "nl"
    assert isinstance(administered.pool.flow().start(UserSrpAuth("alice", OTHER_PASSWORD)), SignedIn)


def test_temporary_password_is_replaced_by_a_permanent_one(administered: Administered) -> None:
    administered.pool.add_user("alice", PASSWORD, temporary=True)

    assert administered.users.ensure_user("alice", OTHER_PASSWORD).user.status == "CONFIRMED"


def test_without_a_password_that_of_an_existing_user_stays(administered: Administered) -> None:
    administered.pool.add_user("alice", PASSWORD)
    ensured = administered.users.ensure_user("alice")

    assert ensured.created is False
    assert administered.operations() == ["AdminGetUser"]
    assert isinstance(administered.pool.flow().start(UserSrpAuth("alice", PASSWORD)), SignedIn)


def test_addresses_are_verified_only_if_named(administered: Administered) -> None:
    attributes = {"email": ADDRESS, "phone_number": "+31612345678"}
    user = administered.users.ensure_user(
        "alice", PASSWORD, attributes=attributes, verified=["phone_number"]
    ).user

    assert user.is_verified("phone_number")
    assert not user.is_verified("email")


def test_changed_address_stays_verified_and_gets_no_code(kind: str, cognito: LocalCognito) -> None:
    """Cognito unverifies an address that changes without its mark."""
    administered = administer(kind, cognito.create_pool(auto_verified_attributes=["email"]))
    administered.pool.add_user("alice", PASSWORD, email=ADDRESS)
    user = administered.users.ensure_user(
        "alice", attributes={"email": "new@example.com"}, verified=["email"]
    ).user

    assert user.attributes["email"] == "new@example.com"
    assert user.is_verified("email")
    assert list(cognito.outbox) == []


def test_user_of_a_pool_that_signs_in_by_address_is_found_again(kind: str, cognito: LocalCognito) -> None:
    administered = administer(kind, cognito.create_pool(username_attributes=["email"]))
    wanted: dict[str, Any] = {"attributes": {"email": ADDRESS}, "verified": ["email"]}
    first = administered.users.ensure_user(ADDRESS, PASSWORD, **wanted)
    second = administered.users.ensure_user(ADDRESS, PASSWORD, **wanted)

    assert (first.created, second.created) == (True, False)
    assert first.user.username == first.user.sub != ADDRESS
    assert isinstance(administered.pool.flow().start(UserSrpAuth(ADDRESS, PASSWORD)), SignedIn)


def test_user_that_another_process_creates_meanwhile_is_not_created_by_this_one() -> None:
    user = {
        "Username": "alice",
        "UserStatus": "CONFIRMED",
        "Enabled": True,
        "UserAttributes": [{"Name": "sub", "Value": "1"}],
    }
    exchange = _UserExchanges(Settings(app=APP)).ensure_user("alice", None, None, ())
    calls, ensured = run(exchange, UserNotFound("User does not exist."), UserExists("taken"), user)

    assert [call.operation for call in calls] == ["AdminGetUser", "AdminCreateUser", "AdminGetUser"]
    assert ensured.created is False
    assert ensured.user.sub == "1"


def test_lost_answer_is_repaired_by_the_next_call(administered: Administered) -> None:
    administered.pool.cognito.faults.lose("AdminCreateUser")
    with pytest.raises(TryLater) as raised:
        administered.users.ensure_user("alice", PASSWORD)

    assert raised.value.maybe_processed
    assert administered.users.ensure_user("alice", PASSWORD).created is False


def test_lost_answers_of_calls_that_can_be_repeated_do_no_harm(administered: Administered) -> None:
    administered.pool.add_user("alice", PASSWORD, email=ADDRESS)
    for operation in ("AdminGetUser", "ListUsers"):
        administered.pool.cognito.faults.lose(operation)

    assert administered.users.find_user("alice") == administered.users.find_user(email=ADDRESS)


def test_password_against_the_policy_is_refused_and_a_better_one_repairs(administered: Administered) -> None:
    with pytest.raises(PasswordRejected):
        administered.users.ensure_user("alice", "short")
    ensured = administered.users.ensure_user("alice", PASSWORD)

    assert ensured.created is False
    assert ensured.user.status == "CONFIRMED"


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"username": ""}, InvalidInput, "the user name is empty"),
        ({"password": ""}, InvalidInput, "the password is empty"),
        ({"verified": "email"}, UsageError, "verified must be a list of strings, not a str"),
        ({"verified": ["name"]}, UsageError, "'name' cannot be verified: only email and phone_number can"),
    ],
)
def test_wrong_argument_is_refused_before_anything_is_sent(
    administered: Administered, arguments: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error) as raised:
        administered.users.ensure_user(**{"username": "alice", **arguments})

    assert str(raised.value) == said
    assert administered.operations() == []


def test_unknown_pool_is_a_misconfiguration(kind: str, cognito: LocalCognito) -> None:
    client = cognito.client()
    users: Any = (
        Awaited(AsyncUserAdmin("eu-west-1_Missing", client))
        if kind == "async"
        else UserAdmin("eu-west-1_Missing", client)
    )

    with pytest.raises(Misconfigured, match="pool id"):
        users.ensure_user("alice", PASSWORD)


# -- set_password --


def test_temporary_password_must_be_replaced_at_the_next_sign_in(administered: Administered) -> None:
    administered.pool.add_user("alice", PASSWORD)
    administered.users.set_password("alice", OTHER_PASSWORD, permanent=False)
    step = administered.pool.flow().start(UserPasswordAuth("alice", OTHER_PASSWORD))

    assert isinstance(step, NewPasswordRequired)


def test_password_of_an_unknown_user_is_refused(administered: Administered) -> None:
    with pytest.raises(UserNotFound):
        administered.users.set_password("alice", PASSWORD)


def test_password_is_in_no_error_of_the_library(administered: Administered) -> None:
    administered.pool.add_user("alice", PASSWORD)
    with pytest.raises(PasswordRejected) as raised:
        administered.users.set_password("alice", "zx9")

    assert "zx9" not in str(raised.value)


# -- add_to_group --


def test_user_is_in_the_group_after_two_calls(administered: Administered) -> None:
    administered.pool.add_user("alice", PASSWORD)
    client: Any = administered.pool.cognito.client()
    client.create_group(UserPoolId=administered.pool.id, GroupName="staff")
    for _ in range(2):
        administered.users.add_to_group("alice", "staff")

    assert administered.pool.user("alice").groups == ["staff"]


def test_unknown_group_is_refused(administered: Administered) -> None:
    administered.pool.add_user("alice", PASSWORD)

    with pytest.raises(ServiceError, match="Group not found"):
        administered.users.add_to_group("alice", "staff")


# -- find_user --


def test_user_is_found_by_each_of_their_names(administered: Administered) -> None:
    administered.pool.add_user("alice", PASSWORD, email=ADDRESS, phone_number="+31612345678")
    administered.pool.add_user("bob", PASSWORD, email="bob@example.com")
    sub = administered.pool.user("alice").sub
    find = administered.users.find_user

    found = [find("alice"), find(email=ADDRESS.upper()), find(phone_number="+31612345678"), find(sub=sub)]

    assert [user.username for user in found] == ["alice"] * 4
    assert {user.sub for user in found} == {sub}


@pytest.mark.parametrize("name", ["username", "email", "phone_number", "sub"])
def test_user_who_does_not_exist_is_none(administered: Administered, name: str) -> None:
    administered.pool.add_user("alice", PASSWORD, email=ADDRESS)

    assert administered.users.find_user(**{name: "x"}) is None


def test_quotation_mark_is_searched_for_and_does_not_end_the_filter(administered: Administered) -> None:
    administered.pool.add_user("alice", PASSWORD, email=ADDRESS)
    administered.pool.add_user("bob", PASSWORD, attributes={"email": '"b"@example.com'})

    assert administered.users.find_user(email='"b"@example.com').username == "bob"
    assert administered.users.find_user(email='x" or email ^= "') is None


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"email": "a\\"}, InvalidInput, "the email contains a backslash"),
        ({"sub": ""}, InvalidInput, "the sub is empty"),
        ({}, UsageError, "exactly one of"),
        ({"username": "alice", "email": ADDRESS}, UsageError, "exactly one of"),
    ],
)
def test_search_for_nothing_certain_is_refused_before_anything_is_sent(
    administered: Administered, arguments: dict[str, str], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        administered.users.find_user(**arguments)

    assert administered.operations() == []


def test_address_of_several_users_raises_an_error_that_names_them(administered: Administered) -> None:
    for name in ("alice", "alma"):
        administered.pool.add_user(name, PASSWORD, email=ADDRESS)

    with pytest.raises(SeveralUsers, match="2 users have this email") as raised:
        administered.users.find_user(email=ADDRESS)
    assert sorted(raised.value.usernames) == ["alice", "alma"]


# -- the client --


def test_without_a_client_a_signed_one_is_made(
    cognito: LocalCognito, cognito_pool: Pool, cognito_url: str
) -> None:
    users = UserAdmin(cognito_pool.id)

    assert users.ensure_user("alice", PASSWORD).created is True
    assert repr(users) == f"UserAdmin({cognito_pool.id!r})"
    assert cognito_url
    assert cognito.calls[-1].operation == "AdminGetUser"


def test_missing_aws_credentials_are_a_usage_error(
    cognito_pool: Pool, cognito_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cognito_url
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/does/not/exist")

    with pytest.raises(UsageError, match="no usable AWS credentials"):
        UserAdmin(cognito_pool.app).find_user("alice")
