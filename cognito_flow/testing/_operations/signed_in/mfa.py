"""The second factors of a user: the authenticator app, and the preferred factor.

Rule of this file: only a factor that the user has can be enabled.

Sources: "Adding MFA to a user pool" and "TOTP software token MFA" in the Amazon Cognito developer guide.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import attrs

from cognito_flow.testing._operations.authentication.second_factors import check_lacks_factor
from cognito_flow.testing._operations.request import Operation, Request
from cognito_flow.testing._state import Members, totp
from cognito_flow.testing._state.records import Client, User, UserPool
from cognito_flow.testing._state.refusal import Refusal, invalid_parameter, not_authorized
from cognito_flow.testing._state.sessions import Progress, open_session, seal_session, spend

# -- the authenticator app --


def associate_software_token(request: Request) -> Members:
    """AssociateSoftwareToken, with an access token or in the middle of a sign-in."""
    secret_code = totp.new_secret(secrets.token_bytes)
    if "AccessToken" in request.parameters:
        pool, user, _ = request.signed_in()
        _check_totp_is_on(pool)
        user.totp_pending = secret_code
        return {"SecretCode": secret_code}
    pool, client, progress = _open_set_up(request)
    _check_totp_is_on(pool)
    if "SOFTWARE_TOKEN_MFA" not in progress.choices:
        raise not_authorized("Invalid session for the user.")
    spend(pool, progress, request.now)
    further = attrs.evolve(progress, totp_secret=secret_code)
    return {
        "SecretCode": secret_code,
        "Session": seal_session(pool, further, request.now, client.session_life),
    }


def _check_totp_is_on(pool: UserPool) -> None:
    if not pool.mfa.get("SoftwareTokenMfaConfiguration", {}).get("Enabled"):
        text = "Software Token MFA has not been enabled by the userPool"
        raise Refusal("SoftwareTokenMFANotFoundException", text)


def _open_set_up(request: Request) -> tuple[UserPool, Client, Progress]:
    """The pool, the app client and the progress of a Session of MFA_SETUP, whose user still has no factor."""
    pool, client, progress = _found_set_up(request)
    check_lacks_factor(pool, pool.users[progress.username])
    return pool, client, progress


def _found_set_up(request: Request) -> tuple[UserPool, Client, Progress]:
    """The same for any user. The request names neither pool nor app client."""
    session = request.parameters.get("Session")
    if session is None:
        raise invalid_parameter("Either AccessToken or Session must be given.")
    for pool in request.pools.values():
        for client in pool.clients.values():
            try:
                return pool, client, open_session(pool, client, session, "MFA_SETUP", request.now)
            except Refusal as refusal:
                if refusal.text != "Invalid session for the user.":
                    raise
    raise not_authorized("Invalid session for the user.")


def verify_software_token(request: Request) -> Members:
    """VerifySoftwareToken. A wrong code changes nothing; the right one enrols the app at once, even if
    MFA_SETUP is never answered."""
    name, code = request.parameters.get("FriendlyDeviceName"), request.parameters["UserCode"]
    if "AccessToken" in request.parameters:
        _, user, _ = request.signed_in()
        if user.totp_pending is None:
            raise invalid_parameter("Software token has not been associated.")
        # The same code must not be used for a sign-in, too. The counter starts again with each secret.
        user.totp_used_step = _step_of_first_code(user.totp_pending, code, request)
        user.totp_secret, user.totp_pending, user.totp_name = user.totp_pending, None, name
        return {"Status": "SUCCESS"}
    pool, client, progress = _open_set_up(request)
    if progress.totp_secret is None:
        raise invalid_parameter("Software token has not been associated.")
    step = _step_of_first_code(progress.totp_secret, code, request)
    spend(pool, progress, request.now)
    user = pool.users[progress.username]
    user.totp_secret, user.totp_name, user.totp_used_step = progress.totp_secret, name, step
    user.mfa_preferred = None if user.mfa_enabled else "SOFTWARE_TOKEN_MFA"
    user.enable_factor("SOFTWARE_TOKEN_MFA")
    further = attrs.evolve(progress, is_totp_verified=True)
    return {"Status": "SUCCESS", "Session": seal_session(pool, further, request.now, client.session_life)}


def _step_of_first_code(secret_code: str, code: str, request: Request) -> int:
    step = totp.matching_step(secret_code, code, request.now)
    if step is None:
        raise Refusal("EnableSoftwareTokenMFAException", "Code mismatch")
    return step


_PASSKEY_MFA = "MULTI_FACTOR_WITH_USER_VERIFICATION"
_SETTINGS = {
    "SMSMfaSettings": "SMS_MFA",
    "SoftwareTokenMfaSettings": "SOFTWARE_TOKEN_MFA",
    "EmailMfaSettings": "EMAIL_OTP",
}


def set_preference(pool: UserPool, user: User, parameters: Members) -> Members:
    """SetUserMFAPreference and AdminSetUserMFAPreference.

    Raises:
        Refusal: A factor that the user does not have is turned on or preferred, a preferred factor is not
            turned on, two are preferred, or passkeys would be the only second factor.
    """
    settings = {_SETTINGS[key]: value for key, value in parameters.items() if key in _SETTINGS}
    if sum(bool(value.get("PreferredMfa")) for value in settings.values()) > 1:
        raise invalid_parameter("Only one MFA method can be preferred.")
    for name, value in settings.items():
        wants = value.get("Enabled") or value.get("PreferredMfa")
        if wants and not user.has_factor(name):
            raise invalid_parameter(f"User does not have delivery config set to turn on {name}")
        if value.get("PreferredMfa") and not value.get("Enabled", name in user.mfa_enabled):
            raise invalid_parameter(f"{name} must be enabled to be the preferred MFA method.")
    passkey = parameters.get("WebAuthnMfaSettings", {}).get("Enabled", user.passkey_mfa)
    if passkey:
        _check_passkey_mfa(pool, user, settings)
    user.passkey_mfa = bool(passkey)
    for name, value in settings.items():
        is_enabled = value.get("Enabled", name in user.mfa_enabled)
        user.mfa_enabled = [known for known in user.mfa_enabled if known != name] + [name] * bool(is_enabled)
        if value.get("PreferredMfa"):
            user.mfa_preferred = name
        elif user.mfa_preferred == name:
            user.mfa_preferred = None
    return {}


def _check_passkey_mfa(pool: UserPool, user: User, settings: Mapping[str, Members]) -> None:
    """Check that passkeys can count as both factors, and are not the only way to a second factor.

    Source: WebAuthnMfaSettingsType in the service model, which does not say with which error it is refused.
    """
    if pool.mfa.get("WebAuthnConfiguration", {}).get("FactorConfiguration") != _PASSKEY_MFA:
        raise invalid_parameter("Passkey MFA is not enabled for the user pool.")
    others = {name for name in user.mfa_enabled if settings.get(name, {}).get("Enabled", True)}
    others |= {name for name, value in settings.items() if value.get("Enabled")}
    if not others:
        raise invalid_parameter("Passkey MFA needs another MFA method that is activated for the user.")


def set_user_mfa_preference(request: Request) -> Members:
    """SetUserMFAPreference."""
    pool, user, _ = request.signed_in()
    return set_preference(pool, user, request.parameters)


OPERATIONS: dict[str, Operation] = {
    "AssociateSoftwareToken": associate_software_token,
    "SetUserMFAPreference": set_user_mfa_preference,
    "VerifySoftwareToken": verify_software_token,
}
