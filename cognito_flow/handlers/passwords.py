"""The challenges that are answered with a password, or with the proof of one.

Rule of this file: a password that is proved by SRP never leaves the turn that it was given in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Self

import attrs

from cognito_flow._exchange import Exchange, Response
from cognito_flow._json import as_object
from cognito_flow.errors import InvalidInput, UnexpectedResponse, UsageError
from cognito_flow.handlers.base import Answer, NamedHandler, check_text
from cognito_flow.handlers.pending import Pending

if TYPE_CHECKING:
    from cognito_flow._turn import Turn
    from cognito_flow.handlers import Challenge

__all__ = [
    "SECOND_FACTORS",
    "AdminNoSrpAuth",
    "NewPasswordRequired",
    "Password",
    "PasswordSrp",
    "PasswordVerifier",
]

SECOND_FACTORS = (
    "SMS_MFA",
    "EMAIL_OTP",
    "SOFTWARE_TOKEN_MFA",
    "SELECT_MFA_TYPE",
    "MFA_SETUP",
    "DEVICE_SRP_AUTH",
)
"""What may follow when a first factor was right."""

_PREFIX = "userAttributes."
# Cognito sets these itself; an answer that names them is refused.
_NOT_WRITABLE = ("sub", "email_verified", "phone_number_verified")


@attrs.frozen(kw_only=True)
class PasswordVerifier(NamedHandler):
    """Handles PASSWORD_VERIFIER: the second half of SRP. It is answered with the password of the same turn;
    nobody is asked."""

    name: ClassVar[str] = "PASSWORD_VERIFIER"
    reads: ClassVar[tuple[str, ...]] = ("SALT", "SRP_B", "SECRET_BLOCK", "USERNAME", "USER_ID_FOR_SRP")
    sends: ClassVar[tuple[str, ...]] = (
        "PASSWORD_CLAIM_SECRET_BLOCK",
        "PASSWORD_CLAIM_SIGNATURE",
        "TIMESTAMP",
    )
    may_follow: ClassVar[tuple[str, ...]] = ("NEW_PASSWORD_REQUIRED", *SECOND_FACTORS, "CUSTOM_CHALLENGE")

    def auto(self) -> Answer:
        """Always: the proof is made in `exchange`, where the password is."""
        return Answer(self)

    def exchange(self, turn: Turn, answer: Answer) -> Exchange[Response | Challenge]:
        """Prove the password."""
        return (yield from turn.prove_password(self.pending))


@attrs.frozen(kw_only=True)
class Password(NamedHandler):
    """Handles PASSWORD: the password is sent as it is."""

    name: ClassVar[str] = "PASSWORD"
    sends: ClassVar[tuple[str, ...]] = ("PASSWORD",)
    may_follow: ClassVar[tuple[str, ...]] = ("NEW_PASSWORD_REQUIRED", *SECOND_FACTORS)

    def answer(self, password: str) -> Answer:
        """Answer with the password.

        Raises:
            InvalidInput: It is empty.
        """
        return Answer(self, {"PASSWORD": check_text("the password", password)})


@attrs.frozen(kw_only=True)
class PasswordSrp(NamedHandler):
    """Handles PASSWORD_SRP: the password is proved by SRP."""

    name: ClassVar[str] = "PASSWORD_SRP"
    sends: ClassVar[tuple[str, ...]] = ("SRP_A",)
    may_follow: ClassVar[tuple[str, ...]] = ("PASSWORD_VERIFIER",)

    def answer(self, password: str) -> Answer:
        """Answer with the password, which is not sent.

        Raises:
            InvalidInput: It is empty.
        """
        return Answer(self, password=check_text("the password", password))

    def exchange(self, turn: Turn, answer: Answer) -> Exchange[Response | Challenge]:
        """Send SRP_A; PASSWORD_VERIFIER follows in the same turn."""
        return (yield from turn.respond(self.pending, {"SRP_A": turn.begin_srp(answer.password)}))


@attrs.frozen(kw_only=True)
class NewPasswordRequired(NamedHandler):
    """Handles NEW_PASSWORD_REQUIRED: the temporary password was right, and the person must choose one of
    their own.

    A password that the pool refuses raises `PasswordRejected`: answer again.

    Args:
        pending: The challenge as it came.
        required_attributes: The attributes that the user must have, without the prefix ``userAttributes.``.
        attributes: The attributes that the user has. Those with a value cannot be changed here.
    """

    name: ClassVar[str] = "NEW_PASSWORD_REQUIRED"
    retryable = True
    reads: ClassVar[tuple[str, ...]] = ("USER_ID_FOR_SRP", "requiredAttributes", "userAttributes")
    sends: ClassVar[tuple[str, ...]] = ("NEW_PASSWORD", f"{_PREFIX}<name>")
    may_follow: ClassVar[tuple[str, ...]] = SECOND_FACTORS

    required_attributes: tuple[str, ...]
    attributes: Mapping[str, str] = attrs.field(repr=False)

    @classmethod
    def parse(cls, pending: Pending) -> Self:
        """Read the two parameters, which are JSON in text. Either may be absent."""
        required = (
            pending.need_names("requiredAttributes") if "requiredAttributes" in pending.parameters else ()
        )
        known = "userAttributes" in pending.parameters
        attributes = as_object(pending.need_json("userAttributes") if known else {})
        if attributes is None:
            raise UnexpectedResponse(
                f"{pending.name} came with a parameter 'userAttributes' that is no JSON object"
            )
        return cls(
            pending=pending,
            required_attributes=tuple(name.removeprefix(_PREFIX) for name in required),
            attributes={name: str(value) for name, value in attributes.items()},
        )

    @property
    def missing_attributes(self) -> tuple[str, ...]:
        """The required attributes that have no value yet: ask for them together with the password."""
        return tuple(name for name in self.required_attributes if not self.attributes.get(name))

    def answer(self, new_password: str, attributes: Mapping[str, str] | None = None) -> Answer:
        """Answer with a new password.

        Args:
            new_password: The password that the person chose.
            attributes: Values for the missing attributes, and for optional ones that have no value yet; the
                names without the prefix.

        Raises:
            InvalidInput: The password is empty, or a required attribute is missing.
            UsageError: An attribute is given that has a value already.
        """
        given = {name.removeprefix(_PREFIX): value for name, value in (attributes or {}).items()}
        for name in given:
            if self.attributes.get(name) or name in _NOT_WRITABLE:
                raise UsageError(f"the attribute {name!r} cannot be changed in this step: leave it out")
        for name in self.missing_attributes:
            if not given.get(name):
                raise InvalidInput(f"the attribute {name!r} is required: give it in attributes")
        responses = {
            f"{_PREFIX}{name}": check_text(f"the attribute {name!r}", value) for name, value in given.items()
        }
        return Answer(self, {"NEW_PASSWORD": check_text("the new password", new_password), **responses})


@attrs.frozen(kw_only=True)
class AdminNoSrpAuth(NamedHandler):
    """Handles ADMIN_NO_SRP_AUTH: a name that stands in the API's list, but that Cognito never asks and
    refuses to be answered."""

    name: ClassVar[str] = "ADMIN_NO_SRP_AUTH"

    def answer(self) -> Answer:
        """Always refuses.

        Raises:
            UsageError: Cognito takes no answer to it: start again with ``UserPasswordAuth(..., admin=True)``.
        """
        raise UsageError(
            "Cognito takes no answer to ADMIN_NO_SRP_AUTH: start again with UserPasswordAuth(admin=True)"
        )
