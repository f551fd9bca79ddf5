"""LocalCognito: the service itself, which takes requests of the wire format and answers them.

Rule of this file: it knows the wire format and no operation. One request at a time has the state; what goes
wrong in an operation goes out as Cognito's error.

Source: the service model's metadata (JSON protocol 1.1, target prefix AWSCognitoIdentityProviderService).
"""

from __future__ import annotations

import copy
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from typing import cast

import attrs

from cognito_flow._json import as_object
from cognito_flow.testing import door, validation
from cognito_flow.testing.clock import Clock
from cognito_flow.testing.faults import AnswerLost, Fault, Faults, Trouble
from cognito_flow.testing.operations import OPERATIONS
from cognito_flow.testing.operations.request import Request
from cognito_flow.testing.outbox import Message
from cognito_flow.testing.pool import Pool
from cognito_flow.testing.recent import Recent
from cognito_flow.testing.refusal import Refusal
from cognito_flow.testing.server import Serving
from cognito_flow.testing.state import Members, UserPool

__all__ = ["LocalCognito", "RecordedCall", "Reply"]

_TARGET_PREFIX = "AWSCognitoIdentityProviderService."


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
        sleep: Waits that many seconds, where `faults` delays a call; the default really waits.

    Attributes:
        outbox: The messages that were sent, newest last; the last 10,000.
        calls: The calls that were made, newest last; the last 10,000.
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
    sleep: Callable[[float], None] = attrs.field(default=time.sleep, repr=False)
    outbox: list[Message] = attrs.field(factory=Recent[Message], init=False, repr=False)
    calls: list[RecordedCall] = attrs.field(factory=Recent[RecordedCall], init=False, repr=False)
    faults: Faults = attrs.field(factory=Faults, init=False, repr=False)
    _shared_client: object | None = attrs.field(default=None, init=False, repr=False)
    _pools: dict[str, UserPool] = attrs.field(factory=dict[str, UserPool], init=False, repr=False)
    # A trigger may call the service that is just running it.
    _lock: threading.RLock = attrs.field(factory=threading.RLock, init=False, repr=False)

    # -- for tests --

    def create_pool(self, pool_name: str = "pool", *, pool_id: str | None = None, **members: object) -> Pool:
        """Make a user pool, through CreateUserPool and SetUserPoolMfaConfig.

        Args:
            pool_name: PoolName.
            pool_id: The id that it is to have, for programs whose settings name one; drawn if None.
            members: The members of both operations, in snake case: ``mfa_configuration="ON"``,
                ``software_token_mfa_configuration={"Enabled": True}``, ``alias_attributes=["email"]`` ...

        Raises:
            TypeError: There is no such member.
            ValueError: The id is in use, or is none of this region.
            botocore.exceptions.ClientError: The service refuses them.
        """
        pool = Pool.create(self, pool_name, members)
        return pool if pool_id is None else attrs.evolve(pool, id=self._rename(pool.id, pool_id))

    def _rename(self, drawn: str, wanted: str) -> str:
        if wanted in self._pools:
            raise ValueError(f"there is a pool {wanted} already")
        if not re.fullmatch(rf"{re.escape(self.region)}_[0-9a-zA-Z]+", wanted, re.ASCII):
            raise ValueError(
                f"{wanted!r} is no pool id of this region: it is {self.region}_ and letters or digits"
            )
        pool = self._pools.pop(drawn)
        self._pools[wanted] = attrs.evolve(pool, id=wanted, issuer=pool.issuer.replace(drawn, wanted))
        return wanted

    def client(self) -> object:
        """A boto3 client for ``cognito-idp`` that is answered here, with AWS credentials of no meaning, and
        that repeats no call by itself."""
        return door.make_client(self)

    @property
    def shared_client(self) -> object:
        """One such client for all: pools and the flows that they make use it. To make one takes longer than
        most sign-ins."""
        with self._lock:
            if self._shared_client is None:
                self._shared_client = door.make_client(self)
            return self._shared_client

    def install(self, session: object) -> None:
        """Answer every ``cognito-idp`` client that this boto3, botocore or aiobotocore session makes from now
        on, in place of any service that was installed there before.

        Raises:
            TypeError: It is no session.
        """
        door.install(self, session)

    def serve(self, port: int = 0, *, host: str = "127.0.0.1", patience: float = 30) -> Serving:
        """Serve everything over HTTP, for other programs and other languages.

        >>> with LocalCognito().serve() as url:
        ...     print(url.startswith("http://127.0.0.1:"))
        True

        Args:
            port: The port; 0 takes any that is free.
            host: The address to bind; only programs on this machine can reach the default one.
            patience: How long a client may take between two bytes, and between two requests, in seconds.

        Returns:
            A context manager that gives the URL, and has it as `url`. What is served there is told in
            "LocalCognito over HTTP" in the documentation.

        Raises:
            OSError: The port is in use, when the context is entered.
        """
        return Serving(self, host, port, patience)

    def snapshot(self) -> Callable[[], None]:
        """Remember all pools with their users, and the clock.

        Returns:
            A function that puts everything back as it is now, and clears `outbox`, `calls` and `faults`.
        """
        with self._lock:
            pools, ahead = self._copy(self._pools), self.clock.ahead

        def restore() -> None:
            with self._lock:
                self._pools = self._copy(pools)  # at once: who reads without the lock finds all or none
                self.clock.ahead = ahead
                self.outbox.clear()
                self.calls.clear()
                self.faults.clear()

        return restore

    @staticmethod
    def _copy(pools: dict[str, UserPool]) -> dict[str, UserPool]:
        # Triggers are the test's own, and may remember things: they stay the same ones.
        triggers = [trigger for pool in pools.values() for trigger in pool.triggers.values()]
        return copy.deepcopy(pools, {id(trigger): trigger for trigger in triggers})

    def state(self, pool_id: str) -> UserPool:
        """A pool's own record, for tests that must look behind the scenes.

        Raises:
            KeyError: There is no such pool.
        """
        return self._pools[pool_id]

    def pool_ids(self) -> list[str]:
        """The ids of all pools, in the order in which they were made."""
        return list(self._pools)

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
        fault = self._trouble(operation)
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

    def _trouble(self, operation: str) -> Fault:
        with self._lock:
            trouble = self.faults.take(operation) or Trouble(Fault.DELAY)
        if trouble.seconds:
            self.sleep(trouble.seconds)  # outside the lock: only this call waits
        return trouble.fault

    def _process(self, operation: str, headers: Mapping[str, str], body: bytes) -> Reply:
        names: tuple[str, ...] = ()
        try:
            parameters = _parse(body)
            names = _names(parameters)
            parameters = _check(operation, headers, parameters)
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


def _check(operation: str, headers: Mapping[str, str], parameters: Members) -> Members:
    """What is checked before an operation is looked at; gives what is left of the parameters."""
    if operation not in OPERATIONS:
        known = operation in validation.operations()
        text = "LocalCognito does not offer" if known else "Cognito has no"
        raise Refusal("UnknownOperationException", f"{text} the operation {operation!r}.")
    if validation.requires_signature(operation) and "authorization" not in headers:
        raise Refusal("MissingAuthenticationTokenException", "Missing Authentication Token")
    return validation.check(operation, parameters)
