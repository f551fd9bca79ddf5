"""The stores that the shared tests of stores run on, each with the place where it keeps its data.

A place is a context manager. It yields a function that opens its stores again, as another process would.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeAlias

import boto3
import fakeredis
import keyring
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError
from moto import mock_aws

from cognito_flow import (
    AppClient,
    DeviceStore,
    DynamoDBStore,
    FileStore,
    KeyringStore,
    MemoryStore,
    RedisStore,
    SqliteStore,
    Tokens,
    TokenStore,
)

APP = AppClient("eu-west-1_AbC123", "client-id")


def tokens(text: str = "access", username: str = "alice") -> Tokens:
    """Tokens with a recognisable access token."""
    return Tokens(
        text,
        "id",
        "refresh",
        expires_at=datetime(2030, 1, 1, tzinfo=UTC),
        username=username,
        device_key="device",
    )


class Texts(KeyringBackend):
    """A keyring in memory with the size limit of Windows."""

    priority = 1.0  # pyright: ignore[reportAssignmentType]  # keyring declares a property

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring gives it no type
        self.texts: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.texts.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        assert len(password.encode("utf-16")) <= 5 * 512
        self.texts[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.texts:
            raise PasswordDeleteError("not found")
        del self.texts[service, username]


@contextmanager
def installed(backend: KeyringBackend) -> Generator[None]:
    """Use this keyring as the system keyring while the block runs."""
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    try:
        yield
    finally:
        keyring.set_keyring(before)


class Store(TokenStore, DeviceStore, Protocol):
    """A store of both kinds."""


Opener: TypeAlias = Callable[..., Store]
"""Opens the store of one place once more, as another process would. Takes the store's keyword arguments."""


@contextmanager
def in_memory() -> Generator[Opener]:
    store = MemoryStore()
    yield lambda: store


@contextmanager
def in_a_file(*keys: str) -> Generator[Opener]:
    with tempfile.TemporaryDirectory() as folder:
        yield lambda: FileStore(Path(folder, "tokens.json"), keys=keys)


@contextmanager
def in_sqlite(*keys: str) -> Generator[Opener]:
    with tempfile.TemporaryDirectory() as folder:
        yield lambda: SqliteStore(Path(folder, "tokens.db"), keys=keys)


@contextmanager
def in_a_keyring() -> Generator[Opener]:
    with installed(Texts()):
        yield KeyringStore


@contextmanager
def in_redis() -> Generator[Opener]:
    server = fakeredis.FakeServer()

    yield lambda **options: RedisStore(fakeredis.FakeRedis(server=server), **{"keys": ["k" * 32], **options})


@contextmanager
def in_dynamodb() -> Generator[Opener]:
    with mock_aws():
        client = boto3.client("dynamodb", "eu-west-1")
        client.create_table(
            TableName="stores",
            KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield lambda **options: DynamoDBStore(client, "stores", **options)


PLACES: dict[str, Callable[[], AbstractContextManager[Opener]]] = {
    "memory": in_memory,
    "file": in_a_file,
    "sealed file": lambda: in_a_file("k" * 32),
    "SQLite": in_sqlite,
    "encrypted SQLite": lambda: in_sqlite("k" * 32),
    "keyring": in_a_keyring,
    "Redis": in_redis,
    "DynamoDB": in_dynamodb,
}
