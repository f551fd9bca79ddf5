"""One handler class for each ChallengeName, and the union of them all.

Rule of this package: a ChallengeName is spelled in one place, the `name` of its class, and nothing outside
compares one. To add a handler: write the class in the file of its kind, and list it here, in the union and in
`HANDLERS`.
"""

from typing import TypeAlias

from cognito_flow.errors import UnexpectedResponse
from cognito_flow.handlers.base import Answer, Handler, NamedHandler
from cognito_flow.handlers.choices import SelectChallenge, SelectMfaType
from cognito_flow.handlers.codes import CodeChallenge, EmailOtp, SmsMfa, SmsOtp, SoftwareTokenMfa
from cognito_flow.handlers.custom import CustomChallenge, UnknownChallenge
from cognito_flow.handlers.devices import DevicePasswordVerifier, DeviceSrpAuth
from cognito_flow.handlers.mfa_setup import MfaSetup, TotpSetup
from cognito_flow.handlers.passkeys import WebAuthn
from cognito_flow.handlers.passwords import (
    AdminNoSrpAuth,
    NewPasswordRequired,
    Password,
    PasswordSrp,
    PasswordVerifier,
)
from cognito_flow.handlers.pending import Pending
from cognito_flow.models import FirstFactor, MfaType

__all__ = [
    "HANDLERS",
    "AdminNoSrpAuth",
    "Answer",
    "Challenge",
    "CodeChallenge",
    "CustomChallenge",
    "DevicePasswordVerifier",
    "DeviceSrpAuth",
    "EmailOtp",
    "FirstFactor",
    "Handler",
    "MfaSetup",
    "MfaType",
    "NamedHandler",
    "NewPasswordRequired",
    "Password",
    "PasswordSrp",
    "PasswordVerifier",
    "Pending",
    "SelectChallenge",
    "SelectMfaType",
    "SmsMfa",
    "SmsOtp",
    "SoftwareTokenMfa",
    "TotpSetup",
    "UnknownChallenge",
    "WebAuthn",
    "read_challenge",
]

Challenge: TypeAlias = (
    AdminNoSrpAuth
    | CustomChallenge
    | DevicePasswordVerifier
    | DeviceSrpAuth
    | EmailOtp
    | MfaSetup
    | NewPasswordRequired
    | Password
    | PasswordSrp
    | PasswordVerifier
    | SelectChallenge
    | SelectMfaType
    | SmsMfa
    | SmsOtp
    | SoftwareTokenMfa
    | TotpSetup
    | UnknownChallenge
    | WebAuthn
)
"""Every challenge there is. `match` on it and end with `assert_never`: both type checkers then prove that
none was left out."""

HANDLERS: tuple[type[Challenge], ...] = (
    AdminNoSrpAuth,
    CustomChallenge,
    DevicePasswordVerifier,
    DeviceSrpAuth,
    EmailOtp,
    TotpSetup,  # before MfaSetup, whose name it shares: it is the one with a secret
    MfaSetup,
    NewPasswordRequired,
    Password,
    PasswordSrp,
    PasswordVerifier,
    SelectChallenge,
    SelectMfaType,
    SmsMfa,
    SmsOtp,
    SoftwareTokenMfa,
    WebAuthn,
)
"""In the order in which they are tried."""


def read_challenge(pending: Pending, handlers: tuple[type[Challenge], ...] = ()) -> Challenge:
    """The handler for a challenge: the first one that goes by its name and can read it.

    Args:
        pending: The challenge.
        handlers: An application's own handlers, which are tried first.

    Raises:
        UnexpectedResponse: There are handlers for this name, but none can read what Cognito sent.
    """
    error: UnexpectedResponse | None = None
    for handler in (*handlers, *HANDLERS):
        if handler.name == pending.name:
            try:
                return handler.parse(pending)
            except UnexpectedResponse as unreadable:
                error = unreadable
    if error is not None:
        raise error
    return UnknownChallenge(pending=pending)
