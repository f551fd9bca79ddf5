"""The proof that a handler sends is the one that the service computes for the same secret."""

from __future__ import annotations

import base64
import dataclasses
from datetime import UTC, datetime

import attrs
import pytest

from cognito_flow import (
    AppClient,
    Device,
    DevicePasswordVerifier,
    PasswordVerifier,
    Pending,
    UnexpectedResponse,
)
from cognito_flow._turn import Settings, Turn
from cognito_flow.handlers import proofs
from cognito_flow.models import System
from tests.support.conversation import Conversation
from tests.support.srp_peer import SignIn

MOMENT = datetime(2030, 1, 7, 3, 4, 5, tzinfo=UTC)
DEVICE = Device("eu-west-1_key", "-group", "device secret")
PEER = SignIn(
    group="pool",
    name="alice",
    password="correct horse",
    salt=2**120 + 7,
    a=int.from_bytes(b"\x81" * 32, "big"),
    b=2**250 + 3,
    secret_block=b"secret block",
    moment=MOMENT,
)


def turn() -> Turn:
    """A turn whose random number is that of the peer's sign-in."""
    system = System(now=lambda: MOMENT, random_bytes=lambda length: b"\x81" * length)
    return Turn(settings=Settings(app=AppClient("eu-west-1_pool", "client"), system=system), device=DEVICE)


def pending() -> Pending:
    """The second half of an SRP exchange with the peer."""
    parameters = {
        "SALT": f"{PEER.salt:x}",
        "SRP_B": f"{PEER.public_b:x}",
        "SECRET_BLOCK": base64.b64encode(PEER.secret_block).decode(),
    }
    return Pending(name="PASSWORD_VERIFIER", username="alice", parameters=parameters)


def test_proof_is_that_of_the_service() -> None:
    moment = turn()
    assert int(moment.begin_srp("correct horse"), 16) == PEER.public_a

    assert proofs.sign(moment, pending(), group="pool", name="alice", secret="correct horse") == {
        "PASSWORD_CLAIM_SECRET_BLOCK": base64.b64encode(PEER.secret_block).decode(),
        "PASSWORD_CLAIM_SIGNATURE": PEER.signature,
        "TIMESTAMP": "Mon Jan 7 03:04:05 UTC 2030",
    }


def test_password_verifier_proves_the_password_of_the_turn() -> None:
    moment, asked = turn(), pending()
    moment.begin_srp("correct horse")
    challenge = PasswordVerifier.parse(
        attrs.evolve(asked, parameters={**asked.parameters, "USER_ID_FOR_SRP": "alice"})
    )

    talk = Conversation(challenge.exchange(moment, challenge.auto()))

    assert talk.responses["PASSWORD_CLAIM_SIGNATURE"] == PEER.signature


def test_device_password_verifier_proves_the_secret_of_the_device() -> None:
    peer = dataclasses.replace(PEER, group=DEVICE.group_key, name=DEVICE.key, password=DEVICE.secret)
    moment, asked = turn(), pending()
    moment.begin_srp(None)
    challenge = DevicePasswordVerifier.parse(
        attrs.evolve(
            asked,
            name="DEVICE_PASSWORD_VERIFIER",
            parameters={**asked.parameters, "SRP_B": f"{peer.public_b:x}"},
        )
    )

    talk = Conversation(challenge.exchange(moment, challenge.auto()))

    assert talk.responses["PASSWORD_CLAIM_SIGNATURE"] == peer.signature


@pytest.mark.parametrize("missing", ["SALT", "SRP_B", "SECRET_BLOCK"])
def test_proof_without_a_parameter_raises_unexpected_response(missing: str) -> None:
    moment, asked = turn(), pending()
    moment.begin_srp("correct horse")
    known = {name: value for name, value in asked.parameters.items() if name != missing}

    with pytest.raises(UnexpectedResponse, match=f"PASSWORD_VERIFIER came without its parameter '{missing}'"):
        proofs.sign(moment, attrs.evolve(asked, parameters=known), group="g", name="n", secret="s")
