"""What botocore gave as a `Response`, or as a typed error whose cause is the botocore error."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import botocore.exceptions

from cognito_flow._exchange import Call, Response
from cognito_flow._json import as_object, as_text, member
from cognito_flow._transport.clients import too_old
from cognito_flow.errors import (
    CognitoFlowError,
    TransportError,
    UnexpectedResponse,
    UsageError,
    from_service,
)

_UNKNOWN_MEMBER = re.compile(r'Unknown parameter in [\w.]+: "(\w+)"')

_NOT_SENT = (
    botocore.exceptions.EndpointConnectionError,
    botocore.exceptions.ConnectTimeoutError,
    botocore.exceptions.ProxyConnectionError,
)
# Lost on the way. An SSL error belongs here: the connection may break while the answer is being read.
_LOST = (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError)
_BAD_CREDENTIALS = (
    botocore.exceptions.NoCredentialsError,
    botocore.exceptions.PartialCredentialsError,
    botocore.exceptions.CredentialRetrievalError,
    botocore.exceptions.SSOError,
    botocore.exceptions.TokenRetrievalError,
)


def read_response(answer: object) -> Response:
    data = as_object(answer)
    if data is None:
        raise UsageError(
            "the client answered with something that boto3 does not: give a boto3 or aiobotocore client"
        )
    return Response(data, service_date(data))


def request_id(answer: object) -> str | None:
    return as_text(member(answer, "ResponseMetadata", "RequestId"))


def service_date(answer: object) -> datetime | None:
    """When the service answered, by its own clock.

    Args:
        answer: What botocore gives, also for a refusal.
    """
    date = as_text(member(answer, "ResponseMetadata", "HTTPHeaders", "date"))
    try:
        return parsedate_to_datetime(date or "").replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def translate(call: Call, error: Exception) -> CognitoFlowError:
    translated = _typed(call, error)
    # Neither may hang on as a cause: botocore's text for a bad parameter quotes the value, which may be a
    # password, and a UnicodeDecodeError holds the whole answer, with its tokens.
    if not isinstance(error, botocore.exceptions.ParamValidationError | UnicodeError):
        translated.__cause__ = error
    return translated


def _typed(call: Call, error: Exception) -> CognitoFlowError:
    operation = call.operation
    if isinstance(error, botocore.exceptions.ClientError):
        said = error.response.get("Error", {})
        return from_service(
            str(said.get("Code", "")),
            str(said.get("Message", "")),
            operation=operation,
            request_id=request_id(error.response),
            status=int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)),
            parameters=call.parameters,
        )
    if isinstance(error, botocore.exceptions.ParamValidationError):
        # The name is one of ours; the rest of the message may quote a value.
        if unknown := _UNKNOWN_MEMBER.search(str(error)):
            return UsageError(too_old(f"{operation}.{unknown[1]}"), operation=operation)
        return UsageError(
            f"botocore refused the parameters of {operation}: a value is too short or of the wrong type"
        )
    if isinstance(error, _BAD_CREDENTIALS):
        return UsageError(
            f"{operation} is signed, and there are no usable AWS credentials", operation=operation
        )
    if isinstance(error, _NOT_SENT):
        return TransportError(
            f"{operation} could not be sent: {type(error).__name__}",
            hint="check the pool's region, the endpoint and the network",
            operation=operation,
            retryable=True,
        )
    if isinstance(error, _LOST):
        return TransportError(
            f"no answer to {operation} came: {type(error).__name__}; it may have been carried out",
            operation=operation,
            retryable=True,
            maybe_processed=True,
        )
    return UnexpectedResponse(f"botocore failed at {operation}: {type(error).__name__}", operation=operation)
