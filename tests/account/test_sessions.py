"""Sessions of a signed-in user against LocalCognito, through both drivers, with a botocore that knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cognito_flow import Misconfigured, NotAuthorized, ServiceError, SignedIn, UserSrpAuth
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
def test_linked_revocation_of_a_refresh_token_ends_the_sign_in(alice: Alice) -> None:
    alice.flow.revoke(alice.signed_in.tokens, linked=True)

    with pytest.raises(NotAuthorized):
        alice.account.sessions()
    again = alice.flow.start(UserSrpAuth("alice", PASSWORD))
    assert isinstance(again, SignedIn)
