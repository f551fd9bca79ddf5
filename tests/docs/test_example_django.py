"""The login with Django on a pool that really verifies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

pytest.importorskip("django")
pytest.importorskip(
    "rest_framework"
)  # which the project of the other tests, whose settings these change, needs

from django.core.cache import cache
from django.test import Client, override_settings

import tests.integrations.django_project  # noqa: F401 - configures the settings
from cognito_flow.testing import LocalCognito, Pool
from tests.docs.signing_out import check_that_signing_out_can_be_repeated
from tests.support.documentation import DOCS, load
from tests.support.pools import PASSWORD, pool_with_totp

django_login: Any = load(DOCS / "examples" / "django_login.py")


@attrs.frozen
class Browser:
    """A browser that follows redirects and sends the form's token."""

    client: Any = attrs.field(factory=lambda: Client(enforce_csrf_checks=True))

    def get(self) -> str:
        text: str = self.client.get("/", secure=True).content.decode()
        return text

    def post(self, path: str, **form: str) -> str:
        found = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', self.get())
        assert found is not None
        given = {**form, "csrfmiddlewaretoken": found[1]}
        headers = {"Referer": "https://testserver/"}
        response = self.client.post(path, given, secure=True, follow=True, headers=headers)
        text: str = response.content.decode()
        return text

    def give_password(self, username: str = "alice", password: str = PASSWORD) -> str:
        return self.post("/login", username=username, password=password)


@pytest.fixture
def pool(cognito: LocalCognito) -> Pool:
    return pool_with_totp(cognito)


@pytest.fixture(autouse=True)
def _project(pool: Pool) -> Iterator[None]:
    cache.clear()
    own = {"COGNITO_FLOW": pool.flow(seal_keys=["k" * 32]), "ROOT_URLCONF": django_login}
    with override_settings(**django_login.SETTINGS, **own):
        yield


def test_password_and_code_sign_in_until_the_user_signs_out(pool: Pool, cognito: LocalCognito) -> None:
    browser = Browser()
    assert "Your code" in browser.give_password()
    assert "Welcome, alice" in browser.post("/code", code=pool.totp("alice"))
    assert "Welcome, alice" in browser.get()

    assert 'name="password"' in browser.post("/logout")
    assert (cognito.calls[-1].operation, cognito.calls[-1].error) == ("RevokeToken", None)
    assert 'name="password"' in browser.get()
    assert 'name="password"' in browser.post("/logout")


def test_wrong_password_is_refused_like_an_unknown_user() -> None:
    assert "Wrong name or password." in Browser().give_password(password="wrong")
    assert "Wrong name or password." in Browser().give_password("mallory")


def test_wrong_code_can_be_corrected(pool: Pool) -> None:
    browser = Browser()
    browser.give_password()

    assert "please try again" in browser.post("/code", code="1")
    assert "Welcome, alice" in browser.post("/code", code=pool.totp("alice"))


def test_code_without_a_sign_in_starts_over(pool: Pool) -> None:
    assert "Please start again." in Browser().post("/code", code=pool.totp("alice"))


def test_form_of_another_site_is_refused(pool: Pool) -> None:
    browser = Browser()
    browser.give_password()

    response = browser.client.post("/code", {"code": pool.totp("alice")}, secure=True)
    assert response.status_code == 403


def test_session_key_and_form_token_change_at_sign_in(pool: Pool) -> None:
    browser = Browser()
    browser.give_password()
    before = {name: cookie.value for name, cookie in browser.client.cookies.items()}
    assert set(before) == {"__Host-session", "__Host-csrftoken"}

    browser.post("/code", code=pool.totp("alice"))
    for name, cookie in browser.client.cookies.items():
        assert cookie.value != before[name]
        assert cookie["secure"]
    assert browser.client.cookies["__Host-session"]["httponly"]


def test_refreshed_tokens_are_kept_until_an_administrator_ends_the_session(
    pool: Pool, cognito: LocalCognito
) -> None:
    browser = Browser()
    browser.give_password()
    browser.post("/code", code=pool.totp("alice"))
    cognito.clock.advance(7200)
    calls = len(cognito.calls)
    assert "Welcome, alice" in browser.get()
    assert "Welcome, alice" in browser.get()
    assert [call.operation for call in cognito.calls[calls:]] == ["GetTokensFromRefreshToken"]

    api: Any = cognito.client()
    api.admin_user_global_sign_out(UserPoolId=pool.id, Username="alice")
    cognito.clock.advance(7200)
    assert "Please sign in again." in browser.get()
    assert 'name="password"' in browser.get()


def test_user_who_has_not_confirmed_the_address_is_told_so(pool: Pool) -> None:
    pool.add_user("carol", PASSWORD, confirmed=False)

    assert "confirm your address" in Browser().give_password("carol")


def test_signing_out_during_an_outage_can_be_repeated(pool: Pool, cognito: LocalCognito) -> None:
    browser = Browser()
    browser.give_password()
    browser.post("/code", code=pool.totp("alice"))

    check_that_signing_out_can_be_repeated(browser.post, cognito)


def test_challenge_without_a_page_is_not_implemented(pool: Pool) -> None:
    pool.add_user("bob", PASSWORD, temporary=True)

    assert "NEW_PASSWORD_REQUIRED" in Browser().give_password("bob")


def test_outage_asks_the_user_to_try_again_later(cognito: LocalCognito) -> None:
    cognito.faults.throttle("InitiateAuth", times=9)

    assert "in a minute" in Browser().give_password()
