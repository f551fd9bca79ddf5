"""Passwords and the rules for them.

Rule of this file: a password is stored as an SRP verifier only; the password flows compare with it, too.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime

from cognito_flow.testing._state.records import User, UserPool
from cognito_flow.testing._state.refusal import Refusal
from cognito_flow.testing._state.srp_server import make_verifier, matches

_RULES = (
    ("RequireUppercase", re.compile(r"[A-Z]"), "uppercase"),
    ("RequireLowercase", re.compile(r"[a-z]"), "lowercase"),
    ("RequireNumbers", re.compile(r"[0-9]"), "numeric"),
    # The developer guide lists the symbols; a space counts unless it is the first or last character.
    ("RequireSymbols", re.compile(r"""[\^$*.\[\]{}()?"!@#%&/\\,><':;|_~`=+\-]|(?<=\S) (?=\S)"""), "symbol"),
)


def is_right(pool: UserPool, user: User, password: str) -> bool:
    """Whether this is the user's password."""
    return user.verifier is not None and matches(user.verifier, pool.name, user.username, password)


def set_password(pool: UserPool, user: User, password: str, now: datetime) -> None:
    """Set a user's password, and keep the old one for the history rule."""
    if user.verifier is not None:
        size = pool.policy.get("PasswordHistorySize", 0)
        user.password_history = [user.verifier, *user.password_history][: max(size - 1, 0)]
    user.verifier = make_verifier(pool.name, user.username, password, secrets.token_bytes)
    user.password_set_at = now
    user.password_lock.reset()


def check_policy(pool: UserPool, password: str) -> None:
    """Check a password against the pool's policy, one violation at a time.

    Raises:
        Refusal: It breaks the policy.
    """
    if len(password) < pool.policy["MinimumLength"]:
        raise _against_policy("Password not long enough")
    for name, pattern, kind in _RULES:
        if pool.policy[name] and not pattern.search(password):
            raise _against_policy(f"Password must have {kind} characters")


def _against_policy(violation: str) -> Refusal:
    return Refusal("InvalidPasswordException", f"Password does not conform to policy: {violation}")


def check_new_password(pool: UserPool, user: User, password: str) -> None:
    """Check a password that a user chose against the policy and the history.

    Raises:
        Refusal: It breaks one of them.
    """
    check_policy(pool, password)
    if not pool.policy.get("PasswordHistorySize"):
        return
    former = [user.verifier] if user.verifier is not None else []
    for verifier in (*former, *user.password_history):
        if matches(verifier, pool.name, user.username, password):
            raise Refusal("PasswordHistoryPolicyViolationException", "Password has previously been used")
