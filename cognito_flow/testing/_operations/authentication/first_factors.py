"""The start of a sign-in, and the challenges of the first factor.

Rule of this file: it issues no tokens. A right first factor continues in `after_first_factor`. A wrong one
looks the same for an unknown user, if the app client hides which users exist.
"""

from __future__ import annotations

import base64
import json
import secrets

import attrs

from cognito_flow.testing._operations.authentication import step_up
from cognito_flow.testing._operations.authentication.migration import migrate
from cognito_flow.testing._operations.authentication.password_claim import (
    check_claim,
    need_claim,
    srp_parameters,
)
from cognito_flow.testing._operations.authentication.second_factors import (
    after_first_factor,
    finish,
    usable_factors,
)
from cognito_flow.testing._operations.authentication.sign_in import SignIn, not_offered
from cognito_flow.testing._operations.request import need
from cognito_flow.testing._state import Members, passkeys, passwords, relying_party
from cognito_flow.testing._state.records import User, UserPool
from cognito_flow.testing._state.refusal import Refusal, not_authorized
from cognito_flow.testing._state.srp_server import (
    Verifier,
)

# -- passwords in clear --


def start_password(sign_in: SignIn) -> Members:
    """USER_PASSWORD_AUTH and ADMIN_USER_PASSWORD_AUTH."""
    password = need(sign_in.values, "PASSWORD")
    if sign_in.user is None:
        migrate(sign_in, password)
    if sign_in.user is not None:
        sign_in.check_state()
        sign_in.check_device(sign_in.values.get("DEVICE_KEY"))
    sign_in.pre_authentication()
    return _check_password(sign_in, password)


def start_without_srp(sign_in: SignIn) -> Members:
    """ADMIN_NO_SRP_AUTH in place of PASSWORD_VERIFIER, where the pool is configured to ask it."""
    if sign_in.user is not None:
        sign_in.check_state()
    sign_in.pre_authentication()
    return sign_in.ask("ADMIN_NO_SRP_AUTH", {"USERNAME": sign_in.progress.username})


def _check_password(sign_in: SignIn, password: str) -> Members:
    user = sign_in.require_user
    sign_in.check_password_lock()
    sign_in.record_password_result(passwords.is_right(sign_in.pool, user, password))
    return after_first_factor(sign_in)


# -- passwords by SRP --


def start_srp(sign_in: SignIn) -> Members:
    """USER_SRP_AUTH. Its answer has a SECRET_BLOCK in place of a Session."""
    srp_a = need(sign_in.values, "SRP_A")
    if sign_in.user is not None:
        sign_in.check_state()
    sign_in.pre_authentication()
    challenge = ask_password_verifier(sign_in, srp_a)
    del challenge["Session"]
    return challenge


def ask_password_verifier(sign_in: SignIn, srp_a: str) -> Members:
    """Ask PASSWORD_VERIFIER, of a user or a simulated one."""
    pool, user = sign_in.pool, sign_in.user
    if user is None:
        name, verifier = pool.simulated_id(sign_in.typed), _simulated(sign_in)
    else:
        name, verifier = user.username, user.verifier or _simulated(sign_in)
    parameters = {
        **srp_parameters(sign_in, verifier, srp_a, name),
        "USERNAME": name,
        "USER_ID_FOR_SRP": name,
    }
    return sign_in.ask("PASSWORD_VERIFIER", parameters)


def _simulated(sign_in: SignIn) -> Verifier:
    """A verifier that no password matches, always with the same salt for a name, as RFC 5054 section 2.5.1.3
    proposes."""
    seed = sign_in.pool.derive("salt", sign_in.typed)
    # Like real salts, it never starts with a zero byte, so that it does not reveal an unknown user.
    return Verifier(int.from_bytes(bytes([seed[0] or 1]) + seed[1:16]), int.from_bytes(seed) | 1)


def prove_password(sign_in: SignIn) -> None:
    """Check the proof of PASSWORD_VERIFIER. A challenge accepts any number of proofs until it expires; wrong
    ones count for the lock.

    Raises:
        Refusal: The proof is wrong.
    """
    need_claim(sign_in.values)
    sign_in.check_device(sign_in.values.get("DEVICE_KEY"))
    user = sign_in.require_user
    sign_in.check_state()
    sign_in.check_password_lock()
    is_right = user.verifier is not None and check_claim(
        sign_in, user.verifier, sign_in.pool.name, user.username
    )
    sign_in.record_password_result(is_right)


# -- a choice of factors --


def start_choice(sign_in: SignIn) -> Members:
    """USER_AUTH: the preferred factor if it is available, else SELECT_CHALLENGE."""
    if sign_in.progress.id:  # the Session of a confirmed sign-up
        sign_in.check_state()
        return after_first_factor(sign_in)
    if sign_in.user is not None:
        sign_in.check_state()
        sign_in.check_device(sign_in.values.get("DEVICE_KEY"))
    sign_in.pre_authentication()
    available, preferred = _available(sign_in), sign_in.values.get("PREFERRED_CHALLENGE")
    if sign_in.user is not None:
        second = usable_factors(sign_in.pool, sign_in.user)
        step_up.aim(sign_in, available, second, _wants_mfa(sign_in.pool, sign_in.user))
    if sign_in.progress.target:
        leading = step_up.first_factors(sign_in)
        if not leading:
            return after_first_factor(sign_in)
        available = [name for name in available if name in leading]
    # They stay in the Session, so that SELECT_CHALLENGE can change to another factor later.
    sign_in.progress = attrs.evolve(sign_in.progress, first_factors=available)
    if preferred in available:
        answer = _begin_factor(sign_in, preferred or "")
    elif available == ["EMAIL_OTP"] and preferred is None:
        answer = _begin_factor(sign_in, "EMAIL_OTP")
    else:
        answer = sign_in.ask("SELECT_CHALLENGE", {})
    # A password that came along was right, and what is asked now is a second factor.
    return answer if sign_in.progress.is_second_factor else {**answer, "AvailableChallenges": available}


def _available(sign_in: SignIn) -> list[str]:
    """The first factors that the pool allows and the user has."""
    pool, user = sign_in.pool, sign_in.user
    allowed = pool.first_factors
    passwords_only = ["PASSWORD_SRP", "PASSWORD"]
    if user is None:
        return [*passwords_only, *(name for name in ("EMAIL_OTP", "SMS_OTP") if name in allowed)]
    if user.status == "FORCE_CHANGE_PASSWORD":
        return passwords_only
    wants_mfa = _wants_mfa(pool, user)
    has = {
        "EMAIL_OTP": bool(user.attributes.get("email")) and not wants_mfa,
        "SMS_OTP": bool(user.attributes.get("phone_number")) and not wants_mfa,
        "WEB_AUTHN": bool(user.passkeys) and (not wants_mfa or user.passkey_mfa),
    }
    available = passwords_only if "PASSWORD" in allowed and user.verifier is not None else []
    return [*available, *(name for name, is_there in has.items() if is_there and name in allowed)]


def _wants_mfa(pool: UserPool, user: User) -> bool:
    required = pool.mfa.get("MfaConfiguration")
    return required == "ON" or (required == "OPTIONAL" and bool(user.mfa_enabled))


def _begin_factor(sign_in: SignIn, name: str) -> Members:
    """Ask a chosen factor, or check it if its answer came along."""
    values = sign_in.values
    if name == "PASSWORD":
        if not values.get("PASSWORD"):
            return sign_in.ask("PASSWORD", {})
        return _check_password(sign_in, values["PASSWORD"])
    if name == "PASSWORD_SRP":
        if not values.get("SRP_A"):
            return sign_in.ask("PASSWORD_SRP", {})
        return ask_password_verifier(sign_in, values["SRP_A"])
    if name == "WEB_AUTHN":
        return _ask_passkey(sign_in)
    return sign_in.ask_for_code(name, "EMAIL" if name == "EMAIL_OTP" else "SMS", 8)


def answer_select_challenge(sign_in: SignIn) -> Members:
    """SELECT_CHALLENGE, with its own Session or that of a first factor that the user does not want."""
    chosen = need(sign_in.values, "ANSWER")
    if chosen not in sign_in.progress.first_factors:
        raise not_offered()
    sign_in.check_device(sign_in.values.get("DEVICE_KEY"))
    if chosen == "PASSWORD_SRP":  # a malformed SRP_A leaves the Session valid, as in the challenge
        challenge = _begin_factor(sign_in, chosen)
        sign_in.spend()
        return challenge
    sign_in.spend()
    return _begin_factor(sign_in, chosen)


def answer_password(sign_in: SignIn) -> Members:
    """PASSWORD and ADMIN_NO_SRP_AUTH, as challenges."""
    password = need(sign_in.values, "PASSWORD")
    sign_in.check_device(sign_in.values.get("DEVICE_KEY"))
    sign_in.spend()
    return _check_password(sign_in, password)


def answer_password_srp(sign_in: SignIn) -> Members:
    """PASSWORD_SRP, as a challenge."""
    srp_a = need(sign_in.values, "SRP_A")
    challenge = ask_password_verifier(sign_in, srp_a)
    sign_in.spend()
    return challenge


# -- passkeys --


def _ask_passkey(sign_in: SignIn) -> Members:
    challenge = secrets.token_bytes(16)
    options = passkeys.request_options(
        rp_id=relying_party.rp_id(sign_in.pool),
        challenge=challenge,
        allow=[passkey.registered.credential_id for passkey in sign_in.require_user.passkeys],
        user_verification=relying_party.user_verification(sign_in.pool, sign_in.require_user),
        timeout_milliseconds=int(sign_in.client.session_life.total_seconds() * 1000),
    )
    parameters = {"CREDENTIAL_REQUEST_OPTIONS": json.dumps(options)}
    return sign_in.ask("WEB_AUTHN", parameters, passkey_challenge=base64.b64encode(challenge).decode())


def answer_passkey(sign_in: SignIn) -> Members:
    """WEB_AUTHN."""
    credential = relying_party.parse_credential(need(sign_in.values, "CREDENTIAL"))
    passkey = relying_party.find_passkey(sign_in.require_user, credential)
    if passkey is None or not relying_party.names_user(credential, sign_in.require_user):
        raise _passkey_refused()
    try:
        sign_count = passkeys.verify_assertion(
            credential,
            passkey.registered,
            challenge=base64.b64decode(sign_in.progress.passkey_challenge or ""),
            rp_id=passkey.rp_id,
            origins=relying_party.origins(passkey.rp_id, credential),
            user_verification=relying_party.user_verification(sign_in.pool, sign_in.require_user),
        )
    except passkeys.PasskeyRefused as refused:
        raise _passkey_refused() from refused
    passkey.registered = attrs.evolve(passkey.registered, sign_count=sign_count)
    sign_in.complete("hwk" if passkey.registered.attachment == "cross-platform" else "swk")
    sign_in.spend()
    return finish(sign_in)


def _passkey_refused() -> Refusal:
    return not_authorized("The passkey could not be verified.")
