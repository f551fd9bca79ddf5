"""The challenges whose meaning is the application's own: those of a pool's Lambda triggers, and names that
this version does not know.

Rule of this file: nothing is assumed about them. An application gives them a meaning by a subclass of
`CustomChallenge`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from cognito_flow._checks import check_text
from cognito_flow.errors import UsageError
from cognito_flow.handlers.base import Answer, Handler, NamedHandler


@attrs.frozen(kw_only=True, repr=False)
class CustomChallenge(NamedHandler):
    """CUSTOM_CHALLENGE: the pool's Lambda triggers decide what is asked and which answer is right.

    A wrong answer does not raise: the next step is the same challenge again, with a new Session and a higher
    `attempt`, until the trigger gives up and `IncorrectPassword` is raised. Give up yourself after a few
    attempts.

    A subclass names its own parameters and is passed to the flow, as ``AuthFlow(app, handlers=[Captcha])``:

    >>> @attrs.frozen(kw_only=True)
    ... class Captcha(CustomChallenge):
    ...     image: str
    ...     @classmethod
    ...     def parse(cls, pending):
    ...         return cls(pending=pending, image=pending.need("image"))
    """

    name: ClassVar[str] = "CUSTOM_CHALLENGE"
    shows: ClassVar[tuple[str, ...]] = ("attempt", "is_repeat")
    reads: ClassVar[tuple[str, ...]] = ("<publicChallengeParameters>",)
    sends: ClassVar[tuple[str, ...]] = ("ANSWER",)

    @property
    def parameters(self) -> Mapping[str, str]:
        """The trigger's public parameters."""
        return {name: value for name, value in self.pending.parameters.items() if name != "USERNAME"}

    @property
    def attempt(self) -> int:
        """How many custom challenges Cognito has sent in a row, including this one."""
        return self.pending.attempt

    @property
    def is_repeat(self) -> bool:
        """Whether this challenge has the same parameters as the previous one: the answer was probably
        wrong."""
        return self.pending.is_repeat

    def answer(self, answer: str) -> Answer:
        """Answer the trigger's question.

        Raises:
            InvalidInput: The answer is empty.
        """
        return Answer(self, {"ANSWER": check_text("the answer", answer)})


@attrs.frozen(kw_only=True, repr=False)
class UnknownChallenge(Handler):
    """A challenge that this version does not know or cannot read: read `parameters`, and answer with
    ChallengeResponses of your own."""

    shows: ClassVar[tuple[str, ...]] = ("name",)

    @property
    def name(self) -> str:
        """The ChallengeName."""
        return self.pending.name

    @property
    def parameters(self) -> Mapping[str, str]:
        """ChallengeParameters, as Cognito sent them."""
        return self.pending.parameters

    def answer(self, responses: Mapping[str, str]) -> Answer:
        """Answer with these ChallengeResponses. USERNAME, SECRET_HASH and DEVICE_KEY are added.

        Raises:
            InvalidInput: A value contains a lone surrogate, which UTF-8 cannot encode.
            UsageError: These are not ChallengeResponses, or a value is not a str.
        """
        if not isinstance(responses, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
            raise UsageError('pass the ChallengeResponses as a mapping: {"ANSWER": "..."}')
        checked = {name: check_text(name, value, may_be_empty=True) for name, value in responses.items()}
        return Answer(self, checked)
