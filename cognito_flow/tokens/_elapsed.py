"""Whether enough time has passed, by a clock that may be set back."""

from __future__ import annotations

from datetime import datetime, timedelta


def has_elapsed(period: timedelta, *, since: datetime | None, now: datetime) -> bool:
    """Whether at least `period` has passed since `since`; True if `since` is None."""
    # If the clock was set back, `since` may lie in the future. Treat it as elapsed, or we would wait forever.
    return since is None or not timedelta() <= now - since < period
