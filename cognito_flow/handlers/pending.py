"""What is kept between two turns of a sign-in: plain data, no code.

Rule of this file: everything a later turn needs stands in `Pending`, so that any process can go on. No
password is ever in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

import attrs

from cognito_flow._json import as_list
from cognito_flow.errors import UnexpectedResponse
from cognito_flow.models import Device


@attrs.frozen(kw_only=True)
class Pending:
    """A challenge as Cognito sent it, with what is needed to answer it.

    Args:
        name: The ChallengeName.
        username: The name to send back as USERNAME: Cognito's own one as soon as it has told it.
        parameters: ChallengeParameters.
        session: The Session that the answer must carry; None where Cognito gave none.
        available: AvailableChallenges.
        pool_id: The pool that asked.
        client_id: The app client that was asked through.
        alias: What the person typed.
        device: The device of this sign-in, if there is one.
        attempt: 1 for the first time that this challenge is asked in a row, 2 for the second ...
        is_repeat: Whether it is the previous challenge over again, with the same parameters.
        received_at: When it came, by the local clock.
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
        """The challenge parameter of this name.

        Raises:
            UnexpectedResponse: Cognito did not send it.
        """
        try:
            return self.parameters[name]
        except KeyError:
            raise UnexpectedResponse(f"{self.name} came without its parameter {name!r}") from None

    def need_session(self) -> str:
        """The Session.

        Raises:
            UnexpectedResponse: Cognito did not send one.
        """
        if self.session is None:
            raise UnexpectedResponse(f"{self.name} came without a Session")
        return self.session

    def need_json(self, name: str) -> object:
        """The challenge parameter of this name, which holds JSON text.

        Raises:
            UnexpectedResponse: Cognito did not send it, or it is not JSON.
        """
        try:
            return json.loads(self.need(name))
        except (ValueError, RecursionError):
            raise UnexpectedResponse(f"{self.name} came with a parameter {name!r} that is not JSON") from None

    def need_names(self, name: str) -> tuple[str, ...]:
        """The challenge parameter of this name, which holds a JSON list of names.

        Raises:
            UnexpectedResponse: Cognito did not send it, or it is something else.
        """
        value = as_list(self.need_json(name))
        if value is None or not all(isinstance(item, str) for item in value):
            raise UnexpectedResponse(
                f"{self.name} came with a parameter {name!r} that is not a list of names"
            )
        return tuple(str(item) for item in value)
