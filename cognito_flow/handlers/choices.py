"""The challenges that ask for a choice, and the way back to it.

Rule of this file: a choice that was not offered is refused here. Choices are Cognito's own names; one that
this library does not know stays a plain string, and can be chosen all the same.
"""

from __future__ import annotations

from typing import ClassVar, Self

import attrs

from cognito_flow._checks import check_text
from cognito_flow._exchange import Exchange, Response
from cognito_flow.errors import InvalidInput, UsageError
from cognito_flow.handlers.base import Answer, Handler, HandlerTurn, NamedHandler
from cognito_flow.handlers.pending import Pending
from cognito_flow.models import FirstFactor, MfaType

_EMAIL_MFA = "EMAIL_MFA"


def known_mfa_types(names: tuple[str, ...]) -> tuple[MfaType | str, ...]:
    """Return the names, as `MfaType` where they are known."""
    return tuple(MfaType(name) if name in MfaType.__members__ else name for name in names)


def known_first_factors(names: tuple[str, ...]) -> tuple[FirstFactor | str, ...]:
    """Return the names, as `FirstFactor` where they are known."""
    return tuple(FirstFactor(name) if name in FirstFactor.__members__ else name for name in names)


def check_choice(choice: str, choices: tuple[str, ...]) -> str:
    """Return the wire value of a choice.

    Raises:
        InvalidInput: It was not offered.
    """
    if choice not in choices:
        raise InvalidInput(f"{str(choice)!r} was not offered: choose one of {', '.join(choices) or 'none'}")
    return str(choice)


def check_choice_if_known(choice: str, choices: tuple[str, ...]) -> str:
    """Return the wire value of a choice; if the choices are unknown, Cognito decides.

    Raises:
        InvalidInput: It was not offered.
    """
    return check_choice(choice, choices) if choices else check_text("the choice", str(choice))


def check_mfa_type(choice: str, choices: tuple[str, ...]) -> str:
    """Return the wire value of a second factor; a code by e-mail has the name with which it was offered. The
    enumeration of the service model calls it EMAIL_OTP, as all clients do; some of its texts say EMAIL_MFA.

    Raises:
        InvalidInput: It was not offered.
    """
    if choice == MfaType.EMAIL_OTP and choice not in choices and _EMAIL_MFA in choices:
        return _EMAIL_MFA
    return check_choice(choice, choices)


@attrs.frozen(kw_only=True, repr=False)
class SelectMfaType(NamedHandler):
    """SELECT_MFA_TYPE: the user has several second factors, and prefers none of them.

    Args:
        pending: The challenge as Cognito sent it.
        choices: The factors to choose from. Empty if they are unknown, because a front end kept only the
            Session; every choice is then sent, and Cognito decides.

    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool(
    ...     mfa_configuration="ON",
    ...     software_token_mfa_configuration={"Enabled": True},
    ...     email_mfa_configuration={},
    ... )
    >>> user = pool.add_user("alice", "correct horse", email="alice@example.com", totp=True)
    >>> user.mfa_preferred = None
    >>> user.enable_factor("EMAIL_OTP")
    >>> flow = pool.flow()
    >>> challenge = flow.start(UserSrpAuth("alice", "correct horse"))
    >>> flow.send(challenge.answer("EMAIL_OTP")).sent_to
    'a***@e***'
    """

    name: ClassVar[str] = "SELECT_MFA_TYPE"
    reads: ClassVar[tuple[str, ...]] = ("MFAS_CAN_CHOOSE",)
    sends: ClassVar[tuple[str, ...]] = ("ANSWER",)

    choices: tuple[MfaType | str, ...]

    @classmethod
    def parse(cls, pending: Pending) -> Self:
        """Read the choices. The developer guide calls the parameter MFAS_CAN_SELECT; Cognito sends
        MFAS_CAN_CHOOSE."""
        for name in ("MFAS_CAN_SELECT", "MFAS_CAN_CHOOSE"):
            if name in pending.parameters:
                return cls(pending=pending, choices=known_mfa_types(pending.need_names(name)))
        return cls(pending=pending, choices=())

    def answer(self, choice: str) -> Answer:
        """Choose a factor. If its code is sent by SMS or e-mail, Cognito sends it now.

        Args:
            choice: An `MfaType`, or its wire value.

        Raises:
            InvalidInput: It was not offered.
        """
        check = check_mfa_type if self.choices else check_choice_if_known
        return Answer(self, {"ANSWER": check(choice, self.choices)})


@attrs.frozen(kw_only=True, repr=False)
class SelectChallenge(NamedHandler):
    """SELECT_CHALLENGE: the user chooses how to sign in.

    Args:
        pending: The challenge as Cognito sent it.
        choices: The first factors to choose from. Empty if they are unknown, because an older botocore drops
            them; every choice is then sent, and Cognito decides.

    >>> from cognito_flow import UserAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> factors = {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}
    >>> pool = LocalCognito().create_pool(policies={"SignInPolicy": factors})
    >>> user = pool.add_user("alice", "correct horse", email="alice@example.com")
    >>> flow = pool.flow()
    >>> challenge = flow.start(UserAuth("alice"))
    >>> flow.send(challenge.answer("EMAIL_OTP")).sent_to
    'a***@e***'
    >>> challenge = flow.start(UserAuth("alice"))
    >>> flow.send(challenge.answer_srp("correct horse")).username
    'alice'
    """

    name: ClassVar[str] = "SELECT_CHALLENGE"
    sends: ClassVar[tuple[str, ...]] = ("ANSWER", "PASSWORD", "SRP_A")

    choices: tuple[FirstFactor | str, ...]

    @classmethod
    def parse(cls, pending: Pending) -> Self:
        """Read AvailableChallenges, which Cognito sends beside the parameters."""
        return cls(pending=pending, choices=known_first_factors(pending.available))

    def answer(self, choice: str) -> Answer:
        """Choose a factor that needs no password. If its code is sent by SMS or e-mail, Cognito sends it now.

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
        return Answer(self, {"ANSWER": check_choice_if_known(choice, self.choices)})

    def answer_password(self, password: str) -> Answer:
        """Choose PASSWORD, and send the password itself.

        Raises:
            InvalidInput: It was not offered, or the password is empty.
        """
        choice = check_choice_if_known(FirstFactor.PASSWORD, self.choices)
        return Answer(self, {"ANSWER": choice, "PASSWORD": check_text("the password", password)})

    def answer_srp(self, password: str) -> Answer:
        """Choose PASSWORD_SRP, and prove the password without sending it.

        Raises:
            InvalidInput: It was not offered, or the password is empty.
        """
        choice = check_choice_if_known(FirstFactor.PASSWORD_SRP, self.choices)
        return Answer(self, {"ANSWER": choice}, check_text("the password", password))

    def exchange(self, turn: HandlerTurn, answer: Answer) -> Exchange[Response | Handler]:
        """Send the choice, with SRP_A if a password is proved."""
        responses = dict(answer.responses)
        if answer.password is not None:
            responses["SRP_A"] = turn.begin_srp(answer.password)
        response = yield from turn.respond(self.pending, responses)
        return self._with_the_offer(response, responses.get("ANSWER"))

    def _with_the_offer(self, response: Response, choice: str | None) -> Response:
        """Return the response, with the choices beside the chosen factor, as `preferred` would have them.

        Cognito sends them once, and takes another choice with the Session of the chosen factor. A challenge
        of another name is what follows the first factor, where there is nothing to choose any more.
        """
        data = response.data
        if data.get("ChallengeName") != choice or data.get("AvailableChallenges"):
            return response
        return attrs.evolve(response, data={**data, "AvailableChallenges": self.pending.available})


@attrs.frozen(kw_only=True, repr=False)
class FirstFactorChallenge(NamedHandler):
    """A challenge that may be a first factor: the user can go back and choose another one."""

    @property
    def other_factors(self) -> tuple[FirstFactor | str, ...]:
        """The other first factors that Cognito offered in this sign-in; empty for a second factor, and if
        Cognito's offer is unknown."""
        return known_first_factors(tuple(name for name in self.pending.available if name != self.name))

    def answer_with(self, factor: str, password: str | None = None) -> Answer:
        """Answer with another first factor, for example when the user cancelled the passkey prompt.

        Args:
            factor: One of `other_factors`. If they are unknown, every factor is sent, and Cognito decides.
            password: The password, for PASSWORD and PASSWORD_SRP.

        Raises:
            InvalidInput: The factor was not offered, or the password is empty.
            UsageError: The factor needs a password, or takes none.
        """
        pending = attrs.evolve(self.pending, name=SelectChallenge.name)
        select = SelectChallenge(pending=pending, choices=self.other_factors)
        if self.pending.available or self.name not in FirstFactor.__members__:
            check_choice(factor, self.other_factors)
        if password is None:
            return select.answer(factor)
        if factor == FirstFactor.PASSWORD:
            return select.answer_password(password)
        if factor == FirstFactor.PASSWORD_SRP:
            return select.answer_srp(password)
        raise UsageError(f"{factor} takes no password: remove it")
