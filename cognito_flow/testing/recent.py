"""A list that forgets its oldest items.

Rule of this file: what a LocalCognito writes down for tests to read must not fill the memory of one that is
served for weeks.
"""

from __future__ import annotations

from typing import TypeVar

__all__ = ["LIMIT", "Recent"]

T = TypeVar("T")

LIMIT = 10_000
"""How many items are kept."""


class Recent(list[T]):
    """A list that keeps its newest 10,000 items.

    >>> recent = Recent[int]()
    >>> for number in range(10_001):
    ...     recent.append(number)
    >>> len(recent), recent[0], recent[-1]
    (10000, 1, 10000)
    """

    def append(self, item: T, /) -> None:
        """Add an item, and drop the oldest one if there are too many."""
        super().append(item)
        del self[:-LIMIT]
