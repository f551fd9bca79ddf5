"""What comes after the sign-in: tokens that are verified."""

from cognito_flow.tokens.claims import AccessClaims, IdClaims
from cognito_flow.tokens.verifier import AsyncTokenVerifier, TokenVerifier

__all__ = ["AccessClaims", "AsyncTokenVerifier", "IdClaims", "TokenVerifier"]
