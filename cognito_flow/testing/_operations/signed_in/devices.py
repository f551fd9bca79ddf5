"""The devices of a signed-in user.

Rule of this file: only ConfirmDevice adds a device, with the access token of the sign-in that offered it.
"""

from __future__ import annotations

from cognito_flow.testing._operations.paging import page
from cognito_flow.testing._operations.request import Operation, Request
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import Device, User
from cognito_flow.testing._state.refusal import Refusal, invalid_parameter
from cognito_flow.testing._state.srp_server import device_verifier


def confirm_device(request: Request) -> Members:
    """ConfirmDevice. The verifier is stored unchecked; a wrong one fails at the next sign-in."""
    pool, user, grant = request.signed_in()
    key, config = request.parameters["DeviceKey"], request.parameters.get("DeviceSecretVerifierConfig", {})
    if key in user.devices:
        raise Refusal("DeviceKeyExistsException", "Device Key already exists.")
    if key != grant.device_key:
        raise invalid_parameter("Invalid device key given.")
    verifier = device_verifier(config.get("PasswordVerifier", ""), config.get("Salt", ""))
    asks = bool(pool.device_configuration.get("DeviceOnlyRememberedOnUserPrompt"))
    name = request.parameters.get("DeviceName")
    group_key = pool.device_group_key(user)
    user.devices[key] = Device(key, group_key, verifier, name, request.now, request.now, not asks)
    return {"UserConfirmationNecessary": asks}


def _device(request: Request, user: User) -> Device:
    device = user.devices.get(request.parameters["DeviceKey"])
    if device is None:
        raise Refusal("ResourceNotFoundException", "Device does not exist.")
    return device


def _forget(user: User, device: Device) -> None:
    """Forget a device. Its refresh tokens end; access tokens work until they expire."""
    del user.devices[device.key]
    for grant in user.grants:
        grant.is_device_forgotten |= grant.device_key == device.key


def _describe(device: Device) -> Members:
    attributes = {"device_status": "valid", "device_name": device.name, "last_ip_used": "127.0.0.1"}
    return {
        "DeviceKey": device.key,
        "DeviceAttributes": [
            {"Name": name, "Value": value} for name, value in attributes.items() if value is not None
        ],
        "DeviceCreateDate": device.created_at.timestamp(),
        "DeviceLastModifiedDate": device.created_at.timestamp(),
        "DeviceLastAuthenticatedDate": device.used_at.timestamp(),
    }


def _update(request: Request, user: User) -> Members:
    device, status = _device(request, user), request.parameters.get("DeviceRememberedStatus")
    if status is not None:
        device.is_remembered = status == "remembered"
    return {}


def update_device_status(request: Request) -> Members:
    """UpdateDeviceStatus."""
    _, user, _ = request.signed_in()
    return _update(request, user)


def admin_update_device_status(request: Request) -> Members:
    """AdminUpdateDeviceStatus."""
    return _update(request, request.user(request.pool()))


def list_devices(request: Request) -> Members:
    """ListDevices. In opt-in pools it lists the devices that were remembered."""
    _, user, _ = request.signed_in()
    return _list(request, user)


def _list(request: Request, user: User) -> Members:
    devices = {device.key: _describe(device) for device in user.devices.values() if device.is_remembered}
    listed, more = page(request, devices, token="PaginationToken")
    return {"Devices": listed, **more}


def admin_list_devices(request: Request) -> Members:
    """AdminListDevices."""
    return _list(request, request.user(request.pool()))


def get_device(request: Request) -> Members:
    """GetDevice."""
    _, user, _ = request.signed_in()
    return {"Device": _describe(_device(request, user))}


def admin_get_device(request: Request) -> Members:
    """AdminGetDevice."""
    return {"Device": _describe(_device(request, request.user(request.pool())))}


def forget_device(request: Request) -> Members:
    """ForgetDevice."""
    _, user, _ = request.signed_in()
    _forget(user, _device(request, user))
    return {}


def admin_forget_device(request: Request) -> Members:
    """AdminForgetDevice."""
    user = request.user(request.pool())
    _forget(user, _device(request, user))
    return {}


OPERATIONS: dict[str, Operation] = {
    "AdminForgetDevice": admin_forget_device,
    "AdminGetDevice": admin_get_device,
    "AdminListDevices": admin_list_devices,
    "AdminUpdateDeviceStatus": admin_update_device_status,
    "ConfirmDevice": confirm_device,
    "ForgetDevice": forget_device,
    "GetDevice": get_device,
    "ListDevices": list_devices,
    "UpdateDeviceStatus": update_device_status,
}
