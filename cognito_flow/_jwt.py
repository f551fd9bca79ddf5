"""Read the claims of a JWT without verifying it.

Use it for tokens that came over TLS from the pool itself, or from the application's own store. Tokens from
anywhere else need `TokenVerifier`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime

from cognito_flow._json import as_object, parse_json


def unverified_claims(token: str) -> Mapping[str, object]:
    """Return the claims, or none if it is not a JWT: an emulator may send opaque tokens."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    payload = parts[1]
    try:
        decoded = base64.b64decode(payload + "=" * (-len(payload) % 4), altchars=b"-_", validate=True)
        return as_object(parse_json(decoded)) or {}
    except (ValueError, binascii.Error):
        return {}


def unverified_moment(token: str, claim: str) -> datetime | None:
    """Return the time in a numeric claim such as ``exp`` or ``iat``, or None if the token has none."""
    seconds = unverified_claims(token).get(claim)
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
