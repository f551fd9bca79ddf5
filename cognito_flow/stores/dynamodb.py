"""A store in a DynamoDB table, for services on several machines.

Rule of this file: every change is one request, with a condition where another machine may have been faster,
and all reads are strongly consistent.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import attrs

from cognito_flow._checks import is_asynchronous
from cognito_flow._json import as_object, member
from cognito_flow._tracebacks import without_locals
from cognito_flow.errors import StoreError, UsageError
from cognito_flow.models import AppClient
from cognito_flow.stores._cipher import Cipher
from cognito_flow.stores._durations import Durations
from cognito_flow.stores._records import (
    Record,
    Records,
    RecordStore,
    issued_at,
    open_record,
    record_name,
    seal_record,
)

_POLL = 0.1  # seconds between two attempts to take a lock

# Some attributes are named by reserved words of DynamoDB, so that expressions need placeholders.
_PLACEHOLDERS = {"#name": "name", "#issued": "issued", "#owner": "owner", "#until": "until"}

_TEMPORARY = {
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
}

# The classes of botocore for calls that got no response. This module does not import botocore: the client is
# the caller's.
_WITHOUT_RESPONSE = {"ConnectionError", "HTTPClientError"}


@attrs.frozen
class _Condition:
    """When a change is made: an expression, and the values in it."""

    expression: str
    values: Mapping[str, Mapping[str, str]]

    def members(self) -> dict[str, object]:
        """Return the members of a request. DynamoDB refuses names and values that are not used."""
        names = {name: value for name, value in _PLACEHOLDERS.items() if name in self.expression}
        return {
            "ConditionExpression": self.expression,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": dict(self.values),
        }


@attrs.frozen
class _Items:
    """The records in the table: an item each, of the record, when its tokens were issued, and its end."""

    client: Any
    table: str
    cipher: Cipher
    durations: Durations
    now: Callable[[], float]

    def get(self, name: str, /) -> Record | None:
        found = self.client.get_item(TableName=self.table, Key=_key(name), ConsistentRead=True)
        item = as_object(found.get("Item"))
        if item is None or self._has_expired(item):
            return None
        return open_record(self.cipher, name, _bytes(member(item, "record", "B")))

    def __setitem__(self, name: str, record: Record, /) -> None:
        issued = issued_at(record)
        item: dict[str, object] = {
            **_key(name),
            "record": {"B": seal_record(self.cipher, name, record)},
            "issued": {"N": str(issued)},
        }
        if self.durations.lifetime is not None:
            item["until"] = self._in(self.durations.lifetime)
        # A machine that lost its lock while it was refreshing must not replace the newer tokens of the next
        # holder.
        is_newest = _Condition(
            "attribute_not_exists(#issued) OR #issued <= :issued", {":issued": {"N": str(issued)}}
        )
        self.put(item, is_newest if issued else None)

    def pop(self, name: str, default: None, /) -> None:
        self.client.delete_item(TableName=self.table, Key=_key(name))

    def take(self, name: str, owner: str) -> bool:
        """Take a lock if there is none, or an expired one; return whether it is ours now."""
        item = {**_key(name), "owner": {"S": owner}, "until": self._in(self.durations.lock_seconds)}
        # It may be ours already: botocore repeats a request whose response was lost.
        is_free = _Condition(
            "attribute_not_exists(#name) OR #owner = :owner OR #until < :now",
            {":owner": {"S": owner}, ":now": {"N": str(math.floor(self.now()))}},
        )
        return self.put(item, is_free)

    def release(self, name: str, owner: str) -> None:
        """Release a lock, unless it has expired and belongs to another process by now."""
        is_ours = _Condition("#owner = :owner", {":owner": {"S": owner}})
        with suppress(self.client.exceptions.ConditionalCheckFailedException):
            self.client.delete_item(TableName=self.table, Key=_key(name), **is_ours.members())

    def put(self, item: Mapping[str, object], condition: _Condition | None) -> bool:
        """Put an item, and return whether the condition was met."""
        members = {} if condition is None else condition.members()
        try:
            self.client.put_item(TableName=self.table, Item=item, **members)
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _in(self, seconds: float) -> dict[str, str]:
        # DynamoDB's time to live takes whole seconds since 1970.
        return {"N": str(math.ceil(self.now() + seconds))}

    def _has_expired(self, item: Record) -> bool:
        """DynamoDB deletes expired items only within days."""
        until = member(item, "until", "N")
        return isinstance(until, str) and float(until) <= self.now()


def _key(name: str) -> dict[str, object]:
    return {"name": {"S": name}}


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


@without_locals
class DynamoDBStore(RecordStore):
    """Keeps tokens and devices in a DynamoDB table (extra ``dynamodb``), for all machines of a service.

    The table has the partition key ``name``, a string, and no sort key. Switch on time to live for the
    attribute ``until``, so that DynamoDB deletes expired items. It encrypts the table, and IAM decides who
    may read it; with keys, records are encrypted before they leave the machine. User names stay readable.

    A lock expires if its holder dies. If its holder is only slow, and two machines refresh at once, the
    tokens that Cognito issued last are kept.

    Args:
        client: ``boto3.client("dynamodb")``, not one of aiobotocore. It is called from several threads.
        table: The table's name.
        keys: Secrets of at least 32 random bytes, newest first: the first one encrypts, all of them decrypt.
            Without any, records are plain JSON.
        lifetime: How long a record is kept after its last change, in seconds: for example as long as the app
            client's refresh tokens are valid. None: until it is deleted.
        patience: How long to wait for another process that refreshes, in seconds.
        lock_seconds: When a lock expires whose holder died, in seconds. Longer than a refresh takes with all
            its repetitions, and than the machines' clocks differ.
        now: The clock, in seconds since 1970.
        sleep: Waits that many seconds before the next attempt to take a lock.

    Raises:
        UsageError: The client is asynchronous, a key is too short, keys is not a sequence, patience is not a
            number from 0 to a million, or lifetime or lock_seconds is not a number, or shorter than a
            millisecond or longer than a hundred years.
            From the methods: StoreDamaged, StoreError.
    """

    def __init__(
        self,
        client: object,
        table: str,
        *,
        keys: Sequence[str | bytes] = (),
        lifetime: float | None = None,
        patience: float = 60,
        lock_seconds: float = 60,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        # Its coroutines would never be awaited, and nothing would be stored.
        if is_asynchronous(client, "_make_api_call"):
            raise UsageError("pass a client of boto3: AsyncAuthFlow calls stores in worker threads")
        durations = Durations(lifetime, patience, lock_seconds)
        self._items = _Items(client, table, Cipher.of(keys, "cognito_flow record", 1), durations, now)
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._items.table!r})"

    @contextmanager
    def lock(self, app: AppClient, username: str) -> Generator[None]:
        """Hold the lock of this user's tokens. See `LockingTokenStore.lock`.

        Raises:
            StoreError: Another process held it all the time, or DynamoDB cannot be used.
        """
        name, owner = record_name("lock", app, username), secrets.token_hex()
        with _as_store_error():
            self._take(name, owner)
        try:
            yield
        finally:
            with _as_store_error():
                self._items.release(name, owner)

    def _take(self, name: str, owner: str) -> None:
        # The pauses are counted, because a clock can be set back.
        waited = 0.0
        while not self._items.take(name, owner):
            if waited >= self._items.durations.patience:
                raise StoreError(f"another process has held {name} too long", retryable=True)
            self._sleep(_POLL)
            waited += _POLL

    @contextmanager
    def _open(self) -> Generator[Records]:
        with _as_store_error():
            yield self._items


@contextmanager
def _as_store_error() -> Generator[None]:
    try:
        yield
    except Exception as error:
        of_botocore = {
            base.__name__ for base in type(error).__mro__ if base.__module__ == "botocore.exceptions"
        }
        if not of_botocore:
            raise
        code = member(getattr(error, "response", None), "Error", "Code")
        reason = type(error).__name__ if code is None else code
        is_temporary = code in _TEMPORARY or not of_botocore.isdisjoint(_WITHOUT_RESPONSE)
        # Its message may quote an item.
        raise StoreError(f"DynamoDB failed ({reason})", retryable=is_temporary) from None
