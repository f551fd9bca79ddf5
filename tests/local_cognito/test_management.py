"""What is set up by scripts, and what an app client allows."""

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
def test_admin_flow(wire: Wire, flow: str) -> None:
    """The flows of administrators are taken by the Admin operation alone, and the other way round."""
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
def test_flow_that_is_not_enabled(wire: Wire, flow: str, text: str) -> None:
    """An app client takes the flows that it allows."""
    limited = Wire(wire.pool, wire.pool.app_client(flows=["ALLOW_USER_AUTH"]).client_id)
    values = {"USERNAME": "alice", "PASSWORD": PASSWORD, "SRP_A": "ab", "REFRESH_TOKEN": "x"}
    assert refusal(lambda: limited.start(flow, **values)) == ("InvalidParameterException", text)


def test_custom_flow_only(wire: Wire) -> None:
    """CUSTOM_AUTH_FLOW_ONLY shuts out every other flow."""
    limited = Wire(wire.pool, wire.pool.app_client(flows=["CUSTOM_AUTH_FLOW_ONLY"]).client_id)
    text = "Only custom auth (lambda driven) is enabled for this client."
    assert refusal(limited.password) == ("InvalidParameterException", text)


@pytest.mark.parametrize("name", ["USERNAME", "PASSWORD"])
def test_missing_or_empty_parameter(wire: Wire, name: str) -> None:
    """An empty parameter is missing, too."""
    given = {"USERNAME": "alice", "PASSWORD": PASSWORD}
    expected = ("InvalidParameterException", f"Missing required parameter {name}")
    assert refusal(lambda: wire.start("USER_PASSWORD_AUTH", **(given | {name: ""}))) == expected
    del given[name]
    assert refusal(lambda: wire.start("USER_PASSWORD_AUTH", **given)) == expected


def test_choices_need_a_tier(cognito: LocalCognito) -> None:
    """USER_AUTH is not part of the LITE plan."""
    wire = Wire(cognito.create_pool(user_pool_tier="LITE"))
    code, _ = refusal(lambda: wire.start("USER_AUTH", USERNAME="alice"))
    assert code == "FeatureUnavailableInTierException"


def test_created_user_signs_in(wire: Wire) -> None:
    """AdminCreateUser sends a temporary password, and AdminSetUserPassword makes it permanent."""
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
    assert taken == ("UsernameExistsException", "User already exists")


def test_settings_come_back(wire: Wire) -> None:
    """What was set is what is described."""
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


def test_unknown_pool_client_or_user(wire: Wire) -> None:
    """What does not exist is told so."""
    pool = refusal(lambda: wire.api.describe_user_pool(UserPoolId="eu-west-1_nowhere"))
    assert pool[0] == "ResourceNotFoundException"
    stranger = Wire(wire.pool, "nobodys")
    assert refusal(stranger.password)[0] == "ResourceNotFoundException"
    user = refusal(lambda: wire.api.admin_get_user(UserPoolId=wire.pool.id, Username="nobody"))
    assert user == ("UserNotFoundException", "User does not exist.")


def test_confirmed_by_an_administrator(wire: Wire) -> None:
    """AdminConfirmSignUp confirms once."""
    wire.pool.add_user("carol", PASSWORD, confirmed=False)
    call = partial(wire.api.admin_confirm_sign_up, UserPoolId=wire.pool.id, Username="carol")
    call()
    assert "AuthenticationResult" in wire.password("carol")
    text = "User cannot be confirmed. Current status is CONFIRMED"
    assert refusal(call) == ("NotAuthorizedException", text)


def test_second_factor_with_an_access_token(totp_wire: Wire) -> None:
    """An authenticator app is enrolled, and preferred, only once its code was right."""
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
