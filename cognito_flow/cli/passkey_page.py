"""A page on localhost that signs with a passkey, because only a browser can.

Rules of this file: the page is served on the loopback interface, at a path that cannot be guessed, to
requests for this very host, until one credential came. A browser lets a page on localhost use passkeys of the
relying party ``localhost`` only.

Source: Web Authentication Level 3, section 5.1.4 (the RP ID must be the origin's effective domain or a suffix
of it).
"""

from __future__ import annotations

import json
import re
import secrets
import webbrowser
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

from cognito_flow.errors import Unanswered
from cognito_flow.handlers import Answer, WebAuthn
from cognito_flow.terminal import say

RELYING_PARTY = "localhost"

_MAX_LENGTH = 100_000  # bytes of a credential that are read; one of a browser has about 1 kB
_LENGTH = re.compile(r"[0-9]{1,9}")
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Sign in with a passkey</title>
<body style="font: 1rem/1.5 system-ui; margin: 10vh auto; max-width: 30rem; padding: 0 1rem">
<h1>Sign in with a passkey</h1>
<p id="status" role="status">Your browser asks for your passkey.</p>
<button id="again" hidden>Try again</button>
<script>
const status = document.getElementById("status"), again = document.getElementById("again");
async function sign() {
  again.hidden = true;
  try {
    const options = PublicKeyCredential.parseRequestOptionsFromJSON(%(options)s);
    const credential = await navigator.credentials.get({publicKey: options});
    const response = await fetch(location.href, {method: "POST", body: JSON.stringify(credential)});
    if (!response.ok) throw new Error(await response.text());
    status.textContent = "Done. Go back to your terminal; you can close this page.";
  } catch (error) {
    status.textContent = `That did not work: ${error.message}`;
    again.hidden = false;
  }
}
again.onclick = sign;
sign();
</script></body></html>
"""


def can_answer(challenge: WebAuthn) -> bool:
    """Whether a page on localhost may use the passkeys that are asked for."""
    return challenge.options.get("rpId") == RELYING_PARTY


def answer(challenge: WebAuthn) -> Answer:
    """Open the page in the user's browser, and wait for the passkey.

    Args:
        challenge: The challenge, for which `can_answer` is true.

    Raises:
        Unanswered: The challenge expired.
        InvalidInput: What the page sent is not a credential.
    """
    with _Server(challenge) as server:
        say(f"Use your passkey in a browser on this machine (Ctrl-C stops): {server.url}")
        webbrowser.open(server.url)  # where there is none, the user can still follow the line above
        while server.credential is None:
            if challenge.expires_at is not None and datetime.now(UTC) > challenge.expires_at:
                raise Unanswered(challenge, "the challenge expired before a passkey signed it")
            server.handle_request()
    return challenge.answer(server.credential)


class _Server(ThreadingHTTPServer):
    """Serves the page, and takes one credential.

    Each connection has a thread, because browsers open some ahead that stay idle.
    """

    timeout = 0.1  # seconds until `handle_request` returns without a request

    def __init__(self, challenge: WebAuthn) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.path = f"/{secrets.token_urlsafe(16)}"
        self.host = f"localhost:{self.server_port}"
        self.url = f"http://{self.host}{self.path}"
        # In a script element, "</script" would end it.
        self.page = (_PAGE % {"options": json.dumps(challenge.options).replace("<", "\\u003c")}).encode()
        self.credential: str | None = None

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing when a browser closes a connection early: the terminal is for the sign-in."""


class _Handler(BaseHTTPRequestHandler):
    timeout = 10  # seconds for a request to arrive

    def do_GET(self) -> None:
        if self._is_for_this_page():
            self._send(200, "text/html; charset=utf-8", self._page.page)

    def do_POST(self) -> None:
        if not self._is_for_this_page():
            return
        length = self.headers.get("content-length", "0")
        if not _LENGTH.fullmatch(length):
            self._send(400, "text/plain", b"bad content-length")
            return
        body = self.rfile.read(min(int(length), _MAX_LENGTH))
        if self.headers.get("origin") != f"http://{self._page.host}":
            self._send(403, "text/plain", b"refused")
            return
        try:
            self._send(200, "text/plain", b"ok")
        finally:
            self._page.credential = body.decode(errors="replace")  # the last step: it ends the server

    @property
    def _page(self) -> _Server:
        return cast("_Server", self.server)

    def _is_for_this_page(self) -> bool:
        # Another name that leads to 127.0.0.1 would be another site's page (DNS rebinding).
        if (self.headers.get("host"), self.path) == (self._page.host, self._page.path):
            return True
        self._send(404, "text/plain", b"not found")
        return False

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.send_header("cache-control", "no-store")
        self.send_header("referrer-policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Print nothing: the terminal is for the sign-in."""
