"""Challenges without a flow, for the tests of handlers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cognito_flow import Pending


def pending(name: str, parameters: Mapping[str, str] | None = None, *available: str) -> Pending:
    """A challenge of this name."""
    return Pending(name=name, username="alice", parameters=parameters or {}, available=available)


def challenge(handler: Any, *available: str, **parameters: str) -> Any:
    """A challenge of this class; of an unknown name, if the class is for all that are unknown."""
    name: object = getattr(handler, "name", None)
    return handler.parse(pending(name if isinstance(name, str) else "NEW_ONE", parameters, *available))
