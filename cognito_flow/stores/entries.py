"""What the library's own stores share: which entry a record stands in, and how it is read.

Rule of this file: a store is a set of named entries, each a small JSON object. Where they lie is up to the
classes that are built on these two.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias
from urllib.parse import quote

import attrs

from cognito_flow._json import as_text
from cognito_flow._tracebacks import without_locals
from cognito_flow.errors import StoreDamaged, UsageError
from cognito_flow.models import AppClient, Device, Tokens

__all__ = ["DeviceEntries", "Entries", "Record", "TokenEntries", "check_device", "check_tokens"]

Record: TypeAlias = Mapping[str, object]


class Entries(Protocol):
    """Records by name: a dictionary is one."""

    def get(self, name: str, /) -> Record | None:
        """The record, or None."""
        ...

    def __setitem__(self, name: str, record: Record, /) -> None: ...

    def pop(self, name: str, default: None, /) -> object:
        """Drop the record, if there is one."""
        ...


@without_locals
class TokenEntries(ABC):
    """A `TokenStore` over entries."""

    @abstractmethod
    def _entries(self) -> AbstractContextManager[Entries]:
        """The entries; when the block ends, what was changed is kept."""

    def get(self, app: AppClient, username: str) -> Tokens | None:
        """See `TokenStore.get`."""
        name = _name("tokens", app, username)
        with self._entries() as entries:
            record = entries.get(name)
            return None if record is None else _read_tokens(name, record)

    def put(self, app: AppClient, username: str, tokens: Tokens) -> None:
        """See `TokenStore.put`."""
        with self._entries() as entries:
            entries[_name("tokens", app, username)] = tokens.to_dict()

    def delete(self, app: AppClient, username: str) -> None:
        """See `TokenStore.delete`."""
        with self._entries() as entries:
            entries.pop(_name("tokens", app, username), None)


@without_locals
class DeviceEntries(ABC):
    """A `DeviceStore` over entries: one for each device, and one for each alias, which names a device's."""

    @abstractmethod
    def _entries(self) -> AbstractContextManager[Entries]:
        """The entries; when the block ends, what was changed is kept."""

    def get(self, app: AppClient, username: str) -> Device | None:
        """See `DeviceStore.get`."""
        with self._entries() as entries:
            name = _device_of(entries, app, username)
            record = entries.get(name)
            return None if record is None else _read_device(name, record)

    def put(self, app: AppClient, username: str, device: Device, *, alias: str | None = None) -> None:
        """See `DeviceStore.put`."""
        name = _name("device", app, username)
        with self._entries() as entries:
            entries[name] = attrs.asdict(device)
            if alias is not None and alias != username:
                entries[_name("alias", app, alias)] = {"device": name}

    def delete(self, app: AppClient, username: str) -> None:
        """See `DeviceStore.delete`."""
        with self._entries() as entries:
            entries.pop(_device_of(entries, app, username), None)


def check_tokens(name: str, record: Record) -> None:
    """See that tokens can be read.

    Raises:
        StoreDamaged: They cannot. No value stands in the message.
    """
    _read_tokens(name, record)


def check_device(name: str, record: Record) -> None:
    """See that a device or an alias can be read.

    Raises:
        StoreDamaged: It cannot. No value stands in the message.
    """
    if name.startswith("alias/"):
        _text(name, record, "device")
    else:
        _read_device(name, record)


def _name(kind: str, app: AppClient, username: str) -> str:
    """ASCII without any other slash, and another one for each user, whatever the user's name is made of."""
    parts = (kind, app.pool_id, app.client_id, username)
    return "/".join(quote(part, safe="@", errors="surrogatepass") for part in parts)


def _device_of(entries: Entries, app: AppClient, username: str) -> str:
    alias = _name("alias", app, username)
    record = entries.get(alias)
    return _name("device", app, username) if record is None else _text(alias, record, "device")


def _read_tokens(name: str, record: Record) -> Tokens:
    try:
        return Tokens.from_dict(record)
    except UsageError as error:
        raise StoreDamaged(f"{name}: {error}") from None


def _read_device(name: str, record: Record) -> Device:
    return Device(*(_text(name, record, member) for member in ("key", "group_key", "secret")))


def _text(name: str, record: Record, member: str) -> str:
    if (text := as_text(record.get(member))) is None:
        raise StoreDamaged(f"{name}: {member!r} is missing or is not text")
    return text
