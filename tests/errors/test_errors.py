"""errors.py: every row of the table, the fall-backs, and that errors travel."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

import cognito_flow
from cognito_flow import SmsMfa, errors
from cognito_flow.errors import (
    ROWS,
    AnswerRejected,
    CognitoFlowError,
    Misconfigured,
    NotAuthorized,
    Row,
    ServiceError,
    SignedOut,
    StartOver,
    TokenRejected,
    TriggerRefused,
    TryLater,
    UsageError,
    from_service,
)
from cognito_flow.handlers import Pending

CLASSES = [
    value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, CognitoFlowError)
]

TEXTS = {
    ("NotAuthorized", "IncorrectPassword"): "Incorrect username or password.",
    ("NotAuthorized", "AttemptsExceeded"): "Password attempts exceeded",
    ("NotAuthorized", "UserDisabled"): "User is disabled.",
    ("NotAuthorized", "TemporaryPasswordExpired"): (
        "Temporary password has expired and must be reset by an administrator."
    ),
    ("NotAuthorized", "FlowExpired"): "Invalid session for the user, session is expired.",
    ("NotAuthorized", "TokenRevoked"): "Access Token has been revoked",
    ("NotAuthorized", "TokenExpired"): "Access Token has expired",
    ("NotAuthorized", "Misconfigured"): "Access Token does not have required scopes",
    ("NotAuthorized", "NotAuthorized"): "Cannot modify an already provided email",
    ("InvalidParameter", "SecretHashMismatch"): (
        "Client 1 is not configured with secret but SECRET_HASH was received"
    ),
    ("ExpiredCode", "CodeAlreadyUsed"): "Your software token has already been used once.",
    ("ResourceNotFound", "DeviceForgotten"): "Device does not exist.",
}


def text_of(row: Row) -> str:
    """A text that Cognito says for this row."""
    if row.text is None:
        return TEXTS.get((row.code, row.error.__name__), "anything")
    if (known := TEXTS.get((row.code, row.error.__name__))) is not None and re.search(
        row.text, known, re.IGNORECASE
    ):
        return known
    return re.sub(r"\\w\*|\?|\(is \)|[()]", "", row.text.split("|")[0])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.code}-{row.error.__name__}-{row.text}")
def test_each_row_is_reached_and_gives_its_class_and_hint(row: Row) -> None:
    """A code and a text of the row give the row's class; no earlier row is in its way."""
    error = from_service(f"{row.code}Exception", text_of(row), operation="InitiateAuth", request_id="r")

    assert row.error is type(error)
    assert (error.hint is None) is (row.hint is None)
    assert (f"{row.code}Exception", "InitiateAuth", "r") == (error.code, error.operation, error.request_id)


@pytest.mark.parametrize(
    "text",
    ["incorrect USERNAME or password", "Incorrect username or password.", "Incorrect username or password.."],
)
def test_texts_are_matched_without_regard_to_case_and_full_stop(text: str) -> None:
    """Cognito itself is not consistent about them."""
    assert type(from_service("NotAuthorizedException", text)) is errors.IncorrectPassword


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        ("NotAuthorizedException", "a new text", errors.NotAuthorized),
        ("SomethingNewException", "a new text", ServiceError),
        ("InvalidParameterException", "a new text", ServiceError),
        ("ResourceNotFoundException", "a new text", ServiceError),
        ("", "", ServiceError),
    ],
)
def test_what_matches_no_row_becomes_the_parent(code: str, text: str, expected: type[ServiceError]) -> None:
    """Nothing that Cognito may say is lost."""
    assert expected is type(from_service(code, text))


def test_a_flow_that_is_not_enabled_names_what_to_enable() -> None:
    """The hint takes the flow from the call."""
    text = "USER_SRP_AUTH is not enabled for the client."
    error = from_service("InvalidParameterException", text, parameters={"AuthFlow": "USER_SRP_AUTH"})

    assert isinstance(error, Misconfigured)
    assert str(error) == f"{text}: enable ALLOW_USER_SRP_AUTH in the app client's ExplicitAuthFlows"


@pytest.mark.parametrize(
    ("text", "trigger"),
    [("PreSignUp failed with error x.", "PreSignUp"), ("Unrecognizable lambda output", None)],
)
def test_a_trigger_is_named_where_cognito_names_it(text: str, trigger: str | None) -> None:
    """The name is the text's first word."""
    error = from_service("UserLambdaValidationException", text)

    assert isinstance(error, TriggerRefused)
    assert trigger == error.trigger


def test_a_value_that_cognito_quotes_is_left_out() -> None:
    """Structural refusals quote what was sent."""
    text = "1 validation error detected: Value 'sec' at\nret' at 'session' failed to satisfy constraint: x"

    assert "ret'" not in str(from_service("InvalidParameterException", text))


@pytest.mark.parametrize(
    ("code", "status"), [("InternalErrorException", 400), ("InternalErrorException", 500), ("Unknown", 503)]
)
def test_internal_error_and_5xx_are_try_later_and_maybe_processed(code: str, status: int) -> None:
    error = from_service(code, "x", status=status)

    assert isinstance(error, TryLater)
    assert (error.retryable, error.maybe_processed) == (True, True)


PARENTS = {
    AnswerRejected: "CodeAlreadyUsed InputRejected InvalidInput PasswordRejected WrongCode",
    StartOver: "CodeExpired DeviceForgotten FlowExpired SealError SessionAlreadyUsed",
    SignedOut: "RefreshTokenInvalid RefreshTokenReused TokenRevoked",
    TryLater: "AttemptsExceeded InternalError LimitExceeded Throttled TransportError",
    TokenRejected: "NotPermitted StepUpRequired TokenExpired TokenInvalid",
    NotAuthorized: (
        "AttemptsExceeded Blocked IncorrectPassword RefreshTokenInvalid SecretHashMismatch "
        "TemporaryPasswordExpired TokenExpired TokenRevoked UserDisabled UserNotFound"
    ),
    UsageError: "",
}


@pytest.mark.parametrize("parent", PARENTS, ids=lambda parent: parent.__name__)
def test_each_parent_has_exactly_the_classes_with_the_same_next_step(parent: type[CognitoFlowError]) -> None:
    children = sorted(kind.__name__ for kind in CLASSES if issubclass(kind, parent) and kind is not parent)

    assert " ".join(children) == PARENTS[parent]


def test_errors_imports_nothing_else_of_the_package() -> None:
    imported = [line for line in inspect.getsource(errors).splitlines() if "cognito_flow" in line]

    assert imported == []


def test_throttling_may_be_retried_and_was_not_processed() -> None:
    """It comes before any processing."""
    error = from_service("TooManyRequestsException", "Rate exceeded")

    assert (error.retryable, error.maybe_processed) == (True, False)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_class_pickles_with_all_it_says(kind: type[CognitoFlowError]) -> None:
    """An error may cross a process boundary."""
    if kind is errors.Unanswered:
        error: CognitoFlowError = errors.Unanswered(
            SmsMfa(pending=Pending(name="SMS_MFA", username="a")), "m"
        )
    else:
        error = kind(
            "m", code="c", operation="o", request_id="r", retryable=True, maybe_processed=True, hint="h"
        )

    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is kind
    assert vars(error) == vars(copy)
    assert str(error) == str(copy)


def test_every_class_is_exported_and_drawn() -> None:
    """The picture at the top of the file shows them all."""
    drawing = errors.__doc__ or ""

    for kind in CLASSES:
        assert kind.__name__ in cognito_flow.__all__
        assert kind.__name__ in drawing
