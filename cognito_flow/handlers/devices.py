"""The two challenges that a remembered device answers by itself, in place of a second factor.

Rule of this file: no user is asked. A device that Cognito refuses raises `DeviceForgotten`; the sign-in then
begins again without it.
"""

from __future__ import annotations

from typing import ClassVar

import attrs

from cognito_flow._exchange import Exchange, Response
from cognito_flow.errors import (
    IncorrectPassword,
    NotAuthorized,
    ServiceError,
    UnexpectedResponse,
    device_forgotten,
)
from cognito_flow.handlers import proofs
from cognito_flow.handlers.base import Answer, Handler, HandlerTurn, NamedHandler
from cognito_flow.models import Device

# What Cognito answers if it does not accept the device. The texts differ between pools and over time, so the
# code decides; Amazon's own clients for Android, iOS and Flutter drop the device for each of them.
_REFUSALS = ("NotAuthorizedException", "ResourceNotFoundException", "InvalidParameterException")
# A text that has a class of its own is about something else, such as a blocked request or a disabled user:
# the device may be right.
_ABOUT_THE_PROOF = (NotAuthorized, IncorrectPassword)
_ABOUT_THE_DEVICE = (*_ABOUT_THE_PROOF, ServiceError)


@attrs.frozen(kw_only=True, repr=False)
class DeviceSrpAuth(NamedHandler):
    """DEVICE_SRP_AUTH: the first half of the device's own SRP."""

    name: ClassVar[str] = "DEVICE_SRP_AUTH"
    sends: ClassVar[tuple[str, ...]] = ("SRP_A",)

    def auto(self) -> Answer:
        """Always answer: `exchange` needs no user."""
        return Answer(self)

    def exchange(self, turn: HandlerTurn, answer: Answer) -> Exchange[Response | Handler]:
        """Send a new SRP_A. DEVICE_KEY goes with it, as with every answer.

        Raises:
            DeviceForgotten: Cognito does not accept the device.
        """
        _need_device(self, turn)
        try:
            return (yield from turn.respond_once(self.pending, {"SRP_A": turn.begin_srp(None)}))
        except ServiceError as error:
            if error.code not in _REFUSALS or type(error) not in _ABOUT_THE_DEVICE:
                raise
            raise device_forgotten(error) from error


@attrs.frozen(kw_only=True, repr=False)
class DevicePasswordVerifier(NamedHandler):
    """DEVICE_PASSWORD_VERIFIER: the second half of the device's own SRP."""

    name: ClassVar[str] = "DEVICE_PASSWORD_VERIFIER"
    reads: ClassVar[tuple[str, ...]] = (*proofs.READS, "DEVICE_KEY", "USERNAME")
    sends: ClassVar[tuple[str, ...]] = proofs.SENDS

    def auto(self) -> Answer:
        """Always answer: `exchange` needs no user."""
        return Answer(self)

    def exchange(self, turn: HandlerTurn, answer: Answer) -> Exchange[Response | Handler]:
        """Prove the device's secret.

        Raises:
            DeviceForgotten: Cognito does not know the device, or refused its secret.
            NotAuthorized: Cognito refused for another reason; the subclass says why.
        """
        device = _need_device(self, turn)
        responses = proofs.sign(
            turn, self.pending, group=device.group_key, name=device.key, secret=device.secret
        )
        try:
            return (yield from turn.respond_once(self.pending, responses))
        except NotAuthorized as error:
            if type(error) not in _ABOUT_THE_PROOF:
                raise
            raise device_forgotten(error) from error


def _need_device(challenge: NamedHandler, turn: HandlerTurn) -> Device:
    if turn.device is None:
        raise UnexpectedResponse(f"Cognito sent {challenge.name}, but this sign-in has no device")
    return turn.device
