"""What the comparison page says about other packages."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cognito_flow import IncorrectPassword, UserSrpAuth
from cognito_flow.testing import Pool


def test_moto_accepts_a_password_proof_that_proves_nothing() -> None:
    moto = pytest.importorskip("moto")
    with moto.mock_aws():
        client = boto3.client("cognito-idp", "eu-west-1")
        pool_id = client.create_user_pool(PoolName="pool")["UserPool"]["Id"]
        flows = ["ALLOW_USER_SRP_AUTH"]
        made = client.create_user_pool_client(UserPoolId=pool_id, ClientName="app", ExplicitAuthFlows=flows)
        client.admin_create_user(UserPoolId=pool_id, Username="alice")
        password = {"Password": "Correct-horse-1", "Permanent": True}
        client.admin_set_user_password(UserPoolId=pool_id, Username="alice", **password)
        client_id = made["UserPoolClient"]["ClientId"]
        asked = client.initiate_auth(
            AuthFlow="USER_SRP_AUTH",
            ClientId=client_id,
            AuthParameters={"USERNAME": "alice", "SRP_A": "ab" * 384},
        )
        answered = client.respond_to_auth_challenge(
            ChallengeName=asked["ChallengeName"],
            ClientId=client_id,
            ChallengeResponses={
                "USERNAME": "alice",
                "PASSWORD_CLAIM_SIGNATURE": "no proof at all",
                "PASSWORD_CLAIM_SECRET_BLOCK": asked["ChallengeParameters"]["SECRET_BLOCK"],
                "TIMESTAMP": "Sun Nov 1 12:00:00 UTC 2026",
            },
        )

    assert answered["AuthenticationResult"]["AccessToken"]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("confirm_device", {"AccessToken": "token", "DeviceKey": "key"}),
        ("start_web_authn_registration", {"AccessToken": "token"}),
        ("get_tokens_from_refresh_token", {"RefreshToken": "token", "ClientId": "client"}),
    ],
)
def test_moto_has_no_devices_no_passkeys_and_no_rotation(operation: str, parameters: dict[str, str]) -> None:
    moto = pytest.importorskip("moto")
    with moto.mock_aws():
        client = boto3.client("cognito-idp", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
        call = getattr(client, operation, None)
        if call is None:
            pytest.skip(f"this botocore does not know {operation}")

        with pytest.raises(NotImplementedError):
            call(**parameters)


def test_boto3_leaves_the_proof_of_the_password_to_the_program(cognito_pool: Pool) -> None:
    cognito_pool.add_user("alice", "Correct-horse-1")
    client: Any = cognito_pool.cognito.client()

    with pytest.raises(ClientError, match="SRP_A"):
        client.initiate_auth(
            AuthFlow="USER_SRP_AUTH",
            ClientId=cognito_pool.app.client_id,
            AuthParameters={"USERNAME": "alice", "PASSWORD": "Correct-horse-1"},
        )


def test_local_cognito_refuses_a_wrong_password_with_srp(cognito_pool: Pool) -> None:
    cognito_pool.add_user("alice", "Correct-horse-1")

    with pytest.raises(IncorrectPassword):
        cognito_pool.flow().start(UserSrpAuth("alice", "wrong"))
