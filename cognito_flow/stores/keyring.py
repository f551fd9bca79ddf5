"""Stores in the operating system's keyring, through the package keyring: for programs on a person's machine.

Rule of this file: a keyring holds texts by name, and on Windows only short ones. So a record is cut into
parts, and the entry with its name tells which parts. Those of a new version have new names, so that a process
may be killed at any point: what counts is that one entry.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType

import attrs

from cognito_flow._json import as_object
from cognito_flow._tracebacks import without_locals
from cognito_flow.errors import CognitoFlowError, StoreDamaged, StoreError, UsageError
from cognito_flow.stores.entries import DeviceEntries, Entries, Record, TokenEntries

__all__ = ["KeyringDeviceStore", "KeyringTokenStore"]

# CRED_MAX_CREDENTIAL_BLOB_SIZE is 5 * 512 bytes, and the package keyring writes two for each character.
# Source: CREDENTIALA structure (wincred.h) in Microsoft's Win32 reference.
_LONGEST = 1200  # characters

_HEAD = re.compile(r"([0-9a-f]{8}) ([0-9]{1,4})")  # a version, and how many parts it has


def _check_service(_instance: object, _attribute: object, service: str) -> None:
    if not service:
        raise UsageError("service is empty: it is the name under which the keyring shows the entries")
    _package()


@attrs.frozen
class _Keyring:
    """The entries of one service."""

    service: str = attrs.field(validator=_check_service)
    # Two threads that put at once would take the same parts for the old ones, and leave the others behind.
    _changing: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False, eq=False)

    @contextmanager
    def open(self) -> Generator[Entries]:
        try:
            yield self
        except CognitoFlowError:
            raise
        except Exception as error:  # each system's keyring raises errors of its own
            raise StoreError(f"the keyring failed ({type(error).__name__}): {error}") from error

    def get(self, name: str, /) -> Record | None:
        while (head := self._text(name)) is not None:
            parts = [self._text(part) for part in _parts(name, head)]
            if None not in parts:
                return _record(name, "".join(filter(None, parts)))
            # The parts go when another version has come: this one is damaged only if it still counts.
            if self._text(name) == head:
                raise StoreDamaged(f"the keyring's entry {name} has lost a part: put or delete it")
        return None

    def __setitem__(self, name: str, record: Record, /) -> None:
        text = json.dumps(record)
        cut = [text[start : start + _LONGEST] for start in range(0, len(text), _LONGEST)]
        head = f"{secrets.token_hex(4)} {len(cut)}"
        with self._changing:
            old = self._text(name)
            for part, piece in zip(_parts(name, head), cut, strict=True):
                _package().set_password(self.service, part, piece)
            _package().set_password(self.service, name, head)
            self._drop_parts(name, old)

    def pop(self, name: str, default: None, /) -> None:
        with self._changing:
            head = self._text(name)
            self._drop(name)
            self._drop_parts(name, head)

    def _text(self, name: str) -> str | None:
        text: str | None = _package().get_password(self.service, name)
        return text

    def _drop_parts(self, name: str, head: str | None) -> None:
        for part in [] if head is None else _parts(name, head):
            self._drop(part)

    def _drop(self, name: str) -> None:
        package = _package()
        try:
            package.delete_password(self.service, name)
        except package.errors.PasswordDeleteError:
            # That is also what a keyring says when there is nothing to delete.
            if self._text(name) is not None:
                raise


def _package() -> ModuleType:
    try:
        import keyring
    except ImportError:
        raise UsageError("the package keyring is missing: install cognito-flow[keyring]") from None
    return keyring


def _parts(name: str, head: str) -> list[str]:
    """The names of a record's parts, as its entry tells them; none, if that is unreadable."""
    if (found := _HEAD.fullmatch(head)) is None:
        return []
    return [f"{name}/{found[1]}/{number}" for number in range(int(found[2]))]


def _record(name: str, text: str) -> Record:
    try:
        record = as_object(json.loads(text))
    except (ValueError, RecursionError):
        record = None
    if record is None:
        raise StoreDamaged(f"the keyring's entry {name} cannot be read: put or delete it")
    return record


@without_locals
class KeyringTokenStore(TokenEntries):
    """A `TokenStore` in the operating system's keyring (extra ``keyring``).

    It has no lock: two programs that share rotated refresh tokens want a `FileTokenStore`.

    Args:
        service: The name under which the keyring shows the entries.

    Raises:
        UsageError: The package keyring is not installed, or the name is empty. From the methods: StoreError
            when there is no keyring, or it refuses; StoreDamaged for one of its entries, which `put` and
            `delete` mend.
    """

    def __init__(self, service: str = "cognito-flow") -> None:
        self._keyring = _Keyring(service)

    def _entries(self) -> AbstractContextManager[Entries]:
        return self._keyring.open()


@without_locals
class KeyringDeviceStore(DeviceEntries):
    """A `DeviceStore` in the operating system's keyring (extra ``keyring``): see `KeyringTokenStore`.

    Args:
        service: The name under which the keyring shows the entries.

    Raises:
        UsageError: The package keyring is not installed, or the name is empty. From the methods: StoreError,
            StoreDamaged.
    """

    def __init__(self, service: str = "cognito-flow") -> None:
        self._keyring = _Keyring(service)

    def _entries(self) -> AbstractContextManager[Entries]:
        return self._keyring.open()
