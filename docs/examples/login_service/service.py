"""A login service with FastAPI: sign-up, every way to sign in, and the account page. Copy it and make it yours.

The browser keeps two random values in cookies: "session" stands for a signed-in user, whose tokens stay in the
store; "browser" stands for the browser, so that a sealed challenge, a form and a remembered device work in no
other one. Everything else that a sign-in needs between two pages is sealed in the page.
"""

import asyncio
import hmac
import os
import secrets
from contextlib import suppress
from typing import Annotated, Any
from urllib.parse import parse_qsl

from attrs import frozen
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from markupsafe import Markup
from sessions import BrowserDevices, SessionTokens, Store, hashed
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.base import RequestResponseEndpoint
from steps import (
    HEADERS,
    HERE,
    NOTICES,
    answer_from,
    credentials_from,
    mfa_from,
    page_for,
    refusal,
    render,
    totp_values,
)

from cognito_flow import (
    AnswerRejected,
    AppClient,
    AsyncAccount,
    AsyncAuthFlow,
    AsyncTokenSource,
    Challenge,
    CognitoFlowError,
    Confirmed,
    PasswordResetRequired,
    SealError,
    SignedIn,
    SignedOut,
    SignedUp,
    SqliteStore,
    Step,
    Tokens,
    UserContext,
    UserNotConfirmed,
)

A_YEAR = 365 * 86_400  # seconds
LARGEST_FORM = 65_536  # bytes; a sealed challenge has about 6,000
ENCRYPTED = {"Strict-Transport-Security": f"max-age={A_YEAR}"}


class Visit:
    """One request: the browser that sent it, and the pages that answer it."""

    def __init__(self, request: Request) -> None:
        self.service: LoginService = request.app.state.service
        self.request = request
        self.form: dict[str, str] = {}
        self.browser = self.cookie("browser") or secrets.token_urlsafe()
        self.session = self.cookie("session")
        self.devices = BrowserDevices(self.service.store, self.browser)
        ip = None if request.client is None else request.client.host
        self.flow: AsyncAuthFlow = self.service.flow.bind(context=UserContext(ip=ip))

    # -- cookies --

    def cookie(self, name: str) -> str:
        return self.request.cookies.get(self.service.cookie_name(name), "")

    def set_cookie(self, response: Response, name: str, value: str, max_age: int | None = None) -> None:
        """SameSite=Lax: users who follow a link to the account page stay signed in; forms of other sites send no
        cookie."""
        name, secure = self.service.cookie_name(name), self.service.is_encrypted
        response.set_cookie(name, value, max_age, secure=secure, httponly=True, samesite="lax")

    @property
    def csrf(self) -> str:
        """A value for forms that other sites cannot know, and that does not reveal the cookie."""
        return hashed("csrf", self.browser)

    async def read_form(self) -> None:
        body = b""
        async for part in self.request.stream():
            body += part
            if len(body) > LARGEST_FORM:
                raise HTTPException(413)
        # Browsers send these forms in ASCII.
        self.form = dict(parse_qsl(body.decode("ascii", "replace"), keep_blank_values=True))
        if not hmac.compare_digest(self.form.get("csrf", "").encode(), self.csrf.encode()):
            raise HTTPException(403)

    # -- pages --

    def page(self, name: str, status: int = 200, **values: Any) -> Response:
        csrf = Markup('<input type="hidden" name="csrf" value="{}">').format(self.csrf)
        response = HTMLResponse(render(name, csrf=csrf, form=self.form, **values), status)
        self.set_cookie(response, "browser", self.browser, A_YEAR)
        return response

    def refuse(self, error: CognitoFlowError, name: str, **values: Any) -> Response:
        status, text = refusal(error)
        return self.page(name, status, error=text, **values)

    def ask(self, challenge: Challenge, error: CognitoFlowError | None = None) -> Response:
        """Show the page for a challenge, with the challenge sealed in it."""
        name, values = page_for(challenge)
        values |= {"challenge": challenge, "state": self.flow.seal(challenge, bound_to=self.browser)}
        return self.page(name, **values) if error is None else self.refuse(error, name, **values)

    async def show(self, step: Step | Confirmed, typed: str) -> Response:
        match step:
            case SignedIn():
                return await self.sign_in(step, typed)
            case Confirmed():
                return self.go_to("/login?done=confirmed")
            case _:
                return self.ask(step)

    async def sign_in(self, signed_in: SignedIn, typed: str) -> Response:
        """Begin a session with an id of its own: an id from before the sign-in could be known to others."""
        await self.end_session()
        self.session = secrets.token_urlsafe()
        await self.source(signed_in.tokens).tokens()  # stores them
        if signed_in.device is not None:
            put = self.devices.put
            await run_in_threadpool(put, self.flow.app, signed_in.username, signed_in.device, typed)
        response = self.go_to("/account")
        self.set_cookie(response, "session", self.session)
        return response

    def go_to(self, path: str) -> Response:
        """Redirect. The path is never taken from a request, so there is no open redirect."""
        return RedirectResponse(path, 303)

    # -- the signed-in user --

    def source(self, tokens: Tokens) -> AsyncTokenSource:
        return self.flow.token_source(tokens, store=SessionTokens(self.service.store, self.session))

    async def signed_in_source(self) -> AsyncTokenSource | None:
        if not self.session:
            return None
        kept = SessionTokens(self.service.store, self.session)
        tokens = await run_in_threadpool(kept.get_tokens, self.flow.app, "")
        return None if tokens is None else self.source(tokens)

    async def end_session(self) -> None:
        source = await self.signed_in_source()
        if source is not None:
            with suppress(SignedOut):  # Cognito has ended it already
                await source.sign_out()

    def leave(self, notice: str) -> Response:
        response = self.go_to(f"/login?done={notice}")
        self.set_cookie(response, "session", "", 0)
        return response


async def posted(request: Request) -> Visit:
    visit = Visit(request)
    await visit.read_form()
    return visit


Shown = Annotated[Visit, Depends(Visit)]
Posted = Annotated[Visit, Depends(posted)]


@frozen
class User:
    """A signed-in user and their visit."""

    visit: Visit
    source: AsyncTokenSource

    @property
    def account(self) -> AsyncAccount:
        return self.visit.flow.account(self.source)


class SignInFirst(Exception):
    """The request comes from a browser that is not signed in."""


async def signed_in(visit: Visit) -> User:
    source = await visit.signed_in_source()
    if source is None:
        raise SignInFirst
    return User(visit, source)


async def user_shown(visit: Shown) -> User:
    return await signed_in(visit)


async def user_posted(visit: Posted) -> User:
    return await signed_in(visit)


Reader = Annotated[User, Depends(user_shown)]
Writer = Annotated[User, Depends(user_posted)]

router = APIRouter(default_response_class=HTMLResponse)


# -- sign in --


@router.get("/")
async def start() -> Response:
    return RedirectResponse("/account", 303)


@router.get("/login")
async def sign_in_page(visit: Shown, done: str = "") -> Response:
    return visit.page("sign_in", notice=NOTICES.get(done))


@router.post("/login")
async def sign_in(visit: Posted) -> Response:
    typed = visit.form.get("username", "")
    try:
        device = await run_in_threadpool(visit.devices.get, visit.flow.app, typed)
        return await visit.show(await visit.flow.start(credentials_from(visit.form), device=device), typed)
    except UserNotConfirmed as error:
        return visit.refuse(error, "confirm")
    except PasswordResetRequired as error:
        return visit.refuse(error, "forgot")
    except CognitoFlowError as error:
        return visit.refuse(error, "sign_in")


@router.post("/login/answer")
async def answer(visit: Posted) -> Response:
    try:
        challenge = visit.flow.unseal(visit.form.get("state", ""), bound_to=visit.browser)
        if isinstance(challenge, SignedUp):
            raise SealError("a sign-up is confirmed on its own page")
        try:
            step = await visit.flow.send(answer_from(challenge, visit.form))
        except AnswerRejected as error:
            return visit.ask(challenge, error)
        return await visit.show(step, challenge.pending.alias or challenge.username)
    except CognitoFlowError as error:
        return visit.refuse(error, "sign_in")


# -- sign up --


@router.get("/sign-up")
async def sign_up_page(visit: Shown) -> Response:
    return visit.page("sign_up")


@router.post("/sign-up")
async def sign_up(visit: Posted) -> Response:
    form = visit.form
    try:
        attributes = {"email": form.get("email", "")}
        signed_up = await visit.flow.sign_up(
            form.get("username", ""), form.get("password", ""), attributes=attributes
        )
    except CognitoFlowError as error:
        return visit.refuse(error, "sign_up")
    return visit.page(
        "confirm", state=visit.flow.seal(signed_up, bound_to=visit.browser), sent=signed_up.delivery
    )


@router.post("/sign-up/confirm")
async def confirm_sign_up(visit: Posted) -> Response:
    """Confirm the address. Users who come back later have no sealed sign-up: their name is enough to confirm it."""
    state, username = visit.form.get("state"), visit.form.get("username", "")
    try:
        signed_up = visit.flow.unseal(state, bound_to=visit.browser) if state else username
        if not isinstance(signed_up, SignedUp | str):
            raise SealError("a challenge is answered on its own page")
        if "resend" in visit.form:
            return visit.page("confirm", state=state, sent=await visit.flow.resend_code(signed_up))
        return await visit.show(
            await visit.flow.confirm_sign_up(signed_up, visit.form.get("code", "")), username
        )
    except CognitoFlowError as error:
        return visit.refuse(error, "confirm", state=state)


# -- forgotten password --


@router.get("/forgot")
async def forgot_page(visit: Shown) -> Response:
    return visit.page("forgot")


@router.post("/forgot")
async def forgot(visit: Posted) -> Response:
    try:
        sent = await visit.flow.forgot_password(visit.form.get("username", ""))
    except CognitoFlowError as error:
        return visit.refuse(error, "forgot")
    return visit.page("reset", sent=sent)


@router.post("/forgot/confirm")
async def reset_password(visit: Posted) -> Response:
    form = visit.form
    try:
        await visit.flow.confirm_forgot_password(
            form.get("username", ""), form.get("code", ""), form.get("new_password", "")
        )
    except CognitoFlowError as error:
        return visit.refuse(error, "reset")
    return visit.go_to("/login?done=password")


# -- the account --


@router.get("/account")
async def account_page(user: Reader, done: str = "") -> Response:
    account, device_key = user.account, user.source.device_key
    profile, factors, passkeys, devices = await asyncio.gather(
        account.user(), account.auth_factors(), account.passkeys(), account.devices()
    )
    return user.visit.page(
        "account",
        notice=NOTICES.get(done),
        profile=profile,
        factors_configured=factors.configured,
        passkeys=passkeys,
        passkey_mfa=user.visit.service.passkey_mfa,
        has_device=device_key is not None,
        is_remembered=any(device.key == device_key for device in devices),
    )


@router.post("/account/password")
async def change_password(user: Writer) -> Response:
    form = user.visit.form
    await user.account.change_password(form.get("password", ""), form.get("new_password", ""))
    return user.visit.go_to("/account?done=password")


@router.post("/account/totp")
async def set_up_totp(user: Writer) -> Response:
    return user.visit.page("enrol", **totp_values(await user.account.enrol_totp()))


@router.post("/account/totp/confirm")
async def confirm_totp(user: Writer) -> Response:
    """Cognito keeps the secret, so the page asks again without it."""
    try:
        await user.account.confirm_totp(user.visit.form.get("code", ""), preferred=False)
    except AnswerRejected as error:
        return user.visit.refuse(error, "enrol")
    return user.visit.go_to("/account?done=app")


@router.post("/account/mfa")
async def change_mfa(user: Writer) -> Response:
    """Turn a second factor on or off, or let a passkey count as both factors."""
    visit, account = user.visit, user.account
    is_on = (await account.user()).enabled_mfa
    await account.set_mfa(**mfa_from(visit.form, is_on, visit.service.passkey_mfa))
    return visit.go_to("/account?done=mfa")


@router.post("/account/passkeys/new")
async def start_passkey(user: Writer) -> Response:
    return user.visit.page("new_passkey", options=(await user.account.start_passkey()).options_json)


@router.post("/account/passkeys")
async def finish_passkey(user: Writer) -> Response:
    await user.account.finish_passkey(user.visit.form.get("credential", ""))
    return user.visit.go_to("/account?done=passkey")


@router.post("/account/passkeys/delete")
async def delete_passkey(user: Writer) -> Response:
    await user.account.delete_passkey(user.visit.form.get("id", ""))
    return user.visit.go_to("/account?done=passkey_deleted")


@router.post("/account/device")
async def change_device(user: Writer) -> Response:
    """Remember this browser, so that it is not asked for a code again; or take that back."""
    await user.account.remember_device(remembered="on" in user.visit.form)
    return user.visit.go_to("/account?done=device")


# -- sign out --


@router.post("/logout")
async def sign_out(visit: Posted) -> Response:
    await visit.end_session()
    return visit.leave("signed_out")


@router.post("/logout/everywhere")
async def sign_out_everywhere(user: Writer) -> Response:
    await user.account.sign_out_everywhere()
    await user.visit.end_session()
    return user.visit.leave("everywhere")


@router.get("/login.js")
async def script() -> Response:
    return FileResponse(HERE / "login.js")


@router.get("/login.css")
async def style() -> Response:
    return FileResponse(HERE / "login.css")


# -- the application --


class LoginService:
    """What all requests share."""

    def __init__(self, flow: AsyncAuthFlow, store: Store, origin: str, passkey_mfa: bool) -> None:
        self.flow, self.store, self.passkey_mfa = flow, store, passkey_mfa
        self.is_encrypted = origin.startswith("https://")

    def cookie_name(self, name: str) -> str:
        """Behind https with the prefix __Host-: browsers then send a cookie over TLS only, to this host only, and
        let no other host set it."""
        return f"__Host-{name}" if self.is_encrypted else name


async def sign_in_first(request: Request, _error: Exception) -> Response:
    return Visit(request).leave("")


async def account_problem(request: Request, error: Exception) -> Response:
    """Refuse what a form of the account page asked for."""
    if isinstance(error, SignedOut):
        return await sign_in_first(request, error)
    assert isinstance(error, CognitoFlowError)
    return Visit(request).refuse(error, "problem")


async def http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return Visit(request).page(
        "problem", error.status_code, error="This page does not exist, or has expired."
    )


def create_app(flow: AsyncAuthFlow, store: Store, origin: str, *, passkey_mfa: bool = False) -> FastAPI:
    """Create the application.

    Args:
        flow: The flow, with `seal_keys`. A test passes one of a local pool.
        store: Where tokens and remembered devices are kept.
        origin: Where browsers find the service, such as "https://login.books.example".
        passkey_mfa: Whether the pool's FactorConfiguration is MULTI_FACTOR_WITH_USER_VERIFICATION: users can then
            let a passkey replace the password and the second factor.
    """
    app = FastAPI(openapi_url=None)
    app.state.service = service = LoginService(flow, store, origin, passkey_mfa)
    app.include_router(router)
    app.add_exception_handler(SignInFirst, sign_in_first)
    app.add_exception_handler(CognitoFlowError, account_problem)
    for status in (403, 404, 405, 413):
        app.add_exception_handler(status, http_problem)

    @app.middleware("http")
    async def add_headers(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers.update(HEADERS | (ENCRYPTED if service.is_encrypted else {}))
        return response

    return app


def from_environment() -> FastAPI:
    """Create the application from environment variables: see local.env."""
    secret = os.environ["LOGIN_SECRET"]
    store = SqliteStore(os.environ["LOGIN_STORE"], keys=[secret])
    flow = AsyncAuthFlow(AppClient.from_env(), seal_keys=[secret], device_name="browser")
    passkey_mfa = os.environ.get("LOGIN_PASSKEY_MFA") == "yes"
    return create_app(flow, store, os.environ["LOGIN_ORIGIN"], passkey_mfa=passkey_mfa)
