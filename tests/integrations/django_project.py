"""A Django project: settings, views for each way to require a token, and their URLs."""

from __future__ import annotations

from typing import Any

import django
from django.conf import settings

if not settings.configured:  # a page of the documentation also configures them
    settings.configure(SECRET_KEY="not a secret", REST_FRAMEWORK={"UNAUTHENTICATED_USER": None})
settings.ALLOWED_HOSTS = ["*"]
settings.ROOT_URLCONF = __name__
django.setup()

from django.http import HttpRequest, JsonResponse  # noqa: E402 - Django reads its settings when it is imported
from django.urls import path  # noqa: E402
from django.views import View  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from cognito_flow.integrations.django import claims_of, token_required  # noqa: E402
from cognito_flow.integrations.rest_framework import CognitoAuthentication, requires  # noqa: E402


def name(request: HttpRequest) -> Any:
    return JsonResponse({"username": claims_of(request).username})


async def name_async(request: HttpRequest) -> Any:
    return name(request)


def anybody(request: HttpRequest) -> Any:
    claims = getattr(request, "_cognito_claims", None)
    return JsonResponse({"username": claims and claims.username})


async def anybody_async(request: HttpRequest) -> Any:
    return anybody(request)


class NameView(View):  # type: ignore[misc]  # Django has no types
    async def get(self, request: HttpRequest) -> Any:
        return name(request)


class Api(APIView):  # type: ignore[misc]  # Django REST framework has no types
    authentication_classes = (CognitoAuthentication,)
    permission_classes: tuple[Any, ...] = (requires(),)

    def get(self, request: Request) -> Response:
        return Response({"username": request.user.username})


class AdminApi(Api):
    permission_classes = (requires(groups=(name for name in ["admins"])),)


class StrongApi(Api):
    permission_classes = (requires(acr_values=["urn:cognito:loa:2"], max_age=60),)


# Classes that are composed by operators of their metaclass, which has no types.
BANNED: Any = requires(groups=["banned"])
ADMIN: Any = requires(groups=["admins"])
SIGNED_IN: Any = requires(scopes=["aws.cognito.signin.user.admin"])
COMPOSED: dict[str, Any] = {
    "either": ADMIN | SIGNED_IN,
    "both": ADMIN & SIGNED_IN,
    "unless": requires() & ~BANNED,
    "neither": ~(ADMIN | SIGNED_IN),
    "audience": ADMIN | requires(audience="shop"),
    "recent": ADMIN | requires(max_age=60),
}


class ObjectApi(Api):
    """An API with permissions for objects, too."""

    def get(self, request: Request) -> Response:
        self.check_object_permissions(request, object())
        return super().get(request)


class OpenApi(Api):
    permission_classes = ()

    def get(self, request: Request) -> Response:
        return Response(
            {"username": request.user and request.user.username, "pk": request.user and request.user.pk}
        )


STRONG: Any = {"acr_values": ["urn:cognito:loa:2"], "max_age": 60}
urlpatterns = [
    path("sync/me", token_required()(name)),
    path("sync/admin", token_required(groups=(name for name in ["admins"]))(name)),
    path("sync/strong", token_required(**STRONG)(name)),
    path("sync/open", anybody),
    path("sync/undecorated", name),
    path("async/me", token_required()(name_async)),
    path("async/admin", token_required(groups=["admins"])(name_async)),
    path("async/strong", token_required(**STRONG)(name_async)),
    path("async/open", anybody_async),
    path("async/class", token_required()(NameView.as_view())),
    path("api/me", Api.as_view()),
    path("api/admin", AdminApi.as_view()),
    path("api/strong", StrongApi.as_view()),
    *(
        path(f"api/composed/{name}", ObjectApi.as_view(permission_classes=[composed]))
        for name, composed in COMPOSED.items()
    ),
    path("api/open", OpenApi.as_view()),
]
