"""Access tokens in Django: a middleware, and a decorator for views.

Rule of this file: the verifier is the setting ``COGNITO_VERIFIER``, a `TokenVerifier` or the dotted name of
one. Coroutine functions verify tokens in a thread, because a verifier may have to fetch keys.
"""

# Django and Django REST framework have no types of their own, so pyright cannot know what comes from them.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportAttributeAccessIssue=false
# pyright: reportIncompatibleMethodOverride=false
# asgiref's `iscoroutinefunction` is that of asyncio, which is deprecated, only before Python 3.12.
# pyright: reportDeprecated=false

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeVar, Unpack, cast

from cognito_flow._extras import missing
from cognito_flow.errors import CognitoFlowError, UsageError
from cognito_flow.integrations._bearer import NO_TOKEN, Refusal, bearer_token, refusal_of
from cognito_flow.tokens.claims import AccessClaims
from cognito_flow.tokens.requirements import AccessRequirements, reusable
from cognito_flow.tokens.verifier import TokenVerifier

try:
    from asgiref.sync import iscoroutinefunction, sync_to_async
    from django.conf import settings
    from django.http import HttpRequest, HttpResponseBase, JsonResponse
    from django.utils.decorators import sync_and_async_middleware
    from django.utils.module_loading import import_string
except ModuleNotFoundError:
    raise missing("django", extra="django") from None

__all__ = ["claims_of", "cognito_middleware", "token_required"]

ViewT = TypeVar("ViewT", bound=Callable[..., object])

_CLAIMS = "_cognito_claims"


@sync_and_async_middleware
def cognito_middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """A middleware: refuses requests with an invalid access token, and lets those without one pass.

    The claims of a valid token are `claims_of(request)`. Add
    ``cognito_flow.integrations.django.cognito_middleware`` to ``MIDDLEWARE``. It works with WSGI and ASGI.

    Raises:
        UsageError: ``COGNITO_VERIFIER`` is missing or not a `TokenVerifier`.
    """
    verifier()

    async def middleware_async(request: HttpRequest) -> HttpResponseBase:
        refusal = await _authenticate_async(request, {}, is_required=False)
        return await get_response(request) if refusal is None else refusal

    def middleware(request: HttpRequest) -> HttpResponseBase:
        refusal = _authenticate(request, {}, is_required=False)
        return get_response(request) if refusal is None else refusal

    return middleware_async if iscoroutinefunction(get_response) else middleware


def token_required(**required: Unpack[AccessRequirements]) -> Callable[[ViewT], ViewT]:
    """Decorate a view, or a coroutine function, that needs an access token.

    A request without a token gets 401, one with an invalid token 401, one whose token lacks a scope or a
    group 403, each with the header WWW-Authenticate of RFC 6750; 503 if the pool's keys cannot be fetched.

    Args:
        required: What the token must allow: the keywords of `TokenVerifier.verify_access`.

    Raises:
        UsageError: A requirement is malformed.

    Example::

        @token_required(groups=["admins"])
        def delete_orders(request):
            return JsonResponse({"deleted_by": claims_of(request).username})
    """
    kept = reusable(required)

    def decorate(view: ViewT) -> ViewT:
        @wraps(view)
        async def guarded_async(request: HttpRequest, *args: object, **kwargs: object) -> object:
            refusal = await _authenticate_async(request, kept, is_required=True)
            awaitable = cast("Callable[..., Awaitable[object]]", view)
            return await awaitable(request, *args, **kwargs) if refusal is None else refusal

        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> object:
            refusal = _authenticate(request, kept, is_required=True)
            return view(request, *args, **kwargs) if refusal is None else refusal

        return cast("ViewT", guarded_async if iscoroutinefunction(view) else guarded)

    return decorate


def claims_of(request: HttpRequest) -> AccessClaims:
    """Return the claims of a request's token.

    Args:
        request: A request to a view with `token_required`, or with a token that the middleware accepted.

    Raises:
        UsageError: It has none.
    """
    claims: AccessClaims | None = getattr(request, _CLAIMS, None)
    if claims is None:
        raise UsageError("this request has no claims: decorate the view with token_required()")
    return claims


def verifier() -> TokenVerifier:
    """Return the verifier of the settings.

    Raises:
        UsageError: ``COGNITO_VERIFIER`` is missing or not a `TokenVerifier`.
    """
    found = getattr(settings, "COGNITO_VERIFIER", None)
    if isinstance(found, str):
        found = import_string(found)
    if not isinstance(found, TokenVerifier):
        raise UsageError("set COGNITO_VERIFIER to a TokenVerifier, or to the dotted name of one")
    return found


def _authenticate(
    request: HttpRequest, required: AccessRequirements, *, is_required: bool
) -> HttpResponseBase | None:
    """Keep the claims of the request's token, and return the response if it is refused."""
    token = bearer_token(request.headers.get("Authorization"))
    if token is None:
        return _response(NO_TOKEN) if is_required else None
    try:
        setattr(request, _CLAIMS, verifier().verify_access(token, **required))
    except CognitoFlowError as error:
        return _response(refusal_of(error))
    return None


_authenticate_async = sync_to_async(_authenticate, thread_sensitive=False)


def _response(refusal: Refusal) -> HttpResponseBase:
    return JsonResponse({"detail": refusal.message}, status=refusal.status, headers=refusal.headers)
