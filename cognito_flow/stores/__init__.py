"""Stores keep tokens and devices between sign-ins: in memory, in a file, in the system's keyring, in a
database, or anywhere an application wants them.

Rule of this package: a store keeps records and does not know Cognito. Blocking stores are called from worker
threads, so their methods may block and must be thread-safe.
"""

from typing import TYPE_CHECKING

from cognito_flow._lazy import lazy_names

if TYPE_CHECKING:
    from cognito_flow.stores.dynamodb import DynamoDBStore
    from cognito_flow.stores.file import FileStore
    from cognito_flow.stores.keyring import KeyringStore
    from cognito_flow.stores.memory import MemoryStore
    from cognito_flow.stores.protocols import (
        AsyncDeviceStore,
        AsyncLockingTokenStore,
        AsyncTokenStore,
        DeviceStore,
        LockingTokenStore,
        TokenStore,
    )
    from cognito_flow.stores.redis import RedisStore
    from cognito_flow.stores.sqlite import SqliteStore

__all__ = [
    "AsyncDeviceStore",
    "AsyncLockingTokenStore",
    "AsyncTokenStore",
    "DeviceStore",
    "DynamoDBStore",
    "FileStore",
    "KeyringStore",
    "LockingTokenStore",
    "MemoryStore",
    "RedisStore",
    "SqliteStore",
    "TokenStore",
]

if not TYPE_CHECKING:  # hidden from type checkers, which would accept any name because of it
    _MODULES = {
        "dynamodb": "DynamoDBStore",
        "file": "FileStore",
        "keyring": "KeyringStore",
        "memory": "MemoryStore",
        "protocols": (
            "AsyncDeviceStore AsyncLockingTokenStore AsyncTokenStore DeviceStore LockingTokenStore TokenStore"
        ),
        "redis": "RedisStore",
        "sqlite": "SqliteStore",
    }
    __getattr__, __dir__ = lazy_names(__name__, _MODULES, globals())
