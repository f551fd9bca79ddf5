"""An HTTP proxy of the tests' own that spoils chosen responses on their way from a served LocalCognito.

It shares no code with the client or with LocalCognito: it speaks HTTP over plain sockets, and counts what Cognito processed.
"""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import attrs

Answer = tuple[int, bytes, bytes]
"""Status, the header lines, and the body of what Cognito answered."""

JSON = b"content-type: application/x-amz-json-1.1\r\nx-amzn-requestid: id\r\n"


def _refusal(code: str, status: int) -> Answer:
    return status, JSON, f'{{"__type": "{code}", "message": "spoilt"}}'.encode()


def _http(answer: Answer, *, length: int | None = None) -> bytes:
    status, headers, body = answer
    size = len(body) if length is None else length
    return b"HTTP/1.1 %d X\r\n%scontent-length: %d\r\n\r\n%s" % (status, headers, size, body)


@attrs.frozen
class Exchange:
    """One request at the proxy: the connection, and a way to have Cognito process it."""

    connection: socket.socket
    process: Callable[[], Answer]
    is_over: threading.Event

    def answer(self, answer: Answer) -> None:
        """Send a response, after which the connection ends."""
        status, headers, body = answer
        self.connection.sendall(_http((status, headers + b"connection: close\r\n", body)))

    def reset(self) -> None:
        """Close the connection with RST: nothing that is under way is delivered."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _truncated(exchange: Exchange) -> None:
    """The headers promise the whole body, and the connection ends in the middle of it."""
    answer = exchange.process()
    exchange.connection.sendall(
        _http((answer[0], answer[1], answer[2][: len(answer[2]) // 2]), length=len(answer[2]) + 8)
    )


def _reset_in_answer(exchange: Exchange) -> None:
    data = _http(exchange.process())
    exchange.connection.sendall(data[: len(data) // 2])
    time.sleep(0.05)
    exchange.reset()


def _replaced(body: bytes, headers: bytes = JSON) -> Callable[[Exchange], None]:
    def spoil(exchange: Exchange) -> None:
        exchange.process()
        exchange.answer((200, headers, body))

    return spoil


def _error_after(exchange: Exchange) -> None:
    exchange.process()
    exchange.answer(_refusal("InternalErrorException", 500))


def _silence(exchange: Exchange) -> None:
    exchange.process()
    exchange.is_over.wait(20)


def _drip(exchange: Exchange) -> None:
    data = _http(exchange.process())
    with suppress(OSError):
        for place in range(len(data)):
            exchange.connection.sendall(data[place : place + 1])
            if exchange.is_over.wait(0.1):
                return


def _endless(exchange: Exchange) -> None:
    """A body without end: 2 MiB at once, then 6 MiB a second. Clients without a limit keep all of it in memory until
    their deadline, which would be gigabytes at full speed."""
    exchange.process()
    with suppress(OSError):
        exchange.connection.sendall(b"HTTP/1.1 200 X\r\n" + JSON + b"\r\n{" + b" " * 2**21)
        while not exchange.is_over.wait(0.01):
            exchange.connection.sendall(b" " * 2**16)


SPOILT: dict[str, Callable[[Exchange], object]] = {
    "500 before": lambda exchange: exchange.answer(_refusal("InternalErrorException", 500)),
    "500 after": _error_after,
    "throttled": lambda exchange: exchange.answer(_refusal("TooManyRequestsException", 400)),
    "429 of a proxy": lambda exchange: exchange.answer(
        (429, b"content-type: text/html\r\n", b"<html>slow down</html>")
    ),
    "503 of a proxy": lambda exchange: exchange.answer(
        (503, b"content-type: text/html\r\n", b"<html>down</html>")
    ),
    "lost": lambda exchange: exchange.process(),
    "silence": _silence,
    "reset before": lambda exchange: exchange.reset(),
    "reset in the answer": _reset_in_answer,
    "truncated": _truncated,
    "cut": _replaced(b'{"ChallengeName": "SMS'),
    "empty": _replaced(b""),
    "not JSON": _replaced(b"<html>welcome to this hotel</html>", b"content-type: text/html\r\n"),
    "wrong type": _replaced(b"[]"),
    "drip": _drip,
    "endless": _endless,
}


@attrs.define
class SpoilingProxy:
    """The proxy.

    Args:
        upstream: The URL of the LocalCognito.
        choose: Chooses the fault of each request to an operation, instead of `spoil`; None spoils nothing.
    """

    upstream: str
    url: str = ""
    choose: Callable[[str], str | None] | None = None
    fault: str | None = None
    operation: str | None = None
    times: int = 1
    arrived: Counter[str] = attrs.field(factory=Counter[str])
    processed: Counter[str] = attrs.field(factory=Counter[str])
    _is_over: threading.Event = attrs.field(factory=threading.Event)

    def spoil(self, operation: str, fault: str, times: int = 1) -> None:
        """Spoil the next responses to an operation, and count from zero."""
        self.operation, self.fault, self.times = operation, fault, times
        self.arrived.clear()
        self.processed.clear()

    def serve(self, connection: socket.socket) -> None:
        """Answer the requests on one connection, until one is spoilt."""
        with connection, suppress(OSError):
            while (request := _read_request(connection)) is not None:
                head, body = request
                operation = _target(head)
                self.arrived[operation] += 1

                def process(
                    head: dict[str, str] = head, body: bytes = body, operation: str = operation
                ) -> Answer:
                    answer = _forward(self.upstream, head, body)
                    self.processed[operation] += answer[0] == 200
                    return answer

                exchange = Exchange(connection, process, self._is_over)
                if (fault := self._fault_of(operation)) is not None:
                    SPOILT[fault](exchange)
                    return
                connection.sendall(_http(process()))

    def _fault_of(self, operation: str) -> str | None:
        if self.choose is not None:
            return self.choose(operation)
        if operation != self.operation or self.times <= 0 or self.fault not in SPOILT:
            return None
        self.times -= 1
        return self.fault

    def end(self) -> None:
        """Let go of all connections."""
        self._is_over.set()


def _target(head: dict[str, str]) -> str:
    return head.get("x-amz-target", "").rpartition(".")[2]


def _read_request(connection: socket.socket) -> tuple[dict[str, str], bytes] | None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return None
        data += more
    raw, _, body = data.partition(b"\r\n\r\n")
    lines = raw.decode().split("\r\n")[1:]
    head = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(head.get("content-length", 0)):
        if not (more := connection.recv(65536)):
            return None
        body += more
    return head, body


def _forward(upstream: str, head: dict[str, str], body: bytes) -> Answer:
    place = urlsplit(upstream)
    connection = http.client.HTTPConnection(place.hostname or "", place.port)
    try:
        names = ("x-amz-target", "content-type", "authorization", "x-amz-date", "x-amz-security-token")
        connection.request("POST", "/", body, {name: head[name] for name in names if name in head})
        response = connection.getresponse()
        lines = "".join(
            f"{name}: {value}\r\n"
            for name, value in response.getheaders()
            if name.lower() not in ("content-length", "connection", "transfer-encoding")
        )
        return response.status, lines.encode(), response.read()
    finally:
        connection.close()


@contextmanager
def spoiling(upstream: str) -> Generator[SpoilingProxy]:
    """Run a proxy before a served LocalCognito while the block runs."""
    proxy = SpoilingProxy(upstream)
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy.url = f"http://127.0.0.1:{server.getsockname()[1]}"

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=proxy.serve, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.end()
            server.shutdown(socket.SHUT_RDWR)
    thread.join(5)
