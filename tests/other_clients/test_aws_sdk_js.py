"""npm @aws-sdk/client-cognito-identity-provider 3.1169.0 signs in, manages users, and is refused; npm
aws-jwt-verify 5.2.1 reads its tokens.

The SDK knows no SRP, so its sign-ins are those with a password in clear.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import attrs
import pytest

from cognito_flow import AppClient
from cognito_flow.testing import LocalCognito, Pool, totp_code
from tests.other_clients import pools
from tests.other_clients.conftest import JavaScript, Program, Run
from tests.other_clients.pools import PASSWORD

pytestmark = pytest.mark.other_programs


@attrs.frozen
class Sdk:
    """The SDK's client, as alice's app uses it."""

    program: Program
    app: AppClient

    def send(self, operation: str, **given: object) -> Any:
        return self.program.call("send", operation=operation, input=given)

    def refusal(self, operation: str, **given: object) -> tuple[str, str]:
        return self.program.refusal("send", operation=operation, input=given)

    def start(self, password: str = PASSWORD, **more: str) -> dict[str, Any]:
        """The input of InitiateAuth."""
        parameters = {"USERNAME": "alice", "PASSWORD": password, **more}
        return {
            "AuthFlow": "USER_PASSWORD_AUTH",
            "ClientId": self.app.client_id,
            "AuthParameters": parameters,
        }

    def answer(self, step: Any, **responses: str) -> dict[str, Any]:
        """The input of RespondToAuthChallenge."""
        return {
            "ClientId": self.app.client_id,
            "ChallengeName": step["ChallengeName"],
            "Session": step["Session"],
            "ChallengeResponses": {"USERNAME": "alice", **responses},
        }


StartSdk: TypeAlias = Callable[..., Sdk]


@pytest.fixture
def sdk(run: Run, javascript: JavaScript) -> StartSdk:
    """Starts the client for a pool."""

    def sdk(pool: Pool, app: AppClient | None = None) -> Sdk:
        app = app or pool.app
        return Sdk(run(javascript.program("aws_sdk"), app), app)

    return sdk


def test_right_password_signs_in(cognito: LocalCognito, sdk: StartSdk) -> None:
    pool = pools.plain_pool(cognito, email="alice@example.com")
    client = sdk(pool)
    done = client.send("InitiateAuth", **client.start())
    assert pools.is_alice(pool, done)
    record = client.send("GetUser", AccessToken=done["AuthenticationResult"]["AccessToken"])
    assert "alice" == record["Username"]
    assert {"Name": "email", "Value": "alice@example.com"} in record["UserAttributes"]


def test_wrong_password_is_refused(cognito: LocalCognito, sdk: StartSdk) -> None:
    pool = pools.plain_pool(cognito)
    client = sdk(pool)
    assert pools.INCORRECT == client.refusal("InitiateAuth", **client.start(PASSWORD + "!"))
    assert not pool.user("alice").grants


def test_missing_or_wrong_secret_hash_is_refused(cognito: LocalCognito, sdk: StartSdk) -> None:
    pool = pools.plain_pool(cognito)
    app = pool.app_client(secret=True)
    client, right = sdk(pool, app), app.secret_hash("alice") or ""
    missing = (
        "NotAuthorizedException",
        f"Client {app.client_id} is configured with secret but SECRET_HASH was not received",
    )
    assert missing == client.refusal("InitiateAuth", **client.start())
    other = app.secret_hash("bob") or ""
    assert "NotAuthorizedException" == client.refusal("InitiateAuth", **client.start(SECRET_HASH=other))[0]
    assert pools.is_alice(pool, client.send("InitiateAuth", **client.start(SECRET_HASH=right)))


def test_totp_code_signs_in_after_a_wrong_one(cognito: LocalCognito, sdk: StartSdk) -> None:
    """The same code is refused the second time."""
    pool = pools.totp_pool(cognito)
    client = sdk(pool)
    code = pool.totp("alice")
    step = client.send("InitiateAuth", **client.start())
    bad = client.answer(step, SOFTWARE_TOKEN_MFA_CODE=pools.wrong(code))
    assert pools.WRONG_TOTP == client.refusal("RespondToAuthChallenge", **bad)
    right = client.answer(step, SOFTWARE_TOKEN_MFA_CODE=code)
    assert pools.is_alice(pool, client.send("RespondToAuthChallenge", **right))
    again = client.answer(client.send("InitiateAuth", **client.start()), SOFTWARE_TOKEN_MFA_CODE=code)
    assert pools.USED_TOTP == client.refusal("RespondToAuthChallenge", **again)


def test_session_works_once_and_a_made_up_one_is_refused(cognito: LocalCognito, sdk: StartSdk) -> None:
    pool = pools.sms_pool(cognito)
    client = sdk(pool)
    step = client.send("InitiateAuth", **client.start())
    right = client.answer(step, SMS_MFA_CODE=pool.last_code("alice"))
    made_up = {**right, "Session": pools.MADE_UP_SESSION}
    assert pools.NO_SESSION == client.refusal("RespondToAuthChallenge", **made_up)
    client.send("RespondToAuthChallenge", **right)
    assert pools.USED_SESSION == client.refusal("RespondToAuthChallenge", **right)
    assert 1 == len(pool.user("alice").grants)


def test_signed_in_user_enrols_an_authenticator_app(cognito: LocalCognito, sdk: StartSdk) -> None:
    pool = cognito.create_pool(mfa_configuration="OPTIONAL", **pools.TOTP)
    pool.add_user("alice", PASSWORD)
    client = sdk(pool)
    token = client.send("InitiateAuth", **client.start())["AuthenticationResult"]["AccessToken"]
    secret = client.send("AssociateSoftwareToken", AccessToken=token)["SecretCode"]
    code = totp_code(secret, cognito.clock())
    wrong = {"AccessToken": token, "UserCode": pools.wrong(code)}
    assert "EnableSoftwareTokenMFAException" == client.refusal("VerifySoftwareToken", **wrong)[0]
    assert "SUCCESS" == client.send("VerifySoftwareToken", AccessToken=token, UserCode=code)["Status"]
    settings = {"Enabled": True, "PreferredMfa": True}
    client.send("SetUserMFAPreference", AccessToken=token, SoftwareTokenMfaSettings=settings)
    step = client.send("InitiateAuth", **client.start())
    assert "SOFTWARE_TOKEN_MFA" == step["ChallengeName"]


def test_password_with_an_unknown_device_is_refused(cognito: LocalCognito, sdk: StartSdk) -> None:
    client = sdk(pools.device_pool(cognito))
    expected = ("ResourceNotFoundException", "Device does not exist.")
    assert expected == client.refusal("InitiateAuth", **client.start(DEVICE_KEY="eu-west-1_forgotten"))


def test_reused_refresh_token_is_refused(cognito: LocalCognito, sdk: StartSdk) -> None:
    pool = pools.plain_pool(cognito)
    client = sdk(pool, pools.rotating_app(pool, "ALLOW_USER_PASSWORD_AUTH"))
    first = client.send("InitiateAuth", **client.start())["AuthenticationResult"]["RefreshToken"]
    call = {"ClientId": client.app.client_id, "RefreshToken": first}
    second = client.send("GetTokensFromRefreshToken", **call)["AuthenticationResult"]["RefreshToken"]
    cognito.clock.advance(1)
    assert "RefreshTokenReuseException" == client.refusal("GetTokensFromRefreshToken", **call)[0]
    assert pools.is_alice(pool, client.send("GetTokensFromRefreshToken", **{**call, "RefreshToken": second}))


def test_revoked_tokens_are_refused(cognito: LocalCognito, sdk: StartSdk) -> None:
    pool = pools.plain_pool(cognito)
    client = sdk(pool)
    tokens = client.send("InitiateAuth", **client.start())["AuthenticationResult"]
    refresh = {"ClientId": client.app.client_id, "RefreshToken": tokens["RefreshToken"]}
    client.send("RevokeToken", ClientId=client.app.client_id, Token=tokens["RefreshToken"])
    revoked = ("NotAuthorizedException", "Refresh Token has been revoked")
    assert client.refusal("GetTokensFromRefreshToken", **refresh) == revoked
    expected = ("NotAuthorizedException", "Access Token has been revoked")
    assert expected == client.refusal("GetUser", AccessToken=tokens["AccessToken"])


def test_administrator_manages_a_user(cognito: LocalCognito, sdk: StartSdk) -> None:
    pool = cognito.create_pool()
    client = sdk(pool)
    bob = {"UserPoolId": pool.id, "Username": "bob"}
    made = client.send("AdminCreateUser", **bob, MessageAction="SUPPRESS", TemporaryPassword="Temporary-7")
    assert "FORCE_CHANGE_PASSWORD" == made["User"]["UserStatus"]
    client.send("AdminSetUserPassword", **bob, Password="Permanent-8", Permanent=True)
    assert "CONFIRMED" == client.send("AdminGetUser", **bob)["UserStatus"]
    start = {
        "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
        "UserPoolId": pool.id,
        "ClientId": client.app.client_id,
    }
    right = {"AuthParameters": {"USERNAME": "bob", "PASSWORD": "Permanent-8"}}
    wrong = {"AuthParameters": {"USERNAME": "bob", "PASSWORD": "Temporary-7"}}
    assert "NotAuthorizedException" == client.refusal("AdminInitiateAuth", **start, **wrong)[0]
    done = client.send("AdminInitiateAuth", **start, **right)
    assert "bob" == done["claims"]["access"]["username"]
    client.send("AdminUserGlobalSignOut", **bob)
    refusal = client.refusal("GetUser", AccessToken=done["AuthenticationResult"]["AccessToken"])
    assert "NotAuthorizedException" == refusal[0]
    client.send("AdminDeleteUser", **bob)
    assert "UserNotFoundException" == client.refusal("AdminGetUser", **bob)[0]
