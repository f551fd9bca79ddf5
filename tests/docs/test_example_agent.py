"""The agent calls a tool on behalf of a user, with a token that it exchanged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import pytest

pytest.importorskip("httpx")
import httpx

from cognito_flow import ClientCredentialsSource, System, TokenRejected, UserSrpAuth
from cognito_flow.testing import LocalCognito, Pool
from tests.support.contract import model
from tests.support.documentation import DOCS, load

pytestmark = pytest.mark.skipif(
    "GetDerivedToken" not in model().operation_names, reason="this botocore does not know GetDerivedToken"
)
agent: Any = load(DOCS / "examples" / "agent.py")
ORDERS = agent.Tool("https://orders.example/orders", "orders", ("orders/read",))
PASSWORD = "correct horse"


def permit(*scopes: str) -> Any:
    """A PreTokenGeneration trigger that adds scopes to the users' access tokens."""

    def trigger(event: Any) -> Any:
        if event["triggerSource"] != "TokenGeneration_Authentication":
            return event
        added = {"accessTokenGeneration": {"scopesToAdd": list(scopes)}}
        event["response"]["claimsAndScopeOverrideDetails"] = added
        return event

    return trigger


@pytest.fixture
def pool(cognito: LocalCognito) -> Pool:
    """A pool with a resource server; users may read and write orders."""
    config: Any = {
        "LambdaVersion": "V2_0",
        "LambdaArn": "arn:aws:lambda:eu-west-1:123456789012:function:scopes",
    }
    pool = cognito.create_pool(lambda_config={"PreTokenGenerationConfig": config})
    scopes = [{"ScopeName": name, "ScopeDescription": name} for name in ("read", "write")]
    api: Any = cognito.client()
    api.create_resource_server(UserPoolId=pool.id, Identifier="orders", Name="orders", Scopes=scopes)
    pool.triggers["PreTokenGeneration"] = permit("orders/read", "orders/write")
    pool.add_user("alice", PASSWORD)
    return pool


@attrs.frozen
class Orders:
    """The tool, and the claims of the tokens that it received."""

    pool: Pool
    exchanging: Any
    seen: list[Any] = attrs.field(factory=list)

    def __call__(self, request: Any) -> Any:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        self.seen.append(self.pool.verifier(self.exchanging).verify_access(token, scopes=["orders/read"]))
        return httpx.Response(200, json={"orders": [request.url.params["year"]]})


@pytest.fixture
def orders(pool: Pool) -> Orders:
    exchanging = pool.app_client(
        secret=True, flows=["ALLOW_TOKEN_EXCHANGE_DELEGATION"], allowed_o_auth_scopes=["orders/read"]
    )
    return Orders(pool, exchanging)


@pytest.fixture
def helper(pool: Pool, orders: Orders) -> Iterator[Any]:
    """The agent."""
    machine = pool.app_client(
        secret=True, flows=["ALLOW_CLIENT_TOKEN_AUTH"], allowed_o_auth_scopes=["orders/read"]
    )
    flow = pool.flow(orders.exchanging)
    identity = ClientCredentialsSource(machine, pool.cognito.client(), system=System(now=pool.cognito.clock))
    with httpx.Client(transport=httpx.MockTransport(orders)) as client:
        yield agent.Agent(flow, identity, pool.verifier(), client)


def user_token(pool: Pool) -> str:
    return pool.flow().sign_in(UserSrpAuth("alice", PASSWORD)).tokens.access_token


def test_tool_receives_a_token_of_the_user_that_names_the_agent(
    helper: Any, pool: Pool, orders: Orders
) -> None:
    assert helper.call(user_token(pool), ORDERS, [("year", "2026")]) == {"orders": ["2026"]}

    (claims,) = orders.seen
    assert (claims.sub, set(claims.scopes)) == (pool.user("alice").sub, {"orders/read"})
    assert claims.actor is not None


def test_scope_that_the_user_lacks_is_reported_before_the_call(
    helper: Any, pool: Pool, orders: Orders
) -> None:
    pool.triggers["PreTokenGeneration"] = permit("orders/write")

    with pytest.raises(agent.Missing, match="the user has not permitted orders/read"):
        helper.call(user_token(pool), ORDERS)
    assert orders.seen == []


def test_invalid_token_is_refused_before_anything_is_sent(helper: Any, cognito: LocalCognito) -> None:
    calls = len(cognito.calls)

    with pytest.raises(TokenRejected):
        helper.call("not a token", ORDERS)
    assert len(cognito.calls) == calls
