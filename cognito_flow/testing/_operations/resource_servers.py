"""Resource servers: the APIs whose custom scopes a pool puts into access tokens.

Source: "Scopes, M2M, and resource servers" in the Amazon Cognito developer guide.
"""

from __future__ import annotations

from collections.abc import Iterable

from cognito_flow.testing._operations.paging import page
from cognito_flow.testing._operations.request import Operation, Request
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import UserPool
from cognito_flow.testing._state.refusal import Refusal, invalid_parameter

_STANDARD = {"aws.cognito.signin.user.admin", "email", "openid", "phone", "profile"}


def custom_scopes(pool: UserPool) -> set[str]:
    """Return every custom scope of the pool, as ``identifier/scope``."""
    return {
        f"{identifier}/{scope['ScopeName']}"
        for identifier, server in pool.resource_servers.items()
        for scope in server.get("Scopes", ())
    }


def check_scopes(pool: UserPool, scopes: Iterable[str], code: str = "InvalidParameterException") -> None:
    """Check that scopes exist in a pool.

    Raises:
        Refusal: One of them does not.
    """
    known = custom_scopes(pool) | _STANDARD
    for scope in scopes:
        if scope not in known:
            raise Refusal(code, f"Invalid scope requested: {scope}")


def resource_server(pool: UserPool, identifier: str) -> Members:
    """Return the resource server with this identifier.

    Raises:
        Refusal: There is none.
    """
    server = pool.resource_servers.get(identifier)
    if server is None:
        raise Refusal("ResourceNotFoundException", f"Resource server {identifier} does not exist.")
    return server


def _named(request: Request) -> tuple[UserPool, Members]:
    pool = request.pool()
    return pool, resource_server(pool, request.parameters["Identifier"])


def create_resource_server(request: Request) -> Members:
    """CreateResourceServer."""
    pool, identifier = request.pool(), request.parameters["Identifier"]
    if identifier in pool.resource_servers:
        raise invalid_parameter(f"{identifier} already exists in user pool {pool.id}.")
    request.check_quota(pool.resource_servers)
    pool.resource_servers[identifier] = dict(request.parameters)
    return {"ResourceServer": pool.resource_servers[identifier]}


def describe_resource_server(request: Request) -> Members:
    """DescribeResourceServer."""
    _, server = _named(request)
    return {"ResourceServer": server}


def update_resource_server(request: Request) -> Members:
    """UpdateResourceServer. Scopes that are not sent are removed."""
    pool, server = _named(request)
    pool.resource_servers[server["Identifier"]] = dict(request.parameters)
    return {"ResourceServer": pool.resource_servers[server["Identifier"]]}


def delete_resource_server(request: Request) -> Members:
    """DeleteResourceServer."""
    pool, server = _named(request)
    del pool.resource_servers[server["Identifier"]]
    return {}


def list_resource_servers(request: Request) -> Members:
    """ListResourceServers."""
    listed, more = page(request, request.pool().resource_servers, "MaxResults")
    return {"ResourceServers": listed, **more}


OPERATIONS: dict[str, Operation] = {
    "CreateResourceServer": create_resource_server,
    "DeleteResourceServer": delete_resource_server,
    "DescribeResourceServer": describe_resource_server,
    "ListResourceServers": list_resource_servers,
    "UpdateResourceServer": update_resource_server,
}
