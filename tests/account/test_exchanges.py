"""The exchanges of a signed-in user, run by hand: what they call, without driver or service."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import pytest

from cognito_flow import (
    Device,
    FirstFactor,
    InvalidInput,
    MemoryStore,
    MfaType,
    Tokens,
    UnexpectedResponse,
    UsageError,
    WrongCode,
)
from cognito_flow._exchange import Call, Exchange, Wait
from cognito_flow._turn import Settings
from cognito_flow.account._exchanges import AccountExchanges, authorized
from cognito_flow.errors import CognitoFlowError
from tests.account.exchanges import APP, DELIVERED, DELIVERY, PASSWORD, TOKENS, run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cognito_flow.models import Event

T = TypeVar("T")

TOKEN = {"AccessToken": TOKENS.access_token}
CREDENTIAL: dict[str, object] = {
    "id": "aWQ",
    "rawId": "aWQ",
    "type": "public-key",
    "clientExtensionResults": {},
    "response": {"clientDataJSON": "e30", "attestationObject": "oA"},
}


def account(tokens: Tokens = TOKENS, **settings: Any) -> AccountExchanges:
    """The exchanges of alice."""
    return AccountExchanges(Settings(**{"app": APP, **settings}), tokens)


NO_CHANGE: dict[str, Any] = {"enabled": (), "disabled": (), "preferred": None}


def set_mfa(**arguments: Any) -> Exchange[None]:
    """The exchange of `Account.set_mfa`, with its defaults."""
    return account().set_mfa(**{**NO_CHANGE, **arguments})


def play(exchange: Exchange[T], *answers: Mapping[str, object] | CognitoFlowError) -> tuple[list[Call], T]:
    """Run an exchange with alice's access token."""
    return run(authorized(exchange, TOKENS.access_token), *answers)


# -- the access token --


def test_access_token_is_added_to_each_call() -> None:
    calls, _ = play(set_mfa(enabled=MfaType.SMS_MFA), {"Username": "alice"}, {})

    assert [call.parameters["AccessToken"] for call in calls] == ["access-token", "access-token"]


def test_error_of_an_authorized_call_reaches_the_exchange() -> None:
    def two_calls() -> Exchange[str]:
        try:
            yield Call("GetUser", {})
        except WrongCode:
            yield Call("GlobalSignOut", {})
        return "done"

    assert play(two_calls(), WrongCode("no"), {}) == (
        [Call("GetUser", TOKEN), Call("GlobalSignOut", TOKEN)],
        "done",
    )


def test_wait_of_an_exchange_goes_to_the_driver_unchanged() -> None:
    wait: Wait[object] = Wait(asyncio.sleep(0))

    def waiting() -> Exchange[str]:
        yield wait
        return "done"

    exchange = authorized(waiting(), TOKENS.access_token)

    assert next(exchange) is wait
    with pytest.raises(StopIteration) as stop:
        next(exchange)
    assert stop.value.value == "done"
    asyncio.run(wait.run())


# -- profile --


def test_profile_is_read() -> None:
    attributes = [{"Name": "email", "Value": "a@example.com"}, {"Name": "name"}]
    data = {
        "Username": "alice",
        "UserAttributes": [*attributes, {"Name": "email_verified", "Value": "True"}],
        "UserMFASettingList": ["SOFTWARE_TOKEN_MFA", "NEW_MFA"],
        "PreferredMfaSetting": "SOFTWARE_TOKEN_MFA",
    }

    calls, profile = play(account().profile(), data)

    assert calls == [Call("GetUser", TOKEN)]
    assert profile.attributes == {"email": "a@example.com", "name": "", "email_verified": "True"}
    assert profile.enabled_mfa == (MfaType.SOFTWARE_TOKEN_MFA, "NEW_MFA")
    assert profile.preferred_mfa is MfaType.SOFTWARE_TOKEN_MFA
    assert (profile.is_verified("email"), profile.is_verified("phone_number")) == (True, False)


@pytest.mark.parametrize(
    "data",
    [
        {"Username": "alice", "PreferredMfaSetting": ""},
        {
            "Username": "alice",
            "PreferredMfaSetting": None,
            "UserAttributes": None,
            "UserMFASettingList": [None, 7, "\ud800"],
        },
    ],
)
def test_profile_with_missing_or_null_members_is_empty(data: Mapping[str, object]) -> None:
    profile = play(account().profile(), data)[1]

    assert (profile.attributes, profile.enabled_mfa, profile.preferred_mfa) == ({}, (), None)


def test_attribute_with_a_null_value_is_empty_and_never_the_text_none() -> None:
    data = {"Username": "alice", "UserAttributes": [{"Name": "name", "Value": None}]}

    assert play(account().profile(), data)[1].attributes == {"name": ""}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "without Username"),
        ({"Username": None}, "without Username"),
        ({"Username": "\ud800"}, "Username with a lone surrogate"),
        ({"Username": "alice", "UserAttributes": [{"Value": "x"}]}, "without Name"),
        ({"Username": "alice", "UserAttributes": [{"Name": "x", "Value": "\udfff"}]}, "Value with a lone"),
    ],
)
def test_unreadable_profile_raises_unexpected_response(data: Mapping[str, object], message: str) -> None:
    with pytest.raises(UnexpectedResponse, match=message):
        play(account().profile(), data)


def test_update_attributes_returns_where_codes_were_sent() -> None:
    exchange = account(metadata={"flow": "1"}).update_attributes({"email": "b@example.com"})

    calls, deliveries = play(exchange, {"CodeDeliveryDetailsList": [DELIVERY]})

    changed = [{"Name": "email", "Value": "b@example.com"}]
    expected = {**TOKEN, "UserAttributes": changed, "ClientMetadata": {"flow": "1"}}
    assert calls == [Call("UpdateUserAttributes", expected)]
    assert deliveries == (DELIVERED,)
    assert play(account().update_attributes({"name": "B"}), {})[1] == ()


def test_attribute_code_is_requested_and_sent_back() -> None:
    asked, delivery = play(
        account(metadata={"flow": "1"}).send_attribute_code("email"), {"CodeDeliveryDetails": DELIVERY}
    )
    confirmed, _ = play(account().verify_attribute("email", "123 456"), {})

    expected = {**TOKEN, "AttributeName": "email", "ClientMetadata": {"flow": "1"}}
    assert asked == [Call("GetUserAttributeVerificationCode", expected)]
    assert delivery == DELIVERED
    assert confirmed == [Call("VerifyUserAttribute", {**TOKEN, "AttributeName": "email", "Code": "123456"})]


def test_attributes_are_deleted_in_one_call() -> None:
    calls, _ = play(account().delete_attributes(name for name in ("name", "custom:x")), {})

    assert calls == [Call("DeleteUserAttributes", {**TOKEN, "UserAttributeNames": ["name", "custom:x"]})]


def test_previous_password_is_sent_if_there_is_one() -> None:
    changed, _ = play(account().change_password(PASSWORD, "Battery staple 2"), {})
    first, _ = play(account().change_password(None, PASSWORD), {})

    sent = {**TOKEN, "ProposedPassword": "Battery staple 2", "PreviousPassword": PASSWORD}
    assert changed == [Call("ChangePassword", sent)]
    assert first == [Call("ChangePassword", {**TOKEN, "ProposedPassword": PASSWORD})]


# -- second factors --


def test_authenticator_app_is_verified_and_then_turned_on() -> None:
    """Verified alone, a sign-in would not ask for it."""
    begun, secret = play(account().enrol_totp(), {"SecretCode": "SECRET"})
    confirmed, _ = play(account().confirm_totp("123 456", "phone", False), {"Status": "SUCCESS"}, {})

    assert begun == [Call("AssociateSoftwareToken", TOKEN)]
    assert (secret.secret_code, secret.username) == ("SECRET", "alice")
    assert confirmed == [
        Call("VerifySoftwareToken", {**TOKEN, "UserCode": "123456", "FriendlyDeviceName": "phone"}),
        Call(
            "SetUserMFAPreference",
            {**TOKEN, "SoftwareTokenMfaSettings": {"Enabled": True, "PreferredMfa": False}},
        ),
    ]


def test_wrong_first_code_turns_nothing_on() -> None:
    with pytest.raises(WrongCode):
        play(account().confirm_totp("123456", None, True), WrongCode("no"))
    with pytest.raises(WrongCode, match="could not verify"):
        play(account().confirm_totp("123456", None, True), {"Status": "ERROR"})
    with pytest.raises(WrongCode, match="six digits"):
        next(account().confirm_totp("12345", None, True))


@pytest.mark.parametrize("data", [{}, {"Status": None}, {"Status": "NEW"}])
def test_code_whose_verification_was_cut_is_not_called_wrong(data: Mapping[str, object]) -> None:
    """Cognito may have accepted it, and would refuse the same code the second time."""
    with pytest.raises(UnexpectedResponse, match="without a known Status") as caught:
        play(account().confirm_totp("123456", None, True), data)

    assert caught.value.maybe_processed


def test_authenticator_app_without_a_secret_raises_unexpected_response() -> None:
    with pytest.raises(UnexpectedResponse, match="SecretCode"):
        play(account().enrol_totp(), {})


ON, OFF = {"Enabled": True, "PreferredMfa": False}, {"Enabled": False, "PreferredMfa": False}
PREFERRED = {"Enabled": True, "PreferredMfa": True}
SMS, TOTP, EMAIL, PASSKEY = MfaType.SMS_MFA, MfaType.SOFTWARE_TOKEN_MFA, MfaType.EMAIL_OTP, MfaType.WEB_AUTHN

MFA_CHANGES: dict[str, tuple[list[str], dict[str, Any], dict[str, object]]] = {
    "one factor on": ([], {"enabled": SMS}, {"SMSMfaSettings": ON}),
    "several on": (
        [],
        {"enabled": [SMS, EMAIL]},
        {"SMSMfaSettings": ON, "EmailMfaSettings": ON},
    ),
    "others unchanged": (["SMS_MFA", "NEW_MFA"], {"enabled": EMAIL}, {"EmailMfaSettings": ON}),
    "one off": (["SMS_MFA", "EMAIL_OTP"], {"disabled": SMS}, {"SMSMfaSettings": OFF}),
    "only what is on is turned off": (["SMS_MFA"], {"disabled": [SMS, EMAIL]}, {"SMSMfaSettings": OFF}),
    "preferred is turned on": (["SMS_MFA"], {"preferred": TOTP}, {"SoftwareTokenMfaSettings": PREFERRED}),
    "preferred in place of another": (
        ["SMS_MFA*", "SOFTWARE_TOKEN_MFA"],
        {"preferred": TOTP},
        {"SMSMfaSettings": ON, "SoftwareTokenMfaSettings": PREFERRED},
    ),
    "preference stays": (
        ["SMS_MFA*"],
        {"enabled": [SMS, EMAIL]},
        {"SMSMfaSettings": PREFERRED, "EmailMfaSettings": ON},
    ),
    "preference cleared": (["SMS_MFA*", "EMAIL_OTP"], {"preferred": False}, {"SMSMfaSettings": ON}),
    "preferred turned off": (["SMS_MFA*"], {"disabled": SMS}, {"SMSMfaSettings": OFF}),
    "unknown preferred left alone": (["NEW_MFA*"], {"preferred": SMS}, {"SMSMfaSettings": PREFERRED}),
    "passkey on": ([], {"enabled": PASSKEY}, {"WebAuthnMfaSettings": {"Enabled": True}}),
    "passkey off": ([], {"disabled": PASSKEY}, {"WebAuthnMfaSettings": {"Enabled": False}}),
}


@pytest.mark.parametrize("change", MFA_CHANGES)
def test_set_mfa_sends_settings_of_the_factors_that_change(change: str) -> None:
    """In the list of what is on, the preferred factor has an asterisk."""
    had, arguments, sent = MFA_CHANGES[change]
    profile: dict[str, object] = {
        "Username": "alice",
        "UserMFASettingList": [name.rstrip("*") for name in had],
        "PreferredMfaSetting": next((name.rstrip("*") for name in had if "*" in name), None),
    }

    calls, _ = play(set_mfa(**arguments), profile, {})

    assert calls == [Call("GetUser", TOKEN), Call("SetUserMFAPreference", {**TOKEN, **sent})]


@pytest.mark.parametrize("arguments", [{}, {"disabled": [SMS, TOTP, EMAIL]}, {"preferred": False}])
def test_set_mfa_that_changes_nothing_sends_nothing(arguments: dict[str, Any]) -> None:
    calls, _ = play(set_mfa(**arguments), {"Username": "alice"})

    assert [call.operation for call in calls] == ["GetUser"]


def test_auth_factors_are_read() -> None:
    data = {
        "Username": "alice",
        "ConfiguredUserAuthFactors": ["PASSWORD", "WEB_AUTHN", "SOFTWARE_TOKEN"],
        "UserMFASettingList": ["SOFTWARE_TOKEN_MFA"],
        "PreferredMfaSetting": "SOFTWARE_TOKEN_MFA",
    }

    calls, factors = play(account().auth_factors(), data)
    empty = play(account().auth_factors(), {"Username": "alice", "ConfiguredUserAuthFactors": None})[1]

    assert calls == [Call("GetUserAuthFactors", TOKEN)]
    assert factors.configured == (FirstFactor.PASSWORD, FirstFactor.WEB_AUTHN, "SOFTWARE_TOKEN")
    assert (factors.enabled_mfa, factors.preferred_mfa) == ((TOTP,), TOTP)
    assert (empty.configured, empty.enabled_mfa, empty.preferred_mfa) == ((), (), None)


# -- passkeys --


def test_passkey_credential_is_sent_as_json_from_text_or_mapping() -> None:
    from_mapping, _ = play(account().finish_passkey(CREDENTIAL), {})
    from_text, _ = play(account().finish_passkey(json.dumps(CREDENTIAL)), {})

    assert from_mapping == from_text
    assert from_text == [Call("CompleteWebAuthnRegistration", {**TOKEN, "Credential": CREDENTIAL})]


def test_passkey_options_are_parsed_and_json_text() -> None:
    calls, options = play(account().start_passkey(), {"CredentialCreationOptions": {"challenge": "c"}})

    assert calls == [Call("StartWebAuthnRegistration", TOKEN)]
    assert options.options == {"challenge": "c"}
    assert options.options_json == '{"challenge":"c"}'


@pytest.mark.parametrize(
    "data", [{}, {"CredentialCreationOptions": None}, {"CredentialCreationOptions": "x"}]
)
def test_missing_passkey_options_raise_unexpected_response(data: Mapping[str, object]) -> None:
    with pytest.raises(UnexpectedResponse, match="CredentialCreationOptions"):
        play(account().start_passkey(), data)


def test_passkey_is_read() -> None:
    created = datetime(2030, 1, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    data = {
        "CredentialId": "1",
        "FriendlyCredentialName": "Key",
        "RelyingPartyId": "example.com",
        "AuthenticatorAttachment": "platform",
        "AuthenticatorTransports": ["internal", "hybrid"],
        "CreatedAt": created,
    }

    full, bare = play(account().passkeys(), {"Credentials": [data, {"CredentialId": "2"}]})[1]

    assert (full.name, full.relying_party_id, full.attachment) == ("Key", "example.com", "platform")
    assert (full.transports, full.created_at) == (("internal", "hybrid"), created)
    assert full.created_at is not None
    assert full.created_at.tzinfo is UTC
    assert (bare.name, bare.transports, bare.created_at) == (None, (), None)


# -- pages --


def test_all_pages_are_listed_even_after_an_empty_one() -> None:
    calls, found = play(
        account().passkeys(),
        {"Credentials": [{"CredentialId": "1"}], "NextToken": "2"},
        {"Credentials": [], "NextToken": "3"},
        {"Credentials": [{"CredentialId": "2"}], "NextToken": None},
    )

    assert [call.operation for call in calls] == ["ListWebAuthnCredentials"] * 3
    assert [call.parameters.get("NextToken") for call in calls] == [None, "2", "3"]
    assert [passkey.credential_id for passkey in found] == ["1", "2"]


def test_page_token_seen_before_raises_unexpected_response() -> None:
    pages = [{"PaginationToken": token} for token in ("a", "b", "a")]

    with pytest.raises(UnexpectedResponse, match="repeated a PaginationToken"):
        play(account().devices(), *pages)


def test_list_without_end_raises_unexpected_response_after_100_pages() -> None:
    pages = [{"PaginationToken": str(number)} for number in range(100)]

    with pytest.raises(UnexpectedResponse, match="more than 100 pages"):
        play(account().devices(), *pages)
    assert len(play(account().devices(), *pages[:99], {})[0]) == 100


def test_page_token_with_a_lone_surrogate_raises_unexpected_response() -> None:
    with pytest.raises(UnexpectedResponse, match="PaginationToken with a lone surrogate"):
        play(account().devices(), {"PaginationToken": "\ud800"})


# -- devices --


def test_device_is_read() -> None:
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    device = {
        "DeviceKey": "key",
        "DeviceAttributes": [{"Name": "device_name", "Value": "laptop"}],
        "DeviceCreateDate": moment,
        "DeviceLastModifiedDate": moment + timedelta(1),
        "DeviceLastAuthenticatedDate": moment + timedelta(2),
    }

    (read,) = play(account().devices(), {"Devices": [device]})[1]

    assert (read.key, read.name, read.attributes) == ("key", "laptop", {"device_name": "laptop"})
    moments = (read.created_at, read.modified_at, read.authenticated_at)
    assert moments == tuple(moment + timedelta(days) for days in range(3))


@pytest.mark.parametrize(("given_key", "sent"), [(None, TOKENS.device_key), ("other", "other")])
def test_device_of_the_sign_in_is_used_unless_another_is_named(given_key: str | None, sent: str) -> None:
    found, _ = play(account().device(given_key), {"Device": {"DeviceKey": "key"}})
    remembered, _ = play(account().remember_device(given_key, True), {})
    forgotten, _ = play(account().forget_device(given_key), {})

    assert found == [Call("GetDevice", {**TOKEN, "DeviceKey": sent})]
    assert remembered == [
        Call("UpdateDeviceStatus", {**TOKEN, "DeviceKey": sent, "DeviceRememberedStatus": "remembered"})
    ]
    assert forgotten == [Call("ForgetDevice", {**TOKEN, "DeviceKey": sent})]


def test_device_that_is_no_longer_remembered_is_not_forgotten() -> None:
    calls, _ = play(account().remember_device("key", False), {})

    assert calls == [
        Call("UpdateDeviceStatus", {**TOKEN, "DeviceKey": "key", "DeviceRememberedStatus": "not_remembered"})
    ]


@pytest.mark.parametrize("data", [{}, {"Device": None}])
def test_missing_device_raises_unexpected_response(data: Mapping[str, object]) -> None:
    with pytest.raises(UnexpectedResponse, match="without Device"):
        play(account().device("key"), data)


def store_with_a_device(key: str) -> MemoryStore:
    """A store that holds a device of alice's."""
    store = MemoryStore()
    store.put_device(APP, "alice", Device(key, "group", "secret"))
    return store


def test_forgotten_device_leaves_the_store() -> None:
    events: list[Event] = []
    store = store_with_a_device("eu-west-1_0a-1")

    play(account(devices=store, on_event=events.append).forget_device(None), {})

    assert store.get_device(APP, "alice") is None
    assert [event.kind for event in events] == ["device_forgotten"]


def test_device_stays_in_the_store_if_another_one_was_forgotten() -> None:
    store = store_with_a_device("another")

    play(account(devices=store).forget_device(None), {})

    assert store.get_device(APP, "alice") is not None


def test_device_stays_in_the_store_if_cognito_refuses_to_forget_it() -> None:
    store = store_with_a_device("another")

    with pytest.raises(CognitoFlowError):
        play(account(devices=store).forget_device("another"), CognitoFlowError("no"))

    assert store.get_device(APP, "alice") is not None


def test_device_of_a_deleted_user_leaves_the_store() -> None:
    """A later user of the same name would not have it."""
    store = store_with_a_device("another")

    calls, _ = play(account(devices=store).delete_user(), {})

    assert calls == [Call("DeleteUser", TOKEN)]
    assert store.get_device(APP, "alice") is None


def test_sign_out_everywhere_and_delete_passkey_are_one_call() -> None:
    assert play(account().sign_out_everywhere(), {})[0] == [Call("GlobalSignOut", TOKEN)]
    assert play(account().delete_passkey("id"), {})[0] == [
        Call("DeleteWebAuthnCredential", {**TOKEN, "CredentialId": "id"})
    ]


# -- sessions --


def test_sessions_of_all_pages_are_read() -> None:
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    data = {
        "SessionId": "tkn1",
        "SessionType": "TOKEN",
        "ClientId": "client",
        "CreateDate": moment,
        "LastActiveDate": moment + timedelta(1),
        "DeviceType": "Firefox on Linux",
        "LastIPAddress": "192.0.2.1",
        "LastLocation": {"City": "Delft", "Country": "Netherlands"},
        "OriginSessionId": "sso1",
        "IsCurrentSession": True,
    }

    calls, (full, bare) = play(
        account().sessions(),
        {"Sessions": [data], "NextToken": "2"},
        {"Sessions": [{"SessionId": "tkn2", "LastLocation": None, "IsCurrentSession": None}]},
    )

    assert calls == [
        Call("ListUserSessions", TOKEN),
        Call("ListUserSessions", {**TOKEN, "NextToken": "2"}),
    ]
    assert attrs.astuple(full) == (
        *("tkn1", "TOKEN", "client", moment, moment + timedelta(1), "Firefox on Linux"),
        *("192.0.2.1", "Delft", "Netherlands", "sso1", True),
    )
    assert attrs.astuple(bare) == ("tkn2", *[None] * 9, False)


def test_session_is_revoked_with_or_without_linked_ones() -> None:
    token, sso = f"tkn{'0' * 25}", f"sso{'0' * 25}"
    alone, _ = play(account().revoke_session(token, False), {})
    linked, _ = play(account().revoke_session(sso, True), {})

    assert alone == [Call("RevokeUserSession", {**TOKEN, "SessionId": token})]
    assert linked == [
        Call("RevokeUserSession", {**TOKEN, "SessionId": sso, "RevokeAssociatedSessions": "LINKED"})
    ]


# -- arguments that cannot be meant, and secrets --

WRONG: Any = 7


@pytest.mark.parametrize(
    ("exchange", "message"),
    [
        (account().update_attributes({"name": "\ud800"}), "a lone surrogate"),
        (account().delete_attributes([""]), "the name of an attribute is empty"),
        (account().delete_attributes("nickname"), "names must be a list of strings, not a str"),
        (account().send_attribute_code(""), "the name of the attribute is empty"),
        (account().verify_attribute("", "1"), "the name of the attribute is empty"),
        (account().verify_attribute("email", ""), "the code is empty"),
        (account().change_password("", "x"), "the previous password is empty"),
        (account().change_password(None, ""), "the new password is empty"),
        (account().confirm_totp("123456", "", True), "the device name is empty"),
        (set_mfa(enabled=[WRONG]), "7 is not a second factor"),
        (set_mfa(enabled="SMS"), "'SMS' is not a second factor"),
        (set_mfa(preferred=True), "True is not a second factor"),
        (set_mfa(enabled=SMS, disabled=[SMS]), "SMS_MFA cannot be enabled and disabled"),
        (set_mfa(disabled=TOTP, preferred=TOTP), "SOFTWARE_TOKEN_MFA cannot be enabled and disabled"),
        (set_mfa(preferred=PASSKEY), "WEB_AUTHN cannot be preferred"),
        (account().revoke_session("", False), "the id of the session is empty"),
        (account(attrs.evolve(TOKENS, device_key=None)).device(None), "no device took part"),
        (account().finish_passkey("{}"), "no member 'response'"),
        (account().finish_passkey({**CREDENTIAL, "id": ""}), "no member 'id'"),
        (
            account().finish_passkey({**CREDENTIAL, "response": {"clientDataJSON": "e30", "signature": "s"}}),
            "no member 'attestationObject': it must be a credential from navigator.credentials.create",
        ),
        (account().delete_passkey(""), "the id of the passkey is empty"),
        (account().forget_device(""), "the device key is empty"),
        (account(attrs.evolve(TOKENS, device_key=None)).remember_device(None, True), "no device took part"),
    ],
)
def test_wrong_argument_is_not_sent_and_named(exchange: Exchange[object], message: str) -> None:
    with pytest.raises((InvalidInput, UsageError)) as caught:
        next(exchange)

    assert message in str(caught.value)


def test_reprs_show_no_secret() -> None:
    profile = play(
        account().profile(),
        {"Username": "a", "UserAttributes": [{"Name": "email", "Value": "a@example.com"}]},
    )[1]
    secret = play(account().enrol_totp(), {"SecretCode": "JBSWY3DP"})[1]

    shown = repr([account(), profile, secret])

    secrets = [TOKENS.access_token, APP.client_secret, "JBSWY3DP", "a@example.com"]
    assert [secret for secret in secrets if str(secret) in shown] == []
