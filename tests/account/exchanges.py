"""What the tests of exchanges share: an app client, a user, and a hand that plays the service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from cognito_flow import AppClient, CodeDelivery, Tokens
from cognito_flow._exchange import Call, Exchange, Response
from cognito_flow.errors import CognitoFlowError
from tests.support.contract import check_call

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


def run(exchange: Exchange[T], *answers: Mapping[str, object] | CognitoFlowError) -> tuple[list[Call], T]:
    """Run an exchange with these answers: the calls it made, each checked by botocore, and its result."""
    calls = []
    try:
        calls.append(check_call(next(exchange)))
        for answer in answers:
            if isinstance(answer, CognitoFlowError):
                calls.append(check_call(exchange.throw(answer)))
            else:
                calls.append(check_call(exchange.send(Response(answer))))
    except StopIteration as stop:
        assert len(calls) == len(answers)
        result: T = stop.value
        return calls, result
    raise AssertionError(f"it still waits for the answer to {calls[-1]}")
