"""Setting up a second factor in the middle of a sign-in.

Rule of this file: the Session is one line through all calls: each one's answer gives the next one's Session.
MFA_SETUP asks what to set up; choosing TOTP gives `TotpSetup`, which is the same challenge one step further
on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Self
from urllib.parse import quote, urlencode

import attrs

from cognito_flow._exchange import Exchange, Response
from cognito_flow.errors import UnexpectedResponse, WrongCode
from cognito_flow.handlers.base import Answer, NamedHandler, check_code, check_text
from cognito_flow.handlers.choices import check_choice, known_mfa_types
from cognito_flow.handlers.pending import Pending
from cognito_flow.models import MfaType

if TYPE_CHECKING:
    from cognito_flow._turn import Turn
    from cognito_flow.handlers import Challenge

__all__ = ["MfaSetup", "TotpSetup", "first_code", "totp_uri", "verify_totp"]

_SIX_DIGITS = re.compile(r"[0-9]{6}")
# Not a parameter of Cognito's: where TotpSetup keeps the SecretCode between two turns.
_SECRET_CODE = "SECRET_CODE"


def totp_uri(secret_code: str, issuer: str, account: str) -> str:
    """The otpauth URI that authenticator apps read from a QR code.

    Args:
        secret_code: The SecretCode, base32.
        issuer: The name of the service, as the app shall show it.
        account: The name of the account.

    Source: "TOTP software token MFA" in the Amazon Cognito developer guide; the Key Uri Format of
    authenticator apps.

    >>> totp_uri("JBSWY3DPEHPK3PXP", "Books & Co", "alice@example.com")
    'otpauth://totp/Books%20%26%20Co:alice%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=Books%20%26%20Co'
    """
    query = urlencode({"secret": secret_code, "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(account, safe='')}?{query}"


def first_code(code: str, device_name: str | None) -> dict[str, str]:
    """What VerifySoftwareToken takes from a person.

    Args:
        code: What was typed; white space is passed over.
        device_name: What to call this authenticator.

    Raises:
        InvalidInput: There is no code in it, or the name is empty.
    """
    members = {"UserCode": check_code(code)}
    if device_name is not None:
        members["FriendlyDeviceName"] = check_text("the device name", device_name)
    return members


def verify_totp(turn: Turn, proof: Mapping[str, str]) -> Exchange[Response]:
    """VerifySoftwareToken, in a sign-in or after it.

    Args:
        turn: What this turn has in hand.
        proof: What `first_code` gave, with a Session or an AccessToken.

    Raises:
        WrongCode: Cognito refused the code; or it is not six digits, which is not even sent.
    """
    if not _SIX_DIGITS.fullmatch(proof["UserCode"]):
        raise WrongCode("the code of an authenticator app has six digits", operation="VerifySoftwareToken")
    verified = yield from turn.call("VerifySoftwareToken", proof)
    if verified.data.get("Status") != "SUCCESS":
        raise WrongCode("Cognito could not verify the code", operation="VerifySoftwareToken")
    return verified


@attrs.frozen(kw_only=True)
class MfaSetup(NamedHandler):
    """Handles MFA_SETUP: the pool wants a second factor, and the person has none yet.

    Args:
        pending: The challenge as it came.
        can_set_up: What can be set up. SMS_MFA may stand here, but cannot be set up in a sign-in: store a
            phone number first.
    """

    name: ClassVar[str] = "MFA_SETUP"
    retryable = True
    reads: ClassVar[tuple[str, ...]] = ("MFAS_CAN_SETUP",)
    sends: ClassVar[tuple[str, ...]] = ("EMAIL",)
    may_follow: ClassVar[tuple[str, ...]] = ("EMAIL_OTP",)

    can_set_up: tuple[MfaType | str, ...]

    @classmethod
    def parse(cls, pending: Pending) -> Self:
        """Read what can be set up. Where Cognito does not say it, the authenticator app is what every pool
        with this challenge had before there was a choice."""
        known = "MFAS_CAN_SETUP" in pending.parameters
        names = pending.need_names("MFAS_CAN_SETUP") if known else ("SOFTWARE_TOKEN_MFA",)
        return cls(pending=pending, can_set_up=known_mfa_types(names))

    def answer_totp(self) -> Answer:
        """Set up an authenticator app: the next step is `TotpSetup`.

        Raises:
            InvalidInput: The pool does not offer it.
        """
        check_choice(MfaType.SOFTWARE_TOKEN_MFA, self.can_set_up)
        return Answer(self)

    def answer_email(self, address: str) -> Answer:
        """Set up codes by e-mail: the next step is `EmailOtp`.

        Args:
            address: The e-mail address; a code is sent there now.

        Raises:
            InvalidInput: The pool does not offer it, or the address is empty.
        """
        check_choice(MfaType.EMAIL_OTP, self.can_set_up)
        return Answer(self, {"EMAIL": check_text("the e-mail address", address)})

    def exchange(self, turn: Turn, answer: Answer) -> Exchange[Response | Challenge]:
        """Send the address, or fetch the secret of an authenticator app."""
        if answer.responses:
            return (yield from turn.respond(self.pending, answer.responses))
        response = yield from turn.call("AssociateSoftwareToken", {"Session": self.pending.need_session()})
        secret_code, session = (response.data.get("SecretCode"), response.data.get("Session"))
        if not isinstance(secret_code, str) or not isinstance(session, str):
            raise UnexpectedResponse("AssociateSoftwareToken answered without a SecretCode and a Session")
        parameters = {**self.pending.parameters, _SECRET_CODE: secret_code}
        return TotpSetup.parse(attrs.evolve(self.pending, parameters=parameters, session=session))


@attrs.frozen(kw_only=True)
class TotpSetup(NamedHandler):
    """Handles MFA_SETUP once an authenticator app was chosen: show the secret, and answer with the app's
    first code.

    A wrong code raises `WrongCode`: answer again.

    Args:
        pending: The challenge, with the secret.
        secret_code: The secret for the authenticator app, base32.
    """

    name: ClassVar[str] = "MFA_SETUP"
    retryable = True
    reads: ClassVar[tuple[str, ...]] = (_SECRET_CODE,)

    secret_code: str = attrs.field(repr=False)

    @classmethod
    def parse(cls, pending: Pending) -> Self:
        """Read the secret, which AssociateSoftwareToken gave."""
        return cls(pending=pending, secret_code=pending.need(_SECRET_CODE))

    def uri(self, issuer: str, account: str | None = None) -> str:
        """The otpauth URI to show as a QR code.

        Args:
            issuer: The name of the service, as the app shall show it.
            account: The name of the account; the user name if None.
        """
        return totp_uri(self.secret_code, issuer, self.username if account is None else account)

    def answer(self, code: str, device_name: str | None = None) -> Answer:
        """Answer with the code that the app shows.

        Args:
            code: Six digits; white space is passed over.
            device_name: What to call this authenticator, for the person's own use.

        Raises:
            InvalidInput: There is no code in it.
        """
        return Answer(self, first_code(code, device_name))

    def exchange(self, turn: Turn, answer: Answer) -> Exchange[Response | Challenge]:
        """Verify the code, then tell the sign-in that it was right.

        Raises:
            WrongCode: Cognito refused it; or it is not six digits, which is not even sent.
        """
        proof = {"Session": self.pending.need_session(), **answer.responses}
        session = (yield from verify_totp(turn, proof)).data.get("Session")
        if not isinstance(session, str):
            raise UnexpectedResponse("VerifySoftwareToken answered without a Session")
        return (yield from turn.respond(self.pending, {}, session=session))
