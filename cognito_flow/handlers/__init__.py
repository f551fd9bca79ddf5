"""One handler class for each ChallengeName, and the union of them all.

Rule of this package: a ChallengeName is spelled in one place, the `name` of its class, and nothing outside
compares one. To add a handler, write the class in the file of its kind and list it here, in a union; export
it at the top level if users can meet it.
"""

from typing import TypeAlias, cast, get_args

from cognito_flow.errors import UnexpectedResponse
from cognito_flow.handlers.base import Answer, Handler, HandlerTurn, NamedHandler
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
    "Handler",
    "HandlerTurn",
    "InternalChallenge",
    "MfaSetup",
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
    | EmailOtp
    | TotpSetup  # before MfaSetup, whose name it shares: it is the one with a secret
    | MfaSetup
    | NewPasswordRequired
    | Password
    | PasswordSrp
    | SelectChallenge
    | SelectMfaType
    | SmsMfa
    | SmsOtp
    | SoftwareTokenMfa
    | UnknownChallenge
    | WebAuthn
)
"""Every challenge that a program can meet. `match` on it and end with `assert_never`: both type checkers then
prove that every case is handled."""

InternalChallenge: TypeAlias = DevicePasswordVerifier | DeviceSrpAuth | PasswordVerifier
"""The challenges that the flow always answers by itself. Programs meet them in an `Event` only."""

HANDLERS = cast(
    "tuple[type[NamedHandler], ...]",
    tuple(
        handler
        for handler in (*get_args(Challenge), *get_args(InternalChallenge))
        if handler is not UnknownChallenge
    ),
)


def read_challenge(
    pending: Pending, handlers: tuple[type[NamedHandler], ...] = ()
) -> Challenge | InternalChallenge:
    """Return the handler for a challenge: the first one with its name that can read it.

    A known challenge that no handler can read becomes an `UnknownChallenge`, which keeps its Session and can
    still be answered.

    Args:
        pending: The challenge.
        handlers: An application's own handlers, which are tried first.
    """
    for handler in (*handlers, *HANDLERS):
        if handler.name == pending.name:
            try:
                return cast("Challenge | InternalChallenge", handler.parse(pending))
            except UnexpectedResponse:
                continue
    return UnknownChallenge(pending=pending)
