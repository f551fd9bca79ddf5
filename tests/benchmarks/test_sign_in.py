"""What a sign-in costs on this side, and what a whole one costs against LocalCognito: `nox -s bench`.

In the ordinary test runs each of them is made once, as a test.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from cognito_flow import AuthFlow, SignedIn, SoftwareTokenMfa, UserPasswordAuth, UserSrpAuth
from cognito_flow._srp import Ephemeral

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from cognito_flow.testing import LocalCognito, Pool

PASSWORD = "Correct-horse-1"


@pytest.fixture
def flow(cognito_pool: Pool) -> AuthFlow:
    """A flow whose client is made, for a pool with one user."""
    cognito_pool.add_user("alice", PASSWORD)
    flow = cognito_pool.flow()
    flow.start(UserPasswordAuth("alice", PASSWORD))
    return flow


def test_srp_numbers(benchmark: BenchmarkFixture) -> None:
    """SRP_A: one power with a secret exponent of 256 bits."""
    assert benchmark(Ephemeral.draw, secrets.token_bytes).srp_a


def test_sign_in_with_a_password(benchmark: BenchmarkFixture, flow: AuthFlow) -> None:
    """One call, no arithmetic: what the flow, botocore and LocalCognito cost without SRP."""
    assert isinstance(benchmark(flow.start, UserPasswordAuth("alice", PASSWORD)), SignedIn)


def test_sign_in_with_srp(benchmark: BenchmarkFixture, flow: AuthFlow) -> None:
    """Two calls, and SRP on both sides."""
    assert isinstance(benchmark(flow.start, UserSrpAuth("alice", PASSWORD)), SignedIn)


def test_seal_and_unseal(benchmark: BenchmarkFixture, cognito: LocalCognito) -> None:
    """What a web backend does between two requests of the same person."""
    pool = cognito.create_pool(mfa_configuration="ON", software_token_mfa_configuration={"Enabled": True})
    pool.add_user("alice", PASSWORD, totp=True)
    flow = pool.flow(seal_keys=[secrets.token_bytes(32)])
    challenge = flow.start(UserSrpAuth("alice", PASSWORD))
    assert isinstance(challenge, SoftwareTokenMfa)

    assert benchmark(lambda: flow.unseal(flow.seal(challenge))) == challenge
