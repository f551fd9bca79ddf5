"""Keys for sealing, made from the secrets that an application gives.

Rule of this file: each purpose has keys of its own, so that what was sealed for one opens for no other.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cognito_flow.errors import UsageError

__all__ = ["fernet_keys"]

_SHORTEST_SECRET = 32  # bytes


def fernet_keys(argument: str, secrets: Sequence[str | bytes], *purpose: str | int) -> list[bytes]:
    """A key of Fernet for each secret, in their order.

    Args:
        argument: What the application calls the secrets, for messages.
        secrets: At least 32 random bytes each, newest first.
        purpose: What the keys are for.

    Raises:
        UsageError: A secret is too short, or they are no sequence.
    """
    if isinstance(secrets, str | bytes):
        raise UsageError(f"{argument} is a sequence of keys, newest first: put the one key in a list")
    return [
        _fernet_key(secret.encode() if isinstance(secret, str) else secret, purpose) for secret in secrets
    ]


def _fernet_key(secret: bytes, purpose: Sequence[str | int]) -> bytes:
    if len(secret) < _SHORTEST_SECRET:
        raise UsageError(
            f"a key has at least {_SHORTEST_SECRET} random bytes: make one with secrets.token_urlsafe(32)"
        )
    info = json.dumps(purpose).encode()
    return base64.urlsafe_b64encode(
        HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(secret)
    )
