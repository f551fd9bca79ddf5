"""Single calls of Cognito, for `doctor`, which takes a refusal for an answer.

Rule of this file: it makes a call and remembers how far the service's clock was from this machine's; what the
answer means is told elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeAlias

import attrs
from botocore.exceptions import ClientError

from cognito_flow._exchange import Call, Response
from cognito_flow._transport.clients import Clients
from cognito_flow._transport.drivers import Driver, Wire, one_call
from cognito_flow._transport.translate import service_date
from cognito_flow.errors import ServiceError
from cognito_flow.models import AppClient, System

__all__ = ["Answer", "Asking"]

Answer: TypeAlias = Response | ServiceError


_SYSTEM = System()


def _driver(asking: Asking) -> Driver:
    return Driver(Wire(Clients(asking.app, None, asking.admin), _SYSTEM, None))


@attrs.define
class Asking:
    """Asks Cognito.

    Args:
        app: The app client, which says where Cognito is.
        admin: Whether the calls are signed with AWS credentials.
    """

    app: AppClient
    admin: bool
    skew: timedelta | None = attrs.field(default=None, init=False)
    """How far the service's clock was ahead of this machine's, at the last call."""
    _driver: Driver = attrs.field(default=attrs.Factory(_driver, takes_self=True), init=False)

    def ask(self, operation: str, parameters: Mapping[str, object]) -> Answer:
        """Make a call.

        Args:
            operation: The API operation.
            parameters: Its input, as boto3 takes it.

        Raises:
            CognitoFlowError: Cognito was not reached, or there are no AWS credentials.
        """
        answer: Answer
        try:
            answer = self._driver.run(one_call(Call(operation, parameters)))
        except ServiceError as error:
            answer = error
        date = answer.date if isinstance(answer, Response) else _refused_at(answer)
        self.skew = None if date is None else date - _SYSTEM.now()
        return answer


def _refused_at(refusal: ServiceError) -> datetime | None:
    cause = refusal.__cause__
    return service_date(cause.response) if isinstance(cause, ClientError) else None
