"""The two challenges that a remembered device answers by itself, in place of a second factor.

Rule of this file: nobody is asked. A device that Cognito refuses is dropped, and the sign-in begins again
without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import attrs

from cognito_flow._exchange import Exchange, Response
from cognito_flow.handlers.base import Answer, NamedHandler

if TYPE_CHECKING:
    from cognito_flow._turn import Turn
    from cognito_flow.handlers import Challenge

__all__ = ["DevicePasswordVerifier", "DeviceSrpAuth"]


@attrs.frozen(kw_only=True)
class DeviceSrpAuth(NamedHandler):
    """Handles DEVICE_SRP_AUTH: the first half of the device's own SRP."""

    name: ClassVar[str] = "DEVICE_SRP_AUTH"
    sends: ClassVar[tuple[str, ...]] = ("SRP_A",)
    may_follow: ClassVar[tuple[str, ...]] = ("DEVICE_PASSWORD_VERIFIER",)

    def auto(self) -> Answer:
        """Always."""
        return Answer(self)

    def exchange(self, turn: Turn, answer: Answer) -> Exchange[Response | Challenge]:
        """Send a fresh SRP_A; DEVICE_KEY goes with it, as with every answer."""
        turn.need_device(self.pending)
        return (yield from turn.respond_once(self.pending, {"SRP_A": turn.begin_srp(None)}))


@attrs.frozen(kw_only=True)
class DevicePasswordVerifier(NamedHandler):
    """Handles DEVICE_PASSWORD_VERIFIER: the second half of the device's own SRP."""

    name: ClassVar[str] = "DEVICE_PASSWORD_VERIFIER"
    reads: ClassVar[tuple[str, ...]] = ("SALT", "SRP_B", "SECRET_BLOCK", "DEVICE_KEY", "USERNAME")
    sends: ClassVar[tuple[str, ...]] = (
        "PASSWORD_CLAIM_SECRET_BLOCK",
        "PASSWORD_CLAIM_SIGNATURE",
        "TIMESTAMP",
    )
    may_follow: ClassVar[tuple[str, ...]] = ("SMS_MFA", "EMAIL_OTP", "SOFTWARE_TOKEN_MFA", "SELECT_MFA_TYPE")

    def auto(self) -> Answer:
        """Always."""
        return Answer(self)

    def exchange(self, turn: Turn, answer: Answer) -> Exchange[Response | Challenge]:
        """Prove the device's secret."""
        return (yield from turn.prove_device(self.pending))
