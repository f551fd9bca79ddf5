"""Pools of several regions in one LocalCognito."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from cognito_flow import UserPasswordAuth, UserSrpAuth
from cognito_flow.testing import LocalCognito
from cognito_flow.testing.seed import plant

HERE, THERE = "eu-west-1", "us-east-1"
PASSWORD = "correct horse"


def client(region: str, **options: Any) -> Any:
    session: Any = boto3.Session("a", "b", region_name=region)
    return session.client("cognito-idp", **options)


def test_pool_is_created_in_the_region_of_the_client(cognito: LocalCognito) -> None:
    api: Any = cognito.client(THERE)

    pool = api.create_user_pool(PoolName="pool")["UserPool"]

    assert pool["Id"].startswith(f"{THERE}_")
    assert f":{THERE}:" in pool["Arn"]


def test_users_sign_in_to_the_pools_of_both_regions(cognito: LocalCognito) -> None:
    for region in (HERE, THERE):
        pool = cognito.create_pool(region=region)
        pool.add_user("alice", PASSWORD)
        tokens = pool.flow().sign_in(UserSrpAuth("alice", PASSWORD)).tokens
        assert pool.verifier().verify_access(tokens.access_token).claims["iss"] == (
            f"https://cognito-idp.{region}.amazonaws.com/{pool.id}"
        )


def test_each_client_lists_the_pools_of_its_region(cognito: LocalCognito) -> None:
    pools = {region: cognito.create_pool(region=region).id for region in (HERE, THERE)}

    for region, pool_id in pools.items():
        api: Any = cognito.client(region)
        assert [pool["Id"] for pool in api.list_user_pools(MaxResults=10)["UserPools"]] == [pool_id]


def test_pool_of_another_region_does_not_exist(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(region=THERE)
    api: Any = cognito.client(HERE)

    with pytest.raises(ClientError, match=f"User pool {pool.id} does not exist"):
        api.describe_user_pool(UserPoolId=pool.id)


def test_unsigned_call_of_another_region_does_not_find_the_app_client(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(region=THERE)
    pool.add_user("alice", PASSWORD)
    api: Any = cognito.client(HERE)

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        api.initiate_auth(
            AuthFlow="USER_PASSWORD_AUTH",
            ClientId=pool.app.client_id,
            AuthParameters={"USERNAME": "alice", "PASSWORD": PASSWORD},
        )


def test_access_token_of_another_region_is_refused(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(region=THERE)
    pool.add_user("alice", PASSWORD)
    token = pool.flow().sign_in(UserPasswordAuth("alice", PASSWORD)).tokens.access_token
    elsewhere: Any = cognito.client(HERE)

    with pytest.raises(ClientError, match="NotAuthorizedException"):
        elsewhere.get_user(AccessToken=token)


def test_signed_calls_over_http_are_for_the_region_of_the_signature(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(region=THERE)
    with cognito.serve() as url:
        assert client(THERE, endpoint_url=url).describe_user_pool(UserPoolId=pool.id)
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            client(HERE, endpoint_url=url).describe_user_pool(UserPoolId=pool.id)


def test_keys_of_pools_differ_between_regions(cognito: LocalCognito) -> None:
    """Otherwise a call without a region would take the token of one pool for that of another."""
    here, there = (cognito.create_pool(region=region) for region in (HERE, THERE))

    assert here.jwks() != there.jwks()


def test_unsigned_calls_over_http_reach_every_region(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(region=THERE)
    pool.add_user("alice", PASSWORD)
    with cognito.serve() as url:
        api = client(HERE, endpoint_url=url, config=Config(signature_version=UNSIGNED))
        api.initiate_auth(
            AuthFlow="USER_PASSWORD_AUTH",
            ClientId=pool.app.client_id,
            AuthParameters={"USERNAME": "alice", "PASSWORD": PASSWORD},
        )


def test_pool_id_says_the_region(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(pool_id=f"{THERE}_People001")

    api: Any = cognito.client(THERE)
    assert api.describe_user_pool(UserPoolId=pool.id)["UserPool"]["Id"] == f"{THERE}_People001"


def test_pool_id_of_another_region_than_the_one_named_is_an_error(cognito: LocalCognito) -> None:
    with pytest.raises(ValueError, match="expected eu-west-1_ and letters or digits"):
        cognito.create_pool(pool_id=f"{THERE}_People001", region=HERE)


def test_seed_places_pools_in_regions() -> None:
    cognito = plant({"pool": [{}, {"region": THERE}]})

    assert [pool_id.partition("_")[0] for pool_id in cognito.pool_ids()] == [HERE, THERE]


def test_deleted_pool_of_a_region_is_gone(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(region=THERE)
    api: Any = cognito.client(THERE)

    api.delete_user_pool(UserPoolId=pool.id)

    assert cognito.pool_ids() == []
