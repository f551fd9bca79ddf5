"""User pools: creating, changing and deleting them.

Rule of this file: a pool is what was sent, with the service's defaults where others read it. Members that an
update does not send are reset to their defaults.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from itertools import count

from cognito_flow.testing._operations.messages import OLDER_MEMBERS
from cognito_flow.testing._operations.paging import page
from cognito_flow.testing._operations.request import Operation, Request
from cognito_flow.testing._state import Members, acr
from cognito_flow.testing._state.attributes import as_schema, check_schema, schema
from cognito_flow.testing._state.records import UserPool
from cognito_flow.testing._state.refusal import invalid_parameter
from cognito_flow.testing._state.signing import SigningKeys

_ALPHANUMERIC = string.ascii_letters + string.digits

# What only CreateUserPool sets, and the feature plan, which UpdateUserPool keeps unless it is sent.
_LASTING = ("AliasAttributes", "Schema", "UsernameAttributes", "UsernameConfiguration", "UserPoolTier")


def create_user_pool(request: Request) -> Members:
    """CreateUserPool."""
    members = {name: value for name, value in request.parameters.items() if name != "PoolName"}
    if members.get("UsernameAttributes") and members.get("AliasAttributes"):
        text = "Only one of the aliasAttributes or usernameAttributes can be set in a user pool."
        raise invalid_parameter(text)
    check_schema(members.get("Schema", ()))
    _check_first_factors(members)
    acr.configuration(members)
    pool_id = f"{request.region}_{''.join(secrets.choice(_ALPHANUMERIC) for _ in range(9))}"
    pool = UserPool(
        id=pool_id,
        members={"Name": request.parameters["PoolName"], **members},
        created_at=request.now,
        keys=_free_keys(request.every_pool),
        mfa=_mfa({}, members),
    )
    request.every_pool[pool.id] = pool
    return {"UserPool": _describe(pool)}


def _check_first_factors(members: Members) -> None:
    """Check AllowedFirstAuthFactors.

    Source: SignInPolicyType in the service model on SOFTWARE_TOKEN, and "Authentication flows" in the
    developer guide on passkeys. They do not name the errors.

    Raises:
        Refusal: SOFTWARE_TOKEN is a first factor, or a passkey is the only one.
    """
    factors = set(members.get("Policies", {}).get("SignInPolicy", {}).get("AllowedFirstAuthFactors", ()))
    if "SOFTWARE_TOKEN" in factors:
        raise invalid_parameter("SOFTWARE_TOKEN cannot be one of AllowedFirstAuthFactors.")
    if factors == {"WEB_AUTHN"}:
        raise invalid_parameter("WEB_AUTHN cannot be the only one of AllowedFirstAuthFactors.")


def _free_keys(pools: Mapping[str, UserPool]) -> SigningKeys:
    """Keys that no other pool uses."""
    taken = {pool.keys.number for pool in pools.values()}
    return SigningKeys(next(number for number in count() if number not in taken))


def _mfa(before: Members, members: Members) -> Members:
    """What SetUserPoolMfaConfig sets, after CreateUserPool or UpdateUserPool, which can only set SMS."""
    after: Members = {**before, "MfaConfiguration": members.get("MfaConfiguration", "OFF")}
    if "SmsConfiguration" in members:
        after["SmsMfaConfiguration"] = {"SmsConfiguration": members["SmsConfiguration"]}
    _check_mfa(after)
    return after


_NO_SECOND_FACTOR = (
    "SMS configuration and Auto verification for phone_number are required when MFA is required/optional"
)


def _check_mfa(mfa: Members) -> None:
    is_totp = bool(mfa.get("SoftwareTokenMfaConfiguration", {}).get("Enabled"))
    has_factor = is_totp or "SmsMfaConfiguration" in mfa or "EmailMfaConfiguration" in mfa
    if mfa["MfaConfiguration"] != "OFF" and not has_factor:
        raise invalid_parameter(_NO_SECOND_FACTOR)


def _functions(pool: UserPool) -> Members:
    """The triggers that were set in Python, shown as Lambda functions."""
    return {name: f"arn:aws:lambda:{pool.region}:123456789012:function:{name}" for name in pool.triggers}


def _describe(pool: UserPool) -> Members:
    template = {
        "DefaultEmailOption": "CONFIRM_WITH_CODE",
        **pool.members.get("VerificationMessageTemplate", {}),
    }
    return {
        "DeletionProtection": "INACTIVE",
        "UserPoolTier": "ESSENTIALS",
        "EmailConfiguration": {"EmailSendingAccount": "COGNITO_DEFAULT"},
        "UserPoolTags": {},
        **{OLDER_MEMBERS[name]: text for name, text in template.items() if name in OLDER_MEMBERS},
        **{name: value for name, value in pool.members.items() if name != "Schema"},
        "VerificationMessageTemplate": template,
        "AdminCreateUserConfig": {
            "AllowAdminCreateUserOnly": False,
            "UnusedAccountValidityDays": 7,
            **pool.members.get("AdminCreateUserConfig", {}),
        },
        "LambdaConfig": {**_functions(pool), **pool.members.get("LambdaConfig", {})},
        "Id": pool.id,
        "Arn": pool.arn,
        **_domains(pool),
        "Policies": {
            "PasswordPolicy": dict(pool.policy),
            "SignInPolicy": {"AllowedFirstAuthFactors": pool.first_factors},
        },
        **_levels(pool),
        "SchemaAttributes": list(schema(pool).values()),
        "MfaConfiguration": pool.mfa["MfaConfiguration"],
        "CreationDate": pool.created_at.timestamp(),
        "LastModifiedDate": pool.modified_at.timestamp(),
        "EstimatedNumberOfUsers": len(pool.users),
    }


def _domains(pool: UserPool) -> Members:
    kinds = {
        "CustomDomain" if "CustomDomainConfig" in configured else "Domain": domain
        for domain, configured in pool.domains.items()
    }
    return dict(kinds)


def _levels(pool: UserPool) -> Members:
    """The names of all levels, if some were set: an older service model does not know them."""
    return {"AcrConfiguration": acr.configuration(pool.members)} if "AcrConfiguration" in pool.members else {}


def describe_user_pool(request: Request) -> Members:
    """DescribeUserPool."""
    return {"UserPool": _describe(request.pool())}


def update_user_pool(request: Request) -> Members:
    """UpdateUserPool. Members that are not sent are reset to their defaults, as in the service."""
    pool = request.pool()
    given = {
        name: value for name, value in request.parameters.items() if name not in ("UserPoolId", "PoolName")
    }
    kept = {name: pool.members[name] for name in _LASTING if name in pool.members}
    _check_first_factors(given)
    acr.configuration({**kept, **given})
    pool.mfa = _mfa(pool.mfa, given)
    name = request.parameters.get("PoolName", pool.members["Name"])
    pool.members = {"Name": name, **kept, **given}
    pool.modified_at = request.now
    return {}


def delete_user_pool(request: Request) -> Members:
    """DeleteUserPool, with its users, app clients and tokens."""
    pool = request.pool()
    if pool.members.get("DeletionProtection") == "ACTIVE":
        text = "The user pool cannot be deleted because deletion protection is activated. "
        raise invalid_parameter(f"{text}Deletion protection must be inactivated first.")
    if pool.domains:
        text = "User pool cannot be deleted. It has a domain configured that should be deleted first."
        raise invalid_parameter(text)
    del request.every_pool[pool.id]
    return {}


def list_user_pools(request: Request) -> Members:
    """ListUserPools."""
    pools = {pool.id: _summarise(pool) for pool in request.pools.values()}
    listed, more = page(request, pools, limit="MaxResults")
    return {"UserPools": listed, **more}


def _summarise(pool: UserPool) -> Members:
    described = _describe(pool)
    return {
        name: described[name] for name in ("Id", "Name", "LambdaConfig", "LastModifiedDate", "CreationDate")
    }


def add_custom_attributes(request: Request) -> Members:
    """AddCustomAttributes."""
    pool, given = request.pool(), request.parameters["CustomAttributes"]
    check_schema(given)
    known = set(schema(pool))
    for attribute in given:
        name = as_schema(attribute)["Name"]
        if name in known:
            raise invalid_parameter(f"{name}: Existing attribute already has name {name}.")
        known.add(name)
    pool.members["Schema"] = [*pool.members.get("Schema", ()), *given]
    pool.modified_at = request.now
    return {}


def set_user_pool_mfa_config(request: Request) -> Members:
    """SetUserPoolMfaConfig."""
    pool = request.pool()
    given = {name: value for name, value in request.parameters.items() if name != "UserPoolId"}
    merged = {**pool.mfa, **given}
    _check_mfa(merged)
    pool.mfa, pool.modified_at = merged, request.now
    return dict(pool.mfa)


def get_user_pool_mfa_config(request: Request) -> Members:
    """GetUserPoolMfaConfig."""
    return dict(request.pool().mfa)


OPERATIONS: dict[str, Operation] = {
    "AddCustomAttributes": add_custom_attributes,
    "CreateUserPool": create_user_pool,
    "DeleteUserPool": delete_user_pool,
    "DescribeUserPool": describe_user_pool,
    "GetUserPoolMfaConfig": get_user_pool_mfa_config,
    "ListUserPools": list_user_pools,
    "SetUserPoolMfaConfig": set_user_pool_mfa_config,
    "UpdateUserPool": update_user_pool,
}
