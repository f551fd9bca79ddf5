"""The challenges that are answered with a code.

Rule of this file: the class decides under which key the code is sent. The code's length is nobody's business
here: one-time passwords have eight digits as a first factor, and six as a second one.
"""

from __future__ import annotations

from typing import ClassVar

import attrs

from cognito_flow.handlers.base import Answer, NamedHandler, check_code

__all__ = ["CodeChallenge", "EmailOtp", "SmsMfa", "SmsOtp", "SoftwareTokenMfa"]


@attrs.frozen(kw_only=True)
class CodeChallenge(NamedHandler):
    """A code was sent, or is shown by an authenticator app. A wrong one raises `WrongCode`: answer again."""

    retryable = True
    reads: ClassVar[tuple[str, ...]] = ("CODE_DELIVERY_DELIVERY_MEDIUM", "CODE_DELIVERY_DESTINATION")

    @property
    def medium(self) -> str | None:
        """How the code travels: ``SMS`` or ``EMAIL``; None for an authenticator app."""
        return self.pending.parameters.get("CODE_DELIVERY_DELIVERY_MEDIUM")

    @property
    def sent_to(self) -> str | None:
        """Where it was sent, masked by Cognito, such as ``+*******1234``; for an authenticator app, the name
        of the device."""
        return self.pending.parameters.get("CODE_DELIVERY_DESTINATION")

    def answer(self, code: str) -> Answer:
        """Answer with the code. White space in it is passed over: apps show codes in groups.

        Args:
            code: The code.

        Raises:
            InvalidInput: There is no code in it.
        """
        return Answer(self, {self.sends[0]: check_code(code)})


@attrs.frozen(kw_only=True)
class SmsMfa(CodeChallenge):
    """Handles SMS_MFA: a code was sent to the phone, as the second factor."""

    name: ClassVar[str] = "SMS_MFA"
    sends: ClassVar[tuple[str, ...]] = ("SMS_MFA_CODE",)


@attrs.frozen(kw_only=True)
class EmailOtp(CodeChallenge):
    """Handles EMAIL_OTP: a code was sent by e-mail, as the first or the second factor."""

    name: ClassVar[str] = "EMAIL_OTP"
    sends: ClassVar[tuple[str, ...]] = ("EMAIL_OTP_CODE",)


@attrs.frozen(kw_only=True)
class SmsOtp(CodeChallenge):
    """Handles SMS_OTP: a code was sent to the phone, as the first factor."""

    name: ClassVar[str] = "SMS_OTP"
    sends: ClassVar[tuple[str, ...]] = ("SMS_OTP_CODE",)


@attrs.frozen(kw_only=True)
class SoftwareTokenMfa(CodeChallenge):
    """Handles SOFTWARE_TOKEN_MFA: an authenticator app shows the code, a new one every 30 seconds, each good
    once."""

    name: ClassVar[str] = "SOFTWARE_TOKEN_MFA"
    reads: ClassVar[tuple[str, ...]] = ("FRIENDLY_DEVICE_NAME",)
    sends: ClassVar[tuple[str, ...]] = ("SOFTWARE_TOKEN_MFA_CODE",)

    @property
    def sent_to(self) -> str | None:
        """The name that the person gave to the authenticator app's device, if one was given."""
        return self.pending.parameters.get("FRIENDLY_DEVICE_NAME")
