"""CognitoBearer for Flask: views that require a token."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn, TypeVar, Unpack, cast

from cognito_flow._extras import missing
from cognito_flow.errors import CognitoFlowError, UsageError
from cognito_flow.integrations._bearer import NO_TOKEN, Refusal, bearer_token, refusal_of
from cognito_flow.tokens.claims import AccessClaims
from cognito_flow.tokens.requirements import AccessRequirements, reusable
from cognito_flow.tokens.verifier import TokenVerifier

try:
    from flask import abort, current_app, g, jsonify, make_response, request
except ModuleNotFoundError:
    raise missing("flask", extra="flask") from None

__all__ = ["CognitoBearer"]

ViewT = TypeVar("ViewT", bound=Callable[..., object])

_CLAIMS = "_cognito_claims"


class CognitoBearer:
    """Verifies the access tokens of requests to a Flask application.

    Args:
        verifier: The verifier.

    Raises:
        UsageError: The verifier is not a `TokenVerifier`.

    >>> from flask import Flask
    >>> from cognito_flow import AppClient, TokenVerifier
    >>> from cognito_flow.integrations.flask import CognitoBearer
    >>> bearer = CognitoBearer(TokenVerifier(AppClient("eu-west-1_AbC123", "client-id")))
    >>> app = Flask("shop")
    >>> @app.delete("/orders")
    ... @bearer.required(groups=["admins"])
    ... def delete_orders():
    ...     return {"deleted_by": bearer.claims.username}
    """

    def __init__(self, verifier: TokenVerifier) -> None:
        if not isinstance(verifier, TokenVerifier):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped code
            raise UsageError("Flask needs a TokenVerifier")
        self._verifier = verifier

    def required(self, **required: Unpack[AccessRequirements]) -> Callable[[ViewT], ViewT]:
        """Decorate a view, or a coroutine function, that needs an access token.

        A request without a token gets 401, one with an invalid token 401, one whose token lacks a scope or a
        group 403, each with the header WWW-Authenticate of RFC 6750; 503 if the pool's keys cannot be
        fetched.

        Args:
            required: What the token must allow: the keywords of `TokenVerifier.verify_access`.

        Raises:
            UsageError: A requirement is malformed.
        """
        kept = reusable(required)

        def decorate(view: ViewT) -> ViewT:
            @wraps(view)
            def guarded(*args: object, **kwargs: object) -> object:
                setattr(g, _CLAIMS, self._verify(kept))
                blocking: Any = current_app.ensure_sync(view)
                return blocking(*args, **kwargs)

            return cast("ViewT", guarded)

        return decorate

    @property
    def claims(self) -> AccessClaims:
        """The claims of the current request's token.

        Raises:
            UsageError: The view is not decorated with `required`.
        """
        claims: AccessClaims | None = g.get(_CLAIMS)
        if claims is None:
            raise UsageError("this view has no claims: decorate it with CognitoBearer.required()")
        return claims

    def _verify(self, required: AccessRequirements) -> AccessClaims:
        token = bearer_token(request.headers.get("Authorization"))
        if token is None:
            _refuse(NO_TOKEN)
        try:
            return self._verifier.verify_access(token, **required)
        except CognitoFlowError as error:
            _refuse(refusal_of(error))


def _refuse(refusal: Refusal) -> NoReturn:
    abort(make_response(jsonify(detail=refusal.message), refusal.status, refusal.headers))
