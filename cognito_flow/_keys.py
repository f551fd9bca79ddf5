"""Keys for sealing, made from the secrets that an application gives.

Rule of this file: each purpose has its own keys, so that a text sealed for one purpose does not open for
another.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from cognito_flow.errors import UsageError

_SHORTEST_SECRET = 32  # bytes


def fernet_keys(argument: str, secrets: Sequence[str | bytes], *purpose: str | int) -> list[bytes]:
    """Return a Fernet key for each secret, in their order.

    Args:
        argument: The name of the argument, for messages.
        secrets: At least 32 random bytes each, newest first.
        purpose: What the keys are for.

    Raises:
        UsageError: A secret is too short, or they are not a sequence.
    """
    if isinstance(secrets, str | bytes) or not isinstance(secrets, Sequence):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
        raise UsageError(f"{argument} must be a list of keys, newest first: put the key into a list")
    return [
        _fernet_key(secret.encode() if isinstance(secret, str) else secret, purpose) for secret in secrets
    ]


def _fernet_key(secret: bytes, purpose: Sequence[str | int]) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    if len(secret) < _SHORTEST_SECRET:
        raise UsageError(
            f"a key needs at least {_SHORTEST_SECRET} random bytes: make one with secrets.token_urlsafe(32)"
        )
    info = json.dumps(purpose).encode()
    return base64.urlsafe_b64encode(
        HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(secret)
    )
