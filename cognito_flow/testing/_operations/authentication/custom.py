"""CUSTOM_AUTH: the pool's triggers decide what is asked, what is right, and when tokens are issued.

Rule of this file: the triggers decide everything but the password, which only SRP proves. A Session is used
up before a trigger runs, so that a trigger that raises ends the sign-in.

Source: "Custom authentication challenge Lambda triggers" in the Amazon Cognito developer guide.
"""

from __future__ import annotations

import attrs

from cognito_flow.testing._operations.authentication.first_factors import ask_password_verifier
from cognito_flow.testing._operations.authentication.second_factors import second_factor
from cognito_flow.testing._operations.authentication.sign_in import SignIn
from cognito_flow.testing._operations.request import need
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.refusal import Refusal, incorrect_password, invalid_parameter


def start_custom(sign_in: SignIn) -> Members:
    """CUSTOM_AUTH, with SRP first if SRP_A came along."""
    if "DefineAuthChallenge" not in sign_in.pool.triggers:
        raise invalid_parameter("Custom auth lambda trigger is not configured for the user pool.")
    history: list[Members] = []
    if sign_in.values.get("CHALLENGE_NAME") == "SRP_A":
        srp_a = need(sign_in.values, "SRP_A")
        sign_in.progress = attrs.evolve(sign_in.progress, srp_a=srp_a)
        history = [{"challengeName": "SRP_A", "challengeResult": True, "challengeMetadata": None}]
    if sign_in.user is not None:
        sign_in.check_state()
        sign_in.check_device(sign_in.values.get("DEVICE_KEY"))
    sign_in.pre_authentication()
    # The ClientMetadata of InitiateAuth does not reach the three challenge triggers.
    sign_in.metadata = {}
    return _define(sign_in, history)


def after_password(sign_in: SignIn) -> Members:
    """PASSWORD_VERIFIER was right, within CUSTOM_AUTH."""
    sign_in.spend()
    round_ = {"challengeName": "PASSWORD_VERIFIER", "challengeResult": True, "challengeMetadata": None}
    return _define(sign_in, [*sign_in.progress.history, round_])


def answer_custom_challenge(sign_in: SignIn) -> Members:
    """CUSTOM_CHALLENGE. The define trigger decides whether a wrong answer ends the sign-in."""
    answer, progress = need(sign_in.values, "ANSWER"), sign_in.progress
    sign_in.check_device(sign_in.values.get("DEVICE_KEY"))
    sign_in.spend()
    request: Members = {
        "privateChallengeParameters": progress.private,
        "challengeAnswer": answer,
        "clientMetadata": dict(sign_in.metadata),
        "userNotFound": sign_in.user is None,
    }
    source = "VerifyAuthChallengeResponse_Authentication"
    response = sign_in.trigger("VerifyAuthChallengeResponse", source, request) or {}
    is_right = response.get("answerCorrect") is True
    round_ = {
        "challengeName": "CUSTOM_CHALLENGE",
        "challengeResult": is_right,
        "challengeMetadata": progress.metadata,
    }
    return _define(sign_in, [*progress.history, round_])


def _define(sign_in: SignIn, history: list[Members]) -> Members:
    """Run the define trigger, and do what it decides."""
    sign_in.progress = attrs.evolve(sign_in.progress, history=history)
    decision = (
        sign_in.trigger("DefineAuthChallenge", "DefineAuthChallenge_Authentication", _request(sign_in)) or {}
    )
    if decision.get("failAuthentication") is True:
        raise incorrect_password()
    if decision.get("issueTokens") is True:
        sign_in.progress = attrs.evolve(sign_in.progress, is_second_factor=True)
        return second_factor(sign_in)
    if decision.get("challengeName") == "CUSTOM_CHALLENGE":
        return _create(sign_in)
    if decision.get("challengeName") == "PASSWORD_VERIFIER" and sign_in.progress.srp_a is not None:
        return ask_password_verifier(sign_in, sign_in.progress.srp_a)
    raise Refusal("InvalidLambdaResponseException", "Unrecognizable lambda output")


def _request(sign_in: SignIn) -> Members:
    return {
        "session": sign_in.progress.history,
        "clientMetadata": dict(sign_in.metadata),
        "userNotFound": sign_in.user is None,
    }


def _create(sign_in: SignIn) -> Members:
    """Run the create trigger, and ask the challenge it returns."""
    request = {"challengeName": "CUSTOM_CHALLENGE", **_request(sign_in)}
    made = sign_in.trigger("CreateAuthChallenge", "CreateAuthChallenge_Authentication", request) or {}
    public = dict(made.get("publicChallengeParameters") or {})
    if sign_in.progress.srp_a is None:
        # USERNAME is there when the sign-in began without SRP, and is not after SRP.
        public["USERNAME"] = sign_in.typed if sign_in.user is None else sign_in.user.username
    return sign_in.ask(
        "CUSTOM_CHALLENGE",
        public,
        private=dict(made.get("privateChallengeParameters") or {}),
        metadata=made.get("challengeMetadata"),
    )
