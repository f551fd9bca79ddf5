"""What a proof of a password costs, beside the same arithmetic in CPython's own integers.

Both are in one group, so the brackets of the table give their ratio in one run: `nox -s bench`. CPython's
integers are not an alternative: their timing depends on the secret, and they hold the GIL.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from cognito_flow import _srp
from tests.support import srp_peer

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

pytestmark = pytest.mark.benchmark(group="the proof of a password")


@pytest.fixture
def sign_in() -> srp_peer.SignIn:
    """A sign-in of the usual sizes."""
    return srp_peer.SignIn(
        group="Ab1Cd2Ef3",
        name="alice",
        password="Correct-horse-1",
        salt=secrets.randbits(128),
        a=secrets.randbits(256),
        b=secrets.randbits(256),
        secret_block=secrets.token_bytes(1284),
        moment=datetime(2026, 11, 21, 9, 8, 7, tzinfo=UTC),
    )


def test_sign_claim(benchmark: BenchmarkFixture, sign_in: srp_peer.SignIn) -> None:
    """The library: two powers with secret exponents, of 256 and 512 bits, and the signature."""
    made = benchmark(
        _srp.sign_claim,
        _srp.Identity(sign_in.group, sign_in.name, sign_in.password),
        _srp.Ephemeral(sign_in.a.to_bytes(32)),
        salt=f"{sign_in.salt:x}",
        srp_b=f"{sign_in.public_b:x}",
        secret_block=base64.b64encode(sign_in.secret_block).decode(),
        moment=sign_in.moment,
    )

    assert sign_in.signature == made.signature


def test_sign_claim_with_pow(benchmark: BenchmarkFixture, sign_in: srp_peer.SignIn) -> None:
    """CPython: the same two powers by `pow`, and nothing else."""
    public_b = sign_in.public_b

    def shared_number() -> int:
        each = replace(sign_in)
        each.__dict__.update(public_a=sign_in.public_a, public_b=public_b)  # known before the proof is asked
        return each.s_of_client

    assert sign_in.s == benchmark(shared_number)
