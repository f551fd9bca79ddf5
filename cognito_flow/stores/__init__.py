"""Where tokens and devices are kept between sign-ins: in memory, in a file, in the keyring, or wherever an
application wants them.

Rule of this package: a store keeps records and knows nothing of Cognito. It is called from worker threads, so
its methods may block, and must be safe to call from several threads at once.
"""

from cognito_flow.stores.file import FileDeviceStore, FileTokenStore
from cognito_flow.stores.keyring import KeyringDeviceStore, KeyringTokenStore
from cognito_flow.stores.memory import MemoryDeviceStore, MemoryTokenStore
from cognito_flow.stores.protocols import DeviceStore, LockingTokenStore, TokenStore

__all__ = [
    "DeviceStore",
    "FileDeviceStore",
    "FileTokenStore",
    "KeyringDeviceStore",
    "KeyringTokenStore",
    "LockingTokenStore",
    "MemoryDeviceStore",
    "MemoryTokenStore",
    "TokenStore",
]
