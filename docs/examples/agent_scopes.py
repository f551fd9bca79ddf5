"""The PreTokenGeneration trigger of agent.toml: users who sign in may read and write their orders."""

from typing import Any

# The sources of a user's own tokens. A token exchange must not get back the scopes that it left out.
OF_SIGN_INS = {
    "TokenGeneration_Authentication",
    "TokenGeneration_AuthenticateDevice",
    "TokenGeneration_HostedAuth",
    "TokenGeneration_NewPasswordChallenge",
    "TokenGeneration_RefreshTokens",
}


def permit_orders(event: Any) -> Any:
    if event["triggerSource"] not in OF_SIGN_INS:
        return event
    added = {"scopesToAdd": ["orders/read", "orders/write"]}
    event["response"]["claimsAndScopeOverrideDetails"] = {"accessTokenGeneration": added}
    return event
