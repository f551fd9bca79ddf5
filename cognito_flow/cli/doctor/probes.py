"""What an app client allows, as it can be learned without AWS credentials: from how Cognito refuses.

Rule of this file: no probe can sign anybody in, send a message or change anything. The user name and the
refresh token that are sent are drawn anew in each run, and belong to nobody. Refusals are told apart by their
types, because their texts are no part of the service model.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TypeAlias

import attrs

from cognito_flow._exchange import Response
from cognito_flow._srp import Ephemeral
from cognito_flow.cli.doctor.finding import Finding, Level, existence, no_secret
from cognito_flow.cli.doctor.probing_client import Outcome, ProbingClient
from cognito_flow.errors import (
    IncorrectPassword,
    Misconfigured,
    RefreshTokenInvalid,
    SecretHashMismatch,
    TransportError,
    UnexpectedResponse,
    UserNotFound,
)
from cognito_flow.models import AppClient
from cognito_flow.tokens.keys import KeySet, fetch_over_http

Outcomes: TypeAlias = Mapping[str, Outcome]

_PATIENCE = 10  # seconds to wait for the pool's keys


def look(client: ProbingClient) -> Iterator[Finding]:
    """Send the probes, and tell what the answers mean.

    Args:
        client: Calls Cognito without AWS credentials.

    Raises:
        CognitoFlowError: Cognito was not reached.
    """
    flows = {flow: _initiate(client, client.app, flow) for flow in _FLOWS}
    yield _keys(client.app)
    if any(map(_is_unknown, flows.values())):
        change = "check the client id, and that the pool is in this region"
        yield Finding(Level.PROBLEM, "ClientId", "there is no such app client", change)
        return
    yield from _secret(client, flows)
    yield from _existence(flows)
    yield from (_flow(flow, outcome) for flow, outcome in flows.items())
    yield from _nothing_allowed(flows)


# -- the probes --

_REFRESH = "REFRESH_TOKEN_AUTH"
_FLOWS = ("USER_SRP_AUTH", "USER_PASSWORD_AUTH", "CUSTOM_AUTH", "USER_AUTH", _REFRESH)


def _initiate(client: ProbingClient, app: AppClient, flow: str) -> Outcome:
    """InitiateAuth, with all that Cognito wants before it looks for the user."""
    username = _made_up()
    parameters = {"USERNAME": username, **_parameters(flow)}
    if (secret_hash := app.secret_hash(username)) is not None:
        parameters["SECRET_HASH"] = secret_hash
    request = {"AuthFlow": flow, "ClientId": app.client_id, "AuthParameters": parameters}
    return client.call("InitiateAuth", request)


def _parameters(flow: str) -> dict[str, str]:
    match flow:
        case "USER_SRP_AUTH":
            return {"SRP_A": Ephemeral.draw(secrets.token_bytes).srp_a}
        case "USER_PASSWORD_AUTH":
            return {"PASSWORD": _made_up()}
        case "REFRESH_TOKEN_AUTH":
            return {"REFRESH_TOKEN": _made_up()}
        case _:
            return {}


def _made_up() -> str:
    return f"doctor-{secrets.token_hex(16)}"


# -- what the answers mean --

_REACHED = (Response, UserNotFound, IncorrectPassword)  # it was the user that was not found


def _is_unknown(outcome: Outcome) -> bool:
    return isinstance(outcome, Misconfigured) and outcome.code == "ResourceNotFoundException"


def _keys(app: AppClient) -> Finding:
    """No call without AWS credentials takes the pool's id: only its keys stand under it."""
    keys = KeySet(app.jwks_url, fetch_over_http(_PATIENCE), _PATIENCE, lambda: datetime.now(UTC))
    try:
        keys.prefetch()
    except UnexpectedResponse as error:
        return Finding(Level.PROBLEM, "UserPoolId", str(error.args[0]), error.hint)
    except TransportError as error:
        change = "let this machine reach it: tokens cannot be verified without the keys"
        return Finding(Level.WARNING, "UserPoolId", str(error), change)
    return Finding(Level.OK, "UserPoolId", "it has keys; whether the app client is its own, --admin tells")


def _secret(client: ProbingClient, flows: Outcomes) -> Iterator[Finding]:
    """SECRET_HASH is looked at only where the flow is allowed."""
    known = [flow for flow, outcome in flows.items() if isinstance(outcome, (*_REACHED, SecretHashMismatch))]
    if not known:
        return
    is_refused = isinstance(flows[known[0]], SecretHashMismatch)
    if client.app.client_secret is None:
        yield _missing_secret() if is_refused else no_secret(was_given=False)
        return
    without = _initiate(client, attrs.evolve(client.app, client_secret=None), known[0])
    if isinstance(without, _REACHED):
        yield no_secret(was_given=True)
    elif is_refused:
        change = "give the secret of this very app client"
        yield Finding(Level.PROBLEM, "ClientSecret", "it is not the one that was given", change)
    else:
        yield Finding(Level.OK, "ClientSecret", "it is the one that was given")


def _missing_secret() -> Finding:
    change = "give it with --client-secret-env, and to AppClient"
    return Finding(Level.PROBLEM, "ClientSecret", "the app client has one, and none was given", change)


def _existence(flows: Outcomes) -> Iterator[Finding]:
    reached = [outcome for outcome in flows.values() if isinstance(outcome, _REACHED)]
    if reached:
        yield existence(is_hidden=not any(isinstance(outcome, UserNotFound) for outcome in reached))


def _flow(flow: str, outcome: Outcome) -> Finding:
    match outcome:
        case Response() | UserNotFound() | IncorrectPassword() | RefreshTokenInvalid():
            return Finding(Level.OK, flow, "it is allowed")
        case Misconfigured() if flow == _REFRESH:
            change = "add ALLOW_REFRESH_TOKEN_AUTH to ExplicitAuthFlows; RefreshTokenRotation takes its place"
            return Finding(Level.OFF, flow, str(outcome.args[0]), change)
        case Misconfigured():
            return Finding(Level.OFF, flow, str(outcome.args[0]), outcome.hint)
        case SecretHashMismatch():
            return Finding(Level.WARNING, flow, "whether it is allowed shows only with the right secret")
        case _:
            return Finding(Level.WARNING, flow, f"Cognito answered otherwise: {outcome}")


def _nothing_allowed(flows: Outcomes) -> Iterator[Finding]:
    if all(isinstance(outcome, Misconfigured) for flow, outcome in flows.items() if flow != _REFRESH):
        found = "nobody can sign in without AWS credentials"
        change = "add ALLOW_USER_SRP_AUTH to ExplicitAuthFlows"
        yield Finding(Level.PROBLEM, "ExplicitAuthFlows", found, change)
