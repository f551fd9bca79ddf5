"""Sessions of a pool that tracks them, asked of the operations themselves.

Older versions of botocore do not know these operations, so no client can call them there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from cognito_flow import AuthFlow, SignedIn, TriggerRefused, UserPasswordAuth
from cognito_flow.testing import Clock, LocalCognito, Pool
from cognito_flow.testing._operations.request import Request
from cognito_flow.testing._operations.session_tracking import OPERATIONS
from cognito_flow.testing._state.refusal import Refusal
from tests.local_cognito.conftest import NOW
from tests.local_cognito.wire import PASSWORD
from tests.scenarios.devices import ALWAYS

if TYPE_CHECKING:
    from cognito_flow import Tokens


@attrs.define
class Tracked:
    """A pool with alice, and a way to call an operation without botocore."""

    cognito: LocalCognito
    pool: Pool
    flow: AuthFlow = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.pool.add_user("alice", PASSWORD)
        self.flow = self.pool.flow()

    def call(self, operation: str, **parameters: Any) -> Any:
        """Call an operation; it gets what has passed the model's constraints."""
        pools = {self.pool.id: self.cognito.state(self.pool.id)}
        request = Request(operation, parameters, "eu-west-1", pools, pools, [], self.cognito.clock())
        return OPERATIONS[operation](request)

    def refusal(self, operation: str, **parameters: Any) -> str:
        """The error code of a call that must be refused."""
        with pytest.raises(Refusal) as refused:
            self.call(operation, **parameters)
        return refused.value.code

    def enable(self, most: int = 20, tracking: str = "ENABLED") -> Any:
        """Turn session tracking on."""
        settings = {"UserSessionTracking": tracking, "TokenSession": {"MaxPerUser": most}}
        return self.call("SetUserPoolSessionConfiguration", UserPoolId=self.pool.id, **settings)

    def sign_in(self) -> Tokens:
        """Sign alice in."""
        step = self.flow.start(UserPasswordAuth("alice", PASSWORD))
        assert isinstance(step, SignedIn)
        return step.tokens

    def sessions(self, tokens: Tokens) -> list[Any]:
        """The sessions that these tokens list."""
        found: list[Any] = self.call("ListUserSessions", AccessToken=tokens.access_token)["Sessions"]
        return found

    def current(self, tokens: Tokens) -> str:
        """The id of the session of these tokens."""
        (session_id,) = [one["SessionId"] for one in self.sessions(tokens) if one["IsCurrentSession"]]
        return str(session_id)


@pytest.fixture
def tracked() -> Tracked:
    """A pool that does not track sessions yet."""
    cognito = LocalCognito(clock=Clock(lambda: NOW))
    return Tracked(cognito, cognito.create_pool())


def test_tracking_is_off_by_default(tracked: Tracked) -> None:
    configuration = tracked.call("GetUserPoolSessionConfiguration", UserPoolId=tracked.pool.id)

    assert configuration == {
        "UserPoolId": tracked.pool.id,
        "UserSessionTracking": "DISABLED",
        "TokenSession": {"MaxPerUser": 20},
    }


def test_pool_without_tracking_refuses_to_list_and_revoke(tracked: Tracked) -> None:
    own = {"AccessToken": tracked.sign_in().access_token}
    user = {"UserPoolId": tracked.pool.id, "Username": "alice"}

    assert tracked.refusal("ListUserSessions", **own) == "OperationNotEnabledException"
    assert tracked.refusal("RevokeUserSession", SessionId="tkn1", **own) == "OperationNotEnabledException"
    assert tracked.refusal("AdminListUserSessions", **user) == "OperationNotEnabledException"
    assert tracked.refusal("AdminRevokeUserSession", SessionId="x", **user) == "OperationNotEnabledException"


def test_lite_pool_refuses_session_tracking() -> None:
    cognito = LocalCognito(clock=Clock(lambda: NOW))
    tracked = Tracked(cognito, cognito.create_pool(user_pool_tier="LITE"))
    settings = {"UserSessionTracking": "ENABLED", "TokenSession": {"MaxPerUser": 1}}

    code = tracked.refusal("SetUserPoolSessionConfiguration", UserPoolId=tracked.pool.id, **settings)
    of_client = tracked.refusal("SetUserPoolClientSessionConfiguration", **client_settings(tracked, 5))

    assert code == of_client == "FeatureUnavailableInTierException"


def client_settings(tracked: Tracked, minutes: int) -> dict[str, Any]:
    """The session configuration of the pool's app client."""
    ids = {"UserPoolId": tracked.pool.id, "ClientId": tracked.pool.app.client_id}
    return {**ids, "SSOSession": {"MaxValidityMinutes": minutes}}


def test_app_client_reuses_sso_sessions_for_an_hour_by_default(tracked: Tracked) -> None:
    expected = client_settings(tracked, 60)
    ids = {name: expected[name] for name in ("UserPoolId", "ClientId")}

    assert tracked.call("GetUserPoolClientSessionConfiguration", **ids) == expected


def test_session_configuration_of_an_app_client_survives_an_update_and_tracking_that_is_turned_off(
    tracked: Tracked,
) -> None:
    tracked.enable()
    wanted = client_settings(tracked, 5)
    ids = {name: wanted[name] for name in ("UserPoolId", "ClientId")}
    assert tracked.call("SetUserPoolClientSessionConfiguration", **wanted) == wanted
    tracked.enable(tracking="DISABLED")
    api: Any = tracked.cognito.client()
    api.update_user_pool_client(**ids)

    assert tracked.call("GetUserPoolClientSessionConfiguration", **ids) == wanted


def test_session_configuration_of_an_app_client_needs_tracking(tracked: Tracked) -> None:
    code = tracked.refusal("SetUserPoolClientSessionConfiguration", **client_settings(tracked, 5))

    assert code == "OperationNotEnabledException"


def test_each_sign_in_since_tracking_is_on_is_a_session(tracked: Tracked) -> None:
    tracked.sign_in()
    assert tracked.enable()["UserSessionTracking"] == "ENABLED"
    first, second = tracked.sign_in(), tracked.sign_in()

    sessions = tracked.sessions(first)

    assert len(sessions) == 2
    assert tracked.current(first) != tracked.current(second)
    assert {one["SessionType"] for one in sessions} == {"TOKEN"}
    assert {one["ClientId"] for one in sessions} == {tracked.pool.app.client_id}
    assert all(len(one["SessionId"]) == 28 for one in sessions)


def test_refresh_changes_the_last_activity_and_keeps_the_session(tracked: Tracked) -> None:
    tracked.enable()
    tokens = tracked.sign_in()
    before = tracked.current(tokens)
    tracked.cognito.clock.advance(600)

    (session,) = tracked.sessions(tracked.flow.refresh(tokens))

    assert session["SessionId"] == before
    assert session["LastActiveDate"] - session["CreateDate"] == 600


def test_administrator_lists_no_current_session(tracked: Tracked) -> None:
    tracked.enable()
    tracked.sign_in()

    (session,) = tracked.call("AdminListUserSessions", UserPoolId=tracked.pool.id, Username="alice")[
        "Sessions"
    ]

    assert session["IsCurrentSession"] is False


def test_session_of_a_forgotten_device_is_not_listed() -> None:
    cognito = LocalCognito(clock=Clock(lambda: NOW))
    tracked = Tracked(cognito, cognito.create_pool(**ALWAYS))
    tracked.enable()
    laptop, phone = tracked.sign_in(), tracked.sign_in()

    tracked.flow.account(laptop).forget_device()

    assert [session["IsCurrentSession"] for session in tracked.sessions(phone)] == [True]


def test_expired_session_is_not_listed(tracked: Tracked) -> None:
    tracked.enable()
    tracked.sign_in()
    tracked.cognito.clock.advance(31 * 24 * 3600)

    assert len(tracked.sessions(tracked.sign_in())) == 1


def test_revoked_session_ends_its_tokens_and_no_others(tracked: Tracked) -> None:
    tracked.enable()
    laptop, phone = tracked.sign_in(), tracked.sign_in()

    tracked.call("RevokeUserSession", AccessToken=laptop.access_token, SessionId=tracked.current(phone))

    assert tracked.refusal("ListUserSessions", AccessToken=phone.access_token) == "NotAuthorizedException"
    assert len(tracked.sessions(laptop)) == 1


def test_administrator_revokes_any_session(tracked: Tracked) -> None:
    tracked.enable()
    tokens = tracked.sign_in()
    user = {"UserPoolId": tracked.pool.id, "Username": "alice"}

    tracked.call("AdminRevokeUserSession", SessionId=tracked.current(tokens), **user)

    assert tracked.refusal("ListUserSessions", AccessToken=tokens.access_token) == "NotAuthorizedException"


def test_own_and_unknown_sessions_are_not_revoked(tracked: Tracked) -> None:
    tracked.enable()
    tokens = tracked.sign_in()
    own = {"AccessToken": tokens.access_token}

    current, unknown = tracked.current(tokens), f"tkn{'0' * 25}"

    assert tracked.refusal("RevokeUserSession", SessionId=current, **own) == "InvalidParameterException"
    assert tracked.refusal("RevokeUserSession", SessionId=unknown, **own) == "ResourceNotFoundException"


@pytest.mark.parametrize("operation", ["AdminListUserSessions", "AdminRevokeUserSession"])
def test_sessions_of_an_unknown_user_are_not_found(tracked: Tracked, operation: str) -> None:
    tracked.enable()
    user = {"UserPoolId": tracked.pool.id, "Username": "mallory", "SessionId": "x"}

    assert tracked.refusal(operation, **user) == "UserNotFoundException"


def test_unknown_session_is_not_found_by_an_administrator(tracked: Tracked) -> None:
    tracked.enable()
    user = {"UserPoolId": tracked.pool.id, "Username": "alice", "SessionId": "x"}

    assert tracked.refusal("AdminRevokeUserSession", **user) == "ResourceNotFoundException"


@pytest.mark.parametrize("operation", sorted(set(OPERATIONS) - {"ListUserSessions", "RevokeUserSession"}))
def test_unknown_pool_is_not_found(tracked: Tracked, operation: str) -> None:
    ids = {"UserPoolId": "eu-west-1_000000000", "ClientId": tracked.pool.app.client_id, "Username": "alice"}

    assert tracked.refusal(operation, **ids) == "ResourceNotFoundException"


@pytest.mark.parametrize(
    "operation", ["GetUserPoolClientSessionConfiguration", "SetUserPoolClientSessionConfiguration"]
)
def test_unknown_app_client_has_no_session_configuration(tracked: Tracked, operation: str) -> None:
    ids = {"UserPoolId": tracked.pool.id, "ClientId": "unknown"}

    assert tracked.refusal(operation, **ids) == "ResourceNotFoundException"


def test_sign_in_beyond_max_per_user_ends_the_session_used_least_recently(tracked: Tracked) -> None:
    tracked.enable(most=2)
    first = tracked.sign_in()
    tracked.cognito.clock.advance(1)
    second = tracked.sign_in()
    tracked.cognito.clock.advance(1)
    first = tracked.flow.refresh(first)

    third = tracked.sign_in()

    assert len(tracked.sessions(third)) == 2
    assert tracked.current(first) in {one["SessionId"] for one in tracked.sessions(third)}
    assert tracked.refusal("ListUserSessions", AccessToken=second.access_token) == "NotAuthorizedException"


def test_sign_in_that_a_trigger_refuses_ends_no_session_and_begins_none(tracked: Tracked) -> None:
    tracked.enable(most=1)
    first = tracked.sign_in()
    before = tracked.sessions(first)

    def refuse(_event: Any) -> Any:
        raise RuntimeError("closed")

    tracked.pool.triggers["PreTokenGeneration"] = refuse
    with pytest.raises(TriggerRefused, match="closed"):
        tracked.sign_in()

    assert tracked.sessions(first) == before
