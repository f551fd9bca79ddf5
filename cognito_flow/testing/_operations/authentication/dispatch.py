"""InitiateAuth, RespondToAuthChallenge, and their Admin forms: dispatch to the flow or challenge.

Rule of this file: it finds the user and the progress, checks SECRET_HASH, and calls the flow or the
challenge. The order of the checks is that of the service: parameters, flow, hash, user.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from cognito_flow.testing._operations.authentication import (
    custom,
    device_factor,
    first_factors,
    second_factors,
)
from cognito_flow.testing._operations.authentication.password_claim import need_claim, open_block
from cognito_flow.testing._operations.authentication.sign_in import SignIn
from cognito_flow.testing._operations.request import Operation, Request, check_secret_hash, need
from cognito_flow.testing._operations.tokens import refresh
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import Client, User, UserPool
from cognito_flow.testing._state.refusal import (
    Refusal,
    incorrect_password,
    invalid_parameter,
    missing_parameter,
    not_authorized,
)
from cognito_flow.testing._state.sessions import Progress, open_session

_PASSWORD_FLOWS = ("USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH")
_REFRESH_FLOWS = ("REFRESH_TOKEN_AUTH", "REFRESH_TOKEN")

_FLOWS: dict[str, Callable[[SignIn], Members]] = {
    "USER_SRP_AUTH": first_factors.start_srp,
    **dict.fromkeys(_PASSWORD_FLOWS, first_factors.start_password),
    "CUSTOM_AUTH": custom.start_custom,
    "USER_AUTH": first_factors.start_choice,
}

# These ExplicitAuthFlows of old app clients allow SRP and refresh, too.
_LEGACY = {"ADMIN_NO_SRP_AUTH", "USER_PASSWORD_AUTH"}
_CUSTOM_ONLY = "CUSTOM_AUTH_FLOW_ONLY"

# ExplicitAuthFlows must hold one of these, or the flow is refused with this text.
_ENABLED_BY = {
    "USER_SRP_AUTH": ({"ALLOW_USER_SRP_AUTH", *_LEGACY}, "USER_SRP_AUTH is not enabled for the client."),
    "USER_PASSWORD_AUTH": (
        {"ALLOW_USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH"},
        "USER_PASSWORD_AUTH flow not enabled for this client",
    ),
    "CUSTOM_AUTH": (
        {"ALLOW_CUSTOM_AUTH", _CUSTOM_ONLY},
        "CUSTOM_AUTH is not enabled for the client.",
    ),
    "USER_AUTH": ({"ALLOW_USER_AUTH"}, "USER_AUTH is not enabled for the client."),
    **dict.fromkeys(
        ("ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"),
        ({"ALLOW_ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"}, "Auth flow not enabled for this client"),
    ),
    **dict.fromkeys(
        _REFRESH_FLOWS,
        # Cognito refused ALLOW_* values without the one for refresh with "REFRESH_TOKEN_AUTH should always be
        # allowed", so all older values include it. (aws-cdk#7625)
        (
            {"ALLOW_REFRESH_TOKEN_AUTH", _CUSTOM_ONLY, *_LEGACY},
            "Refresh Token flow not enabled for this client",
        ),
    ),
}


def initiate_auth(request: Request) -> Members:
    """InitiateAuth and AdminInitiateAuth."""
    pool, client = request.client()
    flow, values = request.parameters["AuthFlow"], request.parameters.get("AuthParameters", {})
    if flow in _PASSWORD_FLOWS and flow.startswith("ADMIN_") is not request.is_admin:
        raise invalid_parameter("Initiate Auth method not supported.")
    if flow in _REFRESH_FLOWS:
        if not client.rotates:
            _check_enabled(client, flow)
        return {"AuthenticationResult": refresh(request, pool, client, values), "ChallengeParameters": {}}
    typed = need(values, "USERNAME")
    if flow in _PASSWORD_FLOWS:
        need(values, "PASSWORD")
    _check_enabled(client, flow)
    if flow == "USER_AUTH" and pool.members.get("UserPoolTier", "ESSENTIALS") == "LITE":
        raise Refusal("FeatureUnavailableInTierException", "USER_AUTH is not available in this feature plan.")
    user = pool.find(typed)
    _check_hash_at_start(client, values.get("SECRET_HASH"), typed, user)
    migrates = flow in _PASSWORD_FLOWS and "UserMigration" in pool.triggers
    if user is None and not client.hides_users and not migrates:
        raise Refusal("UserNotFoundException", "User does not exist.")
    progress = _first_progress(request, pool, client, typed, user)
    sign_in = _sign_in(request, pool, client, typed, user, progress)
    if request.is_admin and flow == "USER_SRP_AUTH" and pool.settings.admin_no_srp_auth:
        return first_factors.start_without_srp(sign_in)
    return _FLOWS[flow](sign_in)


def _check_enabled(client: Client, flow: str) -> None:
    if _CUSTOM_ONLY in client.flows and flow not in ("CUSTOM_AUTH", *_REFRESH_FLOWS):
        raise invalid_parameter("Only custom auth (lambda driven) is enabled for this client.")
    any_of, text = _ENABLED_BY[flow]
    if not any_of & set(client.flows):
        raise invalid_parameter(text)


def _check_hash_at_start(client: Client, given: str | None, typed: str, user: User | None) -> None:
    if client.secret is None and given is not None:
        text = f"Client {client.id} is not configured with secret but SECRET_HASH was received"
        raise invalid_parameter(text)
    check_secret_hash(client, given, typed, *(() if user is None else (user.username,)))


def _first_progress(
    request: Request, pool: UserPool, client: Client, typed: str, user: User | None
) -> Progress:
    flow, values = request.parameters["AuthFlow"], request.parameters["AuthParameters"]
    session = request.parameters.get("Session")
    name = typed if user is None else user.username
    if flow == "USER_AUTH" and session is not None:
        progress = open_session(pool, client, session, "CONFIRMED_SIGN_UP", request.now)
        if progress.username != name:
            raise not_authorized("Invalid session for the user.")
        return progress
    return Progress(
        client_id=client.id,
        username=name,
        sub=None if user is None else user.sub,
        flow=flow,
        is_simulated=user is None,
        device_key=values.get("DEVICE_KEY"),
    )


def _sign_in(
    request: Request, pool: UserPool, client: Client, typed: str, user: User | None, progress: Progress
) -> SignIn:
    starts = "AuthParameters" in request.parameters
    return SignIn(
        pool=pool,
        client=client,
        typed=typed,
        user=user,
        progress=progress,
        values=request.parameters["AuthParameters" if starts else "ChallengeResponses"],
        metadata=request.parameters.get("ClientMetadata", {}),
        outbox=request.outbox,
        now=request.now,
        is_start=starts,
    )


# -- RespondToAuthChallenge --


def _answer_password_verifier(sign_in: SignIn) -> Members:
    first_factors.prove_password(sign_in)
    is_custom = sign_in.progress.flow == "CUSTOM_AUTH"
    return custom.after_password(sign_in) if is_custom else second_factors.after_first_factor(sign_in)


# Some clients answer these without a Session.
_OF_A_DEVICE = ("DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER")

_ANSWERS: dict[str, Callable[[SignIn], Members]] = {
    "ADMIN_NO_SRP_AUTH": first_factors.answer_password,
    "CUSTOM_CHALLENGE": custom.answer_custom_challenge,
    "DEVICE_PASSWORD_VERIFIER": device_factor.answer_device_password_verifier,
    "DEVICE_SRP_AUTH": device_factor.answer_device_srp_auth,
    "EMAIL_OTP": second_factors.answer_code,
    "MFA_SETUP": second_factors.answer_mfa_setup,
    "NEW_PASSWORD_REQUIRED": second_factors.answer_new_password,
    "PASSWORD": first_factors.answer_password,
    "PASSWORD_SRP": first_factors.answer_password_srp,
    "PASSWORD_VERIFIER": _answer_password_verifier,
    "SELECT_CHALLENGE": first_factors.answer_select_challenge,
    "SELECT_MFA_TYPE": second_factors.answer_select_mfa_type,
    "SMS_MFA": second_factors.answer_code,
    "SMS_OTP": second_factors.answer_code,
    "SOFTWARE_TOKEN_MFA": second_factors.answer_totp,
    "WEB_AUTHN": first_factors.answer_passkey,
}


def respond_to_auth_challenge(request: Request) -> Members:
    """RespondToAuthChallenge and AdminRespondToAuthChallenge."""
    pool, client = request.client()
    challenge, values = request.parameters["ChallengeName"], request.parameters.get("ChallengeResponses", {})
    if not values:
        raise missing_parameter("challenge responses.")
    typed = need(values, "USERNAME")
    user = pool.find(typed)
    names = (typed, *(() if user is None else (user.username,)))
    check_secret_hash(client, values.get("SECRET_HASH"), *names)
    progress = _progress(request, pool, client, user, challenge)
    is_alias = user is not None and pool.normalize(typed) != user.username
    if request.is_admin and is_alias and challenge == "PASSWORD_VERIFIER":
        # The API reference: after SRP, the Admin operation takes the user's own name and no alias.
        raise Refusal("UserNotFoundException", "User does not exist.")
    # A simulated user is answered by the id in the challenge, or by the typed name.
    expected = {pool.simulated_id(progress.username), progress.username} if progress.is_simulated else None
    if expected is None and (user is None or user.username != progress.username):
        raise _someone_else(challenge)
    if expected is not None and typed not in expected:
        raise _someone_else(challenge)
    name = progress.username if progress.is_simulated else typed
    sign_in = _sign_in(request, pool, client, name, None if progress.is_simulated else user, progress)
    if sign_in.user is not None:
        sign_in.check_state()  # again: the user may have been disabled since the last call
    if challenge not in _OF_A_DEVICE:  # those check that it is the device of the challenge
        sign_in.with_device()
    return _ANSWERS[challenge](sign_in)


def _someone_else(challenge: str) -> Refusal:
    """The refusal of an answer for another user than that of the challenge."""
    if challenge == "PASSWORD_VERIFIER":
        return incorrect_password()
    return not_authorized("Invalid session for the user.")


def _progress(
    request: Request, pool: UserPool, client: Client, user: User | None, challenge: str
) -> Progress:
    session = request.parameters.get("Session")
    may_lack_session = challenge in _OF_A_DEVICE and not pool.settings.device_session_required
    if session is None and user is not None and may_lack_session:
        device = user.devices.get(request.parameters["ChallengeResponses"].get("DEVICE_KEY", ""))
        session = None if device is None else device.sessions.get(client.id)
    if session is not None:
        return open_session(pool, client, session, challenge, request.now)
    if challenge != "PASSWORD_VERIFIER":
        raise missing_parameter("Session")
    # In USER_SRP_AUTH the SECRET_BLOCK takes the place of the Session.
    values = request.parameters["ChallengeResponses"]
    need_claim(values)
    content = open_block(pool, values)
    if content is None:
        raise incorrect_password()
    progress = Progress(**content["progress"])
    if progress.flow != "USER_SRP_AUTH":
        raise missing_parameter("Session")
    return attrs.evolve(progress, challenge=challenge)


OPERATIONS: dict[str, Operation] = {
    "InitiateAuth": initiate_auth,
    "AdminInitiateAuth": initiate_auth,
    "RespondToAuthChallenge": respond_to_auth_challenge,
    "AdminRespondToAuthChallenge": respond_to_auth_challenge,
}
