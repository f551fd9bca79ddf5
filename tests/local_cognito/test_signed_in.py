"""Operations of signed-in users: password, devices, passkeys and authenticator apps."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from cognito_flow import SignedIn, UserSrpAuth
from cognito_flow.testing import LocalCognito, Pool, SoftAuthenticator, totp_code
from tests.local_cognito.wire import PASSWORD, refusal
from tests.scenarios.choices import PASSKEYS
from tests.scenarios.devices import ALWAYS, OPT_IN
from tests.scenarios.second_factors import EMAIL, OPTIONAL, SMS, TOTP

INVALID = "InvalidParameterException"


class Person:
    """Alice, signed in to a pool with these settings."""

    def __init__(self, cognito: LocalCognito, **members: Any) -> None:
        self.pool: Pool = cognito.create_pool(**members)
        self.user = self.pool.add_user(
            "alice", PASSWORD, email="alice@example.com", phone_number="+31612345678"
        )
        self.client: Any = cognito.client()
        self.sign_in()

    def sign_in(self) -> SignedIn:
        """Sign in and keep the access token."""
        done = self.pool.flow().start(UserSrpAuth("alice", PASSWORD))
        assert isinstance(done, SignedIn)
        self.done, self.token = done, {"AccessToken": done.tokens.access_token}
        return done


# -- password and account --


def test_get_user_auth_factors_lists_the_configured_factors(cognito: LocalCognito) -> None:
    factors = Person(cognito)
    shown = factors.client.get_user_auth_factors(**factors.token)

    assert shown["ConfiguredUserAuthFactors"] == ["PASSWORD", "EMAIL_OTP", "SMS_OTP"]


def test_get_user_auth_factors_lists_an_authenticator_app_that_is_not_turned_on(
    cognito: LocalCognito,
) -> None:
    alice = Person(cognito, mfa_configuration="OPTIONAL", software_token_mfa_configuration={"Enabled": True})
    alice.user.totp_secret = "JBSWY3DPEHPK3PXP"

    shown = alice.client.get_user_auth_factors(**alice.token)

    assert shown["ConfiguredUserAuthFactors"] == ["PASSWORD", "EMAIL_OTP", "SMS_OTP", "SOFTWARE_TOKEN"]
    assert "UserMFASettingList" not in shown


def test_change_password_needs_the_old_password_and_the_policy(cognito: LocalCognito) -> None:
    alice = Person(cognito)
    change, new = alice.client.change_password, {"ProposedPassword": "Battery-staple-2", **alice.token}
    known = {"PreviousPassword": "Other-password-1"}
    pool = cognito.state(alice.pool.id)
    from cognito_flow.testing._state.passwords import is_right, set_password

    set_password(pool, alice.user, "Other-password-1", cognito.clock())
    weak = {**new, **known, "ProposedPassword": "weak"}

    assert refusal(lambda: change(**new))[0] == "NotAuthorizedException"
    assert refusal(lambda: change(**new, PreviousPassword="wrong"))[1] == "Incorrect username or password."
    assert refusal(lambda: change(**weak))[0] == "InvalidPasswordException"
    change(**new, **known)
    assert is_right(pool, alice.user, "Battery-staple-2")


def test_sixth_change_of_password_in_an_hour_is_refused(cognito: LocalCognito) -> None:
    alice = Person(cognito)
    new = {"ProposedPassword": "Battery-staple-2", "PreviousPassword": "wrong", **alice.token}
    for _ in range(5):
        refusal(lambda: alice.client.change_password(**new))

    assert refusal(lambda: alice.client.change_password(**new)) == (
        "LimitExceededException",
        "Attempt limit exceeded, please try after some time.",
    )


def test_user_without_a_password_sets_one_without_the_previous(cognito: LocalCognito) -> None:
    alice = Person(cognito)
    alice.user.verifier = None

    alice.client.change_password(ProposedPassword="Battery-staple-2", **alice.token)

    assert alice.user.verifier is not None


def test_token_of_a_deleted_user_is_refused(cognito: LocalCognito) -> None:
    alice = Person(cognito)
    alice.client.delete_user(**alice.token)

    assert refusal(lambda: alice.client.get_user(**alice.token)) == (
        "UserNotFoundException",
        "User does not exist.",
    )


def test_token_of_a_disabled_user_is_refused(cognito: LocalCognito) -> None:
    alice = Person(cognito)
    alice.user.is_enabled = False

    assert refusal(lambda: alice.client.get_user(**alice.token))[1] == "User is disabled."
    refresh = {"RefreshToken": alice.done.tokens.refresh_token, "ClientId": alice.pool.app.client_id}
    assert refusal(lambda: alice.client.get_tokens_from_refresh_token(**refresh))[1] == "User is disabled."


def test_admin_user_global_sign_out_ends_all_sign_ins(cognito: LocalCognito) -> None:
    alice = Person(cognito)
    alice.client.admin_user_global_sign_out(UserPoolId=alice.pool.id, Username="alice")

    assert refusal(lambda: alice.client.get_user(**alice.token))[1] == "Access Token has been revoked"


# -- devices --


def test_devices_are_listed_described_and_forgotten_by_user_and_administrator(cognito: LocalCognito) -> None:
    alice = Person(cognito, **ALWAYS)
    assert alice.done.device is not None
    key = {"DeviceKey": alice.done.device.key}
    admin = {"UserPoolId": alice.pool.id, "Username": "alice"}

    assert alice.client.list_devices(**alice.token)["Devices"][0]["DeviceKey"] == key["DeviceKey"]
    assert alice.client.admin_list_devices(**admin)["Devices"][0]["DeviceKey"] == key["DeviceKey"]
    attributes = alice.client.get_device(**alice.token, **key)["Device"]["DeviceAttributes"]
    assert {"Name": "device_status", "Value": "valid"} in attributes
    assert alice.client.admin_get_device(**admin, **key)["Device"]["DeviceKey"] == key["DeviceKey"]
    alice.client.admin_update_device_status(**admin, **key, DeviceRememberedStatus="not_remembered")
    assert alice.client.list_devices(**alice.token)["Devices"] == []
    alice.client.update_device_status(**alice.token, **key)
    alice.client.forget_device(**alice.token, **key)
    assert refusal(lambda: alice.client.admin_get_device(**admin, **key))[1] == "Device does not exist."


def test_device_in_an_opt_in_pool_is_listed_once_it_is_remembered(cognito: LocalCognito) -> None:
    alice = Person(cognito, **OPT_IN)
    assert alice.done.device is not None
    assert alice.client.list_devices(**alice.token)["Devices"] == []

    alice.client.update_device_status(
        **alice.token, DeviceKey=alice.done.device.key, DeviceRememberedStatus="remembered"
    )

    assert len(alice.client.list_devices(**alice.token)["Devices"]) == 1


def test_get_device_without_an_access_token_is_refused(cognito: LocalCognito) -> None:
    client: Any = cognito.client()
    key = {"DeviceKey": "eu-west-1_00000000-0000-4000-8000-000000000000"}

    for operation in (client.get_device, client.forget_device):
        refused = refusal(partial(operation, **key))
        assert refused == ("InvalidParameterException", "Missing required parameter AccessToken")


def test_devices_are_listed_in_pages(cognito: LocalCognito) -> None:
    alice = Person(cognito, **ALWAYS)
    for _ in range(2):
        alice.sign_in()
    admin = {"UserPoolId": alice.pool.id, "Username": "alice"}

    for ask in (
        partial(alice.client.list_devices, **alice.token),
        partial(alice.client.admin_list_devices, **admin),
    ):
        first = ask(Limit=2)
        second = ask(Limit=2, PaginationToken=first["PaginationToken"])
        keys = {device["DeviceKey"] for device in first["Devices"] + second["Devices"]}
        assert keys == set(alice.user.devices)
        assert (len(keys), "PaginationToken" in second) == (3, False)


# -- passkeys --


def test_passkeys_are_listed_in_pages(cognito: LocalCognito) -> None:
    alice = Person(cognito, **PASSKEYS)
    for _ in range(3):
        options = alice.client.start_web_authn_registration(**alice.token)["CredentialCreationOptions"]
        credential = SoftAuthenticator().create(options)
        alice.client.complete_web_authn_registration(**alice.token, Credential=credential)
    ask = partial(alice.client.list_web_authn_credentials, **alice.token, MaxResults=2)
    first = ask()
    second = ask(NextToken=first["NextToken"])

    assert len({item["CredentialId"] for item in first["Credentials"] + second["Credentials"]}) == 3
    assert "NextToken" not in second


def test_passkeys_are_listed_and_deleted_by_id(cognito: LocalCognito) -> None:
    alice, device = Person(cognito, **PASSKEYS), SoftAuthenticator()
    options = alice.client.start_web_authn_registration(**alice.token)["CredentialCreationOptions"]
    credential = {**device.create(options), "authenticatorAttachment": "platform"}
    alice.client.complete_web_authn_registration(**alice.token, Credential=credential)

    listed = alice.client.list_web_authn_credentials(**alice.token)["Credentials"]
    assert [passkey["CredentialId"] for passkey in listed] == [credential["id"]]
    assert listed[0]["AuthenticatorAttachment"] == "platform"
    delete = alice.client.delete_web_authn_credential
    assert refusal(lambda: delete(**alice.token, CredentialId="x"))[0] == "ResourceNotFoundException"
    delete(**alice.token, CredentialId=credential["id"])
    assert alice.client.list_web_authn_credentials(**alice.token)["Credentials"] == []


def test_passkey_without_attachment_is_listed_without_it(cognito: LocalCognito) -> None:
    alice, device = Person(cognito, **PASSKEYS), SoftAuthenticator()
    options = alice.client.start_web_authn_registration(**alice.token)["CredentialCreationOptions"]
    created = device.create(options)
    created.pop("authenticatorAttachment", None)
    alice.client.complete_web_authn_registration(**alice.token, Credential=created)

    listed = alice.client.list_web_authn_credentials(**alice.token)["Credentials"]
    assert "AuthenticatorAttachment" not in listed[0]


def test_registration_is_completed_once_in_time_and_by_the_same_client(cognito: LocalCognito) -> None:
    alice, device = Person(cognito, **PASSKEYS), SoftAuthenticator()
    start, complete = alice.client.start_web_authn_registration, alice.client.complete_web_authn_registration

    def created() -> dict[str, object]:
        return device.create(start(**alice.token)["CredentialCreationOptions"])

    late = created()
    cognito.clock.advance(301)
    code = refusal(lambda: complete(**alice.token, Credential=late))[0]
    assert code == "WebAuthnChallengeNotFoundException"
    foreign = created()
    token = alice.token
    done = alice.pool.flow(alice.pool.app_client()).start(UserSrpAuth("alice", PASSWORD))
    assert isinstance(done, SignedIn)
    code = refusal(lambda: complete(AccessToken=done.tokens.access_token, Credential=foreign))[0]
    assert code == "WebAuthnClientMismatchException"
    device.origin = "https://evil.example"
    elsewhere = created()
    code = refusal(lambda: complete(**token, Credential=elsewhere))[0]
    assert code == "WebAuthnOriginNotAllowedException"
    refused = refusal(
        lambda: (start(**token), complete(**token, Credential={"response": {"clientDataJSON": "e30"}}))
    )
    assert refused[0].startswith("WebAuthn")


@pytest.mark.parametrize("credential", ["text", [], 5, True, "{}"], ids=repr)
def test_credential_that_is_not_an_object_leaves_the_registration_open(
    cognito: LocalCognito, credential: Any
) -> None:
    alice = Person(cognito, **PASSKEYS)
    options = alice.client.start_web_authn_registration(**alice.token)["CredentialCreationOptions"]
    complete = partial(alice.client.complete_web_authn_registration, **alice.token)

    refused = refusal(lambda: complete(Credential=credential))
    assert refused == ("InvalidParameterException", "Credential is not a JSON object.")
    complete(Credential=SoftAuthenticator().create(options))
    assert len(alice.user.passkeys) == 1


@pytest.mark.parametrize(
    ("members", "domains", "rp_id"),
    [
        ({}, ["shop"], "shop.auth.eu-west-1.amazoncognito.com"),
        ({}, ["shop", "login.example.com"], "login.example.com"),
        ({}, ["login.example.com", "shop"], "login.example.com"),
        ({"web_authn_configuration": {"RelyingPartyId": "example.org"}}, ["shop"], "example.org"),
    ],
    ids=["prefix", "prefix and custom", "custom and prefix", "configured"],
)
def test_relying_party_is_the_configured_one_or_a_domain_of_the_pool(
    cognito: LocalCognito, members: dict[str, Any], domains: list[str], rp_id: str
) -> None:
    alice, device = Person(cognito, policies=PASSKEYS["policies"], **members), SoftAuthenticator()
    for domain in domains:
        arn = {"CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/login"}
        custom = {"CustomDomainConfig": arn} if "." in domain else {}
        alice.client.create_user_pool_domain(UserPoolId=alice.pool.id, Domain=domain, **custom)
    device.origin = f"https://{rp_id}"
    options = alice.client.start_web_authn_registration(**alice.token)["CredentialCreationOptions"]
    alice.client.delete_user_pool_domain(UserPoolId=alice.pool.id, Domain=domains[0])
    alice.client.complete_web_authn_registration(**alice.token, Credential=device.create(options))

    assert options["rp"]["id"] == alice.user.passkeys[0].rp_id == rp_id


def test_passkeys_in_a_pool_without_them_or_a_relying_party_id_are_refused(cognito: LocalCognito) -> None:
    off = Person(cognito)
    unnamed = Person(cognito, policies=PASSKEYS["policies"])

    start = off.client.start_web_authn_registration
    assert refusal(lambda: start(**off.token))[0] == "WebAuthnNotEnabledException"
    assert refusal(lambda: start(**unnamed.token))[0] == "WebAuthnConfigurationMissingException"


def test_twenty_first_passkey_is_refused(cognito: LocalCognito) -> None:
    alice, device = Person(cognito, **PASSKEYS), SoftAuthenticator()
    options = alice.client.start_web_authn_registration(**alice.token)["CredentialCreationOptions"]
    alice.client.complete_web_authn_registration(**alice.token, Credential=device.create(options))
    alice.user.passkeys *= 20

    assert (
        refusal(lambda: alice.client.start_web_authn_registration(**alice.token))[0]
        == "LimitExceededException"
    )


# -- authenticator apps and preferences --


def test_app_enrolled_with_an_access_token_is_not_enabled_yet(cognito: LocalCognito) -> None:
    alice = Person(cognito, **OPTIONAL, **TOTP)
    verify = alice.client.verify_software_token
    assert refusal(lambda: verify(**alice.token, UserCode="000000"))[0] == "InvalidParameterException"
    secret = alice.client.associate_software_token(**alice.token)["SecretCode"]
    right = totp_code(secret, cognito.clock())
    wrong = "000000" if right != "000000" else "111111"
    assert refusal(lambda: verify(**alice.token, UserCode=wrong)) == (
        "EnableSoftwareTokenMFAException",
        "Code mismatch",
    )

    assert verify(**alice.token, UserCode=right)["Status"] == "SUCCESS"
    assert "PreferredMfaSetting" not in alice.client.get_user(**alice.token)


def test_app_in_a_pool_without_totp_is_refused(cognito: LocalCognito) -> None:
    alice = Person(cognito)
    associate = alice.client.associate_software_token

    assert (
        refusal(lambda: associate(**alice.token))[1]
        == "Software Token MFA has not been enabled by the userPool"
    )
    assert refusal(associate)[0] == "InvalidParameterException"
    assert refusal(lambda: associate(Session="s" * 30))[1] == "Invalid session for the user."


def test_app_is_set_up_in_order_and_only_where_it_was_offered(cognito: LocalCognito) -> None:
    api: Any = cognito.client()
    strict = cognito.create_pool(mfa_configuration="ON", **TOTP)
    strict.add_user("alice", PASSWORD)
    step = strict.flow().start(UserSrpAuth("alice", PASSWORD))
    assert not isinstance(step, SignedIn)
    early = refusal(lambda: api.verify_software_token(Session=step.pending.session, UserCode="123456"))
    assert early[0] == "InvalidParameterException"

    cognito.clock.advance(181)
    expired = refusal(lambda: api.associate_software_token(Session=step.pending.session))
    assert expired[1] == "Invalid session for the user, session is expired."

    mail = cognito.create_pool(mfa_configuration="ON", **EMAIL)
    mail.add_user("alice", PASSWORD)
    offered = mail.flow().start(UserSrpAuth("alice", PASSWORD))
    assert not isinstance(offered, SignedIn)
    enabled = {"SoftwareTokenMfaConfiguration": {"Enabled": True}}
    api.set_user_pool_mfa_config(UserPoolId=mail.id, MfaConfiguration="ON", **enabled)
    late = refusal(lambda: api.associate_software_token(Session=offered.pending.session))
    assert late[1] == "Invalid session for the user."


def test_preference_for_a_missing_factor_or_two_factors_is_refused(cognito: LocalCognito) -> None:
    alice = Person(cognito, **OPTIONAL, **TOTP, **SMS, **EMAIL)
    prefer = alice.client.set_user_mfa_preference
    on, first = {"Enabled": True}, {"Enabled": True, "PreferredMfa": True}

    two = {"SMSMfaSettings": first, "EmailMfaSettings": first}
    assert refusal(lambda: prefer(**alice.token, **two))[0] == "InvalidParameterException"
    assert refusal(lambda: prefer(**alice.token, SoftwareTokenMfaSettings=on))[1] == (
        "User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA"
    )
    prefer(**alice.token, SMSMfaSettings=first, EmailMfaSettings=on)
    assert alice.client.get_user(**alice.token)["PreferredMfaSetting"] == "SMS_MFA"
    prefer(**alice.token, SMSMfaSettings={"Enabled": True, "PreferredMfa": False})
    shown = alice.client.get_user(**alice.token)
    assert "PreferredMfaSetting" not in shown
    assert set(shown["UserMFASettingList"]) == {"SMS_MFA", "EMAIL_OTP"}


@pytest.mark.parametrize("operation", ["set_user_mfa_preference", "admin_set_user_mfa_preference"])
def test_factor_that_is_missing_or_off_cannot_be_preferred(cognito: LocalCognito, operation: str) -> None:
    alice = Person(cognito, **OPTIONAL, **TOTP, **SMS)
    named = {"UserPoolId": alice.pool.id, "Username": "alice"}
    prefer = partial(
        getattr(alice.client, operation), **(named if operation.startswith("admin") else alice.token)
    )
    preferred, off = {"PreferredMfa": True}, {"Enabled": False, "PreferredMfa": True}
    missing = "User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA"
    text = "SMS_MFA must be enabled to be the preferred MFA method."

    for settings in (preferred, off):
        assert refusal(partial(prefer, SoftwareTokenMfaSettings=settings)) == (INVALID, missing)
        assert refusal(partial(prefer, SMSMfaSettings=settings)) == (INVALID, text)
    assert (alice.user.mfa_enabled, alice.user.mfa_preferred) == ([], None)
    prefer(SMSMfaSettings={"Enabled": True})
    prefer(SMSMfaSettings=preferred)
    assert (alice.user.mfa_enabled, alice.user.mfa_preferred) == (["SMS_MFA"], "SMS_MFA")


# -- signing up --


@pytest.fixture
def sign_up(cognito: LocalCognito) -> Any:
    """Signs a user up to a pool with these settings."""

    def run(pool: Pool, name: str = "al", **members: Any) -> Any:
        client: Any = cognito.client()
        given = {"Password": "Without-spaces-1", **members}
        return client.sign_up(ClientId=pool.app.client_id, Username=name, **given)

    return run


MAIL = [{"Name": "email", "Value": "al@example.com"}]


def test_sign_up_without_auto_verified_attributes_sends_no_code(cognito: LocalCognito, sign_up: Any) -> None:
    pool = cognito.create_pool()

    shown = sign_up(pool, Password="Without-spaces-1")

    assert shown["UserConfirmed"] is False
    assert "CodeDeliveryDetails" not in shown
    assert refusal(lambda: _confirm(cognito, pool, "000000"))[0] == "ExpiredCodeException"


def test_sign_up_gives_a_session_only_to_clients_with_user_auth(cognito: LocalCognito) -> None:
    api: Any = cognito.client()
    pool = cognito.create_pool()
    app = pool.app_client(flows=["ALLOW_USER_SRP_AUTH"])

    shown = api.sign_up(ClientId=app.client_id, Username="al", Password="Without-spaces-1")

    assert "Session" not in shown


def _confirm(cognito: LocalCognito, pool: Pool, code: str, name: str = "al", **members: Any) -> Any:
    client: Any = cognito.client()
    return client.confirm_sign_up(
        ClientId=pool.app.client_id, Username=name, ConfirmationCode=code, **members
    )


def test_pre_sign_up_trigger_confirms_and_verifies(cognito: LocalCognito, sign_up: Any) -> None:
    pool = cognito.create_pool(auto_verified_attributes=["email"])

    def confirm(event: dict[str, Any]) -> dict[str, Any]:
        event["response"] = {"autoConfirmUser": True, "autoVerifyEmail": True}
        return event

    pool.triggers["PreSignUp"] = confirm
    assert sign_up(pool, UserAttributes=MAIL)["UserConfirmed"] is True
    assert pool.user("al").attributes["email_verified"] == "true"
    pool.triggers["PreSignUp"] = lambda event: event
    assert sign_up(pool, "bo", UserAttributes=MAIL)["UserConfirmed"] is False


def test_user_name_must_have_the_form_of_the_pool(cognito: LocalCognito, sign_up: Any) -> None:
    alias = cognito.create_pool(alias_attributes=["email"])
    named = cognito.create_pool(username_attributes=["email"])

    assert "email format" in refusal(lambda: sign_up(alias, "al@example.com"))[1]
    assert refusal(lambda: sign_up(named, "al"))[0] == "InvalidParameterException"
    sign_up(named, "al@example.com")
    assert refusal(lambda: sign_up(named, "al@example.com"))[0] == "UsernameExistsException"
    assert refusal(lambda: sign_up(alias, UserAttributes=[{"Name": "phone_number", "Value": "x"}]))[1] == (
        "Invalid phone number format."
    )
    assert refusal(lambda: sign_up(alias, UserAttributes=[{"Name": "email", "Value": "x"}]))[1] == (
        "Invalid email address format."
    )


def test_confirmation_is_refused_for_each_documented_reason(cognito: LocalCognito, sign_up: Any) -> None:
    pool = cognito.create_pool(auto_verified_attributes=["email"])
    hiding = pool.app_client(prevent_user_existence_errors="ENABLED")
    shown = sign_up(pool, Password="Without-spaces-1", UserAttributes=MAIL)
    other = sign_up(pool, "bo", UserAttributes=MAIL)
    client: Any = cognito.client()
    hidden = {"ClientId": hiding.client_id, "Username": "unknown", "ConfirmationCode": "1"}

    assert refusal(lambda: _confirm(cognito, pool, "1", "unknown"))[0] == "UserNotFoundException"
    assert refusal(lambda: client.confirm_sign_up(**hidden))[0] == "ExpiredCodeException"
    assert refusal(lambda: _confirm(cognito, pool, "wrong"))[0] == "CodeMismatchException"
    right = pool.last_code("al")
    foreign = refusal(lambda: _confirm(cognito, pool, right, Session=other["Session"]))
    assert foreign == ("NotAuthorizedException", "Invalid session for the user.")
    assert shown["CodeDeliveryDetails"]["Destination"] == "a***@e***"
    cognito.clock.advance(25 * 3600)
    late = refusal(lambda: _confirm(cognito, pool, pool.last_code("bo"), "bo"))
    assert late[0] == "ExpiredCodeException"
    pool.user("al").status = "CONFIRMED"
    assert refusal(lambda: _confirm(cognito, pool, right))[1] == (
        "User cannot be confirmed. Current status is CONFIRMED"
    )
