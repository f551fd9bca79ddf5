"""The Lambda authorizer's answers to each kind of API, and claims that API Gateway verified."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from cognito_flow import (
    AccessClaims,
    IdClaims,
    TokenInvalid,
    TokenVerifier,
    TransportError,
    UsageError,
    UserSrpAuth,
)
from cognito_flow.integrations.api_gateway import Authorizer, Unauthorized, claims_of
from cognito_flow.testing import Pool

METHOD = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/GET/orders/7"
STAGE = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/*"

EVENTS: dict[str, tuple[dict[str, Any], bool]] = {
    "REST, TOKEN": ({"type": "TOKEN", "methodArn": METHOD, "authorizationToken": "TOKEN"}, False),
    "REST, REQUEST": (
        {"type": "REQUEST", "methodArn": METHOD, "headers": {"Authorization": "TOKEN"}, "requestContext": {"apiId": "a"}},
        False,
    ),
    "HTTP, 1.0": ({"version": "1.0", "type": "REQUEST", "methodArn": METHOD, "headers": {"Authorization": "TOKEN"}}, False),
    "HTTP, 2.0": ({"version": "2.0", "type": "REQUEST", "routeArn": METHOD, "headers": {"authorization": "TOKEN"}}, True),
    "AppSync": ({"authorizationToken": "TOKEN", "requestContext": {"apiId": "a", "operationName": "o"}}, True),
}  # fmt: skip


@pytest.fixture(params=EVENTS)
def api(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def authorizer(pool: Pool) -> Authorizer:
    return Authorizer(pool.verifier())


def event(api: str, token: str) -> dict[str, Any]:
    """An event with this token."""

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: filled(inner) for name, inner in value.items()}
        return token if value == "TOKEN" else value

    made: dict[str, Any] = filled(EVENTS[api][0])
    return made


def access_token(pool: Pool, username: str = "alice", password: str = "correct horse") -> str:
    return pool.flow().sign_in(UserSrpAuth(username, password)).tokens.access_token


def policy(effect: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": STAGE}],
    }


@pytest.mark.parametrize("scheme", ["", "Bearer ", "bearer "])
def test_valid_token_is_allowed_with_its_claims(
    authorizer: Authorizer, api: str, pool: Pool, scheme: str
) -> None:
    token = access_token(pool)
    claims = pool.verifier().verify_access(token)
    context = {
        "sub": claims.sub,
        "username": "alice",
        "client_id": pool.app.client_id,
        "scope": "aws.cognito.signin.user.admin",
        "groups": "",
    }

    answer = authorizer(event(api, scheme + token), None)

    if api == "AppSync":
        assert answer == {"isAuthorized": True, "resolverContext": context}
    elif EVENTS[api][1]:
        assert answer == {"isAuthorized": True, "context": context}
    else:
        assert answer == {"principalId": claims.sub, "policyDocument": policy("Allow"), "context": context}


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer x", "Basic YWxpY2U6"])
def test_invalid_token_is_refused(authorizer: Authorizer, api: str, token: str) -> None:
    if EVENTS[api][1]:
        assert authorizer(event(api, token)) == {"isAuthorized": False}
    else:
        with pytest.raises(Unauthorized, match=r"^Unauthorized$"):
            authorizer(event(api, token))


def test_token_without_the_group_is_denied(api: str, pool: Pool) -> None:
    answer = Authorizer(pool.verifier(), groups=["admins"])(event(api, access_token(pool)))

    if EVENTS[api][1]:
        assert answer == {"isAuthorized": False}
    else:
        assert answer == {"principalId": "unknown", "policyDocument": policy("Deny")}


def test_context_names_the_groups(api: str, pool: Pool) -> None:
    pool.add_user("bob", "battery staple").groups.extend(["editors", "admins"])

    answer: Any = Authorizer(pool.verifier(), groups=["admins"])(
        event(api, access_token(pool, "bob", "battery staple"))
    )

    assert answer["resolverContext" if api == "AppSync" else "context"]["groups"] == "admins,editors"


def test_keys_that_cannot_be_fetched_raise_transport_error(api: str, pool: Pool) -> None:
    def fetch(url: str) -> bytes:
        raise ConnectionError

    with pytest.raises(TransportError):
        Authorizer(pool.verifier(fetch=fetch))(event(api, access_token(pool)))


@pytest.mark.parametrize(
    "wrong", [{}, {"headers": {}}, {"requestContext": {"apiId": "a"}}, {"authorizationToken": "x"}]
)
def test_event_of_another_kind_raises_usage_error(authorizer: Authorizer, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="not the event of a Lambda authorizer"):
        authorizer(wrong)


HTTP_APIS = pytest.mark.parametrize("api", ["REST, REQUEST", "HTTP, 1.0", "HTTP, 2.0"], indirect=True)


def is_allowed(authorizer: Authorizer, event: dict[str, Any]) -> bool:
    try:
        answer: Any = authorizer(event)
    except Unauthorized:
        return False
    if "isAuthorized" in answer:
        return bool(answer["isAuthorized"])
    return bool(answer["policyDocument"] == policy("Allow"))


@HTTP_APIS
@pytest.mark.parametrize("scheme", ["", "Bearer "])
def test_token_is_read_from_another_header(api: str, pool: Pool, scheme: str) -> None:
    authorizer = Authorizer(pool.verifier(), header="X-Token")
    token = scheme + access_token(pool)
    made = event(api, token)

    assert not is_allowed(authorizer, made)
    assert is_allowed(authorizer, {**made, "headers": {"x-token": token}})
    assert is_allowed(authorizer, {**made, "headers": {**made["headers"], "X-TOKEN": token}})


@HTTP_APIS
def test_token_is_read_from_the_query_string(api: str, pool: Pool) -> None:
    authorizer = Authorizer(pool.verifier(), query="token")
    token = access_token(pool)
    in_header = event(api, token)
    bare = {**in_header, "headers": {}}

    assert is_allowed(authorizer, {**bare, "queryStringParameters": {"token": token}})
    assert not is_allowed(authorizer, in_header)
    assert not is_allowed(authorizer, {**bare, "queryStringParameters": {"Token": token}})
    assert not is_allowed(authorizer, {**bare, "queryStringParameters": None})
    assert not is_allowed(Authorizer(pool.verifier()), {**bare, "queryStringParameters": {"token": token}})


def test_web_socket_is_authorized_by_a_token_in_the_query_string(pool: Pool) -> None:
    """The event of $connect in the developer guide, shortened."""
    authorizer = Authorizer(pool.verifier(), query="token")
    connect = {
        "type": "REQUEST",
        "methodArn": "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/$connect",
        "headers": {"Host": "abcdef1234.execute-api.eu-west-1.amazonaws.com"},
        "queryStringParameters": {"token": access_token(pool)},
        "requestContext": {"routeKey": "$connect", "eventType": "CONNECT", "apiId": "abcdef1234"},
    }

    assert is_allowed(authorizer, connect)
    with pytest.raises(Unauthorized):
        authorizer({**connect, "queryStringParameters": {"token": "x"}})


@pytest.mark.parametrize("source", [{"header": ""}, {"query": ""}])
def test_empty_identity_source_raises_usage_error(pool: Pool, source: Any) -> None:
    with pytest.raises(UsageError, match="must be names"):
        Authorizer(pool.verifier(), **source)


def test_malformed_requirement_raises_usage_error(pool: Pool) -> None:
    with pytest.raises(UsageError, match="scopes must be a list"):
        Authorizer(pool.verifier(), scopes="shop/read")


def test_async_verifier_raises_usage_error(pool: Pool) -> None:
    with pytest.raises(UsageError, match="needs a TokenVerifier"):
        Authorizer(cast("TokenVerifier", pool.async_verifier()))


SECONDS = {"iat": "1893499200", "exp": "1893502800", "auth_time": "1893499200"}
DATES = {
    "iat": "Tue Jan 01 12:00:00 UTC 2030",
    "exp": "Tue Jan 01 13:00:00 UTC 2030",
    "auth_time": "Tue Jan 01 12:00:00 UTC 2030",
}
ACCESS = {
    "sub": "1",
    "username": "alice",
    "token_use": "access",
    "client_id": "c",
    "scope": "openid shop/read",
}
ID = {
    "sub": "1",
    "cognito:username": "alice",
    "token_use": "id",
    "aud": "c",
    "email": "a@example.com",
    "email_verified": "true",
}


def in_http_api(claims: dict[str, Any]) -> dict[str, Any]:
    return {"version": "2.0", "requestContext": {"authorizer": {"jwt": {"claims": claims, "scopes": None}}}}


def in_rest_api(claims: dict[str, Any]) -> dict[str, Any]:
    return {"requestContext": {"authorizer": {"claims": claims}}}


@pytest.mark.parametrize(
    "event",
    [
        in_http_api({**ACCESS, **SECONDS, "cognito:groups": "[admins editors]", "amr": "[pwd mfa]"}),
        in_rest_api({**ACCESS, **DATES, "cognito:groups": "admins,editors", "amr": "pwd,mfa"}),
        in_rest_api({**ACCESS, **SECONDS, "exp": 1893502800, "cognito:groups": ["admins", "editors"], "amr": ["pwd", "mfa"]}),
    ],
)  # fmt: skip
def test_claims_of_an_access_token_have_their_types_again(event: dict[str, Any]) -> None:
    claims = claims_of(event)

    assert isinstance(claims, AccessClaims)
    assert (claims.username, *sorted(claims.scopes)) == ("alice", "openid", "shop/read")
    assert (*sorted(claims.groups), *sorted(claims.amr)) == ("admins", "editors", "mfa", "pwd")
    assert claims.auth_time == claims.issued_at == datetime(2030, 1, 1, 12, tzinfo=UTC)
    assert claims.expires_at == datetime(2030, 1, 1, 13, tzinfo=UTC)


@pytest.mark.parametrize("event", [in_http_api({**ID, **SECONDS}), in_rest_api({**ID, **DATES})])
def test_claims_of_an_id_token_have_their_types_again(event: dict[str, Any]) -> None:
    claims = claims_of(event)

    assert isinstance(claims, IdClaims)
    assert (claims.username, claims.email, claims.email_verified) == ("alice", "a@example.com", True)
    assert claims.groups == frozenset()


@pytest.mark.parametrize(
    "event", [{}, {"requestContext": {"authorizer": {}}}, {"requestContext": {"authorizer": None}}]
)
def test_event_without_claims_raises_usage_error(event: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="the event has no claims"):
        claims_of(event)


def test_date_that_cannot_be_read_raises_token_invalid() -> None:
    with pytest.raises(TokenInvalid, match="claim exp"):
        claims_of(in_rest_api({**ACCESS, **DATES, "exp": "tomorrow"}))
