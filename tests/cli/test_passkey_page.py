"""The page on localhost that signs with a passkey. These tests do what a browser does."""

from __future__ import annotations

import json
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import attrs
import pytest

from cognito_flow import Answer, Pending, Unanswered, WebAuthn
from cognito_flow.cli import exit_codes, passkey_page
from cognito_flow.testing import Pool, SoftAuthenticator
from tests.cli.conftest import PASSWORD, Served, register_passkey
from tests.support.command import COMMAND, on_a_terminal

BROWSER = Path(__file__).parents[1] / "support" / "browser.py"


def challenge_of(relying_party: str = "localhost", **pending: Any) -> WebAuthn:
    options = f'{{"challenge": "AAAA", "rpId": "{relying_party}", "timeout": 180000}}'
    parameters = {"CREDENTIAL_REQUEST_OPTIONS": options}
    return WebAuthn.parse(Pending(name="WEB_AUTHN", username="alice", parameters=parameters, **pending))


@attrs.frozen
class Page:
    status: int
    headers: HTTPMessage
    page: str


@attrs.define
class Browser:
    """Takes the URL that would be opened, and lets a test make requests to it."""

    url: str = ""
    answers: list[Answer] = attrs.field(factory=list)

    def request(self, method: str, path: str | None = None, body: str = "", **headers: str) -> Page:
        parts = urlsplit(self.url)
        connection = HTTPConnection("127.0.0.1", parts.port or 0, timeout=10)
        connection.request(method, path or parts.path, body.encode(), {"host": parts.netloc, **headers})
        response = connection.getresponse()
        return Page(response.status, response.headers, response.read().decode())

    @property
    def origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


def connected(browser: Browser) -> socket.socket:
    """A connection on which nothing is sent."""
    return socket.create_connection(("127.0.0.1", urlsplit(browser.url).port or 0), timeout=10)


CREDENTIAL = (
    '{"id": "x", "rawId": "x", "type": "public-key", "response": '
    '{"clientDataJSON": "x", "authenticatorData": "x", "signature": "x"}}'
)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file where the browser of this machine writes the URL that it is to open."""
    note = tmp_path / "url"
    # The module webbrowser reads BROWSER once, so that it must be the same for all tests of a process.
    monkeypatch.setenv("BROWSER", f"{sys.executable} {BROWSER} %s")
    monkeypatch.setenv("COGNITO_FLOW_OPENED", str(note))
    return note


@pytest.fixture
def browser(opened: Path) -> Iterator[Browser]:
    """A browser at the page of a challenge. In the end it sends a credential."""
    browser = Browser()
    thread = Thread(daemon=True, target=lambda: browser.answers.append(passkey_page.answer(challenge_of())))
    thread.start()
    for _ in range(600):
        thread.join(0.05)
        if opened.exists() and opened.read_text():
            break
    browser.url = opened.read_text()
    yield browser
    with suppress(OSError):  # the page ended with the credential that a test sent
        browser.request("POST", body=CREDENTIAL, origin=browser.origin)
    thread.join(10)
    assert [set(answer.responses) for answer in browser.answers] == [{"CREDENTIAL"}]


def test_credential_of_the_page_answers_the_challenge(browser: Browser) -> None:
    page = browser.request("GET")
    done = browser.request("POST", body=CREDENTIAL, origin=browser.origin)

    assert (page.status, page.headers["cache-control"]) == (200, "no-store")
    assert done.status == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_path_or_host_is_not_found(browser: Browser, method: str) -> None:
    """Another host name that leads here would be another site's page."""
    assert browser.request(method, "/").status == 404
    assert browser.request(method, host="evil.example").status == 404


def test_credential_of_another_origin_is_refused(browser: Browser) -> None:
    assert browser.request("POST", body=CREDENTIAL, origin="http://evil.example").status == 403


def test_idle_connection_of_a_browser_does_not_delay_the_page(browser: Browser) -> None:
    """Browsers open connections ahead of requests."""
    with connected(browser):
        started = time.monotonic()

        assert browser.request("GET").status == 200
        assert time.monotonic() - started < 5  # an idle connection may take 10 seconds


@pytest.mark.parametrize("length", ["abc", "-1", "1.5", "9" * 50, "\u00b2"])
def test_malformed_length_is_refused_and_nothing_is_printed(
    browser: Browser, capfd: pytest.CaptureFixture[str], length: str
) -> None:
    headers = {"origin": browser.origin, "content-length": length}

    assert browser.request("POST", body=CREDENTIAL, **headers).status == 400
    assert capfd.readouterr().err == ""


def test_connection_that_a_browser_resets_prints_nothing(
    browser: Browser, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    with connected(browser) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert browser.request("GET").status == 200  # the server has accepted the other connection before
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(10)

    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("opened")
def test_expired_challenge_is_unanswered() -> None:
    with pytest.raises(Unanswered, match="expired before a passkey signed it"):
        passkey_page.answer(challenge_of(received_at=datetime.now(UTC) - timedelta(minutes=5)))


def passkey_pool(served: Served, relying_party: str) -> Pool:
    return served.create_pool(
        policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}},
        web_authn_configuration={"RelyingPartyId": relying_party, "UserVerification": "preferred"},
    )


def login_arguments(served: Served, pool: Pool) -> list[str]:
    named = ["--pool", pool.id, "--client", pool.app.client_id, "--endpoint", served.url]
    return [*COMMAND, "login", *named, "--username", "alice", "--flow", "choice"]


@pytest.mark.slow
def test_login_opens_the_page_and_signs_in_with_the_passkey(served: Served, opened: Path) -> None:
    pool, device = passkey_pool(served, "localhost"), SoftAuthenticator(origin="http://localhost")
    pool.add_user("alice", PASSWORD)
    register_passkey(pool, device)

    with on_a_terminal(login_arguments(served, pool)) as terminal:
        terminal.wait_for("Number or name: ")
        terminal.type("WEB_AUTHN\n")
        shown = terminal.wait_for("(Ctrl-C stops): ")
        shown += terminal.wait_for("\n")
        browser = Browser(shown.rpartition("): ")[2].strip())
        # What the page's script does: read the options, sign, and send the credential back.
        options = re.search(r"FromJSON\((.*)\);", browser.request("GET").page)
        assert options is not None
        device.origin = browser.origin
        browser.request("POST", body=json.dumps(device.get(options[1])), origin=browser.origin)
        code, _, shown = terminal.finish()

    assert code == 0, shown
    assert opened.read_text() == browser.url


@pytest.mark.slow
def test_login_asks_for_the_credential_as_json_if_the_passkey_belongs_to_another_domain(
    served: Served,
) -> None:
    pool = passkey_pool(served, "app.example")
    pool.add_user("alice", PASSWORD)
    register_passkey(pool, SoftAuthenticator())
    with on_a_terminal(login_arguments(served, pool)) as terminal:
        terminal.wait_for("Number or name: ")
        terminal.type("WEB_AUTHN\n")
        shown = terminal.wait_for("as JSON: ")
        terminal.type("\x04")
        code, _, _ = terminal.finish()

    assert code == exit_codes.UNANSWERED
    assert "The passkey belongs to app.example, so a page on localhost cannot use it." in shown
    assert '"rpId":' in shown
