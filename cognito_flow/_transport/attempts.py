"""What botocore may do with an attempt of ours: send it once, and give back only what has Cognito's form.

Rule of this file: it works through botocore's events. A client of the caller's may make other calls, too:
each hook looks for the attempt in progress, and does nothing without one.
"""

from __future__ import annotations

import time
from collections.abc import Container, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

import attrs
from botocore.exceptions import ClientError

from cognito_flow._json import as_object, is_encodable, parse_json
from cognito_flow.errors import Blocked, CognitoFlowError, InternalError, Throttled, UnexpectedResponse

# These have no output in the service model, and Cognito answers them with an empty body.
WITHOUT_OUTPUT = frozenset({"DeleteUser", "ForgetDevice"})

_NOT_COGNITO = "a proxy or another server answered: check the endpoint and the network"

# Cognito's own, and that of older versions of cognito-local.
_CONTENT_TYPES = frozenset({"application/x-amz-json-1.1", "application/json"})


@attrs.define
class Attempt:
    """One attempt at a call.

    Args:
        operation: The operation.
        deadline: When it must have ended, by `time.monotonic`.
        was_sent: Whether botocore began to send it.
        received: How many bytes came back.
    """

    operation: str
    deadline: float
    was_sent: bool = False
    received: int = 0

    def seconds_left(self) -> float:
        """How long it may still take; not positive once the deadline has passed."""
        return self.deadline - time.monotonic()


_in_progress: ContextVar[Attempt | None] = ContextVar("cognito_flow_attempt", default=None)


@contextmanager
def attempting(attempt: Attempt) -> Generator[None]:
    """Mark what this thread or task calls as an attempt of ours."""
    token = _in_progress.set(attempt)
    try:
        yield
    finally:
        _in_progress.reset(token)


def attempt_in_progress() -> Attempt | None:
    """The attempt that this thread or task makes now."""
    return _in_progress.get()


def watch(client: object) -> None:
    """Register the hooks with a client. Doing so twice changes nothing.

    Args:
        client: A client of boto3 or aiobotocore; anything else has no events and is left alone.
    """
    meta: Any = getattr(client, "meta", None)
    if (events := getattr(meta, "events", None)) is None:
        return
    service = meta.service_model.service_id.hyphenize()
    for event, hook in (
        ("before-send", _note_that_it_is_sent),
        ("needs-retry", _never_repeat),
        ("response-received", _check_form),
    ):
        events.register_first(f"{event}.{service}", hook, unique_id=f"cognito-flow-{event}")


def _note_that_it_is_sent(**_: object) -> None:
    if (attempt := attempt_in_progress()) is not None:
        attempt.was_sent = True


def _never_repeat(
    response: tuple[Any, Mapping[str, Any]] | None,
    caught_exception: BaseException | None,
    operation: Any,
    **_: object,
) -> None:
    """End an attempt with its outcome before the client's own handlers can repeat it, for every retry mode
    and number of attempts that the client may be configured for. `repeating` decides instead.

    A handler's return value can only ask botocore to repeat, and versions differ in which value does not. All
    of them let an exception through.
    """
    if attempt_in_progress() is None:
        return
    if caught_exception is not None:
        raise caught_exception
    if response is not None and response[0].status_code >= 300:
        raise ClientError(cast("Any", response[1]), operation.name)


def _check_form(
    response_dict: Mapping[str, Any] | None, parsed_response: Mapping[str, object] | None = None, **_: object
) -> None:
    attempt = attempt_in_progress()
    if attempt is None or response_dict is None:
        return
    error = problem_of(
        attempt.operation,
        response_dict["status_code"],
        response_dict["headers"],
        response_dict["body"],
        parsed_response or {},
    )
    if error is not None:
        raise error


def problem_of(
    operation: str, status: int, headers: Mapping[str, str], body: bytes, known: Container[str] = ()
) -> CognitoFlowError | None:
    """The error for a response that Cognito did not write; None if it has the service's form.

    botocore drops what it cannot parse, and makes a page in HTML the message of an error.

    Args:
        operation: The operation that was called.
        status: The HTTP status.
        headers: The headers.
        body: The body.
        known: The members of the body that are the operation's.
    """
    about: dict[str, Any] = {"operation": operation, "request_id": headers.get("x-amzn-requestid")}
    if (action := headers.get("x-amzn-waf-action")) is not None:
        return Blocked(
            f"AWS WAF answered {operation} with status {status} and the action {action}",
            hint="only a browser can solve it: exempt sign-ins from this rule of the web ACL",
            **about,
        )
    if status == 200:
        return _problem_of_success(operation, headers, body, known, about)
    if status >= 300 and _document(body) is not None:
        return None  # botocore raises the error that it names
    if status == 429:
        return Throttled(f"{operation} was refused with status 429", retryable=True, **about)
    if status >= 500:
        return InternalError(
            f"{operation} failed with status {status}", retryable=True, maybe_processed=True, **about
        )
    return UnexpectedResponse(
        f"{operation} was answered with status {status}, and not by Cognito",
        hint=_NOT_COGNITO,
        maybe_processed=status < 400,
        **about,
    )


def _problem_of_success(
    operation: str, headers: Mapping[str, str], body: bytes, known: Container[str], about: dict[str, Any]
) -> UnexpectedResponse | None:
    if not body and operation in WITHOUT_OUTPUT and about["request_id"] is not None:
        return None
    document, hint = _document(body), None
    if document is None:
        problem = "is not a JSON object"
    elif b"\\ud" in body.lower() and not is_encodable(document):  # few bodies have such an escape
        problem = "contains a lone surrogate"
    elif not _is_of_the_service(headers, document, known):
        problem, hint = "does not have the form that Cognito's have", _NOT_COGNITO
    else:
        return None
    return UnexpectedResponse(
        f"the response to {operation} {problem}", hint=hint, maybe_processed=True, **about
    )


def _is_of_the_service(
    headers: Mapping[str, str], document: Mapping[str, object], known: Container[str]
) -> bool:
    """Whether a JSON object is from Cognito or an emulator, and not, for example, from the page of a network
    that asks its guests to log in.

    Cognito, moto and ministack send a request id; moto sends no content type for identity pools.
    cognito-local sends no request id, so that the content type and the members decide.
    """
    if "x-amzn-requestid" in headers:
        return True
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return content_type in _CONTENT_TYPES and all(
        name in known for name, value in document.items() if value is not None
    )


def _document(body: bytes) -> Mapping[str, object] | None:
    try:
        return as_object(parse_json(body))
    except ValueError:
        return None
