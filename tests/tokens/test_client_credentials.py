"""Tokens of an app client itself, from a source that has the methods of a token source."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import httpx
import pytest

from cognito_flow import (
    AppClient,
    AsyncClientCredentialsSource,
    ClientCredentialsSource,
    Misconfigured,
    NotAuthorized,
    ServiceError,
    System,
    Tokens,
    UnexpectedResponse,
    UsageError,
)
from cognito_flow._turn import Settings, Turn
from cognito_flow.integrations.httpx import CognitoAuth
from cognito_flow.testing import LocalCognito, Pool
from cognito_flow.tokens.client_credentials import _state
from tests.support.contract import needs_operation
from tests.support.conversation import APP, Conversation

pytestmark = needs_operation("GetClientToken")

SCOPES = ["https://api.example/read", "https://api.example/write"]
Fetch: TypeAlias = Callable[..., str]


@pytest.fixture
def machine(cognito: LocalCognito) -> tuple[Pool, AppClient]:
    """A pool with a resource server, and an app client for machines."""
    pool = cognito.create_pool()
    api: Any = cognito.client()
    api.create_resource_server(
        UserPoolId=pool.id,
        Identifier="https://api.example",
        Name="api",
        Scopes=[{"ScopeName": name, "ScopeDescription": name} for name in ("read", "write", "admin")],
    )
    return pool, pool.app_client(
        secret=True,
        flows=["ALLOW_CLIENT_TOKEN_AUTH"],
        allowed_o_auth_flows=["client_credentials"],
        allowed_o_auth_scopes=SCOPES,
    )


def blocking(cognito: LocalCognito, app: AppClient, **options: Any) -> str:
    """The access token of a blocking source."""
    system = System(now=cognito.clock)
    return ClientCredentialsSource(app, cognito.client(), system=system, **options).access_token()


def awaited(cognito: LocalCognito, app: AppClient, **options: Any) -> str:
    """The access token of an asynchronous source."""
    system = System(now=cognito.clock)
    source = AsyncClientCredentialsSource(app, cognito.client(), system=system, **options)
    return asyncio.run(source.access_token())


@pytest.fixture(params=[blocking, awaited])
def fetch(request: pytest.FixtureRequest) -> Fetch:
    """The same for both drivers."""
    fetched: Fetch = request.param
    return fetched


@pytest.mark.parametrize(
    ("requested", "granted"), [([], set(SCOPES)), (SCOPES[:1], set(SCOPES[:1]))], ids=["all", "one"]
)
def test_token_names_the_app_client_and_its_scopes(
    cognito: LocalCognito,
    machine: tuple[Pool, AppClient],
    fetch: Fetch,
    requested: list[str],
    granted: set[str],
) -> None:
    pool, app = machine

    claims = pool.verifier(app).verify_access(fetch(cognito, app, scopes=requested))

    assert (claims.sub, claims.client_id, claims.username) == (app.client_id, app.client_id, None)
    assert claims.scopes == granted


def test_scope_that_the_app_client_may_not_have_is_refused(
    cognito: LocalCognito, machine: tuple[Pool, AppClient], fetch: Fetch
) -> None:
    with pytest.raises(ServiceError, match="Invalid scope requested"):
        fetch(cognito, machine[1], scopes=["https://api.example/admin"])


def test_wrong_client_secret_raises_not_authorized(
    cognito: LocalCognito, machine: tuple[Pool, AppClient], fetch: Fetch
) -> None:
    app = AppClient(machine[1].pool_id, machine[1].client_id, "w" * 30)

    with pytest.raises(NotAuthorized):
        fetch(cognito, app)


def test_unknown_app_client_raises_misconfigured(
    cognito: LocalCognito, machine: tuple[Pool, AppClient], fetch: Fetch
) -> None:
    app = AppClient(machine[0].id, "unknown", machine[1].client_secret)

    with pytest.raises(Misconfigured, match="client id"):
        fetch(cognito, app)


def test_app_client_for_users_is_refused(cognito: LocalCognito, fetch: Fetch) -> None:
    app = cognito.create_pool().app_client(secret=True)

    with pytest.raises(Misconfigured, match="not enabled"):
        fetch(cognito, app)


@pytest.mark.parametrize("kind", [ClientCredentialsSource, AsyncClientCredentialsSource])
def test_source_without_a_client_secret_raises_usage_error(kind: Any) -> None:
    with pytest.raises(UsageError, match="pass client_secret"):
        kind(AppClient("eu-west-1_abc", "id"))


def test_scopes_in_one_str_raise_usage_error() -> None:
    with pytest.raises(UsageError, match="must be a list"):
        ClientCredentialsSource(APP, scopes="a/b")


def test_token_is_kept_until_it_is_about_to_expire(
    cognito: LocalCognito, machine: tuple[Pool, AppClient]
) -> None:
    changed: list[Tokens] = []
    source = ClientCredentialsSource(
        machine[1], cognito.client(), system=System(now=cognito.clock), on_tokens=changed.append
    )

    first, second = source.access_token(), source.access_token()
    cognito.clock.advance(3600)

    assert first == second != source.access_token()
    assert changed[0].access_token == first
    assert len(changed) == 2


def test_many_threads_share_one_request(cognito: LocalCognito, machine: tuple[Pool, AppClient]) -> None:
    source = ClientCredentialsSource(machine[1], cognito.client(), system=System(now=cognito.clock))
    before = len(cognito.calls)

    with ThreadPoolExecutor(8) as threads:
        tokens = set(threads.map(lambda _: source.access_token(), range(32)))

    assert len(tokens) == 1
    assert len(cognito.calls) == before + 1


def test_http_adapter_sends_the_token(cognito: LocalCognito, machine: tuple[Pool, AppClient]) -> None:
    source = ClientCredentialsSource(machine[1], cognito.client(), system=System(now=cognito.clock))
    transport = httpx.MockTransport(
        lambda request: httpx.Response(200, text=request.headers["Authorization"])
    )

    with httpx.Client(
        transport=transport, auth=CognitoAuth(source, origins=["https://api.example"])
    ) as client:
        answer = client.get("https://api.example/things")

    assert answer.text == f"Bearer {source.access_token()}"


def test_response_without_a_token_raises_unexpected_response() -> None:
    state = _state(APP, (), 60, None, System())

    with pytest.raises(UnexpectedResponse, match="without a token"):
        Conversation(state.renew(Turn(settings=Settings(app=APP)), state.tokens)).answer({})
