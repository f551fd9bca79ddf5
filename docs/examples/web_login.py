"""A login page as a WSGI application: two pages, and the server keeps nothing in between."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from cognito_flow import (
    AnswerRejected,
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

PASSWORD_FORM = '<form method="post"><input name="username"><input name="password" type="password"></form>'

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
        page = self.post(form) if environ["REQUEST_METHOD"] == "POST" else PASSWORD_FORM
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [page.encode()]

    def post(self, form: dict[str, str]) -> str:
        try:
            if "state" in form:
                return self.answer(form)
            credentials = UserSrpAuth(form.get("username", ""), form.get("password", ""))
            return self.show(self.flow.start(credentials))
        except CognitoFlowError as error:
            return refusal(error)

    def answer(self, form: dict[str, str]) -> str:
        challenge = self.flow.unseal(form["state"])
        if not isinstance(challenge, CodeChallenge):
            raise SealError("this page seals only challenges that ask for a code")
        try:
            return self.show(self.flow.send(challenge.answer(form.get("code", ""))))
        except AnswerRejected:
            return code_form(form["state"], "That is not the code.")

    def show(self, step: Step) -> str:
        match step:
            case SignedIn():
                return f"<p>Welcome, {escape(step.username)}.</p>"
            case CodeChallenge():
                return code_form(self.flow.seal(step), "Your code, please.")
            case _:  # write a page for each challenge of your pool
                return f"<p>There is no page yet that asks {escape(step.name)}.</p>"


def code_form(state: str, message: str) -> str:
    hidden = f'<input type="hidden" name="state" value="{escape(state)}">'
    return f'<p>{message}</p><form method="post">{hidden}<input name="code"></form>'


def refusal(error: CognitoFlowError) -> str:
    kind = next(kind for kind in type(error).__mro__ if kind in REFUSALS)
    if kind in (CognitoFlowError, TryLater):  # users cannot fix it, operators can
        logging.getLogger(__name__).error("sign-in failed: %s", error)
    return f"<p>{REFUSALS[kind]}</p>{PASSWORD_FORM}"
