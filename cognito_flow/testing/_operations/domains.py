"""Domains of user pools, which the token endpoint needs.

Rule of this file: a pool has at most one domain of Cognito's and one of its own. A domain is active at once.

Source: "Configuring a user pool domain" in the Amazon Cognito developer guide, and the texts that deployments
were refused with.
"""

from __future__ import annotations

from cognito_flow.testing._operations.request import Operation, Request
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import UserPool
from cognito_flow.testing._state.refusal import invalid_parameter

_RESERVED = ("aws", "amazon", "cognito")
_CONFIGURED = ("CustomDomainConfig", "ManagedLoginVersion", "Routing")


def _owner(request: Request, domain: str) -> UserPool | None:
    return next((pool for pool in request.pools.values() if domain in pool.domains), None)


def _own(request: Request) -> UserPool:
    pool = request.pools.get(request.parameters["UserPoolId"])
    if pool is None or request.parameters["Domain"] not in pool.domains:
        raise invalid_parameter("No such domain or user pool exists.")
    return pool


def _configure(request: Request, pool: UserPool) -> Members:
    parameters = request.parameters
    given = {name: parameters[name] for name in _CONFIGURED if name in parameters}
    pool.domains[parameters["Domain"]] = given
    shown: Members = {name: value for name, value in given.items() if name != "CustomDomainConfig"}
    return {**shown, "CloudFrontDomain": _distribution(pool)} if "CustomDomainConfig" in given else shown


def _distribution(pool: UserPool) -> str:
    """A made-up host: there is no distribution behind it."""
    return f"{pool.name.lower()}.cloudfront.invalid"


def create_user_pool_domain(request: Request) -> Members:
    """CreateUserPoolDomain. A domain is active at once."""
    pool, domain = request.pool(), request.parameters["Domain"]
    is_custom = "CustomDomainConfig" in request.parameters
    if "." in domain and not is_custom:
        text = "A prefix domain cannot have dots: set CustomDomainConfig for a custom domain."
        raise invalid_parameter(text)
    for word in () if is_custom else _RESERVED:
        if word in domain:
            raise invalid_parameter(f"Domain cannot contain reserved word: {word}")
    if _owner(request, domain) is not None:
        raise invalid_parameter("Domain already associated with another user pool.")
    if any(("CustomDomainConfig" in known) is is_custom for known in pool.domains.values()):
        raise invalid_parameter("User pool already has a domain configured.")
    return _configure(request, pool)


def _describe(pool: UserPool, domain: str) -> Members:
    return {
        **pool.domains[domain],
        "AWSAccountId": "123456789012",
        "Domain": domain,
        "Status": "ACTIVE",
        "UserPoolId": pool.id,
        "Version": "20160418000000",
        "CloudFrontDistribution": _distribution(pool),
    }


def describe_user_pool_domain(request: Request) -> Members:
    """DescribeUserPoolDomain. The description of an unknown domain is empty."""
    domain = request.parameters["Domain"]
    pool = _owner(request, domain)
    return {"DomainDescription": {} if pool is None else _describe(pool, domain)}


def update_user_pool_domain(request: Request) -> Members:
    """UpdateUserPoolDomain."""
    pool = _own(request)
    before = pool.domains[request.parameters["Domain"]]
    if ("CustomDomainConfig" in request.parameters) is not ("CustomDomainConfig" in before):
        raise invalid_parameter("A domain cannot be changed from a prefix to a custom domain, or back.")
    return _configure(request, pool)


def delete_user_pool_domain(request: Request) -> Members:
    """DeleteUserPoolDomain."""
    del _own(request).domains[request.parameters["Domain"]]
    return {}


OPERATIONS: dict[str, Operation] = {
    "CreateUserPoolDomain": create_user_pool_domain,
    "DeleteUserPoolDomain": delete_user_pool_domain,
    "DescribeUserPoolDomain": describe_user_pool_domain,
    "UpdateUserPoolDomain": update_user_pool_domain,
}
