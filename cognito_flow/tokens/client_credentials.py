"""Access tokens of an app client itself, for machines that call APIs without a user.

Rule of this file: a source differs from `TokenSource` only in how it gets new tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from cognito_flow._checks import check_list
from cognito_flow._exchange import Exchange
from cognito_flow._json import as_object
from cognito_flow._result import read_tokens
from cognito_flow._tracebacks import without_locals
from cognito_flow._transport.clients import Clients
from cognito_flow._transport.drivers import AsyncDriver, Driver, Transport
from cognito_flow._turn import Settings, Turn
from cognito_flow.errors import UnexpectedResponse, UsageError
from cognito_flow.models import AppClient, System, Tokens
from cognito_flow.tokens.source import AsyncTokenSource, TokenSource, TokenState


@without_locals
class ClientCredentialsSource(TokenSource):
    """Always-fresh access tokens of an app client, for machine-to-machine calls.

    It has the methods of `TokenSource`, so every HTTP adapter takes it. A token is requested when it is first
    needed, kept until it is about to expire, and requested once however many threads ask. Needs an app client
    with a secret and ALLOW_CLIENT_TOKEN_AUTH as its only flow.

    Args:
        app: The app client, with its secret.
        client: A boto3 client for ``cognito-idp``; None uses an unsigned client.
        scopes: The scopes to request, as ``resource-server/scope``; none requests all that the app client may
            have.
        leeway: How long before it expires a token is replaced, in seconds.
        on_tokens: Called with the new `Tokens` each time they change.
        system: Injectable clock, randomness and sleep, for tests.

    Raises:
        UsageError: The app client has no secret, or `scopes` is a str.

    Source: GetClientToken in the Amazon Cognito API reference.

    >>> from cognito_flow import AppClient, ClientCredentialsSource
    >>> app = AppClient("eu-west-1_AbC123", "client-id", "the secret of the app client")
    >>> source = ClientCredentialsSource(app, scopes=["orders/read"])  # source.access_token() gets a token
    """

    def __init__(
        self,
        app: AppClient,
        client: object | None = None,
        *,
        scopes: Iterable[str] = (),
        leeway: float = 60,
        on_tokens: Callable[[Tokens], object] | None = None,
        system: System | None = None,
    ) -> None:
        system = System() if system is None else system
        driver = Driver(Transport(Clients(app, client, admin=False), system, None))
        super().__init__(driver, _state(app, scopes, leeway, on_tokens, system))


@without_locals
class AsyncClientCredentialsSource(AsyncTokenSource):
    """`ClientCredentialsSource` for asyncio: the same names, awaitable.

    Args:
        app: As for `ClientCredentialsSource`.
        client: A boto3 client, which is called in worker threads, or an aiobotocore client.
        scopes: As for `ClientCredentialsSource`.
        leeway: As for `ClientCredentialsSource`.
        on_tokens: As for `ClientCredentialsSource`; may be a coroutine function.
        system: As for `ClientCredentialsSource`.
    """

    def __init__(
        self,
        app: AppClient,
        client: object | None = None,
        *,
        scopes: Iterable[str] = (),
        leeway: float = 60,
        on_tokens: Callable[[Tokens], object] | None = None,
        system: System | None = None,
    ) -> None:
        system = System() if system is None else system
        driver = AsyncDriver(Transport(Clients(app, client, admin=False), system, None))
        super().__init__(driver, _state(app, scopes, leeway, on_tokens, system))


def _state(
    app: AppClient,
    scopes: Iterable[str],
    leeway: float,
    on_tokens: Callable[[Tokens], object] | None,
    system: System,
) -> TokenState:
    if app.client_secret is None:
        raise UsageError(
            "an app client needs a secret for tokens of its own: pass client_secret to AppClient"
        )
    request: dict[str, object] = {"ClientId": app.client_id, "Secret": app.client_secret}
    if wanted := check_list("scopes", scopes):
        request["Scopes"] = wanted

    def renew(turn: Turn, _tokens: Tokens) -> Exchange[Tokens]:
        response = yield from turn.call("GetClientToken", request)
        result = as_object(response.data.get("ClientAuthenticationResult"))
        if result is None:
            raise UnexpectedResponse("Cognito answered GetClientToken without a token")
        turn.username = app.client_id  # the token names no user
        return read_tokens(turn, result, None)

    nothing_yet = Tokens("", expires_at=datetime.min.replace(tzinfo=UTC), username=app.client_id)
    return TokenState(Settings(app=app, system=system), nothing_yet, None, leeway, on_tokens, renew)
