"""The same small API in each web framework: `/me` needs a token, `/admin` a group, `/strong` a strong sign-in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import attrs
import flask
import httpx
from django.test import AsyncClient, Client, override_settings
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.authentication import requires
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from cognito_flow import AccessClaims
from cognito_flow.integrations.fastapi import AccessToken
from cognito_flow.integrations.flask import CognitoBearer
from cognito_flow.integrations.starlette import CognitoBackend, refuse
from cognito_flow.testing import Pool
from cognito_flow.tokens.requirements import AccessRequirements
from tests.integrations import django_project

STRONG: Any = {"acr_values": ["urn:cognito:loa:2"], "max_age": 60}
MIDDLEWARE = ["cognito_flow.integrations.django.cognito_middleware"]


@attrs.frozen
class Reply:
    status: int
    challenge: str | None
    json: Any


Get = Callable[[str, str | None], Reply]
"""Sends a GET request for a path with a value of the header Authorization."""


def headers(authorization: str | None) -> dict[str, str]:
    return {} if authorization is None else {"Authorization": authorization}


def of_asgi(app: Any) -> Get:
    def get(path: str, authorization: str | None) -> Reply:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://api.example") as client:
                return await client.get(path, headers=headers(authorization))

        response = asyncio.run(ask())
        is_json = response.headers["Content-Type"] == "application/json"
        challenge = response.headers.get("WWW-Authenticate")
        return Reply(response.status_code, challenge, response.json() if is_json else None)

    return get


def of_fastapi(pool: Pool, **options: Any) -> Get:
    verifier, api = pool.async_verifier(**options), FastAPI()
    groups: Any = (name for name in ["admins"])  # an iterable that can be read once

    me, admin, strong = (
        Depends(AccessToken(verifier, **required))
        for required in cast("list[AccessRequirements]", [{}, {"groups": groups}, STRONG])
    )

    @api.get("/me")
    async def get_me(caller: AccessClaims = me) -> dict[str, Any]:
        return {"username": caller.username}

    @api.get("/admin")
    def get_admin(caller: AccessClaims = admin) -> dict[str, Any]:
        return {"username": caller.username}

    @api.get("/strong")
    async def get_strong(caller: AccessClaims = strong) -> dict[str, Any]:
        return {"username": caller.username}

    return of_asgi(api)


def of_starlette(pool: Pool, **options: Any) -> Get:
    @requires("authenticated", status_code=401)
    async def me(request: Request) -> JSONResponse:
        return JSONResponse({"username": request.user.display_name})

    @requires("group:admins")
    def admin(request: Request) -> JSONResponse:
        return JSONResponse({"username": request.user.display_name})

    backend = CognitoBackend(pool.async_verifier(**options))
    middleware = Middleware(AuthenticationMiddleware, backend=backend, on_error=refuse)
    app = Starlette(routes=[Route("/me", me), Route("/admin", admin)], middleware=[middleware])
    return of_asgi(app)


def of_flask(pool: Pool, *, is_async: bool = False, **options: Any) -> Get:
    app, bearer = flask.Flask("api"), CognitoBearer(pool.verifier(**options))
    groups: Any = (name for name in ["admins"])

    def name() -> dict[str, Any]:
        return {"username": bearer.claims.username}

    async def name_async() -> dict[str, Any]:
        return name()

    view: Any = name_async if is_async else name
    app.add_url_rule("/me", "me", bearer.required()(view))
    app.add_url_rule("/admin", "admin", bearer.required(groups=groups)(view))
    app.add_url_rule("/strong", "strong", bearer.required(**STRONG)(view))

    def get(path: str, authorization: str | None) -> Reply:
        response = app.test_client().get(path, headers=headers(authorization))
        return Reply(response.status_code, response.headers.get("WWW-Authenticate"), response.json)

    return get


def of_async_flask(pool: Pool, **options: Any) -> Get:
    return of_flask(pool, is_async=True, **options)


def of_django(pool: Pool, prefix: str, middleware: list[str], **options: Any) -> Get:
    verifier = pool.verifier(**options)

    def get(path: str, authorization: str | None) -> Reply:
        url, sent = f"/{prefix}{path}", headers(authorization)
        with override_settings(COGNITO_VERIFIER=verifier, MIDDLEWARE=middleware):
            if prefix == "async":
                response: Any = asyncio.run(AsyncClient().get(url, headers=sent))
            else:
                response = Client().get(url, headers=sent)
        return Reply(response.status_code, response.headers.get("WWW-Authenticate"), response.json())

    return get


APPS: dict[str, Callable[..., Get]] = {
    "fastapi": of_fastapi,
    "starlette": of_starlette,
    "flask": of_flask,
    "async flask": of_async_flask,
    "django": lambda pool, **options: of_django(pool, "sync", [], **options),
    "async django": lambda pool, **options: of_django(pool, "async", [], **options),
    "django with middleware": lambda pool, **options: of_django(pool, "sync", MIDDLEWARE, **options),
    "async django with middleware": lambda pool, **options: of_django(pool, "async", MIDDLEWARE, **options),
    "django rest framework": lambda pool, **options: of_django(pool, "api", [], **options),
}
PROJECT = django_project
