"""What the library relies on is still so in botocore's newest service model."""

from __future__ import annotations

from typing import get_args

import pytest

from cognito_flow import (
    Credentials,
    CustomAuth,
    FirstFactor,
    MfaType,
    RefreshTokenAuth,
    Tokens,
    UserAuth,
    UserPasswordAuth,
    UserSrpAuth,
)
from cognito_flow.errors import ServiceError, from_service
from cognito_flow.handlers import HANDLERS
from tests.support.contract import enum, model
from tests.support.conversation import NOW, start, turn

pytestmark = pytest.mark.contract

TOKENS = Tokens("access", None, "refresh", expires_at=NOW, username="alice")
BEGINNINGS: list[tuple[Credentials, bool]] = [
    (UserSrpAuth("alice", "pw"), False),
    (UserPasswordAuth("alice", "pw"), False),
    (UserPasswordAuth("alice", "pw"), True),
    (UserPasswordAuth("alice", "pw", legacy=True), True),
    (CustomAuth("alice"), False),
    (UserAuth("alice"), False),
    (RefreshTokenAuth(TOKENS), False),
    (RefreshTokenAuth(TOKENS, legacy=True), False),
]
OPERATIONS = [
    "InitiateAuth",
    "AdminInitiateAuth",
    "RespondToAuthChallenge",
    "AdminRespondToAuthChallenge",
    "AssociateSoftwareToken",
    "VerifySoftwareToken",
    "ConfirmDevice",
    "UpdateDeviceStatus",
]


@pytest.mark.parametrize("name", enum("ChallengeNameType"))
def test_every_challenge_name_has_a_handler(name: str) -> None:
    assert name in {handler.name for handler in HANDLERS}


def test_every_handler_has_a_challenge_name_of_the_model() -> None:
    assert {handler.name for handler in HANDLERS} <= set(enum("ChallengeNameType"))


@pytest.mark.parametrize("flow", enum("AuthFlowType"))
def test_every_auth_flow_has_credentials(flow: str) -> None:
    assert flow in {
        start(credentials, turn(admin=admin)).sent["AuthFlow"] for credentials, admin in BEGINNINGS
    }


def test_every_credentials_class_begins_a_sign_in() -> None:
    assert {type(credentials) for credentials, _ in BEGINNINGS} == set(get_args(Credentials))


def test_first_factors_are_those_of_the_model() -> None:
    """PASSWORD_SRP is an answer, not a factor; SOFTWARE_TOKEN is reported for MFA only."""
    assert set(FirstFactor) - {"PASSWORD_SRP"} == set(enum("AuthFactorType")) - {"SOFTWARE_TOKEN"}


def test_second_factors_are_challenge_names() -> None:
    assert set(MfaType) <= set(enum("ChallengeNameType"))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_public_operations_are_unsigned_and_admin_ones_are_signed(operation: str) -> None:
    """Only the Admin ones need AWS credentials."""
    assert (model().operation_model(operation).auth_type == "none") is not operation.startswith("Admin")


LISTED = {
    (operation, str(shape.metadata.get("error", {}).get("code", shape.name)))
    for operation in OPERATIONS
    for shape in model().operation_model(operation).error_shapes
}


@pytest.mark.parametrize(("operation", "code"), sorted(LISTED))
def test_every_error_of_the_model_has_a_class(operation: str, code: str) -> None:
    error = from_service(code, "a text", operation=operation)

    assert isinstance(error, ServiceError)
    assert (code, operation) == (error.code, error.operation)


@pytest.mark.parametrize(
    ("operation", "member"), [("InitiateAuth", "Session"), ("RespondToAuthChallenge", "Session")]
)
def test_session_is_a_member_of_the_operation(operation: str, member: str) -> None:
    """USER_AUTH takes the Session of a sign-up."""
    shape = model().operation_model(operation).input_shape
    assert shape is not None
    assert member in shape.members
