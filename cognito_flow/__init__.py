"""Sign people in to Amazon Cognito user pools: `AuthFlow`, what it is started with, and what it asks.

Rule of this file: importing it imports nothing else. Each name is imported when it is first used, so that a
program pays only for what it needs.
"""

from typing import TYPE_CHECKING

from cognito_flow._lazy import lazy_names

if TYPE_CHECKING:
    from cognito_flow.account import Account, AsyncAccount
    from cognito_flow.account._records import (
        AuthFactors,
        CodeDelivery,
        Confirmed,
        Passkey,
        PasskeyOptions,
        RememberedDevice,
        SignedUp,
        TotpSecret,
        UserProfile,
        UserSession,
    )
    from cognito_flow.credentials import (
        Credentials,
        CustomAuth,
        RefreshTokenAuth,
        UserAuth,
        UserPasswordAuth,
        UserSrpAuth,
    )
    from cognito_flow.errors import (
        AliasExists,
        AnswerRejected,
        AttemptsExceeded,
        Blocked,
        CodeAlreadyUsed,
        CodeExpired,
        CognitoFlowError,
        DeviceForgotten,
        FlowExpired,
        IncorrectPassword,
        InputRejected,
        InternalError,
        InvalidInput,
        LimitExceeded,
        Misconfigured,
        NotAuthorized,
        NotPermitted,
        PasswordRejected,
        PasswordResetRequired,
        RefreshTokenInvalid,
        RefreshTokenReused,
        SealError,
        SecretHashMismatch,
        ServiceError,
        SessionAlreadyUsed,
        SignedOut,
        StartOver,
        StepUpRequired,
        StoreDamaged,
        StoreError,
        TemporaryPasswordExpired,
        Throttled,
        TokenExpired,
        TokenInvalid,
        TokenRejected,
        TokenRevoked,
        TransportError,
        TriggerRefused,
        TryLater,
        Unanswered,
        UnexpectedResponse,
        UsageError,
        UserDisabled,
        UserExists,
        UserNotConfirmed,
        UserNotFound,
        WrongCode,
    )
    from cognito_flow.flow import AsyncAuthFlow, AuthFlow, Step
    from cognito_flow.handlers import (
        AdminNoSrpAuth,
        Answer,
        Challenge,
        CodeChallenge,
        CustomChallenge,
        DevicePasswordVerifier,
        DeviceSrpAuth,
        EmailOtp,
        MfaSetup,
        NewPasswordRequired,
        Password,
        PasswordSrp,
        PasswordVerifier,
        Pending,
        SelectChallenge,
        SelectMfaType,
        SmsMfa,
        SmsOtp,
        SoftwareTokenMfa,
        TotpSetup,
        UnknownChallenge,
        WebAuthn,
    )
    from cognito_flow.models import (
        AppClient,
        Device,
        Event,
        FirstFactor,
        MfaType,
        SignedIn,
        System,
        Tokens,
        UserContext,
    )
    from cognito_flow.stores import (
        AsyncDeviceStore,
        AsyncLockingTokenStore,
        AsyncTokenStore,
        DeviceStore,
        FileStore,
        KeyringStore,
        LockingTokenStore,
        MemoryStore,
        TokenStore,
    )
    from cognito_flow.tokens.claims import AccessClaims, Actor, IdClaims
    from cognito_flow.tokens.client_credentials import AsyncClientCredentialsSource, ClientCredentialsSource
    from cognito_flow.tokens.source import AsyncTokenSource, TokenSource
    from cognito_flow.tokens.verifier import AsyncTokenVerifier, TokenVerifier

__all__ = [
    "AccessClaims",
    "Account",
    "Actor",
    "AdminNoSrpAuth",
    "AliasExists",
    "Answer",
    "AnswerRejected",
    "AppClient",
    "AsyncAccount",
    "AsyncAuthFlow",
    "AsyncClientCredentialsSource",
    "AsyncDeviceStore",
    "AsyncLockingTokenStore",
    "AsyncTokenSource",
    "AsyncTokenStore",
    "AsyncTokenVerifier",
    "AttemptsExceeded",
    "AuthFactors",
    "AuthFlow",
    "Blocked",
    "Challenge",
    "ClientCredentialsSource",
    "CodeAlreadyUsed",
    "CodeChallenge",
    "CodeDelivery",
    "CodeExpired",
    "CognitoFlowError",
    "Confirmed",
    "Credentials",
    "CustomAuth",
    "CustomChallenge",
    "Device",
    "DeviceForgotten",
    "DevicePasswordVerifier",
    "DeviceSrpAuth",
    "DeviceStore",
    "EmailOtp",
    "Event",
    "FileStore",
    "FirstFactor",
    "FlowExpired",
    "IdClaims",
    "IncorrectPassword",
    "InputRejected",
    "InternalError",
    "InvalidInput",
    "KeyringStore",
    "LimitExceeded",
    "LockingTokenStore",
    "MemoryStore",
    "MfaSetup",
    "MfaType",
    "Misconfigured",
    "NewPasswordRequired",
    "NotAuthorized",
    "NotPermitted",
    "Passkey",
    "PasskeyOptions",
    "Password",
    "PasswordRejected",
    "PasswordResetRequired",
    "PasswordSrp",
    "PasswordVerifier",
    "Pending",
    "RefreshTokenAuth",
    "RefreshTokenInvalid",
    "RefreshTokenReused",
    "RememberedDevice",
    "SealError",
    "SecretHashMismatch",
    "SelectChallenge",
    "SelectMfaType",
    "ServiceError",
    "SessionAlreadyUsed",
    "SignedIn",
    "SignedOut",
    "SignedUp",
    "SmsMfa",
    "SmsOtp",
    "SoftwareTokenMfa",
    "StartOver",
    "Step",
    "StepUpRequired",
    "StoreDamaged",
    "StoreError",
    "System",
    "TemporaryPasswordExpired",
    "Throttled",
    "TokenExpired",
    "TokenInvalid",
    "TokenRejected",
    "TokenRevoked",
    "TokenSource",
    "TokenStore",
    "TokenVerifier",
    "Tokens",
    "TotpSecret",
    "TotpSetup",
    "TransportError",
    "TriggerRefused",
    "TryLater",
    "Unanswered",
    "UnexpectedResponse",
    "UnknownChallenge",
    "UsageError",
    "UserAuth",
    "UserContext",
    "UserDisabled",
    "UserExists",
    "UserNotConfirmed",
    "UserNotFound",
    "UserPasswordAuth",
    "UserProfile",
    "UserSession",
    "UserSrpAuth",
    "WebAuthn",
    "WrongCode",
]

if not TYPE_CHECKING:  # hidden from type checkers, which would accept any name because of it
    _MODULES = {
        "account": "Account AsyncAccount",
        "account._records": (
            "AuthFactors CodeDelivery Confirmed Passkey PasskeyOptions RememberedDevice SignedUp TotpSecret "
            "UserProfile UserSession"
        ),
        "credentials": "Credentials CustomAuth RefreshTokenAuth UserAuth UserPasswordAuth UserSrpAuth",
        "errors": (
            "AliasExists AnswerRejected AttemptsExceeded Blocked CodeAlreadyUsed CodeExpired "
            "CognitoFlowError DeviceForgotten FlowExpired IncorrectPassword InputRejected "
            "InternalError InvalidInput LimitExceeded Misconfigured NotAuthorized NotPermitted "
            "PasswordRejected PasswordResetRequired RefreshTokenInvalid RefreshTokenReused SealError "
            "SecretHashMismatch ServiceError SessionAlreadyUsed SignedOut StartOver StepUpRequired "
            "StoreDamaged StoreError TemporaryPasswordExpired Throttled TokenExpired TokenInvalid "
            "TokenRejected TokenRevoked TransportError TriggerRefused TryLater Unanswered "
            "UnexpectedResponse UsageError UserDisabled UserExists UserNotConfirmed UserNotFound WrongCode"
        ),
        "flow": "AsyncAuthFlow AuthFlow Step",
        "handlers": (
            "AdminNoSrpAuth Answer Challenge CodeChallenge CustomChallenge DevicePasswordVerifier "
            "DeviceSrpAuth EmailOtp MfaSetup NewPasswordRequired Password PasswordSrp "
            "PasswordVerifier Pending SelectChallenge SelectMfaType SmsMfa SmsOtp SoftwareTokenMfa "
            "TotpSetup UnknownChallenge WebAuthn"
        ),
        "models": "AppClient Device Event FirstFactor MfaType SignedIn System Tokens UserContext",
        "stores": (
            "AsyncDeviceStore AsyncLockingTokenStore AsyncTokenStore DeviceStore FileStore "
            "KeyringStore LockingTokenStore MemoryStore TokenStore"
        ),
        "tokens.client_credentials": "AsyncClientCredentialsSource ClientCredentialsSource",
        "tokens.claims": "AccessClaims Actor IdClaims",
        "tokens.source": "AsyncTokenSource TokenSource",
        "tokens.verifier": "AsyncTokenVerifier TokenVerifier",
    }
    __getattr__, __dir__ = lazy_names(__name__, _MODULES, globals())
