"""The challenges that are answered with a code.

Rule of this file: the class decides under which key the code is sent. The length of a code is not checked:
one-time passwords have eight digits as a first factor and six as a second one.
"""

from __future__ import annotations

from typing import ClassVar

import attrs

from cognito_flow._checks import check_code
from cognito_flow.handlers.base import Answer
from cognito_flow.handlers.choices import FirstFactorChallenge


@attrs.frozen(kw_only=True, repr=False)
class CodeChallenge(FirstFactorChallenge):
    """A challenge for a code that Cognito sent or an authenticator app shows.

    A wrong code raises `WrongCode`: answer again.

    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool(mfa_configuration="ON", email_mfa_configuration={})
    >>> user = pool.add_user("alice", "correct horse", email="alice@example.com")
    >>> flow = pool.flow()
    >>> challenge = flow.start(UserSrpAuth("alice", "correct horse"))
    >>> challenge.medium, challenge.sent_to
    ('EMAIL', 'a***@e***')
    >>> flow.send(challenge.answer(pool.last_code("alice"))).username
    'alice'
    """

    retryable = True
    shows: ClassVar[tuple[str, ...]] = ("medium", "sent_to")
    reads: ClassVar[tuple[str, ...]] = ("CODE_DELIVERY_DELIVERY_MEDIUM", "CODE_DELIVERY_DESTINATION")

    @property
    def medium(self) -> str | None:
        """How the code was sent: ``SMS`` or ``EMAIL``; None for an authenticator app."""
        return self.pending.parameters.get("CODE_DELIVERY_DELIVERY_MEDIUM")

    @property
    def sent_to(self) -> str | None:
        """Where the code was sent, masked by Cognito, such as ``+*******1234``; for an authenticator app, the
        name of the device."""
        return self.pending.parameters.get("CODE_DELIVERY_DESTINATION")

    def answer(self, code: str) -> Answer:
        """Answer with the code. Whitespace in it is ignored: apps show codes in groups.

        Args:
            code: The code.

        Raises:
            InvalidInput: The code is empty.
        """
        return Answer(self, {self.sends[0]: check_code(code)})


@attrs.frozen(kw_only=True, repr=False)
class SmsMfa(CodeChallenge):
    """SMS_MFA: Cognito sent a code to the phone, as the second factor.

    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> role = {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"}
    >>> settings = {"SmsConfiguration": role}
    >>> pool = LocalCognito().create_pool(mfa_configuration="ON", sms_mfa_configuration=settings)
    >>> user = pool.add_user("alice", "correct horse", phone_number="+31612345678")
    >>> flow = pool.flow()
    >>> challenge = flow.start(UserSrpAuth("alice", "correct horse"))
    >>> challenge.sent_to
    '+*******5678'
    >>> flow.send(challenge.answer(pool.last_code("alice"))).username
    'alice'
    """

    name: ClassVar[str] = "SMS_MFA"
    sends: ClassVar[tuple[str, ...]] = ("SMS_MFA_CODE",)


@attrs.frozen(kw_only=True, repr=False)
class EmailOtp(CodeChallenge):
    """EMAIL_OTP: Cognito sent a code by e-mail, as the first or the second factor.

    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> pool = LocalCognito().create_pool(mfa_configuration="ON", email_mfa_configuration={})
    >>> user = pool.add_user("alice", "correct horse", email="alice@example.com")
    >>> flow = pool.flow()
    >>> challenge = flow.start(UserSrpAuth("alice", "correct horse"))
    >>> flow.send(challenge.answer(pool.last_code("alice"))).username
    'alice'
    """

    name: ClassVar[str] = "EMAIL_OTP"
    sends: ClassVar[tuple[str, ...]] = ("EMAIL_OTP_CODE",)


@attrs.frozen(kw_only=True, repr=False)
class SmsOtp(CodeChallenge):
    """SMS_OTP: Cognito sent a code to the phone, as the first factor."""

    name: ClassVar[str] = "SMS_OTP"
    sends: ClassVar[tuple[str, ...]] = ("SMS_OTP_CODE",)


@attrs.frozen(kw_only=True, repr=False)
class SoftwareTokenMfa(CodeChallenge):
    """SOFTWARE_TOKEN_MFA: an authenticator app shows the code, a new one every 30 seconds, each valid
    once.

    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> app = {"Enabled": True}
    >>> pool = LocalCognito().create_pool(mfa_configuration="ON", software_token_mfa_configuration=app)
    >>> user = pool.add_user("alice", "correct horse", totp=True)
    >>> flow = pool.flow()
    >>> challenge = flow.start(UserSrpAuth("alice", "correct horse"))
    >>> flow.send(challenge.answer(pool.totp("alice"))).username
    'alice'
    """

    name: ClassVar[str] = "SOFTWARE_TOKEN_MFA"
    shows: ClassVar[tuple[str, ...]] = ("sent_to",)
    reads: ClassVar[tuple[str, ...]] = ("FRIENDLY_DEVICE_NAME",)
    sends: ClassVar[tuple[str, ...]] = ("SOFTWARE_TOKEN_MFA_CODE",)

    @property
    def sent_to(self) -> str | None:
        """The name that the user gave to the authenticator app's device, if they gave one."""
        return self.pending.parameters.get("FRIENDLY_DEVICE_NAME")
