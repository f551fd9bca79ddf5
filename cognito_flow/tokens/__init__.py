"""What comes after the sign-in: tokens that are kept fresh, and tokens that are verified."""

from cognito_flow.tokens.claims import AccessClaims, IdClaims
from cognito_flow.tokens.source import AsyncTokenSource, TokenSource
from cognito_flow.tokens.verifier import AsyncTokenVerifier, TokenVerifier

__all__ = [
    "AccessClaims",
    "AsyncTokenSource",
    "AsyncTokenVerifier",
    "IdClaims",
    "TokenSource",
    "TokenVerifier",
]
