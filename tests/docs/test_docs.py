"""Generated pages of the documentation are fresh, and the example login works."""

from __future__ import annotations

import io
import re
import tomllib
from urllib.parse import urlencode

import pytest

from cognito_flow import AppClient, NewPasswordRequired, SoftwareTokenMfa, UserSrpAuth
from cognito_flow.testing import LocalCognito, Pool, seed
from tests.support.documentation import DOCS, load
from tests.support.pools import pool_with_totp

GENERATED = load(DOCS / "generate.py").PAGES


@pytest.mark.parametrize("name", GENERATED)
def test_generated_page_is_what_the_code_says(name: str) -> None:
    """Run ``python docs/generate.py`` when this fails."""
    assert GENERATED[name]() == (DOCS / "reference" / name).read_text(encoding="utf-8")


def test_example_login_page_answers_each_outcome(cognito: LocalCognito) -> None:
    """A wrong password, a wrong code, another browser, a double click, a missing page, an outage."""
    pool = pool_with_totp(cognito)
    page = load(DOCS / "examples" / "web_login.py").LoginPage(pool.flow(seal_keys=["k" * 32]))

    cookies: list[str] = []

    def keep_cookie(_status: str, headers: list[tuple[str, str]]) -> None:
        cookies.append(dict(headers)["Set-Cookie"].partition(";")[0])

    def request(**form: str) -> str:
        known = {"browser": cookies[-1].partition("=")[2]} if cookies else {}
        body = urlencode({**known, **form} if form else {}).encode()
        environ = {
            "REQUEST_METHOD": "POST" if form else "GET",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            **({"HTTP_COOKIE": cookies[-1]} if cookies else {}),
        }
        return b"".join(page(environ, keep_cookie)).decode()

    assert "password" in request()
    assert "Wrong name or password" in request(username="alice", password="x")
    asked = re.search('name="state" value="([^"]+)"', request(username="alice", password="correct horse"))
    assert asked is not None
    assert "not the code" in request(state=asked[1], code="1")
    code = pool.totp("alice")
    browser = cookies.copy()
    cookies.clear()
    assert "start again" in request(browser="", state=asked[1], code=code)
    assert cookies[-1] not in browser
    assert "start again" in request(state=asked[1], code=code)
    cookies[:] = browser
    assert "start again" in request(browser="", username="alice", password="correct horse")
    assert "Welcome, alice" in request(state=asked[1], code=code)
    assert "start again" in request(state=asked[1], code=code)
    assert "start again" in request(state="made up", code="1")
    assert "every field" in request(username="alice", password="")
    pool.add_user("bob", "battery staple", temporary=True)
    assert "no page yet" in request(username="bob", password="battery staple")
    pool.add_user("carol", "battery staple", confirmed=False)
    assert "confirm your address" in request(username="carol", password="battery staple")
    cognito.faults.throttle("InitiateAuth", times=9)
    assert "in a minute" in request(username="alice", password="correct horse")


@pytest.mark.parametrize(
    "planted",
    [
        r'"x\073 Domain=shop.example"',
        r'"x\015\012X-Evil: 1"',
        "x" * 42,
        "x" * 44,
        '"><script>',
        f"{'é' * 43}",
        "",
    ],
)
def test_example_login_page_sends_back_only_cookies_that_it_has_made(
    cognito: LocalCognito, planted: str
) -> None:
    page = load(DOCS / "examples" / "web_login.py").LoginPage(
        cognito.create_pool().flow(seal_keys=["k" * 32])
    )
    sent: list[tuple[str, str]] = []

    def request(cookie: str) -> str:
        environ = {"REQUEST_METHOD": "GET", "HTTP_COOKIE": cookie, "wsgi.input": io.BytesIO()}
        return b"".join(page(environ, lambda _status, headers: sent.extend(headers))).decode()

    shown = request(f"__Host-login={planted}")
    made = dict(sent)["Set-Cookie"]
    assert re.fullmatch(r"__Host-login=[\w-]{43}; Path=/; Secure; HttpOnly; SameSite=Strict", made, re.ASCII)
    assert made[13:56] in shown

    sent.clear()
    request(made.partition(";")[0])
    assert dict(sent)["Set-Cookie"] == made


def test_seed_of_the_page_about_tests_creates_its_pool_and_users() -> None:
    page = (DOCS / "how-to" / "test-your-login.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    cognito = seed.plant(tomllib.loads(text))

    pool = Pool(cognito, "eu-west-1_Shop00001")
    assert cognito.pool_ids() == [pool.id]
    challenge = pool.flow(AppClient(pool.id, "web")).start(UserSrpAuth("alice", "correct horse"))
    assert isinstance(challenge, SoftwareTokenMfa)
    backend = AppClient(pool.id, "backend", "for_tests_alone_0123456789")
    challenge = pool.flow(backend).start(UserSrpAuth("bob", "battery staple"))
    assert isinstance(challenge, NewPasswordRequired)
