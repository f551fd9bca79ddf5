"""The signature that proves a password or a device's secret by SRP."""

from __future__ import annotations

from cognito_flow.errors import UnexpectedResponse
from cognito_flow.handlers.base import HandlerTurn
from cognito_flow.handlers.pending import Pending

READS = ("SALT", "SRP_B", "SECRET_BLOCK")
"""The ChallengeParameters that `sign` reads."""

SENDS = ("PASSWORD_CLAIM_SECRET_BLOCK", "PASSWORD_CLAIM_SIGNATURE", "TIMESTAMP")
"""The ChallengeResponses that it returns."""


def sign(turn: HandlerTurn, pending: Pending, *, group: str, name: str, secret: str) -> dict[str, str]:
    """Return the ChallengeResponses that prove a secret.

    TIMESTAMP is the time by Cognito's clock: Cognito refuses a proof whose time is off by minutes, with the
    text for a wrong password.

    Args:
        turn: The turn in which SRP_A was sent.
        pending: The challenge.
        group: The pool's name, or the device's group key.
        name: USER_ID_FOR_SRP, or the device's key.
        secret: The password, or the device's secret.

    Raises:
        UnexpectedResponse: No SRP_A was sent in this turn, or a parameter of the challenge is missing or
            malformed.
    """
    from cognito_flow import _srp

    if turn.ephemeral is None:
        raise UnexpectedResponse(f"Cognito sent {pending.name}, but no SRP_A was sent in this turn")
    claim = _srp.sign_claim(
        _srp.Identity(group, name, secret),
        turn.ephemeral,
        salt=pending.need("SALT"),
        srp_b=pending.need("SRP_B"),
        secret_block=pending.need("SECRET_BLOCK"),
        moment=turn.service_time(),
    )
    return claim.responses()
