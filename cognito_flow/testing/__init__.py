"""LocalCognito: user pools in this process that really verify, for tests."""

from importlib import import_module
from typing import TYPE_CHECKING

from cognito_flow._extras import missing

if TYPE_CHECKING:
    from cognito_flow.testing._service import RecordedCall
    from cognito_flow.testing._state.records import User
    from cognito_flow.testing._state.totp import totp_code
    from cognito_flow.testing.authenticator import AuthenticatorRefused, SoftAuthenticator
    from cognito_flow.testing.clock import Clock
    from cognito_flow.testing.faults import Fault, Faults
    from cognito_flow.testing.local import LocalCognito
    from cognito_flow.testing.outbox import Message
    from cognito_flow.testing.pool import ALL_FLOWS, Pool

__all__ = [
    "ALL_FLOWS",
    "AuthenticatorRefused",
    "Clock",
    "Fault",
    "Faults",
    "LocalCognito",
    "Message",
    "Pool",
    "RecordedCall",
    "SoftAuthenticator",
    "User",
    "totp_code",
]

if not TYPE_CHECKING:  # hidden from type checkers, to which it would allow any name
    _MODULES = {
        "ALL_FLOWS": "pool",
        "AuthenticatorRefused": "authenticator",
        "Clock": "clock",
        "Fault": "faults",
        "Faults": "faults",
        "LocalCognito": "local",
        "Message": "outbox",
        "Pool": "pool",
        "RecordedCall": "_service",
        "SoftAuthenticator": "authenticator",
        "User": "_state.records",
        "totp_code": "_state.totp",
    }
    _EXTRA = ("cbor2", "regex", "webauthn")

    def __getattr__(name: str) -> object:
        """Import a name when it is first used: pytest imports this package in every run, for its plugin."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        except ModuleNotFoundError as error:
            if error.name not in _EXTRA:
                raise
            raise missing(error.name, extra="testing") from None
