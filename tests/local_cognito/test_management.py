"""Set-up by scripts, and the flows that an app client allows."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from cognito_flow.testing import LocalCognito
from tests.local_cognito.wire import PASSWORD, Wire, refusal

NEW = "Battery-staple-2"
WRONG_SIDE = ("InvalidParameterException", "Initiate Auth method not supported.")


def admin_start(wire: Wire, flow: str, **parameters: str) -> Any:
    return wire.api.admin_initiate_auth(
        UserPoolId=wire.pool.id, ClientId=wire.client_id, AuthFlow=flow, AuthParameters=parameters
    )


@pytest.mark.parametrize("flow", ["ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"])
def test_admin_flows_are_accepted_by_admin_initiate_auth_alone(wire: Wire, flow: str) -> None:
    given = {"USERNAME": "alice", "PASSWORD": PASSWORD}
    assert "AuthenticationResult" in admin_start(wire, flow, **given)
    assert refusal(lambda: wire.start(flow, **given)) == WRONG_SIDE
    assert refusal(lambda: admin_start(wire, "USER_PASSWORD_AUTH", **given)) == WRONG_SIDE


@pytest.mark.parametrize(
    ("flow", "text"),
    [
        ("USER_SRP_AUTH", "USER_SRP_AUTH is not enabled for the client."),
        ("USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH flow not enabled for this client"),
        ("CUSTOM_AUTH", "CUSTOM_AUTH is not enabled for the client."),
        ("REFRESH_TOKEN_AUTH", "Refresh Token flow not enabled for this client"),
    ],
)
def test_flow_that_is_not_enabled_is_refused(wire: Wire, flow: str, text: str) -> None:
    limited = Wire(wire.pool, wire.pool.app_client(flows=["ALLOW_USER_AUTH"]).client_id)
    values = {"USERNAME": "alice", "PASSWORD": PASSWORD, "SRP_A": "ab", "REFRESH_TOKEN": "x"}
    assert refusal(lambda: limited.start(flow, **values)) == ("InvalidParameterException", text)


def test_custom_auth_flow_only_refuses_other_flows(wire: Wire) -> None:
    limited = Wire(wire.pool, wire.pool.app_client(flows=["CUSTOM_AUTH_FLOW_ONLY"]).client_id)
    text = "Only custom auth (lambda driven) is enabled for this client."
    assert refusal(limited.password) == ("InvalidParameterException", text)


def test_custom_auth_flow_only_allows_to_refresh(wire: Wire) -> None:
    api, ids = wire.api, {"UserPoolId": wire.pool.id, "ClientId": wire.client_id}
    token = wire.password()["AuthenticationResult"]["RefreshToken"]
    api.update_user_pool_client(ExplicitAuthFlows=["CUSTOM_AUTH_FLOW_ONLY"], **ids)

    assert wire.start("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token)["AuthenticationResult"]["AccessToken"]


@pytest.mark.parametrize("name", ["USERNAME", "PASSWORD"])
def test_empty_parameter_counts_as_missing(wire: Wire, name: str) -> None:
    given = {"USERNAME": "alice", "PASSWORD": PASSWORD}
    expected = ("InvalidParameterException", f"Missing required parameter {name}")
    assert refusal(lambda: wire.start("USER_PASSWORD_AUTH", **(given | {name: ""}))) == expected
    del given[name]
    assert refusal(lambda: wire.start("USER_PASSWORD_AUTH", **given)) == expected


def test_user_auth_in_the_lite_tier_is_refused(cognito: LocalCognito) -> None:
    wire = Wire(cognito.create_pool(user_pool_tier="LITE"))
    code, _ = refusal(lambda: wire.start("USER_AUTH", USERNAME="alice"))
    assert code == "FeatureUnavailableInTierException"


def test_created_user_signs_in_with_the_temporary_then_the_permanent_password(wire: Wire) -> None:
    wire.api.admin_create_user(
        UserPoolId=wire.pool.id,
        Username="carol",
        UserAttributes=[{"Name": "email", "Value": "carol@example.com"}],
    )
    temporary = wire.pool.last_code("carol")
    assert wire.srp("carol", temporary)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    call = partial(wire.api.admin_set_user_password, UserPoolId=wire.pool.id, Username="carol")
    assert refusal(partial(call, Password="weak", Permanent=True))[0] == "InvalidPasswordException"
    call(Password=NEW, Permanent=True)
    assert "AuthenticationResult" in wire.srp("carol", NEW)
    taken = refusal(lambda: wire.api.admin_create_user(UserPoolId=wire.pool.id, Username="carol"))
    assert taken == ("UsernameExistsException", "User account already exists")


def test_changed_settings_are_described(wire: Wire) -> None:
    api, ids = wire.api, {"UserPoolId": wire.pool.id}
    assert api.describe_user_pool(**ids)["UserPool"]["EstimatedNumberOfUsers"] == 2
    impossible = refusal(partial(api.set_user_pool_mfa_config, MfaConfiguration="ON", **ids))
    assert impossible[0] == "InvalidParameterException"
    api.set_user_pool_mfa_config(
        MfaConfiguration="ON", SoftwareTokenMfaConfiguration={"Enabled": True}, **ids
    )
    assert api.get_user_pool_mfa_config(**ids)["MfaConfiguration"] == "ON"
    client = {**ids, "ClientId": wire.client_id}
    api.update_user_pool_client(**client, AuthSessionValidity=7)
    described = api.describe_user_pool_client(**client)["UserPoolClient"]
    assert described["AuthSessionValidity"] == 7
    assert "ExplicitAuthFlows" not in described


def test_unknown_pool_client_and_user_are_refused(wire: Wire) -> None:
    pool = refusal(lambda: wire.api.describe_user_pool(UserPoolId="eu-west-1_nowhere"))
    assert pool[0] == "ResourceNotFoundException"
    stranger = Wire(wire.pool, "unknown")
    assert refusal(stranger.password)[0] == "ResourceNotFoundException"
    user = refusal(lambda: wire.api.admin_get_user(UserPoolId=wire.pool.id, Username="unknown"))
    assert user == ("UserNotFoundException", "User does not exist.")


def test_admin_confirm_sign_up_confirms_once(wire: Wire) -> None:
    wire.pool.add_user("carol", PASSWORD, confirmed=False)
    call = partial(wire.api.admin_confirm_sign_up, UserPoolId=wire.pool.id, Username="carol")
    call()
    assert "AuthenticationResult" in wire.password("carol")
    text = "User cannot be confirmed. Current status is CONFIRMED"
    assert refusal(call) == ("NotAuthorizedException", text)


def test_app_is_enrolled_and_preferred_with_an_access_token_after_its_code(totp_wire: Wire) -> None:
    api = totp_wire.api
    step = totp_wire.password()
    signed = totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=totp_wire.pool.totp("alice"))
    access = signed["AuthenticationResult"]["AccessToken"]
    before = totp_wire.pool.user("alice").totp_secret
    api.associate_software_token(AccessToken=access)
    wrong = refusal(lambda: api.verify_software_token(AccessToken=access, UserCode="000000"))
    assert wrong[0] == "EnableSoftwareTokenMFAException"
    assert totp_wire.pool.user("alice").totp_secret == before
    text = "User does not have delivery config set to turn on SMS_MFA"
    prefer = partial(api.set_user_mfa_preference, AccessToken=access)
    assert refusal(partial(prefer, SMSMfaSettings={"Enabled": True})) == ("InvalidParameterException", text)
    prefer(SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True})
    assert api.get_user(AccessToken=access)["PreferredMfaSetting"] == "SOFTWARE_TOKEN_MFA"
