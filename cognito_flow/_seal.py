"""A challenge as an opaque string, and back: what a web backend gives to the browser between two pages.

Rule of this file: authenticated encryption, bound to one pool and app client by the key itself, and a time
limit that is checked on opening. Keys rotate: the first one seals, all of them open.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from cognito_flow._keys import fernet_keys
from cognito_flow.errors import SealError, UsageError
from cognito_flow.handlers import Pending
from cognito_flow.models import AppClient, Device

__all__ = ["Sealer"]

_VERSION = 1
_LONGEST_SESSION = 15 * 60  # seconds: the longest AuthSessionValidity that an app client can have


@attrs.frozen
class Sealer:
    """Seals and opens challenges of one app client.

    Args:
        fernet: The keys.
        max_age: How old a sealed challenge may be, in seconds.
        now: The clock.
    """

    fernet: MultiFernet = attrs.field(repr=False)
    max_age: int
    now: Callable[[], datetime]

    @classmethod
    def of(
        cls, app: AppClient, keys: Sequence[str | bytes], max_age: int | None, now: Callable[[], datetime]
    ) -> Sealer | None:
        """The sealer for these keys, or None if there are none.

        Raises:
            UsageError: A key is too short, or the age is not a positive number of seconds.
        """
        derived = fernet_keys("seal_keys", keys, "cognito_flow seal", _VERSION, app.pool_id, app.client_id)
        if max_age is not None and max_age <= 0:
            raise UsageError("seal_max_age is a positive number of seconds")
        if not derived:
            return None
        return cls(MultiFernet([Fernet(key) for key in derived]), max_age or _LONGEST_SESSION, now)

    def seal(self, pending: Pending) -> str:
        """The challenge as text, in the alphabet of base64url."""
        text = json.dumps({"version": _VERSION, **_to_json(pending)}, separators=(",", ":"))
        return self.fernet.encrypt_at_time(text.encode(), self._seconds()).decode()

    def open(self, text: str | bytes) -> Pending:
        """The challenge that was sealed.

        Raises:
            SealError: It is damaged, too old, or was sealed with another key or for another app client.
        """
        try:
            opened = self.fernet.decrypt_at_time(text, self.max_age, self._seconds())
        except (InvalidToken, ValueError):
            raise SealError(self._why_not(text)) from None
        values = json.loads(opened)
        if values.pop("version") != _VERSION:
            raise SealError("this was sealed by another version of the library: start the sign-in again")
        return _from_json(values)

    def _why_not(self, text: str | bytes) -> str:
        try:
            self.fernet.decrypt(text)
        except (InvalidToken, ValueError):
            return "this is damaged, or was sealed with another key or for another app client"
        return f"this was sealed over {self.max_age} seconds ago, or by a clock that is ahead: start again"

    def _seconds(self) -> int:
        return int(self.now().timestamp())


def _to_json(pending: Pending) -> dict[str, object]:
    received_at = pending.received_at
    return {
        **attrs.asdict(pending, recurse=False),
        "parameters": dict(pending.parameters),
        "device": None if pending.device is None else attrs.asdict(pending.device),
        "received_at": None if received_at is None else received_at.isoformat(),
    }


def _from_json(values: Mapping[str, Any]) -> Pending:
    """What `_to_json` wrote; the seal vouches for its form."""
    device, received_at = values["device"], values["received_at"]
    read: dict[str, Any] = {
        **values,
        "available": tuple(values["available"]),
        "device": None if device is None else Device(**device),
        "received_at": None if received_at is None else datetime.fromisoformat(received_at),
    }
    return Pending(**read)
