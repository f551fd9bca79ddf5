"""LocalCognito: user pools in this process that really verify, for tests."""

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
