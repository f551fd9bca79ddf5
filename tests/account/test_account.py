"""Accounts against LocalCognito, blocking and in asyncio: signing up, recovery, and what signed-in people do.

Rule of this file: each test is written once. `World.flow` gives either flow; what is awaitable is awaited
before a test sees it.
"""

from __future__ import annotations

import asyncio
import base64
import inspect
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest

import cognito_flow
from cognito_flow import (
    AliasExists,
    AppClient,
    CodeExpired,
    CognitoFlowError,
    DeviceForgotten,
    Event,
    FlowExpired,
    IncorrectPassword,
    LimitExceeded,
    MemoryDeviceStore,
    MfaType,
    Misconfigured,
    NotAuthorized,
    PasswordRejected,
    PasswordResetRequired,
    SecretHashMismatch,
    ServiceError,
    SignedIn,
    SoftwareTokenMfa,
    TokenExpired,
    TokenRevoked,
    TransportError,
    TriggerRefused,
    UserAuth,
    UserContext,
    UserExists,
    UserNotConfirmed,
    UserNotFound,
    UserPasswordAuth,
    UserSrpAuth,
    WebAuthn,
    WrongCode,
)
from cognito_flow.testing import Clock, LocalCognito, Pool, SoftAuthenticator, totp_code
from cognito_flow.testing._state import Members
from tests.scenarios.choices import PASSKEYS
from tests.scenarios.devices import ALWAYS, OPT_IN
from tests.scenarios.second_factors import EMAIL, OPTIONAL, SMS, TOTP

PACKAGE = Path(cognito_flow.__file__).parent
PASSWORD, OTHER_PASSWORD = "Correct-horse-1", "Battery-staple-2"
NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
ADDRESS = "alice@example.com"
VERIFIED: dict[str, Any] = {"auto_verified_attributes": ["email"]}
TELLING: dict[str, Any] = {"prevent_user_existence_errors": "LEGACY"}


class Awaited:
    """An object of asyncio whose methods are waited for."""

    def __init__(self, inner: object) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> object:
        value = getattr(self._inner, name)
        return value if not callable(value) else lambda *given, **named: _awaited(value(*given, **named))


def _awaited(result: Any) -> object:
    if inspect.iscoroutine(result):
        result = asyncio.run(result)
    return Awaited(result) if type(result).__name__.startswith("Async") else result


@attrs.define
class World:
    """A service with its own clock, and one of the two drivers."""

    is_async: bool
    cognito: LocalCognito = attrs.field(factory=lambda: LocalCognito(clock=Clock(lambda: NOW)))

    def flow(self, pool: Pool, app: AppClient | None = None, **options: Any) -> Any:
        """A flow of this driver. What is tested is the same for both, so it has no type here."""
        return Awaited(pool.async_flow(app, **options)) if self.is_async else pool.flow(app, **options)

    def alice(self, **members: Any) -> Person:
        """Alice, signed in to a pool with these settings, with an address that is verified."""
        return Person(self, self.cognito.create_pool(**members))


@pytest.fixture(params=["sync", "async"])
def world(request: pytest.FixtureRequest) -> World:
    """The same for both drivers."""
    return World(request.param == "async")


class Person:
    """Alice, with what a test needs of her."""

    def __init__(self, world: World, pool: Pool) -> None:
        self.world, self.pool = world, pool
        pool.add_user("alice", PASSWORD, email=ADDRESS, phone_number="+31612345678")
        self.flow = world.flow(pool)
        self.done: SignedIn = self.flow.start(UserSrpAuth("alice", PASSWORD))
        self.account = self.flow.account(self.done.tokens)

    def calls(self, operation: str) -> int:
        """How often an operation was called."""
        return [call.operation for call in self.world.cognito.calls].count(operation)


# -- signing up --


def test_a_person_signs_up_confirms_and_is_signed_in(world: World) -> None:
    """The session goes from one call to the next, and nothing is asked again."""
    pool = world.cognito.create_pool(**VERIFIED)
    flow = world.flow(pool)

    signed_up = flow.sign_up("alice", PASSWORD, attributes={"email": ADDRESS, "name": "Alice"})

    assert (signed_up.username, signed_up.confirmed) == ("alice", False)
    delivery = signed_up.delivery
    assert (delivery.medium, delivery.sent_to, delivery.attribute) == ("EMAIL", "a***@e***", "email")
    session = flow.confirm_sign_up("alice", pool.last_code("alice"), session=signed_up.session)
    step = flow.start(UserAuth("alice", session=session))
    assert isinstance(step, SignedIn)
    profile = flow.account(step.tokens).user()
    assert profile.attributes["sub"] == signed_up.user_sub
    assert profile.attributes["name"] == "Alice"
    assert profile.is_verified("email")


def test_a_person_may_confirm_first_and_sign_in_later(world: World) -> None:
    """Without the session there is none to hand on."""
    pool = world.cognito.create_pool(**VERIFIED)
    flow = world.flow(pool)
    flow.sign_up("alice", PASSWORD, attributes={"email": ADDRESS})
    with pytest.raises(UserNotConfirmed):
        flow.start(UserSrpAuth("alice", PASSWORD))

    code = pool.last_code("alice")
    session = flow.confirm_sign_up("alice", f"{code[:3]} {code[3:]}")

    assert session is None
    assert isinstance(flow.start(UserSrpAuth("alice", PASSWORD)), SignedIn)


@pytest.mark.parametrize("admin", [False, True])
def test_a_client_with_a_secret_signs_people_up(world: World, admin: bool) -> None:
    """Every call carries the hash; through an Admin flow, too, which has no other operations for it."""
    pool = world.cognito.create_pool(**VERIFIED)
    flow = world.flow(pool, pool.app_client(secret=True), admin=admin)

    flow.sign_up("alice", PASSWORD, attributes={"email": ADDRESS})
    flow.resend_code("alice")
    flow.confirm_sign_up("alice", pool.last_code("alice"))
    flow.forgot_password("alice")
    flow.confirm_forgot_password("alice", pool.last_code("alice"), OTHER_PASSWORD)

    done = flow.start(UserPasswordAuth("alice", OTHER_PASSWORD))
    assert flow.account(done.tokens).user().username == "alice"


def test_a_wrong_secret_is_told_as_what_it_is(world: World) -> None:
    """It is the caller who must mend it, not the person."""
    pool = world.cognito.create_pool()
    app = attrs.evolve(pool.app_client(secret=True), client_secret="wrong")

    with pytest.raises(SecretHashMismatch, match="secret of this very app client"):
        world.flow(pool, app).sign_up("alice", PASSWORD)


def test_a_trigger_confirms_a_sign_up(world: World) -> None:
    """It sees what only it may see, and no code is sent."""
    pool = world.cognito.create_pool(**VERIFIED)
    seen: list[Members] = []

    def confirm(event: Members) -> Members:
        seen.append(event["request"])
        event["response"] |= {"autoConfirmUser": True}
        return event

    pool.triggers["PreSignUp"] = confirm
    flow = world.flow(pool, metadata={"from": "web"})

    signed_up = flow.sign_up(
        "alice",
        PASSWORD,
        attributes={"email": ADDRESS},
        validation_data={"captcha": "7"},
    )

    assert (signed_up.confirmed, signed_up.delivery, world.cognito.outbox) == (True, None, [])
    assert seen[0]["validationData"] == {"captcha": "7"}
    assert seen[0]["clientMetadata"] == {"from": "web"}
    assert isinstance(flow.start(UserSrpAuth("alice", PASSWORD)), SignedIn)


def test_a_trigger_refuses_a_sign_up(world: World) -> None:
    """By its name."""

    def refuse(event: Members) -> Members:
        raise ValueError("not from there")

    pool = world.cognito.create_pool()
    pool.triggers["PreSignUp"] = refuse

    with pytest.raises(TriggerRefused, match="not from there") as refused:
        world.flow(pool).sign_up("alice", PASSWORD)
    assert refused.value.trigger == "PreSignUp"


def test_a_taken_name_is_told(world: World) -> None:
    """Also to those who may not know who exists: there is no other way to say it."""
    alice = world.alice()

    with pytest.raises(UserExists):
        alice.flow.sign_up("alice", PASSWORD)


def test_a_weak_password_is_told(world: World) -> None:
    """With the policy's own words; and nobody is made."""
    flow = world.flow(world.cognito.create_pool())

    with pytest.raises(PasswordRejected) as refused:
        flow.sign_up("alice", "weak-weak-weak")
    assert "weak-weak-weak" not in str(refused.value)
    flow.sign_up("alice", PASSWORD)


def test_a_person_without_a_password_signs_up(world: World) -> None:
    """Where a code by e-mail is a first factor."""
    factors = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
    pool = world.cognito.create_pool(**VERIFIED, policies=factors)

    signed_up = world.flow(pool).sign_up("alice", attributes={"email": ADDRESS})

    assert signed_up.delivery.attribute == "email"


def test_a_wrong_code_confirms_nobody_and_an_old_one_neither(world: World) -> None:
    """The one is asked for again, the other is sent again."""
    pool = world.cognito.create_pool(**VERIFIED)
    flow = world.flow(pool)
    flow.sign_up("alice", PASSWORD, attributes={"email": ADDRESS})
    with pytest.raises(WrongCode):
        flow.confirm_sign_up("alice", "incorrect")
    world.cognito.clock.advance(25 * 3600)
    with pytest.raises(CodeExpired):
        flow.confirm_sign_up("alice", pool.last_code("alice"))

    assert flow.resend_code("alice").sent_to == "a***@e***"
    flow.confirm_sign_up("alice", pool.last_code("alice"))
    with pytest.raises(NotAuthorized, match="Current status is CONFIRMED"):
        flow.confirm_sign_up("alice", pool.last_code("alice"))


def test_an_address_is_taken_over_only_on_purpose(world: World) -> None:
    """In a pool where addresses are aliases, the second one to confirm has to say so."""
    pool = world.cognito.create_pool(**VERIFIED, alias_attributes=["email"])
    pool.add_user("bob", OTHER_PASSWORD, email=ADDRESS)
    flow = world.flow(pool)
    flow.sign_up("alice", PASSWORD, attributes={"email": ADDRESS})
    code = pool.last_code("alice")

    with pytest.raises(AliasExists):
        flow.confirm_sign_up("alice", code)
    flow.confirm_sign_up("alice", code, force_alias_creation=True)

    done = flow.start(UserSrpAuth(ADDRESS, PASSWORD))
    assert isinstance(done, SignedIn)
    assert done.username == "alice"


VISITS: dict[str, tuple[str, ...]] = {
    "sign_up": ("alice", PASSWORD),
    "confirm_sign_up": ("alice", "123456"),
    "resend_code": ("alice",),
    "forgot_password": ("alice",),
    "confirm_forgot_password": ("alice", "123456", PASSWORD),
}


@pytest.mark.parametrize("visit", VISITS)
def test_the_request_of_a_visitor_is_told_to_the_pool(world: World, visit: str) -> None:
    """The context and the metadata of one call go with it, whatever comes of it."""
    events: list[Event] = []
    sent_with: dict[str, Any] = {"metadata": {"from": "web"}, "context": UserContext("192.0.2.1")}
    flow = world.flow(world.cognito.create_pool(), on_event=events.append, **sent_with)

    with suppress(ServiceError):
        getattr(flow, visit)(*VISITS[visit])

    assert {"ClientMetadata.from", "UserContextData.IpAddress"} <= set(events[0].sent)


# -- recovery --


def test_a_forgotten_password_is_replaced(world: World) -> None:
    """A password that breaks the policy leaves the code good."""
    alice = world.alice()
    delivery = alice.flow.forgot_password("alice")
    code = alice.pool.last_code("alice")

    assert delivery.attribute in ("email", "phone_number")
    with pytest.raises(WrongCode):
        alice.flow.confirm_forgot_password("alice", "incorrect", OTHER_PASSWORD)
    with pytest.raises(PasswordRejected):
        alice.flow.confirm_forgot_password("alice", code, "weak")
    alice.flow.confirm_forgot_password("alice", code, OTHER_PASSWORD)
    with pytest.raises(IncorrectPassword):
        alice.flow.start(UserSrpAuth("alice", PASSWORD))
    assert isinstance(alice.flow.start(UserSrpAuth("alice", OTHER_PASSWORD)), SignedIn)


def test_a_code_for_a_new_password_grows_old(world: World) -> None:
    """After an hour."""
    alice = world.alice()
    alice.flow.forgot_password("alice")
    world.cognito.clock.advance(3601)

    with pytest.raises(CodeExpired):
        alice.flow.confirm_forgot_password("alice", alice.pool.last_code("alice"), OTHER_PASSWORD)


def test_a_password_that_an_administrator_reset_is_recovered(world: World) -> None:
    """The sign-in says so, and the code is there already."""
    alice = world.alice()
    client: Any = world.cognito.client()
    client.admin_reset_user_password(UserPoolId=alice.pool.id, Username="alice")
    with pytest.raises(PasswordResetRequired):
        alice.flow.start(UserSrpAuth("alice", PASSWORD))

    alice.flow.confirm_forgot_password("alice", alice.pool.last_code("alice"), OTHER_PASSWORD)

    assert isinstance(alice.flow.start(UserSrpAuth("alice", OTHER_PASSWORD)), SignedIn)


def test_nobody_learns_who_exists(world: World) -> None:
    """Unless the app client tells it."""
    pool = world.cognito.create_pool(**VERIFIED)
    hiding = world.flow(pool, pool.app_client(prevent_user_existence_errors="ENABLED"))
    telling = world.flow(pool, pool.app_client(**TELLING))

    assert hiding.forgot_password("nobody").medium == "EMAIL"
    assert hiding.resend_code("nobody").medium == "EMAIL"
    assert world.cognito.outbox == []
    for ask in (telling.forgot_password, telling.resend_code):
        with pytest.raises(UserNotFound):
            ask("nobody")


def test_whoever_asks_too_often_is_told_to_wait(world: World) -> None:
    """And the client does not ask on its own."""
    alice = world.alice()

    def ask_for_ever() -> None:
        for _ in range(100):
            alice.flow.forgot_password("alice")

    with pytest.raises(LimitExceeded):
        ask_for_ever()
    assert alice.calls("ForgotPassword") == len(world.cognito.outbox) + 1


def test_a_confirmation_whose_answer_was_lost_is_not_sent_again(world: World) -> None:
    """It may have been carried out, and then the code is spent."""
    pool = world.cognito.create_pool(**VERIFIED)
    flow = world.flow(pool)
    flow.sign_up("alice", PASSWORD, attributes={"email": ADDRESS})
    world.cognito.faults.lose("ConfirmSignUp")

    with pytest.raises(TransportError) as lost:
        flow.confirm_sign_up("alice", pool.last_code("alice"))

    assert lost.value.maybe_processed
    assert [call.operation for call in world.cognito.calls].count("ConfirmSignUp") == 1


# -- profile --


def test_a_profile_shows_attributes_and_factors(world: World) -> None:
    """As far as there are any."""
    alice = world.alice(**OPTIONAL, **SMS)
    before = alice.account.user()
    alice.account.set_mfa([MfaType.SMS_MFA], preferred=MfaType.SMS_MFA)
    after = alice.account.user()

    assert (before.username, before.attributes["email"]) == ("alice", ADDRESS)
    assert (before.enabled_mfa, before.preferred_mfa) == ((), None)
    assert (after.enabled_mfa, after.preferred_mfa) == ((MfaType.SMS_MFA,), MfaType.SMS_MFA)


def test_attributes_are_changed_and_deleted(world: World) -> None:
    """What needs no proof is changed at once."""
    alice = world.alice()

    assert alice.account.update_attributes({"name": "Alice", "nickname": "Al"}) == ()
    alice.account.delete_attributes(["nickname"])

    attributes = alice.account.user().attributes
    assert attributes["name"] == "Alice"
    assert "nickname" not in attributes


def test_a_new_address_is_verified(world: World) -> None:
    """With the code that the change sent, or with one that was asked for."""
    alice = world.alice(**VERIFIED)

    (delivery,) = alice.account.update_attributes({"email": "other@example.com"})
    unverified = alice.account.user().is_verified("email")
    first = alice.pool.last_code("alice")
    with pytest.raises(WrongCode):
        alice.account.verify_attribute("email", "incorrect")
    again = alice.account.send_attribute_code("email")
    newest = alice.pool.last_code("alice")
    alice.account.verify_attribute("email", newest)

    assert (delivery.sent_to, again.sent_to, unverified) == ("o***@e***", "o***@e***", False)
    assert len(first) == 6
    assert alice.account.user().is_verified("email")
    with pytest.raises(CodeExpired):
        alice.account.verify_attribute("email", newest)


def test_an_address_of_somebody_else_is_refused(world: World) -> None:
    """In a pool where addresses are aliases, once it would become one."""
    alice = world.alice(**VERIFIED, alias_attributes=["email"])
    alice.pool.add_user("bob", email="bob@example.com")
    alice.account.update_attributes({"email": "bob@example.com"})

    with pytest.raises(AliasExists):
        alice.account.verify_attribute("email", alice.pool.last_code("alice"))


def test_a_password_is_changed(world: World) -> None:
    """By somebody who knows it; the refusals are typed."""
    alice = world.alice()

    with pytest.raises(IncorrectPassword):
        alice.account.change_password("wrong", OTHER_PASSWORD)
    with pytest.raises(PasswordRejected):
        alice.account.change_password(PASSWORD, "weak")
    alice.account.change_password(PASSWORD, OTHER_PASSWORD)

    assert isinstance(alice.flow.start(UserSrpAuth("alice", OTHER_PASSWORD)), SignedIn)


def test_a_first_password_needs_no_previous_one(world: World) -> None:
    """Of a person who signed in by a code until now."""
    alice = world.alice()
    alice.pool.user("alice").verifier = None

    alice.account.change_password(None, OTHER_PASSWORD)

    assert isinstance(alice.flow.start(UserSrpAuth("alice", OTHER_PASSWORD)), SignedIn)


def test_passwords_cannot_be_tried_out(world: World) -> None:
    """Too many wrong ones are a limit of their own."""
    alice = world.alice()
    for _ in range(5):
        with pytest.raises(IncorrectPassword):
            alice.account.change_password("wrong", OTHER_PASSWORD)

    with pytest.raises(LimitExceeded):
        alice.account.change_password(PASSWORD, OTHER_PASSWORD)


# -- second factors --


def test_an_authenticator_app_is_enrolled(world: World) -> None:
    """The next sign-in asks for it, and takes the next code."""
    alice = world.alice(**OPTIONAL, **TOTP)

    enrolment = alice.account.enrol_totp()
    assert enrolment.uri("Books") == (
        f"otpauth://totp/Books:alice?secret={enrolment.secret_code}&issuer=Books"
    )
    assert "totp/Books:me?" in enrolment.uri("Books", "me")
    with pytest.raises(WrongCode):
        enrolment.confirm("000000" if totp_code(enrolment.secret_code, NOW) != "000000" else "000001")
    enrolment.confirm(totp_code(enrolment.secret_code, NOW), device_name="my phone")

    challenge = alice.flow.start(UserSrpAuth("alice", PASSWORD))
    assert isinstance(challenge, SoftwareTokenMfa)
    assert challenge.sent_to == "my phone"
    assert isinstance(alice.flow.send(challenge.answer(alice.pool.totp("alice"))), SignedIn)


def test_another_process_confirms_the_authenticator_app(world: World) -> None:
    """It needs the tokens and the code, and may leave another factor preferred."""
    alice = world.alice(**OPTIONAL, **TOTP, **SMS)
    alice.account.set_mfa([MfaType.SMS_MFA], preferred=MfaType.SMS_MFA)
    secret_code = alice.account.enrol_totp().secret_code

    other = world.flow(alice.pool).account(alice.done.tokens)
    other.confirm_totp(totp_code(secret_code, NOW), preferred=False)

    profile = other.user()
    assert set(profile.enabled_mfa) == {MfaType.SMS_MFA, MfaType.SOFTWARE_TOKEN_MFA}
    assert profile.preferred_mfa is MfaType.SMS_MFA


def test_a_pool_without_authenticator_apps_says_what_to_change(world: World) -> None:
    """It is not the person's fault."""
    with pytest.raises(Misconfigured, match="enable software token MFA"):
        world.alice().account.enrol_totp()


def test_factors_are_as_they_were_set(world: World) -> None:
    """Those that are not named are off."""
    alice = world.alice(**OPTIONAL, **SMS, **EMAIL)
    alice.account.set_mfa([MfaType.SMS_MFA], preferred=MfaType.SMS_MFA)

    alice.account.set_mfa([MfaType.EMAIL_OTP])
    profile = alice.account.user()
    alice.account.set_mfa([])

    assert (profile.enabled_mfa, profile.preferred_mfa) == ((MfaType.EMAIL_OTP,), None)
    assert alice.account.user().enabled_mfa == ()


def test_a_factor_that_the_person_does_not_have_is_refused(world: World) -> None:
    """Cognito knows."""
    alice = world.alice(**OPTIONAL, **TOTP)

    with pytest.raises(ServiceError, match="delivery config"):
        alice.account.set_mfa([MfaType.SOFTWARE_TOKEN_MFA])


@pytest.mark.parametrize(
    ("operation", "change"),
    [
        ("SetUserMFAPreference", lambda account: account.set_mfa([MfaType.SMS_MFA])),
        ("UpdateDeviceStatus", lambda account: account.remember_device()),
        ("StartWebAuthnRegistration", lambda account: account.register_passkey()),
    ],
)
def test_setting_the_same_again_does_no_harm(
    world: World, operation: str, change: Callable[[Any], object]
) -> None:
    """So it is done when an answer was lost."""
    alice = world.alice(**{**OPT_IN, **PASSKEYS, **OPTIONAL, **SMS})
    world.cognito.faults.lose(operation)

    change(alice.account)

    assert alice.calls(operation) == 2


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
def test_what_may_be_done_is_not_done_again(
    world: World, operation: str, change: Callable[[Any], object]
) -> None:
    """The second time it would be refused, or a second message would be sent."""
    alice = world.alice(**OPT_IN)
    world.cognito.faults.lose(operation)

    with pytest.raises(TransportError) as lost:
        change(alice.account)

    assert lost.value.maybe_processed
    assert alice.calls(operation) == 1


# -- passkeys --


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_passkey_is_registered_used_and_deleted(world: World, algorithm: Literal["ES256", "RS256"]) -> None:
    """The whole life of it."""
    alice = world.alice(**PASSKEYS)
    device = SoftAuthenticator(algorithm=algorithm)

    registration = alice.account.register_passkey()
    registration.finish(device.create(registration.options_json))

    challenge = alice.flow.start(UserAuth("alice", preferred="WEB_AUTHN"))
    assert isinstance(challenge, WebAuthn)
    assert isinstance(alice.flow.send(challenge.answer(device.get(challenge.options_json))), SignedIn)
    (passkey,) = alice.account.passkeys()
    assert (passkey.relying_party_id, passkey.created_at) == ("app.example", NOW)
    assert passkey.transports == ("internal",)
    assert len(base64.urlsafe_b64decode(passkey.credential_id + "==")) == 32
    alice.account.delete_passkey(passkey.credential_id)
    assert alice.account.passkeys() == ()
    with pytest.raises(ServiceError, match="does not exist"):
        alice.account.delete_passkey(passkey.credential_id)


def test_another_process_finishes_the_passkey(world: World) -> None:
    """A registration can be finished once."""
    alice = world.alice(**PASSKEYS)
    credential = SoftAuthenticator().create(alice.account.register_passkey().options)

    other = world.flow(alice.pool).account(alice.done.tokens)
    other.finish_passkey(credential)

    assert len(other.passkeys()) == 1
    with pytest.raises(FlowExpired):
        other.finish_passkey(credential)


def test_a_passkey_that_comes_too_late_is_begun_again(world: World) -> None:
    """After five minutes."""
    alice = world.alice(**PASSKEYS)
    registration = alice.account.register_passkey()
    world.cognito.clock.advance(301)

    with pytest.raises(FlowExpired):
        registration.finish(SoftAuthenticator().create(registration.options))


def test_a_page_from_elsewhere_cannot_register(world: World) -> None:
    """And it is said what to change."""
    alice = world.alice(**PASSKEYS)
    registration = alice.account.register_passkey()

    with pytest.raises(Misconfigured, match="relying party id"):
        registration.finish(
            SoftAuthenticator(origin="https://elsewhere.example").create(registration.options)
        )


def test_a_pool_without_passkeys_says_what_to_change(world: World) -> None:
    """In its sign-in policy."""
    with pytest.raises(Misconfigured, match="allow WEB_AUTHN"):
        world.alice().account.register_passkey()


# -- devices --


def test_a_device_is_remembered_listed_and_forgotten(world: World) -> None:
    """Where this is left to the person."""
    alice = world.alice(**OPT_IN)

    assert alice.account.devices() == ()
    alice.account.remember_device()
    (device,) = alice.account.devices()
    alice.account.forget_device(device.key)

    assert device.key == alice.done.tokens.device_key
    assert (device.created_at, device.authenticated_at) == (NOW, NOW)
    assert device.attributes["device_status"] == "valid"


def test_forgetting_this_device_ends_its_sessions(world: World) -> None:
    """So the list is another sign-in's to read."""
    alice = world.alice(**ALWAYS)
    phone: SignedIn = alice.flow.start(UserSrpAuth("alice", PASSWORD))

    alice.account.forget_device()

    with pytest.raises(NotAuthorized):
        alice.account.devices()
    (left,) = alice.flow.account(phone.tokens).devices()
    assert left.key == phone.tokens.device_key


def test_a_forgotten_device_leaves_the_store(world: World) -> None:
    """The next sign-in gets a new one at once, without a detour."""
    alice = world.alice(**ALWAYS)
    store = MemoryDeviceStore()
    flow = world.flow(alice.pool, devices=store)
    done: SignedIn = flow.start(UserSrpAuth("alice", PASSWORD))
    assert store.get(alice.pool.app, "alice") == done.device

    flow.account(done.tokens).forget_device()

    assert store.get(alice.pool.app, "alice") is None


def test_an_unknown_device_is_told(world: World) -> None:
    """By the same error as in a sign-in."""
    alice = world.alice(**ALWAYS)

    for change in (alice.account.remember_device, alice.account.forget_device):
        with pytest.raises(DeviceForgotten):
            change("eu-west-1_00000000-0000-0000-0000-000000000000")


# -- the end --


@pytest.mark.parametrize("admin", [False, True])
def test_signing_out_everywhere_ends_all_sessions(world: World, admin: bool) -> None:
    """Of this person and of nobody else; also with an Admin flow, whose account is the person's own."""
    alice = world.alice()
    alice.pool.add_user("bob", PASSWORD)
    flow = world.flow(alice.pool, admin=admin)
    phone: SignedIn = flow.start(UserPasswordAuth("alice", PASSWORD))
    bob: SignedIn = flow.start(UserPasswordAuth("bob", PASSWORD))

    flow.account(phone.tokens).sign_out_everywhere()

    for tokens in (phone.tokens, alice.done.tokens):
        with pytest.raises(TokenRevoked):
            flow.account(tokens).user()
        with pytest.raises(NotAuthorized):
            flow.refresh(tokens)
    assert flow.account(bob.tokens).user().username == "bob"
    assert alice.calls("GlobalSignOut") == 1


def test_a_deleted_person_is_gone(world: World) -> None:
    """With everything, and for good."""
    alice = world.alice()

    alice.account.delete_user()

    with pytest.raises(CognitoFlowError):
        alice.account.user()
    with pytest.raises(NotAuthorized):
        alice.flow.start(UserSrpAuth("alice", PASSWORD))


def test_an_old_token_is_told_as_that(world: World) -> None:
    """A refresh mends it."""
    alice = world.alice()
    world.cognito.clock.advance(3601)

    with pytest.raises(TokenExpired):
        alice.account.user()
    assert alice.flow.account(alice.flow.refresh(alice.done.tokens)).user().username == "alice"


def test_an_account_tells_whose_it_is(world: World) -> None:
    """And nothing more."""
    alice = world.alice()

    assert alice.account.username == "alice"
    assert alice.account.__class__ is Awaited or repr(alice.account) == "Account('alice')"


# -- secrets --


def texts(error: BaseException) -> str:
    """All that an error shows, with what it hangs on."""
    shown, link = "", error
    while link is not None:
        shown += f"{link!r} {link} {vars(link)}"
        link = link.__cause__ or link.__context__  # type: ignore[assignment]  # the end of the chain is None
    return shown


def test_no_secret_shows_in_events_errors_or_records(world: World) -> None:
    """Passwords, codes, secrets and tokens are planted, and looked for."""
    events: list[object] = []
    pool = world.cognito.create_pool(**VERIFIED, **OPTIONAL, **TOTP)
    flow = world.flow(pool, on_event=events.append)
    signed_up = flow.sign_up("alice", PASSWORD, attributes={"email": ADDRESS})
    errors = []
    attempts: list[Callable[[], object]] = [
        lambda: flow.sign_up("alice", "Sentinel-weak-1", attributes={"email": "Sentinel-address"}),
        lambda: flow.confirm_sign_up("alice", "Sentinel-code"),
        lambda: flow.confirm_sign_up("alice", "Sentinel code\u2028 with odd letters"),
        lambda: flow.confirm_forgot_password("alice", "Sentinel-code", "Sentinel-weak-2"),
        lambda: flow.sign_up("bob", "Sentinel with spaces"),
    ]
    for attempt in attempts:
        with pytest.raises(CognitoFlowError) as refused:
            attempt()
        errors.append(texts(refused.value))
    session = flow.confirm_sign_up("alice", pool.last_code("alice"), session=signed_up.session)
    done = flow.start(UserAuth("alice", session=session))
    account = flow.account(done.tokens)
    with pytest.raises(CognitoFlowError) as refused:
        account.change_password("Sentinel-previous", OTHER_PASSWORD)
    errors.append(texts(refused.value))
    enrolment, profile = account.enrol_totp(), account.user()

    shown = repr([*events, *errors, signed_up, done, account, enrolment, profile])

    secrets = ["Sentinel", PASSWORD, OTHER_PASSWORD, signed_up.session, session, enrolment.secret_code]
    secrets += [done.tokens.access_token, done.tokens.refresh_token, pool.last_code("alice"), ADDRESS]
    assert [secret for secret in secrets if secret in shown] == []


def test_no_frame_of_a_traceback_holds_a_secret(world: World) -> None:
    """Tools print locals, and people send them to trackers."""
    alice = world.alice(**OPTIONAL, **TOTP)
    flow, account, secret = alice.flow, alice.account, "Sentinel-7"
    enrolment = account.enrol_totp()
    attempts: list[Callable[[], object]] = [
        lambda: flow.sign_up("alice", secret),
        lambda: flow.confirm_sign_up("alice", secret, session=secret),
        lambda: flow.confirm_forgot_password("alice", secret, secret),
        lambda: account.verify_attribute("email", secret),
        lambda: account.change_password(secret, secret),
        lambda: account.confirm_totp(secret),
        lambda: enrolment.confirm(secret),
    ]
    for attempt in attempts:
        with pytest.raises(CognitoFlowError) as refused:
            attempt()
        frames = [frame for frame, _ in traceback.walk_tb(refused.value.__traceback__)]
        ours = [frame for frame in frames if PACKAGE in Path(frame.f_code.co_filename).parents]
        assert ours
        assert [frame for frame in ours if secret in repr(frame.f_locals)] == []
