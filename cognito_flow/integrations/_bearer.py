"""Bearer tokens in requests, and the responses that refuse them: what the adapters of web frameworks share.

Rule of this file: it knows no framework. A response never says why a token is invalid.

Source: RFC 6750, section 3, and RFC 9470, section 3.
"""

from __future__ import annotations

import attrs

from cognito_flow.errors import (
    CognitoFlowError,
    NotPermitted,
    StepUpRequired,
    TokenRejected,
    TransportError,
    UnexpectedResponse,
)


@attrs.frozen
class Refusal:
    """The response to a request that is refused.

    Args:
        status: The HTTP status.
        message: What the response says.
        challenge: The header WWW-Authenticate, if there is one.
    """

    status: int
    message: str
    challenge: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the response."""
        return {} if self.challenge is None else {"WWW-Authenticate": self.challenge}


NO_TOKEN = Refusal(401, "This needs an access token.", "Bearer")


def bearer_token(authorization: str | None) -> str | None:
    """Return the token in the value of the header Authorization; None if it holds none."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def refusal_of(error: CognitoFlowError) -> Refusal:
    """Return the response to what a verifier raised.

    Raises:
        CognitoFlowError: It is not about a token, but a mistake in the program.
    """
    if isinstance(error, StepUpRequired):
        return Refusal(401, "Sign in again to do this.", _step_up(error))
    if isinstance(error, NotPermitted):
        return Refusal(403, "The token does not allow this.", 'Bearer error="insufficient_scope"')
    if isinstance(error, TokenRejected):
        return Refusal(401, "The token is not valid.", 'Bearer error="invalid_token"')
    if isinstance(error, TransportError | UnexpectedResponse):
        return Refusal(503, "Tokens cannot be verified at the moment.")
    raise error


def _step_up(error: StepUpRequired) -> str:
    parts = ['Bearer error="insufficient_user_authentication"']
    if error.acr_values:
        parts.append(f'acr_values="{" ".join(error.acr_values)}"')
    if error.max_age is not None:
        parts.append(f'max_age="{error.max_age:.0f}"')
    return ", ".join(parts)
