"""Tokens of other identity providers, presented in a token exchange.

Rule of this file: only tokens of OIDC providers are accepted, and only with keys that the test gave: nothing
is fetched. SAML assertions are refused.

Source: SubjectTokenProviderName of GetDerivedToken in the service model: Cognito validates such a token
against the configuration of the provider. How it finds the user is not published; here it is the one that
federated sign-in would create, ``<provider>_<sub>``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import jwt

from cognito_flow._json import as_list
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import UserPool
from cognito_flow.testing._state.refusal import Refusal, not_authorized


def verify_provider_token(pool: UserPool, name: str, kind: str, token: str, now: datetime) -> Members:
    """Return the claims of a token of an OIDC provider.

    Args:
        pool: The pool.
        name: The name of the provider in the pool.
        kind: ``ACCESS_TOKEN``, ``ID_TOKEN`` or ``SAML2``.
        token: The token.
        now: The time.

    Raises:
        Refusal: There is no such provider, it is not one of OIDC whose keys are known, or the token is not
            genuine, is for another client, or has expired.
    """
    provider = pool.identity_providers.get(name)
    if provider is None:
        raise Refusal("ResourceNotFoundException", f"Identity provider {name} does not exist.")
    keys = pool.provider_keys.get(name)
    if keys is None or provider["ProviderType"] != "OIDC" or kind == "SAML2":
        text = f"LocalCognito verifies tokens of OIDC providers after Pool.trust_provider, but not of {name}."
        raise Refusal("OperationNotEnabledException", text)
    details = provider["ProviderDetails"]
    claims = _verified(keys, token, details["oidc_issuer"])
    if details["client_id"] not in _audience(claims):
        raise not_authorized("Invalid token: it is for another client.")
    if now.timestamp() >= claims["exp"]:
        raise not_authorized("Token has expired")
    return claims


def _verified(keys: Members, token: str, issuer: str) -> dict[str, Any]:
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        key = next(key for key in jwt.PyJWKSet.from_dict(keys).keys if key.key_id == kid)
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=["RS256", "ES256"],
            issuer=issuer,
            options={
                "require": ["exp", "iss", "sub"],
                "verify_aud": False,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except (jwt.PyJWTError, StopIteration, TypeError):  # TypeError: a key of the other algorithm
        raise not_authorized("Invalid token") from None
    if not isinstance(claims["exp"], int | float) or not isinstance(claims["sub"], str):
        raise not_authorized("Invalid token")
    return claims


def _audience(claims: Members) -> set[object]:
    """Whom a token is for. Access tokens of many providers name their client in ``azp`` or ``client_id``."""
    audience: object = claims.get("aud")
    named = as_list(audience) or (audience,)
    return {each for each in (*named, claims.get("azp"), claims.get("client_id")) if isinstance(each, str)}
