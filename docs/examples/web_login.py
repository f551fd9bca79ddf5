"""A login page as a WSGI application: two pages, and the server keeps nothing in between."""

from __future__ import annotations

import hmac
import logging
import os
import re
import secrets
import sys
from collections.abc import Callable, Iterable
from html import escape
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.simple_server import make_server

from cognito_flow import (
    AnswerRejected,
    AppClient,
    AuthFlow,
    CodeChallenge,
    CognitoFlowError,
    NotAuthorized,
    PasswordResetRequired,
    SealError,
    SignedIn,
    StartOver,
    Step,
    TryLater,
    UserNotConfirmed,
    UserSrpAuth,
)

StartResponse = Callable[[str, list[tuple[str, str]]], object]

# A random value that ties the forms and the sealed challenge to the browser. Otherwise an attacker could make another person send
# a form with the attacker's password or code: that person would then use the attacker's account.
COOKIE = "__Host-login"  # with this prefix, other hosts cannot set it
LARGEST_FORM = 65_536

PASSWORD_FIELDS = (
    '<label>Name <input name="username" autocomplete="username" autofocus></label>'
    '<label>Password <input name="password" type="password" autocomplete="current-password"></label>'
    "<button>Sign in</button>"
)

# The message for each class of error; the nearest class wins.
REFUSALS: dict[type[CognitoFlowError], str] = {
    NotAuthorized: "Wrong name or password.",
    AnswerRejected: "Please fill in every field.",
    StartOver: "Please start again.",
    UserNotConfirmed: "Please confirm your address first.",
    PasswordResetRequired: "Please set a new password first.",
    TryLater: "Please try again in a minute.",
    CognitoFlowError: "Something went wrong. We have been notified.",
}


class LoginPage:
    """The application. The flow is an argument, so that a test can pass one of a local pool."""

    def __init__(self, flow: AuthFlow) -> None:
        self.flow = flow

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        length = min(int(environ.get("CONTENT_LENGTH") or 0), LARGEST_FORM)
        # Browsers send forms in ASCII.
        sent = dict(parse_qsl(environ["wsgi.input"].read(length).decode("ascii", "replace")))
        browser = browser_of(environ)
        is_post = environ["REQUEST_METHOD"] == "POST"
        page = self.post(sent, browser) if is_post else form(browser, PASSWORD_FIELDS)
        cookie = f"{COOKIE}={browser}; Path=/; Secure; HttpOnly; SameSite=Strict"
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Set-Cookie", cookie)])
        return [page.encode()]

    def post(self, sent: dict[str, str], browser: str) -> str:
        # SameSite does not protect the first form, which works without a cookie.
        if not hmac.compare_digest(sent.get("browser", "").encode(), browser.encode()):
            return alert(REFUSALS[StartOver]) + form(browser, PASSWORD_FIELDS)
        try:
            if "state" in sent:
                return self.answer(sent, browser)
            credentials = UserSrpAuth(sent.get("username", ""), sent.get("password", ""))
            return self.show(self.flow.start(credentials), browser)
        except CognitoFlowError as error:
            return refusal(error) + form(browser, PASSWORD_FIELDS)

    def answer(self, sent: dict[str, str], browser: str) -> str:
        challenge = self.flow.unseal(sent["state"], bound_to=browser)
        if not isinstance(challenge, CodeChallenge):
            raise SealError("this page seals only challenges that ask for a code")
        try:
            return self.show(self.flow.send(challenge.answer(sent.get("code", ""))), browser)
        except AnswerRejected:
            return alert("That is not the code.") + form(browser, code_fields(sent["state"]))

    def show(self, step: Step, browser: str) -> str:
        match step:
            case SignedIn():
                return f"<p>Welcome, {escape(step.username)}.</p>"
            case CodeChallenge():
                state = self.flow.seal(step, bound_to=browser)
                return alert("Your code, please.") + form(browser, code_fields(state))
            case _:  # write a page for each challenge of your pool
                return f"<p>There is no page yet that asks {escape(step.name)}.</p>"


def browser_of(environ: dict[str, Any]) -> str:
    cookie = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(COOKIE)
    # The value is sent back in a header and in the forms: nothing but what this page has made.
    is_ours = cookie is not None and re.fullmatch(r"[\w-]{43}", cookie.value, re.ASCII)
    return cookie.value if cookie and is_ours else secrets.token_urlsafe(32)


def form(browser: str, fields: str) -> str:
    return f'<form method="post"><input type="hidden" name="browser" value="{browser}">{fields}</form>'


def code_fields(state: str) -> str:
    hidden = f'<input type="hidden" name="state" value="{escape(state)}">'
    code = '<label>Code <input name="code" autocomplete="one-time-code" autofocus></label>'
    return f"{hidden}{code}<button>Continue</button>"


def alert(message: str) -> str:
    return f'<p role="alert">{message}</p>'


def refusal(error: CognitoFlowError) -> str:
    kind = next(kind for kind in type(error).__mro__ if kind in REFUSALS)
    if kind in (CognitoFlowError, TryLater):  # users cannot fix it, operators can
        logging.getLogger(__name__).error("sign-in failed: %s", error)
    return alert(REFUSALS[kind])


def from_environment() -> LoginPage:
    return LoginPage(AuthFlow(AppClient.from_env(), seal_keys=[os.environ["LOGIN_SECRET"]]))


if __name__ == "__main__":
    with make_server("127.0.0.1", int(sys.argv[1]), from_environment()) as server:
        server.serve_forever()
