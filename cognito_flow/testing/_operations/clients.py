"""App clients of a user pool.

Rule of this file: an app client is what was sent, with the service's defaults. Deleting it ends its sign-ins.

Source: CreateUserPoolClient in the service model. The texts that refuse scopes, flows and HTTP are those of
reports; the texts for other OAuth settings are LocalCognito's own. OAuth settings without
AllowedOAuthFlowsUserPoolClient are accepted: the model says that they need it, but not that they are refused.
"""

from __future__ import annotations

import secrets
import string
from datetime import timedelta
from urllib.parse import urlsplit

from cognito_flow.testing._operations.paging import page
from cognito_flow.testing._operations.request import Operation, Request
from cognito_flow.testing._operations.resource_servers import check_scopes
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.attributes import schema
from cognito_flow.testing._state.records import Client, UserPool
from cognito_flow.testing._state.refusal import Refusal, invalid_parameter

_LOWER = string.ascii_lowercase + string.digits
_LASTING = ("ClientId", "ClientName", "ClientSecret", "CreationDate")
_DEFAULTS: Members = {
    "RefreshTokenValidity": 30,
    "TokenValidityUnits": {},
    "AllowedOAuthFlowsUserPoolClient": False,
    "EnableTokenRevocation": True,
    "EnablePropagateAdditionalUserContextData": False,
    "AuthSessionValidity": 3,
}

# How long tokens may live: the parameters AccessTokenValidity, IdTokenValidity and RefreshTokenValidity of
# CreateUserPoolClient, and "Understanding user pool JSON web tokens" in the developer guide.
_LIVES = {
    "AccessToken": (timedelta(minutes=5), timedelta(days=1)),
    "IdToken": (timedelta(minutes=5), timedelta(days=1)),
    "RefreshToken": (timedelta(hours=1), timedelta(days=3650)),
}

# The hosts whose callback URLs may use HTTP.
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _random(length: int) -> str:
    return "".join(secrets.choice(_LOWER) for _ in range(length))


def create_user_pool_client(request: Request) -> Members:
    """CreateUserPoolClient."""
    pool, parameters = request.pool(), dict(request.parameters)
    request.check_quota(pool.clients)
    if parameters.pop("GenerateSecret", False):
        if "ClientSecret" in parameters:
            raise invalid_parameter("GenerateSecret cannot be used with ClientSecret.")
        parameters["ClientSecret"] = _random(51)
    dates = {"CreationDate": request.now.timestamp(), "LastModifiedDate": request.now.timestamp()}
    client = Client({**_DEFAULTS, **parameters, **dates, "ClientId": _random(26)})
    _check(pool, client)
    pool.clients[client.id] = client
    return {"UserPoolClient": dict(client.members)}


def _check(pool: UserPool, client: Client) -> None:
    known = set(schema(pool))
    for kind in ("write", "read"):
        if not set(client.members.get(f"{kind.title()}Attributes", ())) <= known:
            raise invalid_parameter(f"Invalid {kind} attributes specified while creating a client")
    for provider in client.members.get("SupportedIdentityProviders", ()):
        if provider != "COGNITO" and provider not in pool.identity_providers:
            raise invalid_parameter(f"The provider {provider} does not exist for User Pool {pool.id}.")
    flows = client.members.get("ExplicitAuthFlows", ())
    if len({flow.startswith("ALLOW_") for flow in flows}) > 1:
        text = "Legacy ExplicitAuthFlows cannot be used together with those that begin with ALLOW_."
        raise invalid_parameter(text)
    if "ALLOW_CLIENT_TOKEN_AUTH" in flows and (len(flows) > 1 or client.secret is None):
        text = "ALLOW_CLIENT_TOKEN_AUTH needs a client secret, and must be the only authentication flow."
        raise invalid_parameter(text)
    if client.rotates and "ALLOW_REFRESH_TOKEN_AUTH" in flows:
        raise invalid_parameter("ALLOW_REFRESH_TOKEN_AUTH cannot be used with refresh token rotation.")
    for token, (shortest, longest) in _LIVES.items():
        if not shortest <= client.validity(token) <= longest:
            raise invalid_parameter("Invalid range for token validity.")
    _check_oauth(pool, client)


def _check_oauth(pool: UserPool, client: Client) -> None:
    check_scopes(pool, client.members.get("AllowedOAuthScopes", ()), "ScopeDoesNotExistException")
    flows = set(client.members.get("AllowedOAuthFlows", ()))
    if "client_credentials" in flows and len(flows) > 1:
        text = "client_credentials flow can not be selected along with code flow or implicit flow."
        raise Refusal("InvalidOAuthFlowException", text)
    if "client_credentials" in flows and client.secret is None:
        text = "client_credentials flow can not be selected if client does not have a client secret."
        raise Refusal("InvalidOAuthFlowException", text)
    callbacks, default = client.members.get("CallbackURLs", ()), client.members.get("DefaultRedirectURI")
    for url in callbacks:
        _check_callback(url)
    if default is not None and default not in callbacks:
        raise invalid_parameter("DefaultRedirectURI must be one of CallbackURLs.")


def _check_callback(url: str) -> None:
    """Check a callback URL. One with a scheme of an app, such as myapp://example, is allowed."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise invalid_parameter(f"{url} is not an absolute URI.") from error
    if "#" in url:
        raise invalid_parameter(f"{url} cannot contain a fragment.")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise invalid_parameter(f"{url} cannot use the HTTP protocol.")


def describe_user_pool_client(request: Request) -> Members:
    """DescribeUserPoolClient."""
    _, client = request.client()
    return {"UserPoolClient": dict(client.members)}


def update_user_pool_client(request: Request) -> Members:
    """UpdateUserPoolClient. Members that are not sent are reset to their defaults, as in the service."""
    pool, client = request.client()
    kept = {name: client.members[name] for name in _LASTING if name in client.members}
    modified = {"LastModifiedDate": request.now.timestamp()}
    members = {**_DEFAULTS, **kept, **request.parameters, **modified}
    _check(pool, Client(members))
    client.members = members
    return {"UserPoolClient": dict(client.members)}


def delete_user_pool_client(request: Request) -> Members:
    """DeleteUserPoolClient."""
    pool, client = request.client()
    del pool.clients[client.id]
    for user in pool.users.values():
        user.grants = [grant for grant in user.grants if grant.client_id != client.id]
    return {}


def list_user_pool_clients(request: Request) -> Members:
    """ListUserPoolClients."""
    names = ("ClientId", "UserPoolId", "ClientName")
    clients = request.pool().clients.values()
    shown = {client.id: {name: client.members[name] for name in names} for client in clients}
    listed, more = page(request, shown, limit="MaxResults")
    return {"UserPoolClients": listed, **more}


OPERATIONS: dict[str, Operation] = {
    "CreateUserPoolClient": create_user_pool_client,
    "DeleteUserPoolClient": delete_user_pool_client,
    "DescribeUserPoolClient": describe_user_pool_client,
    "ListUserPoolClients": list_user_pool_clients,
    "UpdateUserPoolClient": update_user_pool_client,
}
