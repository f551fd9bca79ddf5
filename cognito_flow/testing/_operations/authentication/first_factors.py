"""How a sign-in begins, and the challenges of the first factor.

Rule of this file: no tokens come from here. A first factor that was right goes on to `after_first_factor`;
one that was wrong looks the same for a user who does not exist, where the app client hides who does.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets

import attrs

from cognito_flow.testing._operations.authentication import step_up
from cognito_flow.testing._operations.authentication.migration import migrate
from cognito_flow.testing._operations.authentication.second_factors import (
    after_first_factor,
    finish,
    usable_factors,
)
from cognito_flow.testing._operations.authentication.sign_in import SignIn, not_offered
from cognito_flow.testing._operations.request import need
from cognito_flow.testing._state import Members, passkeys, passwords, relying_party
from cognito_flow.testing._state.records import User, UserPool
from cognito_flow.testing._state.refusal import incorrect_password, missing_parameter
from cognito_flow.testing._state.sessions import open_sealed, seal
from cognito_flow.testing._state.srp_server import (
    Exchange,
    Verifier,
    open_exchange,
    parse_timestamp,
    proof_is_right,
)

_CLAIM = ("TIMESTAMP", "PASSWORD_CLAIM_SIGNATURE", "PASSWORD_CLAIM_SECRET_BLOCK")


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


def _check_password(sign_in: SignIn, password: str) -> Members:
    user = sign_in.known
    sign_in.check_password_lock()
    sign_in.judge_password(passwords.is_right(sign_in.pool, user, password))
    return after_first_factor(sign_in)


# -- passwords by SRP --


def start_srp(sign_in: SignIn) -> Members:
    """USER_SRP_AUTH. There is no Session: the SECRET_BLOCK stands for it."""
    srp_a = need(sign_in.values, "SRP_A")
    if sign_in.user is not None:
        sign_in.check_state()
    sign_in.pre_authentication()
    challenge = ask_password_verifier(sign_in, srp_a)
    del challenge["Session"]
    return challenge


def ask_password_verifier(sign_in: SignIn, srp_a: str) -> Members:
    """PASSWORD_VERIFIER, for a user or for nobody."""
    pool, user = sign_in.pool, sign_in.user
    if user is None:
        name, verifier = pool.simulated_id(sign_in.typed), _simulated(sign_in)
    else:
        name, verifier = user.username, user.verifier or _simulated(sign_in)
    exchange = open_exchange(verifier, srp_a, secrets.token_bytes)
    parameters = {
        "SALT": f"{verifier.salt:x}",
        "SRP_B": f"{exchange.b_public:x}",
        "SECRET_BLOCK": secret_block(sign_in, exchange, name),
        "USERNAME": name,
        "USER_ID_FOR_SRP": name,
    }
    return sign_in.ask("PASSWORD_VERIFIER", parameters)


def _simulated(sign_in: SignIn) -> Verifier:
    """A verifier that no password opens, always with the same salt for the same name, as RFC 5054 section
    2.5.1.3 proposes."""
    seed = sign_in.pool.derive("salt", sign_in.typed)
    # As with real salts, the first byte is any but zero: a salt must not tell that there is no such user.
    return Verifier(int.from_bytes(bytes([seed[0] or 1]) + seed[1:16]), int.from_bytes(seed) | 1)


def secret_block(sign_in: SignIn, exchange: Exchange, name: str) -> str:
    """SECRET_BLOCK: the server's half of an exchange, which only this pool can read. In base64, as clients
    expect it."""
    sealed = seal(
        sign_in.pool,
        {
            "progress": attrs.asdict(sign_in.progress),
            "a": f"{exchange.a_public:x}",
            "b": f"{exchange.b_secret:x}",
            "name": name,
            "until": (sign_in.now + sign_in.client.session_life).timestamp(),
        },
    )
    return base64.b64encode(sealed.encode()).decode()


def prove_password(sign_in: SignIn) -> None:
    """PASSWORD_VERIFIER. A challenge takes any number of proofs until it is too old; a wrong one counts for
    the lock.

    Raises:
        Refusal: The proof is wrong.
    """
    for name in _CLAIM:
        need(sign_in.values, name)
    sign_in.check_device(sign_in.values.get("DEVICE_KEY"))
    user = sign_in.known
    sign_in.check_state()
    sign_in.check_password_lock()
    is_right = user.verifier is not None and check_claim(
        sign_in, user.verifier, sign_in.pool.name, user.username
    )
    sign_in.judge_password(is_right)


def check_claim(sign_in: SignIn, verifier: Verifier, group: str, name: str) -> bool:
    """Whether the claim of this call proves the password behind a verifier, now, and for the open
    exchange."""
    moment, canonical = parse_timestamp(sign_in.values["TIMESTAMP"])
    block = _decode_base64(sign_in.values["PASSWORD_CLAIM_SECRET_BLOCK"])
    kept = open_sealed(sign_in.pool, block.decode("latin-1"))
    if kept is None or "until" not in kept or kept["name"] != name:
        return False
    is_late = sign_in.now.timestamp() >= kept["until"]
    is_skewed = abs((sign_in.now - moment).total_seconds()) > sign_in.pool.skew
    if is_late or is_skewed or kept["progress"]["client_id"] != sign_in.client.id:
        return False
    exchange = _reopen(verifier, kept)
    signature = sign_in.values["PASSWORD_CLAIM_SIGNATURE"]
    return proof_is_right(
        exchange,
        verifier,
        group=group,
        name=name,
        secret_block=block,
        timestamp=canonical,
        signature=signature,
    )


def _reopen(verifier: Verifier, kept: Members) -> Exchange:
    secret = int(kept["b"], 16)
    return open_exchange(verifier, kept["a"], secret.to_bytes)


def _decode_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


# -- a choice of factors --


def start_choice(sign_in: SignIn) -> Members:
    """USER_AUTH: straight to the preferred factor if it can be had, else the choice."""
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
    if preferred in available:
        answer = _begin_factor(sign_in, preferred or "")
    elif available == ["EMAIL_OTP"] and preferred is None:
        answer = _begin_factor(sign_in, "EMAIL_OTP")
    else:
        answer = sign_in.ask("SELECT_CHALLENGE", {}, choices=available)
        return {**answer, "AvailableChallenges": available}
    return (
        {**answer, "AvailableChallenges": [preferred or "EMAIL_OTP"]} if "ChallengeName" in answer else answer
    )


def _available(sign_in: SignIn) -> list[str]:
    """What this user can begin with: what the pool allows, and what the user has."""
    pool, user = sign_in.pool, sign_in.user
    allowed = pool.first_factors
    passwords_only = ["PASSWORD_SRP", "PASSWORD"]
    if user is None:
        return [*passwords_only, *(name for name in ("EMAIL_OTP", "SMS_OTP") if name in allowed)]
    if user.status == "FORCE_CHANGE_PASSWORD":
        return passwords_only
    multiple = pool.mfa.get("WebAuthnConfiguration", {}).get("FactorConfiguration", "SINGLE_FACTOR")
    wants_mfa = _wants_mfa(pool, user)
    has = {
        "EMAIL_OTP": bool(user.attributes.get("email")) and not wants_mfa,
        "SMS_OTP": bool(user.attributes.get("phone_number")) and not wants_mfa,
        "WEB_AUTHN": bool(user.passkeys) and (not wants_mfa or multiple != "SINGLE_FACTOR"),
    }
    available = passwords_only if "PASSWORD" in allowed and user.verifier is not None else []
    return [*available, *(name for name, is_there in has.items() if is_there and name in allowed)]


def _wants_mfa(pool: UserPool, user: User) -> bool:
    required = pool.mfa.get("MfaConfiguration")
    return required == "ON" or (required == "OPTIONAL" and bool(user.mfa_enabled))


def _begin_factor(sign_in: SignIn, name: str) -> Members:
    """Go to a factor that was chosen, with what came along for it."""
    values = sign_in.values
    if name == "PASSWORD":
        if "PASSWORD" not in values:
            return sign_in.ask("PASSWORD", {})
        return _check_password(sign_in, need(values, "PASSWORD"))
    if name == "PASSWORD_SRP":
        if "SRP_A" not in values:
            return sign_in.ask("PASSWORD_SRP", {})
        return ask_password_verifier(sign_in, need(values, "SRP_A"))
    if name == "WEB_AUTHN":
        return _ask_passkey(sign_in)
    return sign_in.ask_for_code(name, "EMAIL" if name == "EMAIL_OTP" else "SMS", 8)


def answer_select_challenge(sign_in: SignIn) -> Members:
    """SELECT_CHALLENGE."""
    chosen = need(sign_in.values, "ANSWER")
    if chosen not in sign_in.progress.choices:
        raise not_offered()
    sign_in.check_device(sign_in.values.get("DEVICE_KEY"))
    if chosen == "PASSWORD" and not sign_in.values.get("PASSWORD"):
        raise missing_parameter("PASSWORD")
    if chosen == "PASSWORD_SRP":
        need(sign_in.values, "SRP_A")
    sign_in.spend()
    return _begin_factor(sign_in, chosen)


def answer_password(sign_in: SignIn) -> Members:
    """PASSWORD, as a challenge."""
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
        allow=[passkey.registered.credential_id for passkey in sign_in.known.passkeys],
        user_verification=relying_party.user_verification(sign_in.pool, sign_in.known),
        timeout_milliseconds=int(sign_in.client.session_life.total_seconds() * 1000),
    )
    parameters = {"CREDENTIAL_REQUEST_OPTIONS": json.dumps(options)}
    return sign_in.ask("WEB_AUTHN", parameters, passkey_challenge=base64.b64encode(challenge).decode())


def answer_passkey(sign_in: SignIn) -> Members:
    """WEB_AUTHN."""
    credential = relying_party.parse_credential(need(sign_in.values, "CREDENTIAL"))
    passkey = relying_party.find_passkey(sign_in.known, credential)
    if passkey is None:
        raise incorrect_password()
    try:
        sign_count = passkeys.verify_assertion(
            credential,
            passkey.registered,
            challenge=base64.b64decode(sign_in.progress.passkey_challenge or ""),
            rp_id=passkey.rp_id,
            origins=relying_party.origins(passkey.rp_id, credential),
            user_verification=relying_party.user_verification(sign_in.pool, sign_in.known),
        )
    except passkeys.PasskeyRefused as refused:
        raise incorrect_password() from refused
    passkey.registered = attrs.evolve(passkey.registered, sign_count=sign_count)
    sign_in.complete("hwk" if passkey.registered.attachment == "cross-platform" else "swk")
    sign_in.spend()
    return finish(sign_in)
