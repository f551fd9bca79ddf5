"""What all handlers share: the handler, its answer, and what it may do with the turn that carries the answer.

Rule of this file: a handler is a frozen record around a `Pending`. `parse` reads it, `auto` answers by itself
if no user is needed, `answer` makes an `Answer`, and `exchange` carries an answer out. A new handler
overrides only what differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from inspect import isfunction
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

import attrs

from cognito_flow._exchange import Exchange, Response
from cognito_flow._tracebacks import without_locals
from cognito_flow.handlers.pending import Pending
from cognito_flow.models import AppClient, Device

if TYPE_CHECKING:  # it imports the arithmetic, which is slow to load
    from cognito_flow._srp import Ephemeral


class HandlerTurn(Protocol):
    """What a handler may do with the turn in which its answer is sent."""

    @property
    def app(self) -> AppClient:
        """The app client that the user signs in to."""
        ...

    @property
    def device(self) -> Device | None:
        """The remembered device of this sign-in."""
        ...

    @property
    def password(self) -> str | None:
        """The password that `begin_srp` was called with in this turn."""
        ...

    @property
    def ephemeral(self) -> Ephemeral | None:
        """The secret number behind the SRP_A that was sent in this turn."""
        ...

    def service_time(self) -> datetime:
        """The current time by Cognito's clock, as far as it is known."""
        ...

    def begin_srp(self, password: str | None) -> str:
        """Draw the numbers of an SRP exchange, and return SRP_A in hexadecimal."""
        ...

    def call(self, operation: str, parameters: Mapping[str, object]) -> Exchange[Response]:
        """Make one API call."""
        ...

    def respond(
        self, pending: Pending, responses: Mapping[str, str], *, session: str | None = None
    ) -> Exchange[Response]:
        """Answer the challenge; if Cognito has forgotten the device, answer once more without it."""
        ...

    def respond_once(
        self, pending: Pending, responses: Mapping[str, str], *, session: str | None = None
    ) -> Exchange[Response]:
        """Answer the challenge with an answer that needs the device."""
        ...


@attrs.frozen(kw_only=True)
class Handler:
    """A challenge from Cognito, and how it is answered.

    Args:
        pending: The challenge as Cognito sent it.
    """

    pending: Pending = attrs.field(repr=False)

    shows: ClassVar[tuple[str, ...]] = ()
    """The properties that a repr shows, before the fields."""

    reads: ClassVar[tuple[str, ...]] = ()
    """The ChallengeParameters that the handler reads."""

    sends: ClassVar[tuple[str, ...]] = ()
    """The ChallengeResponses that it sends, besides USERNAME, SECRET_HASH and DEVICE_KEY."""

    retryable: ClassVar[bool] = False
    """Whether a wrong answer may be followed by another one with the same session."""

    def __repr__(self) -> str:
        """Show what the user is asked, and leave out the rest of what Cognito sent."""
        fields = (field.name for field in attrs.fields(type(self)) if field.repr)
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in (*self.shows, *fields, "username"))
        return f"{type(self).__name__}({shown})"

    def __init_subclass__(cls) -> None:
        """Keep out of tracebacks what `answer` methods are given, which is secret."""
        super().__init_subclass__()
        for name, member in list(vars(cls).items()):
            # attrs creates the class a second time, and corrects `super()` only in plain functions.
            if (
                name.startswith("answer")
                and isfunction(member)
                and "__class__" not in member.__code__.co_freevars
            ):
                setattr(cls, name, without_locals(member))

    @classmethod
    def parse(cls, pending: Pending) -> Self:
        """Read the challenge.

        Raises:
            UnexpectedResponse: This handler cannot read it. The next handler for the same name is tried.
        """
        return cls(pending=pending)

    @property
    def username(self) -> str:
        """Cognito's own name for the user, or the name that was typed until Cognito has sent its own."""
        return self.pending.username

    @property
    def expires_at(self) -> datetime | None:
        """When the challenge expires, if Cognito sent it. App clients allow between 3 and 15 minutes."""
        return None

    def to_dict(self) -> dict[str, object]:
        """Return the challenge as JSON values for a front end that keeps it: name, session, username,
        parameters, and the available first factors.

        `AuthFlow.resume` takes them back. Prefer `AuthFlow.seal`: here the Session is readable, and anyone
        with it can continue the sign-in.
        """
        return {
            "name": self.pending.name,
            "session": self.pending.session,
            "username": self.pending.username,
            "parameters": dict(self.pending.parameters),
            "available": list(self.pending.available),
        }

    def auto(self) -> Answer | None:
        """Return the answer if no user is needed, else None."""
        return None

    def exchange(self, turn: HandlerTurn, answer: Answer) -> Exchange[Response | Handler]:
        """Carry the answer out.

        Args:
            turn: The turn in which it is sent.
            answer: An answer to this challenge.
        """
        return (yield from turn.respond(self.pending, answer.responses))


@attrs.frozen(kw_only=True, repr=False)
class NamedHandler(Handler):
    """A handler for one ChallengeName."""

    name: ClassVar[str]


@attrs.frozen
class Answer:
    """An answer to a challenge, ready for `AuthFlow.send`. Handlers make it: `challenge.answer(...)`.

    Args:
        challenge: The challenge that is answered.
        responses: ChallengeResponses, without those that every answer carries (USERNAME, SECRET_HASH,
            DEVICE_KEY).
        password: A password to prove by SRP in the same turn; it is never sent.
    """

    challenge: Handler
    responses: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    password: str | None = attrs.field(default=None, repr=False)
