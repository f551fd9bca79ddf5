"""SRP challenges and the claims that answer them: PASSWORD_VERIFIER and DEVICE_PASSWORD_VERIFIER.

Rule of this file: the server's numbers are sealed into SECRET_BLOCK, so nothing is kept between
the two calls.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping

import attrs

from cognito_flow.testing._operations.authentication.sign_in import SignIn
from cognito_flow.testing._operations.request import need
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import UserPool
from cognito_flow.testing._state.sessions import open_sealed, seal
from cognito_flow.testing._state.srp_server import (
    Handshake,
    Verifier,
    answer_srp_a,
    parse_timestamp,
    proof_is_right,
)

_BLOCK = "PASSWORD_CLAIM_SECRET_BLOCK"
# In the order in which the service names the missing ones.
_MEMBERS = ("TIMESTAMP", "PASSWORD_CLAIM_SIGNATURE", _BLOCK)


def srp_parameters(sign_in: SignIn, verifier: Verifier, srp_a: str, name: str) -> dict[str, str]:
    """Answer SRP_A: the ChallengeParameters SALT, SRP_B and SECRET_BLOCK.

    Args:
        sign_in: The sign-in.
        verifier: The user's or the device's.
        srp_a: SRP_A.
        name: Who must prove the password: the user name or the DeviceKey.

    Raises:
        Refusal: SRP_A is malformed, or 0 modulo N.
    """
    handshake = answer_srp_a(verifier, srp_a, secrets.token_bytes)
    # What triggers returned is in the Session, and may be too long for a ChallengeResponse.
    progress = attrs.evolve(sign_in.progress, history=[], private={}, metadata=None)
    block = seal(
        sign_in.pool,
        {
            "progress": attrs.asdict(progress),
            "a": f"{handshake.a_public:x}",
            "b": f"{handshake.b_secret:x}",
            "B": f"{handshake.b_public:x}",
            "name": name,
            "until": (sign_in.now + sign_in.client.session_life).timestamp(),
        },
    )
    return {
        "SALT": f"{verifier.salt:x}",
        "SRP_B": f"{handshake.b_public:x}",
        # Clients expect base64.
        "SECRET_BLOCK": base64.b64encode(block.encode()).decode(),
    }


def need_claim(values: Mapping[str, str]) -> None:
    """Check that all members of a claim are there.

    Raises:
        Refusal: One is missing.
    """
    for name in _MEMBERS:
        need(values, name)


def open_block(pool: UserPool, values: Mapping[str, str]) -> Members | None:
    """The content of a claim's SECRET_BLOCK, or None if this pool did not make it."""
    content = open_sealed(pool, _decoded_block(values).decode("latin-1"))
    return content if content is not None and "until" in content else None


def _decoded_block(values: Mapping[str, str]) -> bytes:
    given = values[_BLOCK]
    try:
        decoded = base64.b64decode(given, validate=True)
    except ValueError:
        return b""
    return decoded if base64.b64encode(decoded).decode() == given else b""  # unused bits are ignored


def check_claim(sign_in: SignIn, verifier: Verifier, group: str, name: str) -> bool:
    """Whether the claim of this call proves the password of a verifier.

    Args:
        sign_in: The sign-in.
        verifier: The user's or the device's.
        group: The pool's name, or the DeviceGroupKey.
        name: The user name, or the DeviceKey.

    Raises:
        Refusal: TIMESTAMP cannot be read.
    """
    moment, canonical = parse_timestamp(sign_in.values["TIMESTAMP"])
    content = open_block(sign_in.pool, sign_in.values)
    if content is None or content["name"] != name:
        return False
    is_late = sign_in.now.timestamp() >= content["until"]
    is_skewed = abs((sign_in.now - moment).total_seconds()) > sign_in.pool.settings.skew
    if is_late or is_skewed or content["progress"]["client_id"] != sign_in.client.id:
        return False
    handshake = Handshake(*(int(content[name], 16) for name in ("a", "b", "B")))
    return proof_is_right(
        handshake,
        verifier,
        group=group,
        name=name,
        secret_block=_decoded_block(sign_in.values),
        timestamp=canonical,
        signature=sign_in.values["PASSWORD_CLAIM_SIGNATURE"],
    )
