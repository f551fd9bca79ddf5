"""A step of this library in the form in which pycognito gives it: Cognito's response, or an exception."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from botocore.errorfactory import BaseClientExceptions
from botocore.exceptions import BotoCoreError, ClientError

from cognito_flow import (
    Challenge,
    CognitoFlowError,
    NewPasswordRequired,
    SignedIn,
    SmsMfa,
    SoftwareTokenMfa,
    Step,
    Tokens,
)
from cognito_flow._json import as_text, member
from cognito_flow.compat.pycognito.exceptions import (
    ForceChangePasswordException,
    SMSMFAChallengeException,
    SoftwareTokenMFAChallengeException,
)


@contextmanager
def errors_of_botocore(client: object) -> Generator[None]:
    """Raise the error of botocore that an error of this library was made from, where there is one.

    Args:
        client: The boto3 client. A refusal is raised as one of the classes in its `exceptions`.
    """
    try:
        yield
    except CognitoFlowError as error:
        cause = error.__cause__
        if isinstance(cause, ClientError):
            raise _of_client(client, cause) from None
        if isinstance(cause, BotoCoreError):
            raise cause from None
        raise


def _of_client(client: object, error: ClientError) -> ClientError:
    exceptions = getattr(client, "exceptions", None)
    if not isinstance(exceptions, BaseClientExceptions):  # a program's own object in place of a client
        return error
    code = as_text(member(error.response, "Error", "Code")) or ""
    kind: Any = exceptions.from_code(code)  # its stubs take the class for an error
    refused: ClientError = kind(error.response, error.operation_name)
    return refused


def response_of(step: Step) -> dict[str, object]:
    """Return the step as Cognito's response.

    Raises:
        ForceChangePasswordException: Cognito asks for a new password.
        MFAChallengeException: Cognito asks for a code.
    """
    match step:
        case SignedIn():
            return {"ChallengeParameters": {}, "AuthenticationResult": _result(step)}
        case NewPasswordRequired():
            raise ForceChangePasswordException("the password is temporary: set a new one")
        case SmsMfa():
            raise SMSMFAChallengeException("Cognito sent a code by SMS", challenge_of(step))
        case SoftwareTokenMfa():
            text = "Cognito asks for the code of the authenticator app"
            raise SoftwareTokenMFAChallengeException(text, challenge_of(step))
        case _:
            return challenge_of(step)


def challenge_of(challenge: Challenge) -> dict[str, object]:
    """Return a challenge as Cognito's response."""
    pending = challenge.pending
    return {
        "ChallengeName": pending.name,
        "Session": pending.session,
        "ChallengeParameters": dict(pending.parameters),
    }


def tokens_of(tokens: Tokens) -> dict[str, object]:
    """Return tokens as an AuthenticationResult."""
    given = {"IdToken": tokens.id_token, "RefreshToken": tokens.refresh_token}
    return {
        "AccessToken": tokens.access_token,
        "ExpiresIn": round(tokens.expires_in),
        "TokenType": tokens.token_type,
        **{name: value for name, value in given.items() if value is not None},
    }


def _result(signed_in: SignedIn) -> dict[str, object]:
    device = signed_in.device
    if device is None:
        return tokens_of(signed_in.tokens)
    metadata = {"DeviceKey": device.key, "DeviceGroupKey": device.group_key}
    return {**tokens_of(signed_in.tokens), "NewDeviceMetadata": metadata}
