"""Refusals: errors that LocalCognito answers with.

Rule of this file: one exception, with Cognito's own code and text.
"""

from __future__ import annotations


class Refusal(Exception):
    """An error of the wire format.

    Args:
        code: The error code, for example ``NotAuthorizedException``.
        text: Cognito's text.
        members: Further members of the error's shape.
    """

    def __init__(self, code: str, text: str, **members: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text
        self.members = members

    @property
    def status(self) -> int:
        """The HTTP status: 500 for InternalErrorException, 400 for all others."""
        return 500 if self.code == "InternalErrorException" else 400


def not_authorized(text: str) -> Refusal:
    """NotAuthorizedException."""
    return Refusal("NotAuthorizedException", text)


def invalid_parameter(text: str) -> Refusal:
    """InvalidParameterException."""
    return Refusal("InvalidParameterException", text)


def missing_parameter(name: str) -> Refusal:
    """InvalidParameterException for a parameter that is not there, or is empty."""
    return invalid_parameter(f"Missing required parameter {name}")


def incorrect_password() -> Refusal:
    """NotAuthorizedException for a wrong password, whatever was wrong."""
    return not_authorized("Incorrect username or password.")
