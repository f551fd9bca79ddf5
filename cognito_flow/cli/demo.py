"""The subcommand `demo`: a sign-in with a second factor on an embedded pool, step by step.

Rule of this file: each line that it prints was checked before, and a failed check ends the command. Of a call
it shows names, never values.
"""

from __future__ import annotations

from rich.text import Text

from cognito_flow.cli.output import show
from cognito_flow.credentials import UserSrpAuth
from cognito_flow.errors import IncorrectPassword, TokenInvalid, WrongCode
from cognito_flow.flow import AuthFlow, Step
from cognito_flow.handlers import Answer, Challenge, SoftwareTokenMfa
from cognito_flow.models import AppClient, Event, SignedIn, Tokens
from cognito_flow.testing import LocalCognito, Pool

_PASSWORD = "correct horse battery staple"  # of a user who exists only in this process


class DemoFailed(Exception):
    """A step behaved differently from what the demo says."""


def run() -> None:
    """Show a sign-in with a second factor, and that a wrong password and a wrong code are refused.

    Raises:
        UsageError: Standard output cannot be written.
    """
    _head("Creating an in-process user pool that requires an authenticator app, and one user")
    cognito = LocalCognito()
    pool = cognito.create_pool(mfa_configuration="ON", software_token_mfa_configuration={"Enabled": True})
    app = pool.app_client(secret=True)
    pool.add_user("alice", _PASSWORD, totp=True)
    _line(f"pool {app.pool_id}, app client {app.client_id} (with a secret), user alice")

    flow = pool.flow(app, on_event=_show)
    _head("Signing in with a password, which SRP proves without sending it")
    tokens = _sign_in(flow, pool)
    _head("Verifying the access token with the pool's public keys")
    _verify(tokens, pool, app)
    _head("Signing in with a wrong password")
    _refuse_password(flow, "incorrect horse battery staple")
    _head("Answering with a wrong code, then with the right one")
    _refuse_code(flow, pool, "no code")


def _sign_in(flow: AuthFlow, pool: Pool) -> Tokens:
    def ask(challenge: Challenge) -> Answer:
        return _code_challenge(challenge).answer(pool.totp("alice"))

    done = flow.sign_in(UserSrpAuth("alice", _PASSWORD), ask=ask)
    expires_at = f"{done.tokens.expires_at:%H:%M:%S} UTC"
    _result(f"signed in as {done.username}; the access token expires at {expires_at}")
    return done.tokens


def _code_challenge(step: Step) -> SoftwareTokenMfa:
    if not isinstance(step, SoftwareTokenMfa):
        raise DemoFailed(f"expected SOFTWARE_TOKEN_MFA, got {type(step).__name__}")
    return step


def _verify(tokens: Tokens, pool: Pool, app: AppClient) -> None:
    verifier = pool.verifier(app)
    try:
        claims = verifier.verify_access(tokens.access_token)
    except TokenInvalid as error:
        raise DemoFailed(str(error)) from error
    _check(claims.username == "alice", "the token belongs to another user")
    _result(f"an access token for {claims.username}, RS256, issuer {claims.claims['iss']}")


def _refuse_password(flow: AuthFlow, password: str) -> None:
    try:
        flow.start(UserSrpAuth("alice", password))
    except IncorrectPassword as error:
        _result(f"{type(error).__name__}: {error}")
    else:
        raise DemoFailed("the wrong password was accepted")


def _refuse_code(flow: AuthFlow, pool: Pool, wrong: str) -> None:
    challenge = _code_challenge(flow.start(UserSrpAuth("alice", _PASSWORD)))
    try:
        flow.send(challenge.answer(wrong))
    except WrongCode as error:
        _result(f"{type(error).__name__}: {error}")
    else:
        raise DemoFailed("the wrong code was accepted")
    done = flow.send(challenge.answer(pool.totp("alice")))
    _check(isinstance(done, SignedIn), "the right code did not sign in")
    _result(f"signed in as {done.username}")


def _check(is_true: bool, otherwise: str) -> None:
    if not is_true:
        raise DemoFailed(otherwise)


# -- showing --


def _head(text: str) -> None:
    _print(f"\n{text}", "bold")


def _line(text: str) -> None:
    _print(f"  {text}")


def _result(text: str) -> None:
    _print(f"  => {text}", "green")


def _show(event: Event) -> None:
    """Print an exchange, by name only."""
    if event.kind == "call":
        answered = "" if event.challenge is None else f" {event.challenge}"
        _line(f"-> {event.operation}{answered}")
        _print(f"     {', '.join(event.sent)}", "dim")
        if event.error is not None:
            _print(f"  <- {event.error}", "red")
    elif event.kind == "challenge":
        _line(f"<- {event.challenge}")
    else:
        _line("<- AuthenticationResult")


def _print(line: str, style: str = "") -> None:
    show(Text(line, style=style), soft_wrap=True)
