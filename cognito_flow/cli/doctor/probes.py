"""Find out without AWS credentials what an app client allows: from how Cognito refuses.

Rule of this file: no probe can sign anyone in, send a message or change anything. The user names, passwords
and refresh tokens are made up in each run. Refusals are distinguished by their classes, because the service
model does not list their texts.
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


def findings(client: ProbingClient) -> Iterator[Finding]:
    """Send the probes, and return what the outcomes mean.

    Args:
        client: Calls Cognito without AWS credentials.

    Raises:
        CognitoFlowError: Cognito was not reached.
    """
    flows = {flow: _initiate(client, client.app, flow) for flow in _FLOWS}
    yield _keys(client)
    if any(map(_is_unknown, flows.values())):
        change = "check the client id, and that the pool is in this region"
        yield Finding(Level.PROBLEM, "ClientId", "there is no such app client", change)
        return
    yield from _secret(client, flows)
    yield from _existence(flows)
    yield from (_flow(flow, outcome, flows) for flow, outcome in flows.items())
    yield from _nothing_allowed(flows)


# -- the probes --

_REFRESH, _CUSTOM = "REFRESH_TOKEN_AUTH", "CUSTOM_AUTH"
_FLOWS = ("USER_SRP_AUTH", "USER_PASSWORD_AUTH", _CUSTOM, "USER_AUTH", _REFRESH)


def _initiate(client: ProbingClient, app: AppClient, flow: str) -> Outcome:
    """InitiateAuth, with everything that Cognito checks before it looks for the user."""
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

_REACHED = (Response, UserNotFound, IncorrectPassword)  # Cognito got as far as the user


def _is_unknown(outcome: Outcome) -> bool:
    return isinstance(outcome, Misconfigured) and outcome.code == "ResourceNotFoundException"


def _keys(client: ProbingClient) -> Finding:
    """Fetch the pool's keys: no call without AWS credentials takes the pool id, but their URL does."""
    timeout = client.connection.timeout
    keys = KeySet(client.app.jwks_url, fetch_over_http(timeout), timeout, lambda: datetime.now(UTC))
    try:
        with client.connection.waiting():
            keys.prefetch()
    except UnexpectedResponse as error:
        return Finding(Level.PROBLEM, "UserPoolId", str(error.args[0]), error.hint)
    except TransportError as error:
        change = "allow this machine to reach it: tokens cannot be verified without the keys"
        return Finding(Level.WARNING, "UserPoolId", str(error), change)
    found = "found; use --admin to check that the app client belongs to it"
    return Finding(Level.OK, "UserPoolId", found)


def _secret(client: ProbingClient, flows: Outcomes) -> Iterator[Finding]:
    """Cognito checks SECRET_HASH only for a flow that is allowed."""
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
        change = "pass this app client's own secret with --client-secret-env"
        yield Finding(Level.PROBLEM, "ClientSecret", "the secret that you gave is wrong", change)
    else:
        yield Finding(Level.OK, "ClientSecret", "the secret that you gave is right")


def _missing_secret() -> Finding:
    change = "pass --client-secret-env, and client_secret in your program"
    return Finding(Level.PROBLEM, "ClientSecret", "the app client has a secret, but you gave none", change)


def _existence(flows: Outcomes) -> Iterator[Finding]:
    reached = [outcome for outcome in flows.values() if isinstance(outcome, _REACHED)]
    if reached:
        yield existence(is_hidden=not any(isinstance(outcome, UserNotFound) for outcome in reached))


def _flow(flow: str, outcome: Outcome, flows: Outcomes) -> Finding:
    match outcome:
        case RefreshTokenInvalid() if any(isinstance(other, SecretHashMismatch) for other in flows.values()):
            # A made-up refresh token is refused before the secret is checked.
            return Finding(Level.WARNING, flow, "allowed, but only with the right secret")
        case UserNotFound() if flow == _CUSTOM:
            # A made-up user is refused before the triggers are needed.
            return Finding(Level.OK, flow, "allowed; use --admin to check that its triggers are set")
        case Response() | UserNotFound() | IncorrectPassword() | RefreshTokenInvalid():
            return Finding(Level.OK, flow, "allowed")
        case Misconfigured() if flow == _REFRESH:
            change = (
                "add ALLOW_REFRESH_TOKEN_AUTH to ExplicitAuthFlows, unless RefreshTokenRotation replaces it"
            )
            return Finding(Level.OFF, flow, str(outcome.args[0]), change)
        case Misconfigured():
            return Finding(Level.OFF, flow, str(outcome.args[0]), outcome.hint)
        case SecretHashMismatch():
            return Finding(Level.WARNING, flow, "unknown: only the right secret shows whether it is allowed")
        case _:
            return Finding(Level.WARNING, flow, f"unknown: {outcome}")


def _nothing_allowed(flows: Outcomes) -> Iterator[Finding]:
    if all(isinstance(outcome, Misconfigured) for flow, outcome in flows.items() if flow != _REFRESH):
        found = "no flow works without AWS credentials"
        change = "add ALLOW_USER_SRP_AUTH to ExplicitAuthFlows"
        yield Finding(Level.PROBLEM, "ExplicitAuthFlows", found, change)
