"""Sockets that keep to the deadline of an attempt, over a socket that records its calls."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import attrs
import boto3
import pytest
import urllib3.exceptions
from botocore import UNSIGNED
from botocore.config import Config

from cognito_flow import AppClient, AuthFlow, TransportError, UnexpectedResponse, UserPasswordAuth
from cognito_flow._transport.attempts import Attempt, attempting
from cognito_flow._transport.sockets import (
    _connect,
    _HttpConnection,
    _HttpsConnection,
    _Socket,
    end_at_deadlines,
)
from tests.transport.test_canned_answers import call

MIB = 1024 * 1024


@attrs.define
class Inner:
    """A socket that always has bytes to read."""

    timeout: float | None = 30.0
    count: int = 3
    timeouts: list[float | None] = attrs.field(factory=list[float | None])
    failure: Exception | None = None
    _io_refs: int = 0

    def gettimeout(self) -> float | None:
        return self.timeout

    def settimeout(self, seconds: float | None) -> None:
        self.timeouts.append(seconds)

    def recv_into(self, buffer: Any) -> int:
        if self.failure is not None:
            raise self.failure
        buffer[: min(self.count, len(buffer))] = b"abc"[: min(self.count, len(buffer))]
        return self.count

    def _decref_socketios(self) -> None:
        self._io_refs -= 1


def attempt(seconds_left: float) -> Attempt:
    """An attempt with so much time left."""
    return Attempt("GetUser", time.monotonic() + seconds_left)


def read(inner: Any) -> int:
    """Read once."""
    return _Socket(inner).recv_into(bytearray(3))


def test_read_outside_of_an_attempt_waits_as_usual() -> None:
    inner = Inner()

    assert read(inner) == 3
    assert inner.timeouts == []


@pytest.mark.parametrize(
    ("seconds_left", "usual", "waited"),
    [(10, 30.0, 10), (60, 30.0, 30), (10, None, 10), (0.0005, 30.0, 0.001)],
)
def test_read_of_an_attempt_waits_no_longer_than_it_may_take(
    seconds_left: float, usual: float | None, waited: float
) -> None:
    inner, made = Inner(timeout=usual), attempt(seconds_left)
    with attempting(made):
        assert read(inner) == 3

    assert inner.timeouts == [pytest.approx(waited, rel=0.1), usual]
    assert made.received == 3


@pytest.mark.parametrize("seconds_left", [0, -5])
def test_read_after_the_deadline_takes_nothing(seconds_left: float) -> None:
    inner = Inner()
    with pytest.raises(TimeoutError, match="not complete in time"), attempting(attempt(seconds_left)):
        read(inner)

    assert inner.timeouts == []


def test_read_that_fails_leaves_the_usual_timeout() -> None:
    inner = Inner(failure=TimeoutError("late"))
    with pytest.raises(TimeoutError), attempting(attempt(10)):
        read(inner)

    assert inner.timeouts[-1] == 30.0


def test_response_to_an_attempt_ends_at_one_mebibyte() -> None:
    made = attempt(10)
    with attempting(made):
        read(Inner(count=MIB - 1))
        read(Inner(count=1))
        with pytest.raises(UnexpectedResponse) as refused:
            read(Inner(count=1))

    assert str(refused.value) == "the response to GetUser is longer than 1 MiB"
    assert (refused.value.operation, refused.value.maybe_processed) == ("GetUser", True)


def test_file_of_a_socket_reads_through_it_and_counts_as_its_user() -> None:
    inner, made = Inner(), attempt(10)
    wrapped: Any = _Socket(inner)  # type: ignore[arg-type]  # all that is used of one
    with attempting(made):
        file, other = wrapped.makefile("rb"), wrapped.makefile("rb")
        assert inner._io_refs == 2
        assert file.read(3) == b"abc"

    assert made.received >= 3
    file.close()
    other.close()
    assert inner._io_refs == 0


# -- connecting --


@attrs.frozen
class Reader:
    """What a connection reads the response of a proxy with."""

    sock: object
    method: str


def connected(timeout: object, made: Attempt | None = None) -> Any:
    """A connection after it was made in such an attempt."""
    inner = Inner(timeout=7.0)
    connection = SimpleNamespace(timeout=timeout, sock=None, response_class=Reader)

    def connect() -> None:
        connection.sock = inner
        reader = connection.response_class(inner, method="CONNECT")
        assert (type(reader.sock) is _Socket) is (made is not None)
        assert reader.method == "CONNECT"

    if made is None:
        _connect(connection, connect)
    else:
        with attempting(made):
            _connect(connection, connect)
    assert isinstance(connection.sock, _Socket)
    assert connection.sock.gettimeout() == 7.0
    assert connection.response_class is Reader
    return connection


@pytest.mark.parametrize(
    ("timeout", "seconds_left", "waited"),
    [(5, 60, 5), (5.0, 60, 5), (30, 10, 10), (50, -1, 0.001), (50, 20.5, 20.5), (None, 10, 10)],
)
def test_connecting_takes_no_longer_than_the_attempt_may(
    timeout: float | None, seconds_left: float, waited: float
) -> None:
    made = connected(timeout, attempt(seconds_left))

    assert made.timeout == pytest.approx(waited, rel=0.1)


def test_connecting_outside_of_an_attempt_takes_as_long_as_usual() -> None:
    assert connected(5).timeout == 5


def test_timeout_that_is_not_a_number_is_left_alone() -> None:
    assert connected("the default of urllib3", attempt(10)).timeout == "the default of urllib3"


@contextmanager
def server(serve: Callable[[socket.socket], object]) -> Generator[str]:
    """Serve each connection in a thread while the block runs; yields host and port."""
    is_over = threading.Event()

    def run(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while not is_over.is_set():
                serve(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=run, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            is_over.set()
            listener.shutdown(socket.SHUT_RDWR)
    accepting.join(5)


def drip(connection: socket.socket) -> None:
    """Never end the first line of the headers."""
    time.sleep(0.05)
    connection.sendall(b"a")


def drip_a_response(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        drip(connection)


def be_silent(connection: socket.socket) -> None:
    time.sleep(0.05)


def open_tunnel_and_be_silent(connection: socket.socket) -> None:
    """The handshake of TLS is not answered."""
    if connection.recv(4096).startswith(b"CONNECT"):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")


PROXIES = pytest.mark.parametrize("proxy", [drip_a_response, be_silent, open_tunnel_and_be_silent])


@pytest.mark.parametrize("kind", ["own", "boto3", "aiobotocore"])
@PROXIES
def test_proxy_that_makes_no_tunnel_holds_a_call_no_longer_than_its_timeout(
    monkeypatch: pytest.MonkeyPatch, kind: str, proxy: Callable[[socket.socket], object]
) -> None:
    for name in ("NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with server(proxy) as place:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{place}")
        # A client keeps its proxies: each test has an endpoint of its own.
        url = f"https://{kind}{place.rpartition(':')[2]}.invalid"
        app = AppClient("eu-west-1_abc", "client", endpoint_url=url)
        started = time.monotonic()
        with pytest.raises(TransportError) as late:
            call(kind, app, lambda flow: flow.bind(timeout=1).start(UserPasswordAuth("alice", "pw")))

    assert time.monotonic() - started < 15
    # aiobotocore has one error for a timeout, whatever it waited for.
    assert late.value.maybe_processed is (kind == "aiobotocore")


@contextmanager
def full_queue(address: str = "127.0.0.1", port: int = 0) -> Generator[int]:
    """A server that accepts no connection, because its queue is full; yields its port."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_infinite_connect_timeout_of_a_given_client_ends_with_the_turn() -> None:
    with full_queue() as port:
        config = Config(signature_version=UNSIGNED, connect_timeout=None)
        url = f"http://127.0.0.1:{port}"
        client = boto3.client("cognito-idp", "eu-west-1", endpoint_url=url, config=config)
        flow = AuthFlow(AppClient("eu-west-1_abc", "client"), client, timeout=0.5)
        started = time.monotonic()
        with pytest.raises(TransportError) as late:
            flow.start(UserPasswordAuth("alice", "pw"))

    assert time.monotonic() - started < 15
    assert not late.value.maybe_processed


@pytest.mark.parametrize("kind", [_HttpConnection, _HttpsConnection])
def test_connection_that_is_refused_within_an_attempt_fails_as_usual(kind: Any) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # and never listens
        connection = kind("127.0.0.1", unheard.getsockname()[1], timeout=5)
        with pytest.raises(urllib3.exceptions.NewConnectionError), attempting(attempt(1)):
            connection.connect()

    assert connection.timeout <= 1


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let the name cognito.invalid have these addresses."""
    resolve = socket.getaddrinfo

    def resolved(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "cognito.invalid":
            return resolve(host, port, *args, **kwargs)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="other systems have 127.0.0.1 alone")


@linux_only
@pytest.mark.parametrize("kind", ["own", "boto3", "aiobotocore"])
def test_silent_addresses_of_a_name_share_the_time_of_a_call(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    addresses = [f"127.0.0.{last}" for last in range(1, 31)]
    resolve_to(monkeypatch, *addresses)
    with ExitStack() as stack:
        port = 0
        for address in addresses:
            port = stack.enter_context(full_queue(address, port))
        app = AppClient("eu-west-1_abc", "client", endpoint_url=f"http://cognito.invalid:{port}")
        started = time.monotonic()
        with pytest.raises(TransportError):
            call(kind, app, lambda flow: flow.bind(timeout=1).start(UserPasswordAuth("alice", "pw")))

    assert time.monotonic() - started < 15  # it was 1 second for each address


@linux_only
def test_address_that_refuses_is_followed_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        connection = _HttpConnection("cognito.invalid", port, timeout=5)
        with attempting(attempt(10)):
            connection.connect()

        assert connection.sock is not None
        assert connection.sock.getpeername() == ("127.0.0.1", port)
        assert connection.host == "cognito.invalid"
        connection.close()


def test_connection_outside_of_an_attempt_is_made_by_urllib3() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connection = _HttpConnection("localhost", listener.getsockname()[1], timeout=5)
        connection.connect()

        assert connection.timeout == 5
        connection.close()


def test_host_that_cannot_be_resolved_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[object] = []

    def fail(host: object, *_args: object, **_kwargs: object) -> object:
        looked_up.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    connection = _HttpConnection("cognito.invalid", 80, timeout=5)
    with pytest.raises(urllib3.exceptions.NewConnectionError, match="resolve"), attempting(attempt(10)):
        connection.connect()

    assert looked_up == ["cognito.invalid"]


def test_new_connections_of_a_client_keep_to_the_deadlines() -> None:
    classes = {"http": object, "https": object}
    session = SimpleNamespace(_pool_classes_by_scheme=classes)
    end_at_deadlines(SimpleNamespace(_endpoint=SimpleNamespace(http_session=session)))

    names = {
        scheme: (made.__name__, made.ConnectionCls.__name__)  # type: ignore[attr-defined]  # pools have one
        for scheme, made in classes.items()
    }
    assert names == {"http": ("_HttpPool", "_HttpConnection"), "https": ("_HttpsPool", "_HttpsConnection")}


@pytest.mark.parametrize("stranger", [object(), SimpleNamespace(_endpoint=object())])
def test_client_without_a_pool_of_connections_is_left_alone(stranger: object) -> None:
    end_at_deadlines(stranger)
