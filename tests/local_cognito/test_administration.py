"""What administrators do to users: inviting them, sending them to choose a new password, changing what they are."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from cognito_flow.testing import LocalCognito
from tests.local_cognito.wire import PASSWORD, Wire, refusal

INVALID = "InvalidParameterException"
ALIAS_TAKEN = ("AliasExistsException", "An account with the email already exists.")
MAIL, NUMBER = "carol@example.com", "+31687654321"
NEW = "Battery-staple-2"


def call(wire: Wire, operation: str, username: str = "carol", **parameters: Any) -> Any:
    """An Admin operation on a user."""
    return getattr(wire.api, operation)(UserPoolId=wire.pool.id, Username=username, **parameters)


def create(wire: Wire, username: str = "carol", **members: Any) -> Any:
    """AdminCreateUser; attributes are a dictionary."""
    attributes = members.pop("attributes", {})
    listed = [{"Name": name, "Value": value} for name, value in attributes.items()]
    return call(wire, "admin_create_user", username, UserAttributes=listed, **members)["User"]


@pytest.fixture
def alias(cognito: LocalCognito) -> Wire:
    """A pool where verified e-mail addresses are aliases; bob has one."""
    pool = cognito.create_pool(alias_attributes=["email"])
    pool.add_user("bob", PASSWORD, email=MAIL)
    return Wire(pool)


# -- invitations --


def test_an_invited_user_is_described(wire: Wire) -> None:
    """AdminCreateUser and AdminGetUser tell the same."""
    made = create(wire, attributes={"email": MAIL, "email_verified": "true"})
    told = call(wire, "admin_get_user")

    assert (made["UserStatus"], made["Enabled"]) == ("FORCE_CHANGE_PASSWORD", True)
    assert {"Name": "email_verified", "Value": "true"} in made["Attributes"]
    assert told["UserAttributes"] == made["Attributes"]
    assert told["UserCreateDate"] == made["UserCreateDate"] == wire.cognito.clock()


@pytest.mark.parametrize(
    ("given", "media"),
    [
        ({}, ["EMAIL"]),
        ({"DesiredDeliveryMediums": ["SMS"]}, ["SMS"]),
        ({"DesiredDeliveryMediums": ["EMAIL"]}, ["EMAIL"]),
        ({"DesiredDeliveryMediums": ["SMS", "EMAIL"]}, ["EMAIL", "SMS"]),
        ({"MessageAction": "SUPPRESS"}, []),
    ],
    ids=str,
)
def test_an_invitation_goes_where_it_is_wanted(wire: Wire, given: dict[str, Any], media: list[str]) -> None:
    """With the temporary password, which may be given."""
    both = {"email": MAIL, "phone_number": NUMBER}
    create(wire, attributes=both, TemporaryPassword="Given-by-hand-1", **given)

    sent = wire.cognito.outbox
    assert [message.medium for message in sent] == media
    assert {message.code for message in sent} <= {"Given-by-hand-1"}
    step = wire.password("carol", "Given-by-hand-1")
    assert step["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


def test_an_invitation_goes_nowhere_without_an_address(wire: Wire) -> None:
    """The user is there all the same; a phone number will do."""
    create(wire)
    assert not wire.cognito.outbox
    create(wire, "dave", attributes={"phone_number": NUMBER})

    assert [(message.username, message.medium) for message in wire.cognito.outbox] == [("dave", "SMS")]


def test_who_needs_no_password_is_confirmed_at_once(cognito: LocalCognito) -> None:
    """In a pool where a code is a first factor, if no temporary password is given."""
    factors = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
    wire = Wire(cognito.create_pool(policies=factors))

    assert create(wire, attributes={"email": MAIL})["UserStatus"] == "CONFIRMED"
    assert not cognito.outbox
    given = create(wire, "dave", TemporaryPassword="Given-by-hand-1")
    assert given["UserStatus"] == "FORCE_CHANGE_PASSWORD"


def test_a_temporary_password_meets_the_policy(cognito: LocalCognito) -> None:
    """Also one that is made, however long it must be."""
    policy = {"PasswordPolicy": {"MinimumLength": 40, "RequireSymbols": True}}
    wire = Wire(cognito.create_pool(policies=policy))
    weak = refusal(lambda: create(wire, TemporaryPassword="Too-short-1"))
    create(wire, attributes={"email": MAIL})

    assert weak == (
        "InvalidPasswordException",
        "Password does not conform to policy: Password not long enough",
    )
    assert len(cognito.outbox[-1].code) == 40


@pytest.mark.parametrize(("days", "life"), [(0, 7), (30, 30)])
def test_a_temporary_password_lives_as_long_as_the_policy_says(
    cognito: LocalCognito, days: int, life: int
) -> None:
    """TemporaryPasswordValidityDays; 0 is the default."""
    policy = {"PasswordPolicy": {"TemporaryPasswordValidityDays": days}}
    wire = Wire(cognito.create_pool(policies=policy))
    create(wire, TemporaryPassword="Given-by-hand-1")
    cognito.clock.advance(life * 86400 - 1)
    assert wire.password("carol", "Given-by-hand-1")["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    cognito.clock.advance(1)
    assert "has expired" in refusal(lambda: wire.password("carol", "Given-by-hand-1"))[1]


def test_an_invitation_is_sent_again(wire: Wire) -> None:
    """With a new temporary password, which lives as long as the first one did."""
    create(wire, attributes={"email": MAIL})
    old = wire.pool.last_code("carol")
    wire.cognito.clock.advance(8 * 86400)
    text = "Temporary password has expired and must be reset by an administrator."
    assert refusal(lambda: wire.password("carol", old)) == ("NotAuthorizedException", text)
    again = call(wire, "admin_create_user", MessageAction="RESEND")["User"]

    assert again["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    assert refusal(lambda: wire.password("carol", old))[0] == "NotAuthorizedException"
    new = wire.pool.last_code("carol")
    assert wire.password("carol", new)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


def test_an_invitation_is_sent_again_only_to_whom_it_helps(wire: Wire) -> None:
    """Neither to a user who has chosen a password, nor to nobody."""
    again = partial(call, wire, "admin_create_user", MessageAction="RESEND")
    text = "Resend not possible. Status of the user is CONFIRMED."

    assert refusal(lambda: again("alice")) == ("UnsupportedUserStateException", text)
    assert refusal(again) == ("UserNotFoundException", "User does not exist.")


def test_a_trigger_may_refuse_an_invitation(wire: Wire) -> None:
    """PreSignUp, with a source of its own; then there is no such user."""
    seen: list[tuple[str, str]] = []

    def refuse(event: Any) -> Any:
        seen.append((event["triggerSource"], event["callerContext"]["clientId"]))
        raise ValueError("full up")

    wire.pool.triggers["PreSignUp"] = refuse

    assert refusal(lambda: create(wire))[0] == "UserLambdaValidationException"
    assert seen == [("PreSignUp_AdminCreateUser", "CLIENT_ID_NOT_APPLICABLE")]
    assert refusal(lambda: call(wire, "admin_get_user"))[0] == "UserNotFoundException"


# -- aliases --


def test_a_verified_alias_of_another_is_refused_or_taken_over(alias: Wire) -> None:
    """ForceAliasCreation says which."""
    verified = {"email": MAIL, "email_verified": "true"}

    assert refusal(lambda: create(alias, attributes=verified)) == ALIAS_TAKEN
    assert refusal(lambda: call(alias, "admin_get_user"))[0] == "UserNotFoundException"
    create(alias, attributes=verified, ForceAliasCreation=True)
    assert alias.pool.user(MAIL).username == "carol"
    assert alias.pool.user("bob").attributes["email_verified"] == "false"


@pytest.mark.parametrize("force", [False, True])
def test_an_address_that_is_not_verified_takes_nothing(alias: Wire, force: bool) -> None:
    """It is no alias yet."""
    create(alias, attributes={"email": MAIL}, ForceAliasCreation=force)

    assert alias.pool.user(MAIL).username == "bob"


def test_an_address_does_not_become_the_alias_of_two(alias: Wire) -> None:
    """Neither by its verification nor by its value."""
    create(alias, attributes={"email": MAIL})
    verify = [{"Name": "email_verified", "Value": "true"}]
    both = [*verify, {"Name": "email", "Value": MAIL}]

    for attributes in (verify, both):
        update = partial(call, alias, "admin_update_user_attributes", UserAttributes=attributes)
        assert refusal(update) == ALIAS_TAKEN
    call(alias, "admin_delete_user", "bob")
    call(alias, "admin_update_user_attributes", UserAttributes=verify)
    assert alias.pool.user(MAIL).username == "carol"


def test_the_challenge_for_a_new_password_takes_nobody_s_alias(cognito: LocalCognito) -> None:
    """And it verifies no address: attributes that the app client may not write are refused there, too."""
    required = [{"Name": "email", "Required": True}]
    wire = Wire(cognito.create_pool(username_attributes=["phone_number", "email"], schema=required))
    wire.pool.add_user(MAIL, PASSWORD)
    wire.pool.add_user(NUMBER, PASSWORD, temporary=True)
    step = wire.password(NUMBER)
    answer = partial(wire.answer, step, NUMBER, NEW_PASSWORD=NEW)

    taken = refusal(lambda: answer(**{"userAttributes.email": MAIL}))
    assert taken == ALIAS_TAKEN
    said = {"userAttributes.email": "free@example.com", "userAttributes.email_verified": "true"}
    text = "A client attempted to write unauthorized attribute"
    assert refusal(lambda: answer(**said)) == ("NotAuthorizedException", text)
    del said["userAttributes.email_verified"]
    assert "AuthenticationResult" in answer(**said)
    assert wire.pool.user(NUMBER).attributes["email_verified"] == "false"


# -- new addresses --


@pytest.mark.parametrize(
    ("said", "verified", "sent"),
    [({}, "false", ["EMAIL"]), ({"email_verified": "true"}, "true", [])],
    ids=str,
)
def test_a_new_address_gets_a_code_unless_it_is_said_to_be_verified(
    cognito: LocalCognito, said: dict[str, str], verified: str, sent: list[str]
) -> None:
    """In a pool that verifies such addresses. The user enters it."""
    wire = Wire(cognito.create_pool(auto_verified_attributes=["email"]))
    user = wire.pool.add_user("carol", PASSWORD, email=MAIL)
    token = wire.password("carol")["AuthenticationResult"]["AccessToken"]
    new = [{"Name": name, "Value": value} for name, value in {"email": "new@example.com", **said}.items()]
    call(wire, "admin_update_user_attributes", UserAttributes=new)

    assert user.attributes == {"email": "new@example.com", "email_verified": verified}
    assert [message.medium for message in cognito.outbox] == sent
    if sent:
        code = wire.pool.last_code("carol")
        wire.api.verify_user_attribute(AccessToken=token, AttributeName="email", Code=code)
        assert user.attributes["email_verified"] == "true"


def test_an_administrator_may_leave_a_new_address_waiting_or_not(cognito: LocalCognito) -> None:
    """Where it must be verified before it is there."""
    before = {"AttributesRequireVerificationBeforeUpdate": ["email"]}
    wire = Wire(
        cognito.create_pool(auto_verified_attributes=["email"], user_attribute_update_settings=before)
    )
    user = wire.pool.add_user("carol", PASSWORD, email=MAIL)
    new = {"Name": "email", "Value": "new@example.com"}
    call(wire, "admin_update_user_attributes", UserAttributes=[new])
    assert user.attributes == {"email": MAIL, "email_verified": "true"}
    verified = {"Name": "email_verified", "Value": "true"}
    call(wire, "admin_update_user_attributes", UserAttributes=[new, verified])
    assert user.attributes == {"email": "new@example.com", "email_verified": "true"}


# -- what belongs to a user --


def test_attributes_are_changed_and_deleted(wire: Wire) -> None:
    """An administrator may say that an address is verified, and need not."""
    value = [{"Name": "email", "Value": MAIL}, {"Name": "nickname", "Value": "Al"}]
    call(wire, "admin_update_user_attributes", "alice", UserAttributes=value)
    assert wire.pool.user("alice").attributes["email_verified"] == "false"
    verified = [{"Name": "email_verified", "Value": "true"}]
    call(wire, "admin_update_user_attributes", "alice", UserAttributes=verified)
    assert wire.pool.user("alice").attributes["email_verified"] == "true"

    delete = partial(call, wire, "admin_delete_user_attributes", "alice")
    delete(UserAttributeNames=["nickname", "email"])
    assert set(wire.pool.user("alice").attributes) == {"phone_number", "phone_number_verified"}
    for name in ("sub", "custom:none"):
        assert refusal(partial(delete, UserAttributeNames=[name]))[0] == INVALID


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("admin_disable_user", {}),
        ("admin_enable_user", {}),
        ("admin_set_user_password", {"Password": NEW, "Permanent": True}),
        ("admin_reset_user_password", {}),
        ("admin_update_user_attributes", {"UserAttributes": [{"Name": "nickname", "Value": "Al"}]}),
        ("admin_delete_user_attributes", {"UserAttributeNames": ["phone_number"]}),
    ],
)
def test_a_user_is_modified_when_something_changes(
    wire: Wire, operation: str, parameters: dict[str, Any]
) -> None:
    """UserLastModifiedDate; the creation is what it was."""
    wire.cognito.clock.advance(60)
    call(wire, operation, "alice", **parameters)
    told = call(wire, "admin_get_user", "alice")

    assert (told["UserLastModifiedDate"] - told["UserCreateDate"]).total_seconds() == 60


def test_a_confirmation_by_an_administrator_verifies_no_address(cognito: LocalCognito) -> None:
    """It only lets the user sign in; the trigger is told."""
    wire = Wire(cognito.create_pool(auto_verified_attributes=["email"]))
    seen: list[str] = []

    def note(event: Any) -> Any:
        seen.append(event["triggerSource"])
        return event

    wire.pool.triggers["PostConfirmation"] = note
    mail = [{"Name": "email", "Value": MAIL}]
    wire.api.sign_up(ClientId=wire.client_id, Username="carol", Password=NEW, UserAttributes=mail)
    call(wire, "admin_confirm_sign_up")

    assert seen == ["PostConfirmation_ConfirmSignUp"]
    assert wire.pool.user("carol").attributes["email_verified"] == "false"
    assert "AuthenticationResult" in wire.password("carol", NEW)
