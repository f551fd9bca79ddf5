"""Faults on purpose: what a network and a busy service do to a client.

Rule of this file: a fault is scheduled for the next calls of an operation, which use it up in order; or it
comes with a probability, by a seeded generator, so that each run fails in the same way.
"""

from __future__ import annotations

import random
from enum import StrEnum

import attrs

from cognito_flow.testing._operations import validation

ANY = "*"
"""Means every operation."""


class AnswerLost(Exception):
    """The call was processed, but its answer must not reach the client."""


class Fault(StrEnum):
    """What goes wrong with a call."""

    THROTTLE = "throttle"
    """TooManyRequestsException; nothing is processed."""
    ERROR_BEFORE = "error_before"
    """InternalErrorException; nothing is processed."""
    ERROR_AFTER = "error_after"
    """InternalErrorException, although the call was processed."""
    LOST = "lost"
    """No answer arrives, although the call was processed."""
    DELAY = "delay"
    """The call is processed and answered, but later."""


@attrs.frozen
class ScheduledFault:
    """What happens to one call.

    Args:
        fault: What goes wrong.
        seconds: How long the call waits before anything else happens.
    """

    fault: Fault = attrs.field(converter=Fault)
    seconds: float = attrs.field(default=0, validator=attrs.validators.ge(0))


@attrs.frozen
class _RandomFault:
    scheduled: ScheduledFault
    operation: str
    probability: float
    generator: random.Random = attrs.field(repr=False)

    def hits(self, operation: str) -> bool:
        return self.operation in {operation, ANY} and self.generator.random() < self.probability


@attrs.define
class Faults:
    """Scheduled faults. Operations are named as in the API, for example ``RespondToAuthChallenge``; ``"*"``
    means every operation.

    >>> faults = Faults()
    >>> faults.throttle("InitiateAuth")
    >>> faults.take("GetUser"), faults.take("InitiateAuth").fault, faults.take("InitiateAuth")
    (None, <Fault.THROTTLE: 'throttle'>, None)
    """

    _in_order: dict[str, list[ScheduledFault]] = attrs.field(
        factory=dict[str, list[ScheduledFault]], init=False
    )
    _random: list[_RandomFault] = attrs.field(factory=list[_RandomFault], init=False)

    def add(self, fault: Fault, operation: str, *, times: int = 1, seconds: float = 0) -> None:
        """Make the next calls of an operation fail.

        Args:
            fault: What goes wrong.
            operation: The operation's name, or ``"*"``.
            times: How many calls fail.
            seconds: How long each of them waits first.

        Raises:
            ValueError: Cognito has no such operation, there is no such fault, or a number is below 0.
        """
        if times < 0:
            raise ValueError(f"times must be at least 0, not {times}")
        self._in_order.setdefault(_check_name(operation), []).extend([ScheduledFault(fault, seconds)] * times)

    def throttle(self, operation: str, times: int = 1) -> None:
        """Refuse the next calls with TooManyRequestsException."""
        self.add(Fault.THROTTLE, operation, times=times)

    def error_before(self, operation: str, times: int = 1) -> None:
        """Answer the next calls with a 500, without processing them."""
        self.add(Fault.ERROR_BEFORE, operation, times=times)

    def error_after(self, operation: str, times: int = 1) -> None:
        """Process the next calls and answer them with a 500."""
        self.add(Fault.ERROR_AFTER, operation, times=times)

    def lose(self, operation: str, times: int = 1) -> None:
        """Process the next calls and lose their answers."""
        self.add(Fault.LOST, operation, times=times)

    def delay(self, operation: str, seconds: float, times: int = 1) -> None:
        """Delay the next calls before they are processed."""
        self.add(Fault.DELAY, operation, times=times, seconds=seconds)

    def sometimes(
        self, fault: Fault, operation: str, probability: float, *, seed: int = 0, seconds: float = 0
    ) -> None:
        """Make calls of an operation fail with a probability, until `clear`.

        Args:
            fault: What goes wrong.
            operation: The operation's name, or ``"*"``.
            probability: From 0 (never) to 1 (always).
            seed: The same seed makes the same calls fail.
            seconds: How long each of them waits first.

        Raises:
            ValueError: Cognito has no such operation, there is no such fault, or a number is out of range.
        """
        if not 0 <= probability <= 1:
            raise ValueError(f"probability must be from 0 to 1, not {probability}")
        generator = random.Random(seed)  # noqa: S311 - repeatable, not secret
        scheduled = ScheduledFault(fault, seconds)
        self._random.append(_RandomFault(scheduled, _check_name(operation), probability, generator))

    def clear(self) -> None:
        """Remove all scheduled faults."""
        self._in_order.clear()
        self._random.clear()

    def take(self, operation: str) -> ScheduledFault | None:
        """The fault of this call, if one is due. Those that `add` scheduled come first."""
        for name in (operation, ANY):
            if due := self._in_order.get(name):
                return due.pop(0)
        # Each generator advances with every call, so that one does not change when another hits.
        hits = [fault.scheduled for fault in self._random if fault.hits(operation)]
        return hits[0] if hits else None


def _check_name(operation: str) -> str:
    if operation != ANY and operation not in validation.operations():
        raise ValueError(f"Cognito has no operation {operation!r}")
    return operation
