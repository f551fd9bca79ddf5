"""npm aws-jwt-verify 5.2.1 takes LocalCognito's tokens, and refuses those that are not what they should be."""

from __future__ import annotations

from typing import Any

import pytest

from cognito_flow import AppClient
from cognito_flow.testing import LocalCognito, Pool
from tests.other_clients import pools
from tests.other_clients.conftest import JavaScript, Program, Run
from tests.other_clients.pools import PASSWORD

pytestmark = pytest.mark.other_programs


@pytest.fixture
def pool(cognito: LocalCognito) -> Pool:
    return pools.plain_pool(cognito)


@pytest.fixture
def verifier(run: Run, javascript: JavaScript, pool: Pool) -> Program:
    """Verifies tokens for the pool's app client."""
    return run(javascript.program("aws_jwt_verify"), pool.app)


def sign_in(pool: Pool, app: AppClient | None = None) -> dict[str, str]:
    """The two tokens of a sign-in."""
    client: Any = pool.cognito.client()
    result = client.initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=(app or pool.app).client_id,
        AuthParameters={"USERNAME": "alice", "PASSWORD": PASSWORD},
    )["AuthenticationResult"]
    return {"access": result["AccessToken"], "id": result["IdToken"]}


def test_both_tokens_are_valid(pool: Pool, verifier: Program) -> None:
    assert pools.is_alice(pool, {"claims": verifier.call("verify", **sign_in(pool))})


def test_id_token_is_refused_as_an_access_token(pool: Pool, verifier: Program) -> None:
    tokens = sign_in(pool)
    name, _ = verifier.refusal("verify", access=tokens["id"], id=tokens["access"])
    assert "CognitoJwtInvalidTokenUseError" == name


def test_expired_token_is_refused(cognito: LocalCognito, pool: Pool, verifier: Program) -> None:
    cognito.clock.advance(-3601)
    assert "JwtExpiredError" == verifier.refusal("verify", **sign_in(pool))[0]


def test_token_of_another_app_client_is_refused(pool: Pool, verifier: Program) -> None:
    tokens = sign_in(pool, pool.app_client())
    assert "CognitoJwtInvalidClientIdError" == verifier.refusal("verify", **tokens)[0]


def test_token_of_another_pool_is_refused(cognito: LocalCognito, pool: Pool, verifier: Program) -> None:
    other = pools.plain_pool(cognito)
    other.configure(issuer=pool.app.issuer)
    assert "KidNotFoundInJwksError" == verifier.refusal("verify", **sign_in(other))[0]


def test_token_with_changed_claims_is_refused(pool: Pool, verifier: Program) -> None:
    tokens = sign_in(pool)
    head, _, signature = tokens["access"].split(".")
    _, claims, _ = sign_in(pool)["access"].split(".")
    tokens["access"] = f"{head}.{claims}.{signature}"
    assert "JwtInvalidSignatureError" == verifier.refusal("verify", **tokens)[0]
