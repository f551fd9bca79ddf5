"""The login service as Django views, with the same pages. Django brings the sessions, the form tokens and the settings.

Settings: LOGIN_FLOW is an AuthFlow with `seal_keys`, LOGIN_STORE a store, LOGIN_PASSKEY_MFA is True if the pool lets a passkey
count as both factors, and MIDDLEWARE contains `add_headers`, the sessions and CsrfViewMiddleware. SESSION_ENGINE must keep
sessions on the server. Behind https: SESSION_COOKIE_SECURE and CSRF_COOKIE_SECURE are True, and SESSION_COOKIE_NAME and
CSRF_COOKIE_NAME begin with "__Host-".
"""

import secrets
from contextlib import suppress

from django.conf import settings
from django.http import FileResponse, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import path
from django.utils.html import format_html
from sessions import BrowserDevices, SessionTokens
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
    CognitoFlowError,
    Confirmed,
    PasswordResetRequired,
    SealError,
    SignedIn,
    SignedOut,
    SignedUp,
    UserContext,
    UserNotConfirmed,
)

A_YEAR = 365 * 86_400  # seconds
INSTEAD = {UserNotConfirmed: "confirm", PasswordResetRequired: "forgot"}
urlpatterns = []


def add_headers(get_response):
    def middleware(request):
        response = get_response(request)
        for name, value in HEADERS.items():
            response.headers[name] = value
        return response

    return middleware


def browser_cookie():
    return "__Host-browser" if settings.SESSION_COOKIE_SECURE else "browser"


def browser_of(request):
    """A random value that stands for the browser, as in service.py."""
    if not hasattr(request, "browser"):
        request.browser = request.COOKIES.get(browser_cookie()) or secrets.token_urlsafe()
    return request.browser


def flow_of(request):
    return settings.LOGIN_FLOW.bind(context=UserContext(ip=request.META["REMOTE_ADDR"]))


def page(request, name, status=200, **values):
    field = format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', get_token(request))
    values = {
        "csrf": field,
        "form": request.POST,
        "notice": NOTICES.get(request.GET.get("done")),
        **values,
    }
    response = HttpResponse(render(name, **values), status=status)
    secure = settings.SESSION_COOKIE_SECURE
    response.set_cookie(
        browser_cookie(), browser_of(request), A_YEAR, secure=secure, httponly=True, samesite="Lax"
    )
    return response


def refuse(request, error, name, **values):
    status, text = refusal(error)
    return page(request, name, status, error=text, **values)


def ask(request, challenge, error=None):
    name, values = page_for(challenge)
    state = flow_of(request).seal(challenge, bound_to=browser_of(request))
    values |= {"challenge": challenge, "state": state}
    return page(request, name, **values) if error is None else refuse(request, error, name, **values)


def show(request, step, typed):
    match step:
        case SignedIn():
            end_session(request)
            request.session.cycle_key()  # an id from before the sign-in could be known to others
            request.session["tokens"] = secrets.token_urlsafe()
            source_of(request, step.tokens).tokens()  # stores them
            if step.device is not None:
                devices = BrowserDevices(settings.LOGIN_STORE, browser_of(request))
                devices.put(settings.LOGIN_FLOW.app, step.username, step.device, typed)
            return redirect("/account")
        case Confirmed():
            return redirect("/login?done=confirmed")
        case _:
            return ask(request, step)


def source_of(request, tokens=None):
    """The signed-in user's tokens; None if the browser is not signed in."""
    kept = SessionTokens(settings.LOGIN_STORE, request.session.get("tokens", ""))
    tokens = tokens or kept.get_tokens(settings.LOGIN_FLOW.app, "")
    return None if tokens is None else flow_of(request).token_source(tokens, store=kept)


def end_session(request):
    if (source := source_of(request)) is not None:
        with suppress(SignedOut):  # Cognito has ended it already
            source.sign_out()
    request.session.flush()


def form_page(name, url, *, opens=True):
    """Make a view: GET shows the page, POST calls the function, and a refusal shows the page again."""

    def decorate(function):
        def view(request):
            if request.method != "POST":
                return page(request, name) if opens else redirect("/login")
            try:
                return function(request, request.POST.dict())
            except SignedOut:
                return redirect("/login")
            except CognitoFlowError as error:
                return refuse(request, error, INSTEAD.get(type(error), name))

        urlpatterns.append(path(url, view))
        return view

    return decorate


def account_form(url):
    """Make a view for a form of the account page."""

    def decorate(function):
        @form_page("problem", url, opens=False)
        def view(request, form):
            source = source_of(request)
            if source is None:
                return redirect("/login")
            return function(request, flow_of(request).account(source), form)

        return view

    return decorate


@form_page("sign_in", "login")
def sign_in(request, form):
    typed = form.get("username", "")
    device = BrowserDevices(settings.LOGIN_STORE, browser_of(request)).get(settings.LOGIN_FLOW.app, typed)
    return show(request, flow_of(request).start(credentials_from(form), device=device), typed)


@form_page("sign_in", "login/answer", opens=False)
def answer(request, form):
    flow = flow_of(request)
    challenge = flow.unseal(form.get("state", ""), bound_to=browser_of(request))
    if isinstance(challenge, SignedUp):
        raise SealError("a sign-up is confirmed on its own page")
    try:
        step = flow.send(answer_from(challenge, form))
    except AnswerRejected as error:
        return ask(request, challenge, error)
    return show(request, step, challenge.pending.alias or challenge.username)


@form_page("sign_up", "sign-up")
def sign_up(request, form):
    flow, attributes = flow_of(request), {"email": form.get("email", "")}
    signed_up = flow.sign_up(form.get("username", ""), form.get("password", ""), attributes=attributes)
    state = flow.seal(signed_up, bound_to=browser_of(request))
    return page(request, "confirm", state=state, sent=signed_up.delivery)


@form_page("confirm", "sign-up/confirm", opens=False)
def confirm_sign_up(request, form):
    flow, state, username = flow_of(request), form.get("state"), form.get("username", "")
    signed_up = flow.unseal(state, bound_to=browser_of(request)) if state else username
    if not isinstance(signed_up, SignedUp | str):
        raise SealError("a challenge is answered on its own page")
    if "resend" in form:
        return page(request, "confirm", state=state, sent=flow.resend_code(signed_up))
    try:
        return show(request, flow.confirm_sign_up(signed_up, form.get("code", "")), username)
    except AnswerRejected as error:
        return refuse(request, error, "confirm", state=state)


@form_page("forgot", "forgot")
def forgot(request, form):
    return page(request, "reset", sent=flow_of(request).forgot_password(form.get("username", "")))


@form_page("reset", "forgot/confirm", opens=False)
def reset_password(request, form):
    given = (form.get(name, "") for name in ("username", "code", "new_password"))
    flow_of(request).confirm_forgot_password(*given)
    return redirect("/login?done=password")


def account_page(request):
    source = source_of(request)
    if source is None:
        return redirect("/login")
    account = flow_of(request).account(source)
    try:
        values = {
            "profile": account.user(),
            "factors_configured": account.auth_factors().configured,
            "passkeys": account.passkeys(),
            "passkey_mfa": settings.LOGIN_PASSKEY_MFA,
            "has_device": source.device_key is not None,
            "is_remembered": source.device_key in [device.key for device in account.devices()],
        }
    except SignedOut:
        return redirect("/login")
    return page(request, "account", **values)


# What a form of the account page does, and what the page says then.
CHANGES = {
    "passkeys": ("passkey", lambda account, form: account.finish_passkey(form.get("credential", ""))),
    "passkeys/delete": ("passkey_deleted", lambda account, form: account.delete_passkey(form.get("id", ""))),
    "password": (
        "password",
        lambda account, form: account.change_password(form.get("password", ""), form.get("new_password", "")),
    ),
    "device": ("device", lambda account, form: account.remember_device(remembered="on" in form)),
    "mfa": (
        "mfa",
        lambda account, form: account.set_mfa(
            **mfa_from(form, account.user().enabled_mfa, settings.LOGIN_PASSKEY_MFA)
        ),
    ),
}


def change(name, notice, apply):
    @account_form(f"account/{name}")
    def change_account(request, account, form):
        apply(account, form)
        return redirect(f"/account?done={notice}")


for name, (notice, apply) in CHANGES.items():
    change(name, notice, apply)


@account_form("account/totp")
def set_up_totp(request, account, form):
    return page(request, "enrol", **totp_values(account.enrol_totp()))


@account_form("account/totp/confirm")
def confirm_totp(request, account, form):
    try:
        account.confirm_totp(form.get("code", ""), preferred=False)
    except AnswerRejected as error:
        return refuse(request, error, "enrol")
    return redirect("/account?done=app")


@account_form("account/passkeys/new")
def start_passkey(request, account, form):
    return page(request, "new_passkey", options=account.start_passkey().options_json)


@account_form("logout/everywhere")
def sign_out_everywhere(request, account, form):
    account.sign_out_everywhere()
    end_session(request)
    return redirect("/login?done=everywhere")


@form_page("problem", "logout", opens=False)
def sign_out(request, form):
    end_session(request)
    return redirect("/login?done=signed_out")


def asset(name):
    return path(name, lambda request: FileResponse((HERE / name).open("rb")))


urlpatterns += [path("account", account_page), asset("login.js"), asset("login.css")]
