"""Connections that end at the deadline of a call, and read at most 1 MiB.

urllib3's timeouts start again with each byte: a server that sends one now and then could hold a call forever.
Here, each read waits no longer than the attempt in progress may still take. Connections that serve no attempt
of ours behave as before.
"""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)

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
        left, usual = max(_SHORTEST, attempt.seconds_left()), self._inner.gettimeout()
        self._inner.settimeout(left if usual is None else min(left, usual))
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
    """Connect within the time that is left."""
    attempt = attempt_in_progress()
    if attempt is not None and isinstance(connection.timeout, int | float):
        connection.timeout = max(_SHORTEST, min(connection.timeout, attempt.seconds_left()))
    connect()
    connection.sock = _Socket(connection.sock)


class _HttpConnection(AWSHTTPConnection):
    def connect(self) -> None:
        _connect(self, super().connect)


class _HttpsConnection(AWSHTTPSConnection):
    def connect(self) -> None:
        _connect(self, super().connect)


class _HttpPool(AWSHTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(AWSHTTPSConnectionPool):
    ConnectionCls = _HttpsConnection
