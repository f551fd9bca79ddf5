"""The PreTokenGeneration trigger of agent.toml: users who sign in may read and write their orders."""

from typing import Any


def permit_orders(event: Any) -> Any:
    if event["triggerSource"] != "TokenGeneration_Authentication":
        return event  # a token exchange must not get back the scopes that it left out
    added = {"scopesToAdd": ["orders/read", "orders/write"]}
    event["response"]["claimsAndScopeOverrideDetails"] = {"accessTokenGeneration": added}
    return event
