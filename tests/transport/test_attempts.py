"""The hooks of an attempt alone: what they note, what they raise, and that they leave other calls alone."""

from __future__ import annotations

import time
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.hooks import HierarchicalEmitter
from botocore.model import ServiceId

from cognito_flow import Blocked, CognitoFlowError, InternalError, Throttled, UnexpectedResponse
from cognito_flow._transport.attempts import Attempt, attempting, problem_of, watch

SERVICE = "cognito-identity-provider"
PAGE = b"<html>not of Cognito</html>"
JSON = {"content-type": "application/x-amz-json-1.1"}
ID = {**JSON, "x-amzn-requestid": "id"}
LOGIN = b'{"status": "error", "reason": "login to the guest network first"}'


@pytest.fixture
def events() -> HierarchicalEmitter:
    return HierarchicalEmitter()


@pytest.fixture
def client(events: HierarchicalEmitter) -> Any:
    """What `watch` looks at of a client."""
    model = SimpleNamespace(service_id=ServiceId("Cognito Identity Provider"))
    return SimpleNamespace(meta=SimpleNamespace(events=events, service_model=model))


def attempt() -> Attempt:
    """An attempt with a minute left."""
    return Attempt("ConfirmSignUp", time.monotonic() + 60)


def test_seconds_left_are_those_until_the_deadline() -> None:
    assert 50 < attempt().seconds_left() <= 60
    assert Attempt("X", time.monotonic() - 60).seconds_left() <= -60


@pytest.mark.parametrize("event", ["before-send", "needs-retry", "response-received"])
def test_hook_comes_first_and_once(client: Any, events: HierarchicalEmitter, event: str) -> None:
    def other(**_: object) -> None:
        pass

    events.register(f"{event}.{SERVICE}", other)
    for _ in range(2):
        watch(client)

    called = events.emit(
        f"{event}.{SERVICE}.X", response=None, caught_exception=None, operation=None, response_dict=None
    )

    assert len(called) == 2
    assert called[1][0] is other


@pytest.mark.parametrize("stranger", [object(), SimpleNamespace(meta=None), SimpleNamespace(meta=object())])
def test_object_without_events_is_left_alone(stranger: object) -> None:
    watch(stranger)


def test_attempt_knows_that_botocore_began_to_send_it(client: Any, events: HierarchicalEmitter) -> None:
    watch(client)
    events.emit(f"before-send.{SERVICE}.X")
    with attempting(attempt()) as _, attempting(made := attempt()):
        assert made.was_sent is False
        events.emit(f"before-send.{SERVICE}.X")

    assert made.was_sent is True


def ask_for_repetition(
    events: HierarchicalEmitter, response: object = None, caught: Exception | None = None
) -> None:
    """Let botocore's handlers decide whether a call is repeated."""
    events.emit(
        f"needs-retry.{SERVICE}.X",
        response=response,
        caught_exception=caught,
        operation=SimpleNamespace(name="ConfirmSignUp"),
        attempts=1,
    )


def responded(status: int) -> object:
    """A response as botocore hands it to the handlers."""
    return SimpleNamespace(status_code=status), {"Error": {"Code": "C", "Message": "m"}}


def test_error_of_an_attempt_is_raised_before_it_can_be_repeated(
    client: Any, events: HierarchicalEmitter
) -> None:
    watch(client)
    lost = OSError("lost")
    with pytest.raises(OSError, match="lost") as raised, attempting(attempt()):
        ask_for_repetition(events, None, lost)

    assert raised.value is lost


@pytest.mark.parametrize("status", [300, 400, 503])
def test_refusal_of_an_attempt_is_raised_before_it_can_be_repeated(
    client: Any, events: HierarchicalEmitter, status: int
) -> None:
    watch(client)
    with pytest.raises(ClientError) as raised, attempting(attempt()):
        ask_for_repetition(events, responded(status))

    response: Any = raised.value.response
    assert (response["Error"]["Code"], raised.value.operation_name) == ("C", "ConfirmSignUp")


@pytest.mark.parametrize("response", [None, responded(200), responded(299)])
def test_success_is_left_to_botocore(client: Any, events: HierarchicalEmitter, response: object) -> None:
    watch(client)
    with attempting(attempt()):
        ask_for_repetition(events, response)


def test_calls_that_are_not_attempts_are_left_to_botocore(client: Any, events: HierarchicalEmitter) -> None:
    watch(client)
    ask_for_repetition(events, responded(503), OSError("lost"))
    events.emit(
        f"response-received.{SERVICE}.X", response_dict={"status_code": 200, "headers": {}, "body": PAGE}
    )


@pytest.mark.parametrize(
    ("body", "problem"),
    [(b"{}", None), (PAGE, "the response to ConfirmSignUp is not a JSON object")],
)
def test_form_of_a_response_to_an_attempt_is_checked(
    client: Any, events: HierarchicalEmitter, body: bytes, problem: str | None
) -> None:
    watch(client)
    response = {"status_code": 200, "headers": ID, "body": body}
    expected: Any = nullcontext() if problem is None else pytest.raises(UnexpectedResponse, match=problem)
    with expected as raised, attempting(attempt()):
        events.emit(f"response-received.{SERVICE}.X", response_dict=response)

    if raised is not None:
        assert (raised.value.operation, raised.value.request_id) == ("ConfirmSignUp", "id")


ENDPOINT = "a proxy or another server answered: check the endpoint and the network"
WAF = "only a browser can solve it: exempt sign-ins from this rule of the web ACL"


@pytest.mark.parametrize(
    ("status", "body", "kind", "message", "hint", "retryable", "maybe_processed"),
    [
        (
            200,
            b'{"a": "\\ud800"}',
            UnexpectedResponse,
            "the response to GetUser contains a lone surrogate",
            None,
            False,
            True,
        ),
        (200, b"", UnexpectedResponse, "the response to GetUser is not a JSON object", None, False, True),
        (429, PAGE, Throttled, "GetUser was refused with status 429", None, True, False),
        (500, PAGE, InternalError, "GetUser failed with status 500", None, True, True),
        *(
            (
                status,
                body,
                UnexpectedResponse,
                f"GetUser was answered with status {status}, and not by Cognito",
                ENDPOINT,
                False,
                maybe_processed,
            )
            for status, body, maybe_processed in [
                (201, b"{}", True),
                (299, b"{}", True),
                (399, PAGE, True),
                (400, PAGE, False),
                (499, PAGE, False),
            ]
        ),
    ],
)
def test_problem_of_a_response_says_what_came_and_whether_it_was_processed(
    status: int,
    body: bytes,
    kind: type[CognitoFlowError],
    message: str,
    hint: str | None,
    retryable: bool,
    maybe_processed: bool,
) -> None:
    error = problem_of("GetUser", status, ID, body)

    assert type(error) is kind
    assert error is not None
    assert (error.args[0], error.hint) == (message, hint)
    assert (error.retryable, error.maybe_processed) == (retryable, maybe_processed)
    assert (error.operation, error.request_id) == ("GetUser", "id")


def test_challenge_of_aws_waf_is_named_with_its_hint() -> None:
    error = problem_of("GetUser", 405, {"x-amzn-waf-action": "captcha", "x-amzn-requestid": "id"}, b"{}")

    assert type(error) is Blocked
    assert error.args[0] == "AWS WAF answered GetUser with status 405 and the action captcha"
    assert (error.hint, error.operation, error.request_id) == (WAF, "GetUser", "id")


@pytest.mark.parametrize(
    ("operation", "headers", "body", "is_good"),
    [
        ("DeleteUser", {"x-amzn-requestid": "id"}, b"", True),
        ("DeleteUser", {}, b"", False),
        ("DeleteUser", ID, b" ", False),
        ("GetUser", ID, b"", False),
    ],
    ids=["empty", "without a request id", "not empty", "operation with output"],
)
def test_empty_response_is_that_of_an_operation_without_output_that_cognito_answered(
    operation: str, headers: dict[str, str], body: bytes, is_good: bool
) -> None:
    assert (problem_of(operation, 200, headers, body) is None) is is_good


@pytest.mark.parametrize("status", [300, 400, 429, 500])
def test_refusal_of_cognitos_form_is_left_to_botocore(status: int) -> None:
    assert problem_of("GetUser", status, {}, b'{"__type": "X"}') is None


@pytest.mark.parametrize("body", [b'{"a": "\\uD83D\\uDE00"}', b'{"a": "ud800"}'])
def test_whole_surrogate_pair_is_accepted(body: bytes) -> None:
    assert problem_of("GetUser", 200, ID, body) is None


@pytest.mark.parametrize(
    ("headers", "body", "known", "is_good"),
    [
        (ID, b'{"New": 1}', (), True),
        ({"x-amzn-requestid": "id"}, b'{"New": 1}', (), True),
        (JSON, b"{}", (), True),
        ({"content-type": "Application/JSON; charset=utf-8"}, b"{}", (), True),
        ({"content-type": "text/html"}, b"{}", (), False),
        ({}, b"{}", (), False),
        (JSON, b'{"Session": "x", "Name": null}', ("Session",), True),
        (JSON, LOGIN, (), False),
        (JSON, b'{"Session": "x", "status": "error"}', ("Session",), False),
    ],
)
def test_success_has_a_request_id_or_a_content_type_of_json_and_only_members_of_the_operation(
    headers: dict[str, str], body: bytes, known: tuple[str, ...], is_good: bool
) -> None:
    error = problem_of("ConfirmSignUp", 200, headers, body, known)

    assert (error is None) is is_good
    if error is not None:
        assert type(error) is UnexpectedResponse
        assert error.args[0] == "the response to ConfirmSignUp does not have the form that Cognito's have"
        assert (error.hint, error.maybe_processed) == (ENDPOINT, True)
