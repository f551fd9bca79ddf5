"""People signing up, and what they do when they are signed in.

Rule of this file: who is meant is told by the access token, or by a Session, or by the name in a sign-up;
nobody acts for another.
"""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta

import attrs

from cognito_flow.testing import totp, triggers
from cognito_flow.testing.operations.request import Operation, Request
from cognito_flow.testing.outbox import Message, mask
from cognito_flow.testing.passwords import (
    check_attributes,
    check_new_password,
    check_policy,
    is_right,
    set_password,
)
from cognito_flow.testing.refusal import Refusal, incorrect_password, invalid_parameter, not_authorized
from cognito_flow.testing.sessions import Progress, open_session, seal_session, spend
from cognito_flow.testing.state import Client, Code, Members, User, UserPool

__all__ = ["OPERATIONS", "attributes_of", "mfa_settings", "new_user", "set_preference"]

_SIGN_UP_CODE_LIFE = timedelta(hours=24)
_MEDIA = {"email": "EMAIL", "phone_number": "SMS"}


# -- signing up --


def attributes_of(listed: list[Members]) -> dict[str, str]:
    """Attributes as a dictionary, from the list that the wire has."""
    return {item["Name"]: item.get("Value", "") for item in listed}


def new_user(pool: UserPool, request: Request, attributes: dict[str, str], status: str) -> User:
    """A new user of this name.

    Raises:
        Refusal: The name is taken, or has a form that this pool does not allow.
    """
    typed, aliases = request.parameters["Username"], pool.members.get("AliasAttributes", ())
    if "email" in aliases and "@" in typed:
        text = "Username cannot be of email format, since user pool is configured for email alias."
        raise invalid_parameter(text)
    attributes = dict(attributes)
    sub = str(uuid.uuid4())
    name = pool.fold(typed)
    if named := pool.members.get("UsernameAttributes"):
        kind = "email" if "@" in typed else "phone_number"
        if kind not in named:
            raise invalid_parameter(f"Username should be {' or '.join(named)}.")
        attributes.setdefault(kind, typed)
        name = sub
    check_attributes(pool, attributes)
    if pool.find(typed) is not None:
        raise Refusal("UsernameExistsException", "User already exists")
    return User(name, sub, request.now, attributes, status)


def sign_up(request: Request) -> Members:
    """SignUp."""
    pool, client = request.client()
    if client.secret is None and "SecretHash" in request.parameters:
        text = f"Client {client.id} is not configured with secret but SECRET_HASH was received"
        raise invalid_parameter(text)
    request.check_secret_hash(client, None)
    attributes = attributes_of(request.parameters.get("UserAttributes", []))
    user = new_user(pool, request, attributes, "UNCONFIRMED")
    if password := request.parameters.get("Password"):
        check_policy(pool, password)
        set_password(pool, user, password, request.now)
    _pre_sign_up(pool, client, user, request)
    pool.users[user.username] = user
    answer: Members = {"UserConfirmed": user.status == "CONFIRMED", "UserSub": user.sub}
    if user.status == "UNCONFIRMED":
        answer |= _send_sign_up_code(pool, user, request)
        if "ALLOW_USER_AUTH" in client.flows:
            answer["Session"] = _sign_up_session(pool, client, user, "SIGN_UP", request)
    return answer


def _pre_sign_up(pool: UserPool, client: Client, user: User, request: Request) -> None:
    """Let the trigger refuse, or confirm the user at once."""
    metadata = request.parameters.get("ClientMetadata", {})
    data: Members = {
        "validationData": {},
        "clientMetadata": metadata,
        "userAttributes": dict(user.attributes),
    }
    decision = triggers.run_if_set(pool, "PreSignUp", "PreSignUp_SignUp", client.id, user, data)
    if decision is not None and decision.get("autoConfirmUser"):
        user.status = "CONFIRMED"
        for name, key in (("email", "autoVerifyEmail"), ("phone_number", "autoVerifyPhone")):
            if decision.get(key) and name in user.attributes:
                user.attributes[f"{name}_verified"] = "true"


def _send_sign_up_code(pool: UserPool, user: User, request: Request) -> Members:
    wanted = pool.members.get("AutoVerifiedAttributes", ())
    name = next(
        (name for name in ("phone_number", "email") if name in wanted and user.attributes.get(name)), None
    )
    if name is None:
        return {}
    code, medium, destination = f"{secrets.randbelow(10**6):06}", _MEDIA[name], user.attributes[name]
    user.codes["SignUp"] = Code(code, request.now + _SIGN_UP_CODE_LIFE, name)
    request.outbox.append(Message(user.username, medium, destination, code, "SignUp", pool.id))
    details = {"Destination": mask(medium, destination), "DeliveryMedium": medium, "AttributeName": name}
    return {"CodeDeliveryDetails": details}


def _sign_up_session(pool: UserPool, client: Client, user: User, step: str, request: Request) -> str:
    progress = Progress(
        client_id=client.id, username=user.username, sub=user.sub, flow="USER_AUTH", challenge=step
    )
    return seal_session(pool, progress, request.now, client.session_life)


def confirm_sign_up(request: Request) -> Members:
    """ConfirmSignUp. With the Session of SignUp it gives one that signs in."""
    pool, client = request.client()
    user = pool.find(request.parameters["Username"])
    request.check_secret_hash(client, user)
    if user is None:
        if client.hides_users:
            raise Refusal("ExpiredCodeException", "Invalid code provided, please request a code again.")
        raise Refusal("UserNotFoundException", "User does not exist.")
    if user.status != "UNCONFIRMED":
        raise not_authorized(f"User cannot be confirmed. Current status is {user.status}")
    _check_sign_up_code(user, request)
    answer: Members = {}
    if (session := request.parameters.get("Session")) is not None:
        progress = open_session(pool, client, session, "SIGN_UP", request.now)
        if progress.username != user.username:
            raise not_authorized("Invalid session for the user.")
        spend(pool, progress, request.now)
        answer["Session"] = _sign_up_session(pool, client, user, "CONFIRMED_SIGN_UP", request)
    user.status = "CONFIRMED"
    triggers.run_if_set(pool, "PostConfirmation", "PostConfirmation_ConfirmSignUp", client.id, user, {})
    return answer


def _check_sign_up_code(user: User, request: Request) -> None:
    sent = user.codes.get("SignUp")
    if sent is None or request.now >= sent.expires_at:
        raise Refusal("ExpiredCodeException", "Invalid code provided, please request a code again.")
    if sent.code != request.parameters["ConfirmationCode"]:
        text = "Invalid verification code provided, please try again."
        raise Refusal("CodeMismatchException", text)
    del user.codes["SignUp"]
    user.attributes[f"{sent.attribute}_verified"] = "true"


# -- signed in --


def get_user(request: Request) -> Members:
    """GetUser."""
    _, user, _ = request.signed_in()
    answer: Members = {"Username": user.username, "UserAttributes": user.as_members(), **mfa_settings(user)}
    return answer


def mfa_settings(user: User) -> Members:
    """UserMFASettingList and PreferredMfaSetting, as far as there are any."""
    settings: Members = {}
    if user.mfa_enabled:
        settings["UserMFASettingList"] = list(user.mfa_enabled)
    if user.mfa_preferred is not None:
        settings["PreferredMfaSetting"] = user.mfa_preferred
    return settings


def get_user_auth_factors(request: Request) -> Members:
    """GetUserAuthFactors."""
    _, user, _ = request.signed_in()
    has = {
        "PASSWORD": user.verifier is not None,
        "EMAIL_OTP": "email" in user.attributes,
        "SMS_OTP": "phone_number" in user.attributes,
        "WEB_AUTHN": bool(user.passkeys),
    }
    factors = [name for name, is_there in has.items() if is_there]
    return {"Username": user.username, "ConfiguredUserAuthFactors": factors, **mfa_settings(user)}


def change_password(request: Request) -> Members:
    """ChangePassword."""
    pool, user, _ = request.signed_in()
    if user.verifier is not None:
        previous = request.parameters.get("PreviousPassword") or ""
        if user.password_lock.is_locked(request.now):
            raise Refusal("LimitExceededException", "Attempt limit exceeded, please try after some time.")
        if not is_right(pool, user, previous):
            user.password_lock.fail(request.now)
            raise incorrect_password()
    check_new_password(pool, user, request.parameters["ProposedPassword"])
    set_password(pool, user, request.parameters["ProposedPassword"], request.now)
    return {}


def delete_user(request: Request) -> Members:
    """DeleteUser."""
    pool, user, _ = request.signed_in()
    del pool.users[user.username]
    return {}


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
    """The pool and the progress of a Session of MFA_SETUP: the request names neither pool nor app client."""
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
    """VerifySoftwareToken. A wrong code leaves everything as it is."""
    name, code = request.parameters.get("FriendlyDeviceName"), request.parameters["UserCode"]
    if "AccessToken" in request.parameters:
        _, user, _ = request.signed_in()
        if user.totp_pending is None:
            raise invalid_parameter("Software token has not been associated.")
        _check_first_code(user, user.totp_pending, code, request)
        user.totp_secret, user.totp_pending, user.totp_name = user.totp_pending, None, name
        return {"Status": "SUCCESS"}
    pool, client, progress = _open_set_up(request)
    user = pool.users[progress.username]
    if progress.totp_secret is None:
        raise invalid_parameter("Software token has not been associated.")
    _check_first_code(user, progress.totp_secret, code, request)
    user.totp_name = name
    spend(pool, progress, request.now)
    further = attrs.evolve(progress, totp_verified=True)
    return {"Status": "SUCCESS", "Session": seal_session(pool, further, request.now, client.session_life)}


def _check_first_code(user: User, secret_code: str, code: str, request: Request) -> None:
    step = totp.matching_step(secret_code, code, request.now)
    if step is None:
        raise Refusal("EnableSoftwareTokenMFAException", "Code mismatch")
    # The same code must not serve for a sign-in, too. The counter starts anew with each secret.
    user.totp_used_step = step


_SETTINGS = {
    "SMSMfaSettings": "SMS_MFA",
    "SoftwareTokenMfaSettings": "SOFTWARE_TOKEN_MFA",
    "EmailMfaSettings": "EMAIL_OTP",
}


def set_preference(user: User, parameters: Members) -> Members:
    """SetUserMFAPreference and AdminSetUserMFAPreference.

    Raises:
        Refusal: A factor that the user does not have is switched on, or two are preferred.
    """
    settings = {_SETTINGS[key]: value for key, value in parameters.items() if key in _SETTINGS}
    if sum(bool(value.get("PreferredMfa")) for value in settings.values()) > 1:
        raise invalid_parameter("Only one MFA method can be preferred.")
    for name, value in settings.items():
        if value.get("Enabled") and not _has_factor(user, name):
            raise invalid_parameter(f"User does not have delivery config set to turn on {name}")
    for name, value in settings.items():
        is_enabled = value.get("Enabled", name in user.mfa_enabled)
        user.mfa_enabled = [known for known in user.mfa_enabled if known != name] + [name] * bool(is_enabled)
        if value.get("PreferredMfa"):
            user.mfa_preferred = name
        elif user.mfa_preferred == name:
            user.mfa_preferred = None
    return {}


def _has_factor(user: User, name: str) -> bool:
    if name == "SOFTWARE_TOKEN_MFA":
        return user.totp_secret is not None
    return bool(user.attributes.get("phone_number" if name == "SMS_MFA" else "email"))


def set_user_mfa_preference(request: Request) -> Members:
    """SetUserMFAPreference."""
    _, user, _ = request.signed_in()
    return set_preference(user, request.parameters)


OPERATIONS: dict[str, Operation] = {
    "AssociateSoftwareToken": associate_software_token,
    "ChangePassword": change_password,
    "ConfirmSignUp": confirm_sign_up,
    "DeleteUser": delete_user,
    "GetUser": get_user,
    "GetUserAuthFactors": get_user_auth_factors,
    "SetUserMFAPreference": set_user_mfa_preference,
    "SignUp": sign_up,
    "VerifySoftwareToken": verify_software_token,
}
