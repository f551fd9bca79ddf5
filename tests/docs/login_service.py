"""The login service of the documentation on a pool of its own, and a visitor who fills in its forms."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import attrs

from cognito_flow import AppClient, AuthFlow, SqliteStore
from cognito_flow.testing import LocalCognito, Pool, seed
from tests.support.contract import has_member
from tests.support.documentation import DOCS

FOLDER = DOCS / "examples" / "login_service"
PASSWORD = "Correct-Horse-9"
"""The password of alice and bob in pool.toml."""
PASSKEY_MFA = ("WebAuthnConfigurationType", "FactorConfiguration")


@contextmanager
def importable() -> Iterator[None]:
    """Let the files of the login service import each other."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield
    finally:
        sys.path.remove(str(FOLDER))


with importable():
    service: Any = importlib.import_module("service")
    steps: Any = importlib.import_module("steps")


@contextmanager
def django_settings() -> Iterator[None]:
    """Django's settings for the views, as long as the block runs."""
    from django.test import override_settings

    from tests.integrations import django_project  # noqa: F401 - configures Django, once for all tests

    with override_settings(
        CSRF_COOKIE_HTTPONLY=True,
        MIDDLEWARE=[
            "django_views.add_headers",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
        ],
        ROOT_URLCONF="django_views",
        SESSION_COOKIE_NAME="session",
        SESSION_ENGINE="django.contrib.sessions.backends.cache",
    ):
        yield


def django_application(flow: AuthFlow, store: SqliteStore, origin: str, *, passkey_mfa: bool = False) -> Any:
    """The views for Django as a WSGI application, inside `django_settings`."""
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler

    settings.LOGIN_FLOW, settings.LOGIN_STORE, settings.LOGIN_PASSKEY_MFA = flow, store, passkey_mfa
    if origin.startswith("https://"):
        settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
        settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    with importable():
        importlib.import_module("django_views")
    return WSGIHandler()


def planted() -> tuple[LocalCognito, Pool, AppClient]:
    """The pool of pool.toml, and its app client. An old botocore lets no passkey count as both factors."""
    tables: Any = seed.read(str(FOLDER / "pool.toml"))
    if not has_member(*PASSKEY_MFA):
        del tables["pool"][0]["web_authn_configuration"]["FactorConfiguration"]
    cognito = seed.plant(tables)
    pool = cognito.pool("eu-west-1_Login0001")
    return cognito, pool, AppClient(pool.id, "login")


class _Forms(HTMLParser):
    """The forms of a page: for each, its action, its fields and its buttons."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self.options: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({"": given["action"]})
            if "data-options" in given:
                self.options[given["action"]] = given["data-options"]
        elif tag == "input":
            self.forms[-1][given["name"]] = given.get("value", "")


@attrs.define
class Visitor:
    """Uses the pages as a browser without scripts does: it sends the fields of a form as they are shown."""

    client: Any
    page: Any = None

    def open(self, path: str) -> Any:
        self.page = self.client.get(path, follow_redirects=True)
        return self.page

    def fields(self, action: str, **wanted: str) -> dict[str, str]:
        """The fields of the shown form with this action, and these values in it."""
        for form in _Forms(self.page.text).forms:
            if form[""] == action and all(form.get(name) == value for name, value in wanted.items()):
                return {name: value for name, value in form.items() if name}
        raise AssertionError(f"no form for {action} with {wanted} on this page: {self.page.text}")

    def options(self, action: str) -> str:
        """What the page asks a passkey."""
        return _Forms(self.page.text).options[action]

    def submit(self, action: str, wanted: Mapping[str, str] | None = None, **typed: str) -> Any:
        """Send a form of the shown page, and follow the redirect."""
        fields = self.fields(action, **(wanted or {})) | typed
        self.page = self.client.post(action, data=fields, follow_redirects=True)
        return self.page

    def sign_in(self, username: str, password: str = PASSWORD, **typed: str) -> Any:
        """Open the sign-in page, and send it."""
        self.open("/login")
        return self.submit("/login", None, username=username, password=password, **typed)

    @property
    def is_signed_in(self) -> bool:
        return "Signed in as" in str(self.open("/account").text)


def sqlite_store(folder: Path) -> SqliteStore:
    """The store that the service is run with."""
    return SqliteStore(folder / "login.db", keys=["k" * 32])
