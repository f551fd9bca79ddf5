"""How long stores that machines share keep records and locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cognito_flow.errors import UsageError

if TYPE_CHECKING:
    from attrs import Attribute


def _check_positive(_instance: object, attribute: Attribute[float], value: float | None) -> None:
    if value is not None and not value > 0:
        raise UsageError(f"{attribute.name} must be a positive number of seconds")


@attrs.frozen
class Durations:
    """The arguments of shared stores that are durations, all in seconds.

    Args:
        lifetime: How long a record is kept after its last change; None: until it is deleted.
        patience: How long to wait for a lock.
        lock_seconds: When a lock expires whose holder died.

    Raises:
        UsageError: lifetime or lock_seconds is not positive.
    """

    lifetime: float | None = attrs.field(validator=_check_positive)
    patience: float
    lock_seconds: float = attrs.field(validator=_check_positive)
