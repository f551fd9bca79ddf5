"""Setting up a second factor in the middle of a sign-in.

Rule of this file: each call sends the Session that the previous one returned. MFA_SETUP asks what to set up;
if the user chooses TOTP, the next step is `TotpSetup`, which has the same ChallengeName.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Self
from urllib.parse import quote, urlencode

import attrs

from cognito_flow._checks import check_code, check_text
from cognito_flow._exchange import Exchange, Response
from cognito_flow._json import as_text
from cognito_flow.errors import UnexpectedResponse, WrongCode
from cognito_flow.handlers.base import Answer, Handler, HandlerTurn, NamedHandler
from cognito_flow.handlers.choices import check_choice, check_mfa_type, known_mfa_types
from cognito_flow.handlers.pending import Pending, read_session
from cognito_flow.models import MfaType

_SIX_DIGITS = re.compile(r"[0-9]{6}")
# Not a parameter of Cognito: TotpSetup keeps the SecretCode here between two turns.
_SECRET_CODE = "SECRET_CODE"


def totp_uri(secret_code: str, issuer: str, account: str) -> str:
    """The otpauth URI that authenticator apps read from a QR code.

    Args:
        secret_code: The SecretCode, base32.
        issuer: The name of the service, as the app shows it.
        account: The name of the account.

    Source: "TOTP software token MFA" in the Amazon Cognito developer guide; the Key Uri Format of
    authenticator apps.

    >>> totp_uri("JBSWY3DPEHPK3PXP", "Books & Co", "alice@example.com")
    'otpauth://totp/Books%20%26%20Co:alice%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=Books%20%26%20Co'
    """
    query = urlencode({"secret": secret_code, "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(account, safe='')}?{query}"


def first_code(code: str, device_name: str | None) -> dict[str, str]:
    """Return the members of VerifySoftwareToken that come from the user.

    Args:
        code: What was typed; whitespace in it is ignored.
        device_name: A name for this authenticator.

    Raises:
        InvalidInput: The code or the name is empty.
    """
    members = {"UserCode": check_code(code)}
    if device_name is not None:
        members["FriendlyDeviceName"] = check_text("the device name", device_name)
    return members


def verify_totp(turn: HandlerTurn, proof: Mapping[str, str]) -> Exchange[Response]:
    """Call VerifySoftwareToken, in a sign-in or after it.

    Args:
        turn: The turn in which it is called.
        proof: What `first_code` returned, with a Session or an AccessToken.

    Raises:
        WrongCode: Cognito refused the code; or it is not six digits and was not sent.
        UnexpectedResponse: The response has no known status, so Cognito may have accepted the code.
    """
    if not _SIX_DIGITS.fullmatch(proof["UserCode"]):
        raise WrongCode("the code of an authenticator app has six digits", operation="VerifySoftwareToken")
    verified = yield from turn.call("VerifySoftwareToken", proof)
    match verified.data.get("Status"):
        case "SUCCESS":
            return verified
        case "ERROR":
            raise WrongCode("Cognito could not verify the code", operation="VerifySoftwareToken")
        case _:
            raise UnexpectedResponse(
                "Cognito answered without a known Status",
                operation="VerifySoftwareToken",
                maybe_processed=True,
            )


@attrs.frozen(kw_only=True, repr=False)
class MfaSetup(NamedHandler):
    """MFA_SETUP: the pool requires a second factor, and the user has none yet.

    Args:
        pending: The challenge as Cognito sent it.
        can_set_up: What can be set up. SMS_MFA may be listed, but cannot be set up in a sign-in: store a
            phone number first.

    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> app = {"Enabled": True}
    >>> pool = LocalCognito().create_pool(mfa_configuration="ON", software_token_mfa_configuration=app)
    >>> user = pool.add_user("alice", "correct horse")
    >>> flow = pool.flow()
    >>> challenge = flow.start(UserSrpAuth("alice", "correct horse"))
    >>> type(flow.send(challenge.answer_totp())).__name__
    'TotpSetup'
    """

    name: ClassVar[str] = "MFA_SETUP"
    retryable = True
    reads: ClassVar[tuple[str, ...]] = ("MFAS_CAN_SETUP",)
    sends: ClassVar[tuple[str, ...]] = ("EMAIL",)

    can_set_up: tuple[MfaType | str, ...]

    @classmethod
    def parse(cls, pending: Pending) -> Self:
        """Read what can be set up. Without the parameter it is the authenticator app, the only choice before
        Cognito sent a list."""
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
            address: The e-mail address; Cognito sends a code to it now.

        Raises:
            InvalidInput: The pool does not offer it, or the address is empty.
        """
        check_mfa_type(MfaType.EMAIL_OTP, self.can_set_up)
        return Answer(self, {"EMAIL": check_text("the e-mail address", address)})

    def exchange(self, turn: HandlerTurn, answer: Answer) -> Exchange[Response | Handler]:
        """Send the address, or fetch the secret for an authenticator app."""
        if answer.responses:
            return (yield from turn.respond(self.pending, answer.responses))
        response = yield from turn.call("AssociateSoftwareToken", {"Session": self.pending.need_session()})
        secret_code, session = as_text(response.data.get("SecretCode")), read_session(response.data)
        if secret_code is None or session is None:
            raise UnexpectedResponse("AssociateSoftwareToken answered without a SecretCode and a Session")
        parameters = {**self.pending.parameters, _SECRET_CODE: secret_code}
        return TotpSetup.parse(attrs.evolve(self.pending, parameters=parameters, session=session))


@attrs.frozen(kw_only=True, repr=False)
class TotpSetup(NamedHandler):
    """MFA_SETUP after the user chose an authenticator app: show the secret, and answer with the app's first
    code.

    A wrong code raises `WrongCode`: answer again.

    Args:
        pending: The challenge, with the secret.
        secret_code: The secret for the authenticator app, base32.

    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.testing import LocalCognito, totp_code
    >>> app = {"Enabled": True}
    >>> pool = LocalCognito().create_pool(mfa_configuration="ON", software_token_mfa_configuration=app)
    >>> user = pool.add_user("alice", "correct horse")
    >>> flow = pool.flow()
    >>> challenge = flow.start(UserSrpAuth("alice", "correct horse"))
    >>> setup = flow.send(challenge.answer_totp())
    >>> uri = setup.uri("My shop")  # show it as a QR code
    >>> code = totp_code(setup.secret_code, pool.cognito.clock())  # the user types it
    >>> flow.send(setup.answer(code)).username
    'alice'
    """

    name: ClassVar[str] = "MFA_SETUP"
    retryable = True
    reads: ClassVar[tuple[str, ...]] = (_SECRET_CODE,)

    secret_code: str = attrs.field(repr=False)

    @classmethod
    def parse(cls, pending: Pending) -> Self:
        """Read the secret that AssociateSoftwareToken returned."""
        return cls(pending=pending, secret_code=pending.need(_SECRET_CODE))

    def uri(self, issuer: str, account: str | None = None) -> str:
        """The otpauth URI to show as a QR code.

        Args:
            issuer: The name of the service, as the app shows it.
            account: The name of the account; the user name if None.
        """
        return totp_uri(self.secret_code, issuer, self.username if account is None else account)

    def answer(self, code: str, device_name: str | None = None) -> Answer:
        """Answer with the code that the app shows.

        Args:
            code: Six digits; whitespace in it is ignored.
            device_name: A name for this authenticator, for the user.

        Raises:
            InvalidInput: The code or the name is empty.
        """
        return Answer(self, first_code(code, device_name))

    def exchange(self, turn: HandlerTurn, answer: Answer) -> Exchange[Response | Handler]:
        """Verify the code, then continue the sign-in.

        Raises:
            WrongCode: Cognito refused it; or it is not six digits and was not sent.
        """
        proof = {"Session": self.pending.need_session(), **answer.responses}
        session = read_session((yield from verify_totp(turn, proof)).data)
        if session is None:
            raise UnexpectedResponse("VerifySoftwareToken answered without a Session")
        return (yield from turn.respond(self.pending, {}, session=session))
