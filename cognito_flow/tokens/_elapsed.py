"""Whether enough time has passed, by a clock that may be set back."""

from __future__ import annotations

from datetime import datetime, timedelta


def has_elapsed(period: timedelta, *, since: datetime | None, now: datetime) -> bool:
    """Whether a moment lies at least so far back; None: it never was, and does."""
    # A clock that was set back has not stopped: what lies in its future counts as long ago.
    return since is None or not timedelta() <= now - since < period
