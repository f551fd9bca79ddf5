"""A botocore that lacks an operation or a member: the error names the version to install."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import botocore
import pytest

from cognito_flow import AsyncAuthFlow, AuthFlow, UsageError
from tests.account.world import Alice, Awaited, World

if TYPE_CHECKING:
    from collections.abc import Callable


class OldClient:
    """A boto3 client of a botocore that does not know the operations of sessions yet."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> object:
        if name in ("list_user_sessions", "revoke_user_session"):
            raise AttributeError(name)
        return getattr(self._client, name)


def flow_with(world: World, alice: Alice, client: object) -> Any:
    """A flow of alice's pool that calls this client."""
    if world.is_async:
        return Awaited(AsyncAuthFlow(alice.pool.app, client))
    return AuthFlow(alice.pool.app, client)


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("ListUserSessions", lambda account: account.sessions()),
        ("RevokeUserSession", lambda account: account.revoke_session(f"tkn{'0' * 25}")),
    ],
)
def test_unknown_operation_names_the_version_to_install(
    world: World, operation: str, call: Callable[[Any], object]
) -> None:
    alice = world.alice()
    account = flow_with(world, alice, OldClient(world.cognito.client())).account(alice.signed_in.tokens)

    with pytest.raises(UsageError) as caught:
        call(account)

    assert str(caught.value) == (
        f"the installed botocore {botocore.__version__} does not know {operation}: "
        "install botocore 1.44.5 or newer"
    )


def test_unknown_member_names_the_version_to_install(world: World) -> None:
    alice = world.alice()
    client: Any = world.cognito.client()
    members = client.meta.service_model.operation_model("RevokeToken").input_shape.members
    members.pop("RevokeAssociatedSessions", None)
    flow = flow_with(world, alice, client)

    with pytest.raises(
        UsageError, match=r"does not know RevokeToken\.RevokeAssociatedSessions: install"
    ) as caught:
        flow.revoke(alice.signed_in.tokens, linked=True)

    assert str(alice.signed_in.tokens.refresh_token) not in str(caught.value)
    flow.revoke(alice.signed_in.tokens)


def test_client_of_another_service_is_named_as_such(world: World) -> None:
    alice = world.alice()

    with pytest.raises(UsageError, match="for another service, or not a client of boto"):
        flow_with(world, alice, object()).account(alice.signed_in.tokens).sessions()
