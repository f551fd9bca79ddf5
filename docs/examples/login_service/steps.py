"""What each step of a sign-in shows, how a form answers it, and what a refusal says.

service.py (FastAPI) and django_views.py (Django) share this file and pages.html.
"""

import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, assert_never

import segno
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from cognito_flow import (
    AdminNoSrpAuth,
    AliasExists,
    Answer,
    AnswerRejected,
    Challenge,
    CodeAlreadyUsed,
    CodeChallenge,
    CodeExpired,
    CognitoFlowError,
    Credentials,
    CustomChallenge,
    FirstFactor,
    InputRejected,
    InvalidInput,
    LimitExceeded,
    MfaSetup,
    MfaType,
    NewPasswordRequired,
    NotAuthorized,
    Password,
    PasswordRejected,
    PasswordResetRequired,
    PasswordSrp,
    SelectChallenge,
    SelectMfaType,
    StartOver,
    TotpSecret,
    TotpSetup,
    TryLater,
    UnknownChallenge,
    UserAuth,
    UserExists,
    UserNotConfirmed,
    UserSrpAuth,
    WebAuthn,
)

SERVICE = "Books & Co"
HERE = Path(__file__).parent

Form = Mapping[str, str]

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send forms with "Origin: null"
    "X-Content-Type-Options": "nosniff",
}

# What a page says after a redirect. The query has only the key: a link cannot put words into the page.
NOTICES = {
    "app": "Your authenticator app is set up.",
    "confirmed": "Your account is ready. Please sign in.",
    "device": "Your choice for this browser is saved.",
    "everywhere": "You are signed out on all devices.",
    "mfa": "Your second factors have changed.",
    "passkey": "Your passkey is ready.",
    "passkey_deleted": "The passkey is deleted. Delete it from your device, too.",
    "password": "Your password has changed.",
    "signed_out": "You are signed out.",
}

# The message for each class of error; the nearest class wins. Every NotAuthorized has the same message, so that
# a wrong password and an unknown name look the same.
REFUSALS: dict[type[CognitoFlowError], tuple[int, str]] = {
    NotAuthorized: (401, "That did not work. Check the name and the password, or sign in another way."),
    AnswerRejected: (401, "That is not the code. Please try again."),
    CodeAlreadyUsed: (401, "This code was used already. Wait for the next one."),
    CodeExpired: (401, "This code has expired. Please request a new one."),
    PasswordResetRequired: (403, "Please set a new password first."),
    UserNotConfirmed: (403, "Please confirm your e-mail address first."),
    UserExists: (409, "This name is taken. Please choose another one."),
    AliasExists: (409, "This address belongs to another account."),
    StartOver: (410, "That took too long, or was done already. Please start again."),
    InvalidInput: (422, "Please fill in every field."),
    InputRejected: (422, "Please check what you typed: an address or a name has the wrong form."),
    LimitExceeded: (429, "Too many attempts. Please try again in an hour."),
    TryLater: (503, "Please try again in a minute."),
    CognitoFlowError: (500, "Something went wrong. We have been notified."),
}

# Pages are escaped by default: what users type can never become HTML.
_pages = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True)


def render(page: str, **values: object) -> str:
    """Return one of the pages of pages.html."""
    return _pages.get_template("pages.html").render(page=page, service=SERVICE, **values).strip()


def refusal(error: CognitoFlowError) -> tuple[int, str]:
    """Return the status and the text for an error, and log what users cannot fix but operators can."""
    if isinstance(error, PasswordRejected):
        return 422, str(error)  # Cognito's text says what the pool's policy requires
    kind = next(kind for kind in type(error).__mro__ if kind in REFUSALS)
    if kind in (CognitoFlowError, TryLater):
        logging.getLogger(__name__).error("%s: %s", type(error).__name__, error)
    return REFUSALS[kind]


def credentials_from(form: Form) -> Credentials:
    """Return what the form of the sign-in page begins with."""
    username = form.get("username", "")
    match form.get("way"):
        case "passkey":
            return UserAuth(username, preferred=FirstFactor.WEB_AUTHN)
        case "other":
            return UserAuth(username)
        case _:
            return UserSrpAuth(username, form.get("password", ""))


def page_for(challenge: Challenge) -> tuple[str, dict[str, Any]]:
    """Return the page that asks for the answer to a challenge, and values for it besides the challenge."""
    match challenge:
        case CodeChallenge():  # SmsMfa, SmsOtp, EmailOtp, SoftwareTokenMfa
            return "code", {"choices": challenge.other_factors}
        case WebAuthn():
            return "passkey", {"choices": challenge.other_factors}
        case Password() | PasswordSrp() | AdminNoSrpAuth():
            return "password", {}
        case NewPasswordRequired():
            return "new_password", {}
        case SelectMfaType():
            return "choose", {"choices": challenge.choices}
        case SelectChallenge():
            return "choose", {"choices": challenge.choices}
        case MfaSetup():
            return "mfa_setup", {"choices": challenge.can_set_up}
        case TotpSetup():
            return "totp", totp_values(challenge)
        case CustomChallenge() | UnknownChallenge():  # write a page for what your triggers ask
            return "unknown", {}
        case _:
            assert_never(challenge)


def totp_values(secret: TotpSetup | TotpSecret) -> dict[str, Any]:
    """Return the QR code of an authenticator app's secret, and the secret for those who cannot scan it."""
    code = segno.make(secret.uri(SERVICE), error="m")
    svg = code.svg_inline(scale=5, border=4, light="#fff", title="QR code with the key below")
    return {"qr": Markup(svg), "secret": secret.secret_code}  # noqa: S704 - made here, from no text of a user


def mfa_from(form: Form, is_on: Collection[str], passkey_mfa: bool) -> dict[str, Any]:
    """Return the arguments of `Account.set_mfa` for a form of the account page.

    Args:
        form: The form: a factor, and whether to turn it on.
        is_on: The second factors that are on; `GetUser` does not list passkeys among them.
        passkey_mfa: Whether the pool lets a passkey count as both factors.
    """
    chosen = {factor for factor in MfaType if factor == form.get("factor")}
    if "on" in form:
        return {"enabled": chosen, "preferred": False}  # users with several factors choose at each sign-in
    if passkey_mfa and not set(is_on) - chosen:
        chosen.add(MfaType.WEB_AUTHN)  # Cognito refuses a passkey as the only second factor
    return {"disabled": chosen}


def answer_from(challenge: Challenge, form: Form) -> Answer:
    """Return the answer to a challenge from the form of its page.

    Raises:
        AnswerRejected: Something is missing or was not offered: show the page again.
    """
    match challenge:
        # Another way, for example after a cancelled passkey.
        case CodeChallenge() | WebAuthn() if "factor" in form:
            is_password = form["factor"] in (FirstFactor.PASSWORD, FirstFactor.PASSWORD_SRP)
            return challenge.answer_with(form["factor"], form.get("password", "") if is_password else None)
        case CodeChallenge():
            return challenge.answer(form.get("code", ""))
        case WebAuthn():
            return challenge.answer(form.get("credential", ""))
        case Password() | PasswordSrp() | AdminNoSrpAuth():
            return challenge.answer(form.get("password", ""))
        case NewPasswordRequired():
            attributes = {name: form.get(name, "") for name in challenge.missing_attributes}
            return challenge.answer(form.get("new_password", ""), attributes)
        case SelectMfaType():
            return challenge.answer(form.get("factor", ""))
        case SelectChallenge() if form.get("factor") == FirstFactor.PASSWORD_SRP:
            return challenge.answer_srp(form.get("password", ""))
        case SelectChallenge() if form.get("factor") == FirstFactor.PASSWORD:
            return challenge.answer_password(form.get("password", ""))
        case SelectChallenge():
            return challenge.answer(form.get("factor", ""))
        case MfaSetup() if form.get("factor") == MfaType.EMAIL_OTP:
            return challenge.answer_email(form.get("email", ""))
        case MfaSetup():
            return challenge.answer_totp()
        case TotpSetup():
            return challenge.answer(form.get("code", ""))
        case CustomChallenge() | UnknownChallenge():
            raise InvalidInput(f"there is no page yet that asks {challenge.name}")
        case _:
            assert_never(challenge)
