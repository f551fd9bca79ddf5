"""Domains, identity providers and tags, which deployments set up."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cognito_flow.testing import LocalCognito, Pool

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
CUSTOM = {"CustomDomainConfig": {"CertificateArn": CERTIFICATE}}
DETAILS = {"client_id": "id", "client_secret": "a secret", "authorize_scopes": "openid email"}
GOOGLE: dict[str, Any] = {"ProviderName": "Google", "ProviderType": "Google", "ProviderDetails": DETAILS}


@pytest.fixture
def pool(cognito: LocalCognito) -> Pool:
    return cognito.create_pool()


@pytest.fixture
def api(cognito: LocalCognito) -> Any:
    return cognito.client()


def test_domain_is_active_and_shown_with_the_pool(pool: Pool, api: Any) -> None:
    api.create_user_pool_domain(UserPoolId=pool.id, Domain="shop", ManagedLoginVersion=2)

    described = api.describe_user_pool_domain(Domain="shop")["DomainDescription"]
    shown = {name: described[name] for name in ("UserPoolId", "Domain", "Status", "ManagedLoginVersion")}
    assert shown == {
        "UserPoolId": pool.id,
        "Domain": "shop",
        "Status": "ACTIVE",
        "ManagedLoginVersion": 2,
    }
    assert api.describe_user_pool(UserPoolId=pool.id)["UserPool"]["Domain"] == "shop"


def test_custom_domain_has_a_distribution(pool: Pool, api: Any) -> None:
    made = api.create_user_pool_domain(UserPoolId=pool.id, Domain="login.shop.example", **CUSTOM)

    described = api.describe_user_pool_domain(Domain="login.shop.example")["DomainDescription"]
    assert made["CloudFrontDomain"] == described["CloudFrontDistribution"]
    assert described["CustomDomainConfig"] == CUSTOM["CustomDomainConfig"]
    assert api.describe_user_pool(UserPoolId=pool.id)["UserPool"]["CustomDomain"] == "login.shop.example"


@pytest.mark.parametrize("domain", ["login.shop.example", "login..example", "-shop"])
def test_malformed_prefix_of_a_domain_is_refused(pool: Pool, api: Any, domain: str) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException"):
        api.create_user_pool_domain(UserPoolId=pool.id, Domain=domain)


def test_pool_has_one_domain_of_each_kind(pool: Pool, api: Any) -> None:
    api.create_user_pool_domain(UserPoolId=pool.id, Domain="shop")
    api.create_user_pool_domain(UserPoolId=pool.id, Domain="login.shop.example", **CUSTOM)

    with pytest.raises(ClientError, match="already has a domain"):
        api.create_user_pool_domain(UserPoolId=pool.id, Domain="another")


def test_domain_of_another_pool_is_refused(pool: Pool, cognito: LocalCognito, api: Any) -> None:
    api.create_user_pool_domain(UserPoolId=pool.id, Domain="shop")

    with pytest.raises(ClientError, match="Domain already associated with another user pool"):
        api.create_user_pool_domain(UserPoolId=cognito.create_pool().id, Domain="shop")


def test_same_domain_in_another_region_is_free(pool: Pool, cognito: LocalCognito, api: Any) -> None:
    api.create_user_pool_domain(UserPoolId=pool.id, Domain="shop")
    elsewhere: Any = cognito.client("us-east-1")

    elsewhere.create_user_pool_domain(UserPoolId=cognito.create_pool(region="us-east-1").id, Domain="shop")

    assert elsewhere.describe_user_pool_domain(Domain="shop")["DomainDescription"]["UserPoolId"] != pool.id


@pytest.mark.parametrize("word", ["aws", "amazon", "cognito"])
def test_reserved_word_in_a_prefix_domain_is_refused(pool: Pool, api: Any, word: str) -> None:
    with pytest.raises(ClientError, match=f"Domain cannot contain reserved word: {word}"):
        api.create_user_pool_domain(UserPoolId=pool.id, Domain=f"my-{word}-login")


def test_unknown_domain_has_an_empty_description(api: Any) -> None:
    assert api.describe_user_pool_domain(Domain="nowhere")["DomainDescription"] == {}


def test_updated_domain_keeps_its_kind(pool: Pool, api: Any) -> None:
    api.create_user_pool_domain(UserPoolId=pool.id, Domain="shop")
    assert (
        api.update_user_pool_domain(UserPoolId=pool.id, Domain="shop", ManagedLoginVersion=1)[
            "ManagedLoginVersion"
        ]
        == 1
    )

    with pytest.raises(ClientError, match="InvalidParameterException"):
        api.update_user_pool_domain(UserPoolId=pool.id, Domain="shop", **CUSTOM)


@pytest.mark.parametrize("operation", ["update_user_pool_domain", "delete_user_pool_domain"])
def test_domain_that_the_pool_does_not_have_is_refused(pool: Pool, api: Any, operation: str) -> None:
    with pytest.raises(ClientError, match="No such domain or user pool exists"):
        getattr(api, operation)(UserPoolId=pool.id, Domain="shop")


def test_pool_with_a_domain_is_not_deleted(pool: Pool, api: Any) -> None:
    api.create_user_pool_domain(UserPoolId=pool.id, Domain="shop")
    with pytest.raises(ClientError, match="It has a domain configured that should be deleted first"):
        api.delete_user_pool(UserPoolId=pool.id)

    api.delete_user_pool_domain(UserPoolId=pool.id, Domain="shop")
    api.delete_user_pool(UserPoolId=pool.id)


def test_identity_provider_is_described_as_it_was_created(pool: Pool, api: Any) -> None:
    api.create_identity_provider(UserPoolId=pool.id, **{**GOOGLE, "ProviderName": "Another"})
    made = api.create_identity_provider(UserPoolId=pool.id, IdpIdentifiers=["g"], **GOOGLE)[
        "IdentityProvider"
    ]

    described = api.describe_identity_provider(UserPoolId=pool.id, ProviderName="Google")["IdentityProvider"]
    assert made == described
    assert {name: made[name] for name in GOOGLE} == GOOGLE
    for identifier in ("Google", "g"):
        found = api.get_identity_provider_by_identifier(UserPoolId=pool.id, IdpIdentifier=identifier)
        assert found["IdentityProvider"] == made


def test_update_keeps_what_is_not_sent(pool: Pool, api: Any) -> None:
    api.create_identity_provider(UserPoolId=pool.id, **GOOGLE)

    mapping = {"email": "email"}
    updated = api.update_identity_provider(
        UserPoolId=pool.id, ProviderName="Google", AttributeMapping=mapping
    )["IdentityProvider"]

    assert (updated["ProviderDetails"], updated["AttributeMapping"]) == (DETAILS, mapping)


def test_second_provider_of_a_name_is_refused(pool: Pool, api: Any) -> None:
    api.create_identity_provider(UserPoolId=pool.id, **GOOGLE)

    with pytest.raises(ClientError, match="DuplicateProviderException"):
        api.create_identity_provider(UserPoolId=pool.id, **GOOGLE)


def test_identifier_of_another_provider_is_refused(pool: Pool, api: Any) -> None:
    api.create_identity_provider(UserPoolId=pool.id, IdpIdentifiers=["g"], **GOOGLE)

    with pytest.raises(ClientError, match="already used"):
        api.create_identity_provider(
            UserPoolId=pool.id, IdpIdentifiers=["g"], **{**GOOGLE, "ProviderName": "Other"}
        )


@pytest.mark.parametrize(
    ("kind", "details", "missing"),
    [
        ("Google", {"client_id": "id", "client_secret": "secret"}, "authorize_scopes"),
        ("SAML", {"IDPSignout": "true"}, "MetadataURL or MetadataFile"),
        ("OIDC", {**DETAILS, "attributes_request_method": "GET"}, "oidc_issuer"),
    ],
)
def test_provider_without_a_needed_detail_is_refused(
    pool: Pool, api: Any, kind: str, details: dict[str, str], missing: str
) -> None:
    with pytest.raises(ClientError, match=f"ProviderDetails must have {missing}"):
        api.create_identity_provider(
            UserPoolId=pool.id, ProviderName="Provider", ProviderType=kind, ProviderDetails=details
        )


def test_deleted_provider_is_not_found(pool: Pool, api: Any) -> None:
    api.create_identity_provider(UserPoolId=pool.id, **GOOGLE)
    api.delete_identity_provider(UserPoolId=pool.id, ProviderName="Google")

    assert api.list_identity_providers(UserPoolId=pool.id)["Providers"] == []
    with pytest.raises(ClientError, match="Identity provider Google does not exist"):
        api.describe_identity_provider(UserPoolId=pool.id, ProviderName="Google")
    with pytest.raises(ClientError, match="Identity provider Google does not exist"):
        api.get_identity_provider_by_identifier(UserPoolId=pool.id, IdpIdentifier="Google")


def test_app_client_names_providers_that_exist(pool: Pool, api: Any) -> None:
    with pytest.raises(ClientError, match=f"The provider Google does not exist for User Pool {pool.id}"):
        pool.app_client(supported_identity_providers=["COGNITO", "Google"])

    api.create_identity_provider(UserPoolId=pool.id, **GOOGLE)
    assert pool.app_client(supported_identity_providers=["COGNITO", "Google"]).client_id


def test_tags_are_added_listed_and_removed(pool: Pool, api: Any) -> None:
    arn = api.describe_user_pool(UserPoolId=pool.id)["UserPool"]["Arn"]
    api.tag_resource(ResourceArn=arn, Tags={"team": "us", "stage": "test"})
    api.tag_resource(ResourceArn=arn, Tags={"stage": "live"})
    api.untag_resource(ResourceArn=arn, TagKeys=["team", "unknown"])

    assert api.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"stage": "live"}
    assert api.describe_user_pool(UserPoolId=pool.id)["UserPool"]["UserPoolTags"] == {"stage": "live"}


def test_fifty_first_tag_is_refused(pool: Pool, api: Any) -> None:
    arn = api.describe_user_pool(UserPoolId=pool.id)["UserPool"]["Arn"]
    api.tag_resource(ResourceArn=arn, Tags={str(number): "" for number in range(50)})

    with pytest.raises(ClientError, match="at most 50 tags"):
        api.tag_resource(ResourceArn=arn, Tags={"another": ""})


def test_tags_of_an_unknown_resource_are_not_found(pool: Pool, api: Any) -> None:
    arn = api.describe_user_pool(UserPoolId=pool.id)["UserPool"]["Arn"]

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        api.list_tags_for_resource(ResourceArn=f"{arn}0")
