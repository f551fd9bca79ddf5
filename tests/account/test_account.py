"""Accounts of signed-in users against LocalCognito, through both drivers."""

from __future__ import annotations

import base64
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

import cognito_flow
from cognito_flow import (
    AliasExists,
    CodeExpired,
    CognitoFlowError,
    DeviceForgotten,
    FirstFactor,
    FlowExpired,
    IncorrectPassword,
    LimitExceeded,
    MemoryStore,
    MfaType,
    Misconfigured,
    NotAuthorized,
    PasswordRejected,
    RefreshTokenInvalid,
    SelectChallenge,
    ServiceError,
    SignedIn,
    SoftwareTokenMfa,
    TokenExpired,
    TokenRevoked,
    TransportError,
    UsageError,
    UserAuth,
    UserPasswordAuth,
    UserSrpAuth,
    WebAuthn,
    WrongCode,
)
from cognito_flow._json import member
from cognito_flow.testing import SoftAuthenticator, totp_code
from tests.account.world import ADDRESS, NOW, OTHER_PASSWORD, PASSWORD, VERIFIED, World
from tests.scenarios.choices import PASSKEYS
from tests.scenarios.devices import ALWAYS, OPT_IN
from tests.scenarios.second_factors import EMAIL, OPTIONAL, SMS, TOTP
from tests.support.contract import needs_member
from tests.support.planted import Place, searches

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = Path(cognito_flow.__file__).parent


# -- whose account, and how long it works --


def test_account_shows_its_user_name_and_nothing_else(world: World) -> None:
    account = world.alice().account

    assert account.username == "alice"
    shown = repr(getattr(account, "inner", account))
    assert shown in ("Account('alice')", "AsyncAccount('alice')")


def test_creating_an_account_makes_no_call(world: World) -> None:
    alice = world.alice()
    before = len(world.cognito.calls)

    alice.flow.account(alice.signed_in.tokens)

    assert len(world.cognito.calls) == before


def test_account_of_a_token_source_outlives_its_access_token(world: World) -> None:
    alice = world.alice()
    account = alice.flow.account(alice.flow.token_source(alice.signed_in.tokens))
    world.cognito.clock.advance(3601)

    assert account.user().username == "alice"
    assert account.username == "alice"
    assert world.calls("GetTokensFromRefreshToken") == 1


def test_account_of_a_source_that_began_with_a_refresh_token_learns_the_user(world: World) -> None:
    alice = world.alice(**OPTIONAL, **TOTP)
    account = alice.flow.account(alice.flow.token_source(alice.signed_in.tokens.refresh_token))

    uri = account.enrol_totp().uri("Books")

    assert uri.startswith("otpauth://totp/Books:alice?")
    assert account.username == "alice"


def test_account_of_tokens_raises_token_expired_after_their_end(world: World) -> None:
    alice = world.alice()
    world.cognito.clock.advance(3601)

    with pytest.raises(TokenExpired):
        alice.account.user()
    assert alice.flow.account(alice.flow.refresh(alice.signed_in.tokens)).user().username == "alice"


def test_account_of_a_source_whose_refresh_is_refused_raises_its_error(world: World) -> None:
    alice = world.alice()
    account = alice.flow.account(alice.flow.token_source(alice.signed_in.tokens))
    alice.flow.revoke(alice.signed_in.tokens)
    world.cognito.clock.advance(3601)

    with pytest.raises((RefreshTokenInvalid, TokenRevoked)):
        account.user()


def test_account_of_an_access_token_knows_user_and_device(world: World) -> None:
    alice = world.alice(**ALWAYS)
    account = alice.flow.account(alice.signed_in.tokens.access_token)

    account.forget_device()

    assert account.username == "alice"
    assert account.devices() == ()


WRONG: dict[str, tuple[Callable[[SignedIn], object], str]] = {
    "SignedIn": (lambda signed_in: signed_in, r"pass signed_in\.tokens"),
    "ID token": (lambda signed_in: signed_in.tokens.id_token, "this is an ID token: pass the access token"),
    "refresh token": (lambda signed_in: signed_in.tokens.refresh_token, r"pass flow\.token_source\(\.\.\.\)"),
    "None": (
        lambda _: None,
        "needs Tokens, a source of .*AuthFlow.token_source or an access token, not NoneType",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_account_of_something_else_names_what_to_pass(world: World, kind: str) -> None:
    alice = world.alice()
    wrong, message = WRONG[kind]

    with pytest.raises(UsageError, match=message) as refused:
        alice.flow.account(wrong(alice.signed_in))

    assert str(alice.signed_in.tokens.refresh_token) not in str(refused.value)


def test_account_of_the_other_drivers_source_names_what_to_pass(world: World) -> None:
    alice = world.alice()
    other = World(not world.is_async).flow(alice.pool)
    source = other.token_source(alice.signed_in.tokens)

    with pytest.raises(
        UsageError, match=r"AuthFlow\.token_source or an access token, not (Async)?TokenSource"
    ):
        alice.flow.account(getattr(source, "inner", source))


# -- profile --


def test_profile_shows_attributes_and_second_factors(world: World) -> None:
    alice = world.alice(**OPTIONAL, **SMS)
    before = alice.account.user()
    alice.account.set_mfa([MfaType.SMS_MFA], preferred=MfaType.SMS_MFA)
    after = alice.account.user()

    assert (before.username, before.attributes["email"]) == ("alice", ADDRESS)
    assert (before.enabled_mfa, before.preferred_mfa) == ((), None)
    assert (after.enabled_mfa, after.preferred_mfa) == ((MfaType.SMS_MFA,), MfaType.SMS_MFA)


def test_attributes_are_changed_and_deleted(world: World) -> None:
    alice = world.alice()

    assert alice.account.update_attributes({"name": "Alice", "nickname": "Al"}) == ()
    alice.account.delete_attributes(["nickname"])

    attributes = alice.account.user().attributes
    assert attributes["name"] == "Alice"
    assert "nickname" not in attributes


def test_new_address_is_verified_with_the_newest_code(world: World) -> None:
    alice = world.alice(**VERIFIED)

    (delivery,) = alice.account.update_attributes({"email": "other@example.com"})
    is_verified = alice.account.user().is_verified("email")
    again = alice.account.send_attribute_code("email")
    alice.account.verify_attribute("email", alice.pool.last_code("alice"))

    assert (delivery.sent_to, again.sent_to, is_verified) == ("o***@e***", "o***@e***", False)
    assert alice.account.user().is_verified("email")


def test_wrong_and_used_codes_verify_no_address(world: World) -> None:
    alice = world.alice(**VERIFIED)
    alice.account.update_attributes({"email": "other@example.com"})
    code = alice.pool.last_code("alice")

    with pytest.raises(WrongCode):
        alice.account.verify_attribute("email", "incorrect")
    alice.account.verify_attribute("email", code)
    with pytest.raises(CodeExpired):
        alice.account.verify_attribute("email", code)


def test_address_of_another_user_raises_alias_exists(world: World) -> None:
    alice = world.alice(**VERIFIED, alias_attributes=["email"])
    alice.pool.add_user("bob", email="bob@example.com")
    alice.account.update_attributes({"email": "bob@example.com"})

    with pytest.raises(AliasExists):
        alice.account.verify_attribute("email", alice.pool.last_code("alice"))


def test_bound_metadata_reaches_the_trigger_of_an_account_call(world: World) -> None:
    alice = world.alice(**VERIFIED)
    events: list[Any] = []
    flow = world.flow(alice.pool, on_event=events.append).bind(metadata={"from": "web"})
    account = flow.account(alice.signed_in.tokens)

    account.update_attributes({"email": "other@example.com"})
    account.send_attribute_code("email")

    assert ["ClientMetadata.from" in event.sent for event in events] == [True, True]


def test_changed_password_signs_in(world: World) -> None:
    alice = world.alice()

    alice.account.change_password(PASSWORD, OTHER_PASSWORD)

    assert isinstance(alice.flow.start(UserSrpAuth("alice", OTHER_PASSWORD)), SignedIn)


def test_wrong_previous_and_weak_new_password_are_refused(world: World) -> None:
    alice = world.alice()

    with pytest.raises(IncorrectPassword):
        alice.account.change_password("wrong", OTHER_PASSWORD)
    with pytest.raises(PasswordRejected):
        alice.account.change_password(PASSWORD, "weak")


def test_user_without_a_password_sets_the_first_one(world: World) -> None:
    alice = world.alice()
    alice.pool.user("alice").verifier = None

    alice.account.change_password(None, OTHER_PASSWORD)

    assert isinstance(alice.flow.start(UserSrpAuth("alice", OTHER_PASSWORD)), SignedIn)


def test_too_many_wrong_previous_passwords_raise_limit_exceeded(world: World) -> None:
    alice = world.alice()
    for _ in range(5):
        with pytest.raises(IncorrectPassword):
            alice.account.change_password("wrong", OTHER_PASSWORD)

    with pytest.raises(LimitExceeded):
        alice.account.change_password(PASSWORD, OTHER_PASSWORD)


# -- second factors --


def test_enrolled_authenticator_app_is_asked_for_at_the_next_sign_in(world: World) -> None:
    alice = world.alice(**OPTIONAL, **TOTP)
    secret = alice.account.enrol_totp()

    alice.account.confirm_totp(totp_code(secret.secret_code, NOW), device_name="my phone")

    challenge = alice.flow.start(UserSrpAuth("alice", PASSWORD))
    assert isinstance(challenge, SoftwareTokenMfa)
    assert challenge.sent_to == "my phone"
    assert isinstance(alice.flow.send(challenge.answer(alice.pool.totp("alice"))), SignedIn)


def test_totp_uri_names_issuer_and_account(world: World) -> None:
    secret = world.alice(**OPTIONAL, **TOTP).account.enrol_totp()

    assert secret.uri("Books") == f"otpauth://totp/Books:alice?secret={secret.secret_code}&issuer=Books"
    assert "totp/Books:me?" in secret.uri("Books", "me")


def test_wrong_first_code_may_be_followed_by_the_right_one(world: World) -> None:
    alice = world.alice(**OPTIONAL, **TOTP)
    right = totp_code(alice.account.enrol_totp().secret_code, NOW)

    with pytest.raises(WrongCode):
        alice.account.confirm_totp("000000" if right != "000000" else "000001")
    alice.account.confirm_totp(right)


def test_another_process_confirms_the_authenticator_app(world: World) -> None:
    alice = world.alice(**OPTIONAL, **TOTP, **SMS)
    alice.account.set_mfa([MfaType.SMS_MFA], preferred=MfaType.SMS_MFA)
    secret_code = alice.account.enrol_totp().secret_code

    other = world.flow(alice.pool).account(alice.signed_in.tokens)
    other.confirm_totp(totp_code(secret_code, NOW), preferred=False)

    profile = other.user()
    assert set(profile.enabled_mfa) == {MfaType.SMS_MFA, MfaType.SOFTWARE_TOKEN_MFA}
    assert profile.preferred_mfa is MfaType.SMS_MFA


def test_pool_without_authenticator_apps_raises_misconfigured_with_a_hint(world: World) -> None:
    with pytest.raises(Misconfigured, match="enable software token MFA"):
        world.alice().account.enrol_totp()


def test_set_mfa_leaves_other_factors_as_they_are(world: World) -> None:
    alice = world.alice(**OPTIONAL, **SMS, **EMAIL)
    alice.account.set_mfa(MfaType.SMS_MFA, preferred=MfaType.SMS_MFA)

    alice.account.set_mfa(MfaType.EMAIL_OTP)

    profile = alice.account.user()
    assert set(profile.enabled_mfa) == {MfaType.SMS_MFA, MfaType.EMAIL_OTP}
    assert profile.preferred_mfa is MfaType.SMS_MFA


def test_set_mfa_turns_factors_off_and_clears_the_preference(world: World) -> None:
    alice = world.alice(**OPTIONAL, **SMS, **EMAIL)
    alice.account.set_mfa([MfaType.SMS_MFA, MfaType.EMAIL_OTP], preferred=MfaType.SMS_MFA)

    alice.account.set_mfa(preferred=False)
    undecided = alice.account.user()
    alice.account.set_mfa(disabled=[MfaType.SMS_MFA, MfaType.SOFTWARE_TOKEN_MFA])

    assert (len(undecided.enabled_mfa), undecided.preferred_mfa) == (2, None)
    assert alice.account.user().enabled_mfa == (MfaType.EMAIL_OTP,)


def test_auth_factors_list_what_the_user_has_set_up(world: World) -> None:
    alice = world.alice(**OPTIONAL, **SMS)
    alice.account.set_mfa(preferred=MfaType.SMS_MFA)

    factors = alice.account.auth_factors()

    assert set(factors.configured) == {FirstFactor.PASSWORD, FirstFactor.EMAIL_OTP, FirstFactor.SMS_OTP}
    assert (factors.enabled_mfa, factors.preferred_mfa) == ((MfaType.SMS_MFA,), MfaType.SMS_MFA)


def test_factor_that_the_user_lacks_raises_service_error(world: World) -> None:
    alice = world.alice(**OPTIONAL, **TOTP)

    with pytest.raises(ServiceError, match="delivery config"):
        alice.account.set_mfa([MfaType.SOFTWARE_TOKEN_MFA])


MULTI_FACTOR: dict[str, Any] = {
    **SMS,
    **PASSKEYS,
    **OPTIONAL,
    "web_authn_configuration": {
        "RelyingPartyId": "app.example",
        "FactorConfiguration": "MULTI_FACTOR_WITH_USER_VERIFICATION",
    },
}
needs_passkey_mfa = needs_member("SetUserMFAPreferenceRequest", "WebAuthnMfaSettings")


@needs_passkey_mfa
def test_passkey_as_second_factor_requires_user_verification(world: World) -> None:
    alice = world.alice(**MULTI_FACTOR)
    alice.account.set_mfa([MfaType.SMS_MFA, MfaType.WEB_AUTHN])
    device = SoftAuthenticator()

    options = alice.account.start_passkey().options
    alice.account.finish_passkey(device.create(options))
    challenge = alice.flow.start(UserAuth("alice", preferred="WEB_AUTHN"))

    assert member(options, "authenticatorSelection", "userVerification") == "required"
    assert challenge.options["userVerification"] == "required"
    assert isinstance(alice.flow.send(challenge.answer(device.get(challenge.options))), SignedIn)


@needs_passkey_mfa
def test_user_with_a_second_factor_is_offered_the_passkey_once_they_turned_it_on(world: World) -> None:
    alice = world.alice(**MULTI_FACTOR)
    alice.account.finish_passkey(SoftAuthenticator().create(alice.account.start_passkey().options))
    alice.account.set_mfa([MfaType.SMS_MFA])
    without = alice.flow.start(UserAuth("alice"))
    alice.account.set_mfa([MfaType.WEB_AUTHN])

    choices = alice.flow.start(UserAuth("alice"))

    assert isinstance(without, SelectChallenge)
    assert isinstance(choices, SelectChallenge)
    assert ("WEB_AUTHN" in without.choices, "WEB_AUTHN" in choices.choices) == (False, True)


@needs_passkey_mfa
def test_passkey_as_second_factor_needs_another_one(world: World) -> None:
    alice = world.alice(**MULTI_FACTOR)

    with pytest.raises(ServiceError, match="another MFA method"):
        alice.account.set_mfa(MfaType.WEB_AUTHN)
    alice.account.set_mfa([MfaType.SMS_MFA, MfaType.WEB_AUTHN])
    with pytest.raises(ServiceError, match="another MFA method"):
        alice.account.set_mfa(disabled=MfaType.SMS_MFA)
    alice.account.set_mfa(disabled=[MfaType.SMS_MFA, MfaType.WEB_AUTHN])

    assert alice.account.user().enabled_mfa == ()


@needs_passkey_mfa
def test_pool_with_passkeys_as_single_factor_refuses_them_as_second_factor(world: World) -> None:
    alice = world.alice(**{**OPTIONAL, **SMS, **PASSKEYS})

    with pytest.raises(ServiceError, match="Passkey MFA is not enabled"):
        alice.account.set_mfa([MfaType.SMS_MFA, MfaType.WEB_AUTHN])


# -- lost responses --


@pytest.mark.parametrize(
    ("operation", "change"),
    [
        ("SetUserMFAPreference", lambda account: account.set_mfa([MfaType.SMS_MFA])),
        ("UpdateDeviceStatus", lambda account: account.remember_device()),
        ("StartWebAuthnRegistration", lambda account: account.start_passkey()),
    ],
)
def test_lost_call_that_can_be_repeated_without_harm_is_repeated(
    world: World, operation: str, change: Callable[[Any], object]
) -> None:
    alice = world.alice(**{**OPT_IN, **PASSKEYS, **OPTIONAL, **SMS})
    world.cognito.faults.lose(operation)

    change(alice.account)

    assert world.calls(operation) == 2


@pytest.mark.parametrize(
    ("operation", "change"),
    [
        ("ChangePassword", lambda account: account.change_password(PASSWORD, OTHER_PASSWORD)),
        ("UpdateUserAttributes", lambda account: account.update_attributes({"email": "b@example.com"})),
        ("ForgetDevice", lambda account: account.forget_device()),
        ("GlobalSignOut", lambda account: account.sign_out_everywhere()),
        ("DeleteUser", lambda account: account.delete_user()),
    ],
)
def test_lost_call_that_would_be_refused_the_second_time_is_not_repeated(
    world: World, operation: str, change: Callable[[Any], object]
) -> None:
    alice = world.alice(**OPT_IN)
    world.cognito.faults.lose(operation)

    with pytest.raises(TransportError) as lost:
        change(alice.account)

    assert lost.value.maybe_processed
    assert world.calls(operation) == 1


# -- passkeys --


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_registered_passkey_signs_in(world: World, algorithm: Literal["ES256", "RS256"]) -> None:
    alice = world.alice(**PASSKEYS)
    device = SoftAuthenticator(algorithm=algorithm)

    alice.account.finish_passkey(device.create(alice.account.start_passkey().options_json))

    challenge = alice.flow.start(UserAuth("alice", preferred="WEB_AUTHN"))
    assert isinstance(challenge, WebAuthn)
    assert isinstance(alice.flow.send(challenge.answer(device.get(challenge.options_json))), SignedIn)


def test_passkeys_are_listed_and_deleted(world: World) -> None:
    alice = world.alice(**PASSKEYS)
    alice.account.finish_passkey(SoftAuthenticator().create(alice.account.start_passkey().options))

    (passkey,) = alice.account.passkeys()
    alice.account.delete_passkey(passkey.credential_id)

    assert (passkey.relying_party_id, passkey.created_at) == ("app.example", NOW)
    assert passkey.transports == ("internal",)
    assert len(base64.urlsafe_b64decode(passkey.credential_id + "==")) == 32
    assert alice.account.passkeys() == ()
    with pytest.raises(ServiceError, match="does not exist"):
        alice.account.delete_passkey(passkey.credential_id)


def test_another_process_finishes_the_passkey_once(world: World) -> None:
    alice = world.alice(**PASSKEYS)
    credential = SoftAuthenticator().create(alice.account.start_passkey().options)

    other = world.flow(alice.pool).account(alice.signed_in.tokens)
    other.finish_passkey(credential)

    assert len(other.passkeys()) == 1
    with pytest.raises(FlowExpired):
        other.finish_passkey(credential)


def test_passkey_that_comes_after_five_minutes_raises_flow_expired(world: World) -> None:
    alice = world.alice(**PASSKEYS)
    options = alice.account.start_passkey().options
    world.cognito.clock.advance(301)

    with pytest.raises(FlowExpired):
        alice.account.finish_passkey(SoftAuthenticator().create(options))


def test_passkey_of_a_page_on_another_domain_raises_misconfigured_with_a_hint(world: World) -> None:
    alice = world.alice(**PASSKEYS)
    options = alice.account.start_passkey().options

    with pytest.raises(Misconfigured, match="relying party id"):
        alice.account.finish_passkey(SoftAuthenticator(origin="https://elsewhere.example").create(options))


def test_pool_without_passkeys_raises_misconfigured_with_a_hint(world: World) -> None:
    with pytest.raises(Misconfigured, match="allow WEB_AUTHN"):
        world.alice().account.start_passkey()


# -- devices --


def test_remembered_device_is_listed(world: World) -> None:
    alice = world.alice(**OPT_IN)

    assert alice.account.devices() == ()
    alice.account.remember_device()
    (device,) = alice.account.devices()

    assert device.key == alice.signed_in.tokens.device_key
    assert (device.created_at, device.authenticated_at) == (NOW, NOW)
    assert device.attributes["device_status"] == "valid"


def test_device_is_found_before_it_is_remembered(world: World) -> None:
    alice = world.alice(**OPT_IN)
    key = alice.signed_in.tokens.device_key

    assert alice.account.device() == alice.account.device(key)
    assert alice.account.device().key == key


def test_device_that_is_no_longer_remembered_is_not_listed(world: World) -> None:
    alice = world.alice(**OPT_IN)
    alice.account.remember_device()

    alice.account.remember_device(remembered=False)

    assert alice.account.devices() == ()
    assert alice.account.device().key == alice.signed_in.tokens.device_key


def test_forgetting_a_device_ends_its_refresh_token_only(world: World) -> None:
    alice = world.alice(**ALWAYS)
    phone: SignedIn = alice.flow.start(UserSrpAuth("alice", PASSWORD))

    alice.account.forget_device()

    with pytest.raises(RefreshTokenInvalid):
        alice.flow.refresh(alice.signed_in.tokens)
    (left,) = alice.account.devices()
    assert left.key == phone.tokens.device_key
    assert alice.flow.refresh(phone.tokens).username == "alice"


def test_forgotten_device_leaves_the_flows_store(world: World) -> None:
    alice = world.alice(**ALWAYS)
    store = MemoryStore()
    flow = world.flow(alice.pool, devices=store)
    signed_in: SignedIn = flow.start(UserSrpAuth("alice", PASSWORD))
    assert store.get_device(alice.pool.app, "alice") == signed_in.device

    flow.account(signed_in.tokens).forget_device()

    assert store.get_device(alice.pool.app, "alice") is None


def test_unknown_device_raises_device_forgotten(world: World) -> None:
    alice = world.alice(**ALWAYS)

    for call in (alice.account.device, alice.account.remember_device, alice.account.forget_device):
        with pytest.raises(DeviceForgotten):
            call("eu-west-1_00000000-0000-0000-0000-000000000000")


# -- the end --


@pytest.mark.parametrize("admin", [False, True])
def test_sign_out_everywhere_ends_all_sessions_of_this_user_only(world: World, admin: bool) -> None:
    alice = world.alice()
    alice.pool.add_user("bob", PASSWORD)
    flow = world.flow(alice.pool, admin=admin)
    phone: SignedIn = flow.start(UserPasswordAuth("alice", PASSWORD))
    bob: SignedIn = flow.start(UserPasswordAuth("bob", PASSWORD))

    flow.account(phone.tokens).sign_out_everywhere()

    for tokens in (phone.tokens, alice.signed_in.tokens):
        with pytest.raises(TokenRevoked):
            flow.account(tokens).user()
        with pytest.raises(NotAuthorized):
            flow.refresh(tokens)
    assert flow.account(bob.tokens).user().username == "bob"
    assert world.calls("GlobalSignOut") == 1


def test_deleted_user_can_neither_use_the_account_nor_sign_in(world: World) -> None:
    alice = world.alice()

    alice.account.delete_user()

    with pytest.raises(CognitoFlowError):
        alice.account.user()
    with pytest.raises(NotAuthorized):
        alice.flow.start(UserSrpAuth("alice", PASSWORD))


# -- secrets --


def texts(error: BaseException) -> str:
    """All that an error shows, with its causes."""
    shown, link = "", error
    while link is not None:
        shown += f"{link!r} {link} {vars(link)}"
        link = link.__cause__ or link.__context__  # type: ignore[assignment]  # the end of the chain is None
    return shown


@searches(Place.REPRS, Place.ERRORS)
def test_events_errors_and_records_show_no_planted_secret(world: World) -> None:
    events: list[object] = []
    pool = world.cognito.create_pool(**VERIFIED, **OPTIONAL, **TOTP)
    flow = world.flow(pool, on_event=events.append)
    signed_up = flow.sign_up("alice", PASSWORD, attributes={"email": ADDRESS})
    errors = []
    attempts: list[Callable[[], object]] = [
        lambda: flow.sign_up("alice", "Sentinel-weak-1", attributes={"email": "Sentinel-address"}),
        lambda: flow.confirm_sign_up(signed_up, "Sentinel-code"),
        lambda: flow.confirm_sign_up(signed_up, "Sentinel code\u2028 with odd letters"),
        lambda: flow.confirm_forgot_password("alice", "Sentinel-code", "Sentinel-weak-2"),
        lambda: flow.sign_up("bob", "Sentinel with spaces"),
    ]
    for attempt in attempts:
        with pytest.raises(CognitoFlowError) as refused:
            attempt()
        errors.append(texts(refused.value))
    signed_in = flow.confirm_sign_up(signed_up, pool.last_code("alice"))
    account = flow.account(signed_in.tokens)
    with pytest.raises(CognitoFlowError) as refused:
        account.change_password("Sentinel-previous", OTHER_PASSWORD)
    errors.append(texts(refused.value))
    secret, profile = account.enrol_totp(), account.user()

    shown = repr([*events, *errors, signed_up, signed_in, account, secret, profile])

    secrets = ["Sentinel", PASSWORD, OTHER_PASSWORD, signed_up.session, secret.secret_code]
    secrets += [
        signed_in.tokens.access_token,
        signed_in.tokens.refresh_token,
        pool.last_code("alice"),
        ADDRESS,
    ]
    assert [secret for secret in secrets if secret in shown] == []


@searches(Place.FRAMES)
def test_frames_of_a_traceback_hold_no_secret(world: World) -> None:
    alice = world.alice(**OPTIONAL, **TOTP)
    flow, account, secret = alice.flow, alice.account, "Sentinel-7"
    account.enrol_totp()
    attempts: list[Callable[[], object]] = [
        lambda: flow.sign_up("alice", secret),
        lambda: flow.confirm_sign_up("alice", secret),
        lambda: flow.confirm_forgot_password("alice", secret, secret),
        lambda: account.verify_attribute("email", secret),
        lambda: account.change_password(secret, secret),
        lambda: account.confirm_totp(secret),
    ]
    for attempt in attempts:
        with pytest.raises(CognitoFlowError) as refused:
            attempt()
        frames = [frame for frame, _ in traceback.walk_tb(refused.value.__traceback__)]
        ours = [frame for frame in frames if PACKAGE in Path(frame.f_code.co_filename).parents]
        assert ours
        assert [frame for frame in ours if secret in repr(frame.f_locals)] == []
