"""The engine: a turn of a sign-in as an exchange of calls and responses.

Rule of this file: no I/O, no clock, no dice. It goes from credentials or an answer to the next step, answers
by itself what needs no person, and leaves how to the handlers.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import timedelta
from typing import TypeAlias

import jwt

from cognito_flow import _srp
from cognito_flow._exchange import Exchange, Response
from cognito_flow._json import as_list, as_object, as_text
from cognito_flow._turn import Turn
from cognito_flow.credentials import Credentials, RefreshTokenAuth, UserAuth
from cognito_flow.errors import CognitoFlowError, DeviceForgotten, UnexpectedResponse
from cognito_flow.handlers import Answer, Challenge, Pending, read_challenge
from cognito_flow.models import Device, Event, SignedIn, Tokens, refresh_token_of

__all__ = ["Step", "issued_at", "refresh", "revoke", "send", "start"]

Step: TypeAlias = SignedIn | Challenge

# Answers that the flow gives by itself in one turn. The longest chain that Cognito knows has four.
_MAX_HOPS = 16

_DEVICE_SECRET_LENGTH = 40  # bytes, as Amazon's own clients draw


def start(turn: Turn, credentials: Credentials) -> Exchange[Step]:
    """Begin a sign-in. If Cognito turns out to have forgotten the device, begin once more without it."""
    try:
        return (yield from _begin(turn, credentials))
    except DeviceForgotten:
        yield from turn.drop_device()
        return (yield from _begin(turn, credentials))


def _begin(turn: Turn, credentials: Credentials) -> Exchange[Step]:
    turn.username = turn.alias = credentials.username
    session: str | None = None
    if isinstance(credentials, RefreshTokenAuth):
        turn.refresh_token = credentials.tokens.refresh_token
    else:
        yield from turn.find_device(credentials.username)
    if isinstance(credentials, UserAuth):
        session = credentials.session
    response = yield from turn.initiate(
        credentials.auth_flow(turn), credentials.parameters(turn), session=session
    )
    return (yield from _go_on(turn, None, response))


def send(turn: Turn, answer: Answer) -> Exchange[Step]:
    """Go on with a sign-in."""
    pending = answer.challenge.pending
    turn.username, turn.alias, turn.device = (pending.username, pending.alias, pending.device)
    try:
        outcome = yield from answer.challenge.exchange(turn, answer)
        return (yield from _go_on(turn, pending, outcome))
    except DeviceForgotten:
        yield from turn.drop_device()
        raise


def refresh(turn: Turn, tokens: Tokens) -> Exchange[Tokens]:
    """GetTokensFromRefreshToken: the way to refresh that works with and without rotation."""
    turn.username, turn.refresh_token = tokens.username, refresh_token_of(tokens)
    request: dict[str, object] = {
        "RefreshToken": turn.refresh_token,
        **_client(turn),
        **turn.client_metadata(),
    }
    if tokens.device_key is not None:
        request["DeviceKey"] = tokens.device_key
    response = yield from turn.call("GetTokensFromRefreshToken", request)
    result = as_object(response.data.get("AuthenticationResult"))
    if result is None:
        raise UnexpectedResponse("Cognito answered a refresh without tokens")
    turn.emit(Event(kind="refreshed"))
    return read_tokens(turn, result, tokens.device_key)


def revoke(turn: Turn, tokens: Tokens) -> Exchange[None]:
    """RevokeToken."""
    yield from turn.call("RevokeToken", {"Token": refresh_token_of(tokens), **_client(turn)})


def _client(turn: Turn) -> dict[str, object]:
    """The app client, as the operations want it that take the secret itself."""
    app = turn.settings.app
    return {
        "ClientId": app.client_id,
        **({} if app.client_secret is None else {"ClientSecret": app.client_secret}),
    }


def _go_on(turn: Turn, previous: Pending | None, outcome: Response | Challenge) -> Exchange[Step]:
    """From an outcome to the next step, through all challenges that need no person."""
    for _ in range(_MAX_HOPS):
        if not isinstance(outcome, Response):
            return outcome
        result = as_object(outcome.data.get("AuthenticationResult"))
        if result is not None:
            return (yield from _finish(turn, result))
        challenge = yield from _read(turn, previous, outcome.data)
        answer = challenge.auto()
        if answer is None:
            return challenge
        previous = challenge.pending
        outcome = yield from challenge.exchange(turn, answer)
    raise UnexpectedResponse(
        f"the sign-in was answered {_MAX_HOPS} times without a person, and still goes on"
    )


def _read(turn: Turn, previous: Pending | None, data: Mapping[str, object]) -> Exchange[Challenge]:
    pending = yield from _pending(turn, previous, data)
    turn.username = pending.username
    challenge = read_challenge(pending, turn.settings.handlers)
    turn.emit(Event(kind="challenge", challenge=pending.name))
    return challenge


def _pending(turn: Turn, previous: Pending | None, data: Mapping[str, object]) -> Exchange[Pending]:
    name, session = data.get("ChallengeName"), data.get("Session")
    if not isinstance(name, str):
        raise UnexpectedResponse("Cognito answered with neither tokens nor a challenge")
    parameters = _texts(data.get("ChallengeParameters"))
    # USERNAME is absent from some challenges, and holds an alias in none: the newest word of Cognito counts.
    username = parameters.get("USERNAME") or parameters.get("USER_ID_FOR_SRP") or turn.username
    yield from turn.find_device(username)
    again = previous is not None and previous.name == name
    available = as_list(data.get("AvailableChallenges"))
    return Pending(
        name=name,
        username=username,
        parameters=parameters,
        session=as_text(session),
        available=tuple(str(item) for item in available or ()),
        pool_id=turn.settings.app.pool_id,
        client_id=turn.settings.app.client_id,
        alias=turn.alias,
        device=turn.device,
        attempt=previous.attempt + 1 if previous is not None and again else 1,
        is_repeat=previous is not None and again and _asked(previous.parameters) == _asked(parameters),
        received_at=turn.settings.system.now(),
    )


def _texts(values: object) -> dict[str, str]:
    return {name: str(value) for name, value in (as_object(values) or {}).items()}


def _asked(parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters without USERNAME, which Cognito gives or leaves out as it likes."""
    return {name: value for name, value in parameters.items() if name != "USERNAME"}


def _finish(turn: Turn, result: Mapping[str, object]) -> Exchange[SignedIn]:
    metadata = as_object(result.get("NewDeviceMetadata"))
    new_device = None if metadata is None else _new_device(turn, metadata)
    device = new_device or turn.device
    tokens = read_tokens(turn, result, None if device is None else device.key)
    turn.username = tokens.username
    kept: Device | None = None
    if new_device is not None:
        kept = yield from _confirm_device(turn, tokens, new_device)
    elif turn.device is not None:
        yield from turn.store_alias(turn.device)
    turn.emit(Event(kind="signed_in"))
    return SignedIn(tokens.username, tokens, kept)


def read_tokens(turn: Turn, result: Mapping[str, object], device_key: str | None) -> Tokens:
    """The tokens of an AuthenticationResult.

    The user name and the device are read from the access token without a check of its signature: it came over
    TLS from the pool itself.
    """
    access_token, expires_in = result.get("AccessToken"), result.get("ExpiresIn")
    if not isinstance(access_token, str) or not isinstance(expires_in, int):
        raise UnexpectedResponse("AuthenticationResult came without an AccessToken or without ExpiresIn")
    try:
        expires_at = turn.settings.system.now() + timedelta(seconds=expires_in)
    except OverflowError:
        raise UnexpectedResponse("AuthenticationResult came with an ExpiresIn beyond all bounds") from None
    claims = _claims(access_token)
    return Tokens(
        access_token,
        as_text(result.get("IdToken")),
        as_text(result.get("RefreshToken")) or turn.refresh_token,
        expires_at,
        as_text(result.get("TokenType")) or "Bearer",
        username=str(claims.get("username", turn.username)),
        device_key=as_text(claims.get("device_key", device_key)),
    )


def issued_at(tokens: Tokens) -> int | None:
    """When Cognito issued the tokens, in seconds since 1970 by its own clock, if the access token says so."""
    issued = _claims(tokens.access_token).get("iat")
    return issued if isinstance(issued, int) else None


def _claims(token: str) -> Mapping[str, object]:
    try:
        claims: Mapping[str, object] = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError):
        return {}  # an emulator's opaque token: the names that are known already must do
    return claims


def _new_device(turn: Turn, metadata: Mapping[str, object]) -> Device | None:
    key, group_key = metadata.get("DeviceKey"), metadata.get("DeviceGroupKey")
    if not isinstance(key, str) or not isinstance(group_key, str):
        return None
    secret = base64.b64encode(turn.settings.system.random_bytes(_DEVICE_SECRET_LENGTH)).decode()
    return Device(key, group_key, secret)


def _confirm_device(turn: Turn, tokens: Tokens, device: Device) -> Exchange[Device | None]:
    """Confirm a new device at once: unconfirmed, it would make the refresh fail. The tokens are worth more
    than the device, so a failure here is told as an event only."""
    try:
        asks_to_remember = yield from _confirm(turn, tokens, device)
    except CognitoFlowError as error:
        turn.emit(Event(kind="device_not_confirmed", operation=error.operation, error=error.code))
        return None
    turn.device = device
    yield from turn.store_device(device)
    turn.emit(Event(kind="device_confirmed"))
    if asks_to_remember and turn.settings.remember_devices:
        yield from _remember(turn, tokens, device)
    return device


def _confirm(turn: Turn, tokens: Tokens, device: Device) -> Exchange[bool]:
    """ConfirmDevice. True: the pool leaves it to the person whether the device is remembered."""
    identity = _srp.Identity(device.group_key, device.key, device.secret)
    verifier = _srp.device_verifier(identity, turn.settings.system.random_bytes)
    call: dict[str, object] = {
        "AccessToken": tokens.access_token,
        "DeviceKey": device.key,
        "DeviceSecretVerifierConfig": {"PasswordVerifier": verifier.password_verifier, "Salt": verifier.salt},
    }
    if turn.settings.device_name is not None:
        call["DeviceName"] = turn.settings.device_name
    answer = yield from turn.call("ConfirmDevice", call)
    return answer.data.get("UserConfirmationNecessary") is True


def _remember(turn: Turn, tokens: Tokens, device: Device) -> Exchange[None]:
    request = {
        "AccessToken": tokens.access_token,
        "DeviceKey": device.key,
        "DeviceRememberedStatus": "remembered",
    }
    try:
        yield from turn.call("UpdateDeviceStatus", request)
    except CognitoFlowError as error:
        turn.emit(Event(kind="device_not_remembered", operation=error.operation, error=error.code))
