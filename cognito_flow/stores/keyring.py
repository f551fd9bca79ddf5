"""A store in the operating system's keyring, through the package keyring: for programs on a person's machine.

Rule of this file: a keyring holds strings by name, and on Windows only short ones. So a record is split into
parts, and the entry with the record's name lists the parts. The parts of a new version have new names, so
that a process may be killed at any point: only that one entry decides which version is valid.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from types import ModuleType

import attrs

from cognito_flow._json import as_object, parse_json
from cognito_flow._process_lock import ProcessLock
from cognito_flow._tracebacks import without_locals
from cognito_flow.errors import CognitoFlowError, StoreDamaged, StoreError, UsageError
from cognito_flow.stores._records import Record, Records, RecordStore

# CRED_MAX_CREDENTIAL_BLOB_SIZE is 5 * 512 bytes, and the package keyring writes two for each character.
# Source: CREDENTIALA structure (wincred.h) in Microsoft's Win32 reference.
_LONGEST = 1200  # characters

_HEAD = re.compile(r"([0-9a-f]{8}) ([0-9]{1,4})")  # a version, and how many parts it has


def _check_service(_instance: object, _attribute: object, service: str) -> None:
    if not service:
        raise UsageError("service is empty: pass the name under which the keyring shows the entries")
    _package()


@attrs.frozen
class _Keyring:
    """The records of one service."""

    service: str = attrs.field(validator=_check_service)
    # Two threads that write at once would delete the same old parts, and leave other parts behind.
    _changing: ProcessLock = attrs.field(factory=ProcessLock, init=False, repr=False, eq=False)

    @contextmanager
    def open(self) -> Generator[Records]:
        try:
            _refuse_null_backend()
            yield self
        except CognitoFlowError:
            raise
        except Exception as error:  # noqa: BLE001 - each system's keyring raises errors of its own
            # Neither the message nor the error itself may be passed on: they can quote the value.
            raise StoreError(_reason(error)) from None

    def get(self, name: str, /) -> Record | None:
        while (head := self._text(name)) is not None:
            parts = [self._text(part) for part in _parts(name, head)]
            if None not in parts:
                return _record(name, "".join(filter(None, parts)))
            # Another process may have replaced this version meanwhile: then it is not damaged.
            if self._text(name) == head:
                raise StoreDamaged(f"the keyring's entry {name} has lost a part: sign in again, or delete it")
        return None

    def __setitem__(self, name: str, record: Record, /) -> None:
        text = json.dumps({"name": name, "record": record})
        cut = [text[start : start + _LONGEST] for start in range(0, len(text), _LONGEST)]
        head = f"{secrets.token_hex(4)} {len(cut)}"
        with self._changing.of_this_process:
            old = self._text(name)
            try:
                for part, piece in zip(_parts(name, head), cut, strict=True):
                    _package().set_password(self.service, part, piece)
                _package().set_password(self.service, name, head)
            except BaseException:
                self._clean_up(name, head, old)
                raise
            self._drop_parts(name, old)

    def pop(self, name: str, default: None, /) -> None:
        with self._changing.of_this_process:
            head = self._text(name)
            self._drop(name)
            self._drop_parts(name, head)

    def _clean_up(self, name: str, head: str, old: str | None) -> None:
        """After a failed write, drop the parts of the version that is not valid: nothing else finds them.

        The keyring fails already: a part that it does not let go must neither keep the others nor hide why.
        """
        unused: str | None = head
        with suppress(Exception):
            unused = old if self._text(name) == head else head
        for part in [] if unused is None else _parts(name, unused):
            with suppress(Exception):
                self._drop(part)

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
            # Keyrings also raise this when there is nothing to delete.
            if self._text(name) is not None:
                raise


def _package() -> ModuleType:
    try:
        import keyring
    except ImportError:
        raise UsageError("KeyringStore needs the package keyring: install cognito-flow[keyring]") from None
    return keyring


def _refuse_null_backend() -> None:
    """The null backend accepts every entry, and stores nothing."""
    package = _package()
    from keyring.backends import null

    if isinstance(package.get_keyring(), null.Keyring):
        raise StoreError("the keyring is disabled (keyring.backends.null): use a FileStore, or enable it")


def _reason(error: Exception) -> str:
    if isinstance(error, _package().errors.NoKeyringError):
        return "this machine has no keyring: use a FileStore, or install a keyring backend"
    return f"the keyring failed ({type(error).__name__}): `keyring diagnose` shows which one is used"


def _parts(name: str, head: str) -> list[str]:
    """Return the names of a record's parts, or an empty list if the entry that lists them is unreadable."""
    if (found := _HEAD.fullmatch(head)) is None:
        return []
    return [f"{name}/{found[1]}/{number}" for number in range(int(found[2]))]


def _record(name: str, text: str) -> Record:
    try:
        content = as_object(parse_json(text)) or {}
    except ValueError:
        content = {}
    record = as_object(content.get("record"))
    if record is None or content.get("name") != name:  # some keyrings ignore the case of names
        raise StoreDamaged(
            f"the keyring's entry {name} cannot be read, or belongs to another name: sign in again, or "
            "delete it"
        )
    return record


@without_locals
class KeyringStore(RecordStore):
    """Keeps tokens and devices in the operating system's keyring (extra ``keyring``).

    It has no lock: programs that share rotated refresh tokens should use a `FileStore`.

    Args:
        service: The name under which the keyring shows the entries.

    Raises:
        UsageError: The package keyring is not installed, or the name is empty. From the methods: StoreError
            if there is no keyring, or it refuses; StoreDamaged for one of its entries, which is repaired by
            putting or deleting it.
    """

    def __init__(self, service: str = "cognito-flow") -> None:
        self._keyring = _Keyring(service)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._keyring.service!r})"

    def _open(self) -> AbstractContextManager[Records]:
        return self._keyring.open()
