"""How the verifier comes by the pool's keys: when it fetches them, what it takes for keys, what it survives."""

from __future__ import annotations

import asyncio
import inspect
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from cognito_flow import (
    AsyncTokenVerifier,
    CognitoFlowError,
    System,
    TokenInvalid,
    TokenVerifier,
    TransportError,
    UnexpectedResponse,
)
from cognito_flow.testing import Clock
from tests.support import forge
from tests.support.forge import APP, access_claims, jwk, rs, token
from tests.support.http_server import running

AT = datetime(2030, 1, 1, 12, tzinfo=UTC)
NOW = int(AT.timestamp())
MINUTE, DAY = 60, 86_400
TOKEN = forge.access(NOW, exp=NOW + 30 * DAY)
LONG_ENOUGH = 60  # seconds, for what happens at once on any machine
KINDS = pytest.mark.parametrize("kind", [TokenVerifier, AsyncTokenVerifier], ids=["sync", "async"])


def unknown(name: str = "unknown") -> str:
    """A token that names a key that the pool does not have."""
    return token({"alg": "RS256", "kid": name}, access_claims(NOW, exp=NOW + 30 * DAY), rs("access"))


@attrs.define
class Published:
    """What a pool publishes, and how often somebody has looked."""

    keys: object = attrs.field(factory=forge.jwks)
    fault: Exception | None = None
    looked: int = 0

    def __call__(self, url: str) -> bytes:
        self.looked += 1
        if self.fault is not None:
            raise self.fault
        return self.keys if isinstance(self.keys, bytes) else json.dumps(self.keys).encode()


@attrs.frozen
class Scene:
    """A verifier of either kind, the pool it looks at, and their clock."""

    verifier: TokenVerifier | AsyncTokenVerifier
    published: Published
    clock: Clock

    def verify(self, token: str = TOKEN) -> str:
        """Who an access token is of."""
        claims: Any = self.verifier.verify_access(token)
        return str((asyncio.run(claims) if inspect.iscoroutine(claims) else claims).username)

    def refusal(self, token: str = TOKEN) -> CognitoFlowError:
        """What is raised for a token."""
        with pytest.raises(CognitoFlowError) as refused:
            self.verify(token)
        return refused.value


@pytest.fixture(params=[TokenVerifier, AsyncTokenVerifier], ids=["sync", "async"])
def scene(request: pytest.FixtureRequest) -> Scene:
    published, clock = Published(), Clock(lambda: AT)
    verifier = request.param(APP, fetch=published, timeout=LONG_ENOUGH, system=System(now=clock))
    return Scene(verifier, published, clock)


def test_the_keys_are_fetched_once(scene: Scene) -> None:
    """When the first token comes, and not again for the next ones."""
    assert scene.published.looked == 0
    for _ in range(10):
        assert scene.verify() == "alice"
    assert scene.published.looked == 1


def test_an_unknown_key_is_looked_for_once_a_minute(scene: Scene) -> None:
    """It may be new; and anybody can make one up."""
    scene.verify()
    for _ in range(3):
        assert isinstance(scene.refusal(unknown()), TokenInvalid)
    assert scene.published.looked == 1

    scene.clock.advance(MINUTE)
    for name in ("a", "b", "c"):
        scene.refusal(unknown(name))
    assert scene.published.looked == 2


def test_a_new_key_is_found(scene: Scene) -> None:
    """The pool has changed its keys: tokens with the new one are good after a minute at most."""
    scene.verify()
    scene.published.keys = {"keys": [jwk("id"), jwk("access", kid="unknown")]}
    scene.clock.advance(MINUTE)

    assert scene.verify(unknown()) == "alice"


def test_a_withdrawn_key_is_forgotten(scene: Scene) -> None:
    """After a day the keys are fetched again, though none is missing. Nobody waits for that."""
    scene.verify()
    scene.published.keys = {"keys": [jwk("id")]}
    scene.clock.advance(DAY - 1)
    assert scene.verify() == "alice"
    assert scene.published.looked == 1

    scene.clock.advance(1)
    assert scene.verify() == "alice"  # it begins to fetch
    scene.refusal(unknown())  # waits until that is done
    assert isinstance(scene.refusal(), TokenInvalid)
    assert scene.published.looked == 2


def test_a_clock_that_is_set_back_does_not_stop_the_fetching(scene: Scene) -> None:
    """The last fetch then lies in the future."""
    scene.verify()
    scene.published.keys = {"keys": [jwk("access", kid="unknown")]}
    scene.clock.advance(-DAY)

    with pytest.raises(TokenInvalid, match="compare the clocks"):
        scene.verify(unknown())
    assert scene.published.looked == 2


FAULTS = [
    (OSError("no route"), TransportError),
    (TransportError("no answer", retryable=True), TransportError),
    (UnexpectedResponse("an essay"), UnexpectedResponse),
]


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
def test_a_fetch_that_fails_is_told(scene: Scene, fault: Exception, kind: type[CognitoFlowError]) -> None:
    """With an error of the library, whatever a fetch of the caller's raises."""
    scene.published.fault = fault

    error = scene.refusal()

    assert type(error) is kind
    assert error is not fault
    assert error.__cause__ in (fault, None)


def test_without_keys_the_next_try_comes_soon(scene: Scene) -> None:
    """A service that starts while the network does not work should not be out of order for a minute."""
    scene.published.fault = OSError()
    assert [type(scene.refusal()) for _ in range(5)] == [TransportError] * 5
    assert scene.published.looked == 1

    scene.published.fault = None
    scene.clock.advance(1)
    assert scene.verify() == "alice"


@pytest.mark.parametrize("keys", [b"", b"<html>", b"[]", {"keys": []}])
@pytest.mark.parametrize("wait", [MINUTE, DAY])
def test_known_keys_outlive_what_fails(scene: Scene, keys: object, wait: float) -> None:
    """Whatever stands at the URL now, who has a token of a known key is let in; what is not known is not
    called bad."""
    scene.verify()
    scene.published.keys = keys
    scene.clock.advance(wait)

    assert scene.verify() == "alice"
    assert isinstance(scene.refusal(unknown()), UnexpectedResponse)
    assert scene.verify() == "alice"
    assert isinstance(scene.refusal(unknown()), UnexpectedResponse)
    assert scene.published.looked == 2


def test_after_a_failure_it_is_tried_again_in_a_minute(scene: Scene) -> None:
    """Not earlier, and not only after a day."""
    scene.verify()
    scene.published.fault = OSError()
    scene.clock.advance(DAY)
    scene.verify()
    scene.refusal(unknown())
    scene.published.fault = None

    scene.clock.advance(MINUTE - 1)
    assert isinstance(scene.refusal(unknown()), TransportError)
    scene.clock.advance(1)
    assert isinstance(scene.refusal(unknown()), TokenInvalid)
    assert scene.published.looked == 3


def test_no_fetch_for_a_token_that_cannot_be_good(scene: Scene) -> None:
    """Another algorithm, no kid, no token."""
    for what in ("unsigned", "HS256, the modulus as secret", "ES256", "without kid", "no token"):
        scene.refusal(forge.spoilt(NOW)[f"access, {what}"].token)

    assert scene.published.looked == 0


class Held(Published):
    """What stands at the URL comes when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = threading.Semaphore(0), threading.Event()
        self.threads: list[threading.Thread] = []

    def __call__(self, url: str) -> bytes:
        self.threads.append(threading.current_thread())
        self.begun.release()
        assert self.go_on.wait(LONG_ENOUGH)
        return super().__call__(url)


def test_a_flood_of_threads_makes_one_fetch() -> None:
    """A thousand tokens with a thousand kids, while the keys are on their way."""
    held = Held()
    verifier = TokenVerifier(APP, fetch=held, timeout=LONG_ENOUGH, system=System(now=lambda: AT))
    everybody_is_here = threading.Barrier(1001)

    def ask(name: str) -> type[Exception] | None:
        everybody_is_here.wait(LONG_ENOUGH)
        try:
            verifier.verify_access(TOKEN if name == "0" else unknown(name))
        except CognitoFlowError as error:
            return type(error)
        return None

    with ThreadPoolExecutor(1000) as threads:
        asked = [threads.submit(ask, str(number)) for number in range(1000)]
        everybody_is_here.wait(LONG_ENOUGH)
        assert held.begun.acquire(timeout=LONG_ENOUGH)
        held.go_on.set()
        answers = [each.result(LONG_ENOUGH) for each in asked]

    assert answers == [None] + [TokenInvalid] * 999
    assert held.looked == 1


def test_a_flood_of_tasks_makes_one_fetch() -> None:
    """The same on an event loop, which goes on meanwhile."""
    held = Held()
    verifier = AsyncTokenVerifier(APP, fetch=held, timeout=LONG_ENOUGH, system=System(now=lambda: AT))

    async def ask() -> list[object]:
        names = [TOKEN, *(unknown(str(number)) for number in range(999))]
        asked = [asyncio.create_task(verifier.verify_access(name)) for name in names]
        await asyncio.sleep(0)  # all of them have begun
        assert not any(each.done() for each in asked)
        held.go_on.set()
        return [type(each) for each in await asyncio.gather(*asked, return_exceptions=True)]

    answers = asyncio.run(ask())

    assert answers[1:] == [TokenInvalid] * 999
    assert held.looked == 1


def test_a_task_that_is_cancelled_takes_nothing_from_others() -> None:
    """The fetch that it began is also theirs."""
    held = Held()
    verifier = AsyncTokenVerifier(APP, fetch=held, timeout=LONG_ENOUGH, system=System(now=lambda: AT))

    async def ask() -> str | None:
        first, second = (asyncio.create_task(verifier.verify_access(TOKEN)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        held.go_on.set()
        return (await second).username

    assert asyncio.run(ask()) == "alice"
    assert held.looked == 1


@pytest.mark.parametrize("turns", range(4))
def test_a_task_that_is_cancelled_as_the_keys_come_stops(turns: int) -> None:
    """However far the news of them has got on the event loop."""
    held = Held()
    verifier = AsyncTokenVerifier(APP, fetch=held, timeout=LONG_ENOUGH, system=System(now=lambda: AT))

    async def ask() -> None:
        task = asyncio.create_task(verifier.verify_access(TOKEN))
        await asyncio.sleep(0)
        held.go_on.set()
        assert held.begun.acquire(timeout=LONG_ENOUGH)
        held.threads[0].join(LONG_ENOUGH)
        for _ in range(turns):
            await asyncio.sleep(0)
        was_cancelled = task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() is was_cancelled

    asyncio.run(ask())


def test_one_verifier_serves_several_loops() -> None:
    """Its keys belong to none of them."""
    published = Published()
    verifier = AsyncTokenVerifier(APP, fetch=published, timeout=LONG_ENOUGH, system=System(now=lambda: AT))

    for _ in range(3):
        assert asyncio.run(verifier.verify_access(TOKEN)).username == "alice"
    assert published.looked == 1


@KINDS
def test_a_fetch_that_hangs_is_given_up(kind: type[TokenVerifier | AsyncTokenVerifier]) -> None:
    """Nobody waits longer than the timeout; a later fetch is a new one, and what the first one brings after all
    is not taken."""
    held, clock = Held(), Clock(lambda: AT)
    held.keys = {"keys": [jwk("access", kid="late")]}
    scene = Scene(kind(APP, fetch=held, timeout=0.01, system=System(now=clock)), held, clock)

    error = scene.refusal()

    assert isinstance(error, TransportError)
    assert "0.01 s" in str(error)
    assert isinstance(scene.refusal(), TransportError)
    clock.advance(MINUTE)
    assert isinstance(scene.refusal(), TransportError)
    for _ in range(2):
        assert held.begun.acquire(timeout=LONG_ENOUGH)
    held.go_on.set()
    for thread in held.threads:
        thread.join(LONG_ENOUGH)
    assert isinstance(scene.refusal(unknown("late")), TransportError)
    assert held.looked == 2


@KINDS
def test_a_fetch_that_hangs_does_not_keep_a_withdrawn_key(
    kind: type[TokenVerifier | AsyncTokenVerifier],
) -> None:
    """Nobody waits for it, as all have tokens of a known key: after a minute there is another one."""
    published, held, clock = Published(), Held(), Clock(lambda: AT)
    fetches = iter([published, held, published])

    def fetch(url: str) -> bytes:
        return next(fetches)(url)

    verifier = kind(APP, fetch=fetch, timeout=LONG_ENOUGH, system=System(now=clock))
    scene = Scene(verifier, published, clock)
    scene.verify()
    clock.advance(DAY)
    scene.verify()  # begins the fetch that hangs
    assert held.begun.acquire(timeout=LONG_ENOUGH)
    published.keys = {"keys": [jwk("id")]}

    clock.advance(MINUTE - 1)
    scene.verify()
    assert published.looked == 1
    clock.advance(1)
    scene.verify()  # begins another
    scene.refusal(unknown())  # waits until that is done
    held.go_on.set()
    held.threads[0].join(LONG_ENOUGH)

    assert isinstance(scene.refusal(), TokenInvalid)
    assert published.looked == 2


@contextmanager
def no_thread_to_be_had() -> Iterator[None]:
    """Each new thread asks for more memory than there is, so that none can start."""
    usual = threading.stack_size(1 << 46)
    try:
        yield
    finally:
        threading.stack_size(usual)


def test_without_a_thread_to_be_had_no_token_is_called_bad(scene: Scene) -> None:
    """Who asks learns that the keys could not be fetched, and who asks next, too."""
    with no_thread_to_be_had():
        assert [type(scene.refusal()) for _ in range(2)] == [TransportError] * 2

    scene.clock.advance(1)
    assert scene.verify() == "alice"


def test_known_keys_outlive_a_lack_of_threads(scene: Scene) -> None:
    """They are a day old, and good all the same."""
    scene.verify()
    scene.clock.advance(DAY)

    with no_thread_to_be_had():
        assert scene.verify() == "alice"


JUNK: list[object] = [
    None,
    1,
    "key",
    [],
    {},
    {"kid": "junk"},
    {"kty": "oct", "kid": "access", "alg": "HS256", "use": "sig", "k": "c2VjcmV0"},
    {"kty": "EC", "kid": "access", "alg": "ES256", "use": "sig", "crv": "P-256", "x": "AA", "y": "AA"},
    jwk("stranger", kid=None),
    jwk("stranger", kid=7),
    jwk("stranger", kid="access", kty="oct"),
    jwk("stranger", kid="access", alg="HS256"),
    jwk("stranger", kid="access", use="enc"),
    jwk("stranger", kid="access", n=1),
    jwk("stranger", kid="access", n=""),
    jwk("stranger", kid="access", n="!"),
    jwk("stranger", kid="access", n="\u00fc"),
    jwk("stranger", kid="access", e="AA"),
    jwk("stranger", kid="access", e=None),
]


def test_junk_among_the_keys_is_passed_over(scene: Scene) -> None:
    """Whatever it is, and even where it has the kid of a good key."""
    scene.published.keys = {"keys": [*JUNK, *forge.jwks()["keys"], *JUNK], "more": "junk"}

    assert scene.verify() == "alice"


@pytest.mark.parametrize("junk", JUNK, ids=map(str, range(len(JUNK))))
def test_junk_alone_is_no_key_set(scene: Scene, junk: object) -> None:
    """A set without one good key is told from a set without the right one."""
    scene.published.keys = {"keys": [junk]}

    assert isinstance(scene.refusal(), UnexpectedResponse)


def test_a_short_key_is_junk(scene: Scene) -> None:
    """RFC 7518 asks for 2048 bits."""
    numbers = forge.private_key("short", 1024).public_key().public_numbers()
    scene.published.keys = {"keys": [jwk("stranger", n=forge.number(numbers.n))]}

    assert isinstance(scene.refusal(), UnexpectedResponse)


def test_a_private_key_is_read_as_a_public_one(scene: Scene) -> None:
    """Who publishes too much has a problem, but not this one."""
    numbers = forge.private_key("access").private_numbers()
    scene.published.keys = {"keys": [jwk("access", d=forge.number(numbers.d), p="AA")]}

    assert scene.verify() == "alice"


NO_SETS: list[object] = [
    b"",
    b"\xff",
    b"{",
    b"Not found",
    b"<html><body>Sign in to the wireless network</body></html>",
    b"[" * 10_000,
    b"1" * 10_000,
    None,
    1,
    "keys",
    [jwk("access")],
    {},
    {"keys": None},
    {"keys": "access"},
    {"keys": jwk("access")},
    {"keys": {"access": jwk("access")}},
]


@pytest.mark.parametrize("keys", NO_SETS, ids=lambda keys: repr(keys)[:40])
def test_what_is_no_key_set(scene: Scene, keys: object) -> None:
    """Not JSON, not an object, without a list of keys."""
    scene.published.keys = keys

    assert isinstance(scene.refusal(), UnexpectedResponse)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(list(jwk("access"))), inner),
)


@given(
    st.binary()
    | JSON.map(lambda value: json.dumps(value).encode())
    | JSON.map(lambda value: json.dumps({"keys": [value]}).encode())
)
def test_no_body_is_taken_for_keys(body: bytes) -> None:
    """Whatever it is, there is one error for it."""
    verifier = TokenVerifier(APP, fetch=lambda url: body, timeout=LONG_ENOUGH, system=System(now=lambda: AT))

    with pytest.raises(UnexpectedResponse):
        verifier.verify_access(TOKEN)


Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[str]]]:
    """A server that answers each GET like this; gives its URL, and the targets of the requests."""
    targets: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            targets.append(self.path)
            answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with running(server) as url:
        yield url if context is None else url.replace("http:", "https:"), targets


def says(body: bytes, status: int = 200, **headers: str) -> Answer:
    """Answers with this."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


GOOD = says(json.dumps(forge.jwks()).encode())


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of the machine's, and no certificates of its."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(params=[TokenVerifier, AsyncTokenVerifier], ids=["sync", "async"])
def verify(request: pytest.FixtureRequest) -> Callable[..., str]:
    """Verifies a good token with the keys of an endpoint, over a real connection."""

    def verify(url: str, **options: Any) -> str:
        app = attrs.evolve(APP, endpoint_url=url, issuer=forge.ISSUER)
        settings = {"timeout": LONG_ENOUGH, "system": System(now=lambda: AT), **options}
        claims: Any = request.param(app, **settings).verify_access(TOKEN)
        return str((asyncio.run(claims) if inspect.iscoroutine(claims) else claims).username)

    return verify


def test_the_keys_come_over_http(verify: Callable[..., str]) -> None:
    """From the place that AppClient names."""
    with serving(GOOD) as (url, targets):
        assert verify(url) == "alice"

    assert targets == [f"/{APP.pool_id}/.well-known/jwks.json"]


def test_a_body_in_chunks_is_read(verify: Callable[..., str]) -> None:
    """HTTP has two ways to say how long a body is; saying nothing is the third."""

    def in_chunks(request: BaseHTTPRequestHandler) -> None:
        request.protocol_version = "HTTP/1.1"
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        body = json.dumps(forge.jwks()).encode()
        for part in (body[:100], body[100:], b""):
            request.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        request.close_connection = True

    def until_the_end(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        request.wfile.write(json.dumps(forge.jwks()).encode())

    for answer in (in_chunks, until_the_end):
        with serving(answer) as (url, _):
            assert verify(url) == "alice"


@pytest.mark.parametrize("status", [201, 204, 301, 302, 400, 403, 404])
def test_another_status_is_unexpected(verify: Callable[..., str], status: int) -> None:
    """A 404 says that there is no such pool; a redirect is not followed."""
    with (
        serving(GOOD) as (elsewhere, not_asked),
        serving(says(b"{}", status, Location=elsewhere)) as (url, _),
        pytest.raises(UnexpectedResponse, match=rf"HTTP status {status}.*check the pool id"),
    ):
        verify(url)

    assert not_asked == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_status_that_passes_is_a_matter_of_transport(verify: Callable[..., str], status: int) -> None:
    """Later it may be better."""
    with serving(says(b"", status)) as (url, _), pytest.raises(TransportError) as refused:
        verify(url)

    assert refused.value.retryable


def test_a_body_that_is_too_large_is_not_read(verify: Callable[..., str]) -> None:
    """However long somebody goes on sending."""
    stopped = threading.Event()

    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        try:
            while True:
                request.wfile.write(b" " * 65_536)
        except OSError:
            stopped.set()

    with serving(endless) as (url, _):
        with pytest.raises(UnexpectedResponse, match="larger than 100000 bytes"):
            verify(url)
        assert stopped.wait(LONG_ENOUGH)


def test_a_body_that_ends_early(verify: Callable[..., str]) -> None:
    """A connection breaks: what came until then is not taken for keys."""

    def break_off(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b"{")

    with serving(break_off) as (url, _), pytest.raises((TransportError, UnexpectedResponse)):
        verify(url)


@contextmanager
def silent() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_server_that_never_answers(verify: Callable[..., str]) -> None:
    """The wait ends."""
    with silent() as url, pytest.raises(TransportError):
        verify(url, timeout=0.2)


def test_a_server_that_drips(verify: Callable[..., str]) -> None:
    """A byte now and then does not make the wait longer."""
    done = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while not done.wait(0.01):
            request.wfile.write(b" ")

    with serving(drip) as (url, _):
        try:
            with pytest.raises(TransportError, match="did not come in"):
                verify(url, timeout=0.5)
        finally:
            done.set()


def test_nobody_there(verify: Callable[..., str]) -> None:
    """A connection is refused."""
    with silent() as url:
        pass

    with pytest.raises(TransportError, match="EndpointConnectionError"):
        verify(url)


def test_no_url_at_all(verify: Callable[..., str]) -> None:
    """What botocore cannot even ask."""
    with pytest.raises(TransportError):
        verify("localhost")


def test_proxies_of_the_environment_are_asked(
    verify: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy is sent the whole URL, of a host that only it could reach."""
    with serving(GOOD) as (proxy, targets):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        assert verify("http://cognito.example") == "alice"

    assert targets == [f"http://cognito.example/{APP.pool_id}/.well-known/jwks.json"]


def test_hosts_without_proxy_are_asked_themselves(
    verify: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_PROXY names them."""
    with serving(GOOD) as (url, _), silent() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert verify(url) == "alice"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine that nobody has signed but itself, with its key."""
    key, name = forge.private_key("tls"), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a pool")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(
        made.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return path


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_certificates_are_checked(
    verify: Callable[..., str], certificate: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """A server that anybody could be is not believed, unless the environment says so as for botocore."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(GOOD, context) as (url, targets):
        with pytest.raises(TransportError, match="SSLError"):
            verify(url)
        assert targets == []
        monkeypatch.setenv(variable, str(certificate))
        assert verify(url) == "alice"
