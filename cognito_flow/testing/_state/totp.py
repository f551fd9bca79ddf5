"""Codes of authenticator apps.

Rule of this file: RFC 6238 as Cognito uses it: HMAC-SHA-1, six digits, 30 seconds, one step of tolerance on
either side.

Source: "TOTP software token MFA" in the Amazon Cognito developer guide.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

PERIOD = 30  # seconds
_DIGITS = 6
_TOLERANCE = 1  # steps


def new_secret(random_bytes: Callable[[int], bytes]) -> str:
    """Return a new SecretCode: base32 of 32 bytes, without padding.

    Args:
        random_bytes: Draws that many bytes.
    """
    return base64.b32encode(random_bytes(32)).decode().rstrip("=")


def _code(secret: str, step: int) -> str:
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    # SHA-1 is what the standard and all apps use; cryptography deprecates it only for signatures.
    return TOTP(key, _DIGITS, SHA1(), PERIOD, enforce_key_length=False).generate(step * PERIOD).decode()  # noqa: S303


def totp_code(secret: str, moment: datetime) -> str:
    """Return the code that an authenticator app shows.

    >>> from datetime import UTC, datetime
    >>> totp_code("JBSWY3DPEHPK3PXP", datetime(2030, 1, 1, tzinfo=UTC))
    '098407'

    Args:
        secret: The app's secret, base32: SecretCode of AssociateSoftwareToken.
        moment: The time, an aware datetime.
    """
    return _code(secret, int(moment.timestamp()) // PERIOD)


def matching_step(secret: str, code: str, moment: datetime) -> int | None:
    """Return the time step of a code, counted since the epoch; None if it is not valid now."""
    now = int(moment.timestamp()) // PERIOD
    matching = [
        step
        for step in range(now - _TOLERANCE, now + _TOLERANCE + 1)
        if hmac.compare_digest(_code(secret, step).encode(), code.encode())
    ]
    return max(matching, default=None)
