"""Where devices are kept between sign-ins.

Rule of this file: a store keeps records and knows nothing of Cognito. It is called from worker threads, so
its methods may block, and must be safe to call from several threads at once.
"""

from __future__ import annotations

import threading
from typing import Protocol, TypeAlias

import attrs

from cognito_flow.models import AppClient, Device

__all__ = ["DeviceStore", "MemoryDeviceStore"]


_Key: TypeAlias = tuple[str, str, str]  # pool, app client, user


class DeviceStore(Protocol):
    """Keeps the device of each user of each app client.

    A device belongs to Cognito's own name of the user. People type aliases, too, so a store also keeps which
    alias led to which user, and `get` takes either.
    """

    def get(self, app: AppClient, username: str) -> Device | None:
        """The device of the user with this name or alias, or None.

        Args:
            app: The app client.
            username: Cognito's own name of the user, or an alias that `put` was told.
        """
        ...

    def put(self, app: AppClient, username: str, device: Device, *, alias: str | None = None) -> None:
        """Keep the device, in place of any other of this user.

        Args:
            app: The app client.
            username: Cognito's own name of the user.
            device: The device.
            alias: What the person typed, when that was another name.
        """
        ...

    def delete(self, app: AppClient, username: str) -> None:
        """Drop the device of the user with this name or alias, if there is one."""
        ...


@attrs.define
class MemoryDeviceStore:
    """A `DeviceStore` that lives as long as the process.

    >>> store, app = MemoryDeviceStore(), AppClient("eu-west-1_AbC123", "client-id")
    >>> store.put(app, "alice", Device("eu-west-1_key", "-group", "secret"), alias="alice@example.com")
    >>> store.get(app, "alice@example.com").key
    'eu-west-1_key'
    """

    _devices: dict[_Key, Device] = attrs.field(factory=dict[_Key, Device], init=False, repr=False)
    _names: dict[_Key, str] = attrs.field(factory=dict[_Key, str], init=False, repr=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    def _key(self, app: AppClient, username: str) -> _Key:
        name = self._names.get((app.pool_id, app.client_id, username), username)
        return app.pool_id, app.client_id, name

    def get(self, app: AppClient, username: str) -> Device | None:
        """See `DeviceStore.get`."""
        with self._lock:
            return self._devices.get(self._key(app, username))

    def put(self, app: AppClient, username: str, device: Device, *, alias: str | None = None) -> None:
        """See `DeviceStore.put`."""
        with self._lock:
            if alias is not None and alias != username:
                self._names[app.pool_id, app.client_id, alias] = username
            self._devices[app.pool_id, app.client_id, username] = device

    def delete(self, app: AppClient, username: str) -> None:
        """See `DeviceStore.delete`."""
        with self._lock:
            self._devices.pop(self._key(app, username), None)
