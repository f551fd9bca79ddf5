"""CognitoAuthentication and `requires` for Django REST framework.

Rule of this file: the verifier is that of the setting ``COGNITO_VERIFIER``; see
`cognito_flow.integrations.django`.
"""

# Django and Django REST framework have no types of their own, so pyright cannot know what comes from them.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportAttributeAccessIssue=false
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from typing import Unpack

import attrs

from cognito_flow._extras import missing
from cognito_flow.errors import CognitoFlowError, TokenRejected
from cognito_flow.integrations._bearer import bearer_token, refusal_of
from cognito_flow.integrations.django import verifier
from cognito_flow.tokens.claims import AccessClaims
from cognito_flow.tokens.requirements import AccessRequirements, reusable

try:
    from rest_framework.authentication import BaseAuthentication
    from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied
    from rest_framework.permissions import BasePermission
    from rest_framework.request import Request
except ModuleNotFoundError:
    raise missing("djangorestframework", extra="djangorestframework") from None

__all__ = ["CognitoAuthentication", "CognitoUser", "requires"]

_CHALLENGE = "_cognito_challenge"


@attrs.frozen
class CognitoUser:
    """The user of a request: `request.user`.

    Args:
        claims: The claims of the access token; also `request.auth`.
    """

    claims: AccessClaims

    is_authenticated = True
    is_anonymous = False
    is_active = True

    @property
    def pk(self) -> str:
        """The user's id, `sub`, for throttling by user."""
        return self.claims.sub

    @property
    def username(self) -> str:
        """The user name; in a token of the client credentials grant the app client's id."""
        return self.claims.username or self.claims.client_id


class CognitoAuthentication(BaseAuthentication):
    """Authenticates requests by their access token. A request without one stays unauthenticated.

    Add it to ``DEFAULT_AUTHENTICATION_CLASSES``, or to `authentication_classes` of a view.
    """

    def authenticate(self, request: Request) -> tuple[CognitoUser, AccessClaims] | None:
        """Return the user and the claims; None if the request has no token.

        Raises:
            APIException: The token is not valid (401), or cannot be verified (503).
        """
        token = bearer_token(request.headers.get("Authorization"))
        if token is None:
            return None
        try:
            claims = verifier().verify_access(token)
        except CognitoFlowError as error:
            raise _exception(request, error) from error
        return CognitoUser(claims), claims

    def authenticate_header(self, request: Request) -> str:
        """The header WWW-Authenticate of a 401."""
        return str(getattr(request, _CHALLENGE, "Bearer"))


def requires(**required: Unpack[AccessRequirements]) -> type[BasePermission]:
    """Return a permission class: what the access token of a request must allow.

    A request whose token does not allow it gets the status and the header WWW-Authenticate of RFC 6750 and
    RFC 9470. The class can be composed with others by ``&``, ``|`` and ``~``; if a composition refuses a
    request, the response is Django REST framework's own: 403 without that header. ``~`` also permits requests
    without a token, so use it together with another permission.

    Args:
        required: The keywords of `TokenVerifier.verify_access`.

    Raises:
        UsageError: A keyword does not exist, or a requirement is malformed.

    Example::

        class Orders(APIView):
            permission_classes = [requires(scopes=["shop/read"]) | requires(groups=["admins"])]
    """
    kept = reusable(required)

    class CognitoPermission(BasePermission):
        """What the access token of a request must allow."""

        _refused: tuple[Request, TokenRejected] | None = None

        @property
        def message(self) -> None:
            """Raises the exception for a refused request. Django REST framework reads the message of a
            permission that refused a request, but only if it is not part of a composition, whose other parts
            may permit the request."""
            if self._refused is not None:
                request, error = self._refused
                raise _exception(request, error) from error

        def has_permission(self, request: Request, view: object) -> bool:
            """Verify the token again, now with the requirements."""
            token = bearer_token(request.headers.get("Authorization"))
            if token is None or not isinstance(request.user, CognitoUser):
                return False
            try:
                verifier().verify_access(token, **kept)
            except TokenRejected as error:
                self._refused = request, error
                return False
            except CognitoFlowError as error:
                # It is not known what the token allows, so no part of a composition may decide.
                raise _exception(request, error) from error
            return True

        def has_object_permission(self, request: Request, view: object, _obj: object) -> bool:
            """The same for every object: ``~`` negates this method, too."""
            return self.has_permission(request, view)

    return CognitoPermission


def _exception(request: Request, error: CognitoFlowError) -> APIException:
    refusal = refusal_of(error)
    if refusal.challenge is not None:
        setattr(request, _CHALLENGE, refusal.challenge)
    kinds: dict[int, type[APIException]] = {401: AuthenticationFailed, 403: PermissionDenied}
    exception = kinds.get(refusal.status, APIException)(refusal.message)
    exception.status_code = refusal.status
    if refusal.challenge is not None:
        exception.auth_header = refusal.challenge
    return exception
