"""LocalCognito over HTTP: the socket.

Rule of this file: it knows HTTP and no operation. Everything is answered with JSON in Cognito's form, or not
at all. Requests are limited in size and clients in time; each client has its own thread.

Web pages: the API is open to all origins, as on AWS. ``/_local/...`` shows codes and secrets and can reset
everything, so only chosen origins may use it; and a server on a loopback address refuses a Host that any web
site could resolve to it (DNS rebinding).
"""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from http.client import LineTooLong
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from ipaddress import ip_address
from types import TracebackType
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import attrs

from cognito_flow.testing._doors import token_endpoint
from cognito_flow.testing._doors.pages import Site
from cognito_flow.testing._service import Reply, Service
from cognito_flow.testing._state.refusal import Refusal
from cognito_flow.testing.faults import AnswerLost

LARGEST_BODY = 1_048_576
"""Bytes of a request's body; Cognito's own requests are far below."""

LARGEST_HEAD = 65_536
"""Bytes of a request's headers, all together."""

_LINGER = 2  # seconds
_POLL = 0.05  # seconds until the end of serving is noticed
_LARGEST_REST = 4 * LARGEST_BODY
_TARGET = "x-amz-target"
_JSON = "application/x-amz-json-1.1"

_EXPOSED = {"Access-Control-Expose-Headers": "x-amzn-requestid, x-amzn-errortype, x-amzn-errormessage, date"}
# "*" means all headers but Authorization.
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

    def __init__(
        self, cognito: Service, host: str, port: int, patience: float, origins: Collection[str] = ()
    ) -> None:
        self._cognito, self._address, self._patience = cognito, (host, port), patience
        self._origins = frozenset(origins)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it is served, for example ``http://127.0.0.1:9229``.

        Raises:
            RuntimeError: The context was not entered.
        """
        if self._server is None:
            raise RuntimeError("served only within the context: with cognito.serve() as url")
        return self._server.site.url

    def __enter__(self) -> str:
        if self._server is not None:
            raise RuntimeError("already served: call serve() once for each context")
        self._server = server = _Server(self._cognito, self._address, self._patience, self._origins)
        # A daemon thread, so that a context that is never left does not keep the process from ending.
        self._thread = threading.Thread(
            target=server.serve_forever, args=(_POLL,), name="LocalCognito", daemon=True
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

    def __init__(
        self, cognito: Service, address: tuple[str, int], patience: float, origins: frozenset[str]
    ) -> None:
        host = address[0]
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)
        name = f"[{host}]" if ":" in host else host
        self.cognito, self.patience, self.origins, self.host = cognito, patience, origins, host
        self.site = Site(cognito, f"http://{name}:{self.server_port}", cognito.snapshot())
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()

    def accepts_host(self, header: str) -> bool:
        """Whether a Host header names this server in a way that no web site can take over."""
        try:
            name = urlsplit(f"//{header}").hostname or ""
        except ValueError:
            return False
        if not _is_loopback(self.host) or name in {self.host.lower(), "localhost"}:
            return True
        return name.endswith(".localhost") or _is_address(name)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection, after reading what the client still sends: unread data would make the kernel
        drop the answer."""
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
        """Close the connections that clients keep open."""
        with self._open_lock:
            for connection in self._open:
                with suppress(OSError):  # it may have gone away by itself
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log that a client hung up or stopped reading."""
        _log.debug("a connection from %s ended early", client_address, exc_info=True)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


@attrs.frozen
class _Head:
    """The stream of a request while its headers are read, which may not be too large."""

    stream: BufferedIOBase
    read: list[int] = attrs.field(factory=list[int])

    def readline(self, limit: int) -> bytes:
        line = self.stream.readline(limit)
        self.read.append(len(line))
        if sum(self.read) > LARGEST_HEAD:
            raise LineTooLong("all headers together")
        return line


class _Unreadable(Exception):
    """A body that cannot be read."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    protocol_version = default_request_version = "HTTP/1.1"  # HTTP/0.9 answers would have no headers
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
        """Read headers and body; every method may have one. The standard library hangs up on a request that
        begins with an empty line."""
        if not self.raw_requestline.strip():
            self.command, self.request_version = "", self.default_request_version
            self.send_error(HTTPStatus.BAD_REQUEST, "The request line is empty.")
            return False
        stream = self.rfile
        self.rfile = cast("Any", _Head(stream))
        try:
            is_readable = super().parse_request()
        finally:
            self.rfile = stream
        if not is_readable:
            return False
        if not cast("_Server", self.server).accepts_host(self.headers.get("host", "localhost")):
            text = "Host must be localhost or an IP address, or the server bound to another address."
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, text)
            return False
        try:
            self.body = self._body()
        except _Unreadable as error:
            self.send_error(error.status, str(error))
            return False
        return True

    def handle_expect_100(self) -> bool:
        """Ask for the body, which the client holds back until then."""
        continues = super().handle_expect_100()
        self.wfile.flush()
        return continues

    def do_POST(self) -> None:
        """The API, and the pages that change something."""
        if _TARGET in self.headers and not self._is_local:
            self._call(self._cognito.handle, self.headers[_TARGET])
        elif self._place == token_endpoint.PATH:
            self._call(partial(token_endpoint.answer, self._cognito), token_endpoint.PATH)
        else:
            self._visit("POST")

    def do_GET(self) -> None:
        """The pages."""
        self._visit("GET")

    def do_HEAD(self) -> None:
        """The same without their bodies; some programs poll it until a server is up."""
        self._visit("GET")

    def do_OPTIONS(self) -> None:
        """A browser asks what a page may send."""
        self._send(HTTPStatus.NO_CONTENT, _PREFLIGHT if self._allowed_origin() else {}, b"")

    # -- requests --

    def _body(self) -> bytes:
        lengths = set(self.headers.get_all("content-length", []))
        codings = self.headers.get_all("transfer-encoding", [])
        if codings and lengths:  # a proxy and this server could disagree about where the body ends
            text = "Content-Length and Transfer-Encoding cannot be used together."
            raise _Unreadable(HTTPStatus.BAD_REQUEST, text)
        if codings:
            if [coding.strip().lower() for coding in codings] != ["chunked"]:
                raise _Unreadable(HTTPStatus.NOT_IMPLEMENTED, "Transfer-Encoding must be chunked.")
            return self._chunked_body()
        length = ", ".join(lengths or {"0"})
        if not (length.isascii() and length.isdigit()):
            raise _Unreadable(HTTPStatus.BAD_REQUEST, "Content-Length is not a number.")
        if len(length) > len(str(LARGEST_BODY)) or int(length) > LARGEST_BODY:
            raise _too_large()
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise _Unreadable(HTTPStatus.BAD_REQUEST, "The body is shorter than Content-Length says.")
        return body

    def _chunked_body(self) -> bytes:
        """A body in chunks, each with its length. (RFC 9112, section 7.1.)"""
        body = bytearray()
        while size := self._chunk_size():
            if len(body) + size > LARGEST_BODY:
                raise _too_large()
            body += self.rfile.read(size)
            if self.rfile.readline(3) != b"\r\n":
                raise _Unreadable(HTTPStatus.BAD_REQUEST, "A chunk does not end where its length says.")
        trailers = _Head(self.rfile)
        try:
            while (line := trailers.readline(LARGEST_HEAD)).strip():
                pass
        except LineTooLong:
            line = b""
        if not line:
            raise _Unreadable(HTTPStatus.BAD_REQUEST, "The trailers of the body do not end.")
        return bytes(body)

    def _chunk_size(self) -> int:
        digits, _, _ = self.rfile.readline(1024).partition(b";")  # what follows is an extension
        if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", digits.strip()):
            raise _Unreadable(HTTPStatus.BAD_REQUEST, "The length of a chunk is not a hexadecimal number.")
        return int(digits, 16)

    def _call(self, answer: Callable[[Mapping[str, str], bytes], Reply], place: str) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            reply = answer(headers, self.body)
        except AnswerLost:
            self.close_connection = True
        except Exception:  # noqa: BLE001 - whatever fails here, the client gets an answer
            self._report_failure(place)
        else:
            self._send(reply.status, reply.headers, reply.body)

    def _allowed_origin(self) -> str | None:
        """The origins whose pages may read the answer: ``*`` for all, "" for this server's own pages alone;
        None if the request comes from a page that may not use what it asks for."""
        origin = self.headers.get("origin")
        shows_pools = self._place == "/" and self.command in {"GET", "HEAD"}
        if not (shows_pools or self._is_local):
            return "*"
        if origin in cast("_Server", self.server).origins:
            return origin
        return "" if origin in {None, f"http://{self.headers.get('host')}"} else None

    @property
    def _place(self) -> str:
        """The path, also of a request that names the whole URL (RFC 9112, section 3.2.2)."""
        try:
            return urlsplit(self.path).path
        except ValueError:
            return ""

    @property
    def _is_local(self) -> bool:
        """Whether the path is one for tests, whatever the headers say."""
        return self._place.startswith("/_local/")

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
        if self._allowed_origin() is None:
            text = "Pages of this origin may not use /_local: see the argument origins of LocalCognito.serve."
            self._send_json(HTTPStatus.FORBIDDEN, _error("ForbiddenException", text))
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
            self._report_failure(parts.path)
        else:
            self._send_json(HTTPStatus.OK, value)

    # -- answers --

    def _report_failure(self, place: str) -> None:
        _log.exception("LocalCognito failed at %s", place)
        text = "LocalCognito itself failed; its log says where."
        self._send_json(HTTPStatus.INTERNAL_SERVER_ERROR, _error("InternalErrorException", text))

    def _send_json(self, status: HTTPStatus, value: object) -> None:
        body = json.dumps(value).encode()
        kind = "application/json" if status == HTTPStatus.OK else _JSON
        self._send(status, {"Content-Type": kind, "Content-Length": str(len(body))}, body)

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in {**headers, **self._cors()}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _cors(self) -> dict[str, str]:
        # Headers that could not be read leave none behind.
        origin = self._allowed_origin() if hasattr(self, "headers") else None
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin", **_EXPOSED} if origin else {}

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse a request that is not valid HTTP, and close the connection: the rest of the request would be
        read as the next one."""
        self.close_connection = True
        status = HTTPStatus(code)
        self._send_json(status, _error("SerializationException", message or status.phrase))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Log what the standard library reports, for example a client that was too slow."""
        _log.debug(format, *args)


def _too_large() -> _Unreadable:
    text = f"The body is larger than {LARGEST_BODY} bytes."
    return _Unreadable(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)


def _error(code: str, text: str) -> dict[str, str]:
    return {"__type": code, "message": text}
