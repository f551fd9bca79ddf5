"""What is kept between two turns of a sign-in: plain data, no code.

Rule of this file: `Pending` holds everything that a later turn needs, so that any process can continue. It
never holds a password.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from cognito_flow._json import as_list, as_text, is_encodable, parse_json
from cognito_flow.errors import UnexpectedResponse
from cognito_flow.models import Device

# In characters, by the service model: botocore refuses to send a shorter one.
_SHORTEST_SESSION = 20


def read_session(data: Mapping[str, object]) -> str | None:
    """Return the Session of a response, or None if it has none.

    Raises:
        UnexpectedResponse: It is too short to be sent back.
    """
    session = as_text(data.get("Session"))
    if session is not None and len(session) < _SHORTEST_SESSION:
        raise UnexpectedResponse("Cognito answered with a Session that is too short to be sent back")
    return session


@attrs.frozen(kw_only=True)
class Pending:
    """A challenge as Cognito sent it, with what is needed to answer it.

    Args:
        name: The ChallengeName.
        username: The name to send as USERNAME: Cognito's own one as soon as Cognito has sent it.
        parameters: ChallengeParameters.
        session: The Session that the answer must carry; None if Cognito sent none.
        available: AvailableChallenges.
        pool_id: The pool that sent it.
        client_id: The app client of the sign-in.
        alias: The name that the user typed.
        device: The remembered device of this sign-in, if there is one.
        attempt: How many challenges of this name Cognito has sent in a row, including this one.
        is_repeat: Whether it has the name and the parameters of the previous challenge.
        received_at: When it was received, by the local clock.
    """

    name: str
    username: str
    parameters: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    session: str | None = attrs.field(default=None, repr=False)
    available: tuple[str, ...] = ()
    pool_id: str = ""
    client_id: str = ""
    alias: str | None = None
    device: Device | None = None
    attempt: int = 1
    is_repeat: bool = False
    received_at: datetime | None = None

    def need(self, name: str) -> str:
        """Return the challenge parameter of this name.

        Raises:
            UnexpectedResponse: Cognito did not send it.
        """
        try:
            return self.parameters[name]
        except KeyError:
            raise UnexpectedResponse(f"{self.name} came without its parameter {name!r}") from None

    def need_session(self) -> str:
        """Return the Session.

        Raises:
            UnexpectedResponse: Cognito did not send one.
        """
        if self.session is None:
            raise UnexpectedResponse(f"{self.name} came without a Session")
        return self.session

    def need_json(self, name: str) -> object:
        """Return the challenge parameter of this name, parsed from JSON.

        Raises:
            UnexpectedResponse: Cognito did not send it, it is not JSON, or it contains a lone surrogate.
        """
        try:
            value = parse_json(self.need(name))
        except ValueError:
            raise UnexpectedResponse(f"{self.name} came with a parameter {name!r} that is not JSON") from None
        if not is_encodable(value):
            raise UnexpectedResponse(f"{self.name} came with a parameter {name!r} with a lone surrogate")
        return value

    def need_names(self, name: str) -> tuple[str, ...]:
        """Return the challenge parameter of this name, a JSON list of names.

        Raises:
            UnexpectedResponse: Cognito did not send it, or it is something else.
        """
        value = as_list(self.need_json(name))
        if value is None or not all(isinstance(item, str) for item in value):
            raise UnexpectedResponse(
                f"{self.name} came with a parameter {name!r} that is not a list of names"
            )
        return tuple(str(item) for item in value)
