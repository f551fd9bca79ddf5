"""User names and aliases, and how new users verify their addresses."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from cognito_flow.testing import LocalCognito
from tests.local_cognito.wire import Wire, refusal

PASSWORD = "Correct-horse-1"
INVALID = "InvalidParameterException"
TAKEN = ("UsernameExistsException", "User already exists")
ALIAS_TAKEN = ("AliasExistsException", "An account with the email already exists.")
LIMIT = ("LimitExceededException", "Attempt limit exceeded, please try after some time.")
EXPIRED = ("ExpiredCodeException", "Invalid code provided, please request a code again.")
MAIL, NUMBER = "al@example.com", "+31612345678"


def sign_up(wire: Wire, username: str = "al", **members: Any) -> Any:
    """Sign up; attributes are keywords."""
    attributes = [{"Name": name, "Value": value} for name, value in members.items()]
    return wire.api.sign_up(
        ClientId=wire.client_id, Username=username, Password=PASSWORD, UserAttributes=attributes
    )


def confirm(wire: Wire, code: str | None = None, username: str = "al", **members: Any) -> Any:
    """Confirm a sign-up, by default with the code that was sent."""
    return wire.api.confirm_sign_up(
        ClientId=wire.client_id,
        Username=username,
        ConfirmationCode=code or wire.pool.last_code(username),
        **members,
    )


def resend(wire: Wire, username: str = "al") -> Any:
    """Send the code again."""
    return wire.api.resend_confirmation_code(ClientId=wire.client_id, Username=username)


def is_known(wire: Wire, typed: str) -> bool:
    """Whether a name and the password sign in."""
    try:
        return "AuthenticationResult" in wire.password(typed, PASSWORD)
    except wire.api.exceptions.UserNotFoundException:
        return False


@pytest.fixture
def alias(cognito: LocalCognito) -> Wire:
    """A pool where verified addresses and preferred user names are aliases."""
    names: Any = ["email", "phone_number", "preferred_username"]
    return Wire(cognito.create_pool(alias_attributes=names, auto_verified_attributes=["email"]))


@pytest.fixture
def named(cognito: LocalCognito) -> Wire:
    """A pool where an address is the user name."""
    names: Any = ["email", "phone_number"]
    return Wire(cognito.create_pool(username_attributes=names, auto_verified_attributes=["email"]))


# -- case --


def test_user_names_differ_by_case_unless_case_sensitive_is_false(cognito: LocalCognito) -> None:
    wire = Wire(cognito.create_pool())
    sign_up(wire, "al")
    sign_up(wire, "AL")

    assert refusal(lambda: sign_up(wire, "al")) == TAKEN
    folding = Wire(cognito.create_pool(username_configuration={"CaseSensitive": False}))
    sign_up(folding, "Al")
    assert refusal(lambda: sign_up(folding, "aL")) == TAKEN
    assert folding.pool.user("AL").username == "al"


def test_addresses_differ_by_case_as_user_names_do(cognito: LocalCognito) -> None:
    folds: Any = {"CaseSensitive": False}
    wire = Wire(cognito.create_pool(username_configuration=folds, username_attributes=["email"]))
    sign_up(wire, "Al@Example.com")

    refused = refusal(lambda: sign_up(wire, "al@example.COM"))
    assert refused == ("UsernameExistsException", "An account with the given email already exists.")


# -- addresses as user names --


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        (["email"], "Username should be an email."),
        (["phone_number"], "Username should be a phone number."),
        (["email", "phone_number"], "Username should be either an email or a phone number."),
    ],
)
def test_user_name_must_be_an_address_of_the_username_attributes(
    cognito: LocalCognito, attributes: Any, text: str
) -> None:
    wire = Wire(cognito.create_pool(username_attributes=attributes))

    assert refusal(lambda: sign_up(wire, "al")) == (INVALID, text)


def test_address_as_user_name_becomes_an_attribute_and_the_sub_the_user_name(named: Wire) -> None:
    shown = sign_up(named, MAIL)
    user = named.pool.user(MAIL)
    confirm(named, username=MAIL)

    assert user.username == user.sub == shown["UserSub"]
    assert user.attributes == {"email": MAIL, "email_verified": "true"}
    assert is_known(named, MAIL)
    assert is_known(named, user.sub)


def test_taken_address_is_refused_as_a_further_attribute(named: Wire) -> None:
    sign_up(named, MAIL, phone_number="+31612345678")
    confirm(named, username=MAIL)
    text = "An account with the given phone_number already exists."

    assert is_known(named, "+31612345678")
    assert refusal(lambda: sign_up(named, "+31612345678")) == ("UsernameExistsException", text)
    taken = refusal(lambda: sign_up(named, "bo@example.com", phone_number="+31612345678"))
    assert taken == ("UsernameExistsException", text)


# -- aliases --


@pytest.mark.parametrize(("name", "kind"), [(MAIL, "email"), ("+31612345678", "phone number")])
def test_user_name_that_looks_like_an_alias_is_refused(alias: Wire, name: str, kind: str) -> None:
    text = f"Username cannot be of {kind} format, since user pool is configured for {kind} alias."

    assert refusal(lambda: sign_up(alias, name)) == (INVALID, text)


def test_address_is_an_alias_once_it_is_verified(alias: Wire) -> None:
    sign_up(alias, email=MAIL)
    assert not is_known(alias, MAIL)
    confirm(alias)
    assert is_known(alias, MAIL)


def test_alias_of_another_user_is_refused_at_the_confirmation(alias: Wire) -> None:
    alias.pool.add_user("bob", PASSWORD, email=MAIL)
    sign_up(alias, email=MAIL)
    code = alias.pool.last_code("al")

    assert refusal(lambda: confirm(alias, "wrong"))[0] == "CodeMismatchException"
    assert refusal(lambda: confirm(alias, code)) == ALIAS_TAKEN
    assert alias.pool.user(MAIL).username == "bob"
    assert refusal(lambda: confirm(alias, code, ForceAliasCreation=False)) == ALIAS_TAKEN


def test_force_alias_creation_takes_an_alias_over(alias: Wire) -> None:
    alias.pool.add_user("bob", PASSWORD, email=MAIL)
    sign_up(alias, email=MAIL)
    confirm(alias, ForceAliasCreation=True)

    assert alias.pool.user(MAIL).username == "al"
    assert alias.pool.user("bob").attributes["email_verified"] == "false"
    assert is_known(alias, "bob")


def test_refused_force_alias_creation_takes_no_alias(alias: Wire) -> None:
    alias.pool.add_user("bob", PASSWORD, email=MAIL)
    sign_up(alias, email=MAIL)
    force = partial(confirm, alias, ForceAliasCreation=True, Session="x" * 20)

    assert refusal(force) == ("NotAuthorizedException", "Invalid session for the user.")
    assert alias.pool.user(MAIL).username == "bob"
    assert is_known(alias, MAIL)


def test_force_alias_creation_without_an_alias_to_take_is_accepted(alias: Wire) -> None:
    sign_up(alias, email=MAIL)
    confirm(alias, ForceAliasCreation=True)
    plain = Wire(alias.cognito.create_pool(auto_verified_attributes=["email"]))
    plain.pool.add_user("bob", PASSWORD, email=MAIL)
    sign_up(plain, email=MAIL)
    confirm(plain, ForceAliasCreation=True)

    assert is_known(alias, MAIL)
    assert plain.pool.user("bob").attributes["email_verified"] == "true"


def test_pre_sign_up_that_verifies_takes_the_alias_over(alias: Wire) -> None:
    def verify(event: Any) -> Any:
        event["response"] |= {"autoConfirmUser": True, "autoVerifyEmail": True}
        return event

    alias.pool.add_user("bob", PASSWORD, email=MAIL)
    alias.pool.triggers["PreSignUp"] = verify
    sign_up(alias, email=MAIL)

    assert alias.pool.user(MAIL).username == "al"


@pytest.mark.parametrize(
    ("key", "missing"), [("autoVerifyEmail", "email"), ("autoVerifyPhone", "phone_number")]
)
def test_pre_sign_up_that_verifies_a_missing_address_is_refused(alias: Wire, key: str, missing: str) -> None:
    def verify(event: Any) -> Any:
        event["response"] |= {"autoConfirmUser": True, "autoVerifyEmail": True, "autoVerifyPhone": True}
        return event

    alias.pool.add_user("bob", PASSWORD, email=MAIL, phone_number=NUMBER)
    alias.pool.triggers["PreSignUp"] = verify
    given = {"email": MAIL, "phone_number": NUMBER}
    del given[missing]
    refused = refusal(lambda: sign_up(alias, **given))

    text = f"PreSignUp returned {key} for a user without {missing}."
    assert refused == ("InvalidLambdaResponseException", text)
    assert all(alias.pool.user(address).username == "bob" for address in given.values())
    assert not is_known(alias, "al")


def test_preferred_user_name_as_alias_is_refused_at_sign_up(alias: Wire, wire: Wire) -> None:
    assert refusal(lambda: sign_up(alias, preferred_username="ally"))[0] == INVALID
    sign_up(wire, preferred_username="ally")


# -- what may be said at a sign-up --


def test_verified_attributes_are_refused_at_sign_up(alias: Wire) -> None:
    for name in ("email_verified", "phone_number_verified"):
        refused = refusal(partial(sign_up, alias, email=MAIL, **{name: "true"}))
        assert refused == ("NotAuthorizedException", "A client attempted to write unauthorized attribute")


def test_write_attributes_limit_the_sign_up(wire: Wire) -> None:
    limited = Wire(wire.pool, wire.pool.app_client(write_attributes=["email"]).client_id)

    assert refusal(lambda: sign_up(limited, nickname="Al"))[0] == "NotAuthorizedException"
    sign_up(limited, email=MAIL)


def test_sub_is_refused_at_sign_up(wire: Wire) -> None:
    text = "Cannot modify the non-mutable attribute sub"

    assert refusal(lambda: sign_up(wire, sub="me")) == (INVALID, text)


def test_missing_required_attribute_is_refused_at_sign_up(cognito: LocalCognito) -> None:
    wire = Wire(cognito.create_pool(schema=[{"Name": "nickname", "Required": True}]))
    text = "Attributes did not conform to the schema: nickname: The attribute is required"

    assert refusal(lambda: sign_up(wire)) == (INVALID, text)
    assert refusal(lambda: sign_up(wire, nickname="")) == (INVALID, text)
    sign_up(wire, nickname="Al")


@pytest.mark.parametrize(
    ("factor", "attribute", "address"),
    [("EMAIL_OTP", "email", MAIL), ("SMS_OTP", "phone_number", "+31612345678")],
)
@pytest.mark.parametrize("password", [{}, {"Password": ""}], ids=["absent", "blank"])
def test_password_is_optional_where_a_one_time_password_can_be_sent(
    cognito: LocalCognito, factor: str, attribute: str, address: str, password: dict[str, str]
) -> None:
    policies = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", factor]}}
    missing = (INVALID, "Missing required parameter Password")
    attributes = [{"Name": attribute, "Value": address}]

    def attempt(name: str, given: list[Any], **members: Any) -> Any:
        pool = cognito.create_pool(**members)
        return cognito.client().sign_up(  # type: ignore[attr-defined]  # a boto3 client
            ClientId=pool.app.client_id, Username=name, UserAttributes=given, **password
        )

    verified = {"auto_verified_attributes": [attribute]}
    assert refusal(lambda: attempt("al", attributes, **verified)) == missing
    assert refusal(lambda: attempt("al", attributes, policies=policies)) == missing
    assert refusal(lambda: attempt("al", [], policies=policies, **verified)) == missing
    assert attempt("al", attributes, policies=policies, **verified)["CodeDeliveryDetails"]


def test_sign_up_is_refused_with_allow_admin_create_user_only(cognito: LocalCognito) -> None:
    wire = Wire(cognito.create_pool(admin_create_user_config={"AllowAdminCreateUserOnly": True}))
    text = "SignUp is not permitted for this user pool"

    assert refusal(lambda: sign_up(wire)) == ("NotAuthorizedException", text)


def test_pre_sign_up_and_post_confirmation_run_for_a_new_user(wire: Wire) -> None:
    seen: list[tuple[str, Any]] = []

    def note(event: Any) -> Any:
        seen.append((event["triggerSource"], event["request"]))
        event["response"] |= {"autoConfirmUser": True} if "PreSignUp" in event["triggerSource"] else {}
        return event

    wire.pool.triggers.update(PreSignUp=note, PostConfirmation=note)
    wire.api.sign_up(
        ClientId=wire.client_id,
        Username="al",
        Password=PASSWORD,
        ValidationData=[{"Name": "invitation", "Value": "42"}],
        ClientMetadata={"shop": "1"},
    )
    (first, asked), (second, shown) = seen

    assert (first, second) == ("PreSignUp_SignUp", "PostConfirmation_ConfirmSignUp")
    assert asked["validationData"] == {"invitation": "42"}
    assert asked["clientMetadata"] == shown["clientMetadata"] == {"shop": "1"}
    assert shown["userAttributes"]["cognito:user_status"] == "CONFIRMED"


# -- codes --


def test_code_sent_again_replaces_the_first_and_expires_after_a_day(alias: Wire) -> None:
    sign_up(alias, email=MAIL)
    old = alias.pool.last_code("al")
    details = resend(alias)["CodeDeliveryDetails"]

    assert details == {"Destination": "a***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"}
    if old != alias.pool.last_code("al"):  # one in a million is the same
        assert refusal(lambda: confirm(alias, old))[0] == "CodeMismatchException"
    alias.cognito.clock.advance(86400)
    assert refusal(lambda: confirm(alias)) == EXPIRED
    resend(alias)
    alias.cognito.clock.advance(86399)
    confirm(alias)
    assert alias.pool.user("al").codes == {}
    assert refusal(lambda: resend(alias)) == (INVALID, "User is already confirmed.")


def test_code_is_sent_only_with_auto_verified_attributes(wire: Wire) -> None:
    sign_up(wire, email=MAIL)
    text = "Cannot resend codes. Auto verification not turned on."

    assert refusal(lambda: resend(wire)) == (INVALID, text)


def test_code_for_a_changed_address_is_refused(alias: Wire) -> None:
    sign_up(alias, email=MAIL)
    alias.api.admin_update_user_attributes(
        UserPoolId=alias.pool.id,
        Username="al",
        UserAttributes=[{"Name": "email", "Value": "other@example.com"}],
    )

    assert refusal(lambda: confirm(alias)) == EXPIRED


def test_resend_answers_unknown_users_alike_where_they_are_hidden(alias: Wire) -> None:
    hiding = Wire(alias.pool, alias.pool.app_client(prevent_user_existence_errors="ENABLED").client_id)
    sign_up(alias, email=MAIL)
    real, simulated = (resend(hiding, name)["CodeDeliveryDetails"] for name in ("al", "unknown"))

    assert set(simulated) == set(real)
    assert simulated == resend(hiding, "unknown")["CodeDeliveryDetails"]
    assert (simulated["DeliveryMedium"], simulated["AttributeName"]) == ("EMAIL", "email")
    assert [message.username for message in alias.cognito.outbox] == ["al", "al"]
    text = "Username/client id combination not found."
    assert refusal(lambda: resend(alias, "unknown")) == ("UserNotFoundException", text)


@pytest.mark.parametrize("name", ["al", "unknown"])
def test_sixth_confirmation_code_in_an_hour_is_refused(alias: Wire, name: str) -> None:
    hiding = Wire(alias.pool, alias.pool.app_client(prevent_user_existence_errors="ENABLED").client_id)
    sign_up(alias, email=MAIL)
    sign_up(alias, "bo", email="bo@example.com")
    for _ in range(5):
        resend(hiding, name)

    assert refusal(lambda: resend(hiding, name)) == LIMIT
    resend(hiding, "bo")
    alias.cognito.clock.advance(3599)
    assert refusal(lambda: resend(hiding, name)) == LIMIT
    alias.cognito.clock.advance(1)
    resend(hiding, name)


def test_sixteenth_confirmation_attempt_in_an_hour_is_refused(alias: Wire) -> None:
    sign_up(alias, email=MAIL)
    for _ in range(15):
        assert refusal(lambda: confirm(alias, "wrong"))[0] == "CodeMismatchException"

    assert refusal(lambda: confirm(alias)) == LIMIT
    alias.cognito.clock.advance(3600)
    confirm(alias)


# -- the end of a user --


@pytest.mark.parametrize("by", ["himself", "an administrator"])
def test_sessions_and_tokens_of_a_deleted_user_are_refused_for_the_next_user_of_the_name(
    totp_wire: Wire, by: str
) -> None:
    step = totp_wire.password()
    opened, code = totp_wire.password(), totp_wire.pool.totp("alice")
    tokens = totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code)["AuthenticationResult"]
    if by == "himself":
        totp_wire.api.delete_user(AccessToken=tokens["AccessToken"])
    else:
        totp_wire.api.admin_delete_user(UserPoolId=totp_wire.pool.id, Username="alice")
    new = totp_wire.pool.add_user("alice", totp=True)
    refused = [
        refusal(lambda: totp_wire.answer(opened, SOFTWARE_TOKEN_MFA_CODE=totp_wire.pool.totp("alice"))),
        refusal(lambda: totp_wire.api.get_user(AccessToken=tokens["AccessToken"])),
        refusal(lambda: totp_wire.start("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=tokens["RefreshToken"])),
    ]

    assert new.totp_secret
    assert refused == [
        ("NotAuthorizedException", "Invalid session for the user."),
        ("UserNotFoundException", "User does not exist."),
        ("NotAuthorizedException", "Invalid Refresh Token."),
    ]


@pytest.mark.parametrize("configured", [False, True])
def test_confirmation_without_a_session_answers_with_one_where_the_pool_is_configured_so(
    cognito: LocalCognito, configured: bool
) -> None:
    wire = Wire(cognito.create_pool(auto_verified_attributes=["email"]))
    wire.pool.configure(confirmation_session=configured)
    email = [{"Name": "email", "Value": "carol@example.com"}]
    wire.api.sign_up(ClientId=wire.client_id, Username="carol", Password=PASSWORD, UserAttributes=email)
    code = wire.pool.last_code("carol")
    confirmed = wire.api.confirm_sign_up(ClientId=wire.client_id, Username="carol", ConfirmationCode=code)

    assert ("Session" in confirmed) is configured
    if configured:
        signed_in = wire.api.initiate_auth(
            ClientId=wire.client_id,
            AuthFlow="USER_AUTH",
            AuthParameters={"USERNAME": "carol"},
            Session=confirmed["Session"],
        )
        assert "AuthenticationResult" in signed_in
