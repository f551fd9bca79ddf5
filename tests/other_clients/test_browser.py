"""A page in a browser, Chromium 141 of npm @sparticuz/chromium, signs in with amazon-cognito-identity-js.

Another page takes over a sign-in of Python, in a browser that Playwright 1.55.0 controls.

The page is of another origin than the pool, so the browser asks the pool before each request (CORS), and
shows the page no answer that does not allow it.
"""

from __future__ import annotations

import json
import os
import platform
import queue
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import attrs
import pytest
from filelock import FileLock

from cognito_flow import UserSrpAuth
from cognito_flow.integrations import amplify
from cognito_flow.testing import LocalCognito, Pool
from tests.other_clients import pools
from tests.other_clients.conftest import JAVASCRIPT, SECONDS_TO_ANSWER, JavaScript
from tests.other_clients.pools import PASSWORD
from tests.support.environments import python_with
from tests.support.http_server import Handler, running

pytestmark = [
    pytest.mark.other_programs,
    pytest.mark.skipif(
        (platform.system(), platform.machine()) != ("Linux", "x86_64"),
        reason="npm has this browser for Linux on x86-64 only",
    ),
]
PLAYWRIGHT = ("playwright==1.55.0",)
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


class _Server(ThreadingHTTPServer):
    files: dict[str, tuple[str, bytes]]
    reported: queue.Queue[Any]


class _Handler(Handler):
    def do_GET(self) -> None:
        kind, body = cast("_Server", self.server).files.get(urlsplit(self.path).path, ("", b""))
        self.answer(200 if body else 404, body, {"Content-Type": kind})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        cast("_Server", self.server).reported.put(json.loads(body))
        self.answer(204)


@attrs.frozen
class Browser:
    """What starts the browser, and a page to show in it."""

    path: Path
    environment: dict[str, str]
    folder: Path
    url: str
    reported: queue.Queue[Any]

    def sign_in(self, pool: Pool, endpoint: str, **given: str) -> Any:
        """Return what the page reports after alice has tried to sign in."""
        address = {"pool": pool.id, "client": pool.app.client_id, "endpoint": endpoint, "username": "alice"}
        page = f"{self.url}/?{urlencode({**address, **given})}"
        with subprocess.Popen(
            [self.path, *OPTIONS, f"--user-data-dir={self.folder}", page],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                return self.reported.get(timeout=SECONDS_TO_ANSWER)
            finally:
                process.terminate()


@contextmanager
def serve(files: dict[str, tuple[str, bytes]], reported: queue.Queue[Any]) -> Generator[str]:
    """A web server that knows nothing of CORS."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.files, server.reported = files, reported
    with running(server) as url:
        yield url


@pytest.fixture(scope="module")
def executable(
    javascript: JavaScript, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, str]]:
    """The browser, unpacked, and the environment that it runs in."""
    folder = str(tmp_path_factory.mktemp("browser"))
    environment = {**os.environ, "TMPDIR": folder, "HOME": folder, "NO_PROXY": "*"}
    done = subprocess.run(javascript.program("browser"), env=environment, check=True, capture_output=True)
    reported = json.loads(done.stdout)
    return Path(reported["path"]), {**environment, "LD_LIBRARY_PATH": reported["libraries"]}


@pytest.fixture
def browser(
    executable: tuple[Path, dict[str, str]], javascript: JavaScript, tmp_path: Path
) -> Iterator[Browser]:
    """The browser, and the page."""
    library = (
        javascript.folder / "node_modules/amazon-cognito-identity-js/dist/amazon-cognito-identity.min.js"
    )
    files = {
        "/": ("text/html", (JAVASCRIPT / "page.html").read_bytes()),
        "/resume": ("text/html", (JAVASCRIPT / "resume.html").read_bytes()),
        "/client.js": ("text/javascript", library.read_bytes()),
    }
    reported = queue.Queue[Any]()
    with serve(files, reported) as url:
        yield Browser(*executable, tmp_path, url, reported)


def test_page_signs_in_with_a_second_factor(cognito: LocalCognito, url: str, browser: Browser) -> None:
    """The browser allows each request and header, and the page reads the keys of the tokens."""
    pool = pools.totp_pool(cognito)

    reported = browser.sign_in(pool, url, password=PASSWORD, code=pool.totp("alice"))

    assert pool.verifier().verify_access(reported["token"]).username == "alice"
    assert reported["keys"] == pool.jwks()


def test_page_can_read_errors(cognito: LocalCognito, url: str, browser: Browser) -> None:
    pool = pools.plain_pool(cognito)

    reported = browser.sign_in(pool, url, password=PASSWORD + "!")

    assert reported == {"threw": list(pools.INCORRECT)}


def test_browser_blocks_servers_without_cors_headers(cognito: LocalCognito, browser: Browser) -> None:
    """So the other tests do not pass merely because the browser allows everything."""
    with serve({"/": ("application/x-amz-json-1.1", b"{}")}, browser.reported) as elsewhere:
        reported = browser.sign_in(pools.plain_pool(cognito), elsewhere, password=PASSWORD)

    assert reported == {"threw": ["Error", "Network error"]}


@pytest.fixture(scope="session")
def playwright_python(programs_folder: Path) -> Path:
    """The interpreter that has Playwright."""
    with FileLock(programs_folder / "lock"):
        return python_with(PLAYWRIGHT, programs_folder)


@pytest.mark.parametrize("as_cookies", [False, True])
def test_browser_context_takes_the_sign_in_over_and_hands_it_back(
    cognito: LocalCognito, url: str, browser: Browser, playwright_python: Path, as_cookies: bool
) -> None:
    """The page refreshes the tokens in between."""
    pool = pools.plain_pool(cognito)
    signed_in = pool.flow().sign_in(UserSrpAuth("alice", PASSWORD))
    page = {"pool": pool.id, "client": pool.app.client_id, "endpoint": url, "as_cookies": as_cookies}
    given = {
        "executable": str(browser.path),
        "options": OPTIONS,
        "environment": browser.environment,
        "state": amplify.storage_state(pool.app, signed_in, browser.url, as_cookies=as_cookies),
        "url": f"{browser.url}/resume",
        "page": page,
    }
    cognito.clock.advance(60)  # so that the next tokens are others
    program = [playwright_python, Path(__file__).with_name("playwright_program.py")]
    done = subprocess.run(program, input=json.dumps(given), check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)

    handed_back = amplify.read_storage_state(pool.app, found["state"], browser.url)
    assert handed_back is not None
    assert handed_back.tokens.access_token == found["token"] != signed_in.tokens.access_token
    assert pool.verifier().verify_access(found["token"]).username == "alice"
