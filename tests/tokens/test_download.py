"""How the keys of a pool are downloaded over HTTP, and that no server can hold the download up."""

from __future__ import annotations

import asyncio
import gzip
import inspect
import ipaddress
import json
import socket
import ssl
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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

from cognito_flow import AsyncTokenVerifier, System, TokenVerifier, TransportError, UnexpectedResponse
from cognito_flow.tokens import _download
from tests.support import forge
from tests.support.forge import APP
from tests.support.http_server import Handler, running, silent_server

AT = datetime(2030, 1, 1, 12, tzinfo=UTC)
NOW = int(AT.timestamp())
TOKEN = forge.access(NOW)
LONG_ENOUGH = 60  # seconds, for what takes no time on any machine

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[str]]]:
    """Run a server that answers each GET like this; yields its URL and the targets of the requests."""
    targets: list[str] = []

    class Answering(Handler):
        def do_GET(self) -> None:
            targets.append(self.path)
            answer(self)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with running(server) as url:
        yield url if context is None else url.replace("http:", "https:"), targets


def says(body: bytes, status: int = 200, **headers: str) -> Answer:
    """Answer with this body."""

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
    """Ignore the proxies and certificates of this machine."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(params=[TokenVerifier, AsyncTokenVerifier], ids=["sync", "async"])
def verify(request: pytest.FixtureRequest) -> Callable[..., str]:
    """Verify a valid token with the keys of an endpoint, over a real connection."""

    def verify(url: str, **options: Any) -> str:
        app = attrs.evolve(APP, endpoint_url=url, issuer=forge.ISSUER)
        settings = {"timeout": LONG_ENOUGH, "system": System(now=lambda: AT), **options}
        claims: Any = request.param(app, **settings).verify_access(TOKEN)
        return str((asyncio.run(claims) if inspect.iscoroutine(claims) else claims).username)

    return verify


def test_keys_are_requested_at_the_app_clients_jwks_url(verify: Callable[..., str]) -> None:
    with serving(GOOD) as (url, targets):
        assert verify(url) == "alice"

    assert targets == [f"/{APP.pool_id}/.well-known/jwks.json"]


def test_body_without_content_length_is_read(verify: Callable[..., str]) -> None:
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
def test_other_status_is_unexpected_and_no_redirect_is_followed(
    verify: Callable[..., str], status: int
) -> None:
    with (
        serving(GOOD) as (elsewhere, not_asked),
        serving(says(b"{}", status, Location=elsewhere)) as (url, _),
        pytest.raises(UnexpectedResponse, match=rf"HTTP status {status}.*check the pool id"),
    ):
        verify(url)

    assert not_asked == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_temporary_status_is_a_retryable_transport_error(verify: Callable[..., str], status: int) -> None:
    with serving(says(b"", status)) as (url, _), pytest.raises(TransportError) as refused:
        verify(url)

    assert refused.value.retryable


def test_endless_body_is_not_read_to_its_end(verify: Callable[..., str]) -> None:
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


def test_body_that_ends_early_is_not_taken_for_keys(verify: Callable[..., str]) -> None:
    def break_off(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b"{")

    with serving(break_off) as (url, _), pytest.raises((TransportError, UnexpectedResponse)):
        verify(url)


def test_server_that_never_answers_is_given_up(verify: Callable[..., str]) -> None:
    with silent_server() as url, pytest.raises(TransportError):
        verify(url, timeout=0.2)


def begin_a_body(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()


def begin_a_header(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.wfile.write(b"X-Slow: ")


@pytest.mark.parametrize("begin", [begin_a_body, begin_a_header])
def test_server_that_drips_leaves_no_thread_behind(verify: Callable[..., str], begin: Answer) -> None:
    stopped = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        begin(request)
        request.wfile.flush()
        try:
            while not stopped.wait(0.01):
                request.wfile.write(b" ")
        except OSError:
            stopped.set()  # the client has closed the connection

    with serving(drip) as (url, _):
        with pytest.raises(TransportError, match=r"did not arrive within 0\.5 s"):
            verify(url, timeout=0.5)
        assert stopped.wait(LONG_ENOUGH)
        for thread in threading.enumerate():
            if thread.name == "cognito-flow-keys":
                thread.join(LONG_ENOUGH)
                assert not thread.is_alive()


def test_proxy_that_drips_before_the_tunnel_is_open_leaves_no_thread_behind(
    verify: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy's response to CONNECT has the same deadline as that of the server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{listener.getsockname()[1]}")

        def drip() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not stopped.wait(0.01):
                    connection.sendall(b"x")
            stopped.set()

        stopped = threading.Event()
        proxy = threading.Thread(target=drip)
        proxy.start()
        with pytest.raises(TransportError, match="did not arrive within"):
            verify("https://cognito.example", timeout=0.5)
        assert stopped.wait(LONG_ENOUGH)
        proxy.join(LONG_ENOUGH)


def test_server_that_sends_interim_responses_for_ever_is_given_up(verify: Callable[..., str]) -> None:
    stopped = threading.Event()

    def interim(request: BaseHTTPRequestHandler) -> None:
        try:
            while True:
                request.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
        except OSError:
            stopped.set()

    # http.client of Python 3.14.10 itself gives up after 100 of them.
    with serving(interim) as (url, _):
        with pytest.raises(
            TransportError, match=r"did not arrive within|could not be fetched: HTTPException"
        ):
            verify(url, timeout=0.5)
        assert stopped.wait(LONG_ENOUGH)


def test_gzip_bomb_is_not_unpacked(verify: Callable[..., str]) -> None:
    bomb = gzip.compress(bytes(70_000_000))
    assert len(bomb) < 100_000
    with serving(says(bomb, Content_Encoding="gzip")) as (url, _):
        tracemalloc.start()
        try:
            with pytest.raises(UnexpectedResponse):
                verify(url)
            assert tracemalloc.get_traced_memory()[1] < 10_000_000
        finally:
            tracemalloc.stop()


def test_without_system_certificates_those_of_botocore_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(name, "/does-not-exist")
    assert ssl.create_default_context().cert_store_stats()["x509_ca"] == 0

    assert _download.trusted().cert_store_stats()["x509_ca"] > 50


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/keys", "data:,{}"])
def test_url_of_another_scheme_is_refused(verify: Callable[..., str], url: str) -> None:
    with pytest.raises(TransportError):
        verify(url)


def test_refused_connection_is_a_transport_error(verify: Callable[..., str]) -> None:
    with silent_server() as url:
        pass

    with pytest.raises(TransportError, match="ConnectionRefusedError"):
        verify(url)


def test_endpoint_without_http_is_a_transport_error(verify: Callable[..., str]) -> None:
    with pytest.raises(TransportError):
        verify("localhost")


def test_proxy_of_the_environment_is_used(
    verify: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(GOOD) as (proxy, targets):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        assert verify("http://cognito.example") == "alice"

    assert targets == [f"http://cognito.example/{APP.pool_id}/.well-known/jwks.json"]


def test_hosts_in_no_proxy_are_asked_directly(
    verify: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(GOOD) as (url, _), silent_server() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert verify(url) == "alice"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for this machine, with its key."""
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
def test_unknown_certificate_is_refused_unless_the_environment_names_it(
    verify: Callable[..., str], certificate: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(GOOD, context) as (url, targets):
        with pytest.raises(TransportError, match="SSLCertVerificationError"):
            verify(url)
        assert targets == []
        monkeypatch.setenv(variable, str(certificate))
        assert verify(url) == "alice"
