"""Passing an `Event` to the application's listener."""

from __future__ import annotations

import logging
from collections.abc import Callable

from cognito_flow.models import Event

_log = logging.getLogger("cognito_flow")


def notify(listener: Callable[[Event], object] | None, event: Event) -> None:
    """Call the listener with the event, if there is a listener. An exception that it raises is logged and
    ignored: the response may contain tokens that Cognito sends only once."""
    if listener is None:
        return
    try:
        listener(event)
    except Exception:  # noqa: BLE001 - a listener may raise anything
        _log.exception("on_event failed at an event of the kind %s", event.kind)
