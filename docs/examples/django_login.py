"""A login with Django: a page for the password, a page for the code, and a page for signed-in users.

The challenge and the tokens stay in Django's session, on the server. The cookie holds the session's key only. Forms have Django's
token against CSRF, which also ties a sign-in to the browser that began it.
"""

import logging
import os
import sys
from functools import wraps
from typing import Any
from wsgiref.simple_server import make_server

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token, rotate_token
from django.shortcuts import redirect
from django.template import Context, Engine
from django.urls import path
from django.views.decorators.http import require_POST

from cognito_flow import (
    AnswerRejected,
    AppClient,
    AuthFlow,
    CodeChallenge,
    CognitoFlowError,
    NotAuthorized,
    PasswordResetRequired,
    SignedIn,
    SignedOut,
    StartOver,
    Step,
    Tokens,
    TokenSource,
    TryLater,
    UserNotConfirmed,
    UserSrpAuth,
)

# What the login needs of the settings of a project. With a database, leave the default SESSION_ENGINE.
SETTINGS: dict[str, Any] = {
    "CSRF_COOKIE_NAME": "__Host-csrftoken",  # with this prefix, other hosts cannot set it
    "CSRF_COOKIE_SECURE": True,
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
    "SESSION_COOKIE_NAME": "__Host-session",
    "SESSION_COOKIE_SECURE": True,
    "SESSION_ENGINE": "django.contrib.sessions.backends.cache",
}

PAGE = """<!doctype html><title>Shop</title>{% if message %}<p>{{ message }}</p>{% endif %}<form method="post">{% csrf_token %}
{% if username %}<p>Welcome, {{ username }}.</p><button formaction="/logout">Sign out</button>
{% elif asks %}<input name="code" autocomplete="one-time-code"><button formaction="/code">Continue</button>
{% else %}<input name="username" autocomplete="username">
<input name="password" type="password" autocomplete="current-password">
<button formaction="/login">Sign in</button>{% endif %}</form>"""

# The message for each class of error; the nearest class wins. Every NotAuthorized has the same message, so that a wrong password
# and an unknown name look the same.
REFUSALS: dict[type[CognitoFlowError], str] = {
    NotAuthorized: "Wrong name or password.",
    AnswerRejected: "That is not right: please try again.",
    UserNotConfirmed: "Please confirm your address first.",
    PasswordResetRequired: "Please set a new password first.",
    StartOver: "Please start again.",
    TryLater: "Please try again in a minute.",
    CognitoFlowError: "Something went wrong. We have been notified.",
}


def page(request: HttpRequest, message: str = "") -> HttpResponse:
    shown = {
        "message": message,
        "username": source_of(request).username if "tokens" in request.session else "",
        "asks": "state" in request.session,
        "csrf_token": get_token(request),
    }
    return HttpResponse(Engine().from_string(PAGE).render(Context(shown)))


def source_of(request: HttpRequest) -> TokenSource:
    """The tokens of the session's user. New ones go to the session."""

    def keep(tokens: Tokens) -> None:
        request.session["tokens"] = tokens.to_dict()

    return settings.COGNITO_FLOW.token_source(Tokens.from_dict(request.session["tokens"]), on_tokens=keep)


def show(request: HttpRequest, step: Step) -> HttpResponse:
    match step:
        case SignedIn():
            request.session.flush()
            request.session.cycle_key()  # a key that was known before the sign-in is worth nothing after it
            rotate_token(request)  # nor is a form of before it
            request.session["tokens"] = step.tokens.to_dict()
            return redirect("/")
        case CodeChallenge():
            request.session["state"] = settings.COGNITO_FLOW.seal(step)
            return page(request, "Your code, please.")
        case _:  # write a page for each challenge of your pool
            return HttpResponse(f"There is no page yet that asks {step.name}.", status=501)


def message_for(error: CognitoFlowError) -> str:
    if isinstance(error, SignedOut):  # an administrator ended the session, or it was not used for too long
        return "Please sign in again."
    kind = next(kind for kind in type(error).__mro__ if kind in REFUSALS)
    if kind in (CognitoFlowError, TryLater):  # users cannot fix it, operators can
        logging.getLogger(__name__).error("sign-in failed: %s", error)
    return REFUSALS[kind]


def refusing(view: Any) -> Any:
    """Show a message for what Cognito refuses."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except CognitoFlowError as error:
            if isinstance(error, StartOver | SignedOut):
                request.session.flush()
            return page(request, message_for(error))

    return guarded


@refusing
def home(request: HttpRequest) -> HttpResponse:
    if "tokens" in request.session:
        source_of(request).tokens()  # refreshes them if they are about to expire
    return page(request)


@require_POST
@refusing
def login(request: HttpRequest) -> HttpResponse:
    request.session.flush()
    credentials = UserSrpAuth(request.POST.get("username", ""), request.POST.get("password", ""))
    return show(request, settings.COGNITO_FLOW.start(credentials))


@require_POST
@refusing
def code(request: HttpRequest) -> HttpResponse:
    challenge = settings.COGNITO_FLOW.unseal(request.session.get("state", ""))
    return show(request, settings.COGNITO_FLOW.send(challenge.answer(request.POST.get("code", ""))))


@require_POST
@refusing
def logout(request: HttpRequest) -> HttpResponse:
    if "tokens" in request.session:
        source_of(
            request
        ).sign_out()  # if Cognito cannot be reached, the user stays signed in and can try again
    request.session.flush()
    return redirect("/")


urlpatterns = [path("", home), path("login", login), path("code", code), path("logout", logout)]


def from_environment() -> Any:
    """The WSGI application, as a project in one file."""
    secret = os.environ["LOGIN_SECRET"]
    flow = AuthFlow(AppClient.from_env(), seal_keys=[secret])
    own = {
        "ALLOWED_HOSTS": ["localhost"],
        "COGNITO_FLOW": flow,
        "ROOT_URLCONF": __name__,
        "SECRET_KEY": secret,
    }
    settings.configure(**SETTINGS, **own)
    return get_wsgi_application()


if __name__ == "__main__":
    with make_server("127.0.0.1", int(sys.argv[1]), from_environment()) as server:
        server.serve_forever()
