"""Single calls of Cognito for `doctor`, which learns from refusals.

Rule of this file: it makes a call and remembers how far Cognito's clock was from this machine's. What the
outcome means is decided in `probes` and `settings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import attrs
from botocore.exceptions import ClientError

from cognito_flow._exchange import Call, Response
from cognito_flow._transport.clients import Clients
from cognito_flow._transport.drivers import Driver, Transport, one_call
from cognito_flow._transport.translate import service_date
from cognito_flow.cli.connection import Connection
from cognito_flow.errors import ServiceError
from cognito_flow.models import AppClient

Outcome: TypeAlias = Response | ServiceError


def _driver(client: ProbingClient) -> Driver:
    boto = client.connection.client(is_signed=client.is_signed)
    clients = Clients(client.connection.app, boto, client.is_signed)
    system = client.connection.system()
    return Driver(Transport(clients, system, None, client.connection.timeout))


@attrs.define
class ProbingClient:
    """Calls Cognito and returns refusals as values.

    Args:
        connection: The app client, which says where Cognito is.
        is_signed: Whether the calls are signed with AWS credentials.
    """

    connection: Connection
    is_signed: bool
    skew: timedelta | None = attrs.field(default=None, init=False)
    """How far Cognito's clock was ahead of this machine's at the last call."""
    _driver: Driver = attrs.field(default=attrs.Factory(_driver, takes_self=True), init=False)

    @property
    def app(self) -> AppClient:
        """The app client."""
        return self.connection.app

    def call(self, operation: str, parameters: Mapping[str, object]) -> Outcome:
        """Make a call.

        Args:
            operation: The API operation.
            parameters: Its input, as boto3 takes it.

        Returns:
            Cognito's response, or its refusal.

        Raises:
            CognitoFlowError: Cognito was not reached, or there are no AWS credentials.
        """
        outcome: Outcome
        try:
            with self.connection.waiting():
                outcome = self._driver.run(one_call(Call(operation, parameters)))
        except ServiceError as error:
            outcome = error
        date = outcome.date if isinstance(outcome, Response) else _refused_at(outcome)
        self.skew = None if date is None else date - datetime.now(UTC)
        return outcome


def _refused_at(refusal: ServiceError) -> datetime | None:
    cause = refusal.__cause__
    return service_date(cause.response) if isinstance(cause, ClientError) else None
