"""The main job on an embedded pool, step by step.

Rule of this file: nothing is told that did not happen. What is shown of a call are names; each claim is
checked before it is made, and a check that fails ends the command.
"""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from cognito_flow.credentials import UserSrpAuth
from cognito_flow.errors import IncorrectPassword, TokenInvalid, WrongCode
from cognito_flow.flow import AuthFlow, Step
from cognito_flow.handlers import Answer, Challenge, SoftwareTokenMfa
from cognito_flow.models import AppClient, Event, SignedIn, Tokens
from cognito_flow.testing import LocalCognito, Pool

_PASSWORD = "correct horse battery staple"  # of a user who lives as long as this command

_console = Console(soft_wrap=True, highlight=False)


class NotAsTold(Exception):
    """Something went otherwise than the demonstration says."""


def run() -> None:
    """Show a sign-in with a second factor, and what is refused."""
    _head("A user pool in this process, with an authenticator app required, and a user")
    cognito = LocalCognito()
    pool = cognito.create_pool(mfa_configuration="ON", software_token_mfa_configuration={"Enabled": True})
    app = pool.app_client(secret=True)
    pool.add_user("alice", _PASSWORD, totp=True)
    _tell(f"pool {app.pool_id}, app client {app.client_id} (with a secret), user alice")

    flow = pool.flow(app, on_event=_show)
    _head("alice signs in with her password, which is proved by SRP and never sent")
    tokens = _sign_in(flow, pool)
    _head("The tokens are signed by the pool")
    _verify(tokens, pool, app)
    _head("A wrong password is refused")
    _refuse_password(flow, "incorrect horse battery staple")
    _head("A wrong code is refused, and the right one still signs in")
    _refuse_code(flow, pool, "no code")


def _sign_in(flow: AuthFlow, pool: Pool) -> Tokens:
    def ask(challenge: Challenge) -> Answer:
        return _code_challenge(challenge).answer(pool.totp("alice"))

    done = flow.sign_in(UserSrpAuth("alice", _PASSWORD), ask=ask)
    _good(f"signed in as {done.username}; the access token ends at {done.tokens.expires_at:%H:%M:%S} UTC")
    return done.tokens


def _code_challenge(step: Step) -> SoftwareTokenMfa:
    if not isinstance(step, SoftwareTokenMfa):
        raise NotAsTold(f"Cognito did not ask for a code, but gave {type(step).__name__}")
    return step


def _verify(tokens: Tokens, pool: Pool, app: AppClient) -> None:
    verifier = pool.verifier(app)
    try:
        claims = verifier.verify_access(tokens.access_token)
    except TokenInvalid as error:
        raise NotAsTold(str(error)) from error
    _check(claims.username == "alice", "the token is somebody else's")
    _good(f"an access token for {claims.username}, RS256, issuer {claims.claims['iss']}")


def _refuse_password(flow: AuthFlow, password: str) -> None:
    try:
        flow.start(UserSrpAuth("alice", password))
    except IncorrectPassword as error:
        _good(f"{type(error).__name__}: {error}")
    else:
        raise NotAsTold("the wrong password was accepted")


def _refuse_code(flow: AuthFlow, pool: Pool, wrong: str) -> None:
    challenge = _code_challenge(flow.start(UserSrpAuth("alice", _PASSWORD)))
    try:
        flow.send(challenge.answer(wrong))
    except WrongCode as error:
        _good(f"{type(error).__name__}: {error}")
    else:
        raise NotAsTold("the wrong code was accepted")
    done = flow.send(challenge.answer(pool.totp("alice")))
    _check(isinstance(done, SignedIn), "the right code did not sign in")
    _good(f"signed in as {done.username}")


def _check(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise NotAsTold(otherwise)


# -- showing --


def _head(text: str) -> None:
    _console.print(Text(f"\n{text}", style="bold"))


def _tell(text: str) -> None:
    _console.print(Text(f"  {text}"))


def _good(text: str) -> None:
    _console.print(Text(f"  => {text}", style="green"))


def _show(event: Event) -> None:
    """An exchange, by name only."""
    if event.kind == "call":
        answered = "" if event.challenge is None else f" {event.challenge}"
        _tell(f"-> {event.operation}{answered}")
        _console.print(Text(f"     {', '.join(event.sent)}", style="dim"))
        if event.error is not None:
            _console.print(Text(f"  <- {event.error}", style="red"))
    elif event.kind == "challenge":
        _tell(f"<- {event.challenge}")
    else:
        _tell("<- AuthenticationResult")
