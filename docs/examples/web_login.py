"""A login page as a WSGI application: two pages, and the server keeps nothing in between."""

from __future__ import annotations

import logging
import os
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

# A random value that ties the sealed challenge to the browser. Otherwise an attacker could sign in as themselves as far as the
# code, and make another person send the form: that person would then use the attacker's account.
COOKIE = "__Host-login"  # with this prefix, other hosts cannot set it

PASSWORD_FORM = (
    '<form method="post">'
    '<label>Name <input name="username" autocomplete="username" autofocus></label>'
    '<label>Password <input name="password" type="password" autocomplete="current-password"></label>'
    "<button>Sign in</button></form>"
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
        length = int(environ.get("CONTENT_LENGTH") or 0)
        # Browsers send forms in ASCII.
        form = dict(parse_qsl(environ["wsgi.input"].read(length).decode("ascii", "replace")))
        browser = browser_of(environ)
        page = self.post(form, browser) if environ["REQUEST_METHOD"] == "POST" else PASSWORD_FORM
        cookie = f"{COOKIE}={browser}; Path=/; Secure; HttpOnly; SameSite=Strict"
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Set-Cookie", cookie)])
        return [page.encode()]

    def post(self, form: dict[str, str], browser: str) -> str:
        try:
            if "state" in form:
                return self.answer(form, browser)
            credentials = UserSrpAuth(form.get("username", ""), form.get("password", ""))
            return self.show(self.flow.start(credentials), browser)
        except CognitoFlowError as error:
            return refusal(error)

    def answer(self, form: dict[str, str], browser: str) -> str:
        challenge = self.flow.unseal(form["state"], bound_to=browser)
        if not isinstance(challenge, CodeChallenge):
            raise SealError("this page seals only challenges that ask for a code")
        try:
            return self.show(self.flow.send(challenge.answer(form.get("code", ""))), browser)
        except AnswerRejected:
            return code_form(form["state"], "That is not the code.")

    def show(self, step: Step, browser: str) -> str:
        match step:
            case SignedIn():
                return f"<p>Welcome, {escape(step.username)}.</p>"
            case CodeChallenge():
                return code_form(self.flow.seal(step, bound_to=browser), "Your code, please.")
            case _:  # write a page for each challenge of your pool
                return f"<p>There is no page yet that asks {escape(step.name)}.</p>"


def browser_of(environ: dict[str, Any]) -> str:
    cookie = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(COOKIE)
    return secrets.token_urlsafe() if cookie is None else cookie.value


def code_form(state: str, message: str) -> str:
    hidden = f'<input type="hidden" name="state" value="{escape(state)}">'
    code = '<label>Code <input name="code" autocomplete="one-time-code" autofocus></label>'
    return f'<p role="alert">{message}</p><form method="post">{hidden}{code}<button>Continue</button></form>'


def refusal(error: CognitoFlowError) -> str:
    kind = next(kind for kind in type(error).__mro__ if kind in REFUSALS)
    if kind in (CognitoFlowError, TryLater):  # users cannot fix it, operators can
        logging.getLogger(__name__).error("sign-in failed: %s", error)
    return f'<p role="alert">{REFUSALS[kind]}</p>{PASSWORD_FORM}'


def from_environment() -> LoginPage:
    return LoginPage(AuthFlow(AppClient.from_env(), seal_keys=[os.environ["LOGIN_SECRET"]]))


if __name__ == "__main__":
    with make_server("127.0.0.1", int(sys.argv[1]), from_environment()) as server:
        server.serve_forever()
