"""What the comparison page says about other packages."""

from __future__ import annotations

import boto3
import pytest

from cognito_flow import AppClient, AuthFlow, IncorrectPassword, UserSrpAuth
from cognito_flow.testing import Pool


def sign_in_with_a_wrong_password(client: object, pool_id: str, client_id: str) -> str:
    flow = AuthFlow(AppClient(pool_id, client_id), client)
    return type(flow.start(UserSrpAuth("alice", "wrong"))).__name__


def test_moto_accepts_a_wrong_password_with_srp() -> None:
    moto = pytest.importorskip("moto")
    with moto.mock_aws():
        client = boto3.client("cognito-idp", "eu-west-1")
        pool_id = client.create_user_pool(PoolName="pool")["UserPool"]["Id"]
        made = client.create_user_pool_client(
            UserPoolId=pool_id, ClientName="app", ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH"]
        )
        client.admin_create_user(UserPoolId=pool_id, Username="alice")
        client.admin_set_user_password(
            UserPoolId=pool_id, Username="alice", Password="Correct-horse-1", Permanent=True
        )

        assert (
            sign_in_with_a_wrong_password(client, pool_id, made["UserPoolClient"]["ClientId"]) == "SignedIn"
        )


def test_local_cognito_refuses_a_wrong_password_with_srp(cognito_pool: Pool) -> None:
    cognito_pool.add_user("alice", "Correct-horse-1")

    with pytest.raises(IncorrectPassword):
        cognito_pool.flow().start(UserSrpAuth("alice", "wrong"))
