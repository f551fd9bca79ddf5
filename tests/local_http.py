"""LocalCognito behind a socket, for tests that need another process or a program of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cognito_flow.testing import LocalCognito


@contextmanager
def serve(cognito: LocalCognito) -> Generator[str]:
    """Serve it on this machine; gives the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = cognito.handle(headers, self.rfile.read(int(headers["content-length"])))
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def do_GET(self) -> None:
            pool_id = self.path.split("/")[1]
            self.send_response_only(200)
            self.end_headers()
            self.wfile.write(json.dumps(cognito.state(pool_id).keys.jwks()).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
