"""What `Pool.flow` and `Pool.verifier` pass on, for type checkers.

Rule of this file: it names the keywords of `AuthFlow` and of `TokenVerifier`, all of them and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypedDict

from cognito_flow.handlers import Challenge
from cognito_flow.models import Event, System, UserContext
from cognito_flow.stores import DeviceStore
from cognito_flow.tokens.keys import Fetch

__all__ = ["FlowOptions", "VerifierOptions"]


class FlowOptions(TypedDict, total=False):
    """The keywords of `AuthFlow` and `AsyncAuthFlow`."""

    admin: bool
    handlers: Sequence[type[Challenge]]
    seal_keys: Sequence[str | bytes]
    seal_max_age: int | None
    devices: DeviceStore | None
    device_name: str | None
    remember_devices: bool
    metadata: Mapping[str, str] | None
    context: UserContext | None
    analytics_endpoint_id: str | None
    on_event: Callable[[Event], object] | None
    system: System | None


class VerifierOptions(TypedDict, total=False):
    """The keywords of `TokenVerifier` and `AsyncTokenVerifier`."""

    leeway: float
    client_ids: Iterable[str] | None
    fetch: Fetch | None
    timeout: float
    system: System | None
