"""Which tokens of an Application Load Balancer are accepted, and how its keys are fetched."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Any

import attrs
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cognito_flow import System, TokenExpired, TokenInvalid, TransportError, UnexpectedResponse, UsageError
from cognito_flow.integrations.alb import AlbClaims, AlbVerifier, AsyncAlbVerifier
from cognito_flow.testing import Clock
from tests.support.forge import APP, ISSUER

ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188"
OTHER_ARN = ARN.replace("shop", "other")
AT = datetime(2030, 1, 1, 12, tzinfo=UTC)
KEY, STRANGER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
HEADER = {
    "typ": "JWT",
    "kid": "11111111-2222-3333-4444-555555555555",
    "alg": "ES256",
    "iss": ISSUER,
    "client": APP.client_id,
    "signer": ARN,
    "exp": int(AT.timestamp()) + 120,
}
LONG_ENOUGH = 60  # seconds, for what takes no time on any machine
CLAIMS = {"sub": "aaaaaaaa", "username": "alice", "email": "alice@example.com", "exp": 1, "iss": ISSUER}


def encode(data: bytes) -> str:
    """base64url with padding, as load balancers write it."""
    return base64.urlsafe_b64encode(data).decode()


def signed(claims: object = CLAIMS, key: ec.EllipticCurvePrivateKey = KEY, **header: Any) -> str:
    text = ".".join(encode(json.dumps(part).encode()) for part in ({**HEADER, **header}, claims))
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(SHA256())))
    return f"{text}.{encode(r.to_bytes(32) + s.to_bytes(32))}"


def pem(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@attrs.define
class Published:
    """The load balancers' key, and the URLs that were fetched."""

    document: bytes | Exception = attrs.field(factory=lambda: pem(KEY.public_key()))
    fetched: list[str] = attrs.field(factory=list)

    def __call__(self, url: str) -> bytes:
        self.fetched.append(url)
        if isinstance(self.document, Exception):
            raise self.document
        return self.document


@pytest.fixture
def published() -> Published:
    return Published()


@pytest.fixture
def clock() -> Clock:
    return Clock(lambda: AT)


@pytest.fixture
def verifier(published: Published, clock: Clock) -> AlbVerifier:
    return AlbVerifier(APP, [ARN], fetch=published, system=System(now=clock))


def test_claims_are_those_of_the_token(verifier: AlbVerifier) -> None:
    claims = verifier.verify(signed())

    assert claims == AlbClaims(
        sub="aaaaaaaa",
        username="alice",
        load_balancer_arn=ARN,
        expires_at=AT + timedelta(seconds=120),
        claims=CLAIMS,
    )
    assert "alice@example.com" not in repr(claims)


def test_claims_are_verified_with_asyncio(verifier: AlbVerifier) -> None:
    assert asyncio.run(AsyncAlbVerifier(verifier).verify(signed())).username == "alice"


def test_each_key_is_fetched_once(verifier: AlbVerifier, published: Published) -> None:
    verifier.verify(signed())
    verifier.verify(signed())
    verifier.verify(signed(kid="another"))

    base = "https://public-keys.auth.elb.eu-west-1.amazonaws.com"
    assert published.fetched == [f"{base}/{HEADER['kid']}", f"{base}/another"]


@pytest.mark.parametrize(
    "token",
    [
        "",
        "no token",
        signed().rpartition(".")[0],
        signed(key=STRANGER),
        signed(["claims"]),
        signed(alg="none"),
        signed(alg="HS256"),
        signed(crit=["exp"]),
        signed(signer=OTHER_ARN),
        signed(signer=None),
        signed(kid="../another"),
        signed(kid=7),
        signed(client="another"),
        signed(iss=f"{ISSUER}x"),
        signed(exp="tomorrow"),
        signed({"sub": "aaaaaaaa"}),
        signed({"username": "alice"}),
    ],
)
def test_spoilt_token_raises_token_invalid(verifier: AlbVerifier, token: str) -> None:
    with pytest.raises(TokenInvalid):
        verifier.verify(token)


def test_expired_token_raises_token_expired(verifier: AlbVerifier, clock: Clock) -> None:
    clock.advance(149)
    assert verifier.verify(signed())

    clock.advance(1)
    with pytest.raises(TokenExpired):
        verifier.verify(signed())


@pytest.mark.parametrize(
    "document",
    [
        UnexpectedResponse("HTTP status 404"),
        b"<html>",
        pem(rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()),
    ],
)
def test_unknown_key_is_requested_again_after_ten_seconds(
    verifier: AlbVerifier, published: Published, clock: Clock, document: Any
) -> None:
    good, published.document = published.document, document
    for kid in ("a", "b", "c"):
        with pytest.raises(TokenInvalid, match="not signed with a key of the load balancers"):
            verifier.verify(signed(kid=kid))
    assert len(published.fetched) == 1

    published.document = good
    clock.advance(10)
    assert verifier.verify(signed()).username == "alice"


@pytest.mark.parametrize(
    "failure",
    [TransportError("status 503", retryable=True), OSError(), HTTPException(), ValueError(), KeyError("x")],
)
def test_key_that_cannot_be_fetched_raises_transport_error(
    verifier: AlbVerifier, published: Published, clock: Clock, failure: Exception
) -> None:
    """The next attempt is made after a second, for whichever key."""
    good, published.document = published.document, failure
    for kid in ("a", "a", "b"):
        with pytest.raises(TransportError) as raised:
            verifier.verify(signed(kid=kid))
        assert raised.value.retryable
    assert len(published.fetched) == 1

    published.document = good
    clock.advance(1)
    assert verifier.verify(signed()).username == "alice"


@attrs.define
class Held:
    """A fetch that waits, for all keys but the usual one, until the test lets it continue."""

    begun: threading.Semaphore = attrs.field(factory=lambda: threading.Semaphore(0))
    proceed: threading.Event = attrs.field(factory=threading.Event)
    fetched: list[str] = attrs.field(factory=list)
    process: int = attrs.field(factory=os.getpid)

    def __call__(self, url: str) -> bytes:
        self.fetched.append(url.rpartition("/")[2])
        if not url.endswith(str(HEADER["kid"])) and self.process == os.getpid():
            self.begun.release()
            assert self.proceed.wait(LONG_ENOUGH)
        return pem(KEY.public_key())


@pytest.fixture
def held() -> Iterator[Held]:
    held = Held()
    yield held
    held.proceed.set()


@pytest.fixture
def slow(held: Held, clock: Clock) -> AlbVerifier:
    return AlbVerifier(APP, [ARN], fetch=held, system=System(now=clock))


def test_token_of_a_cached_key_does_not_wait_for_another_key(slow: AlbVerifier, held: Held) -> None:
    slow.verify(signed())
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(slow.verify, signed(kid="slow"))
        assert held.begun.acquire(timeout=LONG_ENOUGH)

        assert threads.submit(slow.verify, signed()).result(LONG_ENOUGH).username == "alice"
        assert not waiting.done()
        held.proceed.set()


def test_token_of_a_cached_key_needs_no_thread_with_asyncio(slow: AlbVerifier, held: Held) -> None:
    async def ask() -> str:
        verifier = AsyncAlbVerifier(slow)
        await verifier.verify(signed())
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        waiting = asyncio.create_task(verifier.verify(signed(kid="slow")))
        await asyncio.sleep(0)
        assert held.begun.acquire(timeout=LONG_ENOUGH)
        async with asyncio.timeout(LONG_ENOUGH):
            username = (await verifier.verify(signed())).username
        held.proceed.set()
        await waiting
        return username

    assert asyncio.run(ask()) == "alice"


def test_one_fetch_of_a_key_is_running_at_a_time(slow: AlbVerifier, held: Held) -> None:
    with ThreadPoolExecutor() as threads:
        asked = [threads.submit(slow.verify, signed(kid=kid)) for kid in ("one", "two", "one", "two")]
        for _ in range(2):
            assert held.begun.acquire(timeout=LONG_ENOUGH)
        held.proceed.set()
        for each in asked:
            assert each.result(LONG_ENOUGH).username == "alice"

    assert sorted(held.fetched) == ["one", "two"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_child_forked_during_a_fetch_begins_its_own(slow: AlbVerifier, held: Held) -> None:
    waiting = threading.Thread(target=slow.verify, args=[signed(kid="slow")])
    waiting.start()
    assert held.begun.acquire(timeout=LONG_ENOUGH)
    if (child := os.fork()) == 0:
        threading.Timer(20, os._exit, [1]).start()
        try:
            os._exit(slow.verify(signed(kid="slow")).username != "alice")
        finally:
            os._exit(2)
    held.proceed.set()
    waiting.join()

    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize(
    "arns",
    [[], [""], ["arn:aws:s3:::bucket"], [ARN, ARN.replace("eu-west-1", "eu-west-2")], [f"{ARN}\n"], ARN],
)
def test_malformed_load_balancer_raises_usage_error(arns: Any) -> None:
    with pytest.raises(UsageError):
        AlbVerifier(APP, arns)


def test_default_settings_make_a_verifier() -> None:
    with pytest.raises(TokenInvalid, match="another load balancer"):
        AlbVerifier(APP, [ARN, OTHER_ARN]).verify(signed(signer="arn"))
