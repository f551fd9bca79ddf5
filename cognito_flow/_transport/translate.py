"""Turn what botocore returned into a `Response`, and what it raised into a typed error caused by it."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import botocore.exceptions

from cognito_flow._exchange import Call, Response
from cognito_flow._json import as_object, as_text, member
from cognito_flow._transport.attempts import Attempt
from cognito_flow._transport.causes import quote_nothing
from cognito_flow._transport.clients import too_old
from cognito_flow.errors import (
    CognitoFlowError,
    TransportError,
    UnexpectedResponse,
    UsageError,
    from_service,
)

_UNKNOWN_MEMBER = re.compile(r'Unknown parameter in [\w.]+: "(\w+)"')

# botocore's classes for what was not sent. aiobotocore uses them for a connection that broke later, too, so
# the error behind them decides.
_NOT_SENT = (
    botocore.exceptions.EndpointConnectionError,
    botocore.exceptions.ConnectTimeoutError,
    botocore.exceptions.ProxyConnectionError,
)
_NO_CONNECTION = frozenset(
    {
        "gaierror",
        # urllib3
        "NewConnectionError",
        "ConnectTimeoutError",
        # aiohttp
        "ClientConnectorError",
        "ClientHttpProxyError",
        "ConnectionTimeoutError",
        # httpx
        "ConnectError",
        "ConnectTimeout",
        "PoolTimeout",
    }
)
_LOST = (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError)
_BAD_CREDENTIALS = (
    botocore.exceptions.NoCredentialsError,
    botocore.exceptions.PartialCredentialsError,
    botocore.exceptions.CredentialRetrievalError,
    botocore.exceptions.SSOError,
    botocore.exceptions.TokenRetrievalError,
)


def read_response(output: object) -> Response:
    data = as_object(output)
    if data is None:
        raise UsageError(
            "the client answered with something that boto3 does not: pass a boto3 or aiobotocore client"
        )
    return Response(data, service_date(data))


def request_id(output: object) -> str | None:
    return as_text(member(output, "ResponseMetadata", "RequestId"))


def service_date(output: object) -> datetime | None:
    """When the service answered, by its own clock.

    Args:
        output: What botocore returned, or the response of a `ClientError`.
    """
    date = as_text(member(output, "ResponseMetadata", "HTTPHeaders", "date"))
    try:
        return parsedate_to_datetime(date or "").replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def translate(call: Call, attempt: Attempt, error: Exception) -> CognitoFlowError:
    """The typed error for what botocore raised."""
    for ours in (error, _error_behind(error)):
        if isinstance(ours, CognitoFlowError):
            return ours
    translated = _typed(call, attempt, error)
    # Neither may be kept as a cause: botocore's text for a bad parameter quotes the value, which may be a
    # password, and a UnicodeDecodeError holds the whole response, with its tokens.
    if not isinstance(error, botocore.exceptions.ParamValidationError | UnicodeError):
        translated.__cause__ = error
    return translated


def _error_behind(error: BaseException) -> object:
    """What an HTTP library raised, as botocore keeps it in its own error."""
    return member(getattr(error, "kwargs", None), "error")


def _typed(call: Call, attempt: Attempt, error: Exception) -> CognitoFlowError:
    operation = call.operation
    if isinstance(error, botocore.exceptions.ClientError):
        refused = _refused(call, error)
        quote_nothing(error, str(refused.args[0]))
        return refused
    if isinstance(error, botocore.exceptions.ParamValidationError):
        return _bad_parameters(operation, str(error))
    if isinstance(error, _BAD_CREDENTIALS):
        return UsageError(
            f"{operation} is signed, and there are no usable AWS credentials", operation=operation
        )
    return _without_response(operation, attempt, error)


def _bad_parameters(operation: str, text: str) -> UsageError:
    # The name is one of ours; the rest of the text may quote a value.
    if unknown := _UNKNOWN_MEMBER.search(text):
        return UsageError(too_old(f"{operation}.{unknown[1]}"), operation=operation)
    return UsageError(
        f"botocore refused the parameters of {operation}: a value is too short or of the wrong type",
        operation=operation,
    )


def _without_response(operation: str, attempt: Attempt, error: Exception) -> CognitoFlowError:
    if _is_bad_certificate(error):
        return TransportError(
            f"{operation} was not sent: the certificate of the endpoint cannot be verified",
            hint="check the endpoint, the clock of this machine, and AWS_CA_BUNDLE",
            operation=operation,
        )
    if _was_not_sent(error):
        return TransportError(
            f"{operation} could not be sent: {type(error).__name__}",
            hint="check the pool's region, the endpoint and the network",
            operation=operation,
            retryable=True,
        )
    if isinstance(error, _LOST):
        return TransportError(
            f"no response to {operation} came: {type(error).__name__}; it may have been processed",
            operation=operation,
            retryable=True,
            maybe_processed=True,
        )
    return UnexpectedResponse(
        f"botocore failed at {operation}: {type(error).__name__}",
        operation=operation,
        maybe_processed=attempt.was_sent or not isinstance(error, botocore.exceptions.BotoCoreError),
    )


def _refused(call: Call, error: botocore.exceptions.ClientError) -> CognitoFlowError:
    said = error.response.get("Error", {})
    return from_service(
        str(said.get("Code", "")),
        str(said.get("Message", "")),
        operation=call.operation,
        request_id=request_id(error.response),
        status=int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)),
        parameters=call.parameters,
    )


def _was_not_sent(error: Exception) -> bool:
    if not isinstance(error, _NOT_SENT):
        return False
    behind = _error_behind(error)
    return not isinstance(behind, BaseException) or any(
        kind.__name__ in _NO_CONNECTION for link in _links(behind) for kind in type(link).__mro__
    )


def _is_bad_certificate(error: Exception) -> bool:
    return isinstance(error, botocore.exceptions.SSLError) and any(
        isinstance(link, ssl.SSLCertVerificationError) for link in _links(error)
    )


def _links(error: BaseException) -> Iterator[BaseException]:
    """An error of an HTTP library and what it wraps."""
    link: object = error
    while isinstance(link, BaseException):
        yield link
        candidates = (getattr(link, "original_error", None), _error_behind(link), *link.args)
        link = next((item for item in candidates if isinstance(item, BaseException)), None)
