"""What all handlers share.

Rule of this file: a handler is a frozen record around a `Pending`. `parse` reads it, `auto` answers alone if
nobody need be asked, `answer` makes an `Answer`, and `exchange` carries an answer out. A new handler
overrides only what differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from inspect import isfunction
from typing import TYPE_CHECKING, ClassVar, Self

import attrs

from cognito_flow._exchange import Exchange, Response
from cognito_flow._tracebacks import without_locals
from cognito_flow.errors import InvalidInput, UsageError
from cognito_flow.handlers.pending import Pending

if TYPE_CHECKING:
    from cognito_flow._turn import Turn
    from cognito_flow.handlers import Challenge


@attrs.frozen(kw_only=True)
class Handler:
    """A challenge that Cognito asked, and how it is answered.

    Args:
        pending: The challenge as it came.
    """

    pending: Pending

    def __init_subclass__(cls) -> None:
        """What an `answer` method is given is a secret: it stays out of tracebacks."""
        super().__init_subclass__()
        for name, member in list(vars(cls).items()):
            # attrs makes the class anew and corrects `super()` only in functions that it can see through.
            if (
                name.startswith("answer")
                and isfunction(member)
                and "__class__" not in member.__code__.co_freevars
            ):
                setattr(cls, name, without_locals(member))

    reads: ClassVar[tuple[str, ...]] = ()
    """The ChallengeParameters that the handler reads."""

    sends: ClassVar[tuple[str, ...]] = ()
    """The ChallengeResponses that it sends, besides USERNAME, SECRET_HASH and DEVICE_KEY."""

    may_follow: ClassVar[tuple[str, ...]] = ()
    """What Cognito may ask next; tokens may always follow, unless the answer only leads to the next one of
    these."""

    retryable: ClassVar[bool] = False
    """Whether a wrong answer may be followed by another one with the same session."""

    @classmethod
    def parse(cls, pending: Pending) -> Self:
        """Read the challenge.

        Raises:
            UnexpectedResponse: This handler cannot read it. The next handler for the same name is then tried.
        """
        return cls(pending=pending)

    @property
    def username(self) -> str:
        """Cognito's own name of the user, or what was typed while Cognito has not told it."""
        return self.pending.username

    @property
    def expires_at(self) -> datetime | None:
        """When the challenge ends, where Cognito tells it. It never lives less than 3 minutes, nor more than
        15."""
        return None

    def auto(self) -> Answer | None:
        """The answer, if it can be given without a person; else None."""
        return None

    def exchange(self, turn: Turn, answer: Answer) -> Exchange[Response | Challenge]:
        """Carry the answer out.

        Args:
            turn: What this turn has in hand.
            answer: An answer to this challenge.
        """
        return (yield from turn.respond(self.pending, answer.responses))


@attrs.frozen(kw_only=True)
class NamedHandler(Handler):
    """A handler for one ChallengeName."""

    name: ClassVar[str]


@attrs.frozen
class Answer:
    """An answer to a challenge, ready for `send`. Handlers make it: `challenge.answer(...)`.

    Args:
        challenge: What is answered.
        responses: ChallengeResponses, without what every answer carries (USERNAME, SECRET_HASH, DEVICE_KEY).
        password: A password to be proved by SRP in the same turn; it is never sent.
    """

    challenge: Handler
    responses: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    password: str | None = attrs.field(default=None, repr=False)


def check_text(what: str, value: object) -> str:
    """Return the text that a user typed, if it is a str, not empty, and encodable.

    Args:
        what: How the message calls it.
        value: What was typed. No message contains it.

    Raises:
        InvalidInput: It is empty, or contains a lone surrogate, which UTF-8 cannot encode.
        UsageError: It is not a str.
    """
    if not isinstance(value, str):
        raise UsageError(f"{what} must be a str, not {type(value).__name__}")
    if not value:
        raise InvalidInput(f"{what} is empty")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidInput(f"{what} contains a lone surrogate: decode the input as UTF-8")
    return value


def check_code(code: object) -> str:
    """Return the code without its whitespace: apps show codes in groups.

    Args:
        code: What was typed.

    Raises:
        InvalidInput: There is no code in it.
        UsageError: It is not a str.
    """
    return check_text("the code", "".join(check_text("the code", code).split()))
