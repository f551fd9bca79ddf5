"""Download a small document over HTTP, within a deadline.

Rules of this file:

- It uses the standard library alone, so that verifying a token loads no AWS SDK.
- The server decides neither how long a download takes nor how much memory it needs. One deadline covers the
  whole response, however slowly it arrives; at most `max_bytes` are kept. Compressed bodies are neither
  requested nor unpacked.
- Redirects are not followed: a pool's keys come from the URL that the application knows, or not at all.
"""

from __future__ import annotations

import io
import os
import ssl
import time
from functools import partial
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast
from urllib.error import URLError
from urllib.request import AbstractHTTPHandler, OpenerDirector, ProxyHandler, Request, UnknownHandler

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from socket import socket

    from _typeshed import WriteableBuffer


def download(url: str, *, timeout: float, max_bytes: int) -> tuple[int, bytes]:
    """Send a GET request and return the status and the first bytes of the body.

    Proxies come from the environment (``HTTPS_PROXY``, ``NO_PROXY``). Certificates are those of the system,
    or of the file that ``AWS_CA_BUNDLE`` or ``REQUESTS_CA_BUNDLE`` names.

    Args:
        url: An http or https URL.
        timeout: Seconds until the last byte must have arrived.
        max_bytes: How much of the body to return at most.

    Raises:
        OSError: There is no connection, no valid certificate, or no complete response in time
            (`TimeoutError`).
        http.client.HTTPException: What came is not HTTP.
        ValueError: `url` is not a URL.
    """
    opener = OpenerDirector()
    for handler in (ProxyHandler(), _Handler(timeout), UnknownHandler()):
        opener.add_handler(handler)
    headers = {"Accept": "application/json", "User-Agent": "cognito-flow"}
    request = Request(url, headers=headers)  # noqa: S310 - the opener knows http and https alone
    try:
        # Without an HTTPErrorProcessor every response is returned, whatever its status.
        with cast("HTTPResponse", opener.open(request, timeout=timeout)) as response:
            return response.status, response.read(max_bytes)
    except URLError as error:
        raise error.reason if isinstance(error.reason, OSError) else error from None


class _Handler(AbstractHTTPHandler):
    """Opens connections whose responses share one deadline."""

    def __init__(self, timeout: float) -> None:
        super().__init__()
        self._deadline = time.monotonic() + timeout

    def http_open(self, request: Request) -> HTTPResponse:
        return self._open(HTTPConnection, request)

    def https_open(self, request: Request) -> HTTPResponse:
        return self._open(partial(HTTPSConnection, context=trusted()), request)

    http_request = https_request = AbstractHTTPHandler.do_request_

    def _open(self, kind: Callable[..., HTTPConnection], request: Request) -> HTTPResponse:
        # http.client calls this for every response of a connection, also for a proxy's to CONNECT.
        respond: Any = partial(_Response, self._deadline)

        def connect(host: str, **options: Any) -> HTTPConnection:
            connection = kind(host, **options)
            connection.response_class = respond
            return connection

        return self.do_open(connect, request)


class _Response(HTTPResponse):
    """A response that must be complete at a moment of the monotonic clock."""

    def __init__(self, deadline: float, sock: socket, method: str | None = None) -> None:
        super().__init__(sock, method=method)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_Stream(raw, sock, deadline))


class _Stream(io.RawIOBase):
    """Bytes from a socket, each of which must arrive before the deadline.

    A socket's own timeout starts again with each byte, so a server could hold a thread forever.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket, deadline: float) -> None:
        self._raw, self._sock, self._deadline = raw, sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the response is not complete in time")
        self._sock.settimeout(remaining)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def trusted() -> ssl.SSLContext:
    """Return a context that verifies servers with the certificates that `download` trusts."""
    bundle = os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE")
    context = ssl.create_default_context(cafile=bundle)
    system = ssl.get_default_verify_paths()
    if not (bundle or system.cafile or system.capath):
        # Some installations of Python and some containers have no certificates. botocore brings a file of
        # them, which is found here without importing botocore.
        spec = cast("ModuleSpec", find_spec("botocore"))
        (folder,) = cast("list[str]", spec.submodule_search_locations)
        context.load_verify_locations(os.path.join(folder, "cacert.pem"))  # noqa: PTH118 - pathlib takes 3 ms
    return context
