"""Stores of tokens and devices in a DynamoDB table, for services on several machines.

The table needs the partition key ``name``, a string, and time to live on ``until``. DynamoDB encrypts it at rest,
and IAM decides who can read it.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote

import attrs

from cognito_flow import AppClient, Device, StoreError, Tokens


def item_name(kind: str, app: AppClient, username: str) -> str:
    user = quote(username, safe="@", errors="surrogatepass")
    return f"{kind}/{app.pool_id}/{app.client_id}/{user}"


@attrs.frozen
class Items:
    """JSON objects in the table.

    Args:
        client: ``boto3.client("dynamodb")``. Threads can share a client, but not a Table resource.
        table: The table's name.
    """

    client: Any
    table: str

    def read(self, name: str) -> dict[str, str] | None:
        # Only a consistent read is sure to return what another machine has just written.
        found = self.client.get_item(TableName=self.table, Key={"name": {"S": name}}, ConsistentRead=True)
        return json.loads(found["Item"]["record"]["S"]) if "Item" in found else None

    def write(self, name: str, record: Mapping[str, str | None]) -> None:
        item = {"name": {"S": name}, "record": {"S": json.dumps(record)}}
        self.client.put_item(TableName=self.table, Item=item)

    def drop(self, name: str) -> None:
        self.client.delete_item(TableName=self.table, Key={"name": {"S": name}})

    def take(self, name: str, owner: str, now: float, until: float) -> bool:
        """Take the lock if it is free or has expired, and return whether that succeeded."""
        try:
            self.client.put_item(
                TableName=self.table,
                Item={"name": {"S": name}, "owner": {"S": owner}, "until": {"N": f"{until:.0f}"}},
                ConditionExpression="attribute_not_exists(#name) OR #until < :now",
                ExpressionAttributeNames={"#name": "name", "#until": "until"},
                ExpressionAttributeValues={":now": {"N": f"{now:.0f}"}},
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def release(self, name: str, owner: str) -> None:
        """Release the lock, unless it has expired and another owner has taken it."""
        with suppress(self.client.exceptions.ConditionalCheckFailedException):
            self.client.delete_item(
                TableName=self.table,
                Key={"name": {"S": name}},
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":owner": {"S": owner}},
            )


@attrs.frozen
class DynamoDBStore:
    """A store of tokens, with locks, and of devices.

    Args:
        items: Where the tokens are stored.
        patience: How long to wait for another process to refresh, in seconds.
        lock_seconds: When a lock expires, in seconds. Must be longer than a refresh with all its retries, and
            than the difference between the machines' clocks.
        now: The clock, in seconds since 1970.
        sleep: Waits for a number of seconds between two attempts.
    """

    items: Items
    patience: float = 60
    lock_seconds: float = 60
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def get_tokens(self, app: AppClient, username: str) -> Tokens | None:
        record = self.items.read(item_name("tokens", app, username))
        return None if record is None else Tokens.from_dict(record)

    def put_tokens(self, app: AppClient, username: str, tokens: Tokens) -> None:
        self.items.write(item_name("tokens", app, username), tokens.to_dict())

    def delete_tokens(self, app: AppClient, username: str) -> None:
        self.items.drop(item_name("tokens", app, username))

    @contextmanager
    def lock(self, app: AppClient, username: str) -> Generator[None]:
        name, owner = item_name("lock", app, username), secrets.token_hex()
        give_up = self.now() + self.patience
        while not self.items.take(name, owner, now := self.now(), now + self.lock_seconds):
            if now >= give_up:
                raise StoreError("another process has held the lock of these tokens too long", retryable=True)
            self.sleep(0.1)
        try:
            yield
        finally:
            self.items.release(name, owner)

    def get_device(self, app: AppClient, username: str) -> Device | None:
        record = self.items.read(self.device(app, username))
        return None if record is None else Device(**record)

    def put_device(self, app: AppClient, username: str, device: Device, *, alias: str | None = None) -> None:
        name = item_name("device", app, username)
        self.items.write(name, attrs.asdict(device))
        if alias is not None and alias != username:
            self.items.write(item_name("alias", app, alias), {"device": name})

    def delete_device(self, app: AppClient, username: str) -> None:
        self.items.drop(self.device(app, username))

    def device(self, app: AppClient, username: str) -> str:
        alias = self.items.read(item_name("alias", app, username))
        return item_name("device", app, username) if alias is None else alias["device"]
