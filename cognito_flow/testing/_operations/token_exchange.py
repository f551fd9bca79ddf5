"""Token exchange: a token for a downstream service, derived from the token of a user.

Rule of this file: a token is derived only from tokens that are genuine, alive and, if they are of this pool,
not revoked. The new one belongs to the same sign-in, so revoking the sign-in ends both.

Sources: "Exchanging tokens for downstream services" in the Amazon Cognito developer guide, GetDerivedToken in
the service model, and RFC 8693, section 4.1, for `act`. Users report that `client_id` is the requesting app
client and that `act` appears with an actor alone. The model lists the errors of triggers, so the pre token
generation trigger runs; its triggerSource is not published, and can be configured. The texts of refusals and
the members of `act` but `sub` are not published either: they are LocalCognito's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias

import attrs

from cognito_flow.testing._operations.client_tokens import client_claims
from cognito_flow.testing._operations.provider_tokens import verify_provider_token
from cognito_flow.testing._operations.request import Operation, Request, check_client_secret
from cognito_flow.testing._operations.resource_servers import check_scopes, resource_server
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import Client, Grant, User, UserPool
from cognito_flow.testing._state.refusal import Refusal, invalid_parameter, not_authorized
from cognito_flow.testing._state.tokens import (
    Overrides,
    grant_of,
    keep_grant,
    new_grant,
    trigger_overrides,
    user_claims,
)

_Role: TypeAlias = Literal["Subject", "Actor"]
_Use: TypeAlias = Literal["access", "id"]
_USES: dict[str, _Use] = {"ACCESS_TOKEN": "access", "ID_TOKEN": "id"}
_NAMES = {"access": "Access Token", "id": "ID Token"}
_TOKEN_TYPES = {"ACCESS_TOKEN": "Bearer", "ID_TOKEN": "N_A"}  # the model's two (RFC 8693, section 2.2.1)


@attrs.frozen
class _Party:
    """A verified token, and the sign-in behind it; None for the token of an app client. The sign-in is new if
    the token is another provider's."""

    claims: Members
    sign_in: tuple[User, Grant] | None
    is_new: bool = False

    @property
    def scopes(self) -> list[str]:
        return list(str(self.claims.get("scope", "")).split())


def get_derived_token(request: Request) -> Members:
    """GetDerivedToken."""
    pool, client = request.client()
    parameters = request.parameters
    check_client_secret(client, parameters.get("ClientSecret"))
    _check_form(parameters)
    flow = exchange_flow(parameters)
    if flow not in client.flows:
        raise invalid_parameter(f"{flow} flow not enabled for this client")
    subject = _verify(request, pool, client, "Subject")
    actor = _verify(request, pool, client, "Actor") if "ActorToken" in parameters else None
    scopes = _granted(pool, client, subject, parameters.get("Scopes", ()))
    target = _target(pool, parameters)
    kind = parameters.get("RequestedTokenType", "ACCESS_TOKEN")
    claims = _claims(pool, client, subject, _USES[kind], scopes, request.now)
    if actor is not None:
        claims["act"] = _act(subject, actor)
    if kind == "ACCESS_TOKEN":
        scopes = claims["scope"].split()
        claims |= target
    if subject.sign_in is not None and subject.is_new:
        keep_grant(pool, *subject.sign_in, request.now)
    return {
        "IssuedToken": pool.keys.sign(claims, _USES[kind]),
        "IssuedTokenType": kind,
        "TokenType": _TOKEN_TYPES[kind],
        "ExpiresIn": claims["exp"] - claims["iat"],
        "Scopes": scopes,
    }


def exchange_flow(parameters: Members) -> str:
    """Return the flow that the app client must allow for this request."""
    return f"ALLOW_TOKEN_EXCHANGE_{'DELEGATION' if 'ActorToken' in parameters else 'IMPERSONATION'}"


def _check_form(parameters: Members) -> None:
    if parameters.get("Audiences") and parameters.get("Resources"):
        raise invalid_parameter("Audiences and Resources cannot be used together.")
    if ("ActorToken" in parameters) != ("ActorTokenType" in parameters):
        raise invalid_parameter("ActorToken and ActorTokenType must be used together.")


def _verify(request: Request, pool: UserPool, client: Client, role: _Role) -> _Party:
    """Verify the token of a party.

    Raises:
        Refusal: It is not a token of this pool or of the provider and the kind that were named, has expired,
            was revoked, or its user or app client is gone.
    """
    provider = request.parameters.get(f"{role}TokenProviderName")
    if provider is not None:
        return _of_provider(request, pool, client, role, provider)
    use = _USES.get(request.parameters[f"{role}TokenType"])
    if use is None:  # SAML2
        raise invalid_parameter(f"{role}TokenProviderName is required for a SAML assertion.")
    claims = pool.keys.read(request.parameters[f"{role}Token"], use)
    if request.now.timestamp() >= claims["exp"]:
        raise not_authorized(f"{_NAMES[use]} has expired")
    # A pool that was deleted may have had the same keys.
    if claims["iss"] != pool.issuer:
        raise not_authorized(f"Invalid {_NAMES[use]}")
    if not {"username", "cognito:username"} & set(claims):  # a token of the client credentials grant
        if claims["sub"] not in pool.clients:
            raise not_authorized(f"Invalid {_NAMES[use]}")
        return _Party(claims, None)
    return _Party(claims, _sign_in(pool, claims, use))


def _of_provider(request: Request, pool: UserPool, client: Client, role: _Role, name: str) -> _Party:
    """The party of a token of another provider. Of its scopes, those count that the app client may have.

    The exchange counts as a sign-in of the user, so that signing out everywhere ends the new token.
    """
    kind, token = request.parameters[f"{role}TokenType"], request.parameters[f"{role}Token"]
    foreign = verify_provider_token(pool, name, kind, token, request.now)
    allowed = client.members.get("AllowedOAuthScopes", ())
    scopes = [scope for scope in str(foreign.get("scope", "")).split() if scope in allowed]
    claims: Members = {"sub": foreign["sub"], "scope": " ".join(scopes)}
    if role == "Actor":
        return _Party(claims, None)
    user = pool.users.get(pool.normalize(f"{name}_{foreign['sub']}"))
    if user is None:
        raise Refusal("UserNotFoundException", "User does not exist.")
    if not user.is_enabled:
        raise not_authorized("User is disabled.")
    return _Party(claims, (user, new_grant(pool, client, request.now, None)), is_new=True)


def _sign_in(pool: UserPool, claims: Members, use: _Use) -> tuple[User, Grant]:
    name = claims["username" if use == "access" else "cognito:username"]
    user = pool.users.get(pool.normalize(name))
    if user is None or user.sub != claims["sub"]:
        raise Refusal("UserNotFoundException", "User does not exist.")
    if not user.is_enabled:
        raise not_authorized("User is disabled.")
    grant = grant_of(user, claims)
    if grant is None:
        raise not_authorized(f"{_NAMES[use]} has been revoked")
    return user, grant


def _granted(pool: UserPool, client: Client, subject: _Party, requested: Sequence[str]) -> list[str]:
    """Without requested scopes, those of the subject; else the requested ones that it has and that the app
    client may have."""
    check_scopes(pool, requested)
    allowed = client.members.get("AllowedOAuthScopes", ())
    wanted = [scope for scope in subject.scopes if scope in requested and scope in allowed]
    return wanted if requested else subject.scopes


def _target(pool: UserPool, parameters: Members) -> Members:
    """The `aud` claim, if a target service was named."""
    for identifier in parameters.get("Resources", ()):
        resource_server(pool, identifier)
    named = [*parameters.get("Resources", ()), *parameters.get("Audiences", ())]
    return {"aud": named[0]} if named else {}


def _claims(
    pool: UserPool, client: Client, subject: _Party, use: _Use, scopes: list[str], now: datetime
) -> Members:
    if subject.sign_in is not None:
        user, grant = subject.sign_in
        changes = _changes(pool, client, user, scopes)
        own = attrs.evolve(grant, client_id=client.id)
        access, identity = user_claims(pool, client, user, own, now, changes, scopes)
        return access if use == "access" else identity
    if use == "id":
        raise invalid_parameter("An ID token cannot be issued for an app client.")
    return {**client_claims(pool, client, scopes, now), "sub": subject.claims["sub"]}


def _changes(pool: UserPool, client: Client, user: User, scopes: list[str]) -> Overrides:
    """What the pre token generation trigger wants changed. The request has no ClientMetadata for it."""
    if not pool.settings.exchange_trigger:
        return Overrides({}, {}, None)
    return trigger_overrides(pool, client, user, pool.settings.exchange_trigger, {}, scopes)


def _act(subject: _Party, actor: _Party) -> Members:
    """The actor, and in it who acted before."""
    earlier = {"act": subject.claims["act"]} if "act" in subject.claims else {}
    return {"sub": actor.claims["sub"], **earlier}


OPERATIONS: dict[str, Operation] = {"GetDerivedToken": get_derived_token}
