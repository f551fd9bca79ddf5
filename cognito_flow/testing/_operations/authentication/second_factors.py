"""After the first factor: a new password, a device, a second factor, tokens, in this order.

Rule of this file: each function takes the sign-in one step further and returns the answer.
"""

from __future__ import annotations

import hmac
import json
import uuid
from collections.abc import Mapping

import attrs

from cognito_flow.testing._operations.authentication import step_up
from cognito_flow.testing._operations.authentication.sign_in import SignIn, not_offered
from cognito_flow.testing._operations.request import need
from cognito_flow.testing._state import Members, acr, totp
from cognito_flow.testing._state.attributes import (
    change,
    check_aliases,
    check_attributes,
    check_mutable,
    check_writable,
    schema,
)
from cognito_flow.testing._state.passwords import check_new_password, set_password
from cognito_flow.testing._state.records import Device, User, UserPool
from cognito_flow.testing._state.refusal import Refusal, invalid_parameter, not_authorized
from cognito_flow.testing._state.sessions import Progress
from cognito_flow.testing._state.tokens import check_needs_no_reset, issue, keep_grant, new_grant

_CODE_KEYS = {"SMS_MFA": "SMS_MFA_CODE", "EMAIL_OTP": "EMAIL_OTP_CODE", "SMS_OTP": "SMS_OTP_CODE"}
_PREFIX = "userAttributes."

# The triggerSource of the pre token generation trigger, by the challenge that was answered last. ("Pre token
# generation Lambda trigger sources" in the developer guide. It does not say which one it is if another
# challenge follows the new password or the device.)
_SOURCES = {
    "NEW_PASSWORD_REQUIRED": "TokenGeneration_NewPasswordChallenge",
    "DEVICE_PASSWORD_VERIFIER": "TokenGeneration_AuthenticateDevice",
}


def after_first_factor(sign_in: SignIn) -> Members:
    """The first factor was right."""
    user = sign_in.require_user
    sign_in.spend()
    sign_in.progress = attrs.evolve(sign_in.progress, is_second_factor=True)
    if user.status == "FORCE_CHANGE_PASSWORD":
        return _ask_new_password(sign_in, user)
    return second_factor(sign_in)


# -- new password --


def _ask_new_password(sign_in: SignIn, user: User) -> Members:
    required = [name for name, entry in schema(sign_in.pool).items() if entry.get("Required")]
    missing = [name for name in required if name != "sub" and not user.attributes.get(name)]
    parameters = {
        "USER_ID_FOR_SRP": user.username,
        "requiredAttributes": json.dumps([f"{_PREFIX}{name}" for name in missing]),
        "userAttributes": json.dumps({**dict.fromkeys(missing, ""), **user.attributes}),
    }
    return sign_in.ask("NEW_PASSWORD_REQUIRED", parameters, choices=missing)


def answer_new_password(sign_in: SignIn) -> Members:
    """NEW_PASSWORD_REQUIRED. A refused password leaves the Session valid."""
    user, pool = sign_in.require_user, sign_in.pool
    password = need(sign_in.values, "NEW_PASSWORD")
    given = {
        name.removeprefix(_PREFIX): value
        for name, value in sign_in.values.items()
        if name.startswith(_PREFIX)
    }
    for name in given:
        if user.attributes.get(name):
            raise not_authorized(f"Cannot modify an already provided {name}")
    for name in sign_in.progress.choices:
        if not given.get(name):
            raise invalid_parameter(f"Invalid attributes given, {name} is missing")
    check_writable(sign_in.client, given)
    check_mutable(pool, user, given)
    check_attributes(pool, given)
    check_aliases(pool, user, given)
    check_new_password(pool, user, password)
    sign_in.spend()
    change(user, given, sign_in.now)
    set_password(pool, user, password, sign_in.now)
    user.status = "CONFIRMED"
    sign_in.progress = attrs.evolve(sign_in.progress, salt=user.password_salt)
    return second_factor(sign_in)


# -- the device --


def second_factor(sign_in: SignIn) -> Members:
    """A remembered device first; then a second factor; then tokens."""
    device = _remembered_device(sign_in)
    if device is not None and not step_up.second_factors(sign_in):
        return sign_in.ask_device("DEVICE_SRP_AUTH", device, {})
    return _mfa(sign_in)


def after_device(sign_in: SignIn) -> Members:
    """The device was proved. It replaces the second factor if the pool is configured so."""
    if sign_in.pool.device_configuration.get("ChallengeRequiredOnNewDevice"):
        return finish(sign_in)
    return _mfa(sign_in)


def _remembered_device(sign_in: SignIn) -> Device | None:
    device = sign_in.require_user.devices.get(sign_in.progress.device_key or "")
    return device if device is not None and device.is_remembered else None


# -- the second factor --


def _mfa(sign_in: SignIn) -> Members:
    user, mfa = sign_in.require_user, sign_in.pool.mfa
    required, leading = mfa.get("MfaConfiguration", "OFF"), step_up.second_factors(sign_in)
    if not leading and (required == "OFF" or len(acr.factors(sign_in.progress.amr)) > 1):
        return finish(sign_in)
    factors = leading or _factors(sign_in.pool, user)
    if user.mfa_preferred in factors:
        return _ask_factor(sign_in, user.mfa_preferred or "")
    if len(factors) > 1:
        return sign_in.ask("SELECT_MFA_TYPE", {"MFAS_CAN_CHOOSE": json.dumps(factors)}, choices=factors)
    if factors:
        return _ask_factor(sign_in, factors[0])
    return _ask_mfa_setup(sign_in) if required == "ON" else finish(sign_in)


def _factors(pool: UserPool, user: User) -> list[str]:
    """The second factors that the user has. If the pool requires one, an address for codes is enough."""
    offered = _offered(pool)
    enabled = [name for name in offered if name in user.mfa_enabled and user.has_factor(name)]
    if enabled or pool.mfa.get("MfaConfiguration") != "ON":
        return enabled
    return [name for name in offered if name != "SOFTWARE_TOKEN_MFA" and user.has_factor(name)][:1]


def usable_factors(pool: UserPool, user: User) -> list[str]:
    """The second factors that the pool offers and the user has, whether they are on or not."""
    return [name for name in _offered(pool) if user.has_factor(name)]


def _offered(pool: UserPool) -> list[str]:
    mfa = pool.mfa
    offered = ["SMS_MFA"] if mfa.get("SmsMfaConfiguration") else []
    if mfa.get("SoftwareTokenMfaConfiguration", {}).get("Enabled"):
        offered.append("SOFTWARE_TOKEN_MFA")
    return [*offered, "EMAIL_OTP"] if mfa.get("EmailMfaConfiguration") is not None else offered


def _ask_factor(sign_in: SignIn, name: str) -> Members:
    if name == "SOFTWARE_TOKEN_MFA":
        named = sign_in.require_user.totp_name
        return sign_in.ask(name, {} if named is None else {"FRIENDLY_DEVICE_NAME": named})
    return sign_in.ask_for_code(name, "SMS" if name == "SMS_MFA" else "EMAIL", 6)


def answer_select_mfa_type(sign_in: SignIn) -> Members:
    """SELECT_MFA_TYPE."""
    chosen = need(sign_in.values, "ANSWER")
    # The API reference calls the e-mail factor EMAIL_MFA; its enumeration and all clients say EMAIL_OTP.
    chosen = "EMAIL_OTP" if chosen == "EMAIL_MFA" else chosen
    if chosen not in sign_in.progress.choices:
        raise not_offered()
    sign_in.spend()
    return _ask_factor(sign_in, chosen)


def answer_code(sign_in: SignIn) -> Members:
    """SMS_MFA, EMAIL_OTP and SMS_OTP. A wrong code leaves the Session valid."""
    progress = sign_in.progress
    code = need(sign_in.values, _CODE_KEYS[progress.challenge])
    if progress.is_second_factor:
        sign_in.check_mfa_lock()
    attribute = "email" if progress.challenge == "EMAIL_OTP" else "phone_number"
    # A simulated sign-in has a code, too, which was never sent; it is refused even if guessed.
    is_right = hmac.compare_digest(code.encode(), (progress.code or "").encode())
    if not is_right or sign_in.user is None or not _went_to(sign_in.user, attribute, progress):
        if progress.is_second_factor:
            sign_in.require_user.mfa_lock.fail(sign_in.now)
        raise Refusal("CodeMismatchException", "Invalid code or auth state for the user.")
    user = sign_in.user
    changes = {f"{attribute}_verified": "true"}
    if progress.email is not None:
        check_lacks_factor(sign_in.pool, user)
        changes["email"] = progress.email
    check_aliases(sign_in.pool, user, changes)
    user.mfa_lock.reset()
    sign_in.complete("email_otp" if progress.challenge == "EMAIL_OTP" else "sms")
    sign_in.spend()
    change(user, changes, sign_in.now)
    if progress.email is not None:
        user.enable_factor("EMAIL_OTP")
    return finish(sign_in)


def _went_to(user: User, attribute: str, progress: Progress) -> bool:
    """Whether the code was sent to an address that is still the user's, or is being set up."""
    return progress.email is not None or user.attributes.get(attribute) == progress.sent_to


def answer_totp(sign_in: SignIn) -> Members:
    """SOFTWARE_TOKEN_MFA."""
    user, code = sign_in.require_user, need(sign_in.values, "SOFTWARE_TOKEN_MFA_CODE")
    if user.totp_secret is None:
        text = "Software Token MFA does not exist for the user."
        raise Refusal("SoftwareTokenMFANotFoundException", text)
    sign_in.check_mfa_lock()
    if not check_totp(user, user.totp_secret, code, sign_in):
        user.mfa_lock.fail(sign_in.now)
        if not sign_in.pool.settings.totp_retry:
            sign_in.spend()
        raise Refusal("CodeMismatchException", "Invalid code received for user")
    user.mfa_lock.reset()
    sign_in.complete("otp")
    sign_in.spend()
    return finish(sign_in)


def check_totp(user: User, secret: str, code: str, sign_in: SignIn) -> bool:
    """Whether a TOTP code is right. Each code is valid once, enrolment included.

    Raises:
        Refusal: It was used before.
    """
    step = totp.matching_step(secret, code, sign_in.now)
    if step is None:
        return False
    if step <= user.totp_used_step:
        raise Refusal("ExpiredCodeException", "Your software token has already been used once.")
    user.totp_used_step = step
    return True


# -- setting one up --


def _ask_mfa_setup(sign_in: SignIn) -> Members:
    choices = [name for name in _offered(sign_in.pool) if name != "SMS_MFA"]
    if not choices:
        raise invalid_parameter("User does not have an MFA factor, and none can be set up in the sign-in.")
    return sign_in.ask("MFA_SETUP", {"MFAS_CAN_SETUP": json.dumps(choices)}, choices=choices)


def check_lacks_factor(pool: UserPool, user: User) -> None:
    """Check that a user still has to set up a second factor: somebody who knows only the password must not
    replace one that was set up meanwhile.

    Raises:
        Refusal: The user has a second factor.
    """
    if _factors(pool, user):
        raise not_authorized("Invalid session for the user.")


def answer_mfa_setup(sign_in: SignIn) -> Members:
    """MFA_SETUP: an address for codes by e-mail, or the Session of a VerifySoftwareToken that was right."""
    progress, user = sign_in.progress, sign_in.require_user
    if progress.is_totp_verified and user.totp_secret == progress.totp_secret:
        sign_in.complete("otp")
        sign_in.spend()
        return finish(sign_in)
    check_lacks_factor(sign_in.pool, user)
    # The developer guide spells the key in lower case; all clients send EMAIL.
    email = sign_in.values.get("EMAIL") or sign_in.values.get("email")
    if email is None:
        raise not_authorized("Invalid session for the user.")
    if "EMAIL_OTP" not in progress.choices:
        raise not_offered()
    check_attributes(sign_in.pool, {"email": email})
    sign_in.spend()
    return sign_in.ask_for_code("EMAIL_OTP", "EMAIL", 6, email=email)


# -- tokens --


def finish(sign_in: SignIn) -> Members:
    """Every factor was right. A trigger that refuses leaves the user's devices and sessions as they were."""
    pool, user, progress = sign_in.pool, sign_in.require_user, sign_in.progress
    # Passkeys and codes need no password. Whether the real service lets a user sign in with them who must
    # reset the password is not known. Here it does not, as it refuses the access tokens of such a user.
    check_needs_no_reset(user)
    device = user.devices.get(progress.device_key or "")
    # CUSTOM_AUTH gives no new device.
    is_new = pool.tracks_devices and device is None and progress.flow != "CUSTOM_AUTH"
    new_key = _new_device_key(pool.region) if is_new else None
    used_key = new_key if device is None else device.key
    request: Members = {"newDeviceUsed": is_new, "clientMetadata": dict(sign_in.metadata)}
    sign_in.trigger("PostAuthentication", "PostAuthentication_Authentication", request)
    grant = new_grant(pool, sign_in.client, sign_in.now, used_key)
    if progress.target or "AcrConfiguration" in pool.members:
        grant.acr_claims = acr.claims(pool, progress.amr)
    # The ClientMetadata of InitiateAuth does not reach the pre token generation trigger.
    metadata: Mapping[str, str] = {} if sign_in.is_start else sign_in.metadata
    source = _SOURCES.get(progress.challenge, "TokenGeneration_Authentication")
    result = issue(pool, sign_in.client, user, grant, sign_in.now, source, metadata)
    result["RefreshToken"] = grant.token
    keep_grant(pool, user, grant, sign_in.now)
    if device is not None:
        device.used_at = sign_in.now
    if new_key is not None:
        result["NewDeviceMetadata"] = {"DeviceKey": new_key, "DeviceGroupKey": pool.device_group_key(user)}
    return {"AuthenticationResult": result, "ChallengeParameters": {}}


def _new_device_key(region: str) -> str:
    return f"{region}_{uuid.uuid4()}"
