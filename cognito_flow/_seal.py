"""Seals a challenge or a sign-up as an opaque string, and opens it: a web backend sends it to the browser
between two pages.

Rule of this file: authenticated encryption, bound to one pool and app client by the key itself, and a time
limit that is checked on opening. Keys rotate: the first one seals, all of them open.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs

from cognito_flow._keys import fernet_keys
from cognito_flow.errors import SealError, UsageError
from cognito_flow.handlers import Pending
from cognito_flow.models import AppClient, Device

if TYPE_CHECKING:  # cryptography is slow to import, and many flows seal nothing
    from cryptography.fernet import MultiFernet

Kind: TypeAlias = Literal["challenge", "sign_up"]
"""What a sealed text contains."""

_VERSION = 2
# In seconds. AuthSessionValidity is at most 15 minutes; the code that confirms a sign-up is valid for a day.
_LONGEST: Mapping[Kind, int] = {"challenge": 15 * 60, "sign_up": 24 * 60 * 60}


@attrs.frozen
class Sealer:
    """Seals and opens the challenges and sign-ups of one app client.

    Args:
        fernet: The keys.
        max_age: How old a sealed text may be, in seconds; None: 15 minutes for a challenge, a day for a
            sign-up.
        now: The clock.
    """

    fernet: MultiFernet = attrs.field(repr=False)
    max_age: int | None
    now: Callable[[], datetime]

    @classmethod
    def of(
        cls, app: AppClient, keys: Sequence[str | bytes], max_age: int | None, now: Callable[[], datetime]
    ) -> Sealer | None:
        """Return the sealer for these keys, or None if there are none.

        Raises:
            UsageError: A key is too short, or the age is not a positive number of seconds.
        """
        derived = fernet_keys("seal_keys", keys, "cognito_flow seal", _VERSION, app.pool_id, app.client_id)
        if max_age is not None and not (isinstance(max_age, int) and max_age > 0):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
            raise UsageError("seal_max_age must be a positive number of seconds")
        if not derived:
            return None
        from cryptography.fernet import Fernet, MultiFernet

        return cls(MultiFernet([Fernet(key) for key in derived]), max_age, now)

    def seal(self, kind: Kind, values: Mapping[str, object], bound_to: str | None = None) -> str:
        """Return JSON values as text in the base64url alphabet.

        Args:
            kind: What the values are.
            values: The values.
            bound_to: A value that opening needs, too.
        """
        sealed = {"version": _VERSION, "kind": kind, "bound_to": _digest(bound_to), "values": values}
        text = json.dumps(sealed, separators=(",", ":"))
        return self.fernet.encrypt_at_time(text.encode(), self._seconds()).decode()

    def open(self, text: str | bytes, bound_to: str | None = None) -> tuple[Kind, Mapping[str, Any]]:
        """Return what was sealed.

        Args:
            text: The sealed text.
            bound_to: The value that it was sealed with.

        Raises:
            SealError: It is damaged, too old, or was sealed with another key, for another app client or for
                another browser.
            UsageError: It is not text.
        """
        if not isinstance(text, str | bytes):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
            raise UsageError(f"the sealed text must be a str, not {type(text).__name__}")
        opened: dict[str, Any] = json.loads(self._decrypt(text, max(map(self._max_age, _LONGEST))))
        if opened["version"] != _VERSION:
            raise SealError("this was sealed by another version of the library: start the sign-in again")
        kind: Kind = opened["kind"]
        self._decrypt(text, self._max_age(kind))  # only now is it known how old it may be
        if not hmac.compare_digest(opened["bound_to"], _digest(bound_to)):
            raise SealError("this was sealed for another browser: start the sign-in again")
        return kind, opened["values"]

    def _max_age(self, kind: Kind) -> int:
        return self.max_age or _LONGEST[kind]

    def _decrypt(self, text: str | bytes, max_age: int) -> bytes:
        from cryptography.fernet import InvalidToken

        try:
            _require_one_spelling(text)
            return self.fernet.decrypt_at_time(text, max_age, self._seconds())
        except (InvalidToken, ValueError):
            raise SealError(self._why_not(text, max_age)) from None

    def _why_not(self, text: str | bytes, max_age: int) -> str:
        from cryptography.fernet import InvalidToken

        try:
            _require_one_spelling(text)
            self.fernet.decrypt(text)
        except (InvalidToken, ValueError):
            return "this is damaged, or was sealed with another key or for another app client"
        return f"this was sealed over {max_age} seconds ago, or by a clock that is ahead: start again"

    def _seconds(self) -> int:
        return int(self.now().timestamp())


def _require_one_spelling(text: str | bytes) -> None:
    """Refuse text that decodes to what was sealed, but was not written by `seal`.

    Python's decoder skips characters outside the alphabet, stops at the padding, and ignores the last
    character's unused bits, so many texts decode to the same bytes (RFC 4648, sections 3.3 and 3.5). An
    application that keeps a list of the texts it has seen would take each of them for a new one.

    Raises:
        ValueError: The text is spelled in another way than `seal` spells it.
    """
    given = text.encode() if isinstance(text, str) else text
    if base64.urlsafe_b64encode(base64.urlsafe_b64decode(given)) != given:
        raise ValueError


def _digest(bound_to: str | None) -> str:
    if bound_to is None:
        return ""
    # A cookie that is not UTF-8 reaches some frameworks' applications with lone surrogates.
    return hashlib.sha256(bound_to.encode(errors="surrogatepass")).hexdigest()


def pending_to_json(pending: Pending) -> dict[str, object]:
    """Return a challenge as JSON values."""
    received_at = pending.received_at
    return {
        **attrs.asdict(pending, recurse=False),
        "parameters": dict(pending.parameters),
        "device": None if pending.device is None else attrs.asdict(pending.device),
        "received_at": None if received_at is None else received_at.isoformat(),
    }


def pending_from_json(values: Mapping[str, Any]) -> Pending:
    """Read what `pending_to_json` wrote, out of a seal that guarantees its form."""
    device, received_at = values["device"], values["received_at"]
    read: dict[str, Any] = {
        **values,
        "available": tuple(values["available"]),
        "device": None if device is None else Device(**device),
        "received_at": None if received_at is None else datetime.fromisoformat(received_at),
    }
    return Pending(**read)
