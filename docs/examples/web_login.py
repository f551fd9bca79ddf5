"""A login page before a user pool, as a WSGI application: two pages, and nothing kept in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from cognito_flow import (
    AuthFlow,
    CodeChallenge,
    FlowExpired,
    NotAuthorized,
    SealError,
    SessionAlreadyUsed,
    SignedIn,
    Step,
    UserSrpAuth,
    WrongCode,
)

StartResponse = Callable[[str, list[tuple[str, str]]], object]

PASSWORD_FORM = '<form method="post"><input name="username"><input name="password" type="password"></form>'


class LoginPage:
    """The application. It is given the flow, so that a test can give it one of a local pool."""

    def __init__(self, flow: AuthFlow) -> None:
        self.flow = flow

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        form = dict(parse_qsl(environ["wsgi.input"].read(length).decode()))
        page = self.post(form) if environ["REQUEST_METHOD"] == "POST" else PASSWORD_FORM
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [page.encode()]

    def post(self, form: dict[str, str]) -> str:
        try:
            if "state" in form:
                return self.show(self.answer(form))
            return self.show(self.flow.start(UserSrpAuth(form["username"], form["password"])))
        except WrongCode:
            return code_form(form["state"], "That is not the code.")
        except NotAuthorized:
            return f"<p>Wrong name or password.</p>{PASSWORD_FORM}"
        except (FlowExpired, SealError, SessionAlreadyUsed):
            return f"<p>Please start again.</p>{PASSWORD_FORM}"

    def answer(self, form: dict[str, str]) -> Step:
        challenge = self.flow.unseal(form["state"])
        if not isinstance(challenge, CodeChallenge):
            raise SealError("this page only asks for codes")
        return self.flow.send(challenge.answer(form["code"]))

    def show(self, step: Step) -> str:
        if isinstance(step, SignedIn):
            return f"<p>Welcome, {escape(step.username)}.</p>"
        return code_form(self.flow.seal(step), "Your code, please.")


def code_form(state: str, message: str) -> str:
    hidden = f'<input type="hidden" name="state" value="{escape(state)}">'
    return f'<p>{message}</p><form method="post">{hidden}<input name="code"></form>'
