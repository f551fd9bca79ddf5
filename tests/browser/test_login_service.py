"""The login service of the documentation in a real browser, with passkeys of a virtual authenticator."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import attrs
import httpx
import pytest

from cognito_flow.testing import Pool, totp_code
from tests.browser.conftest import Browser
from tests.docs.login_service import (
    PASSWORD,
    Visitor,
    django_application,
    django_settings,
    planted,
    service,
    sqlite_store,
)

uvicorn = pytest.importorskip("uvicorn")
authenticators = pytest.importorskip("selenium.webdriver.common.virtual_authenticator")

pytestmark = pytest.mark.other_programs

ENTER, TAB = "\ue007", "\ue004"


@contextmanager
def serve(app: Any, listening: socket.socket) -> Iterator[None]:
    """Run an ASGI application in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


@attrs.frozen
class Login:
    """The service, its pool, and the browser that shows it."""

    browser: Browser
    pool: Pool

    def sign_in(self, username: str, password: str = PASSWORD) -> None:
        self.browser.open("/login")
        self.browser.type("Name or e-mail address", username)
        self.browser.type("Password", password)
        self.browser.press("Sign in")

    def with_passkey(self, username: str = "alice") -> None:
        self.browser.open("/login")
        self.browser.type("Name or e-mail address", username)
        self.browser.press("Sign in with a passkey")

    def is_signed_in(self) -> bool:
        self.browser.open("/account")
        return self.browser.text_of("#signed-in-as") is not None


@pytest.fixture
def login(browser: Browser, tmp_path: Path) -> Iterator[Login]:
    _, pool, app = planted()
    store = sqlite_store(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        browser.url = f"http://localhost:{listening.getsockname()[1]}"
        flow = pool.async_flow(app, seal_keys=["k" * 32])
        with serve(service.create_app(flow, store, browser.url, passkey_mfa=True), listening):
            yield Login(browser, pool)
    store.close()


AddAuthenticator = Callable[..., Any]


@pytest.fixture
def add_authenticator(browser: Browser) -> Iterator[AddAuthenticator]:
    """Plugs in an authenticator that is part of the machine; each is unplugged with the test."""

    def add(**settings: bool) -> Any:
        options = authenticators.VirtualAuthenticatorOptions(
            transport="internal",
            has_resident_key=True,
            **{"has_user_verification": True, "is_user_verified": True, **settings},
        )
        return browser.driver.add_virtual_authenticator(options)

    yield add
    if browser.driver.virtual_authenticator_id is not None:
        browser.driver.remove_virtual_authenticator()


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        pass


@pytest.fixture
def django_login(browser: Browser, tmp_path: Path) -> Iterator[Login]:
    """The same as Django views."""
    _, pool, app = planted()
    store = sqlite_store(tmp_path)
    with django_settings(), WSGIServer(("localhost", 0), _QuietHandler) as server:
        browser.url = f"http://localhost:{server.server_port}"
        server.set_app(django_application(pool.flow(app, seal_keys=["k" * 32]), store, browser.url))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Login(browser, pool)
        server.shutdown()
        thread.join()
    store.close()


def test_password_and_code_sign_in_by_keyboard_alone(login: Login) -> None:
    """Enter sends each form, and the focus is where the next text belongs."""
    browser = login.browser
    browser.open("/login")
    browser.shows("Sign in", "sign-in")
    assert browser.focused == "username"
    browser.keys(
        "bob",
        TAB,
    )
    assert browser.focused == "password"
    browser.keys(PASSWORD, ENTER)
    browser.shows("Enter the code", "code")
    assert browser.focused == "code"
    browser.keys(login.pool.totp("bob"), ENTER)

    browser.wait_for("Your account")
    assert browser.text_of("#signed-in-as") == "bob"


def test_wrong_code_is_announced_where_the_next_one_is_typed(login: Login) -> None:
    browser = login.browser
    login.sign_in("bob")
    browser.wait_for("Enter the code")
    browser.keys("123", ENTER)
    browser.wait_for_text("[role=alert]", "That is not the code")

    browser.shows("Enter the code", "wrong-code")
    assert browser.driver.title.startswith("Error: ")
    assert browser.focused == "code"
    described = browser.run("return document.activeElement.getAttribute('aria-describedby').split(' ')")
    assert described == ["error", "code-hint"]
    assert browser.run("return document.activeElement.getAttribute('aria-invalid')") == "true"


def test_double_click_sends_one_form(login: Login) -> None:
    browser = login.browser
    login.sign_in("bob")
    browser.wait_for("Enter the code")
    browser.type("Code", login.pool.totp("bob"))
    browser.run("const button = document.querySelector('form button'); button.click(); button.click();")

    browser.wait_for("Your account")


def test_sign_up_leads_to_the_account(login: Login) -> None:
    browser = login.browser
    browser.open("/login")
    browser.press("Create an account")
    browser.shows("Create an account", "sign-up")
    browser.type("Name", "zoe")
    browser.type("E-mail address", "zoe@example.com")
    browser.type("Password", PASSWORD)
    browser.press("Create the account")
    browser.shows("Confirm your e-mail address", "confirm")
    first = login.pool.last_code("zoe")
    browser.press("Send a new code")
    browser.wait(lambda: login.pool.last_code("zoe") != first, "new code")
    browser.wait_for("Confirm your e-mail address")
    browser.type("Code", login.pool.last_code("zoe"))
    browser.press("Confirm")

    browser.wait_for("Your account")
    assert browser.text_of("#signed-in-as") == "zoe"


def test_forgotten_password_is_replaced(login: Login) -> None:
    browser = login.browser
    browser.open("/login")
    browser.press("Forgot your password?")
    browser.shows("Forgot your password?", "forgot")
    browser.type("Name or e-mail address", "alice")
    browser.press("Send a code")
    browser.shows("Choose a new password", "reset")
    browser.type("Code", login.pool.last_code("alice"))
    browser.type("New password", "Battery-Staple-9")
    browser.press("Set the password")
    browser.wait_for_text("[role=status]", "Your password has changed")
    login.sign_in("alice", "Battery-Staple-9")

    browser.wait_for("Your account")


def test_temporary_password_is_replaced(login: Login) -> None:
    login.sign_in("carol", "Temporary-Horse-9")
    login.browser.shows("Choose a new password", "new-password")
    assert login.browser.focused == "new_password"
    login.browser.keys(PASSWORD, ENTER)

    login.browser.wait_for("Your account")


@pytest.mark.parametrize("way", ["Code by e-mail", "Code by SMS"])
def test_code_signs_in_without_a_password(login: Login, way: str) -> None:
    browser = login.browser
    browser.open("/login")
    browser.type("Name or e-mail address", "alice")
    browser.press("Sign in another way")
    browser.shows("Choose how to sign in", "choose")
    browser.press(way)
    browser.wait_for("Enter the code")
    browser.type("Code", login.pool.last_code("alice"))
    browser.press("Continue")

    browser.wait_for("Your account")


def test_user_with_two_second_factors_chooses_one(login: Login) -> None:
    browser = login.browser
    login.sign_in("alice")
    for factor in ("Code by SMS", "Code by e-mail"):
        browser.wait_for("Your account")
        browser.press(f"Turn {factor} on")
        browser.wait_for_text("main", f"{factor}: on")
    login.sign_in("alice")
    browser.wait_for("Choose how to sign in")
    browser.press("Code by SMS")
    browser.wait_for("Enter the code")
    browser.type("Code", login.pool.last_code("alice"))
    browser.press("Continue")

    browser.wait_for("Your account")


def test_authenticator_app_is_set_up_and_asked_for(login: Login) -> None:
    browser = login.browser
    login.sign_in("alice")
    browser.wait_for("Your account")
    browser.press("Set up an authenticator app")
    browser.shows("Set up an authenticator app", "authenticator-app")
    assert browser.run("return document.querySelector('.qr svg').getBoundingClientRect().width") > 150
    browser.type("Code", totp_code(browser.text_of("#secret") or "", login.pool.cognito.clock()))
    browser.press("Continue")
    browser.wait_for_text("[role=status]", "is set up")
    login.sign_in("alice")
    browser.wait_for("Enter the code")
    browser.type("Code", login.pool.totp("alice"))
    browser.press("Continue")

    browser.wait_for("Your account")


def test_authenticator_app_is_set_up_during_a_sign_in_that_requires_one(login: Login) -> None:
    browser, pool = login.browser, login.pool
    client: Any = pool.cognito.client()
    client.set_user_pool_mfa_config(
        UserPoolId=pool.id, MfaConfiguration="ON", SoftwareTokenMfaConfiguration={"Enabled": True}
    )
    pool.add_user("erin", PASSWORD)
    login.sign_in("erin")
    browser.wait_for("Set up a second factor")
    browser.press("Set up an authenticator app")
    browser.wait_for("Set up an authenticator app")
    browser.type("Code", totp_code(browser.text_of("#secret") or "", pool.cognito.clock()))
    browser.press("Continue")

    browser.wait_for("Your account")


def test_remembered_browser_is_not_asked_for_a_code(login: Login) -> None:
    browser = login.browser
    login.sign_in("bob")
    browser.wait_for("Enter the code")
    browser.type("Code", login.pool.totp("bob"))
    browser.press("Continue")
    browser.wait_for("Your account")
    browser.press("Remember it")
    browser.wait_for_text("main", "Remembered: it is not asked for a code.")
    browser.press("Sign out")
    browser.wait_for("Sign in")
    login.sign_in("bob")

    browser.wait_for("Your account")


def test_signing_out_everywhere_ends_the_session_in_the_browser(login: Login) -> None:
    login.sign_in("alice")
    login.browser.wait_for("Your account")
    with httpx.Client(base_url=login.browser.url, trust_env=False) as client:
        elsewhere = Visitor(client)
        elsewhere.sign_in("alice")
        elsewhere.submit("/logout/everywhere")

    assert not login.is_signed_in()
    login.browser.wait_for("Sign in")


def test_script_of_a_page_cannot_read_the_cookies(login: Login) -> None:
    login.sign_in("alice")
    login.browser.wait_for("Your account")

    assert login.browser.run("return document.cookie") == ""


# -- passkeys --


def register(login: Login) -> None:
    login.sign_in("alice")
    login.browser.wait_for("Your account")
    login.browser.press("Create a passkey")
    login.browser.shows("Create a passkey", "create-passkey")
    login.browser.press("Create the passkey")


def test_passkey_is_registered_used_and_deleted(login: Login, add_authenticator: AddAuthenticator) -> None:
    browser = login.browser
    add_authenticator()
    register(login)
    browser.wait_for_text("[role=status]", "Your passkey is ready")
    browser.shows("Your account", "account")
    browser.press("Sign out")
    browser.wait_for("Sign in")

    login.with_passkey()
    browser.wait_for("Your account")
    assert browser.text_of("#signed-in-as") == "alice"

    browser.run("document.querySelector('form[action$=delete] button').click()")
    browser.wait_for_text("[role=status]", "The passkey is deleted")
    login.with_passkey()
    browser.wait_for("Choose how to sign in")


def test_user_with_a_second_factor_lets_a_passkey_sign_in_alone(
    login: Login, add_authenticator: AddAuthenticator
) -> None:
    browser = login.browser
    add_authenticator()
    register(login)
    browser.wait_for("Your account")
    browser.press("Turn Code by SMS on")
    browser.wait_for_text("main", "Code by SMS: on")
    login.with_passkey()
    browser.wait_for("Choose how to sign in")

    browser.open("/account")
    browser.shows("Your account", "account-with-second-factor")
    browser.press("Yes, a passkey is enough")
    browser.wait_for_text("[role=status]", "Your second factors have changed")
    browser.press("Sign out")
    browser.wait_for("Sign in")
    login.with_passkey()

    browser.wait_for("Your account")
    assert browser.text_of("#signed-in-as") == "alice"


def test_second_passkey_of_the_same_device_is_refused(
    login: Login, add_authenticator: AddAuthenticator
) -> None:
    add_authenticator()
    register(login)
    login.browser.wait_for("Your account")
    login.browser.press("Create a passkey")
    login.browser.wait_for("Create a passkey")
    login.browser.press("Create the passkey")

    login.browser.wait_for_text("form [role=status]", "has a passkey for your account already")


def test_another_way_can_be_chosen_after_a_cancelled_passkey(
    login: Login, add_authenticator: AddAuthenticator
) -> None:
    browser = login.browser
    add_authenticator()
    register(login)
    browser.wait_for("Your account")
    browser.press("Sign out")
    browser.wait_for("Sign in")
    browser.driver.set_user_verified(False)
    login.with_passkey()
    browser.wait_for_text("form [role=status]", "you cancelled")
    browser.shows("Use your passkey", "passkey")
    browser.press("Choose another way")
    browser.press("Code by e-mail")
    browser.wait_for("Enter the code")
    browser.type("Code", login.pool.last_code("alice"))
    browser.press("Continue")

    browser.wait_for("Your account")


def test_page_at_another_origin_cannot_use_passkeys(
    login: Login, add_authenticator: AddAuthenticator
) -> None:
    add_authenticator()
    register(login)
    login.browser.wait_for("Your account")
    login.browser.url = login.browser.url.replace("localhost", "127.0.0.1")

    login.with_passkey()

    login.browser.wait_for_text("form [role=status]", "Passkeys do not work at this address")
    assert not login.is_signed_in()


def test_django_views_sign_in_with_a_password_and_with_a_passkey(
    django_login: Login, add_authenticator: AddAuthenticator
) -> None:
    browser = django_login.browser
    add_authenticator()
    register(django_login)
    browser.wait_for_text("[role=status]", "Your passkey is ready")
    browser.press("Sign out")
    browser.wait_for("Sign in")

    django_login.with_passkey()

    browser.wait_for("Your account")


# Keeps what a page sends with a passkey, as a program on the user's machine could.
KEEP_THE_FORM = """
const submit = HTMLFormElement.prototype.requestSubmit;
HTMLFormElement.prototype.requestSubmit = function () {
  localStorage.sent = JSON.stringify(Object.fromEntries(new FormData(this)));
  submit.call(this);
};
"""
SEND_A_FORM = """
const form = document.createElement("form");
form.method = "post";
form.action = "/login/answer";
for (const [name, value] of Object.entries(arguments[0])) {
  const field = document.createElement("input");
  [field.type, field.name, field.value] = ["hidden", name, value];
  form.append(field);
}
document.body.append(form);
form.submit();
"""


@contextmanager
def changed_pages(browser: Browser, script: str) -> Iterator[None]:
    """Run a script in each page before the page's own."""
    added = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    try:
        yield
    finally:
        browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def sent_with_a_passkey(login: Login) -> dict[str, str]:
    """Sign in with a passkey and out again; what the page sent."""
    with changed_pages(login.browser, KEEP_THE_FORM):
        login.with_passkey()
        login.browser.wait_for("Your account")
        sent: dict[str, str] = json.loads(login.browser.run("return localStorage.sent"))
    login.browser.press("Sign out")
    login.browser.wait_for("Sign in")
    return sent


def test_form_with_a_passkey_works_once(login: Login, add_authenticator: AddAuthenticator) -> None:
    add_authenticator()
    register(login)
    login.browser.wait_for("Your account")
    sent = sent_with_a_passkey(login)

    login.browser.run(SEND_A_FORM, sent)

    login.browser.wait_for_text("[role=alert]", "Please start again")
    assert not login.is_signed_in()


def test_signature_of_a_passkey_answers_one_challenge_only(
    login: Login, add_authenticator: AddAuthenticator
) -> None:
    add_authenticator()
    register(login)
    login.browser.wait_for("Your account")
    sent = sent_with_a_passkey(login)
    login.browser.driver.set_user_verified(False)
    login.with_passkey()
    login.browser.wait_for_text("form [role=status]", "you cancelled")
    fresh = login.browser.run("return document.querySelector('[name=state]').value")

    login.browser.run(SEND_A_FORM, {**sent, "state": fresh})

    login.browser.wait_for_text("[role=alert]", "That did not work")
    assert not login.is_signed_in()


def test_browser_creates_no_passkey_without_user_verification(
    login: Login, add_authenticator: AddAuthenticator
) -> None:
    add_authenticator(has_user_verification=False, is_user_verified=False)
    register(login)

    login.browser.wait_for_text("form [role=status]", "passkey was not used")
    assert login.pool.user("alice").passkeys == []


DISCOURAGE_VERIFICATION = """
const parse = PublicKeyCredential.parseRequestOptionsFromJSON;
PublicKeyCredential.parseRequestOptionsFromJSON =
  (options) => parse.call(PublicKeyCredential, { ...options, userVerification: "discouraged" });
"""


def test_passkey_that_did_not_verify_the_user_is_refused(
    login: Login, add_authenticator: AddAuthenticator
) -> None:
    """Even if the page that the browser runs was changed not to ask for it."""
    add_authenticator()
    register(login)
    login.browser.wait_for("Your account")
    login.browser.press("Sign out")
    login.browser.wait_for("Sign in")
    login.browser.driver.set_user_verified(False)

    with changed_pages(login.browser, DISCOURAGE_VERIFICATION):
        login.with_passkey()

        login.browser.wait_for_text("[role=alert]", "That did not work")
    assert not login.is_signed_in()
