"""Operations of administrators on users: invitations, password resets, attributes."""

from __future__ import annotations

from functools import partial
from typing import Any

import jwt
import pytest

from cognito_flow.testing import LocalCognito
from tests.local_cognito.wire import PASSWORD, Wire, refusal

INVALID = "InvalidParameterException"
ALIAS_TAKEN = ("AliasExistsException", "An account with the email already exists.")
MAIL, NUMBER = "carol@example.com", "+31687654321"
NEW = "Battery-staple-2"


def call(wire: Wire, operation: str, username: str = "carol", **parameters: Any) -> Any:
    """Call an Admin operation on a user."""
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


def test_admin_create_user_and_admin_get_user_describe_an_invited_user_alike(wire: Wire) -> None:
    made = create(wire, attributes={"email": MAIL, "email_verified": "true"})
    shown = call(wire, "admin_get_user")

    assert (made["UserStatus"], made["Enabled"]) == ("FORCE_CHANGE_PASSWORD", True)
    assert {"Name": "email_verified", "Value": "true"} in made["Attributes"]
    assert shown["UserAttributes"] == made["Attributes"]
    assert shown["UserCreateDate"] == made["UserCreateDate"] == wire.cognito.clock()


@pytest.mark.parametrize(
    ("given", "media"),
    [
        ({}, ["SMS"]),
        ({"DesiredDeliveryMediums": ["SMS"]}, ["SMS"]),
        ({"DesiredDeliveryMediums": ["EMAIL"]}, ["EMAIL"]),
        ({"DesiredDeliveryMediums": ["SMS", "EMAIL"]}, ["EMAIL", "SMS"]),
        ({"MessageAction": "SUPPRESS"}, []),
    ],
    ids=str,
)
def test_invitation_is_sent_by_the_wanted_media_with_the_temporary_password(
    wire: Wire, given: dict[str, Any], media: list[str]
) -> None:
    both = {"email": MAIL, "phone_number": NUMBER}
    create(wire, attributes=both, TemporaryPassword="Given-by-hand-1", **given)

    sent = wire.cognito.outbox
    assert [message.medium for message in sent] == media
    assert {message.code for message in sent} <= {"Given-by-hand-1"}
    step = wire.password("carol", "Given-by-hand-1")
    assert step["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


def test_invitation_without_a_phone_number_is_sent_by_email(wire: Wire) -> None:
    create(wire)
    assert not wire.cognito.outbox
    create(wire, "dave", attributes={"phone_number": NUMBER})

    create(wire, "erin", attributes={"email": MAIL})

    sent = [(message.username, message.medium) for message in wire.cognito.outbox]
    assert sent == [("dave", "SMS"), ("erin", "EMAIL")]


@pytest.mark.parametrize("password", [{}, {"TemporaryPassword": ""}], ids=["absent", "blank"])
def test_user_without_password_in_a_pool_with_one_time_passwords_is_confirmed(
    cognito: LocalCognito, password: dict[str, str]
) -> None:
    factors: Any = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
    wire = Wire(cognito.create_pool(policies=factors))

    assert create(wire, attributes={"email": MAIL}, **password)["UserStatus"] == "CONFIRMED"
    assert wire.pool.user("carol").verifier is None
    assert not cognito.outbox
    given = create(wire, "dave", TemporaryPassword="Given-by-hand-1")
    assert given["UserStatus"] == "FORCE_CHANGE_PASSWORD"


def test_temporary_password_meets_the_policy(cognito: LocalCognito) -> None:
    policy: Any = {"PasswordPolicy": {"MinimumLength": 40, "RequireSymbols": True}}
    wire = Wire(cognito.create_pool(policies=policy))
    weak = refusal(lambda: create(wire, TemporaryPassword="Too-short-1"))
    create(wire, attributes={"email": MAIL}, TemporaryPassword="")

    assert weak == (
        "InvalidPasswordException",
        "Password does not conform to policy: Password not long enough",
    )
    assert len(cognito.outbox[-1].code) == 40


@pytest.mark.parametrize(("days", "life"), [(0, 7), (30, 30)])
def test_temporary_password_expires_as_the_policy_says(cognito: LocalCognito, days: int, life: int) -> None:
    policy: Any = {"PasswordPolicy": {"TemporaryPasswordValidityDays": days}}
    wire = Wire(cognito.create_pool(policies=policy))
    create(wire, TemporaryPassword="Given-by-hand-1")
    cognito.clock.advance(life * 86400 - 1)
    assert wire.password("carol", "Given-by-hand-1")["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    cognito.clock.advance(1)
    assert "has expired" in refusal(lambda: wire.password("carol", "Given-by-hand-1"))[1]


def test_invitation_is_sent_again_with_a_new_temporary_password(wire: Wire) -> None:
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


def test_resend_that_custom_message_refuses_leaves_the_temporary_password(wire: Wire) -> None:
    def refuse(event: Any) -> Any:
        raise ValueError("no paper left")

    create(wire, attributes={"email": MAIL})
    wire.pool.triggers["CustomMessage"] = refuse
    again = partial(call, wire, "admin_create_user", MessageAction="RESEND")

    assert refusal(again)[0] == "UserLambdaValidationException"
    sent = wire.pool.last_code("carol")
    assert wire.password("carol", sent)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


def test_resend_is_refused_for_confirmed_and_unknown_users(wire: Wire) -> None:
    again = partial(call, wire, "admin_create_user", MessageAction="RESEND")
    text = "Resend not possible. Status of the user is CONFIRMED."

    assert refusal(lambda: again("alice")) == ("UnsupportedUserStateException", text)
    assert refusal(again) == ("UserNotFoundException", "User does not exist.")


def test_pre_sign_up_trigger_that_raises_refuses_an_invitation(wire: Wire) -> None:
    seen: list[tuple[str, str]] = []

    def refuse(event: Any) -> Any:
        seen.append((event["triggerSource"], event["callerContext"]["clientId"]))
        raise ValueError("full up")

    wire.pool.triggers["PreSignUp"] = refuse

    assert refusal(lambda: create(wire))[0] == "UserLambdaValidationException"
    assert seen == [("PreSignUp_AdminCreateUser", "CLIENT_ID_NOT_APPLICABLE")]
    assert refusal(lambda: call(wire, "admin_get_user"))[0] == "UserNotFoundException"


# -- aliases --


def test_verified_alias_of_another_user_is_taken_only_with_force_alias_creation(alias: Wire) -> None:
    verified = {"email": MAIL, "email_verified": "true"}

    assert refusal(lambda: create(alias, attributes=verified)) == ALIAS_TAKEN
    assert refusal(lambda: call(alias, "admin_get_user"))[0] == "UserNotFoundException"
    create(alias, attributes=verified, ForceAliasCreation=True)
    assert alias.pool.user(MAIL).username == "carol"
    assert alias.pool.user("bob").attributes["email_verified"] == "false"


def test_refused_force_alias_creation_takes_no_alias(alias: Wire) -> None:
    def refuse(event: Any) -> Any:
        raise ValueError("full up")

    verified = {"email": MAIL, "email_verified": "true"}
    force = partial(create, alias, attributes=verified, ForceAliasCreation=True)
    weak = refusal(lambda: force(TemporaryPassword="short"))
    alias.pool.triggers["PreSignUp"] = refuse
    by_trigger = refusal(force)

    assert (weak[0], by_trigger[0]) == ("InvalidPasswordException", "UserLambdaValidationException")
    assert alias.pool.user(MAIL).username == "bob"
    assert "AuthenticationResult" in alias.password(MAIL)


@pytest.mark.parametrize("force", [False, True])
def test_unverified_address_takes_no_alias(alias: Wire, force: bool) -> None:
    create(alias, attributes={"email": MAIL}, ForceAliasCreation=force)

    assert alias.pool.user(MAIL).username == "bob"


@pytest.mark.parametrize("changes", [{}, {"email": MAIL}], ids=["verified alone", "with the address"])
def test_verified_address_moves_as_alias_to_the_user_who_gets_it(
    alias: Wire, changes: dict[str, str]
) -> None:
    create(alias, attributes={"email": MAIL})
    attributes = [{"Name": name, "Value": value} for name, value in changes.items()]
    attributes.append({"Name": "email_verified", "Value": "true"})
    call(alias, "admin_update_user_attributes", UserAttributes=attributes)

    assert alias.pool.user(MAIL).username == "carol"
    assert alias.pool.user("bob").attributes["email_verified"] == "false"


def test_refused_update_of_attributes_takes_no_alias(cognito: LocalCognito) -> None:
    wire = Wire(cognito.create_pool(alias_attributes=["email", "preferred_username"]))
    wire.pool.add_user("bob", PASSWORD, email=MAIL, attributes={"preferred_username": "bobby"})
    wire.pool.add_user("carol", PASSWORD)
    taken = {"email": MAIL, "email_verified": "true", "preferred_username": "bobby"}
    attributes = [{"Name": name, "Value": value} for name, value in taken.items()]
    refused = refusal(lambda: call(wire, "admin_update_user_attributes", UserAttributes=attributes))

    text = "An account with the preferred_username already exists."
    assert refused == ("AliasExistsException", text)
    assert wire.pool.user(MAIL).username == "bob"


def test_preferred_username_that_is_an_address_cannot_be_taken(cognito: LocalCognito) -> None:
    wire = Wire(cognito.create_pool(alias_attributes=["email", "preferred_username"]))
    wire.pool.add_user("bob", PASSWORD, email="bob@example.com", attributes={"preferred_username": MAIL})
    wire.pool.add_user("carol", PASSWORD)
    new = [{"Name": "email", "Value": MAIL}, {"Name": "email_verified", "Value": "true"}]

    assert refusal(lambda: call(wire, "admin_update_user_attributes", UserAttributes=new)) == ALIAS_TAKEN
    assert wire.pool.user("bob@example.com").username == "bob"


def test_taken_address_is_refused_where_it_is_the_user_name(cognito: LocalCognito) -> None:
    wire = Wire(cognito.create_pool(username_attributes=["email"]))
    wire.pool.add_user(MAIL)
    other = wire.pool.add_user("other@example.com")
    attributes = [{"Name": "email", "Value": MAIL}, {"Name": "email_verified", "Value": "true"}]
    update = partial(call, wire, "admin_update_user_attributes", other.username, UserAttributes=attributes)

    assert refusal(update) == ALIAS_TAKEN


def test_created_user_has_only_the_attributes_that_were_given(wire: Wire) -> None:
    create(wire, attributes={"email": MAIL})
    assert wire.pool.user("carol").attributes == {"email": MAIL}


@pytest.mark.parametrize("value", ["true", "True", "TRUE"])
def test_email_verified_counts_in_any_case(wire: Wire, value: str) -> None:
    attributes = [{"Name": "email", "Value": MAIL}, {"Name": "email_verified", "Value": value}]
    call(wire, "admin_update_user_attributes", "bob", UserAttributes=attributes)

    sent = wire.api.forgot_password(ClientId=wire.client_id, Username="bob")["CodeDeliveryDetails"]
    assert sent["DeliveryMedium"] == "EMAIL"
    id_token = wire.password("bob")["AuthenticationResult"]["IdToken"]
    assert jwt.decode(id_token, options={"verify_signature": False})["email_verified"] is True


def test_sub_is_taken_as_username_by_admin_operations_but_not_at_sign_in(wire: Wire) -> None:
    sub = wire.pool.user("alice").sub

    assert call(wire, "admin_get_user", sub)["Username"] == "alice"
    assert refusal(lambda: wire.password(sub))[0] == "UserNotFoundException"


def test_new_password_required_takes_no_alias_and_verifies_no_address(cognito: LocalCognito) -> None:
    required: Any = [{"Name": "email", "Required": True}]
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


def test_administrator_cannot_set_a_password_of_the_history(cognito: LocalCognito) -> None:
    policy: Any = {"PasswordPolicy": {"PasswordHistorySize": 2}}
    wire = Wire(cognito.create_pool(policies=policy))
    wire.pool.add_user("carol", NEW)
    set_password = partial(call, wire, "admin_set_user_password", Permanent=True)
    used = ("PasswordHistoryPolicyViolationException", "Password has previously been used")

    assert refusal(lambda: set_password(Password=NEW)) == used
    set_password(Password="Battery-staple-3")
    assert refusal(lambda: set_password(Password=NEW)) == used
    set_password(Password="Battery-staple-4")
    set_password(Password=NEW)
    assert "AuthenticationResult" in wire.password("carol", NEW)


# -- new addresses --


@pytest.mark.parametrize(
    ("said", "verified", "sent"),
    [({}, "false", ["EMAIL"]), ({"email_verified": "true"}, "true", [])],
    ids=str,
)
def test_new_address_gets_a_code_unless_it_is_set_as_verified(
    cognito: LocalCognito, said: dict[str, str], verified: str, sent: list[str]
) -> None:
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


def test_address_set_by_an_administrator_waits_for_its_code_unless_it_is_set_as_verified(
    cognito: LocalCognito,
) -> None:
    before: Any = {"AttributesRequireVerificationBeforeUpdate": ["email"]}
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


def test_administrator_changes_and_deletes_attributes(wire: Wire) -> None:
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
def test_user_last_modified_date_follows_changes(
    wire: Wire, operation: str, parameters: dict[str, Any]
) -> None:
    wire.cognito.clock.advance(60)
    call(wire, operation, "alice", **parameters)
    shown = call(wire, "admin_get_user", "alice")

    assert (shown["UserLastModifiedDate"] - shown["UserCreateDate"]).total_seconds() == 60


def test_admin_confirm_sign_up_verifies_no_address(cognito: LocalCognito) -> None:
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
