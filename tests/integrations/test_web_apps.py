"""What APIs with each web framework answer to requests with, without and with insufficient tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from django.http import HttpRequest
from django.test import Client, override_settings
from fastapi import Depends, FastAPI, Security
from flask import Flask
from starlette.authentication import AuthenticationError
from starlette.requests import HTTPConnection

from cognito_flow import (
    AccessClaims,
    AsyncTokenVerifier,
    IdClaims,
    TokenVerifier,
    TransportError,
    UsageError,
    UserSrpAuth,
)
from cognito_flow.integrations import django as for_django
from cognito_flow.integrations import rest_framework as for_rest_framework
from cognito_flow.integrations.api_gateway import Authorizer
from cognito_flow.integrations.fastapi import AccessToken, IdToken
from cognito_flow.integrations.flask import CognitoBearer
from cognito_flow.integrations.starlette import CognitoBackend, CognitoUser, refuse
from cognito_flow.testing import Pool
from tests.integrations import web_apps
from tests.integrations.web_apps import APPS, MIDDLEWARE, Get

INVALID = 'Bearer error="invalid_token"'
SIGNED_IN = "aws.cognito.signin.user.admin"
STEP_UP = 'Bearer error="insufficient_user_authentication", acr_values="urn:cognito:loa:2", max_age="60"'


@pytest.fixture(params=APPS)
def framework(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def get(framework: str, pool: Pool) -> Get:
    return APPS[framework](pool)


@pytest.fixture(params=[framework for framework in APPS if framework != "starlette"])
def get_required(request: pytest.FixtureRequest, pool: Pool) -> Get:
    """Of the frameworks whose adapter requires tokens. Starlette itself decides what a view requires."""
    return APPS[request.param](pool)


@pytest.fixture(autouse=True)
def _bob(pool: Pool) -> None:
    pool.add_user("bob", "battery staple").groups.append("admins")


def bearer(pool: Pool, username: str = "alice", password: str = "correct horse") -> str:
    return f"Bearer {pool.flow().sign_in(UserSrpAuth(username, password)).tokens.access_token}"


def test_valid_token_is_accepted(get: Get, pool: Pool) -> None:
    reply = get("/me", bearer(pool))

    assert (reply.status, reply.json) == (200, {"username": "alice"})


@pytest.mark.parametrize("authorization", [None, "", "Basic YWxpY2U6", "Bearer", "Bearer  "])
def test_request_without_a_token_gets_401(get_required: Get, authorization: str | None) -> None:
    reply = get_required("/me", authorization)

    assert (reply.status, reply.challenge) == (401, "Bearer")


def test_asynchronous_class_based_view_of_django_needs_a_token(pool: Pool) -> None:
    """Before Python 3.12, only asgiref can say that such a view is a coroutine function."""
    get = APPS["async django"](pool)

    assert get("/class", bearer(pool)).json == {"username": "alice"}
    assert get("/class", None).status == 401


@pytest.mark.parametrize("token", ["x", "a.b.c", "a b"])
def test_invalid_token_gets_401(get: Get, token: str) -> None:
    reply = get("/me", f"Bearer {token}")

    assert (reply.status, reply.challenge) == (401, INVALID)
    assert token not in str(reply.json["detail"]).split()


def test_id_token_gets_401(get: Get, pool: Pool) -> None:
    tokens = pool.flow().sign_in(UserSrpAuth("alice", "correct horse")).tokens

    assert get("/me", f"Bearer {tokens.id_token}").challenge == INVALID


def test_expired_token_gets_401(get: Get, pool: Pool) -> None:
    authorization = bearer(pool)
    pool.cognito.clock.advance(7200)

    assert get("/me", authorization).challenge == INVALID


def test_token_without_the_group_gets_403(get_required: Get, pool: Pool) -> None:
    reply = get_required("/admin", bearer(pool))

    assert (reply.status, reply.challenge) == (403, 'Bearer error="insufficient_scope"')


def test_token_with_the_group_is_accepted(get: Get, pool: Pool) -> None:
    for _ in range(2):
        assert get("/admin", bearer(pool, "bob", "battery staple")).json == {"username": "bob"}


def test_weak_sign_in_gets_401_with_what_is_required(get_required: Get, pool: Pool) -> None:
    reply = get_required("/strong", bearer(pool))

    assert (reply.status, reply.challenge) == (401, STEP_UP)


def test_keys_that_cannot_be_fetched_get_503(framework: str, pool: Pool) -> None:
    def fetch(url: str) -> bytes:
        raise ConnectionError

    reply = APPS[framework](pool, fetch=fetch)("/me", bearer(pool))

    assert (reply.status, reply.challenge) == (503, None)


def test_fastapi_shows_the_scheme_and_requires_the_scopes_of_security(pool: Pool) -> None:
    api, access = FastAPI(), Security(AccessToken(pool.async_verifier()), scopes=["shop/write"])

    @api.get("/scoped")
    async def scoped(caller: AccessClaims = access) -> None:
        raise AssertionError(caller)

    reply = web_apps.of_asgi(api)("/scoped", bearer(pool))

    assert (reply.status, reply.challenge) == (403, 'Bearer error="insufficient_scope"')
    schemes = api.openapi()["components"]["securitySchemes"]
    assert schemes == {"CognitoAccessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}


@pytest.mark.parametrize(
    ("required", "scopes", "status"),
    [
        ({"scopes": [SIGNED_IN, "shop/read"]}, [], 200),
        ({"scopes": [SIGNED_IN, "shop/read"]}, [SIGNED_IN], 200),
        ({"scopes": [SIGNED_IN, "shop/read"]}, ["shop/write"], 403),
        ({"scopes": [SIGNED_IN]}, [SIGNED_IN, "shop/write"], 403),
        ({"groups": ["admins", "editors"]}, [SIGNED_IN], 200),
        ({"groups": ["admins", "editors"]}, [SIGNED_IN, "shop/write"], 403),
        ({"groups": ["editors", "viewers"]}, [SIGNED_IN], 403),
    ],
)
def test_fastapi_requires_every_scope_of_security_beside_any_of(
    pool: Pool, required: Any, scopes: list[str], status: int
) -> None:
    api = FastAPI()
    access = Security(AccessToken(pool.async_verifier(), any_of=True, **required), scopes=scopes)

    @api.get("/scoped")
    async def scoped(caller: AccessClaims = access) -> str | None:
        return caller.username

    reply = web_apps.of_asgi(api)("/scoped", bearer(pool, "bob", "battery staple"))

    challenge = None if status == 200 else 'Bearer error="insufficient_scope"'
    assert (reply.status, reply.challenge) == (status, challenge)


def test_fastapi_scopes_of_security_cannot_be_required_of_id_tokens(pool: Pool) -> None:
    api, id_token = FastAPI(), Security(IdToken(pool.async_verifier()), scopes=["shop/read"])

    @api.get("/profile")
    async def profile(user: IdClaims = id_token) -> None:
        raise AssertionError(user)

    tokens = pool.flow().sign_in(UserSrpAuth("alice", "correct horse")).tokens

    with pytest.raises(UsageError, match="ID tokens have no scopes"):
        web_apps.of_asgi(api)("/profile", f"Bearer {tokens.id_token}")


def test_fastapi_verifies_id_tokens(pool: Pool) -> None:
    api, id_token = FastAPI(), Depends(IdToken(pool.async_verifier()))

    @api.get("/profile")
    async def profile(user: IdClaims = id_token) -> dict[str, str]:
        return {"sub": user.sub}

    get = web_apps.of_asgi(api)
    tokens = pool.flow().sign_in(UserSrpAuth("alice", "correct horse")).tokens

    assert get("/profile", f"Bearer {tokens.id_token}").status == 200
    assert get("/profile", f"Bearer {tokens.access_token}").challenge == INVALID
    assert get("/profile", None).challenge == "Bearer"


@pytest.mark.parametrize("dependency", [AccessToken, IdToken])
def test_fastapi_refuses_a_blocking_verifier_and_a_malformed_requirement(dependency: Any, pool: Pool) -> None:
    with pytest.raises(UsageError, match="AsyncTokenVerifier"):
        dependency(pool.verifier())
    with pytest.raises(UsageError, match="groups must be a list"):
        dependency(pool.async_verifier(), groups="admins")


def test_starlette_lets_requests_without_a_token_pass(pool: Pool) -> None:
    get = web_apps.of_starlette(pool)

    assert [get("/me", None).status, get("/me", "Bearer ").status] == [401, 401]
    assert get("/admin", bearer(pool)).status == 403


def test_starlette_user_has_the_claims(pool: Pool) -> None:
    backend = CognitoBackend(pool.async_verifier())
    scope = {"type": "http", "headers": [(b"authorization", bearer(pool, "bob", "battery staple").encode())]}

    found = asyncio.run(backend.authenticate(HTTPConnection(scope)))

    assert found is not None
    credentials, user = found
    assert set(credentials.scopes) == {"authenticated", "aws.cognito.signin.user.admin", "group:admins"}
    assert isinstance(user, CognitoUser)
    assert (user.is_authenticated, user.display_name, user.identity) == (True, "bob", user.claims.sub)


def test_starlette_refuses_a_blocking_verifier(pool: Pool) -> None:
    with pytest.raises(UsageError, match="AsyncTokenVerifier"):
        CognitoBackend(cast("AsyncTokenVerifier", pool.verifier()))


def test_starlette_error_of_another_backend_gets_400() -> None:
    response = refuse(cast("HTTPConnection", None), AuthenticationError("not this way"))

    assert (response.status_code, bytes(response.body)) == (400, b'{"detail":"not this way"}')


REQUIRE: dict[str, Callable[[Pool, Any], object]] = {
    "fastapi": lambda pool, required: AccessToken(pool.async_verifier(), **required),
    "fastapi, ID token": lambda pool, required: IdToken(pool.async_verifier(), **required),
    "flask": lambda pool, required: CognitoBearer(pool.verifier()).required(**required),
    "django": lambda _pool, required: for_django.token_required(**required),
    "django rest framework": lambda _pool, required: for_rest_framework.requires(**required),
    "authorizer": lambda pool, required: Authorizer(pool.verifier(), **required),
}


@pytest.mark.parametrize("adapter", REQUIRE)
@pytest.mark.parametrize(
    "required", [{"scope": ["shop/read"]}, {"group": ["admins"]}, {"groups": ["admins"], "scope": ["openid"]}]
)
def test_unknown_requirement_raises_usage_error(adapter: str, required: Any, pool: Pool) -> None:
    wrong = next(name for name in required if name != "groups")

    with pytest.raises(UsageError, match=rf"^{wrong} cannot be required: .*\bgroups\b"):
        REQUIRE[adapter](pool, required)


def test_scopes_cannot_be_required_of_id_tokens(pool: Pool) -> None:
    wrong: Any = {"scopes": ["shop/read"]}

    with pytest.raises(UsageError, match="scopes cannot be required"):
        IdToken(pool.async_verifier(), **wrong)


def test_flask_view_without_the_decorator_has_no_claims(pool: Pool) -> None:
    bearer = CognitoBearer(pool.verifier())

    with Flask("api").test_request_context(), pytest.raises(UsageError, match="decorate it"):
        _ = bearer.claims


def test_flask_refuses_an_async_verifier_and_a_malformed_requirement(pool: Pool) -> None:
    with pytest.raises(UsageError, match="needs a TokenVerifier"):
        CognitoBearer(cast("TokenVerifier", pool.async_verifier()))
    with pytest.raises(UsageError, match="scopes must be a list"):
        CognitoBearer(pool.verifier()).required(scopes="shop/read")


@pytest.mark.parametrize("prefix", ["sync", "async"])
def test_django_middleware_lets_requests_without_a_token_pass(prefix: str, pool: Pool) -> None:
    get = web_apps.of_django(pool, prefix, MIDDLEWARE)

    assert get("/open", None).json == {"username": None}
    assert get("/open", bearer(pool)).json == {"username": "alice"}
    assert get("/open", "Bearer x").challenge == INVALID


def test_django_rest_framework_lets_requests_without_a_token_pass(pool: Pool) -> None:
    get = web_apps.of_django(pool, "api", [])
    claims = pool.verifier().verify_access(bearer(pool).removeprefix("Bearer "))

    assert get("/open", None).json == {"username": None, "pk": None}
    assert get("/open", bearer(pool)).json == {"username": "alice", "pk": claims.sub}


@pytest.mark.parametrize(
    ("composed", "of_alice", "of_bob", "of_carol"),
    [
        ("either", 200, 200, 200),
        ("both", 403, 200, 403),
        ("unless", 200, 200, 403),
        ("neither", 403, 403, 403),
        ("audience", 403, 200, 403),
        ("recent", 403, 200, 403),
    ],
)
def test_permissions_of_django_rest_framework_can_be_composed(
    pool: Pool, composed: str, of_alice: int, of_bob: int, of_carol: int
) -> None:
    pool.add_user("carol", "staple battery").groups.append("banned")
    get = web_apps.of_django(pool, "api", [])
    tokens = [bearer(pool), bearer(pool, "bob", "battery staple"), bearer(pool, "carol", "staple battery")]
    pool.cognito.clock.advance(300)

    assert [get(f"/composed/{composed}", token).status for token in tokens] == [of_alice, of_bob, of_carol]


def test_composed_permission_without_a_token_gets_401(pool: Pool) -> None:
    reply = web_apps.of_django(pool, "api", [])("/composed/either", None)

    assert (reply.status, reply.challenge) == (401, "Bearer")


def test_composed_permissions_permit_nothing_if_a_token_cannot_be_verified(pool: Pool) -> None:
    verified: list[object] = []

    def check(claims: object) -> bool:
        verified.append(claims)
        if len(verified) > 2:  # after the authentication, and the first permission
            raise TransportError("no answer")
        return True

    get = web_apps.of_django(pool, "api", [], check=check)

    assert get("/composed/unless", bearer(pool)).status == 503


def test_django_request_without_a_token_has_no_claims() -> None:
    with pytest.raises(UsageError, match="no claims"):
        for_django.claims_of(HttpRequest())


VERIFIER: TokenVerifier | AsyncTokenVerifier | None = None


def test_django_verifier_can_be_named(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.integrations.test_web_apps.VERIFIER", pool.verifier())

    with override_settings(COGNITO_VERIFIER="tests.integrations.test_web_apps.VERIFIER"):
        response: Any = Client().get("/sync/me", headers={"Authorization": bearer(pool)})

    assert response.json() == {"username": "alice"}


@pytest.mark.parametrize("verifier", [None, "tests.integrations.test_web_apps.INVALID", 7])
def test_django_setting_that_is_not_a_verifier_raises_usage_error(verifier: object) -> None:
    with (
        override_settings(COGNITO_VERIFIER=verifier, MIDDLEWARE=MIDDLEWARE),
        pytest.raises(UsageError, match="COGNITO_VERIFIER"),
    ):
        Client().get("/sync/open")
