"""Trouble on purpose: what a network and a busy service do to a client.

Rule of this file: trouble is ordered for the next calls of an operation, and used up by them in order; or it
comes by chance, by dice that fall the same way in each run.
"""

from __future__ import annotations

import random
from enum import StrEnum

import attrs

from cognito_flow.testing._operations import validation

ANY = "*"
"""Stands for every operation."""


class AnswerLost(Exception):
    """The call was processed, and its answer is to get lost."""


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
    DELAY = "delay"
    """Nothing but time: the call is processed and answered after a while."""


@attrs.frozen
class Trouble:
    """What happens to one call.

    Args:
        fault: What goes wrong.
        seconds: How long the call waits before anything else happens.
    """

    fault: Fault = attrs.field(converter=Fault)
    seconds: float = attrs.field(default=0, validator=attrs.validators.ge(0))


@attrs.frozen
class _Chance:
    trouble: Trouble
    operation: str
    probability: float
    dice: random.Random = attrs.field(repr=False)

    def hits(self, operation: str) -> bool:
        return self.operation in {operation, ANY} and self.dice.random() < self.probability


@attrs.define
class Faults:
    """The trouble that is still to come. Operations are named as in the API, for example
    ``RespondToAuthChallenge``; ``"*"`` stands for each.

    >>> faults = Faults()
    >>> faults.throttle("InitiateAuth")
    >>> faults.take("GetUser"), faults.take("InitiateAuth").fault, faults.take("InitiateAuth")
    (None, <Fault.THROTTLE: 'throttle'>, None)
    """

    _ordered: dict[str, list[Trouble]] = attrs.field(factory=dict[str, list[Trouble]], init=False)
    _chances: list[_Chance] = attrs.field(factory=list[_Chance], init=False)

    def add(self, fault: Fault, operation: str, *, times: int = 1, seconds: float = 0) -> None:
        """Let the next calls of an operation fail.

        Args:
            fault: How.
            operation: The operation's name, or ``"*"``.
            times: How many calls.
            seconds: How long each of them waits first.

        Raises:
            ValueError: Cognito has no such operation, or there is no such fault, or a number is below 0.
        """
        if times < 0:
            raise ValueError(f"calls cannot fail {times} times")
        self._ordered.setdefault(_known(operation), []).extend([Trouble(fault, seconds)] * times)

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

    def delay(self, operation: str, seconds: float, times: int = 1) -> None:
        """Let the next calls wait before they are processed."""
        self.add(Fault.DELAY, operation, times=times, seconds=seconds)

    def sometimes(
        self, fault: Fault, operation: str, probability: float, *, seed: int = 0, seconds: float = 0
    ) -> None:
        """Let calls of an operation fail by chance, until `clear`.

        Args:
            fault: How.
            operation: The operation's name, or ``"*"``.
            probability: From 0 (never) to 1 (always).
            seed: Of the dice: the same seed makes the same calls fail.
            seconds: How long each of them waits first.

        Raises:
            ValueError: Cognito has no such operation, or there is no such fault, or the probability or the
                wait is none.
        """
        if not 0 <= probability <= 1:
            raise ValueError(f"a probability is between 0 and 1, and not {probability}")
        dice = random.Random(seed)  # noqa: S311 - chosen so that it falls the same way in each run
        self._chances.append(_Chance(Trouble(fault, seconds), _known(operation), probability, dice))

    def clear(self) -> None:
        """No trouble any more."""
        self._ordered.clear()
        self._chances.clear()

    def take(self, operation: str) -> Trouble | None:
        """The trouble of this call, if any is due. What was ordered comes first."""
        for name in (operation, ANY):
            if due := self._ordered.get(name):
                return due.pop(0)
        # Each of them throws its dice, so that one does not change how another's fall.
        hits = [chance.trouble for chance in self._chances if chance.hits(operation)]
        return hits[0] if hits else None


def _known(operation: str) -> str:
    if operation != ANY and operation not in validation.operations():
        raise ValueError(f"Cognito has no operation {operation!r}")
    return operation
