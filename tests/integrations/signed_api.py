"""An API that checks signatures of AWS by itself, without botocore: Signature Version 4 from its documentation."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, urlsplit

from tests.integrations.api import read_body
from tests.support.http_server import Handler, running

FORM = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>\w+)/(?P<scope>[\w/-]+), "
    r"SignedHeaders=(?P<names>[\w;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)


def derived_key(secret: str, scope: str) -> bytes:
    """The signing key of a scope: date/region/service/aws4_request."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def signature(
    secret: str,
    scope: str,
    time: str,
    method: str,
    url: str,
    headers: Mapping[str, str],
    names: str,
    payload: str,
) -> str:
    """The signature of a request with these signed headers, whose payload has this hash."""
    parts = urlsplit(url)
    query = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name != "X-Amz-Signature"
    )
    canonical = "\n".join(
        [
            method,
            quote(parts.path or "/", safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in query),
            *(f"{name}:{' '.join(headers[name].split())}" for name in names.split(";")),
            "",
            names,
            payload,
        ]
    )
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashed}"
    return hmac.new(derived_key(secret, scope), text.encode(), "sha256").hexdigest()


class SignedApi(ThreadingHTTPServer):
    """Answers with the body if the signature is right, and records how each request was signed."""

    def __init__(self, secret: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.secret = secret
        self.signed: list[dict[str, str | None]] = []


class _Handler(Handler):
    server: SignedApi  # pyright: ignore[reportIncompatibleVariableOverride] - what made it
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = read_body(self)
        found = FORM.fullmatch(self.headers.get("Authorization", ""))
        is_right = found is not None and self._is_right(found, body)
        if found is not None:
            token = self.headers.get("X-Amz-Security-Token")
            self.server.signed.append({**found.groupdict(), "token": token})
        self.answer(200 if is_right else 403, body)

    def do_POST(self) -> None:
        self.do_GET()

    def _is_right(self, found: re.Match[str], body: bytes) -> bool:
        headers = {name.lower(): value for name, value in self.headers.items()}
        expected = signature(
            self.server.secret,
            found["scope"],
            headers["x-amz-date"],
            self.command,
            self.path,
            headers,
            found["names"],
            hashlib.sha256(body).hexdigest(),
        )
        return hmac.compare_digest(expected, found["signature"])


@contextmanager
def serve(secret: str) -> Generator[tuple[str, SignedApi]]:
    """Serve it on a free port; yields its URL and itself."""
    server = SignedApi(secret)
    with running(server) as url:
        yield url, server
