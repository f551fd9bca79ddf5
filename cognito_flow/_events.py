"""Passing an `Event` to the application's listener."""

from __future__ import annotations

import logging
from collections.abc import Callable

from cognito_flow.models import Event

_log = logging.getLogger("cognito_flow")


def notify(listener: Callable[[Event], object] | None, event: Event) -> None:
    """Tell a listener, if there is one. What it raises is logged, and ends nothing: the answer that it was
    told of may hold tokens that come only once."""
    if listener is None:
        return
    try:
        listener(event)
    except Exception:  # noqa: BLE001 - whatever it raises
        _log.exception("on_event failed at an event of the kind %s", event.kind)
