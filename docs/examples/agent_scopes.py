"""The PreTokenGeneration trigger of agent.toml: every user may read and write their orders."""

from typing import Any


def permit_orders(event: Any) -> Any:
    added = {"scopesToAdd": ["orders/read", "orders/write"]}
    event["response"]["claimsAndScopeOverrideDetails"] = {"accessTokenGeneration": added}
    return event
