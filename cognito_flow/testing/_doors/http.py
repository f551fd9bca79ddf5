"""LocalCognito over HTTP: the socket.

Rule of this file: it knows HTTP, and no operation. Whatever comes in is answered with JSON of Cognito's form,
or not at all; a request is bounded in size, and a client in time, and each client has a thread of its own.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from cognito_flow.testing._doors.pages import Site
from cognito_flow.testing._service import Service
from cognito_flow.testing._state.refusal import Refusal
from cognito_flow.testing.faults import AnswerLost

LARGEST_BODY = 1_048_576
"""Bytes of a request's body; Cognito's own requests are far below."""

_LINGER = 2  # seconds
_NOTICE = 0.05  # seconds, in which the end of serving is noticed
_LARGEST_REST = 4 * LARGEST_BODY
_TARGET = "x-amz-target"
_JSON = "application/x-amz-json-1.1"

# A page of any origin may use the pool, as with AWS. "*" stands for all headers but Authorization.
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "x-amzn-requestid, x-amzn-errortype, date",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "*, authorization",
    "Access-Control-Allow-Private-Network": "true",
    "Access-Control-Max-Age": "86400",
    "Content-Length": "0",
}

_log = logging.getLogger("cognito_flow.testing")


class Serving:
    """A LocalCognito that is served: a context manager, made by `LocalCognito.serve`."""

    def __init__(self, cognito: Service, host: str, port: int, patience: float) -> None:
        self._cognito, self._address, self._patience = cognito, (host, port), patience
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it is served, for example ``http://127.0.0.1:9229``.

        Raises:
            RuntimeError: It is not served now.
        """
        if self._server is None:
            raise RuntimeError("it is served only within the context: with cognito.serve() as url")
        return self._server.site.url

    def __enter__(self) -> str:
        if self._server is not None:
            raise RuntimeError("it is served already")
        self._server = server = _Server(self._cognito, self._address, self._patience)
        # A daemon: a context that nobody leaves is not to keep the process from ending.
        self._thread = threading.Thread(
            target=server.serve_forever, args=(_NOTICE,), name="LocalCognito", daemon=True
        )
        self._thread.start()
        return self.url

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        server, self._server = cast("_Server", self._server), None
        try:
            server.shutdown()
            cast("threading.Thread", self._thread).join()
        finally:  # Ctrl-C may come while it waits
            server.hang_up()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that `server_close` waits for them
    request_queue_size = 128
    allow_reuse_address = os.name == "posix"  # elsewhere it would let others take a port that is in use

    def __init__(self, cognito: Service, address: tuple[str, int], patience: float) -> None:
        host = address[0]
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)
        name = f"[{host}]" if ":" in host else host
        self.cognito, self.patience = cognito, patience
        self.site = Site(cognito, f"http://{name}:{self.server_port}", cognito.snapshot())
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """End a connection, with patience for what the client still sends: unread, it would make the answer
        be lost on the way."""
        with suppress(OSError):  # the client may be gone first
            request.shutdown(socket.SHUT_WR)
            request.settimeout(_LINGER)
            left = _LARGEST_REST
            while left > 0 and (rest := request.recv(65536)):
                left -= len(rest)
        with self._open_lock:
            self._open.discard(request)
        self.close_request(request)

    def hang_up(self) -> None:
        """End what clients keep open."""
        with self._open_lock:
            for connection in self._open:
                with suppress(OSError):  # it may have gone away by itself
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The client hung up, or stopped reading: it is of no interest to anybody else."""
        _log.debug("a connection from %s ended early", client_address, exc_info=True)


class _Unreadable(Exception):
    """A body that cannot be read."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    protocol_version = default_request_version = "HTTP/1.1"  # nobody gets an answer without a head
    server_version, sys_version = "LocalCognito", ""
    wbufsize = -1  # head and body leave together
    disable_nagle_algorithm = True

    raw_requestline: bytes  # which the standard library sets, and its types do not know
    body: bytes

    def setup(self) -> None:
        """Begin a connection."""
        super().setup()
        self.connection.settimeout(cast("_Server", self.server).patience)

    def parse_request(self) -> bool:
        """Read head and body; every method may have one. The standard library hangs up on a request that
        begins with an empty line."""
        if not self.raw_requestline.strip():
            self.command, self.request_version = "", self.default_request_version
            self.send_error(HTTPStatus.BAD_REQUEST, "The request line is empty.")
            return False
        if not super().parse_request():
            return False
        try:
            self.body = self._body()
        except _Unreadable as error:
            self.send_error(error.status, str(error))
            return False
        return True

    def handle_expect_100(self) -> bool:
        """Let the client send the body that it holds back until it hears this."""
        goes_on = super().handle_expect_100()
        self.wfile.flush()
        return goes_on

    def do_POST(self) -> None:
        """The API, and the pages that change something."""
        if _TARGET in self.headers:
            self._call()
        else:
            self._visit("POST")

    def do_GET(self) -> None:
        """The pages."""
        self._visit("GET")

    def do_HEAD(self) -> None:
        """The same without their bodies; some programs wait by it until a server is there."""
        self._visit("GET")

    def do_OPTIONS(self) -> None:
        """A browser asks what a page may send."""
        self._send(HTTPStatus.NO_CONTENT, _PREFLIGHT, b"")

    # -- requests --

    def _body(self) -> bytes:
        # Where two differ, nobody knows where the body ends.
        length = ", ".join(set(self.headers.get_all("content-length", ["0"])))
        if "transfer-encoding" in self.headers:
            raise _Unreadable(HTTPStatus.LENGTH_REQUIRED, "The request needs a Content-Length.")
        if not (length.isascii() and length.isdigit()):
            raise _Unreadable(HTTPStatus.BAD_REQUEST, "Content-Length is not a number.")
        if len(length) > len(str(LARGEST_BODY)) or int(length) > LARGEST_BODY:
            text = f"The body is larger than {LARGEST_BODY} bytes."
            raise _Unreadable(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise _Unreadable(HTTPStatus.BAD_REQUEST, "The body is shorter than Content-Length says.")
        return body

    def _call(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            reply = self._cognito.handle(headers, self.body)
        except AnswerLost:
            self.close_connection = True
        except Exception:  # noqa: BLE001 - whatever is wrong here, the client is to hear of it
            self._tell_failure(headers[_TARGET])
        else:
            self._send(reply.status, reply.headers, reply.body)

    @property
    def _cognito(self) -> Service:
        return cast("_Server", self.server).cognito

    def _visit(self, method: str) -> None:
        try:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query, max_num_fields=10))
        except ValueError:
            self.send_error(HTTPStatus.BAD_REQUEST, "The path cannot be read.")
            return
        page = cast("_Server", self.server).site.page(method, parts.path)
        if page is None:
            text = "There is nothing here: the API is POST / with the header X-Amz-Target."
            self._send_json(HTTPStatus.NOT_FOUND, _error("ResourceNotFoundException", text))
            return
        try:
            value = page(query)
        except Refusal as refusal:
            self._send_json(HTTPStatus.BAD_REQUEST, _error(refusal.code, refusal.text))
        except Exception:  # noqa: BLE001 - as above
            self._tell_failure(parts.path)
        else:
            self._send_json(HTTPStatus.OK, value)

    # -- answers --

    def _tell_failure(self, place: str) -> None:
        _log.exception("LocalCognito failed at %s", place)
        text = "LocalCognito itself failed; its log says where."
        self._send_json(HTTPStatus.INTERNAL_SERVER_ERROR, _error("InternalErrorException", text))

    def _send_json(self, status: HTTPStatus, value: object) -> None:
        body = json.dumps(value).encode()
        kind = "application/json" if status == HTTPStatus.OK else _JSON
        self._send(status, {"Content-Type": kind, "Content-Length": str(len(body))}, body)

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in {**headers, **_CORS}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse a request that is no good HTTP. What is left of it would be taken for the next one, so the
        connection ends."""
        self.close_connection = True
        status = HTTPStatus(code)
        self._send_json(status, _error("SerializationException", message or status.phrase))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """What the standard library has to say, of a client that was too slow."""
        _log.debug(format, *args)


def _error(code: str, text: str) -> dict[str, str]:
    return {"__type": code, "message": text}
