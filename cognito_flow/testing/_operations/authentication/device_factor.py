"""DEVICE_SRP_AUTH and DEVICE_PASSWORD_VERIFIER: the proof of a remembered device.

Rule of this file: the same SRP as for users, with the device's group key, key and verifier in place of the
user's.
"""

from __future__ import annotations

from cognito_flow.testing._operations.authentication.password_claim import (
    check_claim,
    need_claim,
    srp_parameters,
)
from cognito_flow.testing._operations.authentication.second_factors import after_device
from cognito_flow.testing._operations.authentication.sign_in import SignIn
from cognito_flow.testing._operations.request import need
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import Device
from cognito_flow.testing._state.refusal import Refusal, incorrect_password


def _device(sign_in: SignIn) -> Device:
    """Return the device of this sign-in, which every answer must name."""
    key = need(sign_in.values, "DEVICE_KEY")
    device = sign_in.require_user.devices.get(key)
    if device is None or not device.is_remembered or key != sign_in.progress.device_key:
        raise Refusal("ResourceNotFoundException", "Device does not exist.")
    return device


def answer_device_srp_auth(sign_in: SignIn) -> Members:
    """DEVICE_SRP_AUTH."""
    device, srp_a = _device(sign_in), need(sign_in.values, "SRP_A")
    parameters = {
        **srp_parameters(sign_in, device.verifier, srp_a, device.key),
        "DEVICE_KEY": device.key,
        "USERNAME": sign_in.require_user.username,
    }
    sign_in.spend()
    return sign_in.ask_device("DEVICE_PASSWORD_VERIFIER", device, parameters)


def answer_device_password_verifier(sign_in: SignIn) -> Members:
    """DEVICE_PASSWORD_VERIFIER."""
    need_claim(sign_in.values)
    device = _device(sign_in)
    if not check_claim(sign_in, device.verifier, device.group_key, device.key):
        raise incorrect_password()
    sign_in.spend()
    return after_device(sign_in)
