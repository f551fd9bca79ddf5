"""What becomes of each kind of answer and error of botocore: by itself, without a driver."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import botocore
import botocore.exceptions as boto
import pytest
import urllib3.exceptions

from cognito_flow import (
    CognitoFlowError,
    InternalError,
    Misconfigured,
    NotAuthorized,
    ServiceError,
    TransportError,
    UnexpectedResponse,
    UsageError,
)
from cognito_flow._exchange import Call
from cognito_flow._transport.attempts import Attempt
from cognito_flow._transport.translate import read_response, request_id, service_date, translate

URL = "https://example.invalid"
CALL = Call("GetUser", {"AccessToken": "SENTINEL-1", "AuthFlow": "USER_AUTH"})


def translated(error: Exception, *, was_sent: bool = False) -> CognitoFlowError:
    """The typed error for a failure of GetUser."""
    return translate(CALL, Attempt("GetUser", 0.0, was_sent=was_sent), error)


# -- answers --


def answer(date: object = "Tue, 01 Jan 2030 12:00:05 GMT") -> dict[str, Any]:
    """What botocore returns."""
    return {"Username": "alice", "ResponseMetadata": {"RequestId": "id", "HTTPHeaders": {"date": date}}}


def test_answer_is_read_with_its_date() -> None:
    response = read_response(answer())

    assert response.data == answer()
    assert response.date == datetime(2030, 1, 1, 12, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize("other", [None, "x", 7, ["x"]])
def test_answer_that_is_not_a_mapping_is_a_usage_error(other: object) -> None:
    with pytest.raises(UsageError, match="pass a boto3 or aiobotocore client"):
        read_response(other)


@pytest.mark.parametrize(
    "other", [answer(None), answer("nonsense"), answer(7), answer(f"1 Jan {9**30} 10:00:00 GMT"), {}, None]
)
def test_date_that_cannot_be_read_is_none(other: object) -> None:
    assert service_date(other) is None


def test_date_is_read_without_regard_to_its_zone() -> None:
    """HTTP dates are in GMT (RFC 9110, section 5.6.7), whatever a proxy writes."""
    assert service_date(answer("Tue, 01 Jan 2030 12:00:05 +0900")) == datetime(
        2030, 1, 1, 12, 0, 5, tzinfo=UTC
    )


@pytest.mark.parametrize(("made", "expected"), [(answer(), "id"), ({}, None), (None, None)])
def test_request_id_is_that_of_the_metadata(made: object, expected: str | None) -> None:
    assert request_id(made) == expected


# -- refusals --


def refusal(status: int | None, code: str = "X", text: str = "text") -> boto.ClientError:
    """What botocore raises for an error of the service."""
    metadata: Any = {"RequestId": "id"} if status is None else {"RequestId": "id", "HTTPStatusCode": status}
    return boto.ClientError(
        {"Error": {"Code": code, "Message": text}, "ResponseMetadata": metadata}, "GetUser"
    )


def test_refusal_keeps_code_text_operation_and_request_id() -> None:
    error = translated(refusal(400, "NotAuthorizedException", "You may not"))

    assert type(error) is NotAuthorized
    assert str(error) == "You may not"
    assert (error.code, error.operation, error.request_id) == ("NotAuthorizedException", "GetUser", "id")


@pytest.mark.parametrize(
    ("status", "kind"), [(None, ServiceError), (499, ServiceError), (500, InternalError)]
)
def test_status_tells_a_refusal_from_a_failure(status: int | None, kind: type[ServiceError]) -> None:
    assert type(translated(refusal(status))) is kind


def test_refusal_without_metadata_is_read() -> None:
    error = translated(boto.ClientError({"Error": {"Code": "X", "Message": "text"}}, "GetUser"))

    assert (type(error), str(error), error.request_id) == (ServiceError, "text", None)


@pytest.mark.parametrize("said", [{}, {"Error": {}}])
def test_refusal_without_code_and_text_shows_nothing_in_their_place(said: Any) -> None:
    error = translated(boto.ClientError(said, "GetUser"))

    assert (type(error), str(error), error.code) == (ServiceError, "", "")


def test_refusal_knows_what_was_sent() -> None:
    """To leave out what Cognito quotes, and to name the AuthFlow in the hint."""
    text = "SENTINEL-1: Auth flow not enabled for this client"
    error = translated(refusal(400, "InvalidParameterException", text))

    assert type(error) is Misconfigured
    assert str(error) == (
        "***: Auth flow not enabled for this client: "
        "enable ALLOW_USER_AUTH in the app client's ExplicitAuthFlows"
    )


def test_cause_of_a_refusal_shows_the_text_of_the_error() -> None:
    cause = refusal(400, text="SENTINEL-1 is bad")
    error = translated(cause)

    assert error.__cause__ is cause
    response: Any = cause.response
    assert response["Error"]["Message"] == "*** is bad"


# -- failures on the way --


NOT_SENT = "check the pool's region, the endpoint and the network"
CERTIFICATE = "check the endpoint, the clock of this machine, and AWS_CA_BUNDLE"


@pytest.mark.parametrize(
    ("error", "kind", "message", "hint", "retryable", "maybe_processed"),
    [
        (
            boto.NoCredentialsError(),
            UsageError,
            "GetUser is signed, and there are no usable AWS credentials",
            None,
            False,
            False,
        ),
        (
            boto.SSLError(
                endpoint_url=URL, error=urllib3.exceptions.SSLError(ssl.SSLCertVerificationError(1, "x"))
            ),
            TransportError,
            "GetUser was not sent: the certificate of the endpoint cannot be verified",
            CERTIFICATE,
            False,
            False,
        ),
        (
            boto.EndpointConnectionError(endpoint_url=URL),
            TransportError,
            "GetUser could not be sent: EndpointConnectionError",
            NOT_SENT,
            True,
            False,
        ),
        (
            boto.ReadTimeoutError(endpoint_url=URL),
            TransportError,
            "no response to GetUser came: ReadTimeoutError; it may have been processed",
            None,
            True,
            True,
        ),
        (
            AttributeError("a parser stumbled"),
            UnexpectedResponse,
            "botocore failed at GetUser: AttributeError",
            None,
            False,
            True,
        ),
    ],
    ids=["credentials", "certificate", "not sent", "lost", "other"],
)
def test_failure_says_what_happened_and_what_to_do(
    error: Exception,
    kind: type[CognitoFlowError],
    message: str,
    hint: str | None,
    retryable: bool,
    maybe_processed: bool,
) -> None:
    outcome = translated(error)

    assert type(outcome) is kind
    assert (outcome.args[0], outcome.hint, outcome.operation) == (message, hint, "GetUser")
    assert (outcome.retryable, outcome.maybe_processed) == (retryable, maybe_processed)
    assert outcome.__cause__ is error


@pytest.mark.parametrize("was_sent", [False, True])
def test_failure_of_botocore_itself_is_maybe_processed_if_it_was_sent(was_sent: bool) -> None:
    error = boto.UnknownSignatureVersionError(signature_version="x")

    assert translated(error, was_sent=was_sent).maybe_processed is was_sent


@pytest.mark.parametrize(
    "error",
    [
        boto.ParamValidationError(report="value: SENTINEL"),
        UnicodeDecodeError("utf-8", b"SENTINEL", 0, 1, "invalid start byte"),
    ],
)
def test_error_that_quotes_a_value_is_not_kept_as_the_cause(error: Exception) -> None:
    outcome = translated(error)

    assert outcome.__cause__ is None
    assert "SENTINEL" not in str(outcome)


def test_parameters_that_botocore_refuses_are_a_usage_error() -> None:
    outcome = translated(boto.ParamValidationError(report="value: SENTINEL"))

    assert (type(outcome), outcome.operation) == (UsageError, "GetUser")
    assert str(outcome) == (
        "botocore refused the parameters of GetUser: a value is too short or of the wrong type"
    )


def test_member_that_an_old_botocore_does_not_know_is_named() -> None:
    report = 'Unknown parameter in input: "Session", must be one of: AccessToken'
    outcome = translated(boto.ParamValidationError(report=report))

    assert (type(outcome), outcome.operation) == (UsageError, "GetUser")
    assert re.fullmatch(
        rf"the installed botocore {botocore.__version__} does not know GetUser.Session: "
        r"install botocore [\d.]+ or newer",
        str(outcome),
    )


def test_error_of_ours_is_returned_as_it_is() -> None:
    ours = UnexpectedResponse("x")

    assert translated(ours) is ours
    assert translated(boto.HTTPClientError(error=ours)) is ours


@pytest.mark.parametrize(
    ("behind", "maybe_processed"),
    [
        (aiohttp.ClientOSError(104, "reset"), True),
        (OSError(104, "reset"), True),
        (urllib3.exceptions.ProxyError("x", ConnectionResetError()), True),
        (aiohttp.ConnectionTimeoutError("connection"), False),
        (urllib3.exceptions.ProxyError("x", aiohttp.ConnectionTimeoutError("y")), False),
        (OSError("x", urllib3.exceptions.NewConnectionError(None, "y")), False),  # type: ignore[arg-type]  # of any
        (boto.HTTPClientError(error=aiohttp.ConnectionTimeoutError("y")), False),
        ("a text, as a caller's stub may give", False),
    ],
)
def test_error_behind_a_missing_connection_decides_whether_anything_left(
    behind: object, maybe_processed: bool
) -> None:
    outcome = translated(boto.EndpointConnectionError(endpoint_url=URL, error=behind))

    assert isinstance(outcome, TransportError)
    assert outcome.maybe_processed is maybe_processed


class Wrapping(Exception):
    """An error of an HTTP library that keeps the first error by name."""

    original_error = aiohttp.ConnectionTimeoutError("y")


def test_first_error_that_an_http_library_keeps_by_name_is_found() -> None:
    outcome = translated(boto.EndpointConnectionError(endpoint_url=URL, error=Wrapping()))

    assert not outcome.maybe_processed


def test_connection_that_tls_lost_is_not_taken_for_a_bad_certificate() -> None:
    lost = urllib3.exceptions.SSLError(ssl.SSLEOFError(8, "x"))

    assert translated(boto.SSLError(endpoint_url=URL, error=lost)).maybe_processed


def test_dates_of_answers_are_compared_with_ours() -> None:
    """The date has a zone, as the clock has."""
    date = read_response(answer()).date

    assert date is not None
    assert datetime(2030, 1, 1, 12, tzinfo=UTC) - date == timedelta(seconds=-5)
