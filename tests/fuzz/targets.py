"""What is fuzzed: each function takes arbitrary bytes, and raises nothing but what callers are promised.

The same targets run with hypothesis (`test_targets.py`) and, guided by coverage, with atheris (`python -m tests.fuzz`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from cognito_flow import (
    AppClient,
    AuthFlow,
    CognitoFlowError,
    SealError,
    SmsMfa,
    StoreError,
    Tokens,
    TokenVerifier,
)
from cognito_flow._transport.attempts import problem_of
from cognito_flow.errors import ServiceError, TokenRejected, UnexpectedResponse, UsageError, from_service
from cognito_flow.handlers import HANDLERS, Handler, Pending, read_challenge
from cognito_flow.stores._document import Document
from cognito_flow.stores._records import check_record
from cognito_flow.tokens.keys import read_keys

APP = AppClient("eu-west-1_AbC123", "client-id")
CHALLENGES = sorted({str(handler.name) for handler in HANDLERS})
PARAMETERS = [
    "USERNAME",
    "USER_ID_FOR_SRP",
    "SRP_B",
    "SALT",
    "SECRET_BLOCK",
    "DEVICE_KEY",
    "CODE_DELIVERY_DESTINATION",
    "CODE_DELIVERY_DELIVERY_MEDIUM",
    "MFAS_CAN_CHOOSE",
    "MFAS_CAN_SETUP",
    "requiredAttributes",
    "userAttributes",
    "CREDENTIAL_REQUEST_OPTIONS",
    "AVAILABLE_CHALLENGES",
]


@cache
def flow() -> AuthFlow:
    """A flow that seals."""
    return AuthFlow(APP, seal_keys=["k" * 32])


@cache
def sealed() -> bytes:
    """A challenge that it sealed."""
    pending = Pending(
        name="SMS_MFA", username="alice", session="s" * 900, pool_id=APP.pool_id, client_id=APP.client_id
    )
    return flow().seal(SmsMfa(pending=pending)).encode()


def challenge_parameters(data: bytes) -> None:
    """Each challenge can be read, shown and kept, whatever its parameters are. The first byte chooses the challenge, and the first
    byte of each further line its parameter."""
    kind, *lines = data.split(b"\n") or [b""]
    parameters = {
        PARAMETERS[line[0] % len(PARAMETERS)]: line[1:].decode("utf-8", "replace") for line in lines if line
    }
    pending = Pending(
        name=CHALLENGES[(kind or b"\0")[0] % len(CHALLENGES)], username="alice", parameters=parameters
    )
    challenge = read_challenge(pending)
    assert isinstance(challenge, Handler)
    assert str(challenge)
    challenge.to_dict()


def token(data: bytes) -> None:
    """A verifier that has one key refuses every token that the key did not sign."""
    text = data.decode("utf-8", "surrogateescape")
    for verify in (_verifier().verify_access, _verifier().verify_id):
        try:
            verify(text)
        except TokenRejected:
            continue
        raise AssertionError(f"an unsigned token was accepted: {text!r}")
    try:
        Tokens.from_jwts(text, text)
    except (UsageError, UnexpectedResponse, TokenRejected):
        pass


@cache
def _verifier() -> TokenVerifier:
    from cognito_flow.testing import LocalCognito

    return LocalCognito().create_pool().verifier()


def key_set(data: bytes) -> None:
    """A key set is read, or refused as an unexpected response."""
    try:
        read_keys(data)
    except UnexpectedResponse:
        pass


def stored_document(data: bytes) -> None:
    """A stored file is read, or refused, with and without a key."""
    for keys in ((), ("k" * 32,)):
        try:
            _document(keys)._parse(data)
        except StoreError:
            continue


@cache
def _document(keys: tuple[str, ...]) -> Document:
    return Document.of(Path("never-opened"), check_record, keys, 1.0)


def stored_tokens(data: bytes) -> None:
    """Tokens are read from any JSON object, or refused."""
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(values, dict):
        try:
            Tokens.from_dict(values)
        except CognitoFlowError:
            pass


def sealed_text(data: bytes) -> None:
    """Nothing but what the flow sealed is opened: not arbitrary text, and not a sealed text with other bytes put into it."""
    good = sealed()
    place = int.from_bytes(data[:2]) % len(good)
    for text in (data, good[:place] + data[2:] + good[place + len(data[2:]) :]):
        if text == good:
            continue
        try:
            flow().unseal(text.decode("latin-1"))
        except SealError:
            continue
        raise AssertionError(f"a text that was not sealed was opened: {text!r}")


def response(data: bytes) -> None:
    """Any response is Cognito's, or a typed error. The first byte chooses the status."""
    status = (200, 202, 302, 400, 403, 429, 500, 503)[(data or b"\0")[0] % 8]
    headers = {"content-type": "application/x-amz-json-1.1", "x-amzn-requestid": "id"}
    error = problem_of("InitiateAuth", status, headers, data[1:])
    assert error is None or isinstance(error, CognitoFlowError)


def refusal(data: bytes) -> None:
    """Any error code and text of Cognito becomes a typed error that can be printed."""
    code, _, text = data.decode("utf-8", "surrogateescape").partition("\n")
    secret = "Sentinel-7"
    parameters: Any = {"AuthParameters": {"PASSWORD": secret}}
    error = from_service(code, f"{text}'{secret}'", parameters=parameters)
    assert isinstance(error, ServiceError)
    assert secret not in str(error).encode("utf-8").decode()


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        challenge_parameters,
        token,
        key_set,
        stored_document,
        stored_tokens,
        sealed_text,
        response,
        refusal,
    )
}

SEEDS: dict[str, tuple[bytes, ...]] = {
    "challenge_parameters": (
        bytes([CHALLENGES.index("NEW_PASSWORD_REQUIRED")])
        + b'\n\x0a["userAttributes.email"]\n\x0b{"email":"a@example.com"}',
        bytes([CHALLENGES.index("PASSWORD_VERIFIER")]) + b"\n\x02ab\n\x03cd\n\x04QUJD\n\x01alice",
        bytes([CHALLENGES.index("WEB_AUTHN")]) + b'\n\x0c{"challenge":"QUJD","rpId":"example.com"}',
    ),
    "token": (b"eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.eyJzdWIiOiJhIn0.QUJD", b"eyJhbGciOiJub25lIn0.e30."),
    "key_set": (b'{"keys":[{"kid":"a","kty":"RSA","alg":"RS256","use":"sig","n":"AQAB","e":"AQAB"}]}',),
    "stored_document": (
        b'{"cognito_flow":"store","version":1,"records":{}}',
        b'{"cognito_flow":"store","version":1,"sealed":"gAAAAA"}',
    ),
    "stored_tokens": (b'{"access_token":"a","expires_at":1,"username":"b","token_type":"Bearer"}',),
    "sealed_text": (b"gAAAAABl",),
    "response": (b'\0{"ChallengeName":"SMS_MFA"}', b'\3{"__type":"X","message":"y"}'),
    "refusal": (b"NotAuthorizedException\nIncorrect username or password.", b"X\nValue 'a' at 'b' failed"),
}
