"""The client's arithmetic gives the answers of clients that other people wrote: see vectors/generate."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from Crypto.Math.Numbers import Integer

from cognito_flow import _srp
from cognito_flow.models import AppClient

Vector = dict[str, str]

VECTORS: dict[str, list[Vector]] = json.loads((Path(__file__).parent / "vectors" / "srp.json").read_text())


def each(*sections: str) -> pytest.MarkDecorator:
    """Run a test for every vector of some sections."""
    vectors = [vector for section in sections for vector in VECTORS[section]]
    return pytest.mark.parametrize("vector", vectors, ids=[vector["label"] for vector in vectors])


def identity(vector: Vector) -> _srp.Identity:
    return _srp.Identity(vector["group"], vector["name"], vector["password"])


def ephemeral(vector: Vector) -> _srp.Ephemeral:
    return _srp.Ephemeral(int(vector["a"], 16).to_bytes(128))


def claim(who: _srp.Identity, vector: Vector) -> _srp.Claim:
    return _srp.sign_claim(
        who,
        ephemeral(vector),
        salt=vector["salt"],
        srp_b=vector["srp_b"],
        secret_block=vector["secret_block"],
        moment=datetime.fromisoformat(vector["moment"]),
    )


@each("users", "devices")
def test_srp_a_equals_the_known_answer(vector: Vector) -> None:
    assert vector["srp_a"] == ephemeral(vector).srp_a


@each("users", "devices")
def test_claim_equals_the_known_answer(vector: Vector) -> None:
    expected = _srp.Claim(vector["secret_block"], vector["signature"], vector["timestamp"])

    assert expected == claim(identity(vector), vector)


@each("users", "devices")
def test_another_password_gives_another_claim(vector: Vector) -> None:
    other = _srp.Identity(vector["group"], vector["name"], vector["password"] + "x")

    assert vector["signature"] != claim(other, vector).signature


def salt_first(salt: str) -> Callable[[int], bytes]:
    """Random bytes that begin with the salt of a vector."""
    throws = [bytes.fromhex(salt)]
    return lambda length: throws.pop() if throws else secrets.token_bytes(length)


@each("device_verifiers")
def test_device_verifier_equals_the_known_answer(vector: Vector) -> None:
    expected = _srp.DeviceVerifier(vector["password_verifier"], vector["padded_salt"])

    assert expected == _srp.device_verifier(identity(vector), salt_first(vector["salt"]))


@each("pads")
def test_padded_number_equals_the_known_answer(vector: Vector) -> None:
    assert vector["padded"] == _srp.pad(Integer(int(vector["number"], 16))).hex()


@each("timestamps")
def test_timestamp_equals_the_known_answer(vector: Vector) -> None:
    assert vector["timestamp"] == _srp.timestamp(datetime.fromisoformat(vector["moment"]))


@each("secret_hashes")
def test_secret_hash_equals_the_known_answer(vector: Vector) -> None:
    app = AppClient("eu-west-1_AbC123", vector["client_id"], vector["client_secret"])

    assert vector["secret_hash"] == app.secret_hash(vector["username"])


@pytest.mark.parametrize(
    "section",
    ["multiplier", "pads", "timestamps", "secret_hashes", "users", "devices", "device_verifiers"],
)
def test_every_known_answer_was_computed_by_another_program(section: str) -> None:
    assert [] == [vector["label"] for vector in VECTORS[section] if not vector["origins"]]
