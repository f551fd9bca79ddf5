"""AuthenticationResult: the tokens of a completed sign-in or refresh, and the check of an access token.

Rule of this file: the claims are those of the developer guide's pages on the ID token and the access token.
The caller has verified the user.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

import attrs

from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import Client, Grant, User, UserPool, is_verified
from cognito_flow.testing._state.refusal import Refusal, not_authorized
from cognito_flow.testing._state.signing import opaque_token

# No trigger can add, change or suppress these, according to "Pre token generation Lambda trigger" in the
# developer guide.
_RESERVED = frozenset(
    {
        "acr",
        "amr",
        "aud",
        "at_hash",
        "auth_time",
        "azp",
        "cognito:username",
        "exp",
        "iat",
        "identities",
        "iss",
        "jti",
        "nbf",
        "nonce",
        "origin_jti",
        "sub",
        "token_use",
    }
)
# The claims that make an access token what it is. Scopes have members of their own in the response.
_RESERVED_IN_ACCESS = frozenset({"client_id", "device_key", "event_id", "scope", "username"})

_SCOPE = "aws.cognito.signin.user.admin"
_VERSIONS = {"V1_0": "1", "V2_0": "2", "V3_0": "3"}


def new_grant(pool: UserPool, client: Client, now: datetime, device_key: str | None) -> Grant:
    """A refresh token for a sign-in that is complete. `keep_grant` stores it, once the tokens are issued."""
    expires_at = now + client.validity("RefreshToken")
    grant = Grant(opaque_token(), client.id, str(uuid.uuid4()), now, expires_at, device_key)
    if pool.tracks_sessions:
        grant.session_id = f"tkn{uuid.uuid4().hex[:25]}"
    return grant


def keep_grant(pool: UserPool, user: User, grant: Grant, now: datetime) -> None:
    """Store a new grant. In a pool that tracks sessions, it may end another."""
    if grant.session_id is not None:
        user.evict_sessions(pool.sessions["TokenSession"]["MaxPerUser"] - 1)
    user.add_grant(grant, now)


def issue(
    pool: UserPool,
    client: Client,
    user: User,
    grant: Grant,
    now: datetime,
    source: str,
    metadata: Mapping[str, str],
) -> Members:
    """Issue AccessToken, IdToken, ExpiresIn and TokenType.

    Args:
        pool: The pool.
        client: The app client.
        user: The user.
        grant: The sign-in that the tokens belong to.
        now: The time.
        source: The triggerSource for the pre token generation trigger.
        metadata: ClientMetadata for that trigger.
    """
    overrides = trigger_overrides(pool, client, user, source, metadata)
    access, identity = user_claims(pool, client, user, grant, now, overrides)
    return {
        "AccessToken": pool.keys.sign(access, "access"),
        "IdToken": pool.keys.sign(identity, "id"),
        "ExpiresIn": int(client.validity("AccessToken").total_seconds()),
        "TokenType": "Bearer",
    }


@attrs.frozen
class Overrides:
    """What the pre token generation trigger wants changed, in the form of its later versions. `groups` is
    None if the trigger leaves the groups as they are."""

    identity: Members
    access: Members
    groups: Members | None


def user_claims(
    pool: UserPool,
    client: Client,
    user: User,
    grant: Grant,
    now: datetime,
    overrides: Overrides,
    scopes: Sequence[str] = (_SCOPE,),
) -> tuple[Members, Members]:
    """Return the claims of an access token and of an ID token.

    Args:
        pool: The pool.
        client: The app client.
        user: The user.
        grant: The sign-in that the tokens belong to.
        now: The time.
        overrides: What the pre token generation trigger wants changed.
        scopes: The scopes of the access token, which the trigger may change.
    """
    access, identity = _access_claims(user, grant), _id_claims(client, user, grant)
    groups = _group_configuration(pool, user) if overrides.groups is None else overrides.groups
    for claims, token in ((access, "AccessToken"), (identity, "IdToken")):
        claims |= {
            "iss": pool.issuer,
            "sub": user.sub,
            "event_id": str(uuid.uuid4()),
            "auth_time": int(grant.auth_time.timestamp()),
            "iat": int(now.timestamp()),
            "exp": int((now + client.validity(token)).timestamp()),
            "jti": str(uuid.uuid4()),
            **grant.acr_claims,
        }
        if groups.get("groupsToOverride"):
            claims["cognito:groups"] = list(groups["groupsToOverride"])
    if groups.get("iamRolesToOverride"):
        identity["cognito:roles"] = list(groups["iamRolesToOverride"])
    if groups.get("preferredRole"):
        identity["cognito:preferred_role"] = groups["preferredRole"]
    _override_claims(identity, overrides.identity, _RESERVED)
    _override_access(access, scopes, overrides.access)
    return access, identity


def trigger_overrides(
    pool: UserPool,
    client: Client,
    user: User,
    source: str,
    metadata: Mapping[str, str],
    scopes: Sequence[str] = (_SCOPE,),
) -> Overrides:
    """Run the pre token generation trigger, if the pool has one.

    Args:
        pool: The pool.
        client: The app client.
        user: The user.
        source: The triggerSource.
        metadata: ClientMetadata for the trigger.
        scopes: The scopes of the access token.

    Raises:
        Refusal: The trigger failed.
    """
    request: Members = {
        "groupConfiguration": _group_configuration(pool, user),
        "clientMetadata": dict(metadata),
    }
    version = _version(pool)
    if version != "1":
        request["scopes"] = list(scopes)
    response = pool.run_trigger("PreTokenGeneration", source, client.id, user, request, version) or {}
    if version == "1":  # it knows the ID token only
        details = _object(response, "claimsOverrideDetails")
        return Overrides(details, {}, _groups(details))
    return _later_overrides(response)


def override_client_claims(
    pool: UserPool, client: Client, claims: Members, scopes: Sequence[str], metadata: Mapping[str, str]
) -> None:
    """Let the pre token generation trigger change the claims of an app client's own token. Only version 3 of
    the trigger runs for machines.

    Args:
        pool: The pool.
        client: The app client.
        claims: The claims.
        scopes: The scopes of the token.
        metadata: ClientMetadata for the trigger.

    Raises:
        Refusal: The trigger failed.
    """
    if _version(pool) != "3":
        return
    groups: Members = {"groupsToOverride": [], "iamRolesToOverride": [], "preferredRole": None}
    request = {"groupConfiguration": groups, "clientMetadata": dict(metadata), "scopes": list(scopes)}
    source = "TokenGeneration_ClientCredentials"
    response = pool.run_trigger("PreTokenGeneration", source, client.id, client.id, request, "3") or {}
    _override_access(claims, scopes, _later_overrides(response).access)


def _version(pool: UserPool) -> str:
    """The version of the pre token generation trigger's event."""
    config = pool.members.get("LambdaConfig", {}).get("PreTokenGenerationConfig", {})
    return _VERSIONS[config.get("LambdaVersion", "V1_0")]


def _later_overrides(response: Members) -> Overrides:
    details = _object(response, "claimsAndScopeOverrideDetails")
    identity, access = (_object(details, f"{use}TokenGeneration") for use in ("id", "access"))
    return Overrides(identity, access, _groups(details))


def _groups(details: Members) -> Members | None:
    """The groups that replace the user's; None to keep them. An empty or null object suppresses them.
    ("Pre token generation Lambda trigger" in the developer guide, on groupOverrideDetails.)"""
    return _object(details, "groupOverrideDetails") if "groupOverrideDetails" in details else None


def _object(members: Members, name: str) -> Members:
    """A member that is an object; an empty one if it is missing or null."""
    found: Members = members.get(name) or {}
    return found


def _override_claims(claims: Members, wanted: Members, reserved: frozenset[str]) -> None:
    def is_free(name: str) -> bool:
        return name not in reserved and not name.startswith("dev:")

    added: Members = wanted.get("claimsToAddOrOverride") or {}
    claims |= {name: value for name, value in added.items() if is_free(name)}
    for name in filter(is_free, wanted.get("claimsToSuppress") or ()):
        claims.pop(name, None)


def _override_access(access: Members, scopes: Sequence[str], wanted: Members) -> None:
    _override_claims(access, wanted, _RESERVED | _RESERVED_IN_ACCESS)
    suppressed = set(wanted.get("scopesToSuppress") or ())
    all_scopes = dict.fromkeys([*scopes, *(wanted.get("scopesToAdd") or ())])
    access["scope"] = " ".join(scope for scope in all_scopes if scope not in suppressed)


def _group_configuration(pool: UserPool, user: User) -> Members:
    """The user's groups, their roles, and the preferred role: that of the group with the lowest Precedence,
    unless groups with this Precedence have different roles. (CreateGroup, on Precedence.)"""
    with_role = [group for name in user.groups if "RoleArn" in (group := pool.groups.get(name, {}))]
    ranks = {group["GroupName"]: group.get("Precedence", math.inf) for group in with_role}
    first = {group["RoleArn"] for group in with_role if ranks[group["GroupName"]] == min(ranks.values())}
    return {
        "groupsToOverride": list(user.groups),
        "iamRolesToOverride": list(dict.fromkeys(group["RoleArn"] for group in with_role)),
        "preferredRole": first.pop() if len(first) == 1 else None,
    }


def _access_claims(user: User, grant: Grant) -> Members:
    claims: Members = {
        "client_id": grant.client_id,
        "origin_jti": grant.origin_jti,
        "token_use": "access",
        "username": user.username,
    }
    if grant.device_key is not None:
        claims["device_key"] = grant.device_key
    return claims


def _id_claims(client: Client, user: User, grant: Grant) -> Members:
    attributes: Members = {name: value for name, value in user.attributes.items() if client.may_read(name)}
    for name in ("email", "phone_number"):
        if f"{name}_verified" in attributes:
            attributes[f"{name}_verified"] = is_verified(user.attributes, name)
    return {
        **attributes,
        "aud": grant.client_id,
        "origin_jti": grant.origin_jti,
        "token_use": "id",
        "cognito:username": user.username,
    }


def user_of_access_token(pool: UserPool, token: str, now: datetime) -> tuple[User, Grant]:
    """Return the user and the sign-in of an access token.

    The service model names the errors of an unconfirmed user and of a required password reset for every
    operation that takes an access token. It does not say when they are raised: here, while the user is in
    that state.

    Raises:
        Refusal: It is not of this pool, has expired, was revoked, or lacks the scope; or its user is gone,
            disabled, unconfirmed or must reset the password.
    """
    claims = pool.keys.read(token)
    if now.timestamp() >= claims["exp"]:
        raise not_authorized("Access Token has expired")
    # A pool that was deleted may have had the same keys. The token of an app client names no user.
    if claims["iss"] != pool.issuer or "username" not in claims:
        raise not_authorized("Invalid Access Token")
    user = pool.users.get(pool.normalize(claims["username"]))
    # Amplify JS signs the user out at this text. A user who was created again has another sub.
    if user is None or user.sub != claims["sub"]:
        raise Refusal("UserNotFoundException", "User does not exist.")
    check_may_act(user)
    check_needs_no_reset(user)
    if _SCOPE not in claims["scope"].split():
        raise not_authorized("Access Token does not have required scopes")
    grant = grant_of(user, claims)
    if grant is None:
        raise not_authorized("Access Token has been revoked")
    return user, grant


def check_may_act(user: User) -> None:
    """Refuse users who may not do anything, whatever their password.

    Raises:
        Refusal: The user is disabled or not confirmed.
    """
    if not user.is_enabled:
        raise not_authorized("User is disabled.")
    if user.status == "UNCONFIRMED":
        raise Refusal("UserNotConfirmedException", "User is not confirmed.")


def check_needs_no_reset(user: User) -> None:
    """Refuse users whose password an administrator reset.

    Raises:
        Refusal: The password must be reset.
    """
    if user.status == "RESET_REQUIRED":
        raise Refusal("PasswordResetRequiredException", "Password reset required for the user")


def grant_of(user: User, claims: Members) -> Grant | None:
    """Return the sign-in that a token belongs to; None if it was revoked."""
    alive = (grant for grant in user.grants if not grant.is_revoked)
    return next((grant for grant in alive if grant.origin_jti == claims["origin_jti"]), None)
