"""Sockets that keep to the deadline of an attempt, over a socket that records its calls."""

from __future__ import annotations

import socket
import time
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
import urllib3.exceptions

from cognito_flow import UnexpectedResponse
from cognito_flow._transport.attempts import Attempt, attempting
from cognito_flow._transport.sockets import (
    _connect,
    _HttpConnection,
    _HttpsConnection,
    _Socket,
    end_at_deadlines,
)

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
    [(10, 30.0, 10), (60, 30.0, 30), (10, None, 10), (0, 30.0, 0.001), (-5, None, 0.001)],
)
def test_read_of_an_attempt_waits_no_longer_than_it_may_take(
    seconds_left: float, usual: float | None, waited: float
) -> None:
    inner, made = Inner(timeout=usual), attempt(seconds_left)
    with attempting(made):
        assert read(inner) == 3

    assert inner.timeouts == [pytest.approx(waited, rel=0.1), usual]
    assert made.received == 3


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


def connected(timeout: object, made: Attempt | None = None) -> Any:
    """A connection after it was made in such an attempt."""
    inner = Inner(timeout=7.0)
    connection = SimpleNamespace(timeout=timeout, sock=None)

    def connect() -> None:
        connection.sock = inner

    if made is None:
        _connect(connection, connect)
    else:
        with attempting(made):
            _connect(connection, connect)
    assert isinstance(connection.sock, _Socket)
    assert connection.sock.gettimeout() == 7.0
    return connection


@pytest.mark.parametrize(
    ("timeout", "seconds_left", "waited"),
    [(5, 60, 5), (5.0, 60, 5), (30, 10, 10), (50, -1, 0.001), (50, 20.5, 20.5)],
)
def test_connecting_takes_no_longer_than_the_attempt_may(
    timeout: float, seconds_left: float, waited: float
) -> None:
    made = connected(timeout, attempt(seconds_left))

    assert made.timeout == pytest.approx(waited, rel=0.1)


def test_connecting_outside_of_an_attempt_takes_as_long_as_usual() -> None:
    assert connected(5).timeout == 5


@pytest.mark.parametrize("timeout", [None, "the default of urllib3"])
def test_timeout_that_is_not_a_number_is_left_alone(timeout: object) -> None:
    assert connected(timeout, attempt(10)).timeout == timeout


@pytest.mark.parametrize("kind", [_HttpConnection, _HttpsConnection])
def test_connection_that_is_refused_within_an_attempt_fails_as_usual(kind: Any) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # and never listens
        connection = kind("127.0.0.1", unheard.getsockname()[1], timeout=5)
        with pytest.raises(urllib3.exceptions.NewConnectionError), attempting(attempt(1)):
            connection.connect()

    assert connection.timeout <= 1


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
