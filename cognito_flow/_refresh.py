"""Refresh tokens, and revoke them, as exchanges."""

from __future__ import annotations

from cognito_flow._checks import refresh_token_of
from cognito_flow._exchange import Exchange
from cognito_flow._json import as_object
from cognito_flow._result import read_tokens
from cognito_flow._turn import Turn
from cognito_flow.errors import UnexpectedResponse
from cognito_flow.models import Event, Tokens


def refresh(turn: Turn, tokens: Tokens | str) -> Exchange[Tokens]:
    """Call GetTokensFromRefreshToken, which works with and without rotation.

    Args:
        turn: The turn.
        tokens: The tokens, or a refresh token alone.
    """
    refresh_token = refresh_token_of(tokens)
    turn.refresh_token, device_key = refresh_token, None
    if isinstance(tokens, Tokens):
        turn.username, device_key = tokens.username, tokens.device_key
    request: dict[str, object] = {
        "RefreshToken": refresh_token,
        **turn.authenticated_client(),
        **turn.client_metadata(),
    }
    if device_key is not None:
        request["DeviceKey"] = device_key
    response = yield from turn.call("GetTokensFromRefreshToken", request)
    result = as_object(response.data.get("AuthenticationResult"))
    if result is None:
        raise UnexpectedResponse("Cognito answered a refresh without tokens")
    turn.emit(Event(kind="refreshed"))
    return read_tokens(turn, result, device_key)


def revoke(turn: Turn, tokens: Tokens | str, linked: bool = False) -> Exchange[None]:
    """Call RevokeToken."""
    request = {"Token": refresh_token_of(tokens), **turn.authenticated_client()}
    if linked:
        request["RevokeAssociatedSessions"] = "LINKED"
    yield from turn.call("RevokeToken", request)
