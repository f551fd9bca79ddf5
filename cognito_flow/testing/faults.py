"""Trouble on purpose: what a network and a busy service do to a client.

Rule of this file: a fault is ordered for an operation and a number of calls, and used up by them in order.
"""

from __future__ import annotations

from enum import StrEnum

import attrs

__all__ = ["Fault", "Faults"]


class Fault(StrEnum):
    """What goes wrong with a call."""

    THROTTLE = "throttle"
    """TooManyRequestsException; nothing is processed."""
    ERROR_BEFORE = "error_before"
    """InternalErrorException; nothing is processed."""
    ERROR_AFTER = "error_after"
    """InternalErrorException, although the call was processed."""
    LOST = "lost"
    """No answer comes, although the call was processed."""


@attrs.define
class Faults:
    """The faults that are still to come.

    >>> faults = Faults()
    >>> faults.add(Fault.THROTTLE, "InitiateAuth", times=1)
    >>> faults.take("GetUser"), faults.take("InitiateAuth"), faults.take("InitiateAuth")
    (None, <Fault.THROTTLE: 'throttle'>, None)
    """

    _ordered: dict[str, list[Fault]] = attrs.field(factory=dict[str, list[Fault]], init=False)

    def add(self, fault: Fault, operation: str, *, times: int = 1) -> None:
        """Let the next calls of an operation fail.

        Args:
            fault: How.
            operation: The operation's name, for example ``RespondToAuthChallenge``.
            times: How many calls.
        """
        self._ordered.setdefault(operation, []).extend([fault] * times)

    def throttle(self, operation: str, times: int = 1) -> None:
        """Refuse the next calls with TooManyRequestsException."""
        self.add(Fault.THROTTLE, operation, times=times)

    def error_before(self, operation: str, times: int = 1) -> None:
        """Answer the next calls with a 500, without processing them."""
        self.add(Fault.ERROR_BEFORE, operation, times=times)

    def error_after(self, operation: str, times: int = 1) -> None:
        """Process the next calls, and answer them with a 500."""
        self.add(Fault.ERROR_AFTER, operation, times=times)

    def lose(self, operation: str, times: int = 1) -> None:
        """Process the next calls, and let their answers get lost."""
        self.add(Fault.LOST, operation, times=times)

    def take(self, operation: str) -> Fault | None:
        """The fault of this call, if one is due."""
        due = self._ordered.get(operation)
        return due.pop(0) if due else None
