"""Sessions: a sign-in between two calls, sealed into the string that the client carries.

Rule of this file: the pool stores only which Sessions are used up, and what is too long for a Session, until
they expire. Everything else is in the Session itself, which is encrypted and authenticated.
"""

from __future__ import annotations

import base64
import json
import secrets
import zlib
from datetime import datetime, timedelta

import attrs
from cryptography.fernet import Fernet, InvalidToken

from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import Client, UserPool
from cognito_flow.testing._state.refusal import Refusal, not_authorized

_LONGEST = 4096  # characters (SessionType in the service model)
_CODES = frozenset({"SMS_MFA", "EMAIL_OTP", "SMS_OTP", "SOFTWARE_TOKEN_MFA"})
_ALWAYS_SEALED = ("client_id", "id", "expires_at")


@attrs.frozen(kw_only=True)
class Progress:
    """How far a sign-in has come.

    Args:
        client_id: The app client.
        username: The user name; what was typed if there is no such user.
        sub: The user's `sub`, because another user may get the name later.
        flow: The AuthFlow that it began with.
        challenge: The ChallengeName that is open.
        is_second_factor: The first factor was right; what is open is a second one.
        is_simulated: There is no such user, and the answers must not reveal it.
        salt: The salt of the password that was right, which identifies it.
        device_key: The DEVICE_KEY that was given.
        code: The code that was sent.
        sent_to: The address it was sent to.
        choices: What may be chosen.
        first_factors: What a choice-based sign-in can begin with.
        history: The rounds of a custom sign-in, as its triggers see them.
        private: The private parameters of an open custom challenge.
        metadata: The challengeMetadata of an open custom challenge.
        srp_a: SRP_A of a custom sign-in, for when its trigger asks for PASSWORD_VERIFIER.
        email: The address that is being set up.
        totp_secret: The secret of the authenticator app that is being set up.
        is_totp_verified: Its first code was right.
        passkey_challenge: The challenge that a passkey must sign, base64url.
        target: The combinations of factors that reach the level that was asked for.
        amr: The methods that were used, as the claim amr names them.
        id: Its id in what the pool stores of Sessions.
        expires_at: When it expires, in seconds since the epoch.
    """

    client_id: str
    username: str
    sub: str | None
    flow: str
    challenge: str = ""
    is_second_factor: bool = False
    is_simulated: bool = False
    salt: str | None = None
    device_key: str | None = None
    code: str | None = attrs.field(default=None, repr=False)
    sent_to: str | None = None
    choices: list[str] = attrs.field(factory=list[str])
    first_factors: list[str] = attrs.field(factory=list[str])
    history: list[Members] = attrs.field(factory=list[Members])
    private: dict[str, str] = attrs.field(factory=dict[str, str], repr=False)
    metadata: str | None = None
    srp_a: str | None = None
    email: str | None = None
    totp_secret: str | None = attrs.field(default=None, repr=False)
    is_totp_verified: bool = False
    passkey_challenge: str | None = attrs.field(default=None, repr=False)
    target: list[list[str]] = attrs.field(factory=list[list[str]])
    amr: list[str] = attrs.field(factory=list[str])
    id: str = ""
    expires_at: float = 0


def seal(pool: UserPool, members: Members) -> str:
    """Encrypt a JSON object into a string that only this pool can read or make."""
    # Compressed, because the service model limits a Session (4,096 characters; 2,048 in older models), and
    # each round of a custom sign-in adds to it.
    return pool.fernet.encrypt(zlib.compress(json.dumps(members).encode())).decode()


def open_sealed(pool: UserPool, text: str) -> Members | None:
    """Decrypt what `seal` made; None for anything else."""
    opened = decrypt(pool.fernet, text)
    if opened is None:
        return None
    members: Members = json.loads(zlib.decompress(opened))
    return members


def decrypt(fernet: Fernet, text: str) -> bytes | None:
    """Decrypt what `fernet` encrypted; None for anything else.

    Python's decoder skips characters and ignores unused bits, so that other texts would open, too.
    """
    try:
        is_as_written = base64.urlsafe_b64encode(base64.urlsafe_b64decode(text)).decode() == text
        return fernet.decrypt(text.encode()) if is_as_written else None
    except (InvalidToken, ValueError):
        return None


def seal_session(pool: UserPool, progress: Progress, now: datetime, life: timedelta) -> str:
    """A new Session for this progress."""
    new = attrs.evolve(progress, id=secrets.token_urlsafe(12), expires_at=(now + life).timestamp())
    members = attrs.asdict(new, recurse=False)
    text = seal(pool, members)
    if len(text) <= _LONGEST:
        return text
    # Triggers and clients decide how long some of it is.
    _forget_expired(pool, now)
    pool.long_sessions[new.id] = members
    return seal(pool, {name: members[name] for name in _ALWAYS_SEALED})


def open_session(pool: UserPool, client: Client, text: str, challenge: str, now: datetime) -> Progress:
    """The progress in a Session.

    Raises:
        Refusal: It is not a Session of this pool and app client, it is for another challenge, expired or used
            up, or its user was deleted or has another password.
    """
    members = open_sealed(pool, text)
    if members is None or members.get("client_id") != client.id or "expires_at" not in members:
        raise not_authorized("Invalid session for the user.")
    if now.timestamp() >= members["expires_at"]:
        raise not_authorized("Invalid session for the user, session is expired.")
    if members["id"] in pool.spent:
        raise not_authorized("Invalid session for the user, session can only be used once.")
    if len(members) == len(_ALWAYS_SEALED):
        if members["id"] not in pool.long_sessions:  # it was made after the snapshot that was restored
            raise not_authorized("Invalid session for the user.")
        members = pool.long_sessions[members["id"]]
    progress = Progress(**members)
    user = pool.users.get(progress.username)
    if not progress.is_simulated and (user is None or user.sub != progress.sub):
        raise not_authorized("Invalid session for the user.")
    if progress.salt is not None and (user is None or progress.salt != user.password_salt):
        raise not_authorized("Invalid session for the user.")
    if progress.challenge != challenge and not _changes_factor(progress, challenge):
        raise _another_challenge(progress.challenge, challenge)
    return progress


def _changes_factor(progress: Progress, challenge: str) -> bool:
    """Whether SELECT_CHALLENGE answers another first factor: users may change their mind within a Session."""
    is_first_factor = progress.first_factors and not progress.is_second_factor
    return challenge == "SELECT_CHALLENGE" and bool(is_first_factor)


def _another_challenge(asked: str, answered: str) -> Refusal:
    if {asked, answered} <= _CODES:
        return Refusal("CodeMismatchException", "Invalid code or auth state for the user.")
    return not_authorized("Invalid session for the user.")


def spend(pool: UserPool, progress: Progress, now: datetime) -> None:
    """Mark a Session as used up, and forget those that have expired."""
    _forget_expired(pool, now)
    pool.spent[progress.id] = progress.expires_at
    pool.long_sessions.pop(progress.id, None)


def _forget_expired(pool: UserPool, now: datetime) -> None:
    for spent_id in [spent_id for spent_id, until in pool.spent.items() if until <= now.timestamp()]:
        del pool.spent[spent_id]
    long = pool.long_sessions
    for long_id in [long_id for long_id, kept in long.items() if kept["expires_at"] <= now.timestamp()]:
        del long[long_id]
