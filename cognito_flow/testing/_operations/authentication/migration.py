"""The user migration trigger, at a first sign-in and at a forgotten password.

Rule of this file: the trigger's attributes become a user like any other, with the typed password, if there is
one. Without attributes, or with an alias of another user, the name stays unknown.

Source: "Migrate user Lambda trigger" in the Amazon Cognito developer guide.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

import attrs

from cognito_flow.testing._operations.authentication.sign_in import SignIn
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.attributes import FORMS, change, check_attributes, claim_aliases
from cognito_flow.testing._state.passwords import set_password
from cognito_flow.testing._state.records import Client, User, UserPool
from cognito_flow.testing._state.refusal import Refusal


def migrate(sign_in: SignIn, password: str) -> None:
    """Run the trigger for a user who signs in. If it returns no user, the sign-in continues as a simulated
    one.

    Raises:
        Refusal: The trigger returns no user, and the app client does not hide this; or attributes are
            invalid.
    """
    request: Members = {"password": password, "validationData": dict(sign_in.metadata)}
    response = sign_in.trigger("UserMigration", "UserMigration_Authentication", request) or {}
    user = _migrated(sign_in.pool, sign_in.typed, response, sign_in.now)
    if user is None:
        if not sign_in.client.hides_users:
            raise Refusal("UserNotFoundException", "User does not exist.")
        return
    set_password(sign_in.pool, user, password, sign_in.now)
    sign_in.pool.users[user.username] = user
    sign_in.user = user
    sign_in.progress = attrs.evolve(
        sign_in.progress, username=user.username, sub=user.sub, is_simulated=False
    )


def migrate_without_password(
    pool: UserPool, client: Client, typed: str, metadata: Mapping[str, str], now: datetime
) -> User | None:
    """Run the trigger, if there is one, for a user who has forgotten the password.

    Args:
        pool: The pool.
        client: The app client.
        typed: The user name as it was typed.
        metadata: ClientMetadata.
        now: The time.

    Raises:
        Refusal: The trigger returns invalid attributes.
    """
    request: Members = {"validationData": {}, "clientMetadata": dict(metadata)}
    source = "UserMigration_ForgotPassword"
    response = pool.run_trigger("UserMigration", source, client.id, typed, request)
    user = _migrated(pool, typed, response or {}, now)
    if user is not None:
        pool.users[user.username] = user
    return user


def _migrated(pool: UserPool, typed: str, response: Members, now: datetime) -> User | None:
    given = response.get("userAttributes")
    named = pool.members.get("UsernameAttributes", ())
    address = {name: typed for name in named if FORMS[name].fullmatch(typed)}
    if not given or (named and not address):
        return None
    attributes = {**given, **address}
    attributes.pop("username", None)
    sub, status = str(uuid.uuid4()), response.get("finalUserStatus") or "RESET_REQUIRED"
    user = User(sub if named else pool.normalize(typed), sub, now, {}, status)
    check_attributes(pool, attributes)
    change(user, attributes, now)
    try:
        claim_aliases(pool, user, by_force=bool(response.get("forceAliasCreation")))
    except Refusal:
        return None
    return user
