"""A login page before a user pool, as a WSGI application: two pages, and nothing kept in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from cognito_flow import (
    AuthFlow,
    CodeAlreadyUsed,
    CodeChallenge,
    CodeExpired,
    FlowExpired,
    NotAuthorized,
    SealError,
    SessionAlreadyUsed,
    SignedIn,
    Step,
    UsageError,
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
        # Forms are sent in ASCII; what is not is no form of ours.
        form = dict(parse_qsl(environ["wsgi.input"].read(length).decode("ascii", "replace")))
        page = self.post(form) if environ["REQUEST_METHOD"] == "POST" else PASSWORD_FORM
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [page.encode()]

    def post(self, form: dict[str, str]) -> str:
        try:
            if "state" in form:
                return self.show(self.answer(form))
            credentials = UserSrpAuth(form.get("username", ""), form.get("password", ""))
            return self.show(self.flow.start(credentials))
        except (WrongCode, CodeAlreadyUsed):
            return code_form(form["state"], "That is not the code.")
        except NotAuthorized:
            return f"<p>Wrong name or password.</p>{PASSWORD_FORM}"
        except (CodeExpired, FlowExpired, SealError, SessionAlreadyUsed):
            return f"<p>Please start again.</p>{PASSWORD_FORM}"
        except UsageError:  # an empty field
            return f"<p>Please fill in every field.</p>{PASSWORD_FORM}"

    def answer(self, form: dict[str, str]) -> Step:
        challenge = self.flow.unseal(form["state"])
        if not isinstance(challenge, CodeChallenge):
            raise SealError("this page seals only challenges that ask for a code")
        return self.flow.send(challenge.answer(form.get("code", "")))

    def show(self, step: Step) -> str:
        match step:
            case SignedIn():
                return f"<p>Welcome, {escape(step.username)}.</p>"
            case CodeChallenge():
                return code_form(self.flow.seal(step), "Your code, please.")
            case _:  # give each challenge of your pool its page
                return f"<p>There is no page yet that asks {escape(step.name)}.</p>"


def code_form(state: str, message: str) -> str:
    hidden = f'<input type="hidden" name="state" value="{escape(state)}">'
    return f'<p>{message}</p><form method="post">{hidden}<input name="code"></form>'
