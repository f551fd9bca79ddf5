"""POST /oauth2/token: which forms become tokens, and which errors of OAuth 2.0 the others become."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

import attrs
import pytest

from cognito_flow import AppClient, Tokens, UserSrpAuth
from cognito_flow.testing import LocalCognito, Pool
from tests.support.contract import needs_operation
from tests.support.delegation import FLOWS, READ, USER_SCOPE, WRITE, Delegation

PASSWORD = "correct horse"
SCOPES = ["solar/read", "solar/write"]
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS, IDENTITY = (f"urn:ietf:params:oauth:token-type:{kind}_token" for kind in ("access", "id"))


@attrs.frozen
class Answer:
    status: int
    headers: Any
    body: dict[str, Any]

    @property
    def error(self) -> tuple[int, str]:
        return self.status, self.body["error"]


@attrs.frozen
class Endpoint:
    """The token endpoint."""

    url: str

    def send(self, body: bytes, headers: dict[str, str]) -> Answer:
        request = Request(f"{self.url}/oauth2/token", body, headers)  # noqa: S310 - this machine's
        try:
            with build_opener(ProxyHandler({})).open(request) as response:
                return Answer(response.status, response.headers, json.load(response))
        except HTTPError as error:
            with error:
                return Answer(error.code, error.headers, json.load(error))

    def post(self, **form: str) -> Answer:
        return self.send(urlencode(form).encode(), {})

    def post_basic(self, app: AppClient, **form: str) -> Answer:
        pair = base64.b64encode(f"{app.client_id}:{app.client_secret}".encode()).decode()
        return self.send(urlencode(form).encode(), {"Authorization": f"Basic {pair}"})


@pytest.fixture
def pool(cognito: LocalCognito) -> Pool:
    """A pool with a domain, a resource server and a user."""
    pool = cognito.create_pool()
    api: Any = cognito.client()
    api.create_user_pool_domain(UserPoolId=pool.id, Domain="solar")
    scopes = [{"ScopeName": name, "ScopeDescription": name} for name in ("read", "write", "delete")]
    api.create_resource_server(UserPoolId=pool.id, Identifier="solar", Name="Solar", Scopes=scopes)
    pool.add_user("alice", PASSWORD)
    return pool


@pytest.fixture
def machine(pool: Pool) -> AppClient:
    """An app client with the grant client_credentials."""
    return pool.app_client(
        secret=True,
        allowed_o_auth_flows=["client_credentials"],
        allowed_o_auth_flows_user_pool_client=True,
        allowed_o_auth_scopes=SCOPES,
    )


@pytest.fixture
def endpoint(cognito: LocalCognito) -> Iterator[Endpoint]:
    with cognito.serve() as url:
        yield Endpoint(url)


def secret(app: AppClient) -> dict[str, str]:
    return {"client_id": app.client_id, "client_secret": app.client_secret or ""}


def sign_in(pool: Pool, app: AppClient) -> Tokens:
    return pool.flow(app).sign_in(UserSrpAuth("alice", PASSWORD)).tokens


def test_client_credentials_in_the_form_become_an_access_token(
    pool: Pool, machine: AppClient, endpoint: Endpoint
) -> None:
    answer = endpoint.post(grant_type="client_credentials", **secret(machine))

    claims = pool.verifier(machine).verify_access(answer.body["access_token"])
    assert {name: answer.body[name] for name in answer.body if name != "access_token"} == {
        "expires_in": 3600,
        "token_type": "Bearer",
    }
    assert (claims.sub, set(claims.scopes)) == (machine.client_id, set(SCOPES))


def test_basic_credentials_and_a_scope_become_an_access_token(
    pool: Pool, machine: AppClient, endpoint: Endpoint
) -> None:
    answer = endpoint.post_basic(machine, grant_type="client_credentials", scope="solar/read")

    claims = pool.verifier(machine).verify_access(answer.body["access_token"])
    assert set(claims.scopes) == {"solar/read"}


def test_no_cache_keeps_tokens_and_errors(machine: AppClient, endpoint: Endpoint) -> None:
    good, bad = endpoint.post_basic(machine, grant_type="client_credentials"), endpoint.post()

    for answer in (good, bad):
        assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
        assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"


def test_refresh_token_becomes_new_tokens(pool: Pool, endpoint: Endpoint, cognito: LocalCognito) -> None:
    tokens = sign_in(pool, pool.app)
    cognito.clock.advance(60)

    answer = endpoint.post(
        grant_type="refresh_token", client_id=pool.app.client_id, refresh_token=tokens.refresh_token or ""
    )

    assert sorted(answer.body) == ["access_token", "expires_in", "id_token", "token_type"]
    assert answer.body["access_token"] != tokens.access_token
    assert pool.verifier().verify_access(answer.body["access_token"]).username == "alice"


def test_rotating_refresh_token_comes_with_the_next_one(pool: Pool, endpoint: Endpoint) -> None:
    rotation: Any = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}
    app = pool.app_client(secret=True, flows=["ALLOW_USER_SRP_AUTH"], refresh_token_rotation=rotation)
    refresh = {"grant_type": "refresh_token", "refresh_token": sign_in(pool, app).refresh_token or ""}

    assert endpoint.post_basic(app, **refresh).body["refresh_token"] != refresh["refresh_token"]
    assert endpoint.post_basic(app, **refresh).error == (400, "invalid_grant")


def test_unknown_refresh_token_is_an_invalid_grant(pool: Pool, endpoint: Endpoint) -> None:
    answer = endpoint.post(grant_type="refresh_token", client_id=pool.app.client_id, refresh_token="made up")

    assert answer.error == (400, "invalid_grant")


def test_wrong_secret_is_an_invalid_client(machine: AppClient, endpoint: Endpoint) -> None:
    wrong = {**secret(machine), "client_secret": "wrong"}

    assert endpoint.post(grant_type="client_credentials", **wrong).error == (400, "invalid_client")


def test_missing_secret_is_an_invalid_client(machine: AppClient, endpoint: Endpoint) -> None:
    answer = endpoint.post(grant_type="client_credentials", client_id=machine.client_id)

    assert answer.error == (400, "invalid_client")


def test_unknown_client_is_an_invalid_client(pool: Pool, endpoint: Endpoint) -> None:
    assert endpoint.post(grant_type="client_credentials", client_id="unknown").error == (
        400,
        "invalid_client",
    )


def test_app_client_of_users_is_unauthorized_for_client_credentials(pool: Pool, endpoint: Endpoint) -> None:
    app = pool.app_client(secret=True)

    assert endpoint.post_basic(app, grant_type="client_credentials").error == (400, "unauthorized_client")


@pytest.mark.parametrize("scope", ["solar/delete", "solar/read another", "openid"])
def test_scope_that_the_client_may_not_have_is_invalid(
    machine: AppClient, endpoint: Endpoint, scope: str
) -> None:
    answer = endpoint.post_basic(machine, grant_type="client_credentials", scope=scope)

    assert answer.error == (400, "invalid_scope")


def test_authorization_code_is_unsupported(machine: AppClient, endpoint: Endpoint) -> None:
    answer = endpoint.post_basic(machine, grant_type="authorization_code", code="1")

    assert answer.error == (400, "unsupported_grant_type")


def test_pool_without_a_domain_has_no_endpoint(
    pool: Pool, machine: AppClient, endpoint: Endpoint, cognito: LocalCognito
) -> None:
    api: Any = cognito.client()
    api.delete_user_pool_domain(UserPoolId=pool.id, Domain="solar")

    answer = endpoint.post_basic(machine, grant_type="client_credentials")

    assert answer.error == (400, "invalid_request")
    assert "CreateUserPoolDomain" in answer.body["error_description"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", {}),
        (b"grant_type=", {}),
        (b"grant_type=client_credentials", {}),
        (b"grant_type=refresh_token&grant_type=client_credentials", {}),
        (b"grant_type=client_credentials&client_id=\xff", {}),
        ("&".join(f"field{number}=1" for number in range(21)).encode(), {}),
        (b"grant_type=client_credentials", {"Content-Type": "application/json"}),
        (b"grant_type=client_credentials", {"Authorization": "Bearer token"}),
        (b"grant_type=client_credentials", {"Authorization": "Basic ="}),
        (b"grant_type=client_credentials", {"Authorization": "Basic bm9jb2xvbg=="}),
        (b"grant_type=client_credentials&client_secret=b", {"Authorization": "Basic YTpi"}),
        (b"grant_type=client_credentials&client_id=c", {"Authorization": "Basic YTpi"}),
    ],
)
def test_malformed_request_is_an_invalid_request(
    endpoint: Endpoint, body: bytes, headers: dict[str, str]
) -> None:
    assert endpoint.send(body, headers).error == (400, "invalid_request")


def test_calls_are_recorded_without_values(
    machine: AppClient, endpoint: Endpoint, cognito: LocalCognito
) -> None:
    endpoint.post(grant_type="client_credentials", **secret(machine))
    endpoint.post(grant_type="password", **secret(machine))

    assert [(call.operation, call.error) for call in cognito.calls[-2:]] == [
        ("oauth2/token", None),
        ("oauth2/token", "unsupported_grant_type"),
    ]
    assert cognito.calls[-1].sent == ("grant_type", "client_id", "client_secret")


def test_discovery_names_the_endpoint(pool: Pool, endpoint: Endpoint) -> None:
    url = f"{endpoint.url}/{pool.id}/.well-known/openid-configuration"
    with build_opener(ProxyHandler({})).open(url) as response:
        discovered = json.load(response)

    assert discovered["token_endpoint"] == f"{endpoint.url}/oauth2/token"
    assert discovered["grant_types_supported"] == ["client_credentials", "refresh_token", TOKEN_EXCHANGE]


# -- the trigger of version 3 --


def run_trigger(pool: Pool, version: str, trigger: Any) -> None:
    """Set the pre token generation trigger."""
    config = {"LambdaVersion": version, "LambdaArn": "arn:aws:lambda:eu-west-1:123456789012:function:claims"}
    pool.cognito.client().update_user_pool(  # type: ignore[attr-defined]  # boto3 has no types
        UserPoolId=pool.id, LambdaConfig={"PreTokenGenerationConfig": config}
    )
    pool.triggers["PreTokenGeneration"] = trigger


def grant(endpoint: Endpoint, machine: AppClient, **form: str) -> Answer:
    return endpoint.post_basic(machine, grant_type="client_credentials", **form)


def test_trigger_of_version_3_changes_claims_and_scopes_of_a_machine(
    endpoint: Endpoint, pool: Pool, machine: AppClient
) -> None:
    events: list[Any] = []

    def change(event: Any) -> Any:
        events.append(event)
        access = {
            "claimsToAddOrOverride": {"team": "blue", "sub": "other", "client_id": "other"},
            "scopesToAdd": ["solar/delete"],
            "scopesToSuppress": ["solar/read"],
        }
        event["response"]["claimsAndScopeOverrideDetails"] = {"accessTokenGeneration": access}
        return event

    run_trigger(pool, "V3_0", change)

    answer = grant(endpoint, machine, scope="solar/read", aws_client_metadata='{"order": "7"}')

    claims = pool.verifier(machine).verify_access(answer.body["access_token"])
    assert claims.scopes == {"solar/delete"}
    assert (claims.claims["team"], claims.sub, claims.client_id) == (
        "blue",
        machine.client_id,
        machine.client_id,
    )
    (event,) = events
    assert (event["version"], event["triggerSource"]) == ("3", "TokenGeneration_ClientCredentials")
    assert event["callerContext"]["clientId"] == machine.client_id
    assert event["request"]["scopes"] == ["solar/read"]
    assert event["request"]["clientMetadata"] == {"order": "7"}


@pytest.mark.parametrize("version", ["V1_0", "V2_0"])
def test_trigger_of_an_earlier_version_does_not_run_for_machines(
    endpoint: Endpoint, pool: Pool, machine: AppClient, version: str
) -> None:
    def fail(_event: Any) -> Any:
        raise RuntimeError("closed")

    run_trigger(pool, version, fail)

    assert grant(endpoint, machine).status == 200


def test_trigger_that_fails_refuses_the_token_of_a_machine(
    endpoint: Endpoint, pool: Pool, machine: AppClient
) -> None:
    def fail(_event: Any) -> Any:
        raise RuntimeError("closed")

    run_trigger(pool, "V3_0", fail)

    assert grant(endpoint, machine).error == (400, "invalid_request")


@pytest.mark.parametrize("metadata", ["7", "{", '["a"]'])
def test_client_metadata_that_is_not_an_object_is_refused(
    endpoint: Endpoint, machine: AppClient, metadata: str
) -> None:
    assert grant(endpoint, machine, aws_client_metadata=metadata).error == (400, "invalid_request")


@needs_operation("GetClientToken")
def test_get_client_token_runs_the_trigger_of_version_3(pool: Pool) -> None:
    app = pool.app_client(True, ["ALLOW_CLIENT_TOKEN_AUTH"], allowed_o_auth_scopes=SCOPES)
    seen: list[Any] = []

    def record(event: Any) -> Any:
        seen.append(event["request"]["clientMetadata"])
        return event

    run_trigger(pool, "V3_0", record)
    api: Any = pool.cognito.client()

    api.get_client_token(ClientId=app.client_id, Secret=app.client_secret, ClientMetadata={"order": "7"})

    assert seen == [{"order": "7"}]


# -- token exchange --


@pytest.fixture
def world(cognito: LocalCognito) -> Delegation:
    """Alice, and a service that calls another one for her, in a pool with a domain."""
    world = Delegation(cognito)
    api: Any = cognito.client()
    api.create_user_pool_domain(UserPoolId=world.pool.id, Domain="files")
    return world


def exchange(endpoint: Endpoint, agent: AppClient, subject: str, **form: str) -> Answer:
    given = {"subject_token": subject, "subject_token_type": ACCESS, "client_id": agent.client_id, **form}
    return endpoint.post(grant_type=TOKEN_EXCHANGE, **given)


def test_access_token_of_a_user_is_exchanged(endpoint: Endpoint, world: Delegation) -> None:
    agent = world.agent()

    answer = exchange(endpoint, agent, world.sign_in().access_token)

    claims = world.pool.verifier(agent).verify_access(answer.body.pop("access_token"))
    assert (claims.username, claims.client_id, claims.actor) == ("alice", agent.client_id, None)
    assert set(answer.body.pop("scope").split()) == {USER_SCOPE, READ, WRITE}
    assert answer.body == {"issued_token_type": ACCESS, "token_type": "Bearer", "expires_in": 3600}


def test_scope_and_audience_of_an_exchange_are_those_of_the_token(
    endpoint: Endpoint, world: Delegation
) -> None:
    agent = world.agent()

    answer = exchange(
        endpoint, agent, world.sign_in().access_token, scope=f"{READ} {WRITE}", resource="files"
    )

    claims = world.pool.verifier(agent).verify_access(answer.body["access_token"])
    assert (set(claims.scopes), set(claims.audience), answer.body["scope"]) == ({READ}, {"files"}, READ)


def test_confidential_client_exchanges_for_an_actor(endpoint: Endpoint, world: Delegation) -> None:
    agent = world.agent(secret=True)
    alice = world.sign_in().access_token
    form = {"subject_token": alice, "subject_token_type": ACCESS}
    acting = {"actor_token": alice, "actor_token_type": ACCESS, "audience": "billing"}

    answer = endpoint.post_basic(agent, grant_type=TOKEN_EXCHANGE, **form, **acting)

    claims = world.pool.verifier(agent).verify_access(answer.body["access_token"])
    assert claims.actor is not None
    assert (claims.actor.sub, set(claims.audience)) == (claims.sub, {"billing"})


def test_id_token_is_exchanged_for_an_id_token(endpoint: Endpoint, world: Delegation) -> None:
    agent = world.agent()
    kinds = {"subject_token_type": IDENTITY, "requested_token_type": IDENTITY}

    answer = exchange(endpoint, agent, world.sign_in().id_token or "", **kinds)

    assert world.pool.verifier(agent).verify_id(answer.body["access_token"]).username == "alice"
    assert (answer.body["issued_token_type"], answer.body["token_type"]) == (IDENTITY, "N_A")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"subject_token": "forged"}, "invalid_request"),
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token_type": IDENTITY}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:jwt"}, "invalid_request"),
        ({"actor_token": "forged"}, "invalid_request"),
        ({"actor_token": "forged", "actor_token_type": ACCESS}, "invalid_request"),
        ({"resource": "files", "audience": "billing"}, "invalid_request"),
        ({"resource": "photos"}, "invalid_target"),
        ({"scope": "files/burn"}, "invalid_scope"),
    ],
)
def test_exchange_that_cannot_be_granted_is_refused(
    endpoint: Endpoint, world: Delegation, form: dict[str, str], error: str
) -> None:
    given = {"subject_token": world.sign_in().access_token, **form}

    answer = exchange(endpoint, world.agent(), given.pop("subject_token"), **given)

    assert answer.error == (400, error)


@pytest.mark.parametrize("allowed", FLOWS)
def test_app_client_without_the_flow_is_unauthorized_for_an_exchange(
    endpoint: Endpoint, world: Delegation, allowed: str
) -> None:
    token = world.sign_in().access_token
    acting = {"actor_token": token, "actor_token_type": ACCESS} if allowed == FLOWS[0] else {}

    answer = exchange(endpoint, world.agent(allowed), token, **acting)

    assert answer.error == (400, "unauthorized_client")
