"""The challenges whose meaning is the application's own: those of a pool's Lambda triggers, and names not
invented yet.

Rule of this file: nothing is assumed about them. An application gives its own meaning by a subclass of
`CustomChallenge`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from cognito_flow.handlers.base import Answer, Handler, NamedHandler, check_text
from cognito_flow.handlers.passwords import SECOND_FACTORS

__all__ = ["CustomChallenge", "UnknownChallenge"]


@attrs.frozen(kw_only=True)
class CustomChallenge(NamedHandler):
    """Handles CUSTOM_CHALLENGE: what is asked, and what is right, the pool's Lambda triggers decide.

    A wrong answer is no error: the next step is the same challenge again, with a new Session and a higher
    `attempt`, until the trigger gives up and `IncorrectPassword` is raised. Give up yourself after a few
    attempts.

    A subclass names its own parameters, and is handed to the flow:

    >>> @attrs.frozen(kw_only=True)
    ... class Captcha(CustomChallenge):
    ...     image: str
    ...     @classmethod
    ...     def parse(cls, pending):
    ...         return cls(pending=pending, image=pending.need("image"))
    """

    name: ClassVar[str] = "CUSTOM_CHALLENGE"
    reads: ClassVar[tuple[str, ...]] = ("<publicChallengeParameters>",)
    sends: ClassVar[tuple[str, ...]] = ("ANSWER",)
    may_follow: ClassVar[tuple[str, ...]] = ("CUSTOM_CHALLENGE", "PASSWORD_VERIFIER", *SECOND_FACTORS)

    @property
    def parameters(self) -> Mapping[str, str]:
        """The trigger's public parameters."""
        return {name: value for name, value in self.pending.parameters.items() if name != "USERNAME"}

    @property
    def attempt(self) -> int:
        """How many times custom challenges were asked in a row, this one included."""
        return self.pending.attempt

    @property
    def is_repeat(self) -> bool:
        """Whether this is the previous challenge over again, with the same parameters: the answer was
        probably wrong."""
        return self.pending.is_repeat

    def answer(self, answer: str) -> Answer:
        """Answer what the trigger asked.

        Raises:
            InvalidInput: The answer is empty.
        """
        return Answer(self, {"ANSWER": check_text("the answer", answer)})


@attrs.frozen(kw_only=True)
class UnknownChallenge(Handler):
    """Handles every name that this version does not know: read `parameters`, and answer with
    ChallengeResponses of your own."""

    @property
    def name(self) -> str:
        """The ChallengeName."""
        return self.pending.name

    @property
    def parameters(self) -> Mapping[str, str]:
        """ChallengeParameters, as they came."""
        return self.pending.parameters

    def answer(self, responses: Mapping[str, str]) -> Answer:
        """Answer with these ChallengeResponses. USERNAME, SECRET_HASH and DEVICE_KEY are added.

        Raises:
            InvalidInput: A value is empty.
            UsageError: A value is not a str.
        """
        return Answer(self, {name: check_text(name, value) for name, value in responses.items()})
