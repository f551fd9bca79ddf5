"""GetDerivedToken, asked of the operation itself, so that the version of botocore does not matter."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_elliptic_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from cognito_flow import AppClient
from cognito_flow.testing import Clock, LocalCognito
from cognito_flow.testing._operations import OPERATIONS
from cognito_flow.testing._operations.request import Request
from cognito_flow.testing._state.refusal import Refusal
from tests.local_cognito.conftest import NOW
from tests.support.delegation import FLOWS, READ, USER_SCOPE, WRITE, Delegation


@pytest.fixture
def world() -> Delegation:
    """Alice, and a service that calls another one for her."""
    return Delegation(LocalCognito(clock=Clock(lambda: NOW)))


def call(world: Delegation, operation: str, app: AppClient, **parameters: Any) -> Any:
    """Call an operation; it gets what has passed the model's constraints."""
    cognito = world.cognito
    pools = {pool_id: cognito.state(pool_id) for pool_id in cognito.pool_ids()}
    given = {"ClientId": app.client_id, **parameters}
    return OPERATIONS[operation](Request(operation, given, "eu-west-1", pools, pools, [], cognito.clock()))


def machine_token(world: Delegation, app: AppClient) -> str:
    """A token of an app client itself."""
    result = call(world, "GetClientToken", app, Secret=app.client_secret)
    return str(result["ClientAuthenticationResult"]["AccessToken"])


def exchange(world: Delegation, app: AppClient, subject: str, actor: str | None = None, **more: Any) -> Any:
    """Exchange an access token."""
    acting = {} if actor is None else {"ActorToken": actor, "ActorTokenType": "ACCESS_TOKEN"}
    given = {"SubjectToken": subject, "SubjectTokenType": "ACCESS_TOKEN", **acting, **more}
    return call(world, "GetDerivedToken", app, **given)


def refusal(world: Delegation, app: AppClient, subject: str, actor: str | None = None, **more: Any) -> str:
    """The code and the text of an exchange that must be refused."""
    with pytest.raises(Refusal) as refused:
        exchange(world, app, subject, actor, **more)
    return f"{refused.value.code}: {refused.value.text}"


def claims(answer: Any) -> dict[str, Any]:
    """The claims of the issued token."""
    read: dict[str, Any] = jwt.decode(answer["IssuedToken"], options={"verify_signature": False})
    return read


def test_derived_token_is_of_the_user_and_of_the_requesting_app_client(world: Delegation) -> None:
    agent, alice = world.agent(), world.sign_in()

    answer = exchange(world, agent, alice.access_token)

    verified = world.pool.verifier(agent).verify_access(answer["IssuedToken"])
    assert (verified.username, verified.client_id) == ("alice", agent.client_id)
    assert (verified.actor, verified.audience) == (None, frozenset())
    assert answer["IssuedTokenType"] == "ACCESS_TOKEN"
    assert (answer["TokenType"], answer["ExpiresIn"]) == ("Bearer", 3600)


def test_without_scopes_those_of_the_subject_are_kept(world: Delegation) -> None:
    answer = exchange(world, world.agent(), world.sign_in().access_token)

    assert set(answer["Scopes"]) == {USER_SCOPE, READ, WRITE} == set(claims(answer)["scope"].split())


def test_scopes_that_subject_and_app_client_share_are_granted(world: Delegation) -> None:
    wanted = [READ, WRITE, "files/delete", "openid"]

    answer = exchange(world, world.agent(), world.sign_in().access_token, Scopes=wanted)

    assert answer["Scopes"] == [READ]
    assert claims(answer)["scope"] == READ


def test_unknown_scope_is_refused(world: Delegation) -> None:
    text = refusal(world, world.agent(), world.sign_in().access_token, Scopes=["files/burn"])

    assert text == "InvalidParameterException: Invalid scope requested: files/burn"


@pytest.mark.parametrize(
    ("target", "audience"), [({"Resources": ["files"]}, "files"), ({"Audiences": ["billing"]}, "billing")]
)
def test_target_service_is_the_audience(world: Delegation, target: dict[str, Any], audience: str) -> None:
    answer = exchange(world, world.agent(), world.sign_in().access_token, **target)

    assert claims(answer)["aud"] == audience


def test_unknown_resource_server_is_refused(world: Delegation) -> None:
    text = refusal(world, world.agent(), world.sign_in().access_token, Resources=["photos"])

    assert text == "ResourceNotFoundException: Resource server photos does not exist."


def test_resources_and_audiences_together_are_refused(world: Delegation) -> None:
    both: Any = {"Resources": ["files"], "Audiences": ["billing"]}

    assert "cannot be used together" in refusal(world, world.agent(), world.sign_in().access_token, **both)


def test_actor_is_named_in_the_token(world: Delegation) -> None:
    agent, machine = world.agent(), world.machine()

    answer = exchange(world, agent, world.sign_in().access_token, machine_token(world, machine))

    assert claims(answer)["act"] == {"sub": machine.client_id}


def test_second_delegation_names_both_actors(world: Delegation) -> None:
    agent, first, second = world.agent(), world.machine(), world.machine()
    answer = exchange(world, agent, world.sign_in().access_token, machine_token(world, first))

    again = exchange(world, agent, answer["IssuedToken"], machine_token(world, second))

    assert claims(again)["act"] == {"sub": second.client_id, "act": {"sub": first.client_id}}


def test_exchange_without_an_actor_names_no_earlier_one(world: Delegation) -> None:
    agent = world.agent()
    answer = exchange(world, agent, world.sign_in().access_token, machine_token(world, world.machine()))

    assert "act" not in claims(exchange(world, agent, answer["IssuedToken"]))


@pytest.mark.parametrize(("flow", "is_delegation"), [(FLOWS[0], True), (FLOWS[1], False)])
def test_exchange_whose_flow_the_app_client_lacks_is_refused(
    world: Delegation, flow: str, is_delegation: bool
) -> None:
    alice = world.sign_in()
    actor = alice.access_token if is_delegation else None
    missing = FLOWS[is_delegation]

    text = refusal(world, world.agent(flow), alice.access_token, actor)

    assert text == f"InvalidParameterException: {missing} flow not enabled for this client"


@pytest.mark.parametrize("given", [{"ActorToken": "x"}, {"ActorTokenType": "ACCESS_TOKEN"}])
def test_actor_token_and_its_type_need_each_other(world: Delegation, given: dict[str, str]) -> None:
    text = refusal(world, world.agent(), world.sign_in().access_token, **given)

    assert "must be used together" in text


@pytest.mark.parametrize(("sent", "text"), [({}, "was not received"), ({"ClientSecret": "w"}, "Invalid")])
def test_missing_or_wrong_client_secret_is_refused(
    world: Delegation, sent: dict[str, str], text: str
) -> None:
    refused = refusal(world, world.agent(secret=True), world.sign_in().access_token, **sent)

    assert refused.startswith("NotAuthorizedException")
    assert text in refused


def test_client_secret_is_accepted(world: Delegation) -> None:
    agent = world.agent(secret=True)

    assert exchange(world, agent, world.sign_in().access_token, ClientSecret=agent.client_secret)


def test_expired_token_is_refused(world: Delegation) -> None:
    token = world.sign_in().access_token
    world.cognito.clock.advance(3600)

    assert refusal(world, world.agent(), token) == "NotAuthorizedException: Access Token has expired"


def test_revoked_sign_in_ends_subject_and_derived_tokens(world: Delegation) -> None:
    agent, alice = world.agent(), world.sign_in()
    derived = exchange(world, agent, alice.access_token)["IssuedToken"]
    world.pool.flow(world.web).revoke(alice)

    for token in (alice.access_token, derived):
        assert refusal(world, agent, token) == "NotAuthorizedException: Access Token has been revoked"


def test_revoked_actor_is_refused(world: Delegation) -> None:
    actor = world.sign_in()
    alice = world.sign_in()
    world.pool.flow(world.web).revoke(actor)

    text = refusal(world, world.agent(), alice.access_token, actor.access_token)

    assert text == "NotAuthorizedException: Access Token has been revoked"


def test_token_of_another_pool_is_refused(world: Delegation) -> None:
    token = Delegation(world.cognito).sign_in().access_token

    assert refusal(world, world.agent(), token) == "NotAuthorizedException: Invalid Access Token"


def test_token_of_a_pool_that_had_the_same_keys_is_refused(world: Delegation) -> None:
    token = Delegation(LocalCognito(clock=Clock(lambda: NOW))).sign_in().access_token

    assert refusal(world, world.agent(), token) == "NotAuthorizedException: Invalid Access Token"


def test_forged_token_is_refused(world: Delegation) -> None:
    head, body, _ = world.sign_in().access_token.split(".")

    assert "Invalid Access Token" in refusal(world, world.agent(), f"{head}.{body}.c2lnbmF0dXJl")


def test_token_of_the_other_kind_is_refused(world: Delegation) -> None:
    alice = world.sign_in()

    assert "Invalid ID Token" in refusal(
        world, world.agent(), alice.access_token, SubjectTokenType="ID_TOKEN"
    )


def test_deleted_user_is_not_found(world: Delegation) -> None:
    alice = world.sign_in()
    world.pool.flow(world.web).account(alice).delete_user()

    assert refusal(world, world.agent(), alice.access_token).startswith("UserNotFoundException")


def test_disabled_user_is_refused(world: Delegation) -> None:
    alice = world.sign_in()
    world.pool.user("alice").is_enabled = False

    assert refusal(world, world.agent(), alice.access_token) == "NotAuthorizedException: User is disabled."


def test_token_of_a_deleted_app_client_is_refused(world: Delegation) -> None:
    machine = world.machine()
    token = machine_token(world, machine)
    api: Any = world.cognito.client()
    api.delete_user_pool_client(UserPoolId=world.pool.id, ClientId=machine.client_id)

    assert refusal(world, world.agent(), token) == "NotAuthorizedException: Invalid Access Token"


def test_id_token_is_exchanged_for_an_id_token(world: Delegation) -> None:
    agent = world.agent()
    alice = world.sign_in()
    assert alice.id_token is not None

    kinds = {"SubjectTokenType": "ID_TOKEN", "RequestedTokenType": "ID_TOKEN"}
    answer = exchange(world, agent, alice.id_token, **kinds)

    assert (answer["IssuedTokenType"], answer["TokenType"], answer["Scopes"]) == ("ID_TOKEN", "N_A", [])
    verified = world.pool.verifier(agent).verify_id(answer["IssuedToken"])
    assert (verified.username, verified.email) == ("alice", "alice@example.com")


def test_derived_token_of_an_app_client_keeps_its_subject_and_can_be_derived_from(world: Delegation) -> None:
    agent, machine = world.agent(), world.machine()
    first = exchange(world, agent, machine_token(world, machine))

    again = exchange(world, agent, first["IssuedToken"])

    assert claims(again)["sub"] == machine.client_id
    assert claims(again)["client_id"] == agent.client_id
    assert set(again["Scopes"]) == {READ, WRITE}


def test_id_token_of_an_app_client_is_refused(world: Delegation) -> None:
    token = machine_token(world, world.machine())

    assert "cannot be issued" in refusal(world, world.agent(), token, RequestedTokenType="ID_TOKEN")


def _only_at_an_exchange(change: dict[str, Any]) -> Any:
    def trigger(event: dict[str, Any]) -> dict[str, Any]:
        if event["triggerSource"] == "TokenGeneration_TokenExchange":
            event["response"]["claimsAndScopeOverrideDetails"] = {"accessTokenGeneration": change}
        return event

    return trigger


def test_trigger_of_an_exchange_changes_claims_and_granted_scopes(world: Delegation) -> None:
    alice = world.sign_in()
    change = {
        "claimsToAddOrOverride": {"team": "blue"},
        "scopesToAdd": ["files/delete"],
        "scopesToSuppress": [READ],
    }
    world.pool.triggers["PreTokenGeneration"] = _only_at_an_exchange(change)

    answer = exchange(world, world.agent(), alice.access_token, Scopes=[READ])

    assert answer["Scopes"] == ["files/delete"] == claims(answer)["scope"].split()
    assert claims(answer)["team"] == "blue"


@pytest.mark.parametrize(
    ("configured", "sources"), [(None, ["TokenGeneration_TokenExchange"]), ("Mine", ["Mine"]), ("", [])]
)
def test_trigger_source_of_an_exchange_is_configured(
    world: Delegation, configured: str | None, sources: list[str]
) -> None:
    alice, events = world.sign_in(), list[Any]()

    def record(event: Any) -> Any:
        events.append(event)
        return event

    world.pool.triggers["PreTokenGeneration"] = record
    world.pool.configure(exchange_trigger=configured)

    answer = exchange(world, world.agent(), alice.access_token, Scopes=[READ])

    assert [event["triggerSource"] for event in events] == sources
    assert [event["request"]["scopes"] for event in events] == [[READ]] * len(sources)
    assert claims(answer)["scope"] == READ


def test_trigger_that_refuses_an_exchange_is_reported(world: Delegation) -> None:
    alice = world.sign_in()

    def refuse(_event: Any) -> Any:
        raise RuntimeError("closed")

    world.pool.triggers["PreTokenGeneration"] = refuse

    text = refusal(world, world.agent(), alice.access_token)

    assert text == "UserLambdaValidationException: PreTokenGeneration failed with error closed."


def test_token_of_an_unknown_identity_provider_is_refused(world: Delegation) -> None:
    text = refusal(world, world.agent(), "x", SubjectTokenProviderName="Okta")

    assert text == "ResourceNotFoundException: Identity provider Okta does not exist."


# -- tokens of other identity providers --

ISSUER = "https://okta.example"
PROVIDER_KEY = generate_private_key(65537, 2048)
PROVIDER_CLAIMS = {
    "iss": ISSUER,
    "sub": "00u1",
    "aud": "our-client",
    "exp": int(NOW.timestamp()) + 60,
    "scope": f"openid {READ} {WRITE}",
}


def provider_token(key: Any = PROVIDER_KEY, kid: str = "one", **changes: Any) -> str:
    """A token of Okta. A claim that is None is left out."""
    claims = {name: value for name, value in {**PROVIDER_CLAIMS, **changes}.items() if value is not None}
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": kid})


@pytest.fixture
def okta(world: Delegation) -> Delegation:
    """A pool that trusts Okta, and has a user of it."""
    api: Any = world.cognito.client()
    details = {
        "client_id": "our-client",
        "attributes_request_method": "GET",
        "oidc_issuer": ISSUER,
        "authorize_scopes": "openid",
    }
    api.create_identity_provider(
        UserPoolId=world.pool.id, ProviderName="Okta", ProviderType="OIDC", ProviderDetails=details
    )
    elliptic = ECAlgorithm.to_jwk(generate_elliptic_key(SECP256R1()).public_key())
    keys = [
        {**json.loads(RSAAlgorithm.to_jwk(PROVIDER_KEY.public_key())), "kid": "one"},
        {**json.loads(elliptic), "kid": "elliptic"},
    ]
    world.pool.trust_provider("Okta", {"keys": keys})
    world.pool.add_user("Okta_00u1", "Correct-horse-1")
    return world


@pytest.mark.parametrize("change", [{}, {"aud": ["other", "our-client"]}, {"aud": None, "azp": "our-client"}])
def test_token_of_a_trusted_provider_becomes_one_of_its_user(
    okta: Delegation, change: dict[str, Any]
) -> None:
    agent = okta.agent()

    answer = exchange(okta, agent, provider_token(**change), SubjectTokenProviderName="Okta")

    verified = okta.pool.verifier(agent).verify_access(answer["IssuedToken"])
    assert (verified.username, verified.client_id) == ("Okta_00u1", agent.client_id)
    assert answer["Scopes"] == [READ]
    okta.pool.user("Okta_00u1").sign_out_everywhere()
    assert "has been revoked" in refusal(okta, agent, answer["IssuedToken"])


def test_refused_exchange_of_a_providers_token_is_no_sign_in(okta: Delegation) -> None:
    def refuse(_event: Any) -> Any:
        raise RuntimeError("closed")

    okta.pool.triggers["PreTokenGeneration"] = refuse

    refusal(okta, okta.agent(), provider_token(), SubjectTokenProviderName="Okta")

    assert okta.pool.user("Okta_00u1").grants == []


def test_actor_of_a_trusted_provider_is_named(okta: Delegation) -> None:
    subject, named = okta.sign_in().access_token, {"ActorTokenProviderName": "Okta"}

    answer = exchange(okta, okta.agent(), subject, provider_token(sub="robot"), **named)

    assert claims(answer)["act"] == {"sub": "robot"}


@pytest.mark.parametrize(
    ("token", "text"),
    [
        (provider_token(iss="https://other.example"), "NotAuthorizedException: Invalid token"),
        (
            provider_token(aud="another-client"),
            "NotAuthorizedException: Invalid token: it is for another client.",
        ),
        (provider_token(aud=7), "NotAuthorizedException: Invalid token: it is for another client."),
        (provider_token(exp=int(NOW.timestamp())), "NotAuthorizedException: Token has expired"),
        (provider_token(exp="soon"), "NotAuthorizedException: Invalid token"),
        (provider_token(exp=None), "NotAuthorizedException: Invalid token"),
        (provider_token(sub=7), "NotAuthorizedException: Invalid token"),
        (provider_token(sub=None), "NotAuthorizedException: Invalid token"),
        (provider_token(kid="two"), "NotAuthorizedException: Invalid token"),
        (provider_token(kid="elliptic"), "NotAuthorizedException: Invalid token"),
        (provider_token(generate_private_key(65537, 2048)), "NotAuthorizedException: Invalid token"),
        ("not-a-token", "NotAuthorizedException: Invalid token"),
        (provider_token(sub="00u2"), "UserNotFoundException: User does not exist."),
    ],
)
def test_wrong_token_of_a_trusted_provider_is_refused(okta: Delegation, token: str, text: str) -> None:
    assert refusal(okta, okta.agent(), token, SubjectTokenProviderName="Okta") == text


def test_disabled_user_of_a_provider_is_refused(okta: Delegation) -> None:
    okta.pool.user("Okta_00u1").is_enabled = False

    text = refusal(okta, okta.agent(), provider_token(), SubjectTokenProviderName="Okta")

    assert text == "NotAuthorizedException: User is disabled."


@pytest.mark.parametrize("kind", ["OIDC", "SAML"])
def test_provider_that_is_not_trusted_or_not_of_oidc_is_refused(world: Delegation, kind: str) -> None:
    api: Any = world.cognito.client()
    details = {
        "OIDC": {
            "client_id": "our-client",
            "attributes_request_method": "GET",
            "oidc_issuer": ISSUER,
            "authorize_scopes": "openid",
        },
        "SAML": {"MetadataURL": "https://okta.example/metadata"},
    }[kind]
    api.create_identity_provider(
        UserPoolId=world.pool.id, ProviderName="Okta", ProviderType=kind, ProviderDetails=details
    )
    if kind == "SAML":
        world.pool.trust_provider("Okta", {"keys": []})

    text = refusal(world, world.agent(), "x", SubjectTokenProviderName="Okta", SubjectTokenType="SAML2")

    assert text.startswith("OperationNotEnabledException: LocalCognito verifies tokens of OIDC providers")


def test_unknown_provider_cannot_be_trusted(world: Delegation) -> None:
    with pytest.raises(KeyError, match="Okta"):
        world.pool.trust_provider("Okta", {"keys": []})


def test_saml_assertion_needs_the_name_of_its_provider(world: Delegation) -> None:
    text = refusal(world, world.agent(), "x", SubjectTokenType="SAML2")

    assert text == "InvalidParameterException: SubjectTokenProviderName is required for a SAML assertion."


def test_token_of_an_app_client_is_refused_in_place_of_an_access_token(world: Delegation) -> None:
    token = machine_token(world, world.machine())

    with pytest.raises(Refusal, match="Invalid Access Token"):
        call(world, "GetUser", world.web, AccessToken=token)
