"""A login as a FastAPI application: the password and the code come in two requests, and the server keeps nothing in between.
A signed-in user gets a cookie that scripts cannot read; the tokens never leave the server."""

import logging
import os
import secrets
from contextlib import suppress
from typing import Annotated

from fastapi import Cookie, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, SecretStr

from cognito_flow import (
    AnswerRejected,
    AppClient,
    AsyncAuthFlow,
    AsyncTokenSource,
    CodeChallenge,
    CognitoFlowError,
    InvalidInput,
    NotAuthorized,
    PasswordResetRequired,
    SealError,
    SignedIn,
    SignedOut,
    StartOver,
    Step,
    TryLater,
    UserNotConfirmed,
    UserSrpAuth,
)

COOKIE = "__Host-session"  # with this prefix, browsers send it to this host only, and only over TLS

# A random value that ties the sealed challenge to the browser. Otherwise an attacker could sign in as themselves as far as the
# code, and make another person send it: that person would then use the attacker's account.
BROWSER = "__Host-login"

# The message for each class of error; the nearest class wins. Every NotAuthorized has the same message, so that a wrong
# password and an unknown name look the same.
REFUSALS: dict[type[CognitoFlowError], tuple[int, str]] = {
    NotAuthorized: (401, "Wrong name or password."),
    AnswerRejected: (401, "That is not the code."),
    UserNotConfirmed: (403, "Please confirm your address first."),
    PasswordResetRequired: (403, "Please set a new password first."),
    StartOver: (410, "Please start again."),
    InvalidInput: (422, "Please fill in every field."),
    TryLater: (503, "Please try again in a minute."),
    CognitoFlowError: (500, "Something went wrong. We have been notified."),
}

Session = Annotated[str, Cookie(alias=COOKIE)]
Browser = Annotated[str, Cookie(alias=BROWSER)]


class Password(BaseModel):
    username: str
    password: SecretStr


class Code(BaseModel):
    state: str
    code: str


async def refuse(_request: Request, error: Exception) -> JSONResponse:
    kind = next(kind for kind in type(error).__mro__ if kind in REFUSALS)
    if kind in (CognitoFlowError, TryLater):  # users cannot fix it, operators can
        logging.getLogger(__name__).error("sign-in failed: %s", error)
    status, text = REFUSALS[kind]
    return JSONResponse({"detail": text}, status)


class Desk:
    """The signed-in users of this process. If there are several processes, keep the tokens in a shared store."""

    def __init__(self, flow: AsyncAuthFlow) -> None:
        self.flow = flow
        self.sessions: dict[str, AsyncTokenSource] = {}

    def show(self, step: Step, response: Response) -> dict[str, str | None]:
        value = secrets.token_urlsafe()
        match step:
            case SignedIn():
                self.sessions[value] = self.flow.token_source(step.tokens)
                set_cookie(response, COOKIE, value)
                response.delete_cookie(BROWSER, secure=True, httponly=True, samesite="strict")
                return {"username": step.username}
            case CodeChallenge():
                set_cookie(response, BROWSER, value)
                state = self.flow.seal(step, bound_to=value)
                return {"asks": step.name, "sent_to": step.sent_to, "state": state}
            case _:  # write a page for each challenge of your pool
                raise HTTPException(501, f"There is no page yet that asks {step.name}.")

    async def username(self, session: Session = "") -> str:
        """A dependency: the name of the signed-in user. Refreshes the tokens if they are about to expire."""
        source = self.sessions.get(session)
        if source is None:
            raise HTTPException(401, "Please sign in.")
        try:
            return (await source.tokens()).username
        except SignedOut as error:
            self.sessions.pop(session, None)
            raise HTTPException(401, "Please sign in.") from error

    async def leave(self, session: str) -> None:
        source = self.sessions.pop(session, None)
        if source is not None:
            with suppress(SignedOut):  # Cognito has ended it already
                await source.sign_out()


def set_cookie(response: Response, name: str, value: str) -> None:
    response.set_cookie(name, value, secure=True, httponly=True, samesite="strict")


def make_app(flow: AsyncAuthFlow) -> FastAPI:
    """Create the application. The flow is an argument, so that a test can pass one of a local pool."""
    app, desk = FastAPI(), Desk(flow)
    for kind in REFUSALS:
        app.add_exception_handler(kind, refuse)

    @app.post("/login")
    async def login(given: Password, response: Response) -> dict[str, str | None]:
        credentials = UserSrpAuth(given.username, given.password.get_secret_value())
        return desk.show(await flow.start(credentials), response)

    @app.post("/login/code")
    async def code(given: Code, response: Response, browser: Browser = "") -> dict[str, str | None]:
        challenge = flow.unseal(given.state, bound_to=browser)
        if not isinstance(challenge, CodeChallenge):
            raise SealError("this application seals only challenges that ask for a code")
        return desk.show(await flow.send(challenge.answer(given.code)), response)

    @app.get("/me")
    async def me(username: Annotated[str, Depends(desk.username)]) -> dict[str, str]:
        return {"username": username}

    @app.post("/logout", status_code=204)
    async def logout(response: Response, session: Session = "") -> None:
        response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict")
        await desk.leave(session)

    return app


def from_environment() -> FastAPI:
    return make_app(AsyncAuthFlow(AppClient.from_env(), seal_keys=[os.environ["LOGIN_SECRET"]]))
