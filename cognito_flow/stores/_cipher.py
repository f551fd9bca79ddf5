"""Optional encryption of what stores keep, with keys that can be rotated.

Rule of this file: content is a JSON object. It is kept as another JSON object, either in clear text or with
the id of the key that encrypted it, so that a wrong key is never mistaken for damage.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import attrs

from cognito_flow._json import as_object, as_text, parse_json
from cognito_flow.errors import StoreDamaged, StoreError

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

JsonObject: TypeAlias = Mapping[str, object]


@attrs.frozen
class Cipher:
    """Encrypts with the newest key, and decrypts with any; without keys, it leaves content in clear text.

    Args:
        keys: By their ids, newest first.
    """

    keys: Mapping[str, Fernet] = attrs.field(repr=False)

    @classmethod
    def of(cls, secrets: Sequence[str | bytes], *purpose: str | int) -> Cipher:
        """Return the cipher with keys that are derived from these secrets.

        Args:
            secrets: At least 32 random bytes each, newest first.
            purpose: What is encrypted: content that was encrypted for one purpose opens for no other.

        Raises:
            UsageError: A secret is too short, or they are not a sequence.
        """
        if not secrets and not isinstance(secrets, str | bytes):
            return cls({})
        from cryptography.fernet import Fernet

        from cognito_flow._keys import fernet_keys

        return cls({_id(key): Fernet(key) for key in fernet_keys("keys", secrets, *purpose)})

    def seal(self, content: JsonObject) -> JsonObject:
        """Return the document that keeps this content."""
        for key, fernet in self.keys.items():  # the first one encrypts
            return {"key": key, "sealed": fernet.encrypt(as_bytes(content)).decode()}
        return {"content": content}

    def open(self, document: JsonObject, where: object) -> JsonObject:
        """Return the content of a document.

        Args:
            document: What `seal` returned.
            where: The path or name of the document, for messages.

        Raises:
            StoreDamaged: It is damaged.
            StoreError: It needs another key.
        """
        if self.keys:
            return self._decrypt(document, where)
        if "sealed" in document:
            raise StoreError(f"{where} is encrypted: pass its key in keys=[...]")
        if (content := as_object(document.get("content"))) is None:
            raise StoreDamaged("it has no content")
        return content

    def _decrypt(self, document: JsonObject, where: object) -> JsonObject:
        from cryptography.fernet import InvalidToken

        sealed, key = as_text(document.get("sealed")), as_text(document.get("key"))
        if "content" in document:
            raise StoreError(f"{where} is not encrypted: open it without keys, or remove it")
        if sealed is None or key is None:
            raise StoreDamaged("it has no encrypted content")
        if key not in self.keys:
            raise StoreError(f"{where} was encrypted with another key: add that one to keys=[...]")
        try:
            return as_document(self.keys[key].decrypt(sealed.encode()))
        except (InvalidToken, ValueError):
            raise StoreDamaged("it cannot be decrypted") from None


def as_bytes(document: JsonObject) -> bytes:
    """Return a JSON object as text. A name may contain a lone surrogate, which UTF-8 cannot encode."""
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def as_document(data: str | bytes) -> JsonObject:
    """Return the JSON object in a text.

    Raises:
        StoreDamaged: It is not a JSON object.
    """
    try:
        document = as_object(parse_json(data))
    except ValueError:
        raise StoreDamaged("it is not JSON") from None
    if document is None:
        raise StoreDamaged("it is not a JSON object")
    return document


def _id(key: bytes) -> str:
    """Return a name for a key that reveals nothing about it."""
    return hashlib.sha256(key).hexdigest()[:16]
