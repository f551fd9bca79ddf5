"""Access tokens that no longer work: each account call raises the class for what the caller does next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cognito_flow import (
    CognitoFlowError,
    MfaType,
    SignedOut,
    TokenExpired,
    TokenRevoked,
    UserDisabled,
    UserNotFound,
)
from cognito_flow.testing import SoftAuthenticator
from tests.account.world import OTHER_PASSWORD, PASSWORD, Alice, World
from tests.scenarios.choices import PASSKEYS
from tests.scenarios.devices import ALWAYS
from tests.support.contract import model

if TYPE_CHECKING:
    from collections.abc import Callable

OPTIONS = {
    "challenge": "c2VjcmV0",
    "rp": {"id": "app.example", "name": "App"},
    "user": {"id": "YWxpY2U", "name": "alice", "displayName": "Alice"},
    "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
}
KEY = "eu-west-1_00000000-0000-0000-0000-000000000000"
CALLS: dict[str, Callable[[Any], object]] = {
    "GetUser": lambda account: account.user(),
    "UpdateUserAttributes": lambda account: account.update_attributes({"name": "Alice"}),
    "DeleteUserAttributes": lambda account: account.delete_attributes(["name"]),
    "GetUserAttributeVerificationCode": lambda account: account.send_attribute_code("email"),
    "VerifyUserAttribute": lambda account: account.verify_attribute("email", "123456"),
    "ChangePassword": lambda account: account.change_password(PASSWORD, OTHER_PASSWORD),
    "GetUserAuthFactors": lambda account: account.auth_factors(),
    "AssociateSoftwareToken": lambda account: account.enrol_totp(),
    "VerifySoftwareToken": lambda account: account.confirm_totp("123456"),
    "SetUserMFAPreference": lambda account: account.set_mfa(MfaType.SMS_MFA),
    "StartWebAuthnRegistration": lambda account: account.start_passkey(),
    "CompleteWebAuthnRegistration": lambda account: account.finish_passkey(
        SoftAuthenticator().create(OPTIONS)
    ),
    "ListWebAuthnCredentials": lambda account: account.passkeys(),
    "DeleteWebAuthnCredential": lambda account: account.delete_passkey("id"),
    "ListDevices": lambda account: account.devices(),
    "GetDevice": lambda account: account.device(KEY),
    "UpdateDeviceStatus": lambda account: account.remember_device(KEY),
    "ForgetDevice": lambda account: account.forget_device(KEY),
    "ListUserSessions": lambda account: account.sessions(),
    "RevokeUserSession": lambda account: account.revoke_session(f"tkn{'0' * 25}"),
    "GlobalSignOut": lambda account: account.sign_out_everywhere(),
    "DeleteUser": lambda account: account.delete_user(),
}
KNOWN = sorted(set(CALLS) & set(model().operation_names))


@pytest.fixture
def alice(world: World) -> Alice:
    """Alice, signed in to a pool with passkeys and devices."""
    return world.alice(**{**PASSKEYS, **ALWAYS})


def error_of(call: Callable[[Any], object], account: Any) -> type[CognitoFlowError]:
    """The class that a call raises."""
    with pytest.raises(CognitoFlowError) as caught:
        call(account)
    return type(caught.value)


def errors(account: Any) -> dict[str, type[CognitoFlowError]]:
    """The class that each call raises."""
    return {operation: error_of(CALLS[operation], account) for operation in KNOWN}


def test_expired_access_token_raises_token_expired(world: World, alice: Alice) -> None:
    world.cognito.clock.advance(3600)

    assert errors(alice.account) == dict.fromkeys(KNOWN, TokenExpired)


def test_revoked_access_token_raises_token_revoked(alice: Alice) -> None:
    alice.flow.revoke(alice.signed_in.tokens)

    assert errors(alice.account) == dict.fromkeys(KNOWN, TokenRevoked)
    assert issubclass(TokenRevoked, SignedOut)


def test_disabled_user_raises_user_disabled(alice: Alice) -> None:
    alice.pool.user("alice").is_enabled = False

    assert errors(alice.account) == dict.fromkeys(KNOWN, UserDisabled)


def test_deleted_user_raises_user_not_found(world: World, alice: Alice) -> None:
    client: Any = world.cognito.client()
    client.admin_delete_user(UserPoolId=alice.pool.id, Username="alice")

    assert errors(alice.account) == dict.fromkeys(KNOWN, UserNotFound)


def input_members(operation: str) -> set[str]:
    """The members of an operation's input."""
    shape = model().operation_model(operation).input_shape
    assert shape is not None
    return set(shape.members)


def test_every_account_method_is_tried() -> None:
    """Guards the tests above against a method that is left out."""
    access_token = {name for name in model().operation_names if "AccessToken" in input_members(name)}

    # ConfirmDevice belongs to the sign-in, and SetUserSettings is no longer supported.
    assert access_token - {"ConfirmDevice", "SetUserSettings"} == set(KNOWN)
