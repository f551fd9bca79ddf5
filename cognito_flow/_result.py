"""From an AuthenticationResult to `SignedIn`: reads the tokens, and confirms a new device.

Rule of this file: the tokens are worth more than the device. A failure with the device or its store is
reported as an event and does not cost the tokens.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

import attrs

from cognito_flow._exchange import Exchange
from cognito_flow._json import as_object
from cognito_flow._turn import Turn
from cognito_flow.errors import CognitoFlowError, UnexpectedResponse, UsageError
from cognito_flow.models import Device, Event, SignedIn, Tokens

_DEVICE_SECRET_LENGTH = 40  # bytes, as Amazon's own clients draw


def finish(turn: Turn, result: Mapping[str, object]) -> Exchange[SignedIn]:
    """Return the tokens, after confirming a new device: left unconfirmed, it would make the refresh fail."""
    metadata = as_object(result.get("NewDeviceMetadata"))
    new_device = None if metadata is None else _new_device(turn, metadata)
    device = new_device or turn.device
    tokens = read_tokens(turn, result, None if device is None else device.key)
    turn.username = tokens.username
    kept: Device | None = None
    if new_device is not None:
        kept = yield from _confirm_device(turn, tokens, new_device)
    elif turn.device is not None:
        yield from turn.store_alias(turn.device)
    turn.emit(Event(kind="signed_in"))
    return SignedIn(tokens.username, tokens, kept)


def read_tokens(turn: Turn, result: Mapping[str, object], device_key: str | None) -> Tokens:
    """Return the tokens of an AuthenticationResult.

    The user name and the device are read from the access token without verifying it: it came over TLS from
    the pool itself.
    """
    try:
        tokens = Tokens.from_result(result, username=turn.username, now=turn.settings.system.now())
    except UsageError as error:
        raise UnexpectedResponse(
            f"Cognito sent an AuthenticationResult that cannot be read: {error}"
        ) from None
    return attrs.evolve(
        tokens,
        refresh_token=tokens.refresh_token or turn.refresh_token,
        device_key=tokens.device_key or device_key,
    )


def _new_device(turn: Turn, metadata: Mapping[str, object]) -> Device | None:
    key, group_key = metadata.get("DeviceKey"), metadata.get("DeviceGroupKey")
    if not isinstance(key, str) or not isinstance(group_key, str):
        return None
    secret = base64.b64encode(turn.settings.system.random_bytes(_DEVICE_SECRET_LENGTH)).decode()
    return Device(key, group_key, secret)


def _confirm_device(turn: Turn, tokens: Tokens, device: Device) -> Exchange[Device | None]:
    try:
        user_may_remember = yield from _confirm(turn, tokens, device)
    except CognitoFlowError as error:
        turn.emit(Event(kind="device_not_confirmed", operation=error.operation, error=error.code))
        return None
    turn.device = device
    yield from turn.store_device(device)
    turn.emit(Event(kind="device_confirmed"))
    if user_may_remember and turn.settings.remember_devices:
        yield from _remember(turn, tokens, device)
    return device


def _confirm(turn: Turn, tokens: Tokens, device: Device) -> Exchange[bool]:
    """Call ConfirmDevice. True if the pool lets the user decide whether the device is remembered."""
    from cognito_flow import _srp

    identity = _srp.Identity(device.group_key, device.key, device.secret)
    verifier = _srp.device_verifier(identity, turn.settings.system.random_bytes)
    request: dict[str, object] = {
        "AccessToken": tokens.access_token,
        "DeviceKey": device.key,
        "DeviceSecretVerifierConfig": {"PasswordVerifier": verifier.password_verifier, "Salt": verifier.salt},
    }
    if turn.settings.device_name is not None:
        request["DeviceName"] = turn.settings.device_name
    response = yield from turn.call("ConfirmDevice", request)
    return response.data.get("UserConfirmationNecessary") is True


def _remember(turn: Turn, tokens: Tokens, device: Device) -> Exchange[None]:
    request = {
        "AccessToken": tokens.access_token,
        "DeviceKey": device.key,
        "DeviceRememberedStatus": "remembered",
    }
    try:
        yield from turn.call("UpdateDeviceStatus", request)
    except CognitoFlowError as error:
        turn.emit(Event(kind="device_not_remembered", operation=error.operation, error=error.code))
