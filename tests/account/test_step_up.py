"""Step-up in USER_AUTH against LocalCognito, through both drivers: levels, credit of an access token, its age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cognito_flow import (
    EmailOtp,
    Misconfigured,
    NotAuthorized,
    PasswordSrp,
    SelectChallenge,
    SelectMfaType,
    ServiceError,
    SignedIn,
    SmsMfa,
    SmsOtp,
    SoftwareTokenMfa,
    UsageError,
    UserAuth,
    UserSrpAuth,
    WebAuthn,
)
from cognito_flow._jwt import unverified_claims
from cognito_flow.testing import SoftAuthenticator
from cognito_flow.testing._operations.pools import _describe
from cognito_flow.testing._state.acr import configuration
from cognito_flow.testing._state.refusal import Refusal
from tests.account.world import PASSWORD, Alice, World
from tests.scenarios.choices import PASSKEYS
from tests.scenarios.devices import ALWAYS
from tests.scenarios.second_factors import EMAIL, OPTIONAL, SMS, TOTP
from tests.support.contract import needs_member

if TYPE_CHECKING:
    from cognito_flow import Tokens

LEVEL = {number: f"urn:cognito:loa:{number}" for number in range(1, 5)}
EVERYTHING = ["PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"]
ALL: dict[str, Any] = {
    **PASSKEYS,
    **OPTIONAL,
    **SMS,
    **TOTP,
    **EMAIL,
    "policies": {"SignInPolicy": {"AllowedFirstAuthFactors": EVERYTHING}},
}


def claims(tokens: Tokens) -> tuple[object, object]:
    """The claims acr and amr, which are the same in both tokens."""
    access, identity = (unverified_claims(token) for token in (tokens.access_token, str(tokens.id_token)))
    assert (access["acr"], access["amr"]) == (identity["acr"], identity["amr"])
    return access["acr"], access["amr"]


def sign_in(alice: Alice, *levels: str, **arguments: Any) -> Any:
    """Begin a sign-in with the password that must reach one of these levels."""
    return alice.flow.start(UserAuth("alice", PASSWORD, acr_values=levels, **arguments))


def with_password(alice: Alice) -> str:
    """The access token of a sign-in that reached level 1."""
    step = sign_in(alice, LEVEL[1])
    assert isinstance(step, SignedIn)
    return step.tokens.access_token


# -- levels --


def test_password_alone_reaches_level_1(world: World) -> None:
    step = sign_in(world.alice(**ALL), LEVEL[1])

    assert isinstance(step, SignedIn)
    assert claims(step.tokens) == (LEVEL[1], ["pwd"])


def test_sign_in_without_a_level_has_no_acr_claims(world: World) -> None:
    step = world.alice(**ALL).flow.start(UserAuth("alice", PASSWORD))

    assert {"acr", "amr"}.isdisjoint(unverified_claims(step.tokens.access_token))


@pytest.mark.parametrize("preferred", ["EMAIL_OTP", "SMS_OTP"])
def test_code_alone_reaches_level_2(world: World, preferred: str) -> None:
    alice = world.alice(**ALL)

    step = alice.flow.start(UserAuth("alice", preferred=preferred, acr_values=[LEVEL[2]]))
    assert isinstance(step, EmailOtp | SmsOtp)
    step = alice.flow.send(step.answer(alice.pool.last_code("alice")))

    assert claims(step.tokens) == (LEVEL[2], ["email_otp" if preferred == "EMAIL_OTP" else "sms"])


@pytest.mark.parametrize(("attachment", "method"), [("platform", "swk"), ("cross-platform", "hwk")])
def test_passkey_alone_reaches_level_3(world: World, attachment: Any, method: str) -> None:
    alice = world.alice(**ALL)
    device = SoftAuthenticator()
    credential = device.create(alice.account.start_passkey().options)
    alice.account.finish_passkey({**credential, "authenticatorAttachment": attachment})

    step = alice.flow.start(UserAuth("alice", preferred="WEB_AUTHN", acr_values=[LEVEL[3]]))
    assert isinstance(step, WebAuthn)
    step = alice.flow.send(step.answer(device.get(step.options)))

    assert claims(step.tokens) == (LEVEL[3], [method])


def test_password_and_sms_code_reach_level_3_without_mfa_being_on(world: World) -> None:
    alice = world.alice(**OPTIONAL, **SMS)

    step = sign_in(alice, LEVEL[3])
    assert isinstance(step, SmsMfa)
    step = alice.flow.send(step.answer(alice.pool.last_code("alice")))

    assert claims(step.tokens) == (LEVEL[3], ["pwd", "sms", "mfa"])


def test_password_and_totp_reach_level_4(world: World) -> None:
    alice = world.alice(**ALL)
    alice.pool.enrol_totp("alice")

    step = sign_in(alice, LEVEL[4])
    assert isinstance(step, SoftwareTokenMfa)
    step = alice.flow.send(step.answer(alice.pool.totp("alice")))

    assert claims(step.tokens) == (LEVEL[4], ["pwd", "otp", "mfa"])


def test_level_that_the_user_cannot_reach_falls_back_to_the_next(world: World) -> None:
    step = sign_in(world.alice(**ALL), LEVEL[4], "urn:other", LEVEL[1])

    assert isinstance(step, SignedIn)
    assert claims(step.tokens)[0] == LEVEL[1]


def test_first_factors_that_do_not_lead_to_the_level_are_not_offered(world: World) -> None:
    alice = world.alice(**ALL)

    step = alice.flow.start(UserAuth("alice", acr_values=[LEVEL[2]], preferred="PASSWORD_SRP"))

    assert isinstance(step, SelectChallenge)
    assert set(step.choices) == {"SMS_OTP", "EMAIL_OTP"}


def test_required_mfa_is_asked_for_below_its_level(world: World) -> None:
    alice = world.alice(**ALL)
    alice.pool.enrol_totp("alice")

    step = sign_in(alice, LEVEL[1])
    assert isinstance(step, SoftwareTokenMfa)
    step = alice.flow.send(step.answer(alice.pool.totp("alice")))

    assert claims(step.tokens)[0] == LEVEL[4]


def test_several_second_factors_for_the_level_are_a_choice(world: World) -> None:
    alice = world.alice(**ALL)

    step = sign_in(alice, LEVEL[3])
    assert isinstance(step, SelectMfaType)
    assert set(step.choices) == {"SMS_MFA", "EMAIL_OTP"}
    step = alice.flow.send(step.answer("EMAIL_OTP"))
    step = alice.flow.send(step.answer(alice.pool.last_code("alice")))

    assert claims(step.tokens) == (LEVEL[3], ["pwd", "email_otp", "mfa"])


def test_remembered_device_does_not_replace_a_factor_of_the_level(world: World) -> None:
    alice = world.alice(**{**OPTIONAL, **SMS, **ALWAYS})
    credentials = UserAuth("alice", PASSWORD, acr_values=[LEVEL[3]])

    step = alice.flow.start(credentials, device=alice.signed_in.device)

    assert isinstance(step, SmsMfa)


def test_refresh_keeps_acr_and_amr(world: World) -> None:
    alice = world.alice(**ALL)
    step = sign_in(alice, LEVEL[1])
    world.cognito.clock.advance(60)

    refreshed = alice.flow.refresh(step.tokens)

    assert claims(refreshed) == (LEVEL[1], ["pwd"])
    before, after = unverified_claims(step.tokens.access_token), unverified_claims(refreshed.access_token)
    assert before["auth_time"] == after["auth_time"]


# -- stepping up --


def test_access_token_counts_so_only_the_missing_factor_is_asked(world: World) -> None:
    alice = world.alice(**ALL)
    token = with_password(alice)
    alice.pool.enrol_totp("alice")

    step = alice.flow.start(UserAuth("alice", acr_values=[LEVEL[4]], access_token=token, max_age=300))
    assert isinstance(step, SoftwareTokenMfa)
    step = alice.flow.send(step.answer(alice.pool.totp("alice")))

    assert claims(step.tokens) == (LEVEL[4], ["pwd", "otp", "mfa"])


def test_token_older_than_max_age_does_not_count(world: World) -> None:
    alice = world.alice(**ALL)
    token = with_password(alice)
    alice.pool.enrol_totp("alice")
    world.cognito.clock.advance(301)

    step = alice.flow.start(
        UserAuth("alice", preferred="PASSWORD_SRP", acr_values=[LEVEL[4]], access_token=token, max_age=300)
    )

    assert isinstance(step, PasswordSrp)


def test_token_without_amr_does_not_count(world: World) -> None:
    alice = world.alice(**OPTIONAL, **SMS)
    token = alice.signed_in.tokens.access_token

    step = alice.flow.start(UserAuth("alice", acr_values=[LEVEL[3]], access_token=token))

    assert isinstance(step, SelectChallenge)


REFUSED: dict[str, tuple[dict[str, Any], type[ServiceError], str]] = {
    "level already reached": ({"acr_values": [LEVEL[1]]}, ServiceError, "already reached"),
    "unknown levels": ({"acr_values": ["urn:other"]}, ServiceError, "None of the requested ACR values"),
    "no factor for the level": ({"acr_values": [LEVEL[4]]}, ServiceError, "no factors"),
    "token of another user": ({"username": "bob", "acr_values": [LEVEL[3]]}, NotAuthorized, "Invalid Access"),
    "not an access token": ({"acr_values": [LEVEL[3]], "access_token": "x"}, NotAuthorized, "Invalid Access"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_step_up_is_refused(world: World, reason: str) -> None:
    arguments, error, text = REFUSED[reason]
    alice = world.alice(**OPTIONAL, **SMS)
    alice.pool.add_user("bob", PASSWORD, phone_number="+31612345679")
    given = {"username": "alice", "access_token": with_password(alice), **arguments}

    with pytest.raises(error, match=text):
        alice.flow.start(UserAuth(**given))


def test_lite_pool_raises_misconfigured(world: World) -> None:
    alice = world.alice(user_pool_tier="LITE")

    with pytest.raises(Misconfigured):
        sign_in(alice, LEVEL[1])


@pytest.mark.parametrize(
    "parameters",
    [
        {"ACCESS_TOKEN": "x"},
        *({"TARGET_ACR_VALUES": LEVEL[1], "MAX_AGE": age} for age in ("-1", "1.5", "٣٠", "9" * 5_000)),
    ],
)
def test_local_cognito_refuses_step_up_parameters_that_do_not_fit(
    world: World, parameters: dict[str, str]
) -> None:
    """The credentials refuse them, too, so they are sent without."""
    alice = world.alice()
    client: Any = world.cognito.client()
    given = {"USERNAME": "alice", **parameters}

    with pytest.raises(client.exceptions.InvalidParameterException):
        client.initiate_auth(AuthFlow="USER_AUTH", ClientId=alice.pool.app.client_id, AuthParameters=given)


def test_unknown_user_is_asked_as_if_there_were_one(world: World) -> None:
    pool = world.alice(**ALL).pool
    flow = world.flow(pool, pool.app_client(prevent_user_existence_errors="ENABLED"))

    step = flow.start(UserAuth("unknown", acr_values=[LEVEL[4]]))

    assert isinstance(step, SelectChallenge)


CUSTOM = {"Level1": {"AcrValue": "urn:ours:low"}}


def test_level_names_of_the_pool_are_used(world: World) -> None:
    alice = world.alice(**ALL)
    world.cognito.state(alice.pool.id).members["AcrConfiguration"] = CUSTOM

    step = alice.flow.start(UserSrpAuth("alice", PASSWORD))

    assert claims(step.tokens) == ("urn:ours:low", ["pwd"])


def test_level_names_of_the_pool_are_described_with_the_defaults(world: World) -> None:
    pool = world.cognito.create_pool()
    world.cognito.state(pool.id).members["AcrConfiguration"] = CUSTOM

    described = _describe(world.cognito.state(pool.id))["AcrConfiguration"]

    assert [described[f"Level{number}"]["AcrValue"] for number in LEVEL] == [
        "urn:ours:low",
        *list(LEVEL.values())[1:],
    ]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"AcrConfiguration": {"Level1": {"AcrValue": LEVEL[2]}}}, "InvalidParameterException"),
        ({"AcrConfiguration": CUSTOM, "UserPoolTier": "LITE"}, "FeatureUnavailableInTierException"),
    ],
)
def test_level_names_that_do_not_fit_are_refused(members: dict[str, Any], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        configuration(members)

    assert refused.value.code == code


@needs_member("CreateUserPoolRequest", "AcrConfiguration")
def test_level_names_are_set_when_a_pool_is_created(world: World) -> None:
    alice = world.alice(acr_configuration=CUSTOM)

    step = alice.flow.start(UserSrpAuth("alice", PASSWORD))

    assert claims(step.tokens)[0] == "urn:ours:low"


def test_app_client_with_a_secret_steps_up(world: World) -> None:
    alice = world.alice(**OPTIONAL, **SMS)
    flow = world.flow(alice.pool, alice.pool.app_client(secret=True))
    tokens = flow.start(UserAuth("alice", PASSWORD, acr_values=[LEVEL[1]])).tokens

    step = flow.start(UserAuth("alice", acr_values=[LEVEL[3]], access_token=tokens.access_token))

    assert isinstance(step, SmsMfa)
    assert isinstance(flow.send(step.answer(alice.pool.last_code("alice"))), SignedIn)


# -- arguments that cannot be meant --


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"access_token": "x"}, "access_token needs acr_values"),
        ({"acr_values": LEVEL[1]}, "acr_values must be a list of strings, not a str"),
        ({"acr_values": ["a b"]}, "must not contain a space"),
        ({"acr_values": [7]}, "must be a str, not int"),
        ({"acr_values": [LEVEL[1]], "max_age": -1}, "max_age must be a whole number of seconds"),
        ({"acr_values": [LEVEL[1]], "max_age": True}, "max_age must be a whole number of seconds"),
        ({"acr_values": [LEVEL[1]], "max_age": 1.5}, "max_age must be a whole number of seconds"),
        ({"acr_values": [LEVEL[1]], "max_age": "60"}, "max_age must be a whole number of seconds"),
        ({"acr_values": None}, "acr_values must be a list of strings, not a NoneType"),
    ],
)
def test_wrong_step_up_argument_raises_usage_error(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        UserAuth("alice", **arguments)


def test_repr_of_credentials_hides_the_access_token() -> None:
    assert "SECRET" not in repr(UserAuth("alice", acr_values=[LEVEL[1]], access_token="SECRET"))
