"""The exceptions of pycognito. What Cognito refuses is a `botocore.exceptions.ClientError`, as there."""

from __future__ import annotations

from collections.abc import Mapping


class WarrantException(Exception):
    """The parent of the exceptions of this package."""


class ForceChangePasswordException(WarrantException):
    """The user must replace the temporary password: call `new_password_challenge`."""


class TokenVerificationException(WarrantException):
    """A token is not genuine, not of this pool, or has expired."""


class MFAChallengeException(WarrantException):
    """Cognito asks for a code.

    Args:
        message: What is asked.
        tokens: The challenge: ChallengeName, Session and ChallengeParameters.
    """

    def __init__(self, message: str, tokens: Mapping[str, object]) -> None:
        super().__init__(message)  # without the tokens, which a repr would show
        self.message = message
        self._tokens = tokens

    def get_tokens(self) -> Mapping[str, object]:
        """Return the challenge, for ``respond_to_*_challenge(code, mfa_tokens=...)``."""
        return self._tokens

    def __reduce__(self) -> tuple[type[MFAChallengeException], tuple[str, Mapping[str, object]]]:
        return type(self), (self.message, self._tokens)


class SoftwareTokenMFAChallengeException(MFAChallengeException):
    """Cognito asks for the code of an authenticator app."""


class SMSMFAChallengeException(MFAChallengeException):
    """Cognito sent a code by SMS."""
