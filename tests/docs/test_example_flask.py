"""The login with Flask on a pool that really verifies."""

from __future__ import annotations

import re
from typing import Any

import attrs
import pytest

pytest.importorskip("flask")

from cognito_flow.testing import LocalCognito, Pool
from tests.docs.signing_out import check_that_signing_out_can_be_repeated
from tests.support.documentation import DOCS, load
from tests.support.pools import PASSWORD, pool_with_totp

flask_login: Any = load(DOCS / "examples" / "flask_login.py")


@attrs.frozen
class Browser:
    """A browser that follows redirects and sends the form's token."""

    client: Any

    def get(self) -> str:
        text: str = self.client.get("/", base_url="https://shop.example").text
        return text

    def post(self, path: str, **form: str) -> str:
        found = re.search('name="browser" value="([^"]+)"', self.get())
        assert found is not None
        given = {**form, "browser": found[1]}
        response = self.client.post(path, data=given, base_url="https://shop.example", follow_redirects=True)
        text: str = response.text
        return text

    def give_password(self, password: str = PASSWORD) -> str:
        """Returns the sealed state."""
        page = self.post("/login", username="alice", password=password)
        found = re.search('name="state" value="([^"]+)"', page)
        assert found is not None, page
        return found[1]


@pytest.fixture
def pool(cognito: LocalCognito) -> Pool:
    return pool_with_totp(cognito)


@pytest.fixture
def app(pool: Pool) -> Any:
    return flask_login.create_app(pool.flow(seal_keys=["k" * 32]), "s" * 32)


@pytest.fixture
def browser(app: Any) -> Browser:
    return Browser(app.test_client())


def test_password_and_code_sign_in_until_the_user_signs_out(
    browser: Browser, pool: Pool, cognito: LocalCognito
) -> None:
    assert 'name="password"' in browser.get()
    state = browser.give_password()
    assert "Welcome, alice" in browser.post("/code", state=state, code=pool.totp("alice"))
    assert "Welcome, alice" in browser.get()

    assert 'name="password"' in browser.post("/logout")
    assert (cognito.calls[-1].operation, cognito.calls[-1].error) == ("RevokeToken", None)
    assert 'name="password"' in browser.get()


def test_wrong_password_is_refused_like_an_unknown_user(browser: Browser) -> None:
    assert "Wrong name or password." in browser.post("/login", username="alice", password="wrong")
    assert "Wrong name or password." in browser.post("/login", username="mallory", password="wrong")


def test_wrong_code_can_be_corrected(browser: Browser, pool: Pool) -> None:
    state = browser.give_password()

    assert "please try again" in browser.post("/code", state=state, code="1")
    assert "Welcome, alice" in browser.post("/code", state=state, code=pool.totp("alice"))


def test_state_of_another_browser_is_refused(browser: Browser, app: Any, pool: Pool) -> None:
    state = browser.give_password()
    other = Browser(app.test_client())

    assert "Please start again." in other.post("/code", state=state, code=pool.totp("alice"))
    other.give_password()
    assert "Please start again." in other.post("/code", state=state, code=pool.totp("alice"))


@pytest.mark.parametrize("path", ["/login", "/code", "/logout"])
def test_form_of_another_site_is_refused(app: Any, browser: Browser, path: str) -> None:
    browser.get()
    for client in (browser.client, app.test_client()):  # one has the cookie, the other one has none
        for forged in ({}, {"browser": "x" * 43}, {"browser": "ü"}):
            form = {"username": "alice", "password": PASSWORD, **forged}
            response = client.post(path, data=form, base_url="https://shop.example")

            assert response.status_code == 403
            assert "Please start again." in response.text


def test_user_who_has_not_confirmed_the_address_is_told_so(browser: Browser, pool: Pool) -> None:
    pool.add_user("carol", PASSWORD, confirmed=False)

    assert "confirm your address" in browser.post("/login", username="carol", password=PASSWORD)


def test_signing_out_during_an_outage_can_be_repeated(
    browser: Browser, pool: Pool, cognito: LocalCognito
) -> None:
    browser.post("/code", state=browser.give_password(), code=pool.totp("alice"))

    check_that_signing_out_can_be_repeated(browser.post, cognito)


def test_cookie_is_closed_to_scripts_and_other_sites_and_has_no_token(browser: Browser, pool: Pool) -> None:
    state = browser.give_password()
    with browser.client.session_transaction(base_url="https://shop.example") as session:
        form = {"browser": session["browser"], "state": state, "code": pool.totp("alice")}
    response = browser.client.post("/code", data=form, base_url="https://shop.example")
    cookie = response.headers["Set-Cookie"]

    assert cookie.startswith("__Host-session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(cookie.split("; "))
    assert len(cookie) < 300


def test_session_is_refreshed_until_an_administrator_ends_it(
    browser: Browser, pool: Pool, cognito: LocalCognito
) -> None:
    browser.post("/code", state=browser.give_password(), code=pool.totp("alice"))
    cognito.clock.advance(7200)
    assert "Welcome, alice" in browser.get()

    api: Any = cognito.client()
    api.admin_user_global_sign_out(UserPoolId=pool.id, Username="alice")
    cognito.clock.advance(7200)
    assert "Please sign in again." in browser.get()
    assert 'name="password"' in browser.get()


def test_signing_out_of_an_ended_session_succeeds(
    browser: Browser, pool: Pool, cognito: LocalCognito
) -> None:
    browser.post("/code", state=browser.give_password(), code=pool.totp("alice"))
    api: Any = cognito.client()
    api.admin_user_global_sign_out(UserPoolId=pool.id, Username="alice")
    cognito.clock.advance(7200)

    assert 'name="password"' in browser.post("/logout")
    assert 'name="password"' in browser.post("/logout")


def test_challenge_without_a_page_is_not_implemented(browser: Browser, pool: Pool) -> None:
    pool.add_user("bob", PASSWORD, temporary=True)

    assert "NEW_PASSWORD_REQUIRED" in browser.post("/login", username="bob", password=PASSWORD)


def test_outage_asks_the_user_to_try_again_later(browser: Browser, cognito: LocalCognito) -> None:
    cognito.faults.throttle("InitiateAuth", times=9)

    assert "in a minute" in browser.post("/login", username="alice", password=PASSWORD)
