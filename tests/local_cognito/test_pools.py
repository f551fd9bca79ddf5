"""User pools and app clients: created, changed, listed and deleted through boto3."""

from __future__ import annotations

import re
from functools import partial
from importlib.resources import files
from typing import Any, cast

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError, ReadTimeoutError
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cognito_flow.testing import LocalCognito
from cognito_flow.testing._operations.request import MOST_IN_A_POOL
from cognito_flow.testing._state.signing import SigningKeys
from tests.local_cognito.wire import PASSWORD, Wire, refusal
from tests.support.contract import needs_member

OWN_SECRET = needs_member("CreateUserPoolClientRequest", "ClientSecret")

INVALID = "InvalidParameterException"


@pytest.fixture
def api(cognito: LocalCognito) -> Any:
    """A boto3 client."""
    return cognito.client()


def listed(operation: Any, member: str, key: str, **parameters: Any) -> list[Any]:
    """All items of a list, read in pages."""
    found: list[Any] = []
    more: dict[str, str] = {}
    while True:
        answer = operation(**parameters, **more)
        found += [item[key] for item in answer[member]]
        if "NextToken" not in answer:
            return found
        more = {"NextToken": answer["NextToken"]}


# The order of SchemaAttributes in AWS's own examples of DescribeUserPool.
STANDARD_ATTRIBUTES = [
    "sub",
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "email",
    "email_verified",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "phone_number",
    "phone_number_verified",
    "address",
    "updated_at",
]


# -- pools --


def test_new_pool_has_the_defaults_of_the_service(api: Any) -> None:
    made = api.create_user_pool(PoolName="people")["UserPool"]

    assert api.describe_user_pool(UserPoolId=made["Id"])["UserPool"] == made
    assert made["Name"] == "people"
    assert made["MfaConfiguration"] == "OFF"
    assert made["UserPoolTier"] == "ESSENTIALS"
    assert made["DeletionProtection"] == "INACTIVE"
    assert made["Policies"]["PasswordPolicy"]["MinimumLength"] == 8
    assert made["Policies"]["SignInPolicy"] == {"AllowedFirstAuthFactors": ["PASSWORD"]}
    assert made["AdminCreateUserConfig"] == {
        "AllowAdminCreateUserOnly": False,
        "UnusedAccountValidityDays": 7,
    }
    attributes = {entry["Name"]: entry for entry in made["SchemaAttributes"]}
    assert [*attributes] == STANDARD_ATTRIBUTES
    assert attributes["sub"]["Mutable"] is False
    assert attributes["birthdate"]["StringAttributeConstraints"] == {"MinLength": "10", "MaxLength": "10"}
    assert attributes["updated_at"]["AttributeDataType"] == "Number"


def test_username_and_alias_attributes_together_are_refused(api: Any) -> None:
    both = {"AliasAttributes": ["email"], "UsernameAttributes": ["email"]}
    text = "Only one of the aliasAttributes or usernameAttributes can be set in a user pool."

    assert refusal(lambda: api.create_user_pool(PoolName="p", **both)) == (INVALID, text)


def test_pool_update_resets_what_is_not_sent(api: Any, cognito: LocalCognito) -> None:
    lasting = {"UsernameAttributes": ["email"], "UserPoolTier": "PLUS"}
    fleeting = {"AutoVerifiedAttributes": ["email"], "DeviceConfiguration": {}}
    ids = {"UserPoolId": api.create_user_pool(PoolName="old", **lasting, **fleeting)["UserPool"]["Id"]}
    cognito.clock.advance(60)
    api.update_user_pool(PoolName="new", DeletionProtection="ACTIVE", **ids)
    pool = api.describe_user_pool(**ids)["UserPool"]

    assert (pool["Name"], pool["DeletionProtection"]) == ("new", "ACTIVE")
    assert {name: pool[name] for name in lasting} == lasting
    assert not set(fleeting) & set(pool)
    assert (pool["LastModifiedDate"] - pool["CreationDate"]).total_seconds() == 60
    api.update_user_pool(**ids)
    assert api.describe_user_pool(**ids)["UserPool"]["Name"] == "new"


def test_pool_update_without_mfa_configuration_turns_mfa_off(api: Any) -> None:
    sms = {"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"}}
    ids = {"UserPoolId": api.create_user_pool(PoolName="p")["UserPool"]["Id"]}

    text = (
        "SMS configuration and Auto verification for phone_number are required when MFA is required/optional"
    )
    refused = (INVALID, text)
    assert refusal(lambda: api.update_user_pool(MfaConfiguration="ON", **ids)) == refused
    assert refusal(lambda: api.create_user_pool(PoolName="p", MfaConfiguration="OPTIONAL")) == refused
    api.update_user_pool(MfaConfiguration="ON", **sms, **ids)
    assert api.get_user_pool_mfa_config(**ids)["SmsMfaConfiguration"] == sms
    api.update_user_pool(**ids)
    assert api.get_user_pool_mfa_config(**ids)["MfaConfiguration"] == "OFF"


def test_deleted_pool_is_gone_with_users_and_tokens(wire: Wire) -> None:
    token = wire.password()["AuthenticationResult"]["AccessToken"]
    wire.api.delete_user_pool(UserPoolId=wire.pool.id)

    assert refusal(wire.password)[0] == "ResourceNotFoundException"
    assert refusal(lambda: wire.api.get_user(AccessToken=token))[0] == "NotAuthorizedException"
    gone = refusal(lambda: wire.api.delete_user_pool(UserPoolId=wire.pool.id))
    assert gone == ("ResourceNotFoundException", f"User pool {wire.pool.id} does not exist.")


def test_token_of_a_deleted_pool_is_refused_by_a_new_pool_with_the_same_keys(wire: Wire) -> None:
    token = wire.password()["AuthenticationResult"]["AccessToken"]
    alice = wire.pool.user("alice")
    wire.api.delete_user_pool(UserPoolId=wire.pool.id)
    new = wire.cognito.create_pool()
    state = wire.cognito.state(new.id)
    state.users["alice"] = alice

    assert state.keys == SigningKeys(0)
    refused = refusal(lambda: wire.api.get_user(AccessToken=token))
    assert refused == ("NotAuthorizedException", "Invalid Access Token")


def test_pools_never_share_keys_after_one_was_deleted(api: Any, cognito: LocalCognito) -> None:
    first, _, _ = (api.create_user_pool(PoolName=name)["UserPool"]["Id"] for name in "abc")
    api.delete_user_pool(UserPoolId=first)
    api.create_user_pool(PoolName="d")
    ids = listed(api.list_user_pools, "UserPools", "Id", MaxResults=60)

    assert len({cognito.state(pool_id).keys.number for pool_id in ids}) == len(ids) == 3


def test_access_token_finds_its_pool_among_pools_without_keys() -> None:
    keys, unused = SigningKeys(0), SigningKeys(10**9)
    token = keys.sign({"sub": "x"}, "access")

    assert keys.has_signed(token)
    assert not keys.has_signed(keys.sign({"sub": "x"}, "id"))
    assert not keys.has_signed("no token")
    assert not unused.has_signed(token)


def test_pool_with_deletion_protection_is_not_deleted(api: Any) -> None:
    made = api.create_user_pool(PoolName="p", DeletionProtection="ACTIVE")["UserPool"]
    ids = {"UserPoolId": made["Id"]}
    code, text = refusal(lambda: api.delete_user_pool(**ids))

    assert (code, "deletion protection" in text) == (INVALID, True)
    api.update_user_pool(DeletionProtection="INACTIVE", **ids)
    api.delete_user_pool(**ids)


@pytest.mark.parametrize("size", [1, 2, 3, 60])
def test_pools_are_listed_in_pages(api: Any, size: int) -> None:
    names = {f"pool {number}" for number in range(5)}
    for name in names:
        api.create_user_pool(PoolName=name)
    found = listed(api.list_user_pools, "UserPools", "Name", MaxResults=size)

    assert len(found) == len(names)
    assert set(found) == names


# -- custom attributes --


def test_custom_attributes_are_added_once_with_their_prefix(api: Any, wire: Wire) -> None:
    ids = {"UserPoolId": wire.pool.id}
    add = partial(api.add_custom_attributes, **ids)
    add(CustomAttributes=[{"Name": "team", "AttributeDataType": "String"}])
    names = [a["Name"] for a in api.describe_user_pool(**ids)["UserPool"]["SchemaAttributes"]]

    assert names[-1] == "custom:team"
    again = refusal(lambda: add(CustomAttributes=[{"Name": "team", "AttributeDataType": "String"}]))
    assert again == (INVALID, "custom:team: Existing attribute already has name custom:team.")
    twice = refusal(lambda: add(CustomAttributes=[{"Name": "seat", "AttributeDataType": "String"}] * 2))
    assert twice[0] == INVALID
    required = refusal(
        lambda: add(CustomAttributes=[{"Name": "seat", "AttributeDataType": "String", "Required": True}])
    )
    assert required == (INVALID, "Required custom attributes are not supported currently.")
    value = {"Name": "custom:team", "Value": "red"}
    wire.api.admin_update_user_attributes(Username="alice", UserAttributes=[value], **ids)
    assert value in wire.api.admin_get_user(Username="alice", **ids)["UserAttributes"]


TEXT = {"Name": "team", "AttributeDataType": "String"}

CUSTOM: Any = [
    {
        "Name": "team",
        "AttributeDataType": "String",
        "Mutable": False,
        "StringAttributeConstraints": {"MinLength": "2", "MaxLength": "5"},
    },
    {
        "Name": "age",
        "AttributeDataType": "Number",
        "NumberAttributeConstraints": {"MinValue": "0", "MaxValue": "150"},
    },
    {"Name": "member", "AttributeDataType": "Boolean"},
    {"Name": "since", "AttributeDataType": "DateTime"},
    {"Name": "note", "AttributeDataType": "String", "DeveloperOnlyAttribute": True},
    {"Name": "nickname", "Required": True},
]


@pytest.mark.parametrize(
    ("name", "right", "wrong", "said"),
    [
        ("custom:team", "blue", "b", "Length must be at least 2."),
        ("custom:team", "green", "orange", "Length must be at most 5."),
        ("custom:age", "0", "-1", "Value must be at least 0."),
        ("custom:age", "150", "151", "Value must be at most 150."),
        ("custom:age", "7", "x", "Value must be a number."),
        ("custom:member", "true", "yes", "Value must be true or false."),
        ("birthdate", "2000-12-31", "2000", "Length must be at least 10."),
        ("nickname", "Al", "", "The attribute is required"),
        ("team", None, "red", "Attribute does not exist in the schema."),
        ("custom:since", "2026-11-05", None, None),
        ("dev:custom:note", "kept", None, None),
    ],
)
def test_attribute_value_must_fit_the_schema(
    cognito: LocalCognito, name: str, right: str | None, wrong: str | None, said: str | None
) -> None:
    wire = Wire(cognito.create_pool(schema=CUSTOM))
    wire.pool.add_user("alice", PASSWORD)
    update = partial(wire.api.admin_update_user_attributes, UserPoolId=wire.pool.id, Username="alice")
    if wrong is not None:
        text = f"Attributes did not conform to the schema: {name}: {said}"
        bad = [{"Name": name, "Value": wrong}]
        assert refusal(lambda: update(UserAttributes=bad)) == (INVALID, text)
    if right is not None:
        update(UserAttributes=[{"Name": name, "Value": right}])
        assert wire.pool.user("alice").attributes[name] == right


@pytest.mark.parametrize(
    ("name", "right", "wrong", "said"),
    [
        ("email", "al@example.com", "al", "Invalid email address format."),
        ("phone_number", "+31612345678", "0612345678", "Invalid phone number format."),
    ],
)
def test_malformed_address_is_refused(wire: Wire, name: str, right: str, wrong: str, said: str) -> None:
    update = partial(wire.api.admin_update_user_attributes, UserPoolId=wire.pool.id, Username="bob")

    assert refusal(lambda: update(UserAttributes=[{"Name": name, "Value": wrong}])) == (INVALID, said)
    update(UserAttributes=[{"Name": name, "Value": right}])
    assert wire.pool.user("bob").attributes[name] == right


@pytest.mark.parametrize(
    ("attribute", "said"),
    [
        ({"AttributeDataType": "String"}, "An attribute of the schema must have a name."),
        (
            {"Name": "team"},
            "Invalid AttributeDataType input, consider using the provided AttributeDataType enum.",
        ),
        (
            {"Name": "team", "AttributeDataType": "String", "Required": True},
            "Required custom attributes are not supported currently.",
        ),
        (
            {**TEXT, "StringAttributeConstraints": {"MinLength": "few"}},
            "Invalid MinLength for schema attribute custom:team",
        ),
        (
            {**TEXT, "StringAttributeConstraints": {"MinLength": "5", "MaxLength": "4"}},
            "user.custom:team: Max length cannot be less than min length.",
        ),
        (
            {**TEXT, "StringAttributeConstraints": {"MaxLength": "2049"}},
            "user.custom:team: String attributes cannot have a length of more than 2048",
        ),
        (
            {
                "Name": "age",
                "AttributeDataType": "Number",
                "NumberAttributeConstraints": {"MinValue": "2", "MaxValue": "1"},
            },
            "user.custom:age: Max value cannot be less than min value.",
        ),
        (
            {"Name": "email", "AttributeDataType": "Number"},
            (
                "You can not change AttributeDataType or set developerOnlyAttribute for standard schema attribute "
                "email"
            ),
        ),
        (
            {"Name": "email", "AttributeDataType": "String", "DeveloperOnlyAttribute": True},
            (
                "You can not change AttributeDataType or set developerOnlyAttribute for standard schema attribute "
                "email"
            ),
        ),
    ],
    ids=str,
)
def test_wrong_schema_attribute_is_refused_at_creation_and_later(
    api: Any, wire: Wire, attribute: dict[str, Any], said: str
) -> None:
    create = partial(api.create_user_pool, PoolName="p", Schema=[attribute])
    add = partial(api.add_custom_attributes, UserPoolId=wire.pool.id, CustomAttributes=[attribute])

    assert refusal(create) == refusal(add) == (INVALID, said)


def test_immutable_attribute_cannot_be_changed_or_deleted(cognito: LocalCognito) -> None:
    wire = Wire(cognito.create_pool(schema=CUSTOM))
    wire.pool.add_user("alice", PASSWORD, attributes={"custom:team": "red"})
    user = {"UserPoolId": wire.pool.id, "Username": "alice"}
    text = "user.custom:team: Attribute cannot be updated."
    value = [{"Name": "custom:team", "Value": "blue"}]
    update = partial(wire.api.admin_update_user_attributes, UserAttributes=value, **user)
    delete = partial(wire.api.admin_delete_user_attributes, UserAttributeNames=["custom:team"], **user)

    assert refusal(update) == (INVALID, text)
    assert refusal(delete) == (INVALID, text)


# -- app clients --


def test_new_app_client_has_the_defaults_of_the_service(api: Any, wire: Wire) -> None:
    made = api.create_user_pool_client(UserPoolId=wire.pool.id, ClientName="app")["UserPoolClient"]
    ids = {"UserPoolId": wire.pool.id, "ClientId": made["ClientId"]}

    assert api.describe_user_pool_client(**ids)["UserPoolClient"] == made
    assert made["RefreshTokenValidity"] == 30
    assert made["AuthSessionValidity"] == 3
    assert made["EnableTokenRevocation"] is True
    assert "ClientSecret" not in made


def test_updated_app_client_keeps_name_and_secret_and_resets_the_rest(api: Any, wire: Wire) -> None:
    app = wire.pool.app_client(secret=True, auth_session_validity=15, refresh_token_validity=7)
    ids = {"UserPoolId": wire.pool.id, "ClientId": app.client_id}
    described = api.update_user_pool_client(**ids, IdTokenValidity=2)["UserPoolClient"]

    assert (described["ClientName"], described["ClientSecret"]) == ("app", app.client_secret)
    assert (
        described["IdTokenValidity"],
        described["AuthSessionValidity"],
        described["RefreshTokenValidity"],
    ) == (2, 3, 30)


@pytest.mark.parametrize(
    "members",
    [
        {"ExplicitAuthFlows": ["ALLOW_USER_AUTH", "USER_PASSWORD_AUTH"]},
        {
            "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH"],
            "RefreshTokenRotation": {"Feature": "ENABLED"},
        },
        {"AccessTokenValidity": 25},
        {"IdTokenValidity": 299, "TokenValidityUnits": {"IdToken": "seconds"}},
        {"RefreshTokenValidity": 59, "TokenValidityUnits": {"RefreshToken": "minutes"}},
        {"RefreshTokenValidity": 3651},
        pytest.param({"GenerateSecret": True, "ClientSecret": "s" * 24}, marks=OWN_SECRET),
    ],
    ids=str,
)
def test_contradicting_app_client_settings_are_refused(api: Any, wire: Wire, members: dict[str, Any]) -> None:
    create = partial(api.create_user_pool_client, UserPoolId=wire.pool.id, ClientName="app")

    assert refusal(lambda: create(**members))[0] == INVALID
    if "GenerateSecret" not in members:
        ids = {"UserPoolId": wire.pool.id, "ClientId": wire.client_id}
        assert refusal(lambda: api.update_user_pool_client(**ids, **members))[0] == INVALID
        assert "AuthenticationResult" in wire.password()


@pytest.mark.parametrize("factors", [["WEB_AUTHN"], ["PASSWORD", "SOFTWARE_TOKEN"]], ids=str)
def test_first_factors_that_cannot_begin_every_sign_in_are_refused(
    api: Any, wire: Wire, factors: list[str]
) -> None:
    policies = {"SignInPolicy": {"AllowedFirstAuthFactors": factors}}
    described = partial(api.describe_user_pool, UserPoolId=wire.pool.id)
    before = described()["UserPool"]

    assert refusal(lambda: api.create_user_pool(PoolName="shop", Policies=policies))[0] == INVALID
    update = partial(api.update_user_pool, UserPoolId=wire.pool.id, Policies=policies, MfaConfiguration="OFF")
    assert refusal(update)[0] == INVALID
    assert described()["UserPool"] == before


NOT_ALONE = "client_credentials flow can not be selected along with code flow or implicit flow."
NO_SECRET = "client_credentials flow can not be selected if client does not have a client secret."
NOT_LISTED = "DefaultRedirectURI must be one of CallbackURLs."


@pytest.mark.parametrize(
    ("members", "code", "text"),
    [
        (
            {"AllowedOAuthScopes": ["solar/write"]},
            "ScopeDoesNotExist",
            "Invalid scope requested: solar/write",
        ),
        ({"AllowedOAuthFlows": ["client_credentials"]}, "InvalidOAuthFlow", NO_SECRET),
        ({"AllowedOAuthFlows": ["client_credentials", "code"]}, "InvalidOAuthFlow", NOT_ALONE),
        ({"DefaultRedirectURI": "https://a.example"}, "InvalidParameter", NOT_LISTED),
        ({"CallbackURLs": ["https://a.example/#x"]}, "InvalidParameter", "cannot contain a fragment."),
        ({"CallbackURLs": ["http://a.example"]}, "InvalidParameter", "cannot use the HTTP protocol."),
        ({"CallbackURLs": ["http://localhost.example"]}, "InvalidParameter", "cannot use the HTTP protocol."),
        ({"CallbackURLs": ["https://[a.example"]}, "InvalidParameter", "is not an absolute URI."),
    ],
    ids=str,
)
def test_oauth_settings_that_cognito_does_not_allow_are_refused(
    api: Any, wire: Wire, members: dict[str, Any], code: str, text: str
) -> None:
    ids = {"UserPoolId": wire.pool.id}
    create = partial(api.create_user_pool_client, ClientName="app", **ids)
    update = partial(api.update_user_pool_client, ClientId=wire.client_id, **ids)
    for call in (create, update):
        refused = refusal(partial(call, **members))
        assert refused[0] == f"{code}Exception"
        assert refused[1].endswith(text)


def test_oauth_settings_that_cognito_allows_are_kept(api: Any, wire: Wire) -> None:
    scopes = [{"ScopeName": "read", "ScopeDescription": "Read planets"}]
    api.create_resource_server(UserPoolId=wire.pool.id, Identifier="solar", Name="Solar", Scopes=scopes)
    local = ["http://localhost:3000/done", "http://127.0.0.1", "http://[::1]:8080/"]
    login = {
        "CallbackURLs": ["https://a.example/done?x=1", "myapp://example", *local],
        "DefaultRedirectURI": "myapp://example",
        "AllowedOAuthFlows": ["code", "implicit"],
        "AllowedOAuthScopes": ["openid", "email", "phone", "profile", "aws.cognito.signin.user.admin"],
    }
    machine = {"AllowedOAuthFlows": ["client_credentials"], "AllowedOAuthScopes": ["solar/read"]}
    create = partial(api.create_user_pool_client, UserPoolId=wire.pool.id, ClientName="app")
    made = create(**login)["UserPoolClient"]
    other = create(**machine, GenerateSecret=True)["UserPoolClient"]

    assert {name: made[name] for name in login} == login
    assert {name: other[name] for name in machine} == machine


def test_refresh_token_validity_of_zero_is_thirty_days(wire: Wire) -> None:
    units: Any = {"RefreshToken": "seconds"}
    limited = Wire(
        wire.pool, wire.pool.app_client(refresh_token_validity=0, token_validity_units=units).client_id
    )
    token = limited.password()["AuthenticationResult"]["RefreshToken"]
    wire.cognito.clock.advance(30 * 86400 - 1)
    limited.start("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token)
    wire.cognito.clock.advance(1)
    refused = refusal(lambda: limited.start("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token))
    assert refused == ("NotAuthorizedException", "Refresh Token has expired")


@OWN_SECRET
def test_given_client_secret_is_used(api: Any, wire: Wire) -> None:
    made = api.create_user_pool_client(UserPoolId=wire.pool.id, ClientName="app", ClientSecret="s" * 24)

    assert made["UserPoolClient"]["ClientSecret"] == "s" * 24


SAML: dict[str, Any] = {"ProviderType": "SAML", "ProviderDetails": {"MetadataURL": "https://okta.example"}}


@pytest.mark.parametrize(
    ("operation", "kind", "name", "more"),
    [
        ("CreateGroup", "groups", "GroupName", {}),
        ("CreateIdentityProvider", "identity_providers", "ProviderName", SAML),
        ("CreateResourceServer", "resource_servers", "Identifier", {"Name": "Solar"}),
        ("CreateUserPoolClient", "clients", "ClientName", {}),
    ],
)
def test_pool_that_is_full_refuses_another_one(
    cognito: LocalCognito, operation: str, kind: str, name: str, more: dict[str, Any]
) -> None:
    pool = cognito.create_pool()
    existing = getattr(cognito.state(pool.id), kind)
    existing |= {key: {} for key in map(str, range(MOST_IN_A_POOL[operation] - 1 - len(existing)))}
    create = getattr(cognito.client(), xform_name(operation))
    create(UserPoolId=pool.id, **{name: "last"}, **more)

    with pytest.raises(ClientError, match="LimitExceededException"):
        create(UserPoolId=pool.id, **{name: "another"}, **more)


def test_deleted_app_client_ends_its_own_sign_ins_alone(wire: Wire) -> None:
    doomed = Wire(wire.pool, wire.pool.app_client().client_id)
    tokens = doomed.password()["AuthenticationResult"]
    other = wire.password()["AuthenticationResult"]
    open_challenge = doomed.start_srp()
    wire.api.delete_user_pool_client(UserPoolId=wire.pool.id, ClientId=doomed.client_id)

    gone = "ResourceNotFoundException"
    assert refusal(doomed.password)[0] == gone
    assert refusal(lambda: doomed.prove(open_challenge, doomed.claim(open_challenge)))[0] == gone
    assert (
        refusal(lambda: doomed.start("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=tokens["RefreshToken"]))[0] == gone
    )
    revoked = refusal(lambda: wire.api.get_user(AccessToken=tokens["AccessToken"]))
    assert revoked == ("NotAuthorizedException", "Access Token has been revoked")
    assert wire.api.get_user(AccessToken=other["AccessToken"])["Username"] == "alice"


@pytest.mark.parametrize("size", [{}, {"MaxResults": 2}], ids=str)
def test_app_clients_are_listed_in_pages(api: Any, wire: Wire, size: dict[str, int]) -> None:
    made = {wire.pool.app_client(client_name=f"app {number}").client_id for number in range(5)}
    Wire(wire.cognito.create_pool())
    found = listed(api.list_user_pool_clients, "UserPoolClients", "ClientId", UserPoolId=wire.pool.id, **size)

    assert sorted(found) == sorted({*made, wire.client_id})


def test_name_with_letters_beyond_ascii_is_refused(api: Any) -> None:
    """The model's pattern has \\w, which is ASCII in Java."""
    code, text = refusal(lambda: api.create_user_pool(PoolName="Käse"))

    assert code == INVALID
    assert "'poolName' failed to satisfy constraint: Member must satisfy regular expression pattern" in text


def test_pagination_token_of_another_request_is_refused(api: Any, wire: Wire) -> None:
    other = wire.cognito.create_pool()
    for pool in (wire.pool, other):
        for number in range(3):
            pool.app_client(client_name=f"app {number}")
    ask = partial(api.list_user_pool_clients, UserPoolId=wire.pool.id)
    token = ask(MaxResults=1)["NextToken"]
    expected = (INVALID, "Invalid pagination token given.")

    assert len(ask(NextToken=token)["UserPoolClients"]) == 3
    assert refusal(lambda: ask(NextToken="made-up")) == expected
    assert refusal(lambda: ask(NextToken=f"{token[:50]}!{token[50:]}")) == expected
    elsewhere = partial(api.list_user_pool_clients, UserPoolId=other.id, NextToken=token)
    assert refusal(elsewhere) == expected
    assert refusal(lambda: api.list_groups(UserPoolId=wire.pool.id, NextToken=token)) == expected


@given(token=st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_made_up_pagination_token_is_refused(api: Any, wire: Wire, token: str) -> None:
    ask = partial(api.list_groups, UserPoolId=wire.pool.id, NextToken=token)

    assert refusal(ask) == (INVALID, "Invalid pagination token given.")


def test_next_page_is_complete_after_items_were_deleted(api: Any, wire: Wire) -> None:
    for name in "abcd":
        api.create_group(UserPoolId=wire.pool.id, GroupName=name)
    first = api.list_groups(UserPoolId=wire.pool.id, Limit=2)
    api.delete_group(UserPoolId=wire.pool.id, GroupName="b")
    second = api.list_groups(UserPoolId=wire.pool.id, Limit=2, NextToken=first["NextToken"])

    assert [group["GroupName"] for group in first["Groups"] + second["Groups"]] == ["a", "b", "c", "d"]
    assert "NextToken" not in second


def test_triggers_are_shown_in_lambda_config(wire: Wire) -> None:
    wire.pool.triggers["PreSignUp"] = lambda event: event
    shown = wire.api.describe_user_pool(UserPoolId=wire.pool.id)["UserPool"]["LambdaConfig"]
    assert shown["PreSignUp"].startswith("arn:aws:lambda:eu-west-1:")


def test_unknown_attributes_are_all_named_one_a_line(wire: Wire) -> None:
    given = [{"Name": name, "Value": "x"} for name in ("custom:a", "nickname", "custom:b")]
    update = partial(wire.api.admin_update_user_attributes, UserPoolId=wire.pool.id, Username="alice")

    assert refusal(lambda: update(UserAttributes=given)) == (
        INVALID,
        (
            "Attributes did not conform to the schema: custom:a: Attribute does not exist in the schema.\n"
            "custom:b: Attribute does not exist in the schema."
        ),
    )


def test_verification_message_template_is_shown_in_the_older_members_too(api: Any) -> None:
    template = {"EmailMessage": "{####}", "EmailSubject": "Code", "SmsMessage": "Your code: {####}"}
    made = api.create_user_pool(PoolName="p", VerificationMessageTemplate=template)["UserPool"]

    assert made["VerificationMessageTemplate"] == {"DefaultEmailOption": "CONFIRM_WITH_CODE", **template}
    assert made["EmailVerificationMessage"] == "{####}"
    assert made["EmailVerificationSubject"] == "Code"
    assert made["SmsVerificationMessage"] == "Your code: {####}"


@pytest.mark.parametrize("kind", ["read", "write"])
def test_client_attributes_outside_the_schema_are_refused(api: Any, wire: Wire, kind: str) -> None:
    ids = {"UserPoolId": wire.pool.id}
    attributes = {f"{kind.title()}Attributes": ["email", "custom:none"]}
    expected = (INVALID, f"Invalid {kind} attributes specified while creating a client")
    create = partial(api.create_user_pool_client, ClientName="app", **ids)
    update = partial(api.update_user_pool_client, ClientId=wire.client_id, **ids)

    assert refusal(lambda: create(**attributes)) == refusal(lambda: update(**attributes)) == expected
    create(**{f"{kind.title()}Attributes": ["email"]})


def test_pools_beyond_the_published_test_keys_get_generated_keys(cognito: LocalCognito) -> None:
    pools = [cognito.create_pool() for _ in range(5)]
    wire = Wire(pools[-1])
    wire.pool.add_user("alice", PASSWORD)
    made_up = refusal(lambda: wire.api.get_user(AccessToken="x.y.z"))
    token = wire.password()["AuthenticationResult"]["AccessToken"]
    keys: list[Any] = [key for pool in pools for key in cast("Any", pool.jwks())["keys"]]

    assert made_up == ("NotAuthorizedException", "Invalid Access Token")
    assert wire.api.get_user(AccessToken=token)["Username"] == "alice"
    assert len({key["n"] for key in keys}) == 10


def test_published_test_keys_are_valid_rsa_keys() -> None:
    text = (files("cognito_flow.testing._state") / "test_keys.pem").read_bytes()
    blocks = re.findall(rb"-----BEGIN.*?-----END[^\n]*", text, re.DOTALL)

    keys = [load_pem_private_key(block, None) for block in blocks]  # it checks the numbers
    assert [cast("Any", key).key_size for key in keys] == [2048] * 8


def test_pool_is_created_without_a_client_and_refused_as_through_one(cognito: LocalCognito) -> None:
    with pytest.raises(ClientError, match="Member must satisfy enum value set") as refused:
        cognito.create_pool(mfa_configuration="SOMETIMES")  # type: ignore[arg-type]  # refused
    error: Any = refused.value.response
    assert error["Error"]["Code"] == INVALID
    with pytest.raises(TypeError, match="not JSON serializable"):
        cognito.create_pool(policies=object())  # type: ignore[arg-type]  # refused
    cognito.faults.lose("CreateUserPool")
    with pytest.raises(ReadTimeoutError):
        cognito.create_pool()
