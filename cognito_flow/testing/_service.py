"""The service itself, which takes requests of the wire format and answers them.

Rule of this file: it knows the wire format, but no single operation, no door and no `Pool`. A lock gives one
request at a time the state; a refusal is sent as Cognito's error.

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
from typing import TypeVar

import attrs

from cognito_flow._json import as_object, parse_json
from cognito_flow.testing._operations import OPERATIONS, validation
from cognito_flow.testing._operations.request import Request
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import UserPool
from cognito_flow.testing._state.refusal import Refusal
from cognito_flow.testing.clock import Clock
from cognito_flow.testing.faults import AnswerLost, Fault, Faults, ScheduledFault
from cognito_flow.testing.outbox import Message

_TARGET_PREFIX = "AWSCognitoIdentityProviderService."

# Where a request names its region: in the scope of a signature (AWS Signature Version 4), or in the host name
# of the service. An unsigned request to another host, such as localhost, names none.
_SIGNED_FOR = re.compile(r"Credential=[^/,]*/\d{8}/([a-z0-9-]+)/")
_REGIONAL_HOST = re.compile(r"cognito-idp(?:-fips)?\.([a-z0-9-]+)\.")


@attrs.frozen
class RecordedCall:
    """A call that was made, without values.

    Args:
        operation: The operation.
        sent: The names of its parameters, one level deep.
        error: The error code of the answer; None if it succeeded.
    """

    operation: str
    sent: tuple[str, ...]
    error: str | None


@attrs.frozen
class Reply:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes = attrs.field(repr=False)


_T = TypeVar("_T")
_KEPT = 10_000


class _Newest(list[_T]):
    """A list that keeps its newest 10,000 items, so that a service that runs for weeks does not fill the
    memory."""

    def append(self, item: _T, /) -> None:
        """Add an item, and drop the oldest ones beyond the limit."""
        super().append(item)
        del self[:-_KEPT]


@attrs.define(eq=False)
class Service:
    """Cognito user pools in memory, as requests and answers of the wire format.

    `LocalCognito` documents the arguments and attributes.
    """

    region: str = "eu-west-1"
    clock: Clock = attrs.field(factory=Clock)
    sleep: Callable[[float], None] = attrs.field(default=time.sleep, repr=False)
    outbox: list[Message] = attrs.field(factory=_Newest[Message], init=False, repr=False)
    calls: list[RecordedCall] = attrs.field(factory=_Newest[RecordedCall], init=False, repr=False)
    faults: Faults = attrs.field(factory=Faults, init=False, repr=False)
    _pools: dict[str, UserPool] = attrs.field(factory=dict[str, UserPool], init=False, repr=False)
    # Reentrant, because a trigger may call the service that runs it.
    _lock: threading.RLock = attrs.field(factory=threading.RLock, init=False, repr=False)

    def snapshot(self) -> Callable[[], None]:
        """Remember all pools with their users, and the clock.

        Returns:
            A function that restores everything, and clears `outbox`, `calls` and `faults`.
        """
        with self._lock:
            pools, ahead = self._copy(self._pools), self.clock.ahead

        def restore() -> None:
            with self._lock:
                self._pools = self._copy(pools)  # one assignment: readers without the lock see all or nothing
                self.clock.ahead = ahead
                self.outbox.clear()
                self.calls.clear()
                self.faults.clear()

        return restore

    @staticmethod
    def _copy(pools: dict[str, UserPool]) -> dict[str, UserPool]:
        # Triggers belong to the test and may have state, so they are not copied.
        triggers = [trigger for pool in pools.values() for trigger in pool.triggers.values()]
        return copy.deepcopy(pools, {id(trigger): trigger for trigger in triggers})

    def state(self, pool_id: str) -> UserPool:
        """Return the record of a pool, for tests that need its internal state.

        Raises:
            KeyError: There is no such pool.
        """
        return self._pools[pool_id]

    def pool_ids(self) -> list[str]:
        """Return the ids of all pools, in the order of their creation."""
        return list(self._pools)

    # -- the wire format --

    def handle(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer a request.

        Args:
            headers: The HTTP headers, by lower-case name.
            body: The body.

        Raises:
            AnswerLost: A fault loses the answer.
        """
        operation = headers.get("x-amz-target", "").removeprefix(_TARGET_PREFIX)
        fault = self._due_fault(operation)
        names: tuple[str, ...] = ()
        outcome: Members | Refusal
        try:
            parameters = _parse(body)
            names = _names(parameters)
            outcome = self._process(operation, headers, parameters, fault)
        except Refusal as refusal:
            outcome = refusal
        if fault is Fault.ERROR_AFTER:
            outcome = _internal_error()
        self.calls.append(RecordedCall(operation, names, getattr(outcome, "code", None)))
        if fault is Fault.LOST:
            raise AnswerLost
        return self._refuse(outcome) if isinstance(outcome, Refusal) else self._reply(200, outcome)

    def _due_fault(self, operation: str) -> Fault:
        with self._lock:
            due = self.faults.take(operation) or ScheduledFault(Fault.DELAY)
        if due.seconds:
            self.sleep(due.seconds)  # outside the lock: only this call waits
        return due.fault

    def _process(
        self, operation: str, headers: Mapping[str, str], parameters: Members, fault: Fault
    ) -> Members:
        if fault is Fault.THROTTLE:
            raise Refusal("TooManyRequestsException", "Rate exceeded")
        if fault is Fault.ERROR_BEFORE:
            raise _internal_error()
        checked = _check(operation, headers, parameters)
        return self.run(operation, OPERATIONS[operation], checked, _region(headers))

    def run(
        self, operation: str, act: Callable[[Request], Members], parameters: Members, region: str | None
    ) -> Members:
        """Let an operation change the state, while no other does.

        Raises:
            Refusal: The operation refuses the request.
        """
        with self._lock:
            seen = {pool.id: pool for pool in self._pools.values() if region is None or pool.region == region}
            where = region or self.region
            return act(Request(operation, parameters, where, seen, self._pools, self.outbox, self.clock()))

    def _refuse(self, refusal: Refusal) -> Reply:
        members = {"__type": refusal.code, "message": refusal.text, **refusal.members}
        headers = {
            "x-amzn-errortype": f"{refusal.code}:",
            "x-amzn-errormessage": _one_line(refusal.text),
        }
        return self._reply(refusal.status, members, headers)

    def _reply(self, status: int, members: Members, headers: Mapping[str, str] | None = None) -> Reply:
        body = json.dumps(members).encode()
        common = {
            "Content-Type": "application/x-amz-json-1.1",
            "Content-Length": str(len(body)),
            "Date": format_datetime(self.clock(), usegmt=True),
            "x-amzn-requestid": str(uuid.uuid4()),
        }
        return Reply(status, {**common, **(headers or {})}, body)


def _region(headers: Mapping[str, str]) -> str | None:
    """The region that a request is for; None if it does not say so."""
    found = _SIGNED_FOR.search(headers.get("authorization", "")) or _REGIONAL_HOST.match(
        headers.get("host", "")
    )
    return None if found is None else found[1]


def _one_line(text: str) -> str:
    """A text as a header can carry it: one line of printable ASCII."""
    return "".join(letter if " " <= letter <= "~" else " " for letter in text)


def _internal_error() -> Refusal:
    return Refusal("InternalErrorException", "Something went wrong")


def _parse(body: bytes) -> Members:
    try:
        parameters = as_object(parse_json(body))
    except ValueError:
        parameters = None
    if parameters is None:
        raise Refusal("SerializationException", "The request body is not a JSON object.")
    # A member that is null counts as absent.
    return {name: value for name, value in parameters.items() if value is not None}


def _names(parameters: Members) -> tuple[str, ...]:
    names: list[str] = []
    for name, value in parameters.items():
        inner = as_object(value)
        if inner is None:
            names.append(name)
        else:
            names += [f"{name}.{inner_name}" for inner_name, item in inner.items() if item is not None]
    return tuple(names)


def _check(operation: str, headers: Mapping[str, str], parameters: Members) -> Members:
    """Check everything but the operation itself, and return the known parameters."""
    known = validation.operations()  # an older botocore knows less, and then its members cannot be checked
    if operation not in OPERATIONS or operation not in known:
        is_one = operation in OPERATIONS or operation in known
        text = "LocalCognito does not offer" if is_one else "Cognito has no"
        raise Refusal("UnknownOperationException", f"{text} the operation {operation!r}.")
    if validation.requires_signature(operation) and "authorization" not in headers:
        raise Refusal("MissingAuthenticationTokenException", "Missing Authentication Token")
    return validation.check(operation, parameters)
