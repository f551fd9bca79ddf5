"""The token endpoint of a user pool's domain: ``POST /oauth2/token``.

Rule of this file: a form becomes tokens, or an error of OAuth 2.0. Every answer is JSON that no cache may
keep.

Source: "The token issuer endpoint" in the Amazon Cognito developer guide, and RFC 6749, sections 2.3.1, 3.2,
4.4, 5 and 6. By the guide, an unknown app client and a wrong secret get status 400, too. "Exchanging tokens
for downstream services" in the guide says that this endpoint has a token exchange grant. Its form and its
errors are taken from RFC 8693, sections 2.1 and 2.2, which has no field for the identity provider of a token:
only tokens of the user pool are accepted.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_plus

import attrs

from cognito_flow._json import as_object, parse_json
from cognito_flow.testing._operations.client_tokens import client_token
from cognito_flow.testing._operations.request import Request
from cognito_flow.testing._operations.resource_servers import check_scopes, custom_scopes
from cognito_flow.testing._operations.token_exchange import exchange_flow, get_derived_token
from cognito_flow.testing._operations.tokens import get_tokens_from_refresh_token
from cognito_flow.testing._service import RecordedCall, Reply, Service
from cognito_flow.testing._state import Members
from cognito_flow.testing._state.records import Client, UserPool
from cognito_flow.testing._state.refusal import Refusal

PATH = "/oauth2/token"
OPERATION = "oauth2/token"
"""What `LocalCognito.calls` names it."""

_TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_TOKEN_TYPES = {
    "urn:ietf:params:oauth:token-type:access_token": "ACCESS_TOKEN",
    "urn:ietf:params:oauth:token-type:id_token": "ID_TOKEN",
}
_MOST_FIELDS = 20
_FORM = "application/x-www-form-urlencoded"


def answer(cognito: Service, headers: Mapping[str, str], body: bytes) -> Reply:
    """Answer a request.

    Args:
        cognito: The service.
        headers: The HTTP headers, by lower-case name.
        body: The body.
    """
    form: Members = {}
    error = None
    try:
        form = _form(headers, body)
        members = cognito.run(OPERATION, _grant, form, None)
    except Refusal as refusal:
        error, members = refusal.code, {"error": refusal.code, "error_description": refusal.text}
    cognito.calls.append(RecordedCall(OPERATION, tuple(form), error))
    content = json.dumps(members).encode()
    return Reply(
        400 if error else 200,
        {
            "Content-Type": "application/json;charset=UTF-8",
            "Content-Length": str(len(content)),
            "Cache-Control": "no-store",
            "Pragma": "no-cache",
        },
        content,
    )


def _form(headers: Mapping[str, str], body: bytes) -> Members:
    """The fields of the form, and client_id and client_secret of the header Authorization."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise Refusal("invalid_request", f"Content-Type must be {_FORM}.")
    try:
        fields = parse_qsl(body.decode("ascii"), max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Refusal("invalid_request", "The form cannot be read.") from None
    form = dict(fields)
    if len(form) < len(fields):
        raise Refusal("invalid_request", "A field is given more than once.")
    if "authorization" in headers:
        client_id, secret = _basic(headers["authorization"])
        if "client_secret" in form or form.get("client_id", client_id) != client_id:
            raise Refusal("invalid_request", "The app client is named both in the header and in the form.")
        form |= {"client_id": client_id, "client_secret": secret}
    return form


def _basic(header: str) -> tuple[str, str]:
    """Both parts are encoded like a form's. (RFC 6749, section 2.3.1.)"""
    scheme, _, encoded = header.partition(" ")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        decoded = ""
    client_id, colon, secret = decoded.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise Refusal(
            "invalid_request", "Authorization must be Basic, with the client id and the client secret."
        )
    return unquote_plus(client_id), unquote_plus(secret)


def _grant(request: Request) -> Members:
    form = request.parameters
    grants = {
        "client_credentials": _client_credentials,
        "refresh_token": _refresh_token,
        _TOKEN_EXCHANGE: _token_exchange,
    }
    grant_type = _need(form, "grant_type")
    if grant_type not in grants:
        raise Refusal("unsupported_grant_type", f"grant_type must be one of {', '.join(grants)}.")
    pool, client = _authenticated(request)
    if not pool.domains:
        raise Refusal("invalid_request", "The user pool has no domain: call CreateUserPoolDomain.")
    return grants[grant_type](request, pool, client)


def _need(form: Members, name: str) -> str:
    value = form.get(name)
    if not value:
        raise Refusal("invalid_request", f"{name} is missing.")
    return str(value)


def _authenticated(request: Request) -> tuple[UserPool, Client]:
    client_id = _need(request.parameters, "client_id")
    secret = request.parameters.get("client_secret", "")
    for pool in request.pools.values():
        client = pool.clients.get(client_id)
        if client is not None and hmac.compare_digest(secret.encode(), (client.secret or "").encode()):
            return pool, client
    raise Refusal("invalid_client", "The client id or the client secret is wrong.")


def _client_credentials(request: Request, pool: UserPool, client: Client) -> Members:
    allows = client.members.get("AllowedOAuthFlows", ())
    if not client.members["AllowedOAuthFlowsUserPoolClient"] or "client_credentials" not in allows:
        raise Refusal("unauthorized_client", "The app client does not allow the flow client_credentials.")
    allowed = custom_scopes(pool) & set(client.members.get("AllowedOAuthScopes", ()))
    wanted = set(request.parameters.get("scope", "").split()) or allowed
    if not wanted or not wanted <= allowed:
        raise Refusal("invalid_scope", "The app client does not allow these scopes.")
    try:
        token = client_token(pool, client, sorted(wanted), request.now, _metadata(request.parameters))
    except Refusal as refusal:  # of the trigger
        raise Refusal("invalid_request", refusal.text) from None
    return {
        "access_token": token,
        "expires_in": int(client.validity("AccessToken").total_seconds()),
        "token_type": "Bearer",
    }


def _metadata(form: Members) -> Mapping[str, str]:
    """ClientMetadata for the trigger, which the form has as JSON."""
    try:
        metadata = as_object(parse_json(form.get("aws_client_metadata", "{}")))
    except ValueError:
        metadata = None
    if metadata is None:
        raise Refusal("invalid_request", "aws_client_metadata is not a JSON object.")
    return {name: str(value) for name, value in metadata.items()}


def _refresh_token(request: Request, pool: UserPool, client: Client) -> Members:
    parameters = {
        "UserPoolId": pool.id,
        "ClientId": client.id,
        "ClientSecret": client.secret,
        "RefreshToken": _need(request.parameters, "refresh_token"),
    }
    try:
        result = get_tokens_from_refresh_token(attrs.evolve(request, parameters=parameters))
    except Refusal as refusal:
        raise Refusal("invalid_grant", refusal.text) from None
    named = {
        "id_token": "IdToken",
        "access_token": "AccessToken",
        "refresh_token": "RefreshToken",
        "expires_in": "ExpiresIn",
        "token_type": "TokenType",
    }
    tokens = result["AuthenticationResult"]
    return {name: tokens[member] for name, member in named.items() if member in tokens}


def _token_exchange(request: Request, pool: UserPool, client: Client) -> Members:
    form = request.parameters
    parameters: Members = {"ClientId": client.id, "ClientSecret": client.secret, **_exchanged(form)}
    flow = exchange_flow(parameters)
    if flow not in client.flows:
        raise Refusal("unauthorized_client", f"The app client does not allow the flow {flow}.")
    try:
        check_scopes(pool, parameters["Scopes"])
    except Refusal as refusal:
        raise Refusal("invalid_scope", refusal.text) from None
    try:
        result = get_derived_token(attrs.evolve(request, parameters=parameters))
    except Refusal as refusal:
        is_about_the_target = refusal.code == "ResourceNotFoundException"
        code = "invalid_target" if is_about_the_target else "invalid_request"
        raise Refusal(code, refusal.text) from None
    (issued,) = (urn for urn, kind in _TOKEN_TYPES.items() if kind == result["IssuedTokenType"])
    return {
        "access_token": result["IssuedToken"],  # its name also for an ID token (RFC 8693, section 2.2.1)
        "issued_token_type": issued,
        "token_type": result["TokenType"],
        "expires_in": result["ExpiresIn"],
        "scope": " ".join(result["Scopes"]),
    }


def _exchanged(form: Members) -> Members:
    """The form of a token exchange as members of GetDerivedToken."""
    members: Members = {
        "SubjectToken": _need(form, "subject_token"),
        "SubjectTokenType": _token_type(_need(form, "subject_token_type")),
        "Scopes": form.get("scope", "").split(),
    }
    if "actor_token" in form:
        members["ActorToken"] = form["actor_token"]
    for member, name in (
        ("ActorTokenType", "actor_token_type"),
        ("RequestedTokenType", "requested_token_type"),
    ):
        if name in form:
            members[member] = _token_type(form[name])
    for member, name in (("Audiences", "audience"), ("Resources", "resource")):
        if name in form:
            members[member] = [form[name]]
    return members


def _token_type(urn: str) -> str:
    kind = _TOKEN_TYPES.get(urn)
    if kind is None:
        raise Refusal("invalid_request", f"The type of a token must be one of {', '.join(_TOKEN_TYPES)}.")
    return kind
