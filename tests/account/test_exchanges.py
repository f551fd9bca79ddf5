"""The exchanges of accounts by hand: what they call, with no driver and no service."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, TypeVar

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_flow import (
    AppClient,
    CodeDelivery,
    Device,
    InvalidInput,
    MemoryDeviceStore,
    MfaType,
    Tokens,
    UnexpectedResponse,
    UsageError,
    UserContext,
    WrongCode,
)
from cognito_flow._exchange import Call, Exchange, Response
from cognito_flow._turn import Settings, Turn
from cognito_flow.account import _exchanges as account
from cognito_flow.errors import CognitoFlowError
from cognito_flow.models import Event
from tests.support.contract import check_call

T = TypeVar("T")

APP = AppClient("eu-west-1_abc", "client", "s" * 30)
PASSWORD, SESSION = "Correct horse 1", "s" * 20
TOKENS = Tokens(
    "access-token",
    None,
    None,
    datetime(2030, 1, 1, tzinfo=UTC),
    username="alice",
    device_key="eu-west-1_0a-1",
)
TOKEN = {"AccessToken": TOKENS.access_token}
DELIVERY = {"DeliveryMedium": "EMAIL", "Destination": "a***@e***", "AttributeName": "email"}
DELIVERED = CodeDelivery("EMAIL", "a***@e***", "email")
CREDENTIAL: dict[str, object] = {
    "id": "aWQ",
    "rawId": "aWQ",
    "type": "public-key",
    "clientExtensionResults": {},
    "response": {"clientDataJSON": "e30", "attestationObject": "oA"},
}


def play(exchange: Exchange[T], *answers: Mapping[str, object] | CognitoFlowError) -> tuple[list[Call], T]:
    """Run an exchange with these answers: what it called, each call checked, and what it returned."""
    calls = []
    try:
        calls.append(check_call(next(exchange)))
        for answer in answers:
            if isinstance(answer, CognitoFlowError):
                calls.append(check_call(exchange.throw(answer)))
            else:
                calls.append(check_call(exchange.send(Response(answer))))
    except StopIteration as stop:
        assert len(calls) == len(answers)
        return calls, stop.value
    raise AssertionError(f"it still waits for the answer to {calls[-1]}")


def visitor(username: str = "alice", **options: Any) -> Turn:
    """A turn of somebody who is not signed in."""
    return Turn(settings=Settings(**{"app": APP, **options}), username=username)


def person(tokens: Tokens = TOKENS, **options: Any) -> account.Person:
    """Somebody who is signed in."""
    return account.Person(Settings(**{"app": APP, **options}), tokens)


# -- not signed in --


def test_a_sign_up_sends_what_was_given() -> None:
    """Attributes and validation data as lists of names and values, the hash over the name beside it."""
    exchange = account.sign_up(visitor(), PASSWORD, {"email": "a@example.com", "custom:x": ""}, {"v": "1"})

    calls, signed_up = play(
        exchange,
        {"UserSub": "sub", "UserConfirmed": False, "CodeDeliveryDetails": DELIVERY, "Session": SESSION},
    )

    assert [call.operation for call in calls] == ["SignUp"]
    assert calls[0].parameters == {
        "ClientId": "client",
        "Username": "alice",
        "SecretHash": APP.secret_hash("alice"),
        "Password": PASSWORD,
        "UserAttributes": [{"Name": "email", "Value": "a@example.com"}, {"Name": "custom:x", "Value": ""}],
        "ValidationData": [{"Name": "v", "Value": "1"}],
    }
    assert (signed_up.username, signed_up.user_sub, signed_up.confirmed) == ("alice", "sub", False)
    assert (signed_up.delivery, signed_up.session) == (DELIVERED, SESSION)


def test_a_sign_up_sends_nothing_that_was_not_given() -> None:
    """A passwordless sign-up through a client without a secret is a name and a client."""
    app = AppClient("eu-west-1_abc", "client")

    calls, signed_up = play(
        account.sign_up(visitor(app=app), None, None, None), {"UserSub": "sub", "UserConfirmed": True}
    )

    assert calls[0].parameters == {"ClientId": "client", "Username": "alice"}
    assert (signed_up.confirmed, signed_up.delivery, signed_up.session) == (True, None, None)


VISITS: dict[str, Any] = {
    "SignUp": lambda turn: account.sign_up(turn, PASSWORD, None, None),
    "ConfirmSignUp": lambda turn: account.confirm_sign_up(turn, "123456", None, False),
    "ResendConfirmationCode": account.resend_code,
    "ForgotPassword": account.forgot_password,
    "ConfirmForgotPassword": lambda turn: account.confirm_forgot_password(turn, "123456", PASSWORD),
}


@pytest.mark.parametrize("operation", VISITS)
@pytest.mark.parametrize("admin", [False, True])
def test_every_call_of_a_visitor_carries_the_settings(operation: str, admin: bool) -> None:
    """Metadata, context and analytics; and there is no Admin form, whatever the flow is."""
    context = UserContext("192.0.2.1", "encoded", server_name="s", server_path="/")
    turn = visitor("bob", admin=admin, metadata={"a": "1"}, context=context, analytics_endpoint_id="endpoint")

    call = check_call(next(VISITS[operation](turn)))

    assert call.operation == operation
    assert {
        "ClientId": "client",
        "Username": "bob",
        "SecretHash": APP.secret_hash("bob"),
        "ClientMetadata": {"a": "1"},
        "AnalyticsMetadata": {"AnalyticsEndpointId": "endpoint"},
        "UserContextData": {"IpAddress": "192.0.2.1", "EncodedData": "encoded"},
    }.items() <= dict(call.parameters).items()


@pytest.mark.parametrize("operation", VISITS)
def test_no_call_is_made_for_nobody(operation: str) -> None:
    """An empty name is a mistake of the page."""
    with pytest.raises(InvalidInput, match="user name is empty"):
        next(VISITS[operation](visitor("")))


def test_a_confirmation_hands_on_the_session() -> None:
    """So that the sign-in which follows asks nothing."""
    exchange = account.confirm_sign_up(visitor(), " 123 456 ", SESSION, True)

    calls, session = play(exchange, {"Session": "t" * 20})

    assert {"ConfirmationCode": "123456", "Session": SESSION, "ForceAliasCreation": True}.items() <= dict(
        calls[0].parameters
    ).items()
    assert session == "t" * 20


def test_a_confirmation_alone_gives_no_session() -> None:
    """There is none to hand on, and no alias to take away."""
    calls, session = play(account.confirm_sign_up(visitor(), "123456", None, False), {})

    assert {"ForceAliasCreation", "Session"}.isdisjoint(calls[0].parameters)
    assert session is None


def test_a_forgotten_password_is_set_with_the_code() -> None:
    """Both go in one call."""
    calls, _ = play(account.confirm_forgot_password(visitor(), "12 34 56", PASSWORD), {})

    assert (calls[0].parameters["ConfirmationCode"], calls[0].parameters["Password"]) == ("123456", PASSWORD)


@pytest.mark.parametrize("operation", ["ForgotPassword", "ResendConfirmationCode"])
def test_it_is_told_where_a_code_was_sent(operation: str) -> None:
    """As far as Cognito tells it."""
    assert play(VISITS[operation](visitor()), {"CodeDeliveryDetails": DELIVERY})[1] == DELIVERED
    assert play(VISITS[operation](visitor()), {"CodeDeliveryDetails": {}})[1] == CodeDelivery(
        None, None, None
    )
    with pytest.raises(UnexpectedResponse, match="CodeDeliveryDetails"):
        play(VISITS[operation](visitor()), {})


def test_a_sign_up_without_an_id_is_told() -> None:
    """Never a KeyError."""
    with pytest.raises(UnexpectedResponse, match="UserSub"):
        play(account.sign_up(visitor(), None, None, None), {"UserConfirmed": True})


BAD: Any = 7


@pytest.mark.parametrize(
    ("exchange", "told"),
    [
        (account.sign_up(visitor(), "", None, None), "the password is empty"),
        (account.sign_up(visitor(), None, {"": "x"}, None), "the name of an attribute is empty"),
        (account.sign_up(visitor(), None, {"email": BAD}, None), "the value of email must be a str, not int"),
        (
            account.sign_up(visitor(), None, None, {"": "x"}),
            "the name of an item of validation data is empty",
        ),
        (account.confirm_sign_up(visitor(), "  ", None, False), "the code is empty"),
        (account.confirm_sign_up(visitor(), "1", "", False), "the session is empty"),
        (account.confirm_forgot_password(visitor(), "", PASSWORD), "the code is empty"),
        (account.confirm_forgot_password(visitor(), "1", ""), "the new password is empty"),
        (person().update_attributes({"name": "\ud800"}), "the value of name contains a lone surrogate"),
        (person().delete_attributes([""]), "the name of an attribute is empty"),
        (person().send_attribute_code(""), "the name of the attribute is empty"),
        (person().verify_attribute("", "1"), "the name of the attribute is empty"),
        (person().verify_attribute("email", ""), "the code is empty"),
        (person().change_password("", "x"), "the previous password is empty"),
        (person().change_password(None, ""), "the new password is empty"),
        (person().confirm_totp("123456", "", True), "the device name is empty"),
        (person().set_mfa([BAD], None), "7 is no second factor"),
        (person().set_mfa([], MfaType.SMS_MFA), "SMS_MFA is preferred, but not among those"),
        (person().finish_passkey("{}"), "no member 'response'"),
        (person().finish_passkey({**CREDENTIAL, "id": ""}), "no member 'id'"),
        (
            person().finish_passkey({**CREDENTIAL, "response": {"clientDataJSON": "e30", "signature": "s"}}),
            "no member 'attestationObject': it must be a credential of navigator.credentials.create",
        ),
        (person().delete_passkey(""), "the id of the passkey is empty"),
        (person().forget_device(""), "the device key is empty"),
        (person(attrs.evolve(TOKENS, device_key=None)).remember_device(None), "no device took part"),
    ],
)
def test_what_cannot_be_meant_is_not_sent(exchange: Exchange[object], told: str) -> None:
    """The message says what is wrong."""
    with pytest.raises((InvalidInput, UsageError)) as caught:
        next(exchange)

    assert told in str(caught.value)


@given(st.text(st.characters(exclude_categories=())))
def test_any_password_is_sent_as_it_is_or_not_at_all(password: str) -> None:
    """Nothing is cut off, and nothing of it is in an error."""
    exchange = account.sign_up(visitor(), password, None, None)

    if password and password == password.encode(errors="replace").decode():
        assert next(exchange).parameters["Password"] == password
    else:
        with pytest.raises(
            InvalidInput, match=r"^the password (is empty|contains a lone surrogate[\w :-]+)$"
        ):
            next(exchange)


# -- signed in --


def test_a_profile_is_read() -> None:
    """What is left out is none, and what is unknown stays a name."""
    attributes = [{"Name": "email", "Value": "a@example.com"}, {"Name": "name"}]
    full = {
        "Username": "alice",
        "UserAttributes": [*attributes, {"Name": "email_verified", "Value": "True"}],
        "UserMFASettingList": ["SOFTWARE_TOKEN_MFA", "NEW_MFA"],
        "PreferredMfaSetting": "SOFTWARE_TOKEN_MFA",
    }

    calls, profile = play(person().user(), full)
    bare = play(person().user(), {"Username": "alice", "PreferredMfaSetting": ""})[1]

    assert calls == [Call("GetUser", TOKEN)]
    assert profile.attributes == {"email": "a@example.com", "name": "", "email_verified": "True"}
    assert profile.enabled_mfa == (MfaType.SOFTWARE_TOKEN_MFA, "NEW_MFA")
    assert profile.preferred_mfa is MfaType.SOFTWARE_TOKEN_MFA
    assert (profile.is_verified("email"), profile.is_verified("phone_number")) == (True, False)
    assert (bare.attributes, bare.enabled_mfa, bare.preferred_mfa) == ({}, (), None)


@pytest.mark.parametrize("broken", [{}, {"Username": "alice", "UserAttributes": [{"Value": "x"}]}])
def test_a_profile_that_lacks_a_name_is_told(broken: Mapping[str, object]) -> None:
    """The user's, or an attribute's."""
    with pytest.raises(UnexpectedResponse, match=r"Cognito answered without (Username|Name)"):
        play(person().user(), broken)


def test_changed_attributes_tell_where_codes_were_sent() -> None:
    """One for each address that must be verified."""
    exchange = person(metadata={"call": "2"}).update_attributes({"email": "b@example.com"})

    calls, deliveries = play(exchange, {"CodeDeliveryDetailsList": [DELIVERY]})

    changed = [{"Name": "email", "Value": "b@example.com"}]
    expected = {**TOKEN, "UserAttributes": changed, "ClientMetadata": {"call": "2"}}
    assert calls == [Call("UpdateUserAttributes", expected)]
    assert deliveries == (DELIVERED,)
    assert play(person().update_attributes({"name": "B"}), {})[1] == ()


def test_an_attribute_is_verified_with_a_code() -> None:
    """The code is asked for, with the flow's metadata, and sent back."""
    asked, delivery = play(
        person(metadata={"flow": "1"}).send_attribute_code("email"), {"CodeDeliveryDetails": DELIVERY}
    )
    confirmed, _ = play(person().verify_attribute("email", "123 456"), {})

    expected = {**TOKEN, "AttributeName": "email", "ClientMetadata": {"flow": "1"}}
    assert asked == [Call("GetUserAttributeVerificationCode", expected)]
    assert delivery == DELIVERED
    assert confirmed == [Call("VerifyUserAttribute", {**TOKEN, "AttributeName": "email", "Code": "123456"})]


def test_attributes_are_deleted_by_name() -> None:
    """Several in one call."""
    calls, _ = play(person().delete_attributes(name for name in ("name", "custom:x")), {})

    assert calls == [Call("DeleteUserAttributes", {**TOKEN, "UserAttributeNames": ["name", "custom:x"]})]


def test_a_previous_password_is_sent_by_those_who_have_one() -> None:
    """People who came without a password have none."""
    changed, _ = play(person().change_password(PASSWORD, "Battery staple 2"), {})
    first, _ = play(person().change_password(None, PASSWORD), {})

    sent = {**TOKEN, "ProposedPassword": "Battery staple 2", "PreviousPassword": PASSWORD}
    assert changed == [Call("ChangePassword", sent)]
    assert first == [Call("ChangePassword", {**TOKEN, "ProposedPassword": PASSWORD})]


def test_an_authenticator_app_is_verified_then_switched_on() -> None:
    """Verified alone, a sign-in would not ask for it."""
    begun, secret = play(person().associate_totp(), {"SecretCode": "SECRET"})
    confirmed, _ = play(person().confirm_totp("123 456", "phone", False), {"Status": "SUCCESS"}, {})

    assert (begun, secret) == ([Call("AssociateSoftwareToken", TOKEN)], "SECRET")
    assert confirmed == [
        Call("VerifySoftwareToken", {**TOKEN, "UserCode": "123456", "FriendlyDeviceName": "phone"}),
        Call(
            "SetUserMFAPreference",
            {**TOKEN, "SoftwareTokenMfaSettings": {"Enabled": True, "PreferredMfa": False}},
        ),
    ]


def test_a_wrong_first_code_switches_nothing_on() -> None:
    """Whether Cognito says so by an error or by a status."""
    with pytest.raises(WrongCode):
        play(person().confirm_totp("123456", None, True), WrongCode("no"))
    with pytest.raises(WrongCode, match="could not verify"):
        play(person().confirm_totp("123456", None, True), {"Status": "ERROR"})
    with pytest.raises(WrongCode, match="six digits"):
        next(person().confirm_totp("12345", None, True))


def test_an_authenticator_app_without_a_secret_is_told() -> None:
    """There is nothing to show."""
    with pytest.raises(UnexpectedResponse, match="SecretCode"):
        play(person().associate_totp(), {})


ON, OFF = {"Enabled": True, "PreferredMfa": False}, {"Enabled": False, "PreferredMfa": False}
PREFERRED = {"Enabled": True, "PreferredMfa": True}


@pytest.mark.parametrize(
    ("had", "enabled", "preferred", "sent"),
    [
        ([], [MfaType.SMS_MFA], MfaType.SMS_MFA, {"SMSMfaSettings": PREFERRED}),
        (["SMS_MFA", "EMAIL_OTP"], [], None, {"SMSMfaSettings": OFF, "EmailMfaSettings": OFF}),
        (
            ["SMS_MFA", "NEW_MFA"],
            [MfaType.EMAIL_OTP, MfaType.SOFTWARE_TOKEN_MFA],
            MfaType.EMAIL_OTP,
            {"SMSMfaSettings": OFF, "EmailMfaSettings": PREFERRED, "SoftwareTokenMfaSettings": ON},
        ),
    ],
)
def test_factors_are_set_as_they_shall_be(
    had: list[str], enabled: list[MfaType], preferred: MfaType | None, sent: Mapping[str, object]
) -> None:
    """Those that are on and shall not be are switched off; no other one is mentioned."""
    calls, _ = play(
        person().set_mfa(iter(enabled), preferred), {"Username": "alice", "UserMFASettingList": had}, {}
    )

    assert calls == [Call("GetUser", TOKEN), Call("SetUserMFAPreference", {**TOKEN, **sent})]


def test_nothing_is_set_where_nothing_changes() -> None:
    """No factor is on, and none shall be."""
    calls, _ = play(person().set_mfa([], None), {"Username": "alice"})

    assert [call.operation for call in calls] == ["GetUser"]


def test_a_passkey_is_registered_as_json() -> None:
    """The options come as a document, and the credential goes as one, from text or from a mapping."""
    begun, options = play(person().start_passkey(), {"CredentialCreationOptions": {"challenge": "c"}})
    from_mapping, _ = play(person().finish_passkey(CREDENTIAL), {})
    from_text, _ = play(person().finish_passkey(json.dumps(CREDENTIAL)), {})

    assert (begun, options) == ([Call("StartWebAuthnRegistration", TOKEN)], {"challenge": "c"})
    assert from_mapping == from_text
    assert from_text == [Call("CompleteWebAuthnRegistration", {**TOKEN, "Credential": CREDENTIAL})]


def test_a_registration_without_options_is_told() -> None:
    """There is nothing to hand to the browser."""
    with pytest.raises(UnexpectedResponse, match="CredentialCreationOptions"):
        play(person().start_passkey(), {})


def test_all_passkeys_are_listed() -> None:
    """Page after page; moments are in UTC."""
    created = datetime(2030, 1, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    first = {
        "CredentialId": "1",
        "FriendlyCredentialName": "Key",
        "RelyingPartyId": "example.com",
        "AuthenticatorAttachment": "platform",
        "AuthenticatorTransports": ["internal", "hybrid"],
        "CreatedAt": created,
    }

    calls, found = play(
        person().passkeys(),
        {"Credentials": [first], "NextToken": "2"},
        {"Credentials": [], "NextToken": "3"},
        {"Credentials": [{"CredentialId": "2"}]},
    )

    assert [call.operation for call in calls] == ["ListWebAuthnCredentials"] * 3
    assert [call.parameters.get("NextToken") for call in calls] == [None, "2", "3"]
    assert [passkey.credential_id for passkey in found] == ["1", "2"]
    assert (found[0].name, found[0].relying_party_id, found[0].attachment) == (
        "Key",
        "example.com",
        "platform",
    )
    assert (found[0].transports, found[0].created_at) == (("internal", "hybrid"), created)
    assert found[0].created_at is not None
    assert found[0].created_at.tzinfo is UTC
    assert (found[1].name, found[1].transports, found[1].created_at) == (None, (), None)


def test_a_list_that_begins_again_has_an_end() -> None:
    """A token that leads to itself would never end."""
    page = {"Devices": [{"DeviceKey": "1"}], "PaginationToken": "again"}

    calls, found = play(person().devices(), page, page)

    assert [call.parameters for call in calls] == [
        {**TOKEN, "Limit": 60},
        {**TOKEN, "Limit": 60, "PaginationToken": "again"},
    ]
    assert len(found) == 2


def test_a_device_is_read() -> None:
    """Its name is one of its attributes."""
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    device = {
        "DeviceKey": "key",
        "DeviceAttributes": [{"Name": "device_name", "Value": "laptop"}],
        "DeviceCreateDate": moment,
        "DeviceLastModifiedDate": moment + timedelta(1),
        "DeviceLastAuthenticatedDate": moment + timedelta(2),
    }

    (read,) = play(person().devices(), {"Devices": [device]})[1]

    assert (read.key, read.name, read.attributes) == ("key", "laptop", {"device_name": "laptop"})
    moments = (read.created_at, read.modified_at, read.authenticated_at)
    assert moments == tuple(moment + timedelta(days) for days in range(3))


@pytest.mark.parametrize(("given_key", "sent"), [(None, TOKENS.device_key), ("other", "other")])
def test_the_device_of_the_sign_in_is_meant_unless_another_one_is_named(
    given_key: str | None, sent: str
) -> None:
    """To remember it, and to forget it."""
    remembered, _ = play(person().remember_device(given_key), {})
    forgotten, _ = play(person().forget_device(given_key), {})

    assert remembered == [
        Call("UpdateDeviceStatus", {**TOKEN, "DeviceKey": sent, "DeviceRememberedStatus": "remembered"})
    ]
    assert forgotten == [Call("ForgetDevice", {**TOKEN, "DeviceKey": sent})]


def store_with_a_device(key: str) -> MemoryDeviceStore:
    """A store that holds a device of alice's."""
    store = MemoryDeviceStore()
    store.put(APP, "alice", Device(key, "group", "secret"))
    return store


def test_a_forgotten_device_is_not_kept() -> None:
    """Else the next sign-in would name it, in vain."""
    events: list[Event] = []
    store = store_with_a_device("eu-west-1_0a-1")

    play(person(devices=store, on_event=events.append).forget_device(None), {})

    assert store.get(APP, "alice") is None
    assert [event.kind for event in events] == ["device_forgotten"]


def test_another_device_is_kept() -> None:
    """Only one was forgotten; and none, if Cognito did not forget it."""
    store = store_with_a_device("another")
    play(person(devices=store).forget_device(None), {})
    with pytest.raises(CognitoFlowError):
        play(person(devices=store).forget_device("another"), CognitoFlowError("no"))

    assert store.get(APP, "alice") is not None


def test_the_device_goes_with_the_user() -> None:
    """Another user of the same name would not have it."""
    store = store_with_a_device("another")

    calls, _ = play(person(devices=store).delete_user(), {})

    assert calls == [Call("DeleteUser", TOKEN)]
    assert store.get(APP, "alice") is None


def test_signing_out_and_deleting_passkeys_need_no_more_than_the_token() -> None:
    """And the passkey's id."""
    assert play(person().sign_out_everywhere(), {})[0] == [Call("GlobalSignOut", TOKEN)]
    assert play(person().delete_passkey("id"), {})[0] == [
        Call("DeleteWebAuthnCredential", {**TOKEN, "CredentialId": "id"})
    ]


def test_no_secret_is_in_a_repr() -> None:
    """Of a person, a sign-up, a profile, a device."""
    signed_up = play(account.sign_up(visitor(), None, None, None), {"UserSub": "s", "Session": SESSION})[1]
    profile = play(
        person().user(), {"Username": "a", "UserAttributes": [{"Name": "email", "Value": "a@example.com"}]}
    )[1]

    shown = repr([person(), signed_up, profile])

    assert [
        secret for secret in (TOKENS.access_token, SESSION, APP.client_secret) if str(secret) in shown
    ] == []
    assert "a@example.com" not in shown
