"""Every exception of the library, arranged by what the caller does next.

A page catches one parent for each thing that it can do next:

    CognitoFlowError
    ├── AnswerRejected                       ask again: the same challenge takes another answer
    │   ├── InvalidInput                     refused locally: an empty code, a choice that was not offered
    │   ├── InputRejected                    Cognito refused what was typed: a phone number, an attribute
    │   ├── WrongCode                        the code is wrong
    │   ├── CodeAlreadyUsed                  wait for the authenticator app's next code
    │   └── PasswordRejected                 the pool's policy refuses the new password
    ├── StartOver                            this sign-in is over: begin a new one
    │   ├── FlowExpired                      it took too long, or its session is used up
    │   ├── CodeExpired                      the code expired, or none was requested: request a new one
    │   ├── SealError                        the sealed text is damaged, too old, or sealed with another key
    │   ├── SessionAlreadyUsed               this challenge was answered before
    │   └── DeviceForgotten                  Cognito does not know the device: start again without it
    ├── SignedOut                            these tokens no longer work: sign in again
    │   ├── RefreshTokenInvalid              expired, or of another app client or device: `.hint`
    │   ├── RefreshTokenReused               replaced by rotation, and used after its grace period
    │   └── TokenRevoked                     revoked, or the user signed out everywhere
    ├── TryLater                             wait, then try again
    │   ├── TransportError                   no answer came; see `.maybe_processed`
    │   ├── Throttled                        too many requests to the pool: wait a moment
    │   ├── LimitExceeded                    too many attempts for this user: wait up to an hour
    │   ├── AttemptsExceeded                 the user is locked for a while
    │   └── InternalError                    Cognito failed (a 5xx); `.maybe_processed` is True

The same classes, and all others, arranged by where they come from:

    CognitoFlowError
    ├── UsageError                           fix the calling program; never show it to users
    ├── UnexpectedResponse                   the response cannot be read: report it
    ├── StoreError                           fix what it names (a key, a permission, a disk) and repeat
    │   └── StoreDamaged                     sign in again; the damaged file is at `.kept_at`
    ├── Unanswered                           `ask` gave no answer; `.challenge` can still be answered
    ├── SeveralUsers                         an address belongs to several users: choose from `.usernames`
    ├── TokenRejected                        `TokenVerifier` refused a token; Cognito was not asked
    │   ├── TokenInvalid                     forged, damaged, or meant for another pool or app client
    │   ├── TokenExpired                     refresh (also a NotAuthorized: Cognito says it, too)
    │   └── NotPermitted                     the token is valid, but lacks a scope or a group
    │       └── StepUpRequired               sign in again: with more factors, or more recently
    └── ServiceError                         Cognito refused
        ├── NotAuthorized                    answer all of these alike, to hide which users exist
        │   ├── IncorrectPassword            ask for name and password again, and start again
        │   ├── UserNotFound
        │   ├── AttemptsExceeded             (a TryLater)
        │   ├── UserDisabled
        │   ├── SecretHashMismatch           fix the client secret: `.hint`
        │   ├── TemporaryPasswordExpired     an administrator must set a new one
        │   ├── Blocked                      threat protection or WAF refused: do not ask again
        │   ├── RefreshTokenInvalid          (a SignedOut)
        │   ├── TokenRevoked                 (a SignedOut)
        │   └── TokenExpired                 (a TokenRejected)
        ├── WrongCode, CodeAlreadyUsed, PasswordRejected, InputRejected      (each an AnswerRejected)
        ├── FlowExpired, CodeExpired, DeviceForgotten                        (each a StartOver)
        ├── RefreshTokenReused                                               (a SignedOut)
        ├── Throttled, LimitExceeded, InternalError                          (each a TryLater)
        ├── UserNotConfirmed                 confirm the sign-up
        ├── PasswordResetRequired            send the user through the forgotten-password pages
        ├── UserExists                       the user name is taken
        ├── AliasExists                      the address or phone number belongs to another user
        ├── TriggerRefused                   the pool's Lambda `.trigger` refused or failed
        └── Misconfigured                    change the pool or the app client: `.hint`

Rule of this file: classes and one table, `RULES`, from Cognito's codes and texts to classes. The service
model does not list the texts, so they are matched leniently; an error that matches no rule becomes a
`ServiceError`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import attrs


class CognitoFlowError(Exception):
    """The parent of every error of this library.

    Args:
        message: What happened and what to do. It never contains a secret.

    Attributes:
        code: Cognito's error code, for example ``NotAuthorizedException``; None if Cognito sent none.
        operation: The API operation that was called, for example ``RespondToAuthChallenge``.
        request_id: The id that AWS support asks for.
        retryable: Whether the same call, repeated unchanged a little later, may succeed.
        maybe_processed: Whether Cognito may have processed the call although no readable answer came. Of
            `AuthFlow.send`, also whether it has processed the answer, and a later call of the same step
            failed; the error is not `retryable` then.
        hint: How to fix it, where that is known. `str(error)` ends with it.
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
        return message if self.hint is None else f"{message.rstrip('.')}: {self.hint}"


# -- what the caller does next --


class AnswerRejected(CognitoFlowError):
    """What the user typed was refused: ask again. The same challenge, or the same page, takes another
    answer."""


class StartOver(CognitoFlowError):
    """This sign-in is over: begin a new one."""


class SignedOut(CognitoFlowError):
    """These tokens no longer work: the user must sign in again."""


class TryLater(CognitoFlowError):
    """Cognito cannot be reached, or accepts no calls now: wait, then try again."""


# -- refused or failed on this side --


class UsageError(CognitoFlowError):
    """A mistake in the calling program; nothing was sent. Fix the program: users cannot do anything about
    it."""


class InvalidInput(AnswerRejected):
    """What the user typed or chose cannot be right; nothing was sent. The message names it, without its
    value: an empty code or password, a choice that was not offered, a required attribute that is missing."""


class SessionAlreadyUsed(StartOver):
    """This challenge was answered before, with this session; nothing was sent. Continue with the step that
    the first answer returned, or begin a new sign-in. `maybe_processed` says that it returned none."""


class SealError(StartOver):
    """A sealed challenge cannot be opened: it is damaged, too old, or sealed with another key or for another
    app client."""


class UnexpectedResponse(CognitoFlowError):
    """Cognito's response cannot be read by this library."""


class StoreError(CognitoFlowError):
    """A store of tokens or devices cannot be read or written. Its content was not changed."""


class StoreDamaged(StoreError):
    """The content of a store cannot be read. A damaged file was moved away, so that the store works again.

    Attributes:
        kept_at: The path of the moved file; None in a store without files, where `put` and `delete` replace
            the user's entry.
    """

    kept_at: str | None = None


class Unanswered(CognitoFlowError):
    """`sign_in` met a challenge that its `ask` did not answer.

    Attributes:
        challenge: The challenge: `match` on its class. It can still be answered with `send`. A pickle of the
            error leaves it out, and has None: its Session is a secret. Seal the challenge instead.
    """

    def __init__(self, challenge: object, message: str) -> None:
        super().__init__(message)
        self.challenge = challenge

    def __reduce__(self) -> tuple[type[Unanswered], tuple[None, str], dict[str, object]]:
        return type(self), (None, self.args[0]), {**self.__dict__, "challenge": None}


class SeveralUsers(CognitoFlowError):
    """`UserAdmin.find_user` found several users with the same address.

    Attributes:
        usernames: Their user names.
    """

    usernames: tuple[str, ...] = ()


class TransportError(TryLater):
    """No answer came: a timeout, or no connection. Read `maybe_processed` before sending the same again."""


class TokenRejected(CognitoFlowError):
    """`TokenVerifier` refused a token. Cognito was not asked."""


class TokenInvalid(TokenRejected):
    """The token is forged, damaged, or meant for another pool or app client."""


class NotPermitted(TokenRejected):
    """The token is valid, but lacks a scope or a group that is required."""


class StepUpRequired(NotPermitted):
    """The token is valid, but the user must sign in again: with more factors, or because it was too long ago.

    Attributes:
        acr_values: Levels of authentication, of which the next sign-in must reach one; empty: any will do.
        max_age: How long ago the sign-in may be, in seconds; None if it may be any time ago.
    """

    acr_values: tuple[str, ...] = ()
    max_age: float | None = None


# -- refused by Cognito --


class ServiceError(CognitoFlowError):
    """Cognito refused."""


class NotAuthorized(ServiceError):
    """Not authorized. A login page that answers all of these alike does not reveal which users exist."""


class IncorrectPassword(NotAuthorized):
    """The user name or the password is wrong; also an unknown user where the app client hides who exists."""


class UserNotFound(NotAuthorized):
    """There is no such user. Only an app client whose PreventUserExistenceErrors is LEGACY says so."""


class AttemptsExceeded(NotAuthorized, TryLater):
    """Too many wrong passwords or codes: the user is locked for a while."""


class UserDisabled(NotAuthorized):
    """An administrator disabled the user."""


class SecretHashMismatch(NotAuthorized):
    """The client secret is missing, wrong, or not expected; `hint` says which."""


class TemporaryPasswordExpired(NotAuthorized):
    """The temporary password expired: an administrator must set a new one."""


class Blocked(NotAuthorized):
    """The pool's threat protection, or a web ACL of AWS WAF, refused the request: do not ask again."""


class RefreshTokenInvalid(NotAuthorized, SignedOut):
    """Cognito refused the refresh token: sign in again. `hint` names the possible causes."""


class TokenRevoked(NotAuthorized, SignedOut):
    """The token was revoked, or the user signed out everywhere: sign in again."""


class TokenExpired(TokenRejected, NotAuthorized):
    """The token expired: refresh. `TokenVerifier` says so, and Cognito for an access token."""


class WrongCode(ServiceError, AnswerRejected):
    """The code does not match: answer the same challenge again."""


class CodeAlreadyUsed(ServiceError, AnswerRejected):
    """This code of the authenticator app was used before: answer again with the next one (within 30
    seconds)."""


class PasswordRejected(ServiceError, AnswerRejected):
    """The new password breaks the pool's policy or history rule: answer the same challenge with another
    one."""


class InputRejected(ServiceError, AnswerRejected):
    """Cognito refused a value that the user typed, for example a phone number or an attribute."""


class FlowExpired(ServiceError, StartOver):
    """The sign-in took too long, or its session is used up: start again."""


class CodeExpired(ServiceError, StartOver):
    """The code expired, or none was requested: request a new one."""


class DeviceForgotten(ServiceError, StartOver):
    """Cognito does not know this device, or refused its secret: start again without it."""


class RefreshTokenReused(ServiceError, SignedOut):
    """A refresh token that rotation had replaced was used after its grace period: sign in again, unless a
    store holds the newer one."""


class Throttled(ServiceError, TryLater):
    """Too many requests to the pool: wait a moment and repeat the call, if it is `retryable`. Nothing was
    processed, unless `maybe_processed` says that an earlier call of the same step was."""


class LimitExceeded(ServiceError, TryLater):
    """Too many attempts for this user: wait up to an hour. The call is never repeated automatically."""


class InternalError(ServiceError, TryLater):
    """Cognito failed: a 5xx status. It may have processed the call."""


class UserNotConfirmed(ServiceError):
    """The sign-up was not confirmed yet. Cognito says so before it checks the password."""


class PasswordResetRequired(ServiceError):
    """An administrator requires a new password: send the user through the forgotten-password pages."""


class UserExists(ServiceError):
    """The user name is taken."""


class AliasExists(ServiceError):
    """The e-mail address or phone number belongs to another user."""


class TriggerRefused(ServiceError):
    """A Lambda trigger of the pool refused or failed.

    Attributes:
        trigger: Its name, for example ``PreAuthentication``, if Cognito's text contains it.
    """

    trigger: str | None = None


class Misconfigured(ServiceError):
    """The pool, the app client or the AWS credentials do not allow this; `hint` says what to change."""


@attrs.frozen
class Rule:
    """What an error code and a text of Cognito mean.

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


_ENABLE_FLOW = "enable {flow} in the app client's ExplicitAuthFlows"
_NEWER_NAMES = {"ADMIN_NO_SRP_AUTH": "ADMIN_USER_PASSWORD_AUTH", "REFRESH_TOKEN": "REFRESH_TOKEN_AUTH"}
_NEEDS_SECRET = "this app client has a secret: pass client_secret to AppClient"
_HAS_NO_SECRET = "this app client has no secret: remove client_secret from AppClient"
_WRONG_SECRET = "wrong or missing client_secret: copy it from this app client"
_CHECK_DEVICE = (
    "it expired, was issued to another app client, or the pool tracks devices and the device key is missing, "
    "or the device was never confirmed or was forgotten"
)
_ADD_PROVIDER = "add this user pool, with this app client, to the providers of the identity pool"
_ADD_ROLE = (
    "give the identity pool a role for authenticated identities, "
    "whose trust policy lets cognito-identity.amazonaws.com assume it for this identity pool"
)
_THREAT_PROTECTION = "threat protection or a web ACL blocks this request: look into the user pool's logs"
_MESSAGES = "let the pool send messages: check its SES identity, or its SNS role, sandbox and spending limit"
_ADMIN_CREDENTIALS = (
    "Admin operations are signed: provide AWS credentials that may call them, or sign in without admin=True"
)

RULES: tuple[Rule, ...] = (
    Rule("NotAuthorized", r"incorrect username or password", IncorrectPassword),
    Rule("NotAuthorized", r"password attempts exceeded|temporarily locked", AttemptsExceeded),
    Rule("NotAuthorized", r"user is disabled", UserDisabled),
    Rule(
        "NotAuthorized",
        r"temporary password has expired|must be reset by an administrator",
        TemporaryPasswordExpired,
    ),
    Rule("NotAuthorized", r"security reasons", Blocked, _THREAT_PROTECTION),
    Rule("NotAuthorized", r"invalid session for the user", FlowExpired),
    Rule("NotAuthorized", r"invalid refresh token", RefreshTokenInvalid, _CHECK_DEVICE),
    Rule("NotAuthorized", r"refresh token has expired", RefreshTokenInvalid, "sign in again"),
    Rule("NotAuthorized", r"token has been revoked", TokenRevoked, "the user signed out: sign in again"),
    Rule("NotAuthorized", r"(access|id) token has expired", TokenExpired),
    Rule("NotAuthorized", r"not configured (for|with) secret", SecretHashMismatch, _HAS_NO_SECRET),
    Rule("NotAuthorized", r"configured (for|with) secret", SecretHashMismatch, _NEEDS_SECRET),
    Rule("NotAuthorized", r"secret_?hash|secret hash|client secret", SecretHashMismatch, _WRONG_SECRET),
    Rule(
        "NotAuthorized",
        r"required scopes",
        Misconfigured,
        "sign in with this API, or ask for the scope aws.cognito.signin.user.admin",
    ),
    Rule("NotAuthorized", r"token expired", TokenExpired),
    Rule("NotAuthorized", r"not from a supported provider|logins don't match", Misconfigured, _ADD_PROVIDER),
    Rule("NotAuthorized", None, NotAuthorized),
    Rule("InvalidParameter", r"not configured (for|with) secret", SecretHashMismatch, _HAS_NO_SECRET),
    Rule("InvalidParameter", r"configured (for|with) secret", SecretHashMismatch, _NEEDS_SECRET),
    Rule("InvalidParameter", r"secret_?hash|secret hash", SecretHashMismatch, _WRONG_SECRET),
    # What a user typed: addresses, attributes, and values that break a structural constraint.
    Rule("InvalidParameter", r"invalid (phone number|email)", InputRejected),
    Rule("InvalidParameter", r"username (should|cannot) be", InputRejected),
    Rule("InvalidParameter", r"attributes? (given|did not conform)|^attributes\.", InputRejected),
    Rule(
        "InvalidParameter",
        r"at '(userCode|confirmationCode|code|username|password|proposedPassword|previousPassword"
        r"|userAttributes\.[0-9]+\.member\.value)'",
        InputRejected,
    ),
    Rule("Unauthorized", None, NotAuthorized),
    Rule("UserNotFound", None, UserNotFound),
    Rule("CodeMismatch", None, WrongCode),
    Rule("EnableSoftwareTokenMFA", None, WrongCode),
    Rule("ExpiredCode", r"already been used", CodeAlreadyUsed),
    Rule("ExpiredCode", None, CodeExpired),
    Rule("TooManyFailedAttempts", None, AttemptsExceeded),
    Rule("InvalidPassword", None, PasswordRejected),
    Rule("PasswordHistoryPolicyViolation", None, PasswordRejected),
    Rule("UserNotConfirmed", None, UserNotConfirmed),
    Rule("PasswordResetRequired", None, PasswordResetRequired),
    Rule("UsernameExists", None, UserExists),
    Rule("AliasExists", None, AliasExists),
    Rule("ResourceNotFound", r"device does not exist", DeviceForgotten),
    Rule("InvalidParameter", r"invalid device key", DeviceForgotten),
    Rule(
        "ResourceNotFound",
        r"user pool client",
        Misconfigured,
        "check the client id, and that it belongs to this pool",
    ),
    Rule("ResourceNotFound", r"user pool", Misconfigured, "check the pool id and its region"),
    Rule("ResourceNotFound", r"identity ?pool", Misconfigured, "check the identity pool id and its region"),
    Rule("RefreshTokenReuse", None, RefreshTokenReused),
    Rule("TooManyRequests", None, Throttled),
    Rule("Throttling", None, Throttled),
    Rule("429", None, Throttled),
    Rule("ConcurrentModification", None, Throttled),  # two requests at once for one user
    Rule("RequestLimitExceeded", None, Throttled),
    Rule("LimitExceeded", None, LimitExceeded),
    Rule("Forbidden", None, Blocked, _THREAT_PROTECTION),
    Rule("CodeDeliveryFailure", None, Misconfigured, _MESSAGES),
    Rule("DeviceKeyExists", None, ServiceError, "this device was confirmed before"),
    Rule("UnsupportedTokenType", None, Misconfigured, "only a refresh token can be revoked"),
    Rule("WebAuthnCredentialNotSupported", None, InputRejected, "choose another authenticator"),
    Rule("UserPoolAddOnNotEnabled", None, Misconfigured, "turn on threat protection for the pool"),
    Rule("InternalError", None, InternalError),
    Rule("InternalServer", None, InternalError),
    Rule("UserLambdaValidation", None, TriggerRefused),
    Rule("UnexpectedLambda", None, TriggerRefused),
    Rule("InvalidLambdaResponse", None, TriggerRefused),
    Rule(
        "InvalidParameter",
        r"custom auth lambda trigger is not configured",
        Misconfigured,
        "add the triggers DefineAuthChallenge, CreateAuthChallenge and VerifyAuthChallengeResponse",
    ),
    Rule(
        "InvalidParameter",
        r"only custom auth",
        Misconfigured,
        "the app client has CUSTOM_AUTH_FLOW_ONLY: use CustomAuth, or replace it by ALLOW_* values",
    ),
    Rule(
        "InvalidParameter",
        r"flow\w* (is )?not enabled|is not enabled for the client",
        Misconfigured,
        _ENABLE_FLOW,
    ),
    Rule(
        "InvalidParameter",
        r"initiate auth method not supported",
        Misconfigured,
        "only Admin operations take this AuthFlow, or only the public ones: change AuthFlow(admin=...)",
    ),
    Rule(
        "UnsupportedOperation",
        r"refresh token rotation",
        Misconfigured,
        "the app client rotates refresh tokens: use flow.refresh(tokens)",
    ),
    Rule("UnsupportedOperation", None, Misconfigured, "the app client does not allow this operation"),
    Rule(
        "FeatureUnavailableInTier",
        None,
        Misconfigured,
        "raise the pool's feature plan (UserPoolTier) to Essentials or Plus",
    ),
    Rule(
        "SoftwareTokenMFANotFound",
        None,
        Misconfigured,
        "enable software token MFA in the pool, and enrol the user",
    ),
    Rule("MFAMethodNotFound", None, Misconfigured, "the user has no such second factor: set one up"),
    Rule("WebAuthnNotEnabled", None, Misconfigured, "allow WEB_AUTHN in the pool's sign-in policy"),
    Rule("WebAuthnConfigurationMissing", None, Misconfigured, "set the pool's WebAuthn relying party id"),
    Rule("WebAuthnChallengeNotFound", None, FlowExpired),
    Rule(
        "WebAuthnOriginNotAllowed",
        None,
        Misconfigured,
        "open the page at the domain of the pool's relying party id, or at one below it, "
        "over https unless it is http://localhost",
    ),
    Rule(
        "WebAuthnRelyingPartyMismatch",
        None,
        Misconfigured,
        "pass the options to the browser unchanged: they contain the pool's relying party id",
    ),
    Rule(
        "WebAuthnClientMismatch",
        None,
        Misconfigured,
        "finish the registration with tokens of the app client that began it",
    ),
    Rule("InvalidIdentityPoolConfiguration", None, Misconfigured, _ADD_ROLE),
    Rule("InvalidUserPoolConfiguration", None, Misconfigured, "complete the pool's configuration"),
    Rule("InvalidSmsRoleAccessPolicy", None, Misconfigured, "let the pool's SMS role publish messages"),
    Rule("InvalidSmsRoleTrustRelationship", None, Misconfigured, "let Cognito assume the pool's SMS role"),
    Rule(
        "InvalidEmailRoleAccessPolicy",
        None,
        Misconfigured,
        "let the pool send e-mail through its Amazon SES identity",
    ),
    Rule("OperationNotEnabled", None, Misconfigured, "the operation is not enabled for this pool"),
    Rule("AccessDenied", None, Misconfigured, _ADMIN_CREDENTIALS),
    Rule("UnrecognizedClient", None, Misconfigured, _ADMIN_CREDENTIALS),
    Rule("InvalidSignature", None, Misconfigured, _ADMIN_CREDENTIALS),
    Rule("MissingAuthenticationToken", None, Misconfigured, _ADMIN_CREDENTIALS),
    Rule("ExpiredToken", None, Misconfigured, _ADMIN_CREDENTIALS),
    Rule("PreconditionNotMet", None, ServiceError),
    Rule("UnsupportedUserState", None, ServiceError, "the user's status does not allow it"),
    Rule("InvalidParameter", None, ServiceError),
    Rule("ResourceNotFound", None, ServiceError),
)
"""The first rule that matches decides. The texts are observed ones; the catalogue is in the developer guide's
error pages and in reports of users, because the service model has none."""

_LONGEST_TEXT = 2_000  # characters of a message: a proxy may answer with any number
_TRIGGER = re.compile(r"^(\w+) failed with error", re.ASCII)

# Members of a request whose values are names, not secrets: a text that quotes them may keep them.
_NAMES = frozenset(
    {"AttributeName", "AuthFlow", "ChallengeName", "ClientId", "Name", "USERNAME", "UserPoolId", "Username"}
)


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
        parameters: The call's parameters: the AuthFlow for the hint, and the values that the message must not
            repeat.
    """
    parameters = parameters or {}
    text = _readable(text)
    whole = _without_quotation(text)
    if len(text) > _LONGEST_TEXT:  # for which regular expressions may take too long
        text = whole[:_LONGEST_TEXT]
    rule = _rule_for(code.removesuffix("Exception"), text)
    # botocore makes the status the code, and the body the text, if a response is not Cognito's.
    shown = f"status {code}" if code.isdigit() else _without_values(whole, parameters)[:_LONGEST_TEXT]
    error_class = rule.error if rule is not None else InternalError if status >= 500 else ServiceError
    has_failed = error_class is InternalError or status >= 500
    hint = None if rule is None else rule.hint
    error = error_class(
        shown or code,
        code=code,
        operation=operation,
        request_id=request_id,
        retryable=error_class is Throttled or has_failed,
        maybe_processed=has_failed,
        hint=None if hint is None else hint.format(flow=_flow_to_enable(text, parameters)),
    )
    if isinstance(error, TriggerRefused) and (found := _TRIGGER.match(text)):
        error.trigger = found[1]
    return error


def _flow_to_enable(text: str, parameters: Mapping[str, object]) -> str:
    """The value of ExplicitAuthFlows that the call needs: what Cognito names, or what its AuthFlow is called
    there today."""
    if (named := re.search(r"\bALLOW_\w+", text)) is not None:
        return named[0]
    flow = str(parameters.get("AuthFlow", "*"))
    return f"ALLOW_{_NEWER_NAMES.get(flow, flow)}"


def device_forgotten(error: ServiceError) -> DeviceForgotten:
    """The error for a device that Cognito does not accept.

    Args:
        error: What Cognito answered, which does not say so itself.
    """
    return DeviceForgotten(
        "Cognito does not accept this device: start again without it",
        code=error.code,
        operation=error.operation,
        request_id=error.request_id,
    )


def _readable(text: str) -> str:
    """The text without lone surrogates, which could not be printed."""
    return text.encode("utf-8", "replace").decode()


def _without_quotation(text: str) -> str:
    """The text without the value that a validation error quotes, for example in "Value 'x' at 'code' failed".

    The value may look like the end of the quotation: all up to the last end is left out. If it has no end,
    the rest is.
    """
    before, opening, after = text.partition("Value '")
    _, end, rest = after.rpartition("' at")
    if end:
        return f"{before}Value at{rest}"
    return f"{before}Value" if opening and "'" not in after else text


def _without_values(text: str, parameters: Mapping[str, object]) -> str:
    """The text without what the request sent: Cognito quotes values, such as a code or an attribute.

    It must be the whole text, because a part of a value is not found.

    Plain words stay, unless they are quoted: "Incorrect username or password" must not reveal that the
    password is "password".
    """
    for value in sorted(_values(parameters), key=len, reverse=True):
        if value.isalpha():
            text = text.replace(f"'{value}'", "'***'").replace(f'"{value}"', '"***"')
        else:
            text = _without_whole(text, value)
    return text


def _without_whole(text: str, value: str) -> str:
    """The text without a value, where the value is not a part of a longer word.

    A regular expression would do, but `re` keeps the last hundreds of patterns, and so the values.
    """
    before, *rest = text.split(value)
    shown = [before]
    for after in rest:
        is_part = _is_of_a_word(before[-1:]) or _is_of_a_word(after[:1])
        shown += (value if is_part else "***", after)
        before = after
    return "".join(shown)


def _is_of_a_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _values(parameters: object) -> Iterator[str]:
    if isinstance(parameters, Mapping):
        for name, value in cast("Mapping[str, object]", parameters).items():
            if name not in _NAMES:
                yield from _values(value)
    elif isinstance(parameters, list | tuple):
        for value in cast("Sequence[object]", parameters):
            yield from _values(value)
    elif isinstance(parameters, str) and parameters:
        yield parameters


def _rule_for(code: str, text: str) -> Rule | None:
    for rule in RULES:
        if rule.code == code and (rule.text is None or re.search(rule.text, text, re.IGNORECASE)):
            return rule
    return None
