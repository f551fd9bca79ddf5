"""Users' own attributes, and the verification of their addresses."""

from __future__ import annotations

from functools import partial
from typing import Any

import attrs
import pytest

from cognito_flow.testing import LocalCognito, Pool
from cognito_flow.testing._state.signing import SigningKeys
from tests.local_cognito.wire import Wire, refusal

PASSWORD = "Correct-horse-1"
INVALID = "InvalidParameterException"
UNWRITABLE = ("NotAuthorizedException", "A client attempted to write unauthorized attribute")
ALIAS_TAKEN = ("AliasExistsException", "An account with the email already exists.")
EXPIRED = ("ExpiredCodeException", "Invalid code provided, please request a code again.")
LIMIT = ("LimitExceededException", "Attempt limit exceeded, please try after some time.")
NEW = "new@example.com"
BEFORE: Any = {"AttributesRequireVerificationBeforeUpdate": ["email"]}


@attrs.define
class Alice:
    """Alice, signed in."""

    pool: Pool
    client_id: str = ""
    token: str = ""
    api: Any = None

    def __attrs_post_init__(self) -> None:
        wire = Wire(self.pool, self.client_id)
        self.pool.add_user("alice", PASSWORD, email="alice@example.com", phone_number="+31612345678")
        self.token = wire.password("alice", PASSWORD)["AuthenticationResult"]["AccessToken"]
        self.api = wire.api

    @property
    def attributes(self) -> dict[str, str]:
        """What GetUser shows."""
        shown = self.api.get_user(AccessToken=self.token)["UserAttributes"]
        return {item["Name"]: item["Value"] for item in shown}

    def update(self, **attributes: str) -> Any:
        """Call UpdateUserAttributes and return the deliveries."""
        listed = [{"Name": name, "Value": value} for name, value in attributes.items()]
        answer = self.api.update_user_attributes(AccessToken=self.token, UserAttributes=listed)
        return answer.get("CodeDeliveryDetailsList", [])

    def delete(self, *names: str) -> Any:
        """DeleteUserAttributes."""
        return self.api.delete_user_attributes(AccessToken=self.token, UserAttributeNames=list(names))

    def verify(self, attribute: str = "email", code: str | None = None) -> Any:
        """Call VerifyUserAttribute, by default with the code that was sent."""
        return self.api.verify_user_attribute(
            AccessToken=self.token, AttributeName=attribute, Code=code or self.pool.last_code("alice")
        )

    def ask(self, attribute: str = "email") -> Any:
        """GetUserAttributeVerificationCode."""
        answer = self.api.get_user_attribute_verification_code(
            AccessToken=self.token, AttributeName=attribute
        )
        return answer["CodeDeliveryDetails"]


@pytest.fixture
def alice(cognito: LocalCognito) -> Alice:
    """Alice in a pool that verifies e-mail addresses."""
    return Alice(cognito.create_pool(auto_verified_attributes=["email"]))


@pytest.fixture
def careful(cognito: LocalCognito) -> Alice:
    """Alice in a pool where a new e-mail address must be verified first, and is an alias."""
    return Alice(
        cognito.create_pool(
            auto_verified_attributes=["email"],
            user_attribute_update_settings=BEFORE,
            alias_attributes=["email", "preferred_username"],
        )
    )


# -- setting and deleting --


def test_attributes_are_set_and_an_empty_value_deletes(alice: Alice) -> None:
    assert alice.update(nickname="Al", gender="f", locale="nl") == []
    assert alice.attributes["nickname"] == "Al"
    alice.update(nickname="")
    alice.delete("gender")

    assert not {"nickname", "gender"} & set(alice.attributes)
    assert alice.attributes["locale"] == "nl"
    user = alice.api.admin_get_user(UserPoolId=alice.pool.id, Username="alice")
    assert user["UserLastModifiedDate"] == alice.pool.cognito.clock()


def test_deleted_address_loses_its_verification(alice: Alice) -> None:
    alice.delete("phone_number")

    assert set(alice.attributes) == {"sub", "email", "email_verified"}


@pytest.mark.parametrize("name", ["email_verified", "phone_number_verified"])
def test_users_cannot_set_verified_attributes_themselves(alice: Alice, name: str) -> None:
    assert refusal(lambda: alice.update(email=NEW, **{name: "true"})) == UNWRITABLE
    assert refusal(lambda: alice.delete(name)) == UNWRITABLE
    assert alice.attributes["email"] == "alice@example.com"


def test_read_and_write_attributes_of_the_client_limit_its_users(cognito: LocalCognito) -> None:
    pool = cognito.create_pool()
    app = pool.app_client(read_attributes=["email"], write_attributes=["nickname"])
    alice = Alice(pool, app.client_id)
    alice.update(nickname="Al")

    assert set(alice.attributes) == {"sub", "email"}
    assert refusal(lambda: alice.update(email=NEW)) == UNWRITABLE
    assert refusal(lambda: alice.delete("email")) == UNWRITABLE


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("sub", "x", "Cannot modify the non-mutable attribute sub"),
        ("custom:team", "blue", "user.custom:team: Attribute cannot be updated."),
        (
            "nickname",
            "",
            "Attributes did not conform to the schema: nickname: The attribute is required",
        ),
        ("email", "no address", "Invalid email address format."),
        (
            "custom:none",
            "x",
            "Attributes did not conform to the schema: custom:none: Attribute does not exist in the schema.",
        ),
    ],
)
def test_refused_change_changes_nothing(cognito: LocalCognito, name: str, value: str, text: str) -> None:
    schema: Any = [
        {"Name": "team", "AttributeDataType": "String", "Mutable": False},
        {"Name": "nickname", "Required": True},
    ]
    alice = Alice(cognito.create_pool(schema=schema))
    alice.pool.user("alice").attributes |= {"custom:team": "red", "nickname": "Al"}
    before = alice.attributes

    assert refusal(lambda: alice.update(gender="f", **{name: value})) == (INVALID, text)
    assert alice.attributes == before


def test_made_up_access_token_is_refused(alice: Alice) -> None:
    signed = SigningKeys(10**6).sign({"username": "alice", "sub": "x"}, "access")

    for token in ("made-up", signed):
        refused = refusal(partial(alice.api.get_user, AccessToken=token))
        assert refused == ("NotAuthorizedException", "Invalid Access Token")


# -- new addresses --


def test_new_address_is_verified_by_its_own_code(alice: Alice) -> None:
    (sent,) = alice.update(email=NEW, phone_number="+31687654321")

    assert sent == {"Destination": "n***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"}
    assert (alice.attributes["email"], alice.attributes["email_verified"]) == (NEW, "false")
    assert alice.attributes["phone_number_verified"] == "false"
    assert refusal(lambda: alice.verify(code="wrong"))[0] == "CodeMismatchException"
    assert refusal(lambda: alice.verify("phone_number")) == EXPIRED
    alice.verify()
    assert alice.attributes["email_verified"] == "true"
    assert refusal(alice.verify) == EXPIRED


def test_same_address_again_stays_verified_and_gets_no_code(alice: Alice) -> None:
    assert alice.update(email="alice@example.com") == []
    assert alice.attributes["email_verified"] == "true"


def test_attribute_code_expires_after_a_day_or_a_change_of_the_address(alice: Alice) -> None:
    app = alice.pool.app_client(access_token_validity=24)
    alice.token = Wire(alice.pool, app.client_id).password("alice", PASSWORD)["AuthenticationResult"][
        "AccessToken"
    ]
    alice.update(email=NEW)
    code = alice.pool.last_code("alice")
    alice.update(email="newer@example.com")
    if code != alice.pool.last_code("alice"):  # one in a million is the same
        assert refusal(lambda: alice.verify(code=code))[0] == "CodeMismatchException"
    alice.pool.cognito.clock.advance(86399)
    alice.verify()
    alice.ask()
    late = Wire(alice.pool)
    alice.pool.cognito.clock.advance(86400)
    alice.token = late.password("alice", PASSWORD)["AuthenticationResult"]["AccessToken"]
    assert refusal(alice.verify) == EXPIRED


def test_attribute_code_is_sent_again_on_request(alice: Alice) -> None:
    assert alice.ask("phone_number")["Destination"] == "+*******5678"
    alice.verify("phone_number")
    alice.delete("phone_number")
    for name in ("phone_number", "nickname"):
        assert refusal(partial(alice.ask, name))[0] == INVALID


def test_address_that_requires_verification_before_update_waits_for_its_code(careful: Alice) -> None:
    (sent,) = careful.update(email=NEW, nickname="Al")
    assert sent["Destination"] == "n***@e***"
    assert careful.attributes["email"] == "alice@example.com"
    assert (careful.attributes["email_verified"], careful.attributes["nickname"]) == ("true", "Al")

    assert careful.ask()["Destination"] == "n***@e***"
    careful.verify()
    assert (careful.attributes["email"], careful.attributes["email_verified"]) == (NEW, "true")
    assert careful.pool.user(NEW).username == "alice"


def test_newest_waiting_address_replaces_the_one_before(careful: Alice) -> None:
    careful.update(email=NEW)
    careful.update(email="newer@example.com")
    careful.verify()

    assert careful.attributes["email"] == "newer@example.com"


# -- aliases --


def test_verifying_an_alias_of_another_user_is_refused(careful: Alice) -> None:
    careful.pool.add_user("bob", PASSWORD, email=NEW)
    careful.update(email=NEW)

    assert refusal(careful.verify) == ALIAS_TAKEN
    assert careful.pool.user(NEW).username == "bob"
    assert careful.attributes["email"] == "alice@example.com"


def test_taken_preferred_user_name_is_refused(careful: Alice) -> None:
    careful.pool.add_user("bob", PASSWORD, attributes={"preferred_username": "bobby"})
    text = "An account with the preferred_username already exists."
    for taken in ("bobby", "bob"):
        refused = refusal(partial(careful.update, preferred_username=taken))
        assert refused == ("AliasExistsException", text)
    careful.update(preferred_username="ally")

    assert careful.pool.user("ally").username == "alice"


def test_taken_address_is_refused_at_once_where_it_is_the_user_name(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(username_attributes=["email"])
    wire = Wire(pool)
    pool.add_user("bob@example.com", PASSWORD)
    pool.add_user("alice@example.com", PASSWORD)
    token = wire.password("alice@example.com", PASSWORD)["AuthenticationResult"]["AccessToken"]

    def update(address: str) -> Any:
        listed = [{"Name": "email", "Value": address}]
        return wire.api.update_user_attributes(AccessToken=token, UserAttributes=listed)

    assert refusal(lambda: update("bob@example.com")) == ALIAS_TAKEN
    update(NEW)
    assert "AuthenticationResult" in wire.password(NEW, PASSWORD)


# -- counts --


def test_sixth_attribute_code_in_an_hour_is_refused(alice: Alice) -> None:
    for _ in range(5):
        alice.ask()

    assert refusal(alice.ask) == LIMIT


def test_sixteenth_attempt_at_an_attribute_code_in_an_hour_is_refused(alice: Alice) -> None:
    alice.ask()
    for _ in range(15):
        assert refusal(lambda: alice.verify(code="wrong"))[0] == "CodeMismatchException"

    assert refusal(alice.verify) == LIMIT


def test_sixth_change_of_password_in_an_hour_is_refused_without_locking_the_sign_in(alice: Alice) -> None:
    def change(previous: str) -> Any:
        return alice.api.change_password(
            AccessToken=alice.token, PreviousPassword=previous, ProposedPassword="Battery-staple-2"
        )

    for _ in range(5):
        assert refusal(lambda: change("Wrong-horse-1"))[0] == "NotAuthorizedException"
    assert refusal(lambda: change(PASSWORD)) == LIMIT
    assert "AuthenticationResult" in Wire(alice.pool).password("alice", PASSWORD)
