"""The refusals at the edges: what no honest client sends, and what a setting leaves no way for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cognito_flow.testing import LocalCognito
from tests.local_cognito.wire import PASSWORD, Wire, refusal
from tests.scenarios.custom import create, define, verify
from tests.scenarios.devices import ALWAYS
from tests.scenarios.second_factors import EMAIL, ON, SMS, TOTP


def wire_to(cognito: LocalCognito, **members: Any) -> Wire:
    """A pool with these settings, and alice."""
    pool = cognito.create_pool(**members)
    pool.add_user("alice", PASSWORD, email="alice@example.com", phone_number="+31612345678")
    return Wire(pool)


# -- answers --


def test_what_is_never_asked_cannot_be_answered(wire: Wire) -> None:
    """ADMIN_NO_SRP_AUTH stands in the enumeration only."""
    answered = refusal(lambda: wire.respond("ADMIN_NO_SRP_AUTH", "s" * 30, {"USERNAME": "alice"}))

    assert answered == ("InvalidParameterException", "ADMIN_NO_SRP_AUTH cannot be answered.")


def test_an_answer_without_responses_is_refused(wire: Wire) -> None:
    """In the words of the service."""
    assert refusal(lambda: wire.respond("SMS_MFA", "s" * 30, {}))[1] == (
        "Missing required parameter challenge responses."
    )


def test_an_admin_proof_takes_no_alias(cognito: LocalCognito) -> None:
    """USERNAME must be USER_ID_FOR_SRP there."""
    wire = wire_to(cognito, alias_attributes=["email"])
    challenge = wire.start_srp("alice@example.com")
    claim = {**wire.claim(challenge), "USERNAME": "alice@example.com"}

    answer = {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": claim, "ClientId": wire.client_id}
    call = lambda: wire.api.admin_respond_to_auth_challenge(UserPoolId=wire.pool.id, **answer)  # noqa: E731
    assert refusal(call)[0] == "UserNotFoundException"


def test_a_simulated_sign_in_is_answered_for_its_own_name_only(cognito: LocalCognito) -> None:
    """As a real one."""
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD)
    hiding = Wire(pool, pool.app_client(prevent_user_existence_errors="ENABLED").client_id)
    challenge = hiding.start_srp("nobody")

    claim = {**hiding.claim(challenge), "USERNAME": "alice"}
    assert refusal(lambda: hiding.prove(challenge, claim))[1] == "Incorrect username or password."


@pytest.fixture
def custom(wire: Wire) -> Wire:
    """A pool that asks for the password and then for a sum."""
    names = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")
    wire.pool.triggers.update(zip(names, (define, create, verify), strict=True))
    return wire


def test_a_proof_in_a_custom_sign_in_needs_its_session(custom: Wire) -> None:
    """The SECRET_BLOCK stands for it in USER_SRP_AUTH alone."""
    begun = {"USERNAME": "alice", "CHALLENGE_NAME": "SRP_A", "SRP_A": custom.exponent.srp_a}
    challenge = custom.start("CUSTOM_AUTH", **begun)
    claim = custom.claim(challenge)

    assert refusal(lambda: custom.respond("PASSWORD_VERIFIER", None, claim))[1] == (
        "Missing required parameter Session"
    )
    garbled = {**claim, "PASSWORD_CLAIM_SECRET_BLOCK": "no base64"}
    assert refusal(lambda: custom.prove(challenge, garbled))[1] == "Incorrect username or password."


def test_a_define_trigger_that_decides_nothing_is_told(custom: Wire) -> None:
    """Its answer must name a challenge that can be asked."""
    custom.pool.triggers["DefineAuthChallenge"] = lambda event: {
        **event,
        "response": {"challengeName": "SMS_MFA"},
    }

    assert refusal(lambda: custom.start("CUSTOM_AUTH", USERNAME="alice")) == (
        "InvalidLambdaResponseException",
        "Unrecognizable lambda output",
    )


def test_a_device_that_is_gone_cannot_go_on(cognito: LocalCognito) -> None:
    """Though the challenge was asked."""
    from cognito_flow import SignedIn, UserSrpAuth

    wire = wire_to(cognito, **ALWAYS)
    done = wire.pool.flow().start(UserSrpAuth("alice", PASSWORD))
    assert isinstance(done, SignedIn)
    assert done.device is not None
    step = wire.password(DEVICE_KEY=done.device.key)
    wire.pool.user("alice").devices.clear()

    gone = refusal(lambda: wire.answer(step, DEVICE_KEY=done.device.key if done.device else "", SRP_A="2"))
    assert gone == ("ResourceNotFoundException", "Device does not exist.")


# -- second factors --


def test_a_code_for_another_challenge_is_a_mismatch(cognito: LocalCognito) -> None:
    """Where the text's "auth state" comes from."""
    wire = wire_to(cognito, **ON, **SMS)
    step = wire.password()
    wrong = {"USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": wire.pool.last_code("alice")}

    assert refusal(lambda: wire.respond("SOFTWARE_TOKEN_MFA", step["Session"], wrong)) == (
        "CodeMismatchException",
        "Invalid code or auth state for the user.",
    )


def test_an_app_that_is_enrolled_again_takes_the_place_of_the_old_one(cognito: LocalCognito) -> None:
    """It stands once among the user's factors, and counts its codes from the beginning."""
    wire = wire_to(cognito, **ON, **TOTP)
    wire.pool.enrol_totp("alice")
    for _ in range(2):
        wire.pool.enrol_totp("alice")
        moment = cognito.clock()
        code = wire.pool.totp("alice")
        assert cognito.clock() == moment
        assert "AuthenticationResult" in wire.answer(wire.password(), SOFTWARE_TOKEN_MFA_CODE=code)

    assert wire.pool.user("alice").mfa_enabled == ["SOFTWARE_TOKEN_MFA"]


def test_a_factor_that_was_not_offered_cannot_be_chosen(cognito: LocalCognito) -> None:
    """Nor one that cannot be set up."""
    wire = wire_to(cognito, **ON, **SMS, **TOTP)
    wire.pool.enrol_totp("alice")
    user = wire.pool.user("alice")
    user.mfa_enabled, user.mfa_preferred = ["SMS_MFA", "SOFTWARE_TOKEN_MFA"], None
    step = wire.password()
    assert refusal(lambda: wire.answer(step, ANSWER="EMAIL_MFA"))[0] == "InvalidParameterException"

    strict = Wire(cognito.create_pool(**ON, **TOTP))
    strict.pool.add_user("alice", PASSWORD)
    setup = strict.password()
    assert refusal(lambda: strict.answer(setup, EMAIL="a@b.example"))[0] == "InvalidParameterException"


def test_an_app_that_is_gone_cannot_answer(totp_wire: Wire) -> None:
    """The challenge was asked before."""
    step = totp_wire.password()
    totp_wire.pool.user("alice").totp_secret = None

    assert refusal(lambda: totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE="123456")) == (
        "SoftwareTokenMFANotFoundException",
        "Software Token MFA does not exist for the user.",
    )


def test_a_factor_that_cannot_be_set_up_ends_the_sign_in(cognito: LocalCognito) -> None:
    """A phone number must be stored by other means."""
    pool = cognito.create_pool(**ON, **SMS)
    pool.add_user("alice", PASSWORD)

    assert refusal(Wire(pool).password)[0] == "InvalidParameterException"


def test_the_lower_case_key_for_an_address_is_taken(cognito: LocalCognito) -> None:
    """The developer guide writes it so; clients send EMAIL."""
    pool = cognito.create_pool(**ON, **EMAIL)
    pool.add_user("alice", PASSWORD)
    wire = Wire(pool)

    assert wire.answer(wire.password(), email="a@b.example")["ChallengeName"] == "EMAIL_OTP"


# -- refresh --


def test_a_client_that_rotates_refuses_the_older_refresh(cognito: LocalCognito) -> None:
    """In the words that were seen."""
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD)
    rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}
    app = pool.app_client(flows=["ALLOW_USER_PASSWORD_AUTH"], refresh_token_rotation=rotation)
    wire = Wire(pool, app.client_id)
    token = wire.password()["AuthenticationResult"]["RefreshToken"]

    assert refusal(lambda: wire.start("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token)) == (
        "UnsupportedOperationException",
        "This API does not support refresh token rotation",
    )


# -- the pool in a test's hands --


def test_what_is_not_there_is_told_to_the_test(wire: Wire) -> None:
    """A typing mistake must not look like a missing user."""
    with pytest.raises(TypeError, match="mfa_config"):
        wire.cognito.create_pool(mfa_config="ON")
    for call in (wire.pool.user, wire.pool.last_code, wire.pool.totp):
        with pytest.raises(KeyError):
            call("nobody")
    with pytest.raises(KeyError, match="authenticator"):
        wire.pool.totp("alice")
    with pytest.raises(KeyError, match="no message"):
        wire.pool.last_code("alice")


def test_the_last_code_is_that_of_the_user_and_the_pool(cognito: LocalCognito) -> None:
    """Others are sent codes, too."""
    first, second = wire_to(cognito, **ON, **SMS), wire_to(cognito, **ON, **SMS)
    first.password()
    code = first.pool.last_code("alice")
    second.password()

    assert first.pool.last_code("alice") == code


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (2, "Member must have value greater than or equal to 3"),
        (16, "Member must have value less than or equal to 15"),
    ],
)
def test_a_number_out_of_its_range_is_refused(wire: Wire, minutes: int, text: str) -> None:
    """The range stands in the service model."""
    body = {"UserPoolId": wire.pool.id, "ClientName": "c", "AuthSessionValidity": minutes}
    headers = {"x-amz-target": "AWSCognitoIdentityProviderService.CreateUserPoolClient", "authorization": "x"}

    reply = wire.cognito.handle(headers, json.dumps(body).encode())

    assert reply.status == 400
    assert text in json.loads(reply.body)["message"]
