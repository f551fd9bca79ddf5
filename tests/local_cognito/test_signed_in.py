"""What people do when they are signed in: their password, devices, passkeys and authenticator apps."""

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
        """Sign in, and keep the access token."""
        done = self.pool.flow().start(UserSrpAuth("alice", PASSWORD))
        assert isinstance(done, SignedIn)
        self.done, self.token = done, {"AccessToken": done.tokens.access_token}
        return done


# -- password and account --


def test_the_configured_factors_are_listed(cognito: LocalCognito) -> None:
    """What the choice screen may show."""
    factors = Person(cognito)
    told = factors.client.get_user_auth_factors(**factors.token)

    assert told["ConfiguredUserAuthFactors"] == ["PASSWORD", "EMAIL_OTP", "SMS_OTP"]


def test_a_password_is_changed_by_the_one_who_knows_it(cognito: LocalCognito) -> None:
    """The old one is checked, the new one meets the policy."""
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


def test_a_password_cannot_be_tried_out_by_changing_it(cognito: LocalCognito) -> None:
    """The lock counts here, too."""
    alice = Person(cognito)
    new = {"ProposedPassword": "Battery-staple-2", "PreviousPassword": "wrong", **alice.token}
    for _ in range(5):
        refusal(lambda: alice.client.change_password(**new))

    assert refusal(lambda: alice.client.change_password(**new)) == (
        "LimitExceededException",
        "Attempt limit exceeded, please try after some time.",
    )


def test_a_user_without_a_password_sets_one(cognito: LocalCognito) -> None:
    """There is none to prove."""
    alice = Person(cognito)
    alice.user.verifier = None

    alice.client.change_password(ProposedPassword="Battery-staple-2", **alice.token)

    assert alice.user.verifier is not None


def test_a_user_who_deleted_the_account_is_nobody(cognito: LocalCognito) -> None:
    """The token outlives its user, and opens nothing."""
    alice = Person(cognito)
    alice.client.delete_user(**alice.token)

    assert refusal(lambda: alice.client.get_user(**alice.token)) == (
        "NotAuthorizedException",
        "Invalid Access Token",
    )


def test_a_disabled_user_s_token_opens_nothing(cognito: LocalCognito) -> None:
    """Though its end has not come."""
    alice = Person(cognito)
    alice.user.is_enabled = False

    assert refusal(lambda: alice.client.get_user(**alice.token))[1] == "User is disabled."
    refresh = {"RefreshToken": alice.done.tokens.refresh_token, "ClientId": alice.pool.app.client_id}
    assert refusal(lambda: alice.client.get_tokens_from_refresh_token(**refresh))[1] == "User is disabled."


def test_an_administrator_signs_a_user_out(cognito: LocalCognito) -> None:
    """Everywhere at once."""
    alice = Person(cognito)
    alice.client.admin_user_global_sign_out(UserPoolId=alice.pool.id, Username="alice")

    assert refusal(lambda: alice.client.get_user(**alice.token))[1] == "Access Token has been revoked"


# -- devices --


def test_devices_are_listed_described_and_forgotten(cognito: LocalCognito) -> None:
    """By the person and by an administrator."""
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


def test_a_device_in_an_opt_in_pool_is_listed_once_remembered(cognito: LocalCognito) -> None:
    """Until then it is only confirmed."""
    alice = Person(cognito, **OPT_IN)
    assert alice.done.device is not None
    assert alice.client.list_devices(**alice.token)["Devices"] == []

    alice.client.update_device_status(
        **alice.token, DeviceKey=alice.done.device.key, DeviceRememberedStatus="remembered"
    )

    assert len(alice.client.list_devices(**alice.token)["Devices"]) == 1


def test_a_device_is_not_shown_without_a_sign_in(cognito: LocalCognito) -> None:
    """In the service model, the access token may be left out; not so here."""
    client: Any = cognito.client()
    key = {"DeviceKey": "eu-west-1_00000000-0000-4000-8000-000000000000"}

    for operation in (client.get_device, client.forget_device):
        refused = refusal(partial(operation, **key))
        assert refused == ("InvalidParameterException", "Missing required parameter AccessToken")


def test_devices_are_listed_page_by_page(cognito: LocalCognito) -> None:
    """For the person and for an administrator alike."""
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


def test_passkeys_are_listed_page_by_page(cognito: LocalCognito) -> None:
    """Each once."""
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


def test_passkeys_are_listed_and_deleted(cognito: LocalCognito) -> None:
    """By their id."""
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


def test_a_passkey_that_does_not_say_where_it_is_is_listed_without(cognito: LocalCognito) -> None:
    """authenticatorAttachment is the browser's to leave out."""
    alice, device = Person(cognito, **PASSKEYS), SoftAuthenticator()
    options = alice.client.start_web_authn_registration(**alice.token)["CredentialCreationOptions"]
    created = device.create(options)
    created.pop("authenticatorAttachment", None)
    alice.client.complete_web_authn_registration(**alice.token, Credential=created)

    listed = alice.client.list_web_authn_credentials(**alice.token)["Credentials"]
    assert "AuthenticatorAttachment" not in listed[0]


def test_a_registration_is_completed_once_in_time_and_by_the_client_that_began(cognito: LocalCognito) -> None:
    """Each has an error of its own."""
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


def test_passkeys_need_a_pool_that_has_them(cognito: LocalCognito) -> None:
    """Switched on, and with a relying party id."""
    off = Person(cognito)
    unnamed = Person(cognito, policies=PASSKEYS["policies"])

    start = off.client.start_web_authn_registration
    assert refusal(lambda: start(**off.token))[0] == "WebAuthnNotEnabledException"
    assert refusal(lambda: start(**unnamed.token))[0] == "WebAuthnConfigurationMissingException"


def test_a_user_has_twenty_passkeys_at_the_most(cognito: LocalCognito) -> None:
    """The next one is refused."""
    alice, device = Person(cognito, **PASSKEYS), SoftAuthenticator()
    options = alice.client.start_web_authn_registration(**alice.token)["CredentialCreationOptions"]
    alice.client.complete_web_authn_registration(**alice.token, Credential=device.create(options))
    alice.user.passkeys *= 20

    assert (
        refusal(lambda: alice.client.start_web_authn_registration(**alice.token))[0]
        == "LimitExceededException"
    )


# -- authenticator apps and preferences --


def test_an_app_is_enrolled_with_an_access_token(cognito: LocalCognito) -> None:
    """Enrolled is not switched on."""
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


def test_an_app_needs_a_pool_that_allows_it(cognito: LocalCognito) -> None:
    """And a token, or the Session of a set-up."""
    alice = Person(cognito)
    associate = alice.client.associate_software_token

    assert (
        refusal(lambda: associate(**alice.token))[1]
        == "Software Token MFA has not been enabled by the userPool"
    )
    assert refusal(associate)[0] == "InvalidParameterException"
    assert refusal(lambda: associate(Session="s" * 30))[1] == "Invalid session for the user."


def test_an_app_is_set_up_in_its_order_and_only_where_it_was_offered(cognito: LocalCognito) -> None:
    """First the secret, then a code; and a Session for e-mail alone stays one."""
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


def test_preferences_are_set_for_factors_that_there_are(cognito: LocalCognito) -> None:
    """At most one of them is preferred."""
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
    told = alice.client.get_user(**alice.token)
    assert "PreferredMfaSetting" not in told
    assert set(told["UserMFASettingList"]) == {"SMS_MFA", "EMAIL_OTP"}


# -- signing up --


@pytest.fixture
def sign_up(cognito: LocalCognito) -> Any:
    """Signs somebody up to a pool with these settings."""

    def run(pool: Pool, name: str = "al", **members: Any) -> Any:
        client: Any = cognito.client()
        given = {"Password": "Without-spaces-1", **members}
        return client.sign_up(ClientId=pool.app.client_id, Username=name, **given)

    return run


MAIL = [{"Name": "email", "Value": "al@example.com"}]


def test_a_sign_up_without_a_channel_sends_nothing(cognito: LocalCognito, sign_up: Any) -> None:
    """An administrator must confirm it."""
    pool = cognito.create_pool()

    told = sign_up(pool, Password="Without-spaces-1")

    assert told["UserConfirmed"] is False
    assert "CodeDeliveryDetails" not in told
    assert refusal(lambda: _confirm(cognito, pool, "000000"))[0] == "ExpiredCodeException"


def test_a_sign_up_gives_a_session_only_to_clients_with_choice(cognito: LocalCognito) -> None:
    """It is of use to USER_AUTH alone."""
    api: Any = cognito.client()
    pool = cognito.create_pool()
    app = pool.app_client(flows=["ALLOW_USER_SRP_AUTH"])

    told = api.sign_up(ClientId=app.client_id, Username="al", Password="Without-spaces-1")

    assert "Session" not in told


def _confirm(cognito: LocalCognito, pool: Pool, code: str, name: str = "al", **members: Any) -> Any:
    client: Any = cognito.client()
    return client.confirm_sign_up(
        ClientId=pool.app.client_id, Username=name, ConfirmationCode=code, **members
    )


def test_a_trigger_confirms_and_verifies(cognito: LocalCognito, sign_up: Any) -> None:
    """autoVerifyPhone does nothing where there is no phone number."""
    pool = cognito.create_pool(auto_verified_attributes=["email"])

    def confirm(event: dict[str, Any]) -> dict[str, Any]:
        event["response"] = {"autoConfirmUser": True, "autoVerifyEmail": True, "autoVerifyPhone": True}
        return event

    pool.triggers["PreSignUp"] = confirm
    assert sign_up(pool, UserAttributes=MAIL)["UserConfirmed"] is True
    assert pool.user("al").attributes["email_verified"] == "true"
    pool.triggers["PreSignUp"] = lambda event: event
    assert sign_up(pool, "bo", UserAttributes=MAIL)["UserConfirmed"] is False


def test_names_have_the_form_that_the_pool_wants(cognito: LocalCognito, sign_up: Any) -> None:
    """An e-mail address is no user name where it is an alias, and must be one where it is the name."""
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


def test_a_confirmation_is_refused_in_each_of_its_ways(cognito: LocalCognito, sign_up: Any) -> None:
    """Unknown, wrong, too late, foreign Session, confirmed already."""
    pool = cognito.create_pool(auto_verified_attributes=["email"])
    hiding = pool.app_client(prevent_user_existence_errors="ENABLED")
    told = sign_up(pool, Password="Without-spaces-1", UserAttributes=MAIL)
    other = sign_up(pool, "bo", UserAttributes=MAIL)
    client: Any = cognito.client()
    hidden = {"ClientId": hiding.client_id, "Username": "nobody", "ConfirmationCode": "1"}

    assert refusal(lambda: _confirm(cognito, pool, "1", "nobody"))[0] == "UserNotFoundException"
    assert refusal(lambda: client.confirm_sign_up(**hidden))[0] == "ExpiredCodeException"
    assert refusal(lambda: _confirm(cognito, pool, "wrong"))[0] == "CodeMismatchException"
    right = pool.last_code("al")
    foreign = refusal(lambda: _confirm(cognito, pool, right, Session=other["Session"]))
    assert foreign == ("NotAuthorizedException", "Invalid session for the user.")
    assert told["CodeDeliveryDetails"]["Destination"] == "a***@e***"
    cognito.clock.advance(25 * 3600)
    late = refusal(lambda: _confirm(cognito, pool, pool.last_code("bo"), "bo"))
    assert late[0] == "ExpiredCodeException"
    pool.user("al").status = "CONFIRMED"
    assert refusal(lambda: _confirm(cognito, pool, right))[1] == (
        "User cannot be confirmed. Current status is CONFIRMED"
    )
