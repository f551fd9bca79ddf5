"""Connections that end at the deadline of a call, and read at most 1 MiB.

urllib3's timeouts start again with each byte: a server that sends one now and then could hold a call forever.
Here, each read waits no longer than the attempt in progress may still take. Connections that serve no attempt
of ours behave as before.
"""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.connection import allowed_gai_family

from cognito_flow._transport.attempts import attempt_in_progress
from cognito_flow.errors import UnexpectedResponse

_MAX_BYTES = 1024 * 1024  # Cognito's longest responses, lists of devices or passkeys, have some 100 kB

_SHORTEST = 0.001  # seconds: 0 would mean not to wait at all, and None forever


def end_at_deadlines(client: object) -> None:
    """Make new connections of a boto3 client keep to the deadlines. Other clients are left alone."""
    endpoint = getattr(client, "_endpoint", None)
    classes: Any = getattr(getattr(endpoint, "http_session", None), "_pool_classes_by_scheme", {})
    classes |= {"http": _HttpPool, "https": _HttpsPool}


class _Socket:
    """A socket whose reads keep to the deadline of the attempt in progress."""

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def makefile(self, _mode: str, *_args: object, **_kwargs: object) -> io.BufferedReader:
        """What `http.client` reads from: as after `socket.makefile`, it counts as a user of the socket."""
        inner: Any = self._inner
        inner._io_refs += 1  # noqa: SLF001
        this: Any = self
        return io.BufferedReader(socket.SocketIO(this, "r"))

    def recv_into(self, buffer: Any) -> int:
        attempt = attempt_in_progress()
        if attempt is None:
            return self._inner.recv_into(buffer)
        if attempt.seconds_left() <= 0:
            raise TimeoutError("the response is not complete in time")
        usual = self._inner.gettimeout()
        self._inner.settimeout(_time_left(usual))
        try:
            count = self._inner.recv_into(buffer)
        finally:
            self._inner.settimeout(usual)
        attempt.received += count
        if attempt.received > _MAX_BYTES:
            raise UnexpectedResponse(
                f"the response to {attempt.operation} is longer than 1 MiB",
                operation=attempt.operation,
                maybe_processed=True,
            )
        return count


def _connect(connection: Any, connect: Callable[[], object]) -> None:
    """Connect within the time that is left: to the server or to a proxy, through its tunnel, and over TLS.

    Nothing of a call is sent before, so that a timeout here is one of the connection.
    """
    if attempt_in_progress() is None:
        connect()
    else:
        _connect_in_time(connection, connect)
    connection.sock = _Socket(connection.sock)


def _connect_in_time(connection: Any, connect: Callable[[], object]) -> None:
    connection.timeout = _time_left(connection.timeout)
    usual = connection.response_class

    def limited(sock: socket.socket, **options: Any) -> Any:
        return usual(_Socket(sock), **options)

    connection.response_class = limited  # the response of a proxy to CONNECT is read while connecting
    try:
        connect()
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, "the connection was not made in time") from error
    finally:
        connection.response_class = usual


def _time_left(usual: Any) -> Any:
    """A timeout that is no longer than the attempt in progress may still take; None is infinite."""
    attempt = attempt_in_progress()
    if attempt is None or not (usual is None or isinstance(usual, int | float)):
        return usual  # urllib3 has an object for its default
    left = max(_SHORTEST, attempt.seconds_left())
    return left if usual is None else min(left, usual)


def _new_socket(connection: Any, make: Callable[[], Any]) -> Any:
    """Try each address of the host within the time that is left: urllib3 would give each all of it."""
    if attempt_in_progress() is None:
        return make()
    host, usual = connection.host, connection.timeout
    *others, last = _addresses(connection)
    try:
        for address in others:
            connection.host, connection.timeout = address, _time_left(usual)
            with suppress(ConnectTimeoutError, NewConnectionError):
                return _limited(make())
        connection.host, connection.timeout = last, _time_left(usual)
        return _limited(make())
    finally:
        connection.host = host


def _addresses(connection: Any) -> list[str]:
    try:
        found = socket.getaddrinfo(connection.host, connection.port, allowed_gai_family(), socket.SOCK_STREAM)
    except OSError as error:
        raise NewConnectionError(connection, f"Failed to resolve the host: {error}") from error
    numeric = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    return [socket.getnameinfo(place, numeric)[0] for *_, place in found]


def _limited(made: Any) -> Any:
    """Give the handshake of TLS, which has its own wait, what is left of the time."""
    made.settimeout(_time_left(made.gettimeout()))
    return made


class _HttpConnection(AWSHTTPConnection):
    def connect(self) -> None:
        _connect(self, super().connect)

    def _new_conn(self) -> Any:
        return _new_socket(self, super()._new_conn)


class _HttpsConnection(AWSHTTPSConnection):
    def connect(self) -> None:
        _connect(self, super().connect)

    def _new_conn(self) -> Any:
        return _new_socket(self, super()._new_conn)

    def _tunnel(self) -> None:
        super()._tunnel()
        _limited(self.sock)


class _HttpPool(AWSHTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(AWSHTTPSConnectionPool):
    ConnectionCls = _HttpsConnection
