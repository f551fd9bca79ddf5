"""Resource servers and app clients for machines."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cognito_flow.testing import LocalCognito, Pool

SERVER = {"Identifier": "solar", "Name": "Solar system"}
SCOPE = {"ScopeName": "read", "ScopeDescription": "Read planets"}


@pytest.fixture
def pool(cognito: LocalCognito) -> Pool:
    """A pool without resource servers."""
    return cognito.create_pool()


@pytest.fixture
def api(cognito: LocalCognito) -> Any:
    """A boto3 client."""
    return cognito.client()


def test_resource_server_is_described_as_it_was_created(pool: Pool, api: Any) -> None:
    created = api.create_resource_server(UserPoolId=pool.id, Scopes=[SCOPE], **SERVER)["ResourceServer"]

    described = api.describe_resource_server(UserPoolId=pool.id, Identifier="solar")["ResourceServer"]

    assert created == described == {"UserPoolId": pool.id, "Scopes": [SCOPE], **SERVER}


def test_update_replaces_name_and_scopes(pool: Pool, api: Any) -> None:
    api.create_resource_server(UserPoolId=pool.id, Scopes=[SCOPE], **SERVER)

    updated = api.update_resource_server(UserPoolId=pool.id, Identifier="solar", Name="Sun")["ResourceServer"]

    assert updated == {"UserPoolId": pool.id, "Identifier": "solar", "Name": "Sun"}
    assert api.describe_resource_server(UserPoolId=pool.id, Identifier="solar")["ResourceServer"] == updated


def test_resource_servers_are_listed_page_by_page(pool: Pool, api: Any) -> None:
    for name in ("a", "b", "c"):
        api.create_resource_server(UserPoolId=pool.id, Identifier=name, Name=name)

    first = api.list_resource_servers(UserPoolId=pool.id, MaxResults=2)
    rest = api.list_resource_servers(UserPoolId=pool.id, MaxResults=2, NextToken=first["NextToken"])

    listed = [server["Identifier"] for page in (first, rest) for server in page["ResourceServers"]]
    assert listed == ["a", "b", "c"]
    assert "NextToken" not in rest


def test_second_resource_server_with_an_identifier_is_refused(pool: Pool, api: Any) -> None:
    api.create_resource_server(UserPoolId=pool.id, **SERVER)

    with pytest.raises(ClientError, match="InvalidParameterException"):
        api.create_resource_server(UserPoolId=pool.id, **SERVER)


@pytest.mark.parametrize("operation", ["describe", "update", "delete"])
def test_unknown_resource_server_is_not_found(pool: Pool, api: Any, operation: str) -> None:
    name = {"Name": "x"} if operation == "update" else {}
    act = getattr(api, f"{operation}_resource_server")

    with pytest.raises(api.exceptions.ResourceNotFoundException):
        act(UserPoolId=pool.id, Identifier="solar", **name)


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("create_resource_server", SERVER),
        ("describe_resource_server", {"Identifier": "solar"}),
        ("update_resource_server", SERVER),
        ("delete_resource_server", {"Identifier": "solar"}),
        ("list_resource_servers", {}),
    ],
)
def test_resource_servers_of_an_unknown_pool_are_not_found(
    api: Any, operation: str, members: dict[str, str]
) -> None:
    with pytest.raises(api.exceptions.ResourceNotFoundException):
        getattr(api, operation)(UserPoolId="eu-west-1_000000000", **members)


def test_deleted_resource_server_is_not_found(pool: Pool, api: Any) -> None:
    api.create_resource_server(UserPoolId=pool.id, **SERVER)
    api.delete_resource_server(UserPoolId=pool.id, Identifier="solar")

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        api.describe_resource_server(UserPoolId=pool.id, Identifier="solar")


@pytest.mark.parametrize(
    ("secret", "flows"),
    [(False, ["ALLOW_CLIENT_TOKEN_AUTH"]), (True, ["ALLOW_CLIENT_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"])],
    ids=["no secret", "users, too"],
)
def test_app_client_for_machines_needs_a_secret_and_no_other_flow(
    pool: Pool, secret: bool, flows: list[str]
) -> None:
    with pytest.raises(ClientError, match="ALLOW_CLIENT_TOKEN_AUTH needs a client secret"):
        pool.app_client(secret=secret, flows=flows)
