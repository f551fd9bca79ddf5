"""Token exchange: a new token for a downstream service, derived from one that the application received.

Rule of this file: the tokens that are sent are read without a check of their signature, only to learn their
kind. Cognito verifies them.

Source: GetDerivedToken in the Amazon Cognito API reference, after RFC 8693.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, TypeAlias

import attrs

from cognito_flow._checks import check_list
from cognito_flow._exchange import Exchange
from cognito_flow._json import as_list, as_text
from cognito_flow._jwt import unverified_claims
from cognito_flow._turn import Turn
from cognito_flow.errors import UnexpectedResponse, UsageError
from cognito_flow.models import SignedIn, Tokens, expiry

IssuedTokenType: TypeAlias = Literal["ACCESS_TOKEN", "ID_TOKEN"]


@attrs.frozen
class ProviderToken:
    """A token that another identity provider of the user pool issued, for `AuthFlow.exchange`.

    Args:
        token: The token; a SAML assertion in base64.
        provider_name: The name of the provider in the user pool.
        token_type: What kind of token it is.
    """

    token: str = attrs.field(repr=False)
    provider_name: str
    token_type: Literal["ACCESS_TOKEN", "ID_TOKEN", "SAML2"] = "ID_TOKEN"


@attrs.frozen(kw_only=True)
class DerivedToken:
    """The token that a token exchange issued. It cannot be refreshed: exchange again when it expires.

    Args:
        token: The JWT, which `TokenVerifier` verifies like any other token of the requesting app client.
        issued_token_type: ``ACCESS_TOKEN`` or ``ID_TOKEN``.
        token_type: How to present it: ``Bearer``; ``N_A`` for a token that is not meant to be presented to a
            service, which is what RFC 8693 says of ID tokens.
        scopes: What it allows. Cognito may grant fewer scopes than were requested.
        expires_at: When it expires: an aware datetime.
    """

    token: str = attrs.field(repr=False)
    issued_token_type: str
    token_type: str
    scopes: frozenset[str]
    expires_at: datetime


def derive(
    turn: Turn,
    subject: Tokens | ProviderToken | str,
    actor: Tokens | ProviderToken | str | None,
    scopes: Iterable[str],
    resources: Iterable[str],
    audiences: Iterable[str],
    requested: IssuedTokenType | None,
) -> Exchange[DerivedToken]:
    """Call GetDerivedToken. See `AuthFlow.exchange`."""
    lists = {
        "Scopes": check_list("scopes", scopes),
        "Resources": check_list("resources", resources),
        "Audiences": check_list("audiences", audiences),
    }
    if lists["Resources"] and lists["Audiences"]:
        raise UsageError("pass either resources or audiences, not both")
    request: dict[str, object] = {
        **turn.authenticated_client(),
        **_party("Subject", subject),
        **({} if actor is None else _party("Actor", actor)),
        **{name: values for name, values in lists.items() if values},
        **({} if requested is None else {"RequestedTokenType": requested}),
    }
    response = yield from turn.call("GetDerivedToken", request)
    return _read(response.data, turn.settings.system.now())


def _party(role: Literal["Subject", "Actor"], given: object) -> dict[str, object]:
    """Return the members for the subject or the actor of an exchange."""
    if isinstance(given, ProviderToken):
        return {
            f"{role}Token": given.token,
            f"{role}TokenType": given.token_type,
            f"{role}TokenProviderName": given.provider_name,
        }
    if isinstance(given, SignedIn):
        raise UsageError("pass the tokens of the sign-in: signed_in.tokens")
    token = given.access_token if isinstance(given, Tokens) else given
    if not isinstance(token, str) or not token:
        raise UsageError(
            f"the {role.lower()} of an exchange must be Tokens, an access or ID token, or a ProviderToken"
        )
    is_id_token = unverified_claims(token).get("token_use") == "id"
    return {f"{role}Token": token, f"{role}TokenType": "ID_TOKEN" if is_id_token else "ACCESS_TOKEN"}


def _read(data: Mapping[str, object], now: datetime) -> DerivedToken:
    token = as_text(data.get("IssuedToken"))
    if not token:
        raise UnexpectedResponse("Cognito answered GetDerivedToken without a token")
    try:
        expires_at = expiry(token, data.get("ExpiresIn"), now)
    except UsageError as error:
        raise UnexpectedResponse(f"Cognito sent a derived token that cannot be read: {error}") from None
    return DerivedToken(
        token=token,
        issued_token_type=as_text(data.get("IssuedTokenType")) or "ACCESS_TOKEN",
        token_type=as_text(data.get("TokenType")) or "Bearer",
        scopes=frozenset(filter(None, map(as_text, as_list(data.get("Scopes")) or ()))),
        expires_at=expires_at,
    )
