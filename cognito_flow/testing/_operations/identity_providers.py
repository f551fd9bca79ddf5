"""Identity providers: their settings. No user signs in through them, because there is no managed login.

Rule of this file: a provider is what was sent; the details that Cognito adds to those of social providers are
not made up.

Source: CreateIdentityProvider in the API reference. The text of a duplicate is LocalCognito's own.
"""

from __future__ import annotations

from cognito_flow.testing._operations.paging import page
from cognito_flow.testing._operations.request import Operation, Request
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import UserPool
from cognito_flow.testing._state.refusal import Refusal, invalid_parameter

# One of each group must be given. (CreateIdentityProvider, ProviderDetails.)
_SOCIAL = (("client_id",), ("client_secret",), ("authorize_scopes",))
_NEEDED: dict[str, tuple[tuple[str, ...], ...]] = {
    "Facebook": _SOCIAL,
    "Google": _SOCIAL,
    "LoginWithAmazon": _SOCIAL,
    "OIDC": (("client_id",), ("attributes_request_method",), ("oidc_issuer",), ("authorize_scopes",)),
    "SAML": (("MetadataURL", "MetadataFile"),),
    "SignInWithApple": (("client_id",), ("team_id",), ("key_id",), ("authorize_scopes",)),
}


def _named(request: Request) -> tuple[UserPool, Members]:
    pool, name = request.pool(), request.parameters["ProviderName"]
    provider = pool.identity_providers.get(name)
    if provider is None:
        raise Refusal("ResourceNotFoundException", f"Identity provider {name} does not exist.")
    return pool, provider


def _check(pool: UserPool, provider: Members) -> None:
    details = provider["ProviderDetails"]
    for choices in _NEEDED[provider["ProviderType"]]:
        if not any(details.get(choice) for choice in choices):
            raise invalid_parameter(f"ProviderDetails must have {' or '.join(choices)}.")
    taken = {
        identifier
        for name, other in pool.identity_providers.items()
        for identifier in other.get("IdpIdentifiers", ())
        if name != provider["ProviderName"]
    }
    if taken.intersection(provider.get("IdpIdentifiers", ())):
        raise invalid_parameter("An identifier is already used by another identity provider.")


def _shown(provider: Members) -> Members:
    return {"IdentityProvider": dict(provider)}


def create_identity_provider(request: Request) -> Members:
    """CreateIdentityProvider. ProviderDetails are returned as they were sent."""
    pool, name = request.pool(), request.parameters["ProviderName"]
    if name in pool.identity_providers:
        raise Refusal("DuplicateProviderException", f"A provider with the name {name} already exists.")
    request.check_quota(pool.identity_providers)
    dates = {"CreationDate": request.now.timestamp(), "LastModifiedDate": request.now.timestamp()}
    provider: Members = {**request.parameters, **dates}
    _check(pool, provider)
    pool.identity_providers[name] = provider
    return _shown(provider)


def describe_identity_provider(request: Request) -> Members:
    """DescribeIdentityProvider."""
    return _shown(_named(request)[1])


def get_identity_provider_by_identifier(request: Request) -> Members:
    """GetIdentityProviderByIdentifier. A provider's name is an identifier, too."""
    wanted = request.parameters["IdpIdentifier"]
    for name, provider in request.pool().identity_providers.items():
        if wanted in (name, *provider.get("IdpIdentifiers", ())):
            return _shown(provider)
    raise Refusal("ResourceNotFoundException", f"Identity provider {wanted} does not exist.")


def update_identity_provider(request: Request) -> Members:
    """UpdateIdentityProvider. Members that are not sent keep their values."""
    pool, provider = _named(request)
    updated: Members = {**provider, **request.parameters, "LastModifiedDate": request.now.timestamp()}
    _check(pool, updated)
    pool.identity_providers[str(updated["ProviderName"])] = updated
    return _shown(updated)


def delete_identity_provider(request: Request) -> Members:
    """DeleteIdentityProvider."""
    pool, provider = _named(request)
    del pool.identity_providers[provider["ProviderName"]]
    return {}


def list_identity_providers(request: Request) -> Members:
    """ListIdentityProviders."""
    names = ("ProviderName", "ProviderType", "LastModifiedDate", "CreationDate")
    known = request.pool().identity_providers
    shown = {key: {name: provider[name] for name in names} for key, provider in known.items()}
    listed, more = page(request, shown, "MaxResults")
    return {"Providers": listed, **more}


OPERATIONS: dict[str, Operation] = {
    "CreateIdentityProvider": create_identity_provider,
    "DeleteIdentityProvider": delete_identity_provider,
    "DescribeIdentityProvider": describe_identity_provider,
    "GetIdentityProviderByIdentifier": get_identity_provider_by_identifier,
    "ListIdentityProviders": list_identity_providers,
    "UpdateIdentityProvider": update_identity_provider,
}
