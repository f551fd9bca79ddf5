"""LocalCognito: user pools in this process that really verify, for tests."""

from typing import TYPE_CHECKING

from cognito_flow._extras import missing
from cognito_flow._lazy import lazy_names

if TYPE_CHECKING:
    from cognito_flow.testing._members import AppClientMembers, PoolMembers
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
    "AppClientMembers",
    "AuthenticatorRefused",
    "Clock",
    "Fault",
    "Faults",
    "LocalCognito",
    "Message",
    "Pool",
    "PoolMembers",
    "RecordedCall",
    "SoftAuthenticator",
    "User",
    "totp_code",
]

if not TYPE_CHECKING:  # hidden from type checkers, which would accept any name because of it
    _MODULES = {
        "pool": "ALL_FLOWS Pool",
        "authenticator": "AuthenticatorRefused SoftAuthenticator",
        "clock": "Clock",
        "faults": "Fault Faults",
        "local": "LocalCognito",
        "outbox": "Message",
        "_members": "AppClientMembers PoolMembers",
        "_service": "RecordedCall",
        "_state.records": "User",
        "_state.totp": "totp_code",
    }
    _EXTRA = ("cbor2", "regex", "webauthn")
    _import, __dir__ = lazy_names(__name__, _MODULES, globals())

    def __getattr__(name: str) -> object:
        """Import a name when it is first used: pytest imports this package in every run, for its plugin."""
        try:
            return _import(name)
        except ModuleNotFoundError as error:
            if error.name not in _EXTRA:
                raise
            raise missing(error.name, extra="testing") from None
