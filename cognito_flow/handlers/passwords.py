"""The challenges that are answered with a password, or with the proof of one.

Rule of this file: a password that is proved by SRP never leaves the turn that it was passed to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import attrs

from cognito_flow._checks import check_mapping, check_text
from cognito_flow._exchange import Exchange, Response
from cognito_flow._json import as_object
from cognito_flow.errors import IncorrectPassword, InvalidInput, UnexpectedResponse, UsageError
from cognito_flow.handlers import proofs
from cognito_flow.handlers.base import Answer, Handler, HandlerTurn, NamedHandler
from cognito_flow.handlers.choices import FirstFactorChallenge
from cognito_flow.handlers.pending import Pending

_PREFIX = "userAttributes."

# An app client is found by its id alone, so a wrong pool id shows only here.
_CHECK_POOL_ID = "if the password is right, check the pool id, which is part of the proof"


@attrs.frozen(kw_only=True, repr=False)
class PasswordVerifier(NamedHandler):
    """PASSWORD_VERIFIER: the second half of SRP, answered with the password of the same turn."""

    name: ClassVar[str] = "PASSWORD_VERIFIER"
    reads: ClassVar[tuple[str, ...]] = (*proofs.READS, "USERNAME", "USER_ID_FOR_SRP")
    sends: ClassVar[tuple[str, ...]] = proofs.SENDS

    def auto(self) -> Answer:
        """Always answer: `exchange` takes the password from the turn."""
        return Answer(self)

    def exchange(self, turn: HandlerTurn, answer: Answer) -> Exchange[Response | Handler]:
        """Prove the password.

        Raises:
            UnexpectedResponse: Cognito asks for a proof although this turn began without a password.
        """
        if turn.password is None:
            raise UnexpectedResponse(
                f"Cognito sent {self.name}, but this turn has no password: start again with a password"
            )
        name = self.pending.need("USER_ID_FOR_SRP")
        responses = proofs.sign(turn, self.pending, group=turn.app.pool_name, name=name, secret=turn.password)
        try:
            return (yield from turn.respond(self.pending, responses))
        except IncorrectPassword as error:
            error.hint = _CHECK_POOL_ID
            raise


@attrs.frozen(kw_only=True, repr=False)
class Password(FirstFactorChallenge):
    """PASSWORD: the password itself is sent."""

    name: ClassVar[str] = "PASSWORD"
    sends: ClassVar[tuple[str, ...]] = ("PASSWORD",)

    def answer(self, password: str) -> Answer:
        """Answer with the password.

        Raises:
            InvalidInput: It is empty.
        """
        return Answer(self, {"PASSWORD": check_text("the password", password)})


@attrs.frozen(kw_only=True, repr=False)
class PasswordSrp(FirstFactorChallenge):
    """PASSWORD_SRP: the password is proved by SRP."""

    name: ClassVar[str] = "PASSWORD_SRP"
    sends: ClassVar[tuple[str, ...]] = ("SRP_A",)

    def answer(self, password: str) -> Answer:
        """Answer with the password, which is not sent.

        Raises:
            InvalidInput: It is empty.
        """
        return Answer(self, password=check_text("the password", password))

    def exchange(self, turn: HandlerTurn, answer: Answer) -> Exchange[Response | Handler]:
        """Send SRP_A; PASSWORD_VERIFIER follows in the same turn."""
        return (yield from turn.respond(self.pending, {"SRP_A": turn.begin_srp(answer.password)}))


@attrs.frozen(kw_only=True, repr=False)
class NewPasswordRequired(NamedHandler):
    """NEW_PASSWORD_REQUIRED: the temporary password was right, and the user must choose one of their own.

    A password that the pool refuses raises `PasswordRejected`: answer again.

    Args:
        pending: The challenge as Cognito sent it.
        required_attributes: The attributes that the user must have, without the prefix ``userAttributes.``.
        attributes: The attributes that the user has.

    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool()
    >>> user = pool.add_user("alice", "correct horse", temporary=True)
    >>> flow = pool.flow()
    >>> challenge = flow.start(UserSrpAuth("alice", "correct horse"))
    >>> flow.send(challenge.answer("Battery-staple-1")).username
    'alice'
    """

    name: ClassVar[str] = "NEW_PASSWORD_REQUIRED"
    retryable = True
    reads: ClassVar[tuple[str, ...]] = ("USER_ID_FOR_SRP", "requiredAttributes", "userAttributes")
    sends: ClassVar[tuple[str, ...]] = ("NEW_PASSWORD", f"{_PREFIX}<name>")

    required_attributes: tuple[str, ...]
    attributes: Mapping[str, str] = attrs.field(repr=False)

    @classmethod
    def parse(cls, pending: Pending) -> Self:
        """Read the two parameters, which hold JSON. Either may be absent."""
        required = (
            pending.need_names("requiredAttributes") if "requiredAttributes" in pending.parameters else ()
        )
        known = "userAttributes" in pending.parameters
        attributes = as_object(pending.need_json("userAttributes") if known else {})
        if attributes is None:
            raise UnexpectedResponse(f"{pending.name}: the parameter 'userAttributes' is not a JSON object")
        return cls(
            pending=pending,
            required_attributes=tuple(name.removeprefix(_PREFIX) for name in required),
            attributes={name: str(value) for name, value in attributes.items() if value is not None},
        )

    @property
    def missing_attributes(self) -> tuple[str, ...]:
        """The required attributes that have no value yet: ask for them together with the password."""
        return tuple(name for name in self.required_attributes if not self.attributes.get(name))

    def answer(self, new_password: str, attributes: Mapping[str, str] | None = None) -> Answer:
        """Answer with a new password.

        Args:
            new_password: The password that the user chose.
            attributes: Values for the missing attributes and for optional ones; the names without the prefix.

        Raises:
            InvalidInput: The password is empty, or a required attribute is missing.
            UsageError: The attributes are not a mapping of str to str, or a required attribute is given that
                already has a value: Cognito refuses to change it here.

        Source: RespondToAuthChallenge in the Amazon Cognito API reference, NEW_PASSWORD_REQUIRED.
        """
        given = {
            check_text("the name of an attribute", name).removeprefix(_PREFIX): value
            for name, value in check_mapping("attributes", attributes or {}).items()
        }
        for name in self.required_attributes:
            if self.attributes.get(name):
                if name in given:
                    raise UsageError(
                        f"the attribute {name!r} has a value, which this step cannot change: remove it"
                    )
            elif not given.get(name):
                raise InvalidInput(f"the attribute {name!r} is required: pass it in attributes")
        responses = {
            f"{_PREFIX}{name}": check_text(f"the attribute {name!r}", value, may_be_empty=True)
            for name, value in given.items()
        }
        return Answer(self, {"NEW_PASSWORD": check_text("the new password", new_password), **responses})


@attrs.frozen(kw_only=True, repr=False)
class AdminNoSrpAuth(NamedHandler):
    """ADMIN_NO_SRP_AUTH: the password itself is sent, through an Admin flow.

    Source: AdminRespondToAuthChallenge in the Amazon Cognito API reference lists its responses.
    """

    name: ClassVar[str] = "ADMIN_NO_SRP_AUTH"
    sends: ClassVar[tuple[str, ...]] = ("PASSWORD",)

    def answer(self, password: str) -> Answer:
        """Answer with the password.

        Raises:
            InvalidInput: It is empty.
        """
        return Answer(self, {"PASSWORD": check_text("the password", password)})
