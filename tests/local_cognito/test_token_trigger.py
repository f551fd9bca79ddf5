"""The pre token generation trigger: when it runs, what it does to groups, and what its refusal leaves."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from cognito_flow.testing import LocalCognito
from tests.local_cognito import test_devices as devices
from tests.local_cognito.wire import PASSWORD, Wire, refusal

REFUSED = ("UserLambdaValidationException", "PreTokenGeneration failed with error closed.")


def refuse(wire: Wire) -> None:
    """Set a trigger that refuses."""

    def trigger(_event: Any) -> Any:
        raise RuntimeError("closed")

    wire.pool.triggers["PreTokenGeneration"] = trigger


def record(wire: Wire) -> list[str]:
    """Set a trigger that notes its triggerSource."""
    sources: list[str] = []

    def trigger(event: Any) -> Any:
        sources.append(event["triggerSource"])
        return event

    wire.pool.triggers["PreTokenGeneration"] = trigger
    return sources


# -- its source --


def test_source_of_a_sign_in_and_of_a_refresh(wire: Wire) -> None:
    sources = record(wire)
    token = wire.srp()["AuthenticationResult"]["RefreshToken"]
    wire.start("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token)
    wire.api.get_tokens_from_refresh_token(ClientId=wire.client_id, RefreshToken=token)

    assert sources == ["TokenGeneration_Authentication", *["TokenGeneration_RefreshTokens"] * 2]


def test_source_after_a_new_password(wire: Wire) -> None:
    wire.pool.add_user("carol", PASSWORD, temporary=True)
    sources = record(wire)
    wire.answer(wire.password("carol"), "carol", NEW_PASSWORD="Battery-staple-2")

    assert sources == ["TokenGeneration_NewPasswordChallenge"]


@pytest.mark.parametrize("replaces_mfa", [True, False])
def test_source_after_a_device_is_its_own_unless_another_factor_follows(
    cognito: LocalCognito, replaces_mfa: bool
) -> None:
    wire = devices.pool_with(cognito, replaces_mfa=replaces_mfa)
    result = devices.sign_in(wire)
    devices.confirm(wire, result)
    sources = record(wire)
    step = devices.with_device(wire, result["NewDeviceMetadata"])
    if not replaces_mfa:
        wire.answer(step, EMAIL_OTP_CODE=wire.pool.last_code("alice"))

    assert sources == [f"TokenGeneration_{'AuthenticateDevice' if replaces_mfa else 'Authentication'}"]


# -- groups --


@pytest.fixture
def staff(wire: Wire) -> Wire:
    """A pool with alice in a group that has a role."""
    wire.api.create_group(
        UserPoolId=wire.pool.id, GroupName="staff", RoleArn="arn:aws:iam::123456789012:role/staff"
    )
    wire.api.admin_add_user_to_group(UserPoolId=wire.pool.id, Username="alice", GroupName="staff")
    return wire


def shown(wire: Wire, version: str, details: dict[str, Any]) -> tuple[Any, set[str]]:
    """The groups, and which claims on groups there are, with a trigger that returns these details."""
    config = {"LambdaVersion": version, "LambdaArn": "arn:aws:lambda:eu-west-1:123456789012:function:f"}
    wire.api.update_user_pool(UserPoolId=wire.pool.id, LambdaConfig={"PreTokenGenerationConfig": config})
    name = "claimsOverrideDetails" if version == "V1_0" else "claimsAndScopeOverrideDetails"
    wire.pool.triggers["PreTokenGeneration"] = lambda event: {**event, "response": {name: details}}
    tokens = wire.password()["AuthenticationResult"]
    access, identity = (
        jwt.decode(tokens[use], options={"verify_signature": False}) for use in ("AccessToken", "IdToken")
    )
    assert access.get("cognito:groups") == identity.get("cognito:groups")
    names = {"cognito:groups", "cognito:roles", "cognito:preferred_role"}
    return identity.get("cognito:groups"), names & set(identity)


VERSIONS = pytest.mark.parametrize("version", ["V1_0", "V2_0", "V3_0"])


@VERSIONS
def test_absent_group_override_keeps_groups_and_roles(staff: Wire, version: str) -> None:
    groups, names = shown(staff, version, {})

    assert groups == ["staff"]
    assert names == {"cognito:groups", "cognito:roles", "cognito:preferred_role"}


@VERSIONS
def test_group_override_replaces_groups_and_roles_as_a_whole(staff: Wire, version: str) -> None:
    groups, names = shown(staff, version, {"groupOverrideDetails": {"groupsToOverride": ["chosen"]}})

    assert (groups, names) == (["chosen"], {"cognito:groups"})


@VERSIONS
@pytest.mark.parametrize("override", [None, {}, {"groupsToOverride": None}])
def test_empty_group_override_suppresses_groups_and_roles(staff: Wire, version: str, override: Any) -> None:
    assert shown(staff, version, {"groupOverrideDetails": override}) == (None, set())


# -- its refusal --


def test_refused_sign_in_leaves_no_refresh_token(wire: Wire) -> None:
    refuse(wire)

    assert refusal(wire.password) == REFUSED
    assert wire.pool.user("alice").grants == []


def test_refused_sign_in_with_a_device_does_not_count_as_its_use(cognito: LocalCognito) -> None:
    wire = devices.pool_with(cognito)
    result = devices.sign_in(wire)
    devices.confirm(wire, result)
    (device,) = wire.pool.user("alice").devices.values()
    used_at = device.used_at
    cognito.clock.advance(60)
    refuse(wire)

    assert refusal(lambda: devices.with_device(wire, result["NewDeviceMetadata"])) == REFUSED
    assert device.used_at == used_at


def test_refused_refresh_does_not_count_as_activity(wire: Wire) -> None:
    token = wire.password()["AuthenticationResult"]["RefreshToken"]
    (grant,) = wire.pool.user("alice").grants
    wire.cognito.clock.advance(60)
    refuse(wire)

    assert refusal(lambda: wire.start("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token)) == REFUSED
    get = wire.api.get_tokens_from_refresh_token
    assert refusal(lambda: get(ClientId=wire.client_id, RefreshToken=token)) == REFUSED
    assert grant.active_at == grant.auth_time
