"""Sign-up and forgotten passwords against LocalCognito, through both drivers."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from cognito_flow import (
    AliasExists,
    CodeExpired,
    Confirmed,
    EmailOtp,
    Event,
    IncorrectPassword,
    LimitExceeded,
    NotAuthorized,
    PasswordRejected,
    PasswordResetRequired,
    SealError,
    SecretHashMismatch,
    SelectChallenge,
    ServiceError,
    SignedIn,
    SignedUp,
    TransportError,
    TriggerRefused,
    UsageError,
    UserContext,
    UserExists,
    UserNotConfirmed,
    UserNotFound,
    UserPasswordAuth,
    UserSrpAuth,
    WrongCode,
)
from tests.account.world import ADDRESS, OTHER_PASSWORD, PASSWORD, REVEALING, VERIFIED, World

if TYPE_CHECKING:
    from cognito_flow.testing import Pool
    from cognito_flow.testing._state import Members

KEYS: dict[str, Any] = {"seal_keys": ["k" * 32]}


def sign_up(flow: Any) -> SignedUp:
    """Sign alice up with an address, to which a code is sent."""
    signed_up: SignedUp = flow.sign_up("alice", PASSWORD, attributes={"email": ADDRESS, "name": "Alice"})
    return signed_up


# -- confirming goes on to sign in --


def test_sign_up_returns_username_and_where_the_code_was_sent(world: World) -> None:
    signed_up = sign_up(world.flow(world.cognito.create_pool(**VERIFIED)))

    assert (signed_up.username, signed_up.confirmed) == ("alice", False)
    assert signed_up.delivery is not None
    delivery = signed_up.delivery
    assert (delivery.medium, delivery.sent_to, delivery.attribute) == ("EMAIL", "a***@e***", "email")


def test_confirming_a_sign_up_with_a_session_signs_in(world: World) -> None:
    pool = world.cognito.create_pool(**VERIFIED)
    flow = world.flow(pool)
    signed_up = sign_up(flow)

    step = flow.confirm_sign_up(signed_up, pool.last_code("alice"))

    assert isinstance(step, SignedIn)
    profile = flow.account(step.tokens).user()
    assert profile.attributes["sub"] == signed_up.user_sub
    assert profile.attributes["name"] == "Alice"
    assert profile.is_verified("email")


def test_another_process_confirms_a_sealed_sign_up_and_signs_in(world: World) -> None:
    pool = world.cognito.create_pool(**VERIFIED)
    sealed = world.flow(pool, **KEYS).seal(sign_up(world.flow(pool)))

    flow = world.flow(pool, **KEYS)
    opened = flow.unseal(sealed)

    assert isinstance(opened, SignedUp)
    assert isinstance(flow.confirm_sign_up(opened, pool.last_code("alice")), SignedIn)


@pytest.mark.parametrize("with_delivery", [True, False])
def test_unsealed_sign_up_equals_the_sealed_one(world: World, with_delivery: bool) -> None:
    pool = world.cognito.create_pool(**VERIFIED)
    flow = world.flow(pool, **KEYS)
    signed_up = sign_up(flow) if with_delivery else flow.sign_up("alice", PASSWORD)

    assert flow.unseal(flow.seal(signed_up)) == signed_up


def test_sealed_sign_up_opens_for_as_long_as_its_code_is_valid(world: World) -> None:
    pool = world.cognito.create_pool(**VERIFIED)
    flow = world.flow(pool, **KEYS)
    sealed = flow.seal(sign_up(flow))

    world.cognito.clock.advance(24 * 3600)
    assert isinstance(flow.unseal(sealed), SignedUp)
    world.cognito.clock.advance(1)
    with pytest.raises(SealError, match="over 86400 seconds ago"):
        flow.unseal(sealed)


def test_seal_max_age_holds_for_sign_ups(world: World) -> None:
    pool = world.cognito.create_pool(**VERIFIED)
    flow = world.flow(pool, seal_max_age=60, **KEYS)
    sealed = flow.seal(sign_up(flow))
    world.cognito.clock.advance(61)

    with pytest.raises(SealError, match="over 60 seconds ago"):
        flow.unseal(sealed)


def test_sealed_sign_up_does_not_show_its_session(world: World) -> None:
    pool = world.cognito.create_pool(**VERIFIED)
    flow = world.flow(pool, **KEYS)
    signed_up = sign_up(flow)

    assert signed_up.session is not None
    assert signed_up.session not in flow.seal(signed_up)


def test_app_client_without_user_auth_gets_confirmed(world: World) -> None:
    pool = world.cognito.create_pool(**VERIFIED)
    flow = world.flow(pool, pool.app_client(flows=["ALLOW_USER_SRP_AUTH"]))
    signed_up = sign_up(flow)

    confirmed = flow.confirm_sign_up(signed_up, pool.last_code("alice"))

    assert signed_up.session is None
    assert confirmed == Confirmed("alice")
    assert isinstance(flow.start(UserSrpAuth("alice", PASSWORD)), SignedIn)


def test_confirming_by_user_name_alone_gives_confirmed(world: World) -> None:
    pool = world.cognito.create_pool(**VERIFIED)
    flow = world.flow(pool)
    sign_up(flow)
    with pytest.raises(UserNotConfirmed):
        flow.start(UserSrpAuth("alice", PASSWORD))

    code = pool.last_code("alice")

    assert flow.confirm_sign_up("alice", f"{code[:3]} {code[3:]}") == Confirmed("alice")
    assert isinstance(flow.start(UserSrpAuth("alice", PASSWORD)), SignedIn)


def test_expired_session_still_confirms(world: World) -> None:
    """A Session expires within minutes, the code after a day."""
    pool = world.cognito.create_pool(**VERIFIED)
    flow = world.flow(pool)
    signed_up = sign_up(flow)
    world.cognito.clock.advance(3600)

    assert flow.confirm_sign_up(signed_up, pool.last_code("alice")) == Confirmed("alice")


def test_confirming_after_a_wrong_code_still_confirms(world: World) -> None:
    """On the real service a wrong code loses the sign-in, which then asks how to sign in."""
    pool = world.cognito.create_pool(**VERIFIED)
    flow = world.flow(pool)
    signed_up = sign_up(flow)
    with pytest.raises(WrongCode):
        flow.confirm_sign_up(signed_up, "incorrect")

    step = flow.confirm_sign_up(signed_up, pool.last_code("alice"))

    assert isinstance(step, SignedIn | SelectChallenge | EmailOtp)


def test_confirmed_sign_up_whose_sign_in_is_lost_gives_confirmed(world: World) -> None:
    """An error would look as if the confirmation had failed."""
    pool = world.cognito.create_pool(**VERIFIED)
    flow = world.flow(pool)
    signed_up = sign_up(flow)
    world.cognito.faults.lose("InitiateAuth")

    assert flow.confirm_sign_up(signed_up, pool.last_code("alice")) == Confirmed("alice")
    assert world.calls("InitiateAuth") == 1  # its Session may be used up


def test_confirmed_sign_up_whose_sign_in_is_refused_gives_confirmed(world: World) -> None:
    pool = world.cognito.create_pool(**VERIFIED)
    flow = world.flow(pool)
    signed_up = sign_up(flow)

    def refuse(event: Members) -> Members:
        raise ValueError("not today")

    pool.triggers["PreTokenGeneration"] = refuse

    assert flow.confirm_sign_up(signed_up, pool.last_code("alice")) == Confirmed("alice")
    assert world.calls("InitiateAuth") == 1


@pytest.mark.parametrize("wrong", [None, 7, b"alice"])
def test_confirming_something_else_names_what_to_pass(world: World, wrong: object) -> None:
    flow = world.flow(world.cognito.create_pool())

    with pytest.raises(UsageError, match=r"pass the SignedUp of flow\.sign_up, or the user name"):
        flow.confirm_sign_up(wrong, "123456")
    with pytest.raises(UsageError, match=r"pass the SignedUp of flow\.sign_up, or the user name"):
        flow.resend_code(wrong)


# -- signing up --


@pytest.mark.parametrize("admin", [False, True])
def test_client_with_a_secret_signs_up_and_recovers(world: World, admin: bool) -> None:
    pool = world.cognito.create_pool(**VERIFIED)
    flow = world.flow(pool, pool.app_client(secret=True), admin=admin)

    signed_up = sign_up(flow)
    flow.resend_code(signed_up)
    assert isinstance(flow.confirm_sign_up(signed_up, pool.last_code("alice")), SignedIn)
    flow.forgot_password("alice")
    flow.confirm_forgot_password("alice", pool.last_code("alice"), OTHER_PASSWORD)

    signed_in = flow.start(UserPasswordAuth("alice", OTHER_PASSWORD))
    assert flow.account(signed_in.tokens).user().username == "alice"


def test_wrong_client_secret_raises_secret_hash_mismatch(world: World) -> None:
    pool = world.cognito.create_pool()
    app = attrs.evolve(pool.app_client(secret=True), client_secret="wrong")

    with pytest.raises(SecretHashMismatch):
        world.flow(pool, app).sign_up("alice", PASSWORD)


def test_trigger_confirms_a_sign_up_at_once(world: World) -> None:
    pool = world.cognito.create_pool(**VERIFIED)
    seen: list[Members] = []

    def confirm(event: Members) -> Members:
        seen.append(event["request"])
        event["response"] |= {"autoConfirmUser": True}
        return event

    pool.triggers["PreSignUp"] = confirm
    flow = world.flow(pool, metadata={"from": "web"})

    signed_up = flow.sign_up(
        "alice", PASSWORD, attributes={"email": ADDRESS}, validation_data={"captcha": "7"}
    )

    assert (signed_up.confirmed, signed_up.delivery, world.cognito.outbox) == (True, None, [])
    assert seen[0]["validationData"] == {"captcha": "7"}
    assert seen[0]["clientMetadata"] == {"from": "web"}
    assert isinstance(flow.start(UserSrpAuth("alice", PASSWORD)), SignedIn)


def test_trigger_that_refuses_a_sign_up_is_named(world: World) -> None:
    def refuse(event: Members) -> Members:
        raise ValueError("not from there")

    pool = world.cognito.create_pool()
    pool.triggers["PreSignUp"] = refuse

    with pytest.raises(TriggerRefused, match="not from there") as refused:
        world.flow(pool).sign_up("alice", PASSWORD)
    assert refused.value.trigger == "PreSignUp"


def test_taken_user_name_raises_user_exists(world: World) -> None:
    alice = world.alice()

    with pytest.raises(UserExists):
        alice.flow.sign_up("alice", PASSWORD)


def test_weak_password_raises_password_rejected_and_creates_no_user(world: World) -> None:
    flow = world.flow(world.cognito.create_pool())

    with pytest.raises(PasswordRejected) as refused:
        flow.sign_up("alice", "weak-weak-weak")
    assert "weak-weak-weak" not in str(refused.value)
    flow.sign_up("alice", PASSWORD)


def test_sign_up_without_a_password_sends_a_code(world: World) -> None:
    factors: Any = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
    pool = world.cognito.create_pool(**VERIFIED, policies=factors)

    signed_up = world.flow(pool).sign_up("alice", attributes={"email": ADDRESS})

    assert signed_up.delivery.attribute == "email"


def test_expired_code_is_sent_again(world: World) -> None:
    pool = world.cognito.create_pool(**VERIFIED)
    flow = world.flow(pool)
    signed_up = sign_up(flow)
    world.cognito.clock.advance(25 * 3600)
    with pytest.raises(CodeExpired):
        flow.confirm_sign_up(signed_up, pool.last_code("alice"))

    assert flow.resend_code(signed_up).sent_to == "a***@e***"
    assert flow.confirm_sign_up(signed_up, pool.last_code("alice")) == Confirmed("alice")


def test_confirming_twice_raises_not_authorized(world: World) -> None:
    pool = world.cognito.create_pool(**VERIFIED)
    flow = world.flow(pool)
    sign_up(flow)
    flow.confirm_sign_up("alice", pool.last_code("alice"))

    with pytest.raises(NotAuthorized, match="Current status is CONFIRMED"):
        flow.confirm_sign_up("alice", pool.last_code("alice"))


def test_alias_of_another_user_moves_only_with_force_alias_creation(world: World) -> None:
    pool = world.cognito.create_pool(**VERIFIED, alias_attributes=["email"])
    pool.add_user("bob", OTHER_PASSWORD, email=ADDRESS)
    flow = world.flow(pool)
    sign_up(flow)
    code = pool.last_code("alice")

    with pytest.raises(AliasExists):
        flow.confirm_sign_up("alice", code)
    flow.confirm_sign_up("alice", code, force_alias_creation=True)

    signed_in = flow.start(UserSrpAuth(ADDRESS, PASSWORD))
    assert isinstance(signed_in, SignedIn)
    assert signed_in.username == "alice"


def test_lost_confirmation_is_not_sent_again(world: World) -> None:
    """Cognito may have carried it out, and then the code is used."""
    pool = world.cognito.create_pool(**VERIFIED)
    flow = world.flow(pool)
    signed_up = sign_up(flow)
    world.cognito.faults.lose("ConfirmSignUp")

    with pytest.raises(TransportError) as lost:
        flow.confirm_sign_up(signed_up, pool.last_code("alice"))

    assert lost.value.maybe_processed
    assert world.calls("ConfirmSignUp") == 1


CALLS: dict[str, tuple[str, ...]] = {
    "sign_up": ("alice", PASSWORD),
    "confirm_sign_up": ("alice", "123456"),
    "resend_code": ("alice",),
    "forgot_password": ("alice",),
    "confirm_forgot_password": ("alice", "123456", PASSWORD),
}


@pytest.mark.parametrize("method", CALLS)
def test_bound_metadata_and_context_go_with_each_call(world: World, method: str) -> None:
    events: list[Event] = []
    flow = world.flow(
        world.cognito.create_pool(),
        on_event=events.append,
        metadata={"from": "web"},
        context=UserContext("192.0.2.1"),
    )

    with suppress(ServiceError):
        getattr(flow, method)(*CALLS[method])

    assert {"ClientMetadata.from", "UserContextData.IpAddress"} <= set(events[0].sent)


# -- forgotten passwords --


def test_forgotten_password_is_replaced_with_the_code(world: World) -> None:
    alice = world.alice()
    delivery = alice.flow.forgot_password("alice")

    alice.flow.confirm_forgot_password("alice", alice.pool.last_code("alice"), OTHER_PASSWORD)

    assert delivery.attribute in ("email", "phone_number")
    with pytest.raises(IncorrectPassword):
        alice.flow.start(UserSrpAuth("alice", PASSWORD))
    assert isinstance(alice.flow.start(UserSrpAuth("alice", OTHER_PASSWORD)), SignedIn)


def test_wrong_code_and_rejected_password_leave_the_code_valid(world: World) -> None:
    alice = world.alice()
    alice.flow.forgot_password("alice")
    code = alice.pool.last_code("alice")

    with pytest.raises(WrongCode):
        alice.flow.confirm_forgot_password("alice", "incorrect", OTHER_PASSWORD)
    with pytest.raises(PasswordRejected):
        alice.flow.confirm_forgot_password("alice", code, "weak")
    alice.flow.confirm_forgot_password("alice", code, OTHER_PASSWORD)


def test_code_for_a_new_password_expires_after_an_hour(world: World) -> None:
    alice = world.alice()
    alice.flow.forgot_password("alice")
    world.cognito.clock.advance(3601)

    with pytest.raises(CodeExpired):
        alice.flow.confirm_forgot_password("alice", alice.pool.last_code("alice"), OTHER_PASSWORD)


def test_password_that_an_administrator_reset_is_replaced_with_the_code(world: World) -> None:
    alice = world.alice()
    client: Any = world.cognito.client()
    client.admin_reset_user_password(UserPoolId=alice.pool.id, Username="alice")
    with pytest.raises(PasswordResetRequired):
        alice.flow.start(UserSrpAuth("alice", PASSWORD))

    alice.flow.confirm_forgot_password("alice", alice.pool.last_code("alice"), OTHER_PASSWORD)

    assert isinstance(alice.flow.start(UserSrpAuth("alice", OTHER_PASSWORD)), SignedIn)


def flow_that_prevents(world: World, pool: Pool, setting: dict[str, Any]) -> Any:
    """A flow of an app client with this PreventUserExistenceErrors."""
    return world.flow(pool, pool.app_client(**setting))


def test_unknown_user_gets_a_made_up_delivery(world: World) -> None:
    pool = world.cognito.create_pool(**VERIFIED)
    flow = flow_that_prevents(world, pool, {"prevent_user_existence_errors": "ENABLED"})

    assert flow.forgot_password("unknown").medium == "EMAIL"
    assert flow.resend_code("unknown").medium == "EMAIL"
    assert world.cognito.outbox == []


def test_unknown_user_raises_user_not_found_if_the_client_reveals_users(world: World) -> None:
    pool = world.cognito.create_pool(**VERIFIED)
    flow = flow_that_prevents(world, pool, REVEALING)

    for ask in (flow.forgot_password, flow.resend_code):
        with pytest.raises(UserNotFound):
            ask("unknown")


def test_too_many_requests_for_a_code_raise_limit_exceeded_without_a_retry(world: World) -> None:
    alice = world.alice()

    def ask_without_end() -> None:
        for _ in range(100):
            alice.flow.forgot_password("alice")

    with pytest.raises(LimitExceeded):
        ask_without_end()
    assert world.calls("ForgotPassword") == len(world.cognito.outbox) + 1
