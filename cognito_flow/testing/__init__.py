"""LocalCognito: user pools in this process that really verify, for tests."""

from importlib import import_module
from typing import TYPE_CHECKING

from cognito_flow._extras import missing

if TYPE_CHECKING:
    from cognito_flow.testing.authenticator import AuthenticatorRefused, SoftAuthenticator
    from cognito_flow.testing.clock import Clock
    from cognito_flow.testing.faults import Fault, Faults
    from cognito_flow.testing.outbox import Message
    from cognito_flow.testing.pool import ALL_FLOWS, Pool
    from cognito_flow.testing.service import LocalCognito, RecordedCall
    from cognito_flow.testing.state import User

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
]

if not TYPE_CHECKING:  # hidden from type checkers: to them it would allow any name
    _HOMES = {
        "ALL_FLOWS": "pool",
        "AuthenticatorRefused": "authenticator",
        "Clock": "clock",
        "Fault": "faults",
        "Faults": "faults",
        "LocalCognito": "service",
        "Message": "outbox",
        "Pool": "pool",
        "RecordedCall": "service",
        "SoftAuthenticator": "authenticator",
        "User": "state",
    }
    _EXTRA = ("cbor2", "regex", "webauthn")

    def __getattr__(name: str) -> object:
        """Names come when first asked for: pytest imports this package in every run, for its plugin."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        except ModuleNotFoundError as error:
            if error.name not in _EXTRA:
                raise
            raise missing(error.name, extra="testing") from None
