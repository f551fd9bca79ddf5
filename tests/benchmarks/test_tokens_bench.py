"""What a request of a signed-in user costs: getting a fresh token from a source, and verifying a token.

Verification is compared with PyJWT's own when the key is already loaded. Both are in one group, so the brackets
of the table give their ratio in one run: `nox -s bench`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jwt
import pytest

from cognito_flow import UserPasswordAuth

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from cognito_flow import Tokens
    from cognito_flow.testing import Pool


@pytest.fixture
def tokens(cognito_pool: Pool) -> Tokens:
    """Tokens of a user."""
    cognito_pool.add_user("alice", "correct horse")
    return cognito_pool.flow().sign_in(UserPasswordAuth("alice", "correct horse")).tokens


@pytest.mark.benchmark(group="verifying an access token")
def test_the_verifier(benchmark: BenchmarkFixture, cognito_pool: Pool, tokens: Tokens) -> None:
    """Everything that it checks, with its keys fetched before."""
    verifier = cognito_pool.verifier()
    verifier.verify_access(tokens.access_token)
    assert benchmark(verifier.verify_access, tokens.access_token).username == "alice"


@pytest.mark.benchmark(group="verifying an access token")
def test_pyjwt(benchmark: BenchmarkFixture, cognito_pool: Pool, tokens: Tokens) -> None:
    """The signature, the issuer and the times, with the key at hand."""
    keys = jwt.PyJWKSet.from_dict(cognito_pool.jwks())
    key = keys[jwt.get_unverified_header(tokens.access_token)["kid"]]
    issuer = cognito_pool.app.issuer
    claims = benchmark(jwt.decode, tokens.access_token, key, algorithms=["RS256"], issuer=issuer)
    assert claims["username"] == "alice"


def test_a_fresh_token(benchmark: BenchmarkFixture, cognito_pool: Pool, tokens: Tokens) -> None:
    """What every request asks for."""
    source = cognito_pool.flow().token_source(tokens)
    assert benchmark(source.access_token) == tokens.access_token
