"""LocalCognito: the service itself, which takes requests of the wire format and answers them.

Rule of this file: it knows the wire format and no operation. One request at a time has the state; what goes
wrong in an operation goes out as Cognito's error, and what goes wrong in LocalCognito itself as an
InternalErrorException that says so.

Source: the service model's metadata (JSON protocol 1.1, target prefix AWSCognitoIdentityProviderService).
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Mapping
from email.utils import format_datetime
from typing import cast

import attrs

from cognito_flow._json import as_object
from cognito_flow.testing import door, validation
from cognito_flow.testing.clock import Clock
from cognito_flow.testing.faults import Fault, Faults
from cognito_flow.testing.operations import OPERATIONS
from cognito_flow.testing.operations.request import Request
from cognito_flow.testing.outbox import Message
from cognito_flow.testing.pool import Pool
from cognito_flow.testing.refusal import Refusal
from cognito_flow.testing.state import Members, UserPool

__all__ = ["AnswerLost", "LocalCognito", "RecordedCall", "Reply"]

_TARGET_PREFIX = "AWSCognitoIdentityProviderService."


class AnswerLost(Exception):
    """The call was processed, and its answer is to get lost."""


@attrs.frozen
class RecordedCall:
    """A call that was made, by name only.

    Args:
        operation: The operation.
        sent: The names of its parameters, one level deep.
        error: The error code of the answer.
    """

    operation: str
    sent: tuple[str, ...]
    error: str | None


@attrs.frozen
class Reply:
    """An answer on the wire."""

    status: int
    headers: dict[str, str]
    body: bytes = attrs.field(repr=False)


@attrs.define(eq=False)
class LocalCognito:
    """User pools in memory that really verify: nothing is accepted that Cognito refuses.

    Args:
        region: The region that the pools are in.
        clock: The clock; advance it to let time pass.

    Attributes:
        outbox: The messages that were sent, newest last.
        calls: The calls that were made, newest last.
        faults: Trouble to come.

    >>> from cognito_flow import UserSrpAuth
    >>> cognito = LocalCognito()
    >>> pool = cognito.create_pool()
    >>> user = pool.add_user("alice", "correct horse")
    >>> pool.flow().start(UserSrpAuth("alice", "correct horse")).username
    'alice'
    """

    region: str = "eu-west-1"
    clock: Clock = attrs.field(factory=Clock)
    outbox: list[Message] = attrs.field(factory=list[Message], init=False, repr=False)
    calls: list[RecordedCall] = attrs.field(factory=list[RecordedCall], init=False, repr=False)
    faults: Faults = attrs.field(factory=Faults, init=False, repr=False)
    _pools: dict[str, UserPool] = attrs.field(factory=dict[str, UserPool], init=False, repr=False)
    # A trigger may call the service that is just running it.
    _lock: threading.RLock = attrs.field(factory=threading.RLock, init=False, repr=False)

    # -- for tests --

    def create_pool(self, pool_name: str = "pool", **members: object) -> Pool:
        """Make a user pool, through CreateUserPool and SetUserPoolMfaConfig.

        Args:
            pool_name: PoolName.
            members: The members of both operations, in snake case: ``mfa_configuration="ON"``,
                ``software_token_mfa_configuration={"Enabled": True}``, ``alias_attributes=["email"]`` ...

        Raises:
            TypeError: There is no such member.
            botocore.exceptions.ClientError: The service refuses them.
        """
        return Pool.create(self, pool_name, members)

    def client(self) -> object:
        """A boto3 client for ``cognito-idp`` that is answered here, with AWS credentials of no meaning, and
        that repeats no call by itself."""
        return door.make_client(self)

    def install(self, session: object) -> None:
        """Answer every ``cognito-idp`` client that this boto3, botocore or aiobotocore session makes from now
        on."""
        door.install(self, session)

    def state(self, pool_id: str) -> UserPool:
        """A pool's own record, for tests that must look behind the scenes."""
        return self._pools[pool_id]

    # -- the door --

    def handle(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer a request.

        Args:
            headers: The HTTP headers, by lower-case name.
            body: The body.

        Raises:
            AnswerLost: A fault wants it so.
        """
        operation = headers.get("x-amz-target", "").removeprefix(_TARGET_PREFIX)
        with self._lock:
            fault = self.faults.take(operation)
        if fault is Fault.THROTTLE:
            return self._refuse(operation, (), Refusal("TooManyRequestsException", "Rate exceeded"))
        if fault is Fault.ERROR_BEFORE:
            return self._refuse(operation, (), _internal_error())
        reply = self._process(operation, headers, body)
        if fault is Fault.ERROR_AFTER:
            return self._refuse(operation, (), _internal_error())
        if fault is Fault.LOST:
            raise AnswerLost
        return reply

    def _process(self, operation: str, headers: Mapping[str, str], body: bytes) -> Reply:
        names: tuple[str, ...] = ()
        try:
            parameters = _parse(body)
            names = _names(parameters)
            _check(operation, headers, parameters)
            with self._lock:
                answer = OPERATIONS[operation](self._request(operation, parameters))
        except Refusal as refusal:
            return self._refuse(operation, names, refusal)
        self.calls.append(RecordedCall(operation, names, None))
        return self._reply(200, json.dumps(answer).encode())

    def _request(self, operation: str, parameters: Members) -> Request:
        return Request(operation, parameters, self.region, self._pools, self.outbox, self.clock())

    def _refuse(self, operation: str, names: tuple[str, ...], refusal: Refusal) -> Reply:
        self.calls.append(RecordedCall(operation, names, refusal.code))
        body = {"__type": refusal.code, "message": refusal.text, **refusal.members}
        headers = {"x-amzn-errortype": f"{refusal.code}:"}
        return self._reply(refusal.status, json.dumps(body).encode(), headers)

    def _reply(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Reply:
        common = {
            "Content-Type": "application/x-amz-json-1.1",
            "Content-Length": str(len(body)),
            "Date": format_datetime(self.clock(), usegmt=True),
            "x-amzn-requestid": str(uuid.uuid4()),
        }
        return Reply(status, {**common, **(headers or {})}, body)


def _internal_error() -> Refusal:
    return Refusal("InternalErrorException", "Something went wrong")


def _parse(body: bytes) -> Members:
    try:
        parameters = json.loads(body, object_pairs_hook=_present)
        json.dumps(parameters, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        parameters = None
    if not isinstance(parameters, dict):
        raise Refusal("SerializationException", "The request body is not a JSON object.")
    return cast("Members", parameters)


def _present(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A member that is null is one that is not there."""
    return {name: value for name, value in pairs if value is not None}


def _names(parameters: Members) -> tuple[str, ...]:
    names: list[str] = []
    for name, value in parameters.items():
        inner = as_object(value)
        names += [name] if inner is None else [f"{name}.{inner_name}" for inner_name in inner]
    return tuple(names)


def _check(operation: str, headers: Mapping[str, str], parameters: Members) -> None:
    """What is checked before an operation is looked at."""
    if operation not in OPERATIONS:
        known = operation in validation.operations()
        text = "LocalCognito does not offer" if known else "Cognito has no"
        raise Refusal("UnknownOperationException", f"{text} the operation {operation!r}.")
    if validation.requires_signature(operation) and "authorization" not in headers:
        raise Refusal("MissingAuthenticationTokenException", "Missing Authentication Token")
    validation.check(operation, parameters)
