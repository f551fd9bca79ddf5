"""What the tests of exchanges share: an app client, a user, and a hand that plays the service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import attrs

from cognito_flow import AppClient, CodeDelivery, Tokens
from cognito_flow._exchange import Call, Exchange, Response, Wait
from cognito_flow.errors import CognitoFlowError
from tests.support.contract import check_call, model

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

APP = AppClient("eu-west-1_abc", "client", "s" * 30)
PASSWORD, SESSION = "Correct horse 1", "s" * 20
DELIVERY = {"DeliveryMedium": "EMAIL", "Destination": "a***@e***", "AttributeName": "email"}
DELIVERED = CodeDelivery("EMAIL", "a***@e***", "email")
TOKENS = Tokens(
    "access-token",
    expires_at=datetime(2030, 1, 1, tzinfo=UTC),
    username="alice",
    device_key="eu-west-1_0a-1",
)


# What older versions of botocore, which the dependencies allow, do not know.
NEW_OPERATIONS = {"GetDerivedToken", "ListUserSessions", "RevokeUserSession"}
NEW_MEMBERS = {"WebAuthnMfaSettings"}


def checked(call: Call | Wait[object]) -> Call:
    """The call, if the installed botocore would send it or is too old to know it."""
    assert isinstance(call, Call)
    if call.operation in NEW_OPERATIONS - set(model().operation_names):
        return call
    shape = model().operation_model(call.operation).input_shape
    unknown = NEW_MEMBERS - set(shape.members if shape is not None else ())
    known = {name: value for name, value in call.parameters.items() if name not in unknown}
    check_call(attrs.evolve(call, parameters=known))
    return call


def run(exchange: Exchange[T], *answers: Mapping[str, object] | CognitoFlowError) -> tuple[list[Call], T]:
    """Run an exchange with these answers: the calls it made, each checked by botocore, and its result."""
    calls = []
    try:
        calls.append(checked(next(exchange)))
        for answer in answers:
            if isinstance(answer, CognitoFlowError):
                calls.append(checked(exchange.throw(answer)))
            else:
                calls.append(checked(exchange.send(Response(answer))))
    except StopIteration as stop:
        assert len(calls) == len(answers)
        result: T = stop.value
        return calls, result
    raise AssertionError(f"it still waits for the answer to {calls[-1]}")
