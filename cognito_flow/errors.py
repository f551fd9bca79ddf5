"""Every exception of the library, arranged by what the caller does next.

    CognitoFlowError
    ├── UsageError                           mend the calling code
    │   └── SessionAlreadyUsed               answered before: use the step that its answer gave
    ├── UnexpectedResponse                   Cognito said something that cannot be read: report it
    ├── SealError                            damaged, too old, another key's or client's: start again
    ├── StoreError                           mend what it names (a key, a permission, a disk) and repeat
    │   └── StoreDamaged                     sign in again; what was there is at `.kept_at`
    ├── Unanswered                           `ask` gave no answer: `.challenge` is still there to be answered
    ├── TransportError                       no answer came; `.maybe_processed`: it may have been carried out
    └── ServiceError                         Cognito refused
        ├── NotAuthorized                    a login page tells nobody which it was
        │   ├── IncorrectPassword            ask again and start again
        │   ├── UserNotFound
        │   ├── AttemptsExceeded             locked for a while: wait
        │   ├── UserDisabled
        │   ├── SecretHashMismatch           mend the client secret: `.hint`
        │   ├── TemporaryPasswordExpired     an administrator must set a new one
        │   ├── RefreshTokenInvalid          sign in again: `.hint`
        │   ├── TokenRevoked                 sign in again
        │   ├── TokenExpired                 refresh
        │   ├── TokenInvalid                 sign in again: it is not one of this pool's, or not for this app
        │   └── NotPermitted                 the token is good, but lacks a scope or a group
        ├── WrongCode                        answer the same challenge again
        ├── CodeExpired                      ask for a new code
        ├── CodeAlreadyUsed                  answer the same challenge with the next code
        ├── PasswordRejected                 answer the same challenge with a better password
        ├── FlowExpired                      too much time passed, or the session is used up: start again
        ├── UserNotConfirmed                 confirm the sign-up
        ├── PasswordResetRequired            send them through the forgotten-password pages
        ├── UserExists
        ├── AliasExists
        ├── DeviceForgotten                  start again without the device
        ├── RefreshTokenReused               read the store again, or sign in again
        ├── Throttled                        wait a little and repeat the call
        ├── LimitExceeded                    wait long; it is never repeated automatically
        ├── TriggerRefused                   the pool's Lambda `.trigger` said no
        └── Misconfigured                    change the pool or the app client: `.hint`

Rule of this file: classes and one table, `ROWS`, from Cognito's codes and texts to classes. The texts are no
part of the service model, so they are matched leniently, and what matches no row becomes the parent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from cognito_flow.handlers import Challenge

__all__ = [
    "AliasExists",
    "AttemptsExceeded",
    "CodeAlreadyUsed",
    "CodeExpired",
    "CognitoFlowError",
    "DeviceForgotten",
    "FlowExpired",
    "IncorrectPassword",
    "LimitExceeded",
    "Misconfigured",
    "NotAuthorized",
    "NotPermitted",
    "PasswordRejected",
    "PasswordResetRequired",
    "RefreshTokenInvalid",
    "RefreshTokenReused",
    "SealError",
    "SecretHashMismatch",
    "ServiceError",
    "SessionAlreadyUsed",
    "StoreDamaged",
    "StoreError",
    "TemporaryPasswordExpired",
    "Throttled",
    "TokenExpired",
    "TokenInvalid",
    "TokenRevoked",
    "TransportError",
    "TriggerRefused",
    "Unanswered",
    "UnexpectedResponse",
    "UsageError",
    "UserDisabled",
    "UserExists",
    "UserNotConfirmed",
    "UserNotFound",
    "WrongCode",
]


class CognitoFlowError(Exception):
    """The parent of every error of this library.

    Args:
        message: What was wrong and what to do. No secret ever stands in it.

    Attributes:
        code: Cognito's error code, for example ``NotAuthorizedException``; None when Cognito said nothing.
        operation: The API operation that was called, for example ``RespondToAuthChallenge``.
        request_id: What AWS support asks for.
        retryable: Whether the same call, repeated a little later as it is, may succeed.
        maybe_processed: Whether Cognito may have carried out the call although no good answer came.
        hint: How to mend it, where that is known. It ends the message, too.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        operation: str | None = None,
        request_id: str | None = None,
        retryable: bool = False,
        maybe_processed: bool = False,
        hint: str | None = None,
    ) -> None:
        # One positional argument and the rest as attributes: that is what BaseException knows how to pickle.
        super().__init__(message)
        self.code = code
        self.operation = operation
        self.request_id = request_id
        self.retryable = retryable
        self.maybe_processed = maybe_processed
        self.hint = hint

    def __str__(self) -> str:
        message = str(self.args[0])
        return message if self.hint is None else f"{message}: {self.hint}"


class UsageError(CognitoFlowError):
    """The calling code broke the contract; nothing was sent."""


class SessionAlreadyUsed(UsageError):
    """This challenge was answered before; nothing was sent. Go on with the step that its answer gave."""


class UnexpectedResponse(CognitoFlowError):
    """Cognito said something that this library cannot read."""


class SealError(CognitoFlowError):
    """A sealed challenge cannot be opened: damaged, too old, sealed with another key or for another app
    client."""


class StoreError(CognitoFlowError):
    """A store of tokens or devices cannot be read or written. It was left as it is."""


class StoreDamaged(StoreError):
    """What a store held cannot be read. A file was put aside, so that the store works again, without it.

    Attributes:
        kept_at: The path that the file has now; None in a store without files, where `put` and `delete` mend
            the user's entry.
    """

    kept_at: str | None = None


class Unanswered(CognitoFlowError):
    """`sign_in` met a challenge that nobody answered.

    Attributes:
        challenge: The challenge, which can still be answered with `send`.
    """

    def __init__(self, challenge: Challenge, message: str) -> None:
        super().__init__(message)
        self.challenge = challenge

    def __reduce__(self) -> tuple[type[Unanswered], tuple[Challenge, str], dict[str, object]]:
        return type(self), (self.challenge, self.args[0]), self.__dict__


class TransportError(CognitoFlowError):
    """No answer came: a timeout, or no connection. See `maybe_processed` before the same is sent again."""


class ServiceError(CognitoFlowError):
    """Cognito refused."""


class NotAuthorized(ServiceError):
    """Not authorized. A login page that catches this class tells nobody which reason it was."""


class IncorrectPassword(NotAuthorized):
    """The user name or the password is wrong; also an unknown user where the app client hides who exists."""


class UserNotFound(NotAuthorized):
    """No such user, told by an app client that does not hide it (PreventUserExistenceErrors is LEGACY)."""


class AttemptsExceeded(NotAuthorized):
    """Too many wrong passwords or codes: the user is locked for a while. Wait; do not repeat the call."""


class UserDisabled(NotAuthorized):
    """An administrator disabled the user."""


class SecretHashMismatch(NotAuthorized):
    """The client secret is missing, wrong, or not expected; `hint` says how to mend it."""


class TemporaryPasswordExpired(NotAuthorized):
    """The temporary password is too old: an administrator must set a new one."""


class RefreshTokenInvalid(NotAuthorized):
    """The refresh token is of no use (any more): sign in again. `hint` names the causes."""


class TokenRevoked(NotAuthorized):
    """The token was revoked, or the person signed out everywhere: sign in again."""


class TokenExpired(NotAuthorized):
    """The token is too old: refresh."""


class TokenInvalid(NotAuthorized):
    """The token is forged, damaged, or meant for somebody else: sign in again. `TokenVerifier` says so, not
    Cognito."""


class NotPermitted(NotAuthorized):
    """The token is good, but lacks a scope or a group that is required. `TokenVerifier` says so, not
    Cognito."""


class WrongCode(ServiceError):
    """The code does not match: answer the same challenge again."""


class CodeExpired(ServiceError):
    """The code is too old, or none was asked for: ask for a new one."""


class CodeAlreadyUsed(ServiceError):
    """This code of the authenticator app was used before: answer again with the next one (within 30
    seconds)."""


class PasswordRejected(ServiceError):
    """The new password breaks the pool's policy or history rule: answer the same challenge with a better
    one."""


class FlowExpired(ServiceError):
    """The sign-in took too long, or its session is used up: start again."""


class UserNotConfirmed(ServiceError):
    """The sign-up was not confirmed yet. Cognito says so before it looks at the password."""


class PasswordResetRequired(ServiceError):
    """An administrator asked for a new password: send the person through the forgotten-password pages."""


class UserExists(ServiceError):
    """The user name is taken."""


class AliasExists(ServiceError):
    """The e-mail address or phone number belongs to another user."""


class DeviceForgotten(ServiceError):
    """Cognito does not know this device (any more), or refused its secret: start again without it."""


class RefreshTokenReused(ServiceError):
    """A rotated refresh token was used again after its grace period: read the store again, or sign in
    again."""


class Throttled(ServiceError):
    """Too many requests to the pool: wait a little and repeat the call. Nothing was processed."""


class LimitExceeded(ServiceError):
    """This person asked too often: wait long. It is never repeated automatically."""


class TriggerRefused(ServiceError):
    """A Lambda trigger of the pool refused or failed.

    Attributes:
        trigger: Its name, for example ``PreAuthentication``, where Cognito tells it.
    """

    trigger: str | None = None


class Misconfigured(ServiceError):
    """The pool, the app client or the AWS credentials do not allow this; `hint` says what to change."""


@attrs.frozen
class Row:
    """One row of the table: an error code, a text (None: any text), and what they mean.

    Args:
        code: The error code without the suffix ``Exception``.
        text: A regular expression that is searched for in the text, without regard to case; None matches any.
        error: The class.
        hint: What to do about it.
    """

    code: str
    text: str | None
    error: type[ServiceError]
    hint: str | None = None


_ENABLE_FLOW = "enable ALLOW_{flow} in the app client's ExplicitAuthFlows"
_CHECK_SECRET = (
    "give AppClient the secret of this very app client, and none for an app client that has none; "
    "SECRET_HASH is taken over the USERNAME that the same request sends"
)
_CHECK_DEVICE = (
    "it expired, was issued to another app client, or the pool tracks devices and the device key is missing, "
    "or the device was never confirmed or was forgotten"
)
_ADD_PROVIDER = "add this user pool, with this app client, to the providers of the identity pool"
_ADD_ROLE = (
    "give the identity pool a role for authenticated identities, "
    "whose trust policy lets cognito-identity.amazonaws.com assume it for this identity pool"
)
_ADMIN_CREDENTIALS = (
    "Admin operations are signed: give AWS credentials that may call them, or use admin=False"
)

ROWS: tuple[Row, ...] = (
    Row("NotAuthorized", r"incorrect username or password", IncorrectPassword),
    Row("NotAuthorized", r"password attempts exceeded|temporarily locked", AttemptsExceeded),
    Row("NotAuthorized", r"user is disabled", UserDisabled),
    Row("NotAuthorized", r"temporary password has expired", TemporaryPasswordExpired),
    Row("NotAuthorized", r"invalid session for the user", FlowExpired),
    Row("NotAuthorized", r"invalid refresh token", RefreshTokenInvalid, _CHECK_DEVICE),
    Row("NotAuthorized", r"refresh token has expired", RefreshTokenInvalid, "sign in again"),
    Row("NotAuthorized", r"token has been revoked", TokenRevoked),
    Row("NotAuthorized", r"access token has expired", TokenExpired),
    Row(
        "NotAuthorized",
        r"secret ?hash|secret_hash|configured (for|with) secret|invalid client secret",
        SecretHashMismatch,
        _CHECK_SECRET,
    ),
    Row(
        "NotAuthorized",
        r"required scopes",
        Misconfigured,
        "sign in with this API, or ask for the scope aws.cognito.signin.user.admin",
    ),
    Row("NotAuthorized", r"token expired", TokenExpired),
    Row("NotAuthorized", r"not from a supported provider|logins don't match", Misconfigured, _ADD_PROVIDER),
    Row("NotAuthorized", None, NotAuthorized),
    Row("InvalidParameter", r"secret ?hash|secret_hash", SecretHashMismatch, _CHECK_SECRET),
    Row("Unauthorized", None, NotAuthorized),
    Row("UserNotFound", None, UserNotFound),
    Row("CodeMismatch", None, WrongCode),
    Row("EnableSoftwareTokenMFA", None, WrongCode),
    Row("ExpiredCode", r"already been used", CodeAlreadyUsed),
    Row("ExpiredCode", None, CodeExpired),
    Row("TooManyFailedAttempts", None, AttemptsExceeded),
    Row("InvalidPassword", None, PasswordRejected),
    Row("PasswordHistoryPolicyViolation", None, PasswordRejected),
    Row("UserNotConfirmed", None, UserNotConfirmed),
    Row("PasswordResetRequired", None, PasswordResetRequired),
    Row("UsernameExists", None, UserExists),
    Row("AliasExists", None, AliasExists),
    Row("ResourceNotFound", r"device does not exist", DeviceForgotten),
    Row(
        "ResourceNotFound",
        r"user pool client",
        Misconfigured,
        "check the client id, and that it belongs to this pool",
    ),
    Row("ResourceNotFound", r"user pool", Misconfigured, "check the pool id and its region"),
    Row("ResourceNotFound", r"identity ?pool", Misconfigured, "check the identity pool id and its region"),
    Row("RefreshTokenReuse", None, RefreshTokenReused),
    Row("TooManyRequests", None, Throttled),
    Row("Throttling", None, Throttled),
    Row("RequestLimitExceeded", None, Throttled),
    Row("LimitExceeded", None, LimitExceeded),
    Row("UserLambdaValidation", None, TriggerRefused),
    Row("UnexpectedLambda", None, TriggerRefused),
    Row("InvalidLambdaResponse", None, TriggerRefused),
    Row(
        "InvalidParameter",
        r"custom auth lambda trigger is not configured",
        Misconfigured,
        "add the triggers DefineAuthChallenge, CreateAuthChallenge and VerifyAuthChallengeResponse",
    ),
    Row(
        "InvalidParameter",
        r"only custom auth",
        Misconfigured,
        "the app client has CUSTOM_AUTH_FLOW_ONLY: use CustomAuth, or replace it by ALLOW_* values",
    ),
    Row(
        "InvalidParameter",
        r"flow\w* (is )?not enabled|is not enabled for the client",
        Misconfigured,
        _ENABLE_FLOW,
    ),
    Row(
        "InvalidParameter",
        r"initiate auth method not supported",
        Misconfigured,
        "this AuthFlow goes only with the other kind of operation: compare AuthFlow(admin=...)",
    ),
    Row(
        "UnsupportedOperation",
        r"refresh token rotation",
        Misconfigured,
        "the app client rotates refresh tokens: use flow.refresh(tokens)",
    ),
    Row("UnsupportedOperation", None, Misconfigured, "the app client does not allow this operation"),
    Row(
        "FeatureUnavailableInTier",
        None,
        Misconfigured,
        "raise the pool's feature plan (UserPoolTier) to Essentials or Plus",
    ),
    Row(
        "SoftwareTokenMFANotFound",
        None,
        Misconfigured,
        "enable software token MFA in the pool, and enrol the user",
    ),
    Row("MFAMethodNotFound", None, Misconfigured, "the user has no such second factor: set one up"),
    Row("WebAuthnNotEnabled", None, Misconfigured, "allow WEB_AUTHN in the pool's sign-in policy"),
    Row("WebAuthnConfigurationMissing", None, Misconfigured, "set the pool's WebAuthn relying party id"),
    Row("WebAuthnChallengeNotFound", None, FlowExpired),
    Row(
        "WebAuthnOriginNotAllowed",
        None,
        Misconfigured,
        "serve the page over https from the domain of the pool's relying party id, or from one below it",
    ),
    Row(
        "WebAuthnRelyingPartyMismatch",
        None,
        Misconfigured,
        "hand the options to the browser as they are: they name the pool's relying party id",
    ),
    Row(
        "WebAuthnClientMismatch",
        None,
        Misconfigured,
        "finish the registration with tokens of the app client that began it",
    ),
    Row("InvalidIdentityPoolConfiguration", None, Misconfigured, _ADD_ROLE),
    Row("InvalidUserPoolConfiguration", None, Misconfigured, "complete the pool's configuration"),
    Row("InvalidSmsRoleAccessPolicy", None, Misconfigured, "let the pool's SMS role publish messages"),
    Row("InvalidSmsRoleTrustRelationship", None, Misconfigured, "let Cognito assume the pool's SMS role"),
    Row(
        "InvalidEmailRoleAccessPolicy",
        None,
        Misconfigured,
        "let the pool send e-mail through its Amazon SES identity",
    ),
    Row("OperationNotEnabled", None, Misconfigured, "the operation is not enabled for this pool"),
    Row("AccessDenied", None, Misconfigured, _ADMIN_CREDENTIALS),
    Row("UnrecognizedClient", None, Misconfigured, _ADMIN_CREDENTIALS),
    Row("InvalidSignature", None, Misconfigured, _ADMIN_CREDENTIALS),
    Row("MissingAuthenticationToken", None, Misconfigured, _ADMIN_CREDENTIALS),
    Row("ExpiredToken", None, Misconfigured, _ADMIN_CREDENTIALS),
)
"""The first row that matches decides. The texts are observed ones; the catalogue is in the developer guide's
error pages and in reports of users, because the service model has none."""

# Structural refusals quote what was sent; it may be a session or a code.
# What it holds may look like the end of the quotation, so everything up to the last such end is left out.
_QUOTED_VALUE = re.compile(r"Value '.*' at", re.DOTALL)
_TRIGGER = re.compile(r"^(\w+) failed with error", re.ASCII)


def from_service(
    code: str,
    text: str,
    *,
    operation: str | None = None,
    request_id: str | None = None,
    status: int = 400,
    parameters: Mapping[str, object] | None = None,
) -> ServiceError:
    """The typed error for what Cognito answered.

    Args:
        code: The error code, with or without ``Exception`` at its end.
        text: Cognito's text.
        operation: The operation that was called.
        request_id: The request's id.
        status: The HTTP status; 500 and above means that the call may have been carried out.
        parameters: The call's parameters, of which only the AuthFlow is read, for the hint.
    """
    row = _row(code.removesuffix("Exception"), text)
    error_class = ServiceError if row is None else row.error
    error = error_class(
        _QUOTED_VALUE.sub("Value at", text) or code,
        code=code,
        operation=operation,
        request_id=request_id,
        retryable=error_class is Throttled or status >= 500,
        maybe_processed=status >= 500,
        hint=None
        if row is None or row.hint is None
        else row.hint.format(flow=(parameters or {}).get("AuthFlow", "*")),
    )
    if isinstance(error, TriggerRefused) and (found := _TRIGGER.match(text)):
        error.trigger = found[1]
    return error


def _row(code: str, text: str) -> Row | None:
    for row in ROWS:
        if row.code == code and (row.text is None or re.search(row.text, text, re.IGNORECASE)):
            return row
    return None
