"""The clock of a LocalCognito.

Rule of this file: it runs with the real time, plus what tests have advanced it by; or it stands still where
tests say so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import attrs

__all__ = ["Clock"]


def _real_time() -> datetime:
    return datetime.now(UTC)


@attrs.define
class Clock:
    """Tells the time of a LocalCognito, and lets it pass.

    Args:
        source: What it runs with: the real time, or for example ``lambda: datetime(2030, 1, 1, tzinfo=UTC)``.

    >>> clock = Clock(lambda: datetime(2030, 1, 1, tzinfo=UTC))
    >>> clock.advance(90)
    >>> clock().isoformat()
    '2030-01-01T00:01:30+00:00'
    """

    source: Callable[[], datetime] = _real_time
    _ahead: timedelta = attrs.field(default=timedelta(0), init=False)

    def __call__(self) -> datetime:
        """The time, as an aware datetime."""
        return self.source() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let this many seconds pass at once."""
        self._ahead += timedelta(seconds=seconds)

    def timestamp(self) -> float:
        """The time, in seconds since the epoch."""
        return self().timestamp()
