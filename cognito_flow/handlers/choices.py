"""The challenges that ask which way to go on.

Rule of this file: a choice that was not offered is refused here. Choices are Cognito's own words; one that
this library does not know stays a plain string, and can be chosen all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import attrs

from cognito_flow._exchange import Exchange, Response
from cognito_flow.errors import InvalidInput, UnexpectedResponse, UsageError
from cognito_flow.handlers.base import Answer, NamedHandler, check_text
from cognito_flow.handlers.passwords import SECOND_FACTORS
from cognito_flow.handlers.pending import Pending
from cognito_flow.models import FirstFactor, MfaType

if TYPE_CHECKING:
    from cognito_flow._turn import Turn
    from cognito_flow.handlers import Challenge


def known_mfa_types(names: tuple[str, ...]) -> tuple[MfaType | str, ...]:
    """The names as `MfaType` where they are known."""
    return tuple(MfaType(name) if name in MfaType.__members__ else name for name in names)


def check_choice(choice: str, choices: tuple[str, ...]) -> str:
    """Return the wire value of a choice.

    Raises:
        InvalidInput: It was not offered.
    """
    if choice not in choices:
        raise InvalidInput(f"{str(choice)!r} was not offered: choose one of {', '.join(choices) or 'none'}")
    return str(choice)


@attrs.frozen(kw_only=True)
class SelectMfaType(NamedHandler):
    """Handles SELECT_MFA_TYPE: the person has several second factors, and prefers none.

    Args:
        pending: The challenge as it came.
        choices: The factors to choose from.
    """

    name: ClassVar[str] = "SELECT_MFA_TYPE"
    reads: ClassVar[tuple[str, ...]] = ("MFAS_CAN_CHOOSE",)
    sends: ClassVar[tuple[str, ...]] = ("ANSWER",)
    may_follow: ClassVar[tuple[str, ...]] = ("SMS_MFA", "EMAIL_OTP", "SOFTWARE_TOKEN_MFA")

    choices: tuple[MfaType | str, ...]

    @classmethod
    def parse(cls, pending: Pending) -> Self:
        """Read the choices. The developer guide calls the parameter MFAS_CAN_SELECT; Cognito sends
        MFAS_CAN_CHOOSE."""
        name = "MFAS_CAN_SELECT" if "MFAS_CAN_SELECT" in pending.parameters else "MFAS_CAN_CHOOSE"
        return cls(pending=pending, choices=known_mfa_types(pending.need_names(name)))

    def answer(self, choice: str) -> Answer:
        """Choose a factor. If it travels by SMS or e-mail, the code is sent now.

        Args:
            choice: An `MfaType`, or its wire value.

        Raises:
            InvalidInput: It was not offered.
        """
        return Answer(self, {"ANSWER": check_choice(choice, self.choices)})


@attrs.frozen(kw_only=True)
class SelectChallenge(NamedHandler):
    """Handles SELECT_CHALLENGE: the person chooses how to sign in.

    Args:
        pending: The challenge as it came.
        choices: The ways to choose from.
    """

    name: ClassVar[str] = "SELECT_CHALLENGE"
    sends: ClassVar[tuple[str, ...]] = ("ANSWER", "PASSWORD", "SRP_A")
    may_follow: ClassVar[tuple[str, ...]] = (
        "PASSWORD_VERIFIER",
        "EMAIL_OTP",
        "SMS_OTP",
        "WEB_AUTHN",
        "NEW_PASSWORD_REQUIRED",
        *SECOND_FACTORS,
    )

    choices: tuple[FirstFactor | str, ...]

    @classmethod
    def parse(cls, pending: Pending) -> Self:
        """Read AvailableChallenges, which stands beside the challenge's parameters, not in them."""
        if not pending.available:
            raise UnexpectedResponse(f"{pending.name} came without AvailableChallenges")
        choices = tuple(
            FirstFactor(name) if name in FirstFactor.__members__ else name for name in pending.available
        )
        return cls(pending=pending, choices=choices)

    def answer(self, choice: str) -> Answer:
        """Choose a way that needs no password. If it travels by SMS or e-mail, the code is sent now.

        Args:
            choice: A `FirstFactor`, or its wire value.

        Raises:
            InvalidInput: It was not offered.
            UsageError: It needs a password.
        """
        if choice in (FirstFactor.PASSWORD, FirstFactor.PASSWORD_SRP):
            raise UsageError(
                "this choice needs the password: call answer_srp(password) or answer_password(password)"
            )
        return Answer(self, {"ANSWER": check_choice(choice, self.choices)})

    def answer_password(self, password: str) -> Answer:
        """Choose PASSWORD, and send the password as it is.

        Raises:
            InvalidInput: It was not offered, or the password is empty.
        """
        choice = check_choice(FirstFactor.PASSWORD, self.choices)
        return Answer(self, {"ANSWER": choice, "PASSWORD": check_text("the password", password)})

    def answer_srp(self, password: str) -> Answer:
        """Choose PASSWORD_SRP, and prove the password without sending it.

        Raises:
            InvalidInput: It was not offered, or the password is empty.
        """
        choice = check_choice(FirstFactor.PASSWORD_SRP, self.choices)
        return Answer(self, {"ANSWER": choice}, check_text("the password", password))

    def exchange(self, turn: Turn, answer: Answer) -> Exchange[Response | Challenge]:
        """Send the choice, with SRP_A if a password is to be proved."""
        responses = dict(answer.responses)
        if answer.password is not None:
            responses["SRP_A"] = turn.begin_srp(answer.password)
        return (yield from turn.respond(self.pending, responses))
