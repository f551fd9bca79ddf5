"""An app client without the pool's id: what works, and what says that it needs the id."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cognito_flow import (
    AppClient,
    AuthFlow,
    CustomAuth,
    SoftwareTokenMfa,
    TokenVerifier,
    UsageError,
    UserAuth,
    UserPasswordAuth,
    UserSrpAuth,
)
from cognito_flow.admin import UserAdmin
from cognito_flow.testing import LocalCognito, Pool
from tests.support.pools import PASSWORD, pool_with_totp

APP = AppClient("", "client-id", region="eu-west-1")


@pytest.fixture
def pool(cognito: LocalCognito) -> Pool:
    return pool_with_totp(cognito)


@pytest.fixture
def flow(pool: Pool) -> AuthFlow:
    """A flow that knows the id of the app client only."""
    flows = ("ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH")
    known = pool.app_client(secret=True, flows=flows)
    app = AppClient("", known.client_id, known.client_secret, region="eu-west-1")
    return AuthFlow(app, pool.cognito.client(), seal_keys=["k" * 32])


def test_sealed_and_resumed_sign_in_and_refresh_need_no_pool_id(flow: AuthFlow, pool: Pool) -> None:
    asked = flow.start(UserPasswordAuth("alice", PASSWORD))
    assert isinstance(asked, SoftwareTokenMfa)
    unsealed = flow.unseal(flow.seal(asked))
    resumed = flow.resume(asked.name, asked.pending.session, asked.username)

    assert isinstance(unsealed, SoftwareTokenMfa)
    assert isinstance(resumed, SoftwareTokenMfa)
    tokens = flow.send(resumed.answer(pool.totp("alice"))).tokens  # type: ignore[union-attr]  # SignedIn
    assert flow.refresh(tokens.refresh_token or "").username == "alice"


@pytest.mark.parametrize(
    "credentials",
    [UserSrpAuth("alice", PASSWORD), CustomAuth("alice", PASSWORD), UserAuth("alice", PASSWORD)],
    ids=lambda credentials: type(credentials).__name__,
)
def test_proof_of_a_password_raises_usage_error_before_anything_is_sent(
    flow: AuthFlow, pool: Pool, credentials: UserSrpAuth | CustomAuth | UserAuth
) -> None:
    with pytest.raises(UsageError, match="needs the user pool's id"):
        flow.start(credentials)

    assert "InitiateAuth" not in [call.operation for call in pool.cognito.calls]


NEED_IT: dict[str, Callable[[], object]] = {
    "issuer": lambda: APP.issuer,
    "pool name": lambda: APP.pool_name,
    "keys": lambda: AppClient("", "id", region="eu-west-1", endpoint_url="http://localhost").jwks_url,
    "verifier": lambda: TokenVerifier(APP),
    "users": lambda: UserAdmin(APP, object()).find_user("alice"),
    "admin": lambda: AuthFlow(APP, object(), admin=True).start(UserPasswordAuth("alice", PASSWORD)),
}


@pytest.mark.parametrize("use", NEED_IT.values(), ids=NEED_IT)
def test_what_names_the_pool_raises_usage_error(use: Callable[[], object]) -> None:
    with pytest.raises(UsageError, match="needs the user pool's id"):
        use()
