"""Refreshing and revoking through both flows, against a pool that really rotates and revokes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeAlias

import attrs
import pytest

from cognito_flow import (
    AppClient,
    MemoryStore,
    RefreshTokenInvalid,
    RefreshTokenReused,
    ServiceError,
    TokenRevoked,
    Tokens,
    TransportError,
    UnexpectedResponse,
    UsageError,
    UserSrpAuth,
)
from cognito_flow._refresh import refresh
from cognito_flow.testing import LocalCognito, Pool
from tests.support.conversation import APP, RESULT, Conversation, turn

ALICE = UserSrpAuth("alice", "correct horse")
ROTATION: Any = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 10}

Call: TypeAlias = Callable[..., Any]


@pytest.fixture
def pool(cognito_pool: Pool) -> Pool:
    """A pool with a user."""
    cognito_pool.add_user("alice", "correct horse")
    return cognito_pool


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest, pool: Pool) -> Call:
    """Calls a method of either flow."""

    def call(app: AppClient, method: str, *arguments: object, **options: Any) -> Any:
        if request.param == "sync":
            return getattr(pool.flow(app), method)(*arguments, **options)
        return asyncio.run(getattr(pool.async_flow(app), method)(*arguments, **options))

    return call


def rotating(pool: Pool) -> AppClient:
    """An app client that rotates refresh tokens."""
    flows = ("ALLOW_USER_SRP_AUTH",)
    return pool.app_client(flows=flows, refresh_token_rotation=ROTATION)


@pytest.mark.parametrize("secret", [False, True], ids=["public", "secret"])
def test_refresh_without_rotation_keeps_the_refresh_token(pool: Pool, call: Call, secret: bool) -> None:
    app = pool.app_client(secret=secret)
    tokens = pool.flow(app).sign_in(ALICE).tokens
    pool.cognito.clock.advance(1000)

    new: Tokens = call(app, "refresh", tokens)

    assert new.refresh_token == tokens.refresh_token
    assert new.access_token != tokens.access_token
    assert timedelta(seconds=990) < new.expires_at - tokens.expires_at < timedelta(seconds=1010)


def test_refresh_with_rotation_returns_the_new_refresh_token(pool: Pool, call: Call) -> None:
    """The old one expires with its grace period and then counts as reused."""
    app = rotating(pool)
    tokens = pool.flow(app).sign_in(ALICE).tokens

    new: Tokens = call(app, "refresh", tokens)
    pool.cognito.clock.advance(11)

    assert new.refresh_token != tokens.refresh_token
    assert call(app, "refresh", new).username == "alice"
    with pytest.raises(RefreshTokenReused):
        call(app, "refresh", tokens)


def test_lost_response_is_requested_again_within_the_grace_period(pool: Pool, call: Call) -> None:
    """The new token would be lost with it."""
    app = rotating(pool)
    tokens = pool.flow(app).sign_in(ALICE).tokens
    pool.cognito.faults.lose("GetTokensFromRefreshToken")

    assert call(app, "refresh", tokens).refresh_token != tokens.refresh_token


def test_refresh_sends_the_device_key_of_the_sign_in(cognito: LocalCognito) -> None:
    """With device tracking, Cognito refuses the token without it, and the hint says so."""
    tracking: Any = {"ChallengeRequiredOnNewDevice": False, "DeviceOnlyRememberedOnUserPrompt": False}
    pool = cognito.create_pool(device_configuration=tracking)
    pool.add_user("alice", "correct horse")
    flow = pool.flow(devices=MemoryStore())
    tokens = flow.sign_in(ALICE).tokens

    assert flow.refresh(tokens).device_key == tokens.device_key is not None
    with pytest.raises(RefreshTokenInvalid) as error:
        flow.refresh(attrs.evolve(tokens, device_key=None))
    assert "device" in str(error.value.hint)


def test_refresh_after_revoke_raises_token_revoked(pool: Pool, call: Call) -> None:
    """Revoking twice does not raise."""
    app = pool.app_client(secret=True)
    tokens = pool.flow(app).sign_in(ALICE).tokens

    call(app, "revoke", tokens)
    call(app, "revoke", tokens)

    with pytest.raises(TokenRevoked):
        call(app, "refresh", tokens)


def test_revoke_without_token_revocation_raises_service_error(pool: Pool, call: Call) -> None:
    app = pool.app_client(enable_token_revocation=False)
    tokens = pool.flow(app).sign_in(ALICE).tokens
    with pytest.raises(ServiceError, match="revocation is not enabled"):
        call(app, "revoke", tokens)


@pytest.mark.parametrize("method", ["refresh", "revoke"])
def test_tokens_without_a_refresh_token_raise_usage_error(pool: Pool, call: Call, method: str) -> None:
    tokens = attrs.evolve(pool.flow().sign_in(ALICE).tokens, refresh_token=None)
    calls = len(pool.cognito.calls)
    with pytest.raises(UsageError, match="sign in again"):
        call(pool.app, method, tokens)
    assert len(pool.cognito.calls) == calls


def test_refresh_whose_responses_are_lost_is_maybe_processed(pool: Pool, call: Call) -> None:
    tokens = pool.flow().sign_in(ALICE).tokens
    pool.cognito.faults.lose("GetTokensFromRefreshToken", times=3)
    with pytest.raises(TransportError) as error:
        call(pool.app, "refresh", tokens)
    assert error.value.maybe_processed


def test_refresh_sends_the_metadata_of_the_flow() -> None:
    tokens = Tokens("a", "i", "refresh", expires_at=turn().settings.system.now(), username="alice")
    talk = Conversation(refresh(turn(metadata={"of": "turn"}), tokens))
    assert talk.sent == {
        "RefreshToken": "refresh",
        "ClientId": APP.client_id,
        "ClientSecret": APP.client_secret,
        "ClientMetadata": {"of": "turn"},
    }
    assert talk.answer({"AuthenticationResult": RESULT}).result == attrs.evolve(
        tokens, access_token="not-a-jwt", id_token="id", expires_at=tokens.expires_at + timedelta(hours=1)
    )


def test_refresh_without_tokens_raises_unexpected_response() -> None:
    tokens = Tokens("a", "i", "refresh", expires_at=turn().settings.system.now(), username="alice")
    with pytest.raises(UnexpectedResponse, match="without tokens"):
        Conversation(refresh(turn(), tokens)).answer({})
