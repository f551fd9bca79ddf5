"""The clock of a LocalCognito.

Rule of this file: it runs with its source, by default the real time, plus what tests have advanced it by.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import attrs

_FIRST_YEAR, _LAST_YEAR = 1970, 8999


def _real_time() -> datetime:
    return datetime.now(UTC)


@attrs.define
class Clock:
    """The time of a LocalCognito, which tests can advance.

    Args:
        source: The time it runs with: by default the real time; a fixed time with for example
            ``lambda: datetime(2030, 1, 1, tzinfo=UTC)``.

    Attributes:
        ahead: How far it is ahead of its source.

    >>> clock = Clock(lambda: datetime(2030, 1, 1, tzinfo=UTC))
    >>> clock.advance(90)
    >>> clock().isoformat()
    '2030-01-01T00:01:30+00:00'
    """

    source: Callable[[], datetime] = _real_time
    ahead: timedelta = attrs.field(default=timedelta(0), init=False)

    def __call__(self) -> datetime:
        """The time, as an aware datetime."""
        return self.source() + self.ahead

    def advance(self, seconds: float) -> None:
        """Let this many seconds pass at once.

        Raises:
            ValueError: It is not a number, or the time would be before 1970 or after 8999, where datetime has
                no room for the life of a token.
        """
        self.set_ahead(self.ahead.total_seconds() + seconds)

    def set_ahead(self, seconds: float) -> None:
        """Set how far the clock is ahead of its source; 0 undoes every `advance`.

        Raises:
            ValueError: As in `advance`.
        """
        try:
            ahead = timedelta(seconds=seconds)
            year = (self.source() + ahead).year
        except OverflowError:
            year, ahead = 0, self.ahead
        if not _FIRST_YEAR <= year <= _LAST_YEAR:
            raise ValueError(f"the clock cannot be {seconds} seconds ahead")
        self.ahead = ahead

    def timestamp(self) -> float:
        """The time in seconds since the epoch."""
        return self().timestamp()
