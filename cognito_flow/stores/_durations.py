"""The arguments of stores that are durations, in seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cognito_flow.errors import UsageError

if TYPE_CHECKING:
    from attrs import Attribute

_SHORTEST = 0.001  # Redis expires keys after whole milliseconds
_LONGEST = 100 * 365 * 86_400  # Redis and DynamoDB refuse moments that do not fit into their integers
_LONGEST_WAIT = 1_000_000  # SQLite counts milliseconds in 32 bits


def check_patience(patience: object) -> float:
    """Return how long to wait for a lock.

    Args:
        patience: What a program passed.

    Raises:
        UsageError: It is not a number, or not from 0 to a million.
    """
    if (seconds := _seconds(patience, 0, _LONGEST_WAIT)) is None:
        raise UsageError(f"patience must be a number of seconds, from 0 to {_LONGEST_WAIT}")
    return seconds


def _check_duration(_instance: object, attribute: Attribute[float], value: object) -> None:
    if _seconds(value, _SHORTEST, _LONGEST) is None:
        raise UsageError(f"{attribute.name} must be a number of seconds, from {_SHORTEST} to a hundred years")


def _seconds(value: object, shortest: float, longest: float) -> float | None:
    """Return the value if it is a number in the range: NaN is in no range."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if shortest <= value <= longest else None


@attrs.frozen
class Durations:
    """The durations of stores that machines share.

    Args:
        lifetime: How long a record is kept after its last change; None: until it is deleted.
        patience: How long to wait for a lock.
        lock_seconds: When a lock expires whose holder died.

    Raises:
        UsageError: patience is not a number from 0 to a million; or one of the others is not a number,
            shorter than a millisecond or longer than a hundred years.
    """

    lifetime: float | None = attrs.field(validator=attrs.validators.optional(_check_duration))
    patience: float = attrs.field(converter=check_patience)
    lock_seconds: float = attrs.field(validator=_check_duration)
