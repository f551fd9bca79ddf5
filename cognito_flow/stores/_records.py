"""How the library's own stores turn tokens and devices into named records, and read them back.

Rule of this file: a store is a set of named records, each a small JSON object. Subclasses of `RecordStore`
decide where they are kept.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from typing import Protocol, TypeAlias
from urllib.parse import quote, unquote

import attrs

from cognito_flow._json import as_list, as_object, as_text
from cognito_flow._jwt import unverified_moment
from cognito_flow._tracebacks import without_locals
from cognito_flow.errors import StoreDamaged, StoreError, UsageError
from cognito_flow.models import AppClient, Device, Tokens
from cognito_flow.stores._cipher import Cipher, as_bytes, as_document

Record: TypeAlias = Mapping[str, object]


class Records(Protocol):
    """Records by name: a dictionary is one."""

    def get(self, name: str, /) -> Record | None:
        """Return the record, or None."""
        ...

    def __setitem__(self, name: str, record: Record, /) -> None: ...

    def pop(self, name: str, default: None, /) -> object:
        """Delete the record, if there is one."""
        ...


@without_locals
class RecordStore(ABC):
    """A `TokenStore` and `DeviceStore` over records: one for each user's tokens, one for each device, and one
    for each alias, which names the device's record. The device's record lists its aliases."""

    @abstractmethod
    def _open(self) -> AbstractContextManager[Records]:
        """Open the records for one operation; changes are saved when the block ends."""

    def get_tokens(self, app: AppClient, username: str) -> Tokens | None:
        """Return the user's tokens, or None. See `TokenStore.get_tokens`."""
        name = record_name("tokens", app, username)
        with self._open() as records:
            record = records.get(name)
            return None if record is None else _read_tokens(name, record)

    def put_tokens(self, app: AppClient, username: str, tokens: Tokens) -> None:
        """Keep the tokens. See `TokenStore.put_tokens`."""
        with self._open() as records:
            records[record_name("tokens", app, username)] = tokens.to_dict()

    def delete_tokens(self, app: AppClient, username: str) -> None:
        """Delete the user's tokens, if there are any. See `TokenStore.delete_tokens`."""
        with self._open() as records:
            records.pop(record_name("tokens", app, username), None)

    def get_device(self, app: AppClient, username: str) -> Device | None:
        """Return the user's device, or None. See `DeviceStore.get_device`."""
        with self._open() as records:
            name = _device_of(records, app, username)
            record = records.get(name)
            return None if record is None else _read_device(name, record)

    def put_device(self, app: AppClient, username: str, device: Device, *, alias: str | None = None) -> None:
        """Keep the device. See `DeviceStore.put_device`."""
        name = record_name("device", app, username)
        with self._open() as records:
            aliases = _aliases_of(records, name)
            if alias is not None and alias != username:
                aliases.add(alias)
                records[record_name("alias", app, alias)] = {"device": name}
            records[name] = {**attrs.asdict(device), "aliases": sorted(aliases)}
            # Another user may have had this name as an alias, and given it up.
            records.pop(record_name("alias", app, username), None)

    def delete_device(self, app: AppClient, username: str) -> None:
        """Delete the user's device, if there is one. See `DeviceStore.delete_device`."""
        with self._open() as records:
            try:
                name = _device_of(records, app, username)
            except StoreError:  # a record that cannot be read can be deleted
                name = record_name("device", app, username)
            for alias in (record_name("alias", app, each) for each in _aliases_of(records, name)):
                # Another user may have it by now.
                if _readable(records, alias).get("device") == name:
                    records.pop(alias, None)
            records.pop(record_name("alias", app, username), None)
            records.pop(name, None)


def check_record(name: str, record: Record) -> None:
    """Check that a record can be read.

    Raises:
        StoreDamaged: It cannot. The message contains no value.
    """
    kind = name.partition("/")[0]
    if kind == "tokens":
        _read_tokens(name, record)
    elif kind == "device":
        _read_device(name, record)
    elif kind == "alias":
        _text(name, record, "device")
    else:
        raise StoreDamaged(f"{name}: unknown kind of record")


def record_name(kind: str, app: AppClient, username: str) -> str:
    """Return the name of a record: ASCII, and different for each user, whatever their name consists of."""
    parts = (kind, app.pool_id, app.client_id, username)
    return "/".join(quote(part, safe="@", errors="surrogatepass") for part in parts)


def users_of(names: Iterable[str], app: AppClient) -> list[str]:
    """Return whose tokens are among the records with these names, sorted."""
    prefix = record_name("tokens", app, "")
    return sorted(
        unquote(name.removeprefix(prefix), errors="surrogatepass")
        for name in names
        if name.startswith(prefix)
    )


def user_number(app: AppClient, username: str) -> int:
    """Return a number for the user, evenly distributed over 64 bits."""
    return int.from_bytes(hashlib.sha256(record_name("lock", app, username).encode()).digest()[:8])


def issued_at(record: Record) -> int:
    """Return when Cognito issued the tokens in a record, in seconds since 1970; 0 if the record does not say.
    Stores that machines share keep the tokens that were issued last."""
    moment = unverified_moment(as_text(record.get("access_token")) or "", "iat")
    return 0 if moment is None else int(moment.timestamp())


def seal_record(cipher: Cipher, name: str, record: Record) -> bytes:
    """Return a record with its name as bytes: bytes that are copied to another name are not valid there."""
    return as_bytes(cipher.seal({"name": name, "record": record}))


def open_record(cipher: Cipher, name: str, data: str | bytes) -> Record:
    """Return the record that `seal_record` made.

    Raises:
        StoreDamaged: It is damaged, or belongs to another name. Putting or deleting it repairs the store.
        StoreError: It needs another key.
    """
    try:
        content = cipher.open(as_document(data), name)
    except StoreDamaged as error:
        raise StoreDamaged(f"the record {name} is damaged ({error}): sign in again, or delete it") from None
    record = as_object(content.get("record"))
    if record is None or content.get("name") != name:
        raise StoreDamaged(f"the record {name} belongs to another name: sign in again, or delete it")
    return record


def _device_of(records: Records, app: AppClient, username: str) -> str:
    """Return the name of the record of a user's device. The user with this name comes before one who had it
    as an alias."""
    name, alias = record_name("device", app, username), record_name("alias", app, username)
    if records.get(name) is None and (record := records.get(alias)) is not None:
        return _text(alias, record, "device")
    return name


def _aliases_of(records: Records, name: str) -> set[str]:
    """Return the aliases that led to a device, as far as its record says: older ones do not."""
    aliases = as_list(_readable(records, name).get("aliases"))
    return {alias for alias in aliases or () if isinstance(alias, str)}


def _readable(records: Records, name: str) -> Record:
    """Return a record, or an empty one if it is missing or cannot be read."""
    with suppress(StoreError):
        return records.get(name) or {}
    return {}


def _read_tokens(name: str, record: Record) -> Tokens:
    try:
        return Tokens.from_dict(record)
    except UsageError as error:
        raise StoreDamaged(f"{name}: {error}") from None


def _read_device(name: str, record: Record) -> Device:
    return Device(*(_text(name, record, member) for member in ("key", "group_key", "secret")))


def _text(name: str, record: Record, member: str) -> str:
    if (text := as_text(record.get(member))) is None:
        raise StoreDamaged(f"{name}: {member!r} is missing or not a string")
    return text
