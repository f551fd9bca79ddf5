"""Drive an exchange of the core without I/O: tests read its calls and write the responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from cognito_flow import AppClient, Device
from cognito_flow import _engine as engine
from cognito_flow._exchange import Call, Exchange, Response, Wait
from cognito_flow._turn import Settings, Turn
from cognito_flow.credentials import Credentials
from cognito_flow.errors import CognitoFlowError
from cognito_flow.models import System
from tests.support.contract import check_call

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
APP = AppClient("eu-west-1_abc", "client", "s" * 30)
SESSION = "s" * 20
DEVICE = Device("eu-west-1_0a-1", "-group", "secret")
RESULT: dict[str, object] = {
    "AccessToken": "not-a-jwt",
    "IdToken": "id",
    "RefreshToken": "refresh",
    "ExpiresIn": 3600,
    "TokenType": "Bearer",
}
DONE = {"AuthenticationResult": RESULT, "ChallengeParameters": {}}
VERIFIER = {
    "SALT": "1f",
    "SRP_B": "2a",
    "SECRET_BLOCK": "c2VjcmV0",
    "USERNAME": "alice",
    "USER_ID_FOR_SRP": "alice",
}
DEVICE_VERIFIER = {
    "SALT": "1f",
    "SRP_B": "2a",
    "SECRET_BLOCK": "c2Vj",
    "DEVICE_KEY": DEVICE.key,
    "USERNAME": "alice",
}


def turn(device: Device | None = None, **settings: Any) -> Turn:
    """A turn with a fixed clock and real randomness."""
    given = {"app": APP, "system": System(now=lambda: NOW), **settings}
    return Turn(settings=Settings(**given), device=device)


def ask(name: str, session: str | None = SESSION, **parameters: str) -> dict[str, object]:
    """A response that contains a challenge."""
    data: dict[str, object] = {"ChallengeName": name, "ChallengeParameters": parameters}
    return data if session is None else {**data, "Session": session}


class Conversation:
    """Run an exchange step by step, and check each call against the service model."""

    def __init__(self, exchange: Exchange[Any]) -> None:
        self.exchange = exchange
        self.result: Any = None
        self.call: Call | None = check_call(next(exchange))

    def answer(self, data: Mapping[str, object], date: datetime | None = None) -> Conversation:
        """Send a response of the service."""
        return self._take(lambda: self.exchange.send(Response(data, date)))

    def refuse(self, error: CognitoFlowError) -> Conversation:
        """Raise an error of the service."""
        return self._take(lambda: self.exchange.throw(error))

    def _take(self, step: Callable[[], Call | Wait[object]]) -> Conversation:
        try:
            self.call = check_call(step())
        except StopIteration as stop:
            self.call, self.result = None, stop.value
        return self

    @property
    def operation(self) -> str:
        """The operation of the last call."""
        assert self.call is not None
        return self.call.operation

    @property
    def sent(self) -> Mapping[str, Any]:
        """The parameters of the last call."""
        assert self.call is not None
        return self.call.parameters

    @property
    def responses(self) -> Mapping[str, str]:
        """The ChallengeResponses of the last call."""
        responses: Mapping[str, str] = self.sent["ChallengeResponses"]
        return responses


def start(credentials: Credentials, turn_: Turn | None = None) -> Conversation:
    """Begin a sign-in."""
    return Conversation(engine.start(turn_ or turn(), credentials))
