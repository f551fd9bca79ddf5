"""Sessions of a signed-in user against LocalCognito, through both drivers, with a botocore that knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cognito_flow import AppClient, Misconfigured, NotAuthorized, ServiceError, SignedIn, UserSrpAuth
from tests.account.world import NOW, PASSWORD, Alice, World
from tests.support.contract import needs_member, needs_operation

if TYPE_CHECKING:
    from cognito_flow.testing import Pool

pytestmark = needs_operation("ListUserSessions")


def track_sessions(world: World, pool: Pool) -> None:
    """Turn session tracking on."""
    client: Any = world.cognito.client()
    client.set_user_pool_session_configuration(
        UserPoolId=pool.id, UserSessionTracking="ENABLED", TokenSession={"MaxPerUser": 20}
    )


@pytest.fixture
def alice(world: World) -> Alice:
    """Alice, signed in twice to a pool that tracks sessions."""
    alice = world.alice()
    track_sessions(world, alice.pool)
    for _ in range(2):
        alice.signed_in = alice.flow.start(UserSrpAuth("alice", PASSWORD))
    alice.account = alice.flow.account(alice.signed_in.tokens)
    return alice


def test_sessions_are_listed_and_the_current_one_is_marked(alice: Alice) -> None:
    sessions = alice.account.sessions()

    assert [session.is_current for session in sessions].count(True) == 1
    assert {session.client_id for session in sessions} == {alice.pool.app.client_id}
    assert {session.created_at for session in sessions} == {NOW}
    assert len(sessions) == 2


@pytest.mark.parametrize("linked", [False, True])
def test_revoked_session_is_no_longer_listed(alice: Alice, linked: bool) -> None:
    (other,) = [session for session in alice.account.sessions() if not session.is_current]

    alice.account.revoke_session(other.session_id, linked=linked)

    assert [session.is_current for session in alice.account.sessions()] == [True]


def test_current_and_unknown_sessions_raise_service_error(alice: Alice) -> None:
    (current,) = [session for session in alice.account.sessions() if session.is_current]

    for session_id in (current.session_id, f"tkn{'0' * 25}"):
        with pytest.raises(ServiceError):
            alice.account.revoke_session(session_id)


def test_pool_without_tracking_raises_misconfigured(world: World) -> None:
    alice = world.alice()

    with pytest.raises(Misconfigured):
        alice.account.sessions()


@needs_member("RevokeTokenRequest", "RevokeAssociatedSessions")
@pytest.mark.parametrize("secret", [False, True], ids=["no secret", "secret"])
def test_linked_revocation_of_a_refresh_token_ends_the_sign_in(
    world: World, alice: Alice, secret: bool
) -> None:
    flow = world.flow(alice.pool, alice.pool.app_client(secret=secret))
    tokens = flow.start(UserSrpAuth("alice", PASSWORD)).tokens

    flow.revoke(tokens, linked=True)

    with pytest.raises(NotAuthorized):
        flow.account(tokens).sessions()
    assert isinstance(flow.start(UserSrpAuth("alice", PASSWORD)), SignedIn)


@needs_member("RevokeTokenRequest", "RevokeAssociatedSessions")
def test_linked_revocation_with_a_wrong_secret_raises_not_authorized(world: World, alice: Alice) -> None:
    app = alice.pool.app_client(secret=True)
    tokens = world.flow(alice.pool, app).start(UserSrpAuth("alice", PASSWORD)).tokens
    wrong = world.flow(alice.pool, AppClient(app.pool_id, app.client_id, "w" * 51))

    with pytest.raises(NotAuthorized):
        wrong.revoke(tokens, linked=True)
    assert len(world.flow(alice.pool, app).account(tokens).sessions()) == 3
