"""errors.py: every row of the table, the fall-backs, and that errors travel."""

from __future__ import annotations

import inspect
import pickle
import re
import time
from pathlib import Path

import botocore.session
import pytest

import cognito_flow
from cognito_flow import SmsMfa, errors
from cognito_flow.errors import (
    RULES,
    AnswerRejected,
    CognitoFlowError,
    InputRejected,
    Misconfigured,
    NotAuthorized,
    Rule,
    ServiceError,
    SignedOut,
    StartOver,
    TokenExpired,
    TokenRejected,
    TriggerRefused,
    TryLater,
    UsageError,
    from_service,
)
from cognito_flow.handlers import Pending
from tests.support.planted import Place, searches

PACKAGE = Path(errors.__file__).parent
MODEL = botocore.session.get_session().get_service_model("cognito-idp")
CLASSES = [
    value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, CognitoFlowError)
]

# A text that Cognito says, where the row's pattern is not one itself.
TEXTS = {
    r"password attempts exceeded|temporarily locked": "Password attempts exceeded",
    r"temporary password has expired|must be reset by an administrator": (
        "User account has expired, it must be reset by an administrator."
    ),
    r"security reasons": "Unable to login because of security reasons.",
    r"not configured (for|with) secret": "Client 1 is not configured with secret but SECRET_HASH was received",
    r"configured (for|with) secret": "Client 1 is configured with secret but SECRET_HASH was not received",
    r"secret_?hash|secret hash|client secret": "Unable to verify secret hash for client 1",
    r"secret_?hash|secret hash": "SecretHash does not match for the client: 1",
    r"invalid (phone number|email)": "Invalid phone number format.",
    r"username (should|cannot) be": "Username should be an email.",
    r"attributes? (given|did not conform)|^attributes\.": "Invalid attributes given, email is missing",
    r"at '(userCode|confirmationCode|code|username|password|proposedPassword|previousPassword"
    r"|userAttributes\.[0-9]+\.member\.value)'": (
        "1 validation error detected: Value at 'confirmationCode' failed to satisfy constraint: x"
    ),
    r"(access|id) token has expired": "Access Token has expired",
    r"not from a supported provider|logins don't match": "Token is not from a supported provider.",
    r"flow\w* (is )?not enabled|is not enabled for the client": "Auth flow not enabled for this client",
    r"identity ?pool": "IdentityPool 'x' not found.",
}


def text_of(rule: Rule) -> str:
    """A text that Cognito says for this rule."""
    return "anything" if rule.text is None else TEXTS.get(rule.text, rule.text)


def test_patterns_of_the_texts_are_those_of_the_table() -> None:
    assert set(TEXTS) <= {rule.text for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.code}-{rule.error.__name__}-{rule.text}")
def test_each_rule_gives_its_class_and_hint_before_any_other(rule: Rule) -> None:
    error = from_service(f"{rule.code}Exception", text_of(rule), operation="InitiateAuth", request_id="r")

    assert rule.error is type(error)
    assert (error.hint is None) is (rule.hint is None)
    assert (f"{rule.code}Exception", "InitiateAuth", "r") == (error.code, error.operation, error.request_id)


@pytest.mark.parametrize(
    "text",
    ["incorrect USERNAME or password", "Incorrect username or password.", "Incorrect username or password.."],
)
def test_texts_are_matched_without_regard_to_case_and_full_stop(text: str) -> None:
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
def test_error_that_matches_no_row_becomes_the_parent(
    code: str, text: str, expected: type[ServiceError]
) -> None:
    assert expected is type(from_service(code, text))


@pytest.mark.parametrize(
    ("text", "auth_flow", "to_enable"),
    [
        ("USER_SRP_AUTH is not enabled for the client", "USER_SRP_AUTH", "ALLOW_USER_SRP_AUTH"),
        ("Auth flow not enabled for this client", "ADMIN_NO_SRP_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"),
        ("Auth flow not enabled for this client", "REFRESH_TOKEN", "ALLOW_REFRESH_TOKEN_AUTH"),
        ("ALLOW_TOKEN_EXCHANGE_DELEGATION flow not enabled", None, "ALLOW_TOKEN_EXCHANGE_DELEGATION"),
    ],
)
def test_hint_of_a_flow_that_is_not_enabled_names_the_flow_to_enable(
    text: str, auth_flow: str | None, to_enable: str
) -> None:
    parameters = {} if auth_flow is None else {"AuthFlow": auth_flow}
    error = from_service("InvalidParameterException", f"{text}.", parameters=parameters)

    assert isinstance(error, Misconfigured)
    assert str(error) == f"{text}: enable {to_enable} in the app client's ExplicitAuthFlows"


def test_expired_id_token_is_expired_like_an_access_token() -> None:
    assert type(from_service("NotAuthorizedException", "ID Token has expired")) is TokenExpired


def test_attribute_value_that_breaks_a_constraint_was_typed_and_its_name_was_not() -> None:
    text = (
        "1 validation error detected: Value at 'userAttributes.1.member.{}' failed to satisfy constraint: x"
    )

    assert type(from_service("InvalidParameterException", text.format("value"))) is InputRejected
    assert type(from_service("InvalidParameterException", text.format("name"))) is ServiceError


@pytest.mark.parametrize(
    ("text", "trigger"),
    [("PreSignUp failed with error x.", "PreSignUp"), ("Unrecognizable lambda output", None)],
)
def test_refusal_of_a_trigger_has_the_name_that_cognito_sent(text: str, trigger: str | None) -> None:
    error = from_service("UserLambdaValidationException", text)

    assert isinstance(error, TriggerRefused)
    assert trigger == error.trigger


def test_value_that_cognito_quotes_is_left_out() -> None:
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


def test_throttled_error_is_retryable_and_was_not_processed() -> None:
    error = from_service("TooManyRequestsException", "Rate exceeded")

    assert (error.retryable, error.maybe_processed) == (True, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PreSignUp failed with error bad code 482913.", "PreSignUp failed with error bad code ***."),
        ("attributes.email: a.b@example.com is bad", "attributes.email: *** is bad"),
        ("'horse' is a weak password", "'***' is a weak password"),
        ("Incorrect horse or password.", "Incorrect horse or password."),
    ],
    ids=["code", "attribute", "quoted word", "plain word"],
)
def test_value_that_was_sent_does_not_become_the_message(text: str, expected: str) -> None:
    parameters = {
        "ClientId": "client",
        "ConfirmationCode": "482913",
        "UserAttributes": [{"Name": "email", "Value": "a.b@example.com"}],
        "AuthParameters": {"USERNAME": "alice", "PASSWORD": "horse"},
        "ForceAliasCreation": True,
    }
    error = from_service("UserLambdaValidationException", text, parameters=parameters)

    assert str(error) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bad code 482913", "bad code ***"),
        ("482913 is bad, not (482913)", "*** is bad, not (***)"),
        ("order x482913 is bad", "order x482913 is bad"),
        ("order 482913x is bad", "order 482913x is bad"),
        ("order _482913 or 482913_ is bad", "order _482913 or 482913_ is bad"),
        ("order 482913-482913x482913 is bad", "order ***-482913x482913 is bad"),
    ],
)
def test_value_that_was_sent_is_left_out_unless_it_is_a_part_of_a_longer_word(
    text: str, expected: str
) -> None:
    error = from_service("UserLambdaValidationException", text, parameters={"ConfirmationCode": "482913"})

    assert str(error) == expected


def test_device_forgotten_says_what_to_do_and_keeps_what_identifies_the_call() -> None:
    refused = from_service(
        "ResourceNotFoundException", "x", operation="RespondToAuthChallenge", request_id="r"
    )
    forgotten = errors.device_forgotten(refused)

    assert str(forgotten) == "Cognito does not accept this device: start again without it"
    assert (forgotten.code, forgotten.operation, forgotten.request_id) == (
        "ResourceNotFoundException",
        "RespondToAuthChallenge",
        "r",
    )


def test_unanswered_challenge_has_the_message_it_was_made_with() -> None:
    assert str(errors.Unanswered(None, "SMS_MFA needs an answer")) == "SMS_MFA needs an answer"


def test_body_that_botocore_took_for_a_text_does_not_become_the_message() -> None:
    error = from_service("403", "<html>secret</html>", status=403)

    assert (type(error), str(error)) == (ServiceError, "status 403")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Value '" * 160_000, "123456"),
        ("flow" * 280_000, "123456"),
        ("a" * 1_120_000, "123456"),
        ("1" * 1_120_000, "1"),
        ("1 " * 560_000, "1"),
        ("'a'" * 370_000, "a"),
        ("Value '" + "' at" * 280_000, "' at"),
    ],
)
def test_long_text_is_read_in_linear_time(text: str, value: str) -> None:
    """A quadratic pattern would take minutes for it."""
    started = time.process_time()
    error = from_service("InvalidParameterException", text, parameters={"Code": value})

    assert time.process_time() - started < 10
    assert len(str(error)) <= 2_000


TICKET = "Ticket-" + "0123456789" * 4


@pytest.mark.parametrize("place", range(1_940, 2_010, 3))
def test_message_ends_with_no_part_of_a_value(place: int) -> None:
    text = "PreSignUp failed with error " + "x " * (place // 2) + TICKET
    error = from_service("UserLambdaValidationException", text, parameters={"Ticket": TICKET})

    assert "Ticket" not in str(error)
    assert len(str(error)) <= 2_000


@pytest.mark.parametrize("length", [1_900, 1_960, 5_000, 100_000])
def test_long_value_that_cognito_quotes_is_rejected_input_and_left_out(length: int) -> None:
    code = "x1" * (length // 2)
    text = f"1 validation error detected: Value '{code}' at 'confirmationCode' failed"
    error = from_service("InvalidParameterException", text, parameters={"ConfirmationCode": code})

    assert isinstance(error, InputRejected)
    assert str(error) == "1 validation error detected: Value at 'confirmationCode' failed"


def test_quotation_without_an_end_is_left_out() -> None:
    error = from_service("InvalidParameterException", "1 validation error detected: Value 'secr")

    assert str(error) == "1 validation error detected: Value"


def test_each_member_of_several_validation_errors_counts() -> None:
    text = "2 validation errors detected: Value 'a' at 'password' failed; Value 'b' at 'session' failed"
    error = from_service("InvalidParameterException", text)

    assert isinstance(error, InputRejected)
    assert str(error) == "2 validation errors detected: Value at 'session' failed"


def test_lone_surrogate_in_a_text_can_be_printed() -> None:
    assert str(from_service("NotAuthorizedException", "bad \ud800 text")).encode() == b"bad ? text"


def operations_of_the_core() -> list[str]:
    """The operations that the core calls, by their names in its source."""
    sources = [path for path in PACKAGE.rglob("*.py") if not {"testing", "cli"} & set(path.parts)]
    written = {name for path in sources for name in re.findall(r'"([A-Z]\w+)"', path.read_text())}
    return sorted(written & set(MODEL.operation_names))


@pytest.mark.parametrize("operation", operations_of_the_core())
def test_each_error_of_each_operation_that_is_called_has_a_row(operation: str) -> None:
    codes = {shape.name.removesuffix("Exception") for shape in MODEL.operation_model(operation).error_shapes}

    assert codes - {rule.code for rule in RULES if rule.text is None} == set()


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_class_is_unpickled_with_its_attributes(kind: type[CognitoFlowError]) -> None:
    if kind is errors.Unanswered:
        error: CognitoFlowError = errors.Unanswered(None, "m")
    else:
        error = kind(
            "m", code="c", operation="o", request_id="r", retryable=True, maybe_processed=True, hint="h"
        )

    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is kind
    assert vars(error) == vars(copy)
    assert str(error) == str(copy)


@searches(Place.PICKLES)
def test_pickle_of_unanswered_leaves_out_the_challenge_and_its_session() -> None:
    pending = Pending(name="SMS_MFA", username="alice", session="SENTINEL-SESSION")
    error = errors.Unanswered(SmsMfa(pending=pending), "no answer")

    pickled = pickle.dumps(error)

    assert b"SENTINEL" not in pickled
    assert pickle.loads(pickled).challenge is None
    assert isinstance(error.challenge, SmsMfa)


def test_every_class_is_exported_and_drawn_in_the_tree() -> None:
    drawing = errors.__doc__ or ""

    for kind in CLASSES:
        assert kind.__name__ in cognito_flow.__all__
        assert kind.__name__ in drawing
