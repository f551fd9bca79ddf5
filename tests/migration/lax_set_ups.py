"""What a test set-up for moto does, and Cognito refuses: one function for each, run with the client of either.

The names are the first column of the table in docs/how-to/migrate/from-moto.md.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, TypeAlias

import attrs

PASSWORD, OTHER_PASSWORD = "Correct-horse-1", "Battery-staple-2"
ALL_FLOWS = [
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_USER_SRP_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
]


@attrs.define
class SetUp:
    """A pool with a user alice, made with boto3 alone. The client has no type: it is moto's or LocalCognito's."""

    api: Any
    pool_id: str = attrs.field(init=False)
    client_id: str = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.pool_id = self.api.create_user_pool(PoolName="tests")["UserPool"]["Id"]
        self.client_id = self.app_client(ExplicitAuthFlows=ALL_FLOWS)
        self.api.admin_create_user(UserPoolId=self.pool_id, Username="alice", MessageAction="SUPPRESS")
        self.api.admin_set_user_password(
            UserPoolId=self.pool_id, Username="alice", Password=PASSWORD, Permanent=True
        )

    def app_client(self, **members: Any) -> str:
        made = self.api.create_user_pool_client(UserPoolId=self.pool_id, ClientName="tests", **members)
        return str(made["UserPoolClient"]["ClientId"])

    def sign_in(self, client_id: str | None = None, username: str = "alice", **more: str) -> Any:
        return self.api.initiate_auth(
            ClientId=client_id or self.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": username, "PASSWORD": PASSWORD, **more},
        )

    def sign_up(self, username: str = "carol", **attributes: str) -> Any:
        pairs = [{"Name": name.replace("__", ":"), "Value": value} for name, value in attributes.items()]
        return self.api.sign_up(
            ClientId=self.client_id, Username=username, Password=PASSWORD, UserAttributes=pairs
        )

    def access_token(self) -> str:
        return str(self.sign_in()["AuthenticationResult"]["AccessToken"])


Lax: TypeAlias = Callable[[SetUp], object]
LAX: dict[str, Lax] = {}


def lax(name: str) -> Callable[[Lax], Lax]:
    def keep(function: Lax) -> Lax:
        LAX[name] = function
        return function

    return keep


@lax("SRP with a made-up signature")
def _(given: SetUp) -> None:
    asked = given.api.initiate_auth(
        ClientId=given.client_id,
        AuthFlow="USER_SRP_AUTH",
        AuthParameters={"USERNAME": "alice", "SRP_A": "ab" * 100},
    )
    given.api.respond_to_auth_challenge(
        ClientId=given.client_id,
        ChallengeName="PASSWORD_VERIFIER",
        ChallengeResponses={
            "USERNAME": "alice",
            "PASSWORD_CLAIM_SECRET_BLOCK": asked["ChallengeParameters"]["SECRET_BLOCK"],
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(b"x" * 32).decode(),
            "TIMESTAMP": "Tue Jan 1 12:00:00 UTC 2030",
        },
        **({"Session": asked["Session"]} if "Session" in asked else {}),
    )


@lax("`USER_PASSWORD_AUTH` with an app client that does not list it")
def _(given: SetUp) -> None:
    given.sign_in(given.app_client())


@lax("An app client with a secret, called without `SECRET_HASH`")
def _(given: SetUp) -> None:
    given.sign_in(given.app_client(GenerateSecret=True, ExplicitAuthFlows=ALL_FLOWS))


@lax("A weak `TemporaryPassword`")
def _(given: SetUp) -> None:
    given.api.admin_create_user(
        UserPoolId=given.pool_id, Username="dora", TemporaryPassword="test", MessageAction="SUPPRESS"
    )


@lax("`ConfirmSignUp` with any code")
def _(given: SetUp) -> None:
    given.sign_up(email="carol@example.com")
    given.api.confirm_sign_up(ClientId=given.client_id, Username="carol", ConfirmationCode="000000")


@lax("`ConfirmForgotPassword` with any code")
def _(given: SetUp) -> None:
    given.api.confirm_forgot_password(
        ClientId=given.client_id, Username="alice", ConfirmationCode="000000", Password=OTHER_PASSWORD
    )


@lax("`ForgotPassword` for a user without a verified address")
def _(given: SetUp) -> None:
    given.api.forgot_password(ClientId=given.client_id, Username="alice")


@lax("An e-mail address without `@`")
def _(given: SetUp) -> None:
    given.sign_up(email="carol")


@lax("A phone number without `+` and country")
def _(given: SetUp) -> None:
    given.sign_up(phone_number="0612345678")


@lax("`SignUp` with `email_verified`")
def _(given: SetUp) -> None:
    given.sign_up(email="carol@example.com", email_verified="true")


@lax("A custom attribute that the schema does not have")
def _(given: SetUp) -> None:
    given.sign_up(custom__team="red")


@lax("`UpdateUserAttributes` with `email_verified`")
def _(given: SetUp) -> None:
    given.api.update_user_attributes(
        AccessToken=given.access_token(), UserAttributes=[{"Name": "email_verified", "Value": "true"}]
    )


@lax('`MfaConfiguration="ON"` without a second factor')
def _(given: SetUp) -> None:
    given.api.create_user_pool(PoolName="mfa", MfaConfiguration="ON")


@lax("An authenticator app in a pool that does not allow it")
def _(given: SetUp) -> None:
    given.api.associate_software_token(AccessToken=given.access_token())


@lax("`VerifySoftwareToken` with any code")
def _(given: SetUp) -> None:
    token = given.access_token()
    _allow_totp(given)
    given.api.associate_software_token(AccessToken=token)
    given.api.verify_software_token(AccessToken=token, UserCode="000000")


@lax("A challenge answered with another `USERNAME`")
def _(given: SetUp) -> None:
    given.api.admin_create_user(
        UserPoolId=given.pool_id, Username="dora", TemporaryPassword=PASSWORD, MessageAction="SUPPRESS"
    )
    given.api.respond_to_auth_challenge(
        ClientId=given.client_id,
        ChallengeName="NEW_PASSWORD_REQUIRED",
        Session=given.sign_in(username="dora")["Session"],
        ChallengeResponses={"USERNAME": "alice", "NEW_PASSWORD": OTHER_PASSWORD},
    )


@lax("A refresh token of another app client")
def _(given: SetUp) -> None:
    token = given.sign_in()["AuthenticationResult"]["RefreshToken"]
    given.api.initiate_auth(
        ClientId=given.app_client(ExplicitAuthFlows=ALL_FLOWS),
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": token},
    )


def _allow_totp(given: SetUp) -> None:
    given.api.set_user_pool_mfa_config(
        UserPoolId=given.pool_id,
        MfaConfiguration="OPTIONAL",
        SoftwareTokenMfaConfiguration={"Enabled": True},
    )
