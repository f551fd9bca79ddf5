"""The HTTP door under 100,000 mutated requests: always JSON of Cognito's form, never a traceback, a hang or a
token.

The requests that are mutated were good ones: a recording of sign-ins of every kind, all of them over. So
whatever of them is sent again must not lead to a token.
"""

from __future__ import annotations

import copy
import json
import logging
import random
import socket
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cognito_flow import (
    CustomAuth,
    CustomChallenge,
    MemoryStore,
    SelectChallenge,
    SignedIn,
    SmsMfa,
    SoftwareTokenMfa,
    UserAuth,
    UserPasswordAuth,
    UserSrpAuth,
)
from cognito_flow.testing import LocalCognito, _example

EXAMPLES, REQUESTS = 500, 100
PASSWORD = "correct horse"
SMS: Any = {"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"}}

# What programs put in when they go wrong, or when somebody wants them to.
ODDITIES: tuple[object, ...] = (
    None,
    True,
    0,
    -1,
    2**70,
    1e308,
    "",
    " ",
    "0",
    "a" * 5000,
    "\ud800",
    "\0",
    "😀",
    "' or 1=1 --",
    "{}",
    "[]",
    [],
    {},
    [[[[[[]]]]]],
    {"a": {"b": {}}},
    "AAAA",
    "deadbeef",
    "0" * 768,
    "f" * 768,
)
CHUNKS = (
    b"\0",
    b"\xff",
    b'"',
    b"{",
    b"}",
    b"[",
    b",",
    b"\\",
    b"\\u",
    b"\r\n",
    b"\r\n\r\n",
    b"0",
    b"-",
    b"e9",
)


@attrs.frozen
class Recorded:
    """A valid request."""

    target: str
    signed: bool
    body: bytes


class Recording(LocalCognito):
    """A service that records its requests."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Recorded] = []
        self.is_over = False

    def handle(self, headers: Mapping[str, str], body: bytes) -> Any:
        """Record the request and answer it."""
        if not self.is_over:
            self.requests.append(Recorded(headers["x-amz-target"], "authorization" in headers, body))
        return super().handle(headers, body)


def second_factors(cognito: Recording) -> None:
    """Sign-ins with a password, a code and a device, through both kinds of operations."""
    tracking: Any = {"ChallengeRequiredOnNewDevice": True, "DeviceOnlyRememberedOnUserPrompt": False}
    pool = cognito.create_pool(
        mfa_configuration="ON",
        sms_mfa_configuration=SMS,
        software_token_mfa_configuration={"Enabled": True},
        device_configuration=tracking,
    )
    pool.add_user("alice", PASSWORD, totp=True)
    pool.add_user("bob", PASSWORD, phone_number="+31612345678")
    for app in (pool.app_client(), pool.app_client(secret=True)):
        for admin in (False, True):
            flow = pool.flow(app, admin=admin, devices=MemoryStore())
            step = flow.start(UserSrpAuth("alice", PASSWORD))
            assert isinstance(step, SoftwareTokenMfa)
            flow.send(step.answer(pool.totp("alice")))
            done = flow.start(UserSrpAuth("alice", PASSWORD))
            assert isinstance(done, SignedIn)
            tokens = flow.refresh(done.tokens)
            flow.account(tokens).forget_device()
            flow.revoke(tokens)
            step = flow.start(UserSrpAuth("bob", PASSWORD))
            assert isinstance(step, SmsMfa)
            flow.send(step.answer(pool.last_code("bob")))


def choices(cognito: Recording) -> None:
    """Choice-based and custom sign-ins, sign-up and recovery."""
    factors: Any = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP", "SMS_OTP"]}}
    pool = cognito.create_pool(policies=factors, auto_verified_attributes=["email"])
    for name in ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse"):
        pool.triggers[name] = getattr(_example, name[:6].lower())
    pool.add_user("alice", PASSWORD, email="alice@example.com")
    flow = pool.flow()
    step = flow.start(UserAuth("alice"))
    assert isinstance(step, SelectChallenge)
    flow.send(step.answer("EMAIL_OTP"))
    question = flow.start(CustomAuth("alice", PASSWORD))
    assert isinstance(question, CustomChallenge)
    flow.send(question.answer("4"))
    flow.sign_up("carol", "Correct-Horse-9", attributes={"email": "carol@example.com"})
    flow.confirm_sign_up("carol", pool.last_code("carol"))
    flow.forgot_password("alice")
    flow.confirm_forgot_password("alice", pool.last_code("alice"), "Correct-Horse-8")
    done = flow.sign_in(UserPasswordAuth("alice", "Correct-Horse-8"))
    account = flow.account(done.tokens)
    account.change_password("Correct-Horse-8", "Correct-Horse-7")
    account.user()
    account.sign_out_everywhere()


@pytest.fixture(scope="module")
def cognito() -> Recording:
    """A service that recorded valid requests and was then reset."""
    cognito = Recording()
    second_factors(cognito)
    choices(cognito)
    for pool_id in cognito.pool_ids():
        for user in cognito.state(pool_id).users.values():
            user.grants.clear()
            user.is_enabled = False
    cognito.clock.advance(3600)
    cognito.is_over = True
    return cognito


@attrs.define
class Client:
    """A client that sends raw bytes."""

    address: tuple[str, int]
    connection: socket.socket | None = None

    def ask(self, request: bytes, *, is_whole: bool) -> tuple[int, bytes]:
        """Send a request and return status and body. A request with an unclear end gets its own connection."""
        if self.connection is None or not is_whole:
            self.close()
            self.connection = socket.create_connection(self.address, timeout=60)
        connection, self.connection = self.connection, None
        connection.sendall(request)
        if not is_whole:
            connection.shutdown(socket.SHUT_WR)
        head, body = self._receive(connection)
        if b"Connection: close" in head or not is_whole:
            connection.close()
        else:
            self.connection = connection
        return int(head.split(None, 2)[1]), body

    @staticmethod
    def _receive(connection: socket.socket) -> tuple[bytes, bytes]:
        received = b""
        while b"\r\n\r\n" not in received:
            part = connection.recv(65536)
            assert part, f"no answer but {received!r}"
            received += part
        head, _, body = received.partition(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
        while len(body) < length:
            part = connection.recv(65536)
            assert part, f"the answer ends after {body!r}"
            body += part
        return head, body[:length]

    def close(self) -> None:
        """End the connection."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


@pytest.fixture(scope="module")
def client(cognito: Recording) -> Iterator[Client]:
    """A client of the served service."""
    with cognito.serve() as url:
        host, _, port = url.removeprefix("http://").partition(":")
        client = Client((host, int(port)))
        yield client
        client.close()


def http(target: str, body: bytes, *, signed: bool) -> bytes:
    """A request on the wire."""
    signature = "Authorization: AWS4-HMAC-SHA256 x\r\n" if signed else ""
    head = f"POST / HTTP/1.1\r\nX-Amz-Target: {target}\r\n{signature}Content-Length: {len(body)}\r\n\r\n"
    return head.encode("latin-1") + body


def places(value: Any) -> list[tuple[Any, Any]]:
    """All containers in a JSON value with their keys."""
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else range(len(value))
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


def change_value(generator: random.Random, body: bytes) -> bytes:
    """Replace a value in the JSON by an oddity or by another value of the same request."""
    value = json.loads(body)
    for _ in range(generator.randint(1, 3)):
        found = places(value)
        if not found:
            break
        container, key = generator.choice(found)
        other, other_key = generator.choice(found)
        container[key] = copy.deepcopy(generator.choice((*ODDITIES, other[other_key])))
    return json.dumps(value).encode()


def change_bytes(generator: random.Random, octets: bytes) -> bytes:
    """Cut, double, flip or insert bytes."""
    changed = bytearray(octets)
    for _ in range(generator.randint(1, 4)):
        at = generator.randrange(len(changed) + 1)
        to = min(len(changed), at + generator.randint(1, 20))
        way = generator.randrange(4)
        if way == 0:
            del changed[at:to]
        elif way == 1:
            changed[at:at] = changed[at:to]
        elif way == 2:
            changed[at : at + 1] = bytes([generator.randrange(256)])
        else:
            changed[at:at] = generator.choice(CHUNKS)
    return bytes(changed)


def mutate(generator: random.Random, requests: list[Recorded]) -> tuple[bytes, bool]:
    """A mutated request, and whether its end is clear."""
    base = generator.choice(requests)
    target, signed = base.target, base.signed and generator.random() < 0.8
    way = generator.random()
    if way < 0.1:
        return change_bytes(generator, http(target, base.body, signed=signed)), False
    if way < 0.2:
        target = generator.choice(requests).target  # this body for another operation
    body = (
        change_value(generator, base.body) if generator.random() < 0.7 else change_bytes(generator, base.body)
    )
    return http(target, body, signed=signed), True


def check(request: bytes, status: int, body: bytes) -> None:
    """Check an answer."""
    answer = json.loads(body)
    assert status != 500, request
    assert b"Traceback" not in body, request
    assert b'"AccessToken": ' not in body, request
    if status >= 400:
        assert isinstance(answer["__type"], str), request
        assert isinstance(answer["message"], str), request
        assert answer["__type"].endswith("Exception"), request


@pytest.mark.slow
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**64))
def test_mutated_request_is_answered_in_cognitos_form(
    cognito: Recording, client: Client, caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    generator = random.Random(seed)  # noqa: S311 - it is to be repeatable
    for _ in range(REQUESTS):
        request, is_whole = mutate(generator, cognito.requests)
        check(request, *client.ask(request, is_whole=is_whole))
    ours = [record for record in caplog.records if record.name.startswith("cognito_flow")]
    assert [record for record in ours if record.levelno > logging.DEBUG] == []
