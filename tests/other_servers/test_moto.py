"""The client against moto, in process: the password flow, which is what moto can check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws

from cognito_flow import AppClient, AuthFlow, IncorrectPassword, NotAuthorized, SignedIn, UserPasswordAuth

pytestmark = pytest.mark.slow  # moto takes long to import and to make a pool

REGION = "eu-west-1"
PASSWORD = "Correct horse 7!"


@pytest.fixture
def management() -> Iterator[Any]:
    with mock_aws():
        yield cast(Any, boto3).client("cognito-idp", region_name=REGION)


@pytest.fixture(params=[False, True], ids=["without secret", "with secret"])
def app(request: pytest.FixtureRequest, management: Any) -> AppClient:
    """An app client with a user alice."""
    pool_id = management.create_user_pool(PoolName="other-servers")["UserPool"]["Id"]
    client = management.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName="other-servers",
        GenerateSecret=request.param,
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"],
    )["UserPoolClient"]
    management.admin_create_user(UserPoolId=pool_id, Username="alice", MessageAction="SUPPRESS")
    management.admin_set_user_password(
        UserPoolId=pool_id, Username="alice", Password=PASSWORD, Permanent=True
    )
    return AppClient(pool_id, client["ClientId"], client.get("ClientSecret"))


@pytest.fixture(params=["a client of its own", "the client of the caller"])
def client(request: pytest.FixtureRequest, management: Any) -> object | None:
    return management if request.param == "the client of the caller" else None


@pytest.mark.parametrize("admin", [False, True], ids=["public", "admin"])
def test_right_password_signs_in(app: AppClient, client: object | None, admin: bool) -> None:
    signed_in = AuthFlow(app, client, admin=admin).start(UserPasswordAuth("alice", PASSWORD))

    assert isinstance(signed_in, SignedIn)
    assert "alice" == signed_in.username


@pytest.mark.parametrize(
    ("admin", "error"),
    [(False, IncorrectPassword), (True, NotAuthorized)],  # moto's text for administrators is not Cognito's
    ids=["public", "admin"],
)
def test_wrong_password_is_refused(
    app: AppClient, client: object | None, admin: bool, error: type[NotAuthorized]
) -> None:
    with pytest.raises(NotAuthorized) as refused:
        AuthFlow(app, client, admin=admin).start(UserPasswordAuth("alice", PASSWORD + "!"))

    assert error is refused.type
