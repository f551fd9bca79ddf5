"""Refusals of unusual requests and of settings that contradict each other."""

from __future__ import annotations

import json
from functools import partial
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


def admin_start(wire: Wire, flow: str, **parameters: str) -> Any:
    """AdminInitiateAuth."""
    ids = {"UserPoolId": wire.pool.id, "ClientId": wire.client_id}
    return wire.api.admin_initiate_auth(AuthFlow=flow, AuthParameters=parameters, **ids)


def test_admin_no_srp_auth_is_asked_where_the_pool_is_configured_so(wire: Wire) -> None:
    srp = {"USERNAME": "alice", "SRP_A": wire.exponent.srp_a}
    assert admin_start(wire, "USER_SRP_AUTH", **srp)["ChallengeName"] == "PASSWORD_VERIFIER"
    wire.pool.configure(admin_no_srp_auth=True)
    step = admin_start(wire, "USER_SRP_AUTH", **srp)
    assert step["ChallengeName"] == "ADMIN_NO_SRP_AUTH"
    answer = partial(
        wire.api.admin_respond_to_auth_challenge,
        UserPoolId=wire.pool.id,
        ClientId=wire.client_id,
        ChallengeName="ADMIN_NO_SRP_AUTH",
        Session=step["Session"],
    )

    assert "AuthenticationResult" in answer(ChallengeResponses={"USERNAME": "alice", "PASSWORD": PASSWORD})
    again = admin_start(wire, "USER_SRP_AUTH", **srp)
    wrong = {"USERNAME": "alice", "PASSWORD": "Wrong horse 1"}
    refused = refusal(lambda: answer(Session=again["Session"], ChallengeResponses=wrong))
    assert refused == ("NotAuthorizedException", "Incorrect username or password.")


def test_admin_no_srp_auth_hides_unknown_users_as_the_client_does(wire: Wire) -> None:
    app = wire.pool.app_client(prevent_user_existence_errors="ENABLED")
    wire.pool.configure(admin_no_srp_auth=True)
    hiding = Wire(wire.pool, app.client_id)
    step = admin_start(hiding, "USER_SRP_AUTH", USERNAME="unknown", SRP_A=wire.exponent.srp_a)
    responses = {"USERNAME": "unknown", "PASSWORD": PASSWORD}

    assert step["ChallengeName"] == "ADMIN_NO_SRP_AUTH"
    refused = refusal(lambda: hiding.respond("ADMIN_NO_SRP_AUTH", step["Session"], responses))
    assert refused == ("NotAuthorizedException", "Incorrect username or password.")


@pytest.mark.parametrize("flow", ["ADMIN_NO_SRP_AUTH", "USER_PASSWORD_AUTH"])
def test_legacy_client_may_use_srp_and_refresh(wire: Wire, flow: str) -> None:
    legacy = Wire(wire.pool, wire.pool.app_client(flows=[flow]).client_id)
    done = legacy.srp()["AuthenticationResult"]

    assert (
        "AccessToken"
        in legacy.start("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=done["RefreshToken"])["AuthenticationResult"]
    )


def test_second_factor_challenges_carry_user_id_for_srp(totp_wire: Wire) -> None:
    assert totp_wire.password()["ChallengeParameters"]["USER_ID_FOR_SRP"] == "alice"


def test_answer_without_challenge_responses_is_refused(wire: Wire) -> None:
    assert refusal(lambda: wire.respond("SMS_MFA", "s" * 30, {}))[1] == (
        "Missing required parameter challenge responses."
    )


def test_admin_proof_of_srp_refuses_an_alias(cognito: LocalCognito) -> None:
    wire = wire_to(cognito, alias_attributes=["email"])
    challenge = wire.start_srp("alice@example.com")
    claim = {**wire.claim(challenge), "USERNAME": "alice@example.com"}

    answer = {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": claim, "ClientId": wire.client_id}
    call = lambda: wire.api.admin_respond_to_auth_challenge(UserPoolId=wire.pool.id, **answer)  # noqa: E731
    assert refusal(call)[0] == "UserNotFoundException"


def test_simulated_sign_in_refuses_an_answer_for_another_name(cognito: LocalCognito) -> None:
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD)
    hiding = Wire(pool, pool.app_client(prevent_user_existence_errors="ENABLED").client_id)
    challenge = hiding.start_srp("unknown")

    claim = {**hiding.claim(challenge), "USERNAME": "alice"}
    assert refusal(lambda: hiding.prove(challenge, claim))[1] == "Incorrect username or password."


@pytest.fixture
def custom(wire: Wire) -> Wire:
    """A pool that asks for the password and then a question."""
    names = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")
    wire.pool.triggers.update(zip(names, (define, create, verify), strict=True))
    return wire


def test_srp_proof_in_custom_auth_without_session_is_refused(custom: Wire) -> None:
    begun = {"USERNAME": "alice", "CHALLENGE_NAME": "SRP_A", "SRP_A": custom.exponent.srp_a}
    challenge = custom.start("CUSTOM_AUTH", **begun)
    claim = custom.claim(challenge)

    assert refusal(lambda: custom.respond("PASSWORD_VERIFIER", None, claim))[1] == (
        "Missing required parameter Session"
    )
    garbled = {**claim, "PASSWORD_CLAIM_SECRET_BLOCK": "no base64"}
    assert refusal(lambda: custom.prove(challenge, garbled))[1] == "Incorrect username or password."


def test_define_trigger_without_a_decision_is_an_invalid_lambda_response(custom: Wire) -> None:
    custom.pool.triggers["DefineAuthChallenge"] = lambda event: {
        **event,
        "response": {"challengeName": "SMS_MFA"},
    }

    assert refusal(lambda: custom.start("CUSTOM_AUTH", USERNAME="alice")) == (
        "InvalidLambdaResponseException",
        "Unrecognizable lambda output",
    )


def test_device_deleted_during_its_challenge_is_refused(cognito: LocalCognito) -> None:
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


def test_code_for_another_challenge_is_a_code_mismatch(cognito: LocalCognito) -> None:
    wire = wire_to(cognito, **ON, **SMS)
    step = wire.password()
    wrong = {"USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": wire.pool.last_code("alice")}

    assert refusal(lambda: wire.respond("SOFTWARE_TOKEN_MFA", step["Session"], wrong)) == (
        "CodeMismatchException",
        "Invalid code or auth state for the user.",
    )


def test_app_enrolled_again_replaces_the_old_one(cognito: LocalCognito) -> None:
    wire = wire_to(cognito, **ON, **TOTP)
    wire.pool.enrol_totp("alice")
    for _ in range(2):
        wire.pool.enrol_totp("alice")
        moment = cognito.clock()
        code = wire.pool.totp("alice")
        assert cognito.clock() == moment
        assert "AuthenticationResult" in wire.answer(wire.password(), SOFTWARE_TOKEN_MFA_CODE=code)

    assert wire.pool.user("alice").mfa_enabled == ["SOFTWARE_TOKEN_MFA"]


def test_factor_that_was_not_offered_cannot_be_chosen_or_set_up(cognito: LocalCognito) -> None:
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


def test_totp_answer_after_the_app_was_removed_is_refused(totp_wire: Wire) -> None:
    step = totp_wire.password()
    totp_wire.pool.user("alice").totp_secret = None

    assert refusal(lambda: totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE="123456")) == (
        "SoftwareTokenMFANotFoundException",
        "Software Token MFA does not exist for the user.",
    )


def test_required_factor_that_cannot_be_set_up_ends_the_sign_in(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(**ON, **SMS)
    pool.add_user("alice", PASSWORD)

    assert refusal(Wire(pool).password)[0] == "InvalidParameterException"


def test_lower_case_email_key_is_accepted_at_mfa_setup(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(**ON, **EMAIL)
    pool.add_user("alice", PASSWORD)
    wire = Wire(pool)

    assert wire.answer(wire.password(), email="a@b.example")["ChallengeName"] == "EMAIL_OTP"


# -- refresh --


def test_refresh_token_auth_is_refused_by_a_client_with_rotation(cognito: LocalCognito) -> None:
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD)
    rotation: Any = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}
    app = pool.app_client(flows=["ALLOW_USER_PASSWORD_AUTH"], refresh_token_rotation=rotation)
    wire = Wire(pool, app.client_id)
    token = wire.password()["AuthenticationResult"]["RefreshToken"]

    assert refusal(lambda: wire.start("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token)) == (
        "UnsupportedOperationException",
        "This API does not support refresh token rotation",
    )


# -- the pool in a test's hands --


def test_missing_user_setting_or_app_raises_an_error_that_names_it(wire: Wire) -> None:
    with pytest.raises(TypeError, match="mfa_config"):
        wire.cognito.create_pool(mfa_config="ON")  # type: ignore[call-arg]  # refused
    for call in (wire.pool.user, wire.pool.last_code, wire.pool.totp):
        with pytest.raises(KeyError):
            call("unknown")
    with pytest.raises(KeyError, match="authenticator"):
        wire.pool.totp("alice")
    with pytest.raises(KeyError, match="no message"):
        wire.pool.last_code("alice")


def test_last_code_is_that_of_the_user_and_the_pool(cognito: LocalCognito) -> None:
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
def test_number_out_of_range_is_refused(wire: Wire, minutes: int, text: str) -> None:
    body = {"UserPoolId": wire.pool.id, "ClientName": "c", "AuthSessionValidity": minutes}
    headers = {"x-amz-target": "AWSCognitoIdentityProviderService.CreateUserPoolClient", "authorization": "x"}

    reply = wire.cognito.handle(headers, json.dumps(body).encode())

    assert reply.status == 400
    assert text in json.loads(reply.body)["message"]
