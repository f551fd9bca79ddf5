"""`exchange` of both flows: what is sent, what is read, and the outcomes against LocalCognito."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import botocore
import pytest

from cognito_flow import (
    AppClient,
    AsyncAuthFlow,
    AuthFlow,
    ClientCredentialsSource,
    DerivedToken,
    Misconfigured,
    NotAuthorized,
    ProviderToken,
    ServiceError,
    SignedIn,
    SignedOut,
    System,
    TokenExpired,
    TokenInvalid,
    UnexpectedResponse,
    UsageError,
    UserNotFound,
)
from cognito_flow._derive import derive
from cognito_flow._turn import Settings, Turn
from cognito_flow.testing import LocalCognito
from tests.account.exchanges import APP, TOKENS, run
from tests.support.contract import model, needs_operation
from tests.support.delegation import FLOWS, READ, WRITE, Delegation

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
PUBLIC = AppClient("eu-west-1_abc", "client")
ANSWER = {
    "IssuedToken": "derived",
    "IssuedTokenType": "ACCESS_TOKEN",
    "TokenType": "Bearer",
    "ExpiresIn": 3600,
    "Scopes": ["files/read"],
}
Exchange: TypeAlias = Callable[..., DerivedToken]
needs_exchange = needs_operation("GetDerivedToken")


def jwt(**claims: object) -> str:
    """A token without a genuine signature: the client reads it only to learn its kind."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.c2ln"


ID_TOKEN = jwt(token_use="id")


def exchanged(
    subject: Any = "token",
    actor: Any = None,
    *,
    app: AppClient = APP,
    answer: Any = ANSWER,
    scopes: Any = (),
    resources: Any = (),
    audiences: Any = (),
    requested: Any = None,
) -> tuple[dict[str, Any], DerivedToken]:
    """What an exchange sends, and what it makes of this answer."""
    turn = Turn(settings=Settings(app=app, system=System(now=lambda: NOW)))
    calls, result = run(derive(turn, subject, actor, scopes, resources, audiences, requested), answer)
    assert [call.operation for call in calls] == ["GetDerivedToken"]
    return dict(calls[0].parameters), result


# -- what is sent --


@pytest.mark.parametrize("app", [APP, PUBLIC], ids=["secret", "no secret"])
def test_client_secret_is_sent_if_there_is_one(app: AppClient) -> None:
    sent, _ = exchanged(app=app)

    secret = {} if app.client_secret is None else {"ClientSecret": app.client_secret}
    token = {"SubjectToken": "token", "SubjectTokenType": "ACCESS_TOKEN"}
    assert sent == {"ClientId": "client", **token, **secret}


@pytest.mark.parametrize(
    ("subject", "members"),
    [
        (TOKENS, {"Token": "access-token", "TokenType": "ACCESS_TOKEN"}),
        (ID_TOKEN, {"Token": ID_TOKEN, "TokenType": "ID_TOKEN"}),
        (jwt(token_use="access"), {"Token": jwt(token_use="access"), "TokenType": "ACCESS_TOKEN"}),
        (
            ProviderToken("assertion", "Okta", "SAML2"),
            {"Token": "assertion", "TokenType": "SAML2", "TokenProviderName": "Okta"},
        ),
    ],
    ids=["tokens", "ID token", "access token", "SAML"],
)
def test_subject_and_actor_are_sent_with_their_kind(subject: Any, members: dict[str, str]) -> None:
    sent, _ = exchanged(subject, subject, app=PUBLIC)

    both = {f"{role}{name}": value for role in ("Subject", "Actor") for name, value in members.items()}
    assert sent == {"ClientId": "client", **both}


def test_scopes_resources_and_the_requested_kind_are_sent() -> None:
    sent, _ = exchanged(scopes=iter(["a/b"]), resources=["files"], requested="ID_TOKEN")

    assert (sent["Scopes"], sent["Resources"]) == (["a/b"], ["files"])
    assert sent["RequestedTokenType"] == "ID_TOKEN"
    assert exchanged(audiences=["billing"])[0]["Audiences"] == ["billing"]


@pytest.mark.parametrize("name", ["scopes", "resources", "audiences"])
def test_one_str_instead_of_a_list_raises_usage_error(name: str) -> None:
    lists: dict[str, Any] = {name: "files"}
    with pytest.raises(UsageError, match=f"{name} must be a list"):
        exchanged(**lists)


def test_resources_and_audiences_together_raise_usage_error() -> None:
    with pytest.raises(UsageError, match="not both"):
        exchanged(resources=["files"], audiences=["billing"])


@pytest.mark.parametrize("subject", ["", None, 7])
def test_subject_of_another_type_raises_usage_error(subject: Any) -> None:
    with pytest.raises(UsageError, match="subject of an exchange"):
        exchanged(subject)


def test_sign_in_instead_of_its_tokens_raises_usage_error() -> None:
    with pytest.raises(UsageError, match=r"signed_in\.tokens"):
        exchanged("token", SignedIn("alice", TOKENS))


# -- what is read --


def test_answer_becomes_a_derived_token() -> None:
    _, derived = exchanged()

    assert derived == DerivedToken(
        token="derived",
        issued_token_type="ACCESS_TOKEN",
        token_type="Bearer",
        scopes=frozenset({"files/read"}),
        expires_at=NOW + timedelta(hours=1),
    )
    assert "derived" not in repr(derived).replace("DerivedToken", "")


def test_expiry_comes_from_the_token_if_the_answer_has_none() -> None:
    end = NOW + timedelta(minutes=5)

    _, derived = exchanged(answer={"IssuedToken": jwt(exp=int(end.timestamp()))})

    assert (derived.expires_at, derived.scopes) == (end, frozenset())
    assert (derived.issued_token_type, derived.token_type) == ("ACCESS_TOKEN", "Bearer")


@pytest.mark.parametrize(
    "answer",
    [{}, {"IssuedToken": ""}, {"IssuedToken": "opaque"}, {**ANSWER, "ExpiresIn": 10**30}],
    ids=["no token", "empty token", "no expiry", "expiry out of range"],
)
def test_answer_without_token_or_expiry_raises_unexpected_response(answer: dict[str, object]) -> None:
    with pytest.raises(UnexpectedResponse):
        exchanged(answer=answer)


# -- both flows --


def blocking(cognito: LocalCognito, app: AppClient, *given: Any, **options: Any) -> DerivedToken:
    """An exchange by a blocking flow."""
    flow = AuthFlow(app, cognito.client(), system=System(now=cognito.clock))
    return flow.exchange(*given, **options)


def awaited(cognito: LocalCognito, app: AppClient, *given: Any, **options: Any) -> DerivedToken:
    """An exchange by an asynchronous flow."""
    flow = AsyncAuthFlow(app, cognito.client(), system=System(now=cognito.clock))
    return asyncio.run(flow.exchange(*given, **options))


@pytest.fixture(params=[blocking, awaited])
def exchange(request: pytest.FixtureRequest) -> Exchange:
    """The same for both drivers."""
    made: Exchange = request.param
    return made


@pytest.fixture
def world(cognito: LocalCognito) -> Delegation:
    """Alice, and a service that calls another one for her."""
    return Delegation(cognito)


@pytest.mark.skipif("GetDerivedToken" in model().operation_names, reason="this botocore knows it")
def test_older_botocore_raises_usage_error_that_names_the_version(
    world: Delegation, exchange: Exchange
) -> None:
    with pytest.raises(UsageError) as caught:
        exchange(world.cognito, world.agent(), world.sign_in())

    assert str(caught.value) == (
        f"the installed botocore {botocore.__version__} does not know GetDerivedToken: "
        "install botocore 1.44.5 or newer"
    )


@needs_exchange
@pytest.mark.parametrize("secret", [True, False])
def test_derived_token_allows_what_was_requested_and_is_allowed(
    world: Delegation, exchange: Exchange, secret: bool
) -> None:
    agent = world.agent(secret=secret)

    derived = exchange(world.cognito, agent, world.sign_in(), scopes=[READ, WRITE], resources=["files"])

    assert derived.scopes == {READ}
    claims = world.pool.verifier(agent).verify_access(derived.token, scopes=[READ], audience="files")
    assert (claims.username, claims.scopes, claims.actor) == ("alice", frozenset({READ}), None)


@needs_exchange
@pytest.mark.parametrize("secret", [True, False])
def test_verifier_reads_the_agent_that_acts_for_the_user(
    world: Delegation, exchange: Exchange, secret: bool
) -> None:
    agent, machine = world.agent(secret=secret), world.machine()
    source = ClientCredentialsSource(machine, world.cognito.client(), system=System(now=world.cognito.clock))

    derived = exchange(world.cognito, agent, world.sign_in().access_token, source.access_token())

    claims = world.pool.verifier(agent).verify_access(derived.token)
    assert claims.username == "alice"
    assert claims.actor is not None
    assert claims.actor.sub == machine.client_id


@needs_exchange
def test_id_token_for_an_id_token(world: Delegation, exchange: Exchange) -> None:
    agent = world.agent()

    derived = exchange(world.cognito, agent, world.sign_in().id_token, requested="ID_TOKEN")

    assert derived.issued_token_type == "ID_TOKEN"
    assert world.pool.verifier(agent).verify_id(derived.token).username == "alice"


@needs_exchange
@pytest.mark.parametrize("flow", FLOWS)
def test_missing_flow_raises_misconfigured(world: Delegation, exchange: Exchange, flow: str) -> None:
    tokens, (missing,) = world.sign_in(), set(FLOWS) - {flow}
    actor = tokens if flow == FLOWS[0] else None

    with pytest.raises(Misconfigured, match=missing):
        exchange(world.cognito, world.agent(flow), tokens, actor)


@needs_exchange
def test_wrong_secret_raises_not_authorized(world: Delegation, exchange: Exchange) -> None:
    agent = world.agent(secret=True)
    wrong = AppClient(agent.pool_id, agent.client_id, "w" * 30)

    with pytest.raises(NotAuthorized):
        exchange(world.cognito, wrong, world.sign_in())


@needs_exchange
def test_expired_subject_raises_token_expired(world: Delegation, exchange: Exchange) -> None:
    tokens = world.sign_in()
    world.cognito.clock.advance(3600)

    with pytest.raises(TokenExpired):
        exchange(world.cognito, world.agent(), tokens)


@needs_exchange
def test_revoked_subject_raises_signed_out(world: Delegation, exchange: Exchange) -> None:
    tokens = world.sign_in()
    world.pool.flow(world.web).revoke(tokens)

    with pytest.raises(SignedOut):
        exchange(world.cognito, world.agent(), tokens)


@needs_exchange
def test_forged_subject_raises_not_authorized(world: Delegation, exchange: Exchange) -> None:
    with pytest.raises(NotAuthorized):
        exchange(world.cognito, world.agent(), jwt(sub="alice", username="alice", token_use="access"))


@needs_exchange
def test_deleted_user_raises_user_not_found(world: Delegation, exchange: Exchange) -> None:
    tokens = world.sign_in()
    world.pool.flow(world.web).account(tokens).delete_user()

    with pytest.raises(UserNotFound):
        exchange(world.cognito, world.agent(), tokens)


@needs_exchange
@pytest.mark.parametrize(
    "wanted", [{"scopes": ["files/burn"]}, {"resources": ["photos"]}], ids=["scope", "resource"]
)
def test_unknown_scope_or_resource_raises_service_error(
    world: Delegation, exchange: Exchange, wanted: dict[str, Any]
) -> None:
    with pytest.raises(ServiceError):
        exchange(world.cognito, world.agent(), world.sign_in(), **wanted)


@needs_exchange
def test_token_of_an_unknown_provider_raises_service_error(world: Delegation, exchange: Exchange) -> None:
    with pytest.raises(ServiceError, match="Okta"):
        exchange(world.cognito, world.agent(), ProviderToken("assertion", "Okta", "SAML2"))


@needs_exchange
def test_token_for_another_audience_raises_token_invalid(world: Delegation, exchange: Exchange) -> None:
    agent = world.agent()
    verifier = world.pool.verifier(agent)

    derived = exchange(world.cognito, agent, world.sign_in(), resources=["files"])

    with pytest.raises(TokenInvalid, match="audience"):
        verifier.verify_access(derived.token, audience="photos")
