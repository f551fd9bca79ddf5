"""A login with Flask: a page for the password, a page for the code, and a page for signed-in users.

The browser gets a cookie that scripts cannot read, that other sites cannot use and that holds two random values only. The tokens
stay on the server. Each form carries one of these values, so that other sites cannot send it.
"""

import hmac
import os
import secrets

from flask import Flask, redirect, render_template_string, request, session, url_for
from werkzeug.wrappers import Response

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
    SignedOut,
    StartOver,
    Step,
    TokenSource,
    TryLater,
    UserNotConfirmed,
    UserSrpAuth,
)

PAGE = """<!doctype html><title>Shop</title>{% if message %}<p>{{ message }}</p>{% endif %}
<form method="post"><input type="hidden" name="browser" value="{{ session['browser'] }}">
{% if username %}<p>Welcome, {{ username }}.</p><button formaction="{{ url_for('logout') }}">Sign out</button>
{% elif state %}<input type="hidden" name="state" value="{{ state }}">
<input name="code" autocomplete="one-time-code"><button formaction="{{ url_for('code') }}">Continue</button>
{% else %}<input name="username" autocomplete="username">
<input name="password" type="password" autocomplete="current-password">
<button formaction="{{ url_for('login') }}">Sign in</button>{% endif %}</form>"""

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


def create_app(flow: AuthFlow, secret_key: str) -> Flask:
    """Create the application. The flow is an argument, so that a test can pass one of a local pool."""
    app = Flask(__name__)
    app.secret_key = secret_key  # signs the cookie
    app.config.update(
        SESSION_COOKIE_NAME="__Host-session",  # with this prefix, other hosts cannot set it
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",  # requests of other sites are sent without it
        MAX_FORM_MEMORY_SIZE=65_536,
    )
    # The signed-in users of this process; several processes need a shared store.
    sources: dict[str, TokenSource] = {}

    def page(message: str = "", state: str = "", username: str = "") -> str:
        # A random value that ties the forms and the sealed challenge to the browser. Otherwise an attacker could make another
        # person send a form with the attacker's password or code: that person would then use the attacker's account.
        session.setdefault("browser", secrets.token_urlsafe())
        return render_template_string(PAGE, message=message, state=state, username=username)

    @app.before_request
    def refuse_forms_of_other_sites() -> tuple[str, int] | None:
        # SameSite does not protect the sign-in form, which works without a cookie.
        sent, known = request.form.get("browser", ""), session.get("browser", secrets.token_urlsafe())
        if request.method == "POST" and not hmac.compare_digest(sent.encode(), known.encode()):
            return page(REFUSALS[StartOver]), 403
        return None

    def show(step: Step) -> str | Response:
        match step:
            case SignedIn():
                session.clear()
                session["user"] = secrets.token_urlsafe()
                sources[session["user"]] = flow.token_source(step.tokens)
                return redirect(url_for("home"))
            case CodeChallenge():
                return page("Your code, please.", flow.seal(step, bound_to=session["browser"]))
            case _:  # write a page for each challenge of your pool
                return Response(f"There is no page yet that asks {step.name}.", 501)

    @app.get("/")
    def home() -> str:
        source = sources.get(session.get("user", ""))
        try:
            return page() if source is None else page(username=source.tokens().username)
        except SignedOut:  # an administrator ended the session, or it was not used for too long
            sources.pop(session.pop("user"), None)
            return page("Please sign in again.")

    @app.post("/login")
    def login() -> str | Response:
        return show(
            flow.start(UserSrpAuth(request.form.get("username", ""), request.form.get("password", "")))
        )

    @app.post("/code")
    def code() -> str | Response:
        state = request.form.get("state", "")
        challenge = flow.unseal(state, bound_to=session["browser"])
        if not isinstance(challenge, CodeChallenge):
            raise SealError("this application seals only challenges that ask for a code")
        try:
            return show(flow.send(challenge.answer(request.form.get("code", ""))))
        except AnswerRejected:
            return page(REFUSALS[AnswerRejected], state)

    @app.post("/logout")
    def logout() -> Response:
        source = sources.get(session.get("user", ""))
        if source is not None:
            try:
                source.sign_out()  # if Cognito cannot be reached, the user stays signed in and can try again
            except SignedOut:
                app.logger.info("Cognito had ended the session already")
            sources.pop(session.pop("user"), None)
        return redirect(url_for("home"))

    @app.errorhandler(CognitoFlowError)
    def refuse(error: CognitoFlowError) -> str:
        kind = next(kind for kind in type(error).__mro__ if kind in REFUSALS)
        if kind in (CognitoFlowError, TryLater):  # users cannot fix it, operators can
            app.logger.error("sign-in failed: %s", error)
        source = sources.get(session.get("user", ""))
        return page(REFUSALS[kind], username="" if source is None else source.username)

    return app


def from_environment() -> Flask:
    secret = os.environ["LOGIN_SECRET"]
    return create_app(AuthFlow(AppClient.from_env(), seal_keys=[secret]), secret)
