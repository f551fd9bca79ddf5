"""An API on this machine that verifies tokens and records the requests."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import parse_qs, urlsplit

import attrs

from cognito_flow import TokenRejected
from cognito_flow.testing import Pool
from tests.support.http_server import Handler, running


@attrs.frozen
class Seen:
    """One request, and the status of the answer."""

    path: str
    token: str | None
    body: bytes
    cookie: str | None
    status: int


@attrs.define
class Api:
    """What it serves:

    `/echo` returns the body for a valid access token, `/id` for a valid ID token, `/never` never.
    `/moved?to=...&status=...` redirects every request, `/gate` with the same query only those with a valid
    access token.

    Args:
        pool: The pool whose tokens are valid.
        url: Its URL.
        header: The header of the token.
        scheme: The word before the token.
        revoked: Tokens that it rejects.
        refusal: Headers of each 401.
        seen: The requests.
        connections: How many were opened.
    """

    pool: Pool
    url: str
    header: str = "Authorization"
    scheme: str | None = "Bearer"
    revoked: set[str] = attrs.field(factory=set)
    refusal: dict[str, str] = attrs.field(factory=dict)
    seen: list[Seen] = attrs.field(factory=list)
    connections: int = 0

    def statuses(self) -> list[int]:
        """The statuses of the responses."""
        return [request.status for request in self.seen]

    def tokens(self) -> list[str | None]:
        """The tokens of the requests."""
        return [request.token for request in self.seen]

    def bodies(self) -> list[bytes]:
        """The bodies of the requests."""
        return [request.body for request in self.seen]

    def accepts(self, path: str, token: str | None) -> bool:
        """Whether this token is valid for this path."""
        if token is None or token in self.revoked or path == "/never":
            return False
        verifier = self.pool.verifier(leeway=0)
        try:
            verifier.verify_id(token) if path == "/id" else verifier.verify_access(token)
        except TokenRejected:
            return False
        return True


def read_body(request: BaseHTTPRequestHandler) -> bytes:
    """Read the body of a request, which may come in chunks."""
    if request.headers.get("Transfer-Encoding") != "chunked":
        return request.rfile.read(int(request.headers.get("Content-Length", 0)))
    body = b""
    while size := int(request.rfile.readline(), 16):
        body += request.rfile.read(size)
        request.rfile.readline()
    request.rfile.readline()
    return body


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # many clients connect at once
    api: Api


class _Handler(Handler):
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.api = cast("_Server", self.server).api
        self.api.connections += 1

    def handle(self) -> None:
        with suppress(ConnectionResetError):  # some clients close connections so
            super().handle()

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        body = read_body(self)
        url, shown = urlsplit(self.path), self._token()
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path != "/moved" and not self.api.accepts(url.path, shown):
            status, headers, answer = 401, self.api.refusal, b"unauthorized"
        elif "to" in query:
            status, headers, answer = int(query["status"]), {"Location": query["to"]}, b""
        else:
            status, headers, answer = 200, {}, body
        self.api.seen.append(Seen(url.path, shown, body, self.headers.get("Cookie"), status))
        self.answer(status, answer, headers)

    def _token(self) -> str | None:
        value = self.headers.get(self.api.header)
        if value is None or self.api.scheme is None:
            return value
        scheme, _, token = value.partition(" ")
        return token if scheme == self.api.scheme else None


@contextmanager
def serve(pool: Pool) -> Generator[Api]:
    """Serve an API on a free port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.api = Api(pool, f"http://127.0.0.1:{server.server_port}")
    with running(server):
        yield server.api
