"""Stores keep tokens and devices between sign-ins: in memory, in a file, in the system's keyring, or anywhere
an application wants them.

Rule of this package: a store keeps records and does not know Cognito. Blocking stores are called from worker
threads, so their methods may block and must be thread-safe.
"""

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

__all__ = [
    "AsyncDeviceStore",
    "AsyncLockingTokenStore",
    "AsyncTokenStore",
    "DeviceStore",
    "FileStore",
    "KeyringStore",
    "LockingTokenStore",
    "MemoryStore",
    "TokenStore",
]
