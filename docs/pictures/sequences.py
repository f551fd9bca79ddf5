"""Sequence diagrams of sign-ins, each recorded from a real run on LocalCognito.

Rule of this file: `RUNS` does what a program does; every arrow comes from what the program called and from the
flow's events.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs

from cognito_flow import (
    Answer,
    CodeChallenge,
    CognitoFlowError,
    Credentials,
    CustomAuth,
    CustomChallenge,
    EmailOtp,
    Event,
    MemoryStore,
    MfaSetup,
    NewPasswordRequired,
    SelectChallenge,
    SignedIn,
    Step,
    TotpSetup,
    UserAuth,
    UserPasswordAuth,
    UserSrpAuth,
    WebAuthn,
)
from cognito_flow.testing import LocalCognito, SoftAuthenticator, totp_code
from docs.pictures.canvas import Canvas

PROGRAM, FLOW, COGNITO = "your program", "AuthFlow", "Cognito"
_AT = {PROGRAM: 80, FLOW: 370, COGNITO: 730}
_PASSWORD = "Correct-horse-1"
_TOTP = {"mfa_configuration": "ON", "software_token_mfa_configuration": {"Enabled": True}}


@attrs.define(slots=False)
class Recording:
    """A pool with the user alice, and everything that is said while she signs in."""

    members: dict[str, Any] = attrs.field(factory=dict)
    user: dict[str, Any] = attrs.field(factory=dict)
    messages: list[tuple[str, str, str, str]] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.cognito = LocalCognito()
        self.pool = self.cognito.create_pool(**self.members)
        self.pool.add_user("alice", _PASSWORD, **self.user)
        self.flow = self.pool.flow(on_event=self._hear, store=MemoryStore())

    def _hear(self, event: Event) -> None:
        if event.kind == "call":
            if event.operation == "ConfirmDevice":  # Cognito sent the tokens, and the key of a new device
                self._reply("AuthenticationResult", "name good")
            asked = " ".join(filter(None, [event.operation, event.challenge]))
            self.messages.append((FLOW, COGNITO, asked, "name"))
            if event.error:
                self._reply(event.error, "name bad")
        elif event.challenge:
            self._reply(event.challenge, "name")
        elif event.kind == "device_confirmed":
            self._reply("device confirmed", "name good")
        elif self.messages[-1][:2] == (FLOW, COGNITO):
            self._reply("AuthenticationResult", "name good")

    def _reply(self, said: str, style: str) -> None:
        self.messages.append((COGNITO, FLOW, said, style))

    def _run(self, said: str, call: Callable[[], Step]) -> Step:
        self.messages.append((PROGRAM, FLOW, said, "name"))
        try:
            step = call()
        except CognitoFlowError as error:
            self.messages.append((FLOW, PROGRAM, f"raises {type(error).__name__}", "name bad"))
            raise
        style = "name good" if isinstance(step, SignedIn) else "name"
        self.messages.append((FLOW, PROGRAM, type(step).__name__, style))
        return step

    def start(self, credentials: Credentials, shown: str) -> Step:
        """Begin a sign-in; `shown` is how a program writes the credentials."""
        return self._run(f"start({shown})", lambda: self.flow.start(credentials))

    def send(self, answer: Answer, shown: str) -> Step:
        """Answer a challenge; `shown` is how a program writes the answer."""
        return self._run(f"send({shown})", lambda: self.flow.send(answer))

    def totp(self, challenge: Step) -> Step:
        """Answer with the code of the authenticator app."""
        assert isinstance(challenge, CodeChallenge)
        return self.send(challenge.answer(self.pool.totp("alice")), "challenge.answer(code)")


def password() -> Recording:
    """A password with SRP, then a code of an authenticator app."""
    run = Recording({**_TOTP}, {"totp": True})
    run.totp(run.start(UserSrpAuth("alice", _PASSWORD), "UserSrpAuth(name, password)"))
    return run


def plain_password() -> Recording:
    """A password that is sent to Cognito (USER_PASSWORD_AUTH)."""
    run = Recording()
    run.start(UserPasswordAuth("alice", _PASSWORD), "UserPasswordAuth(name, password)")
    return run


def wrong_code() -> Recording:
    """A wrong code, and the right one for the same challenge."""
    run = Recording({**_TOTP}, {"totp": True})
    challenge = run.start(UserSrpAuth("alice", _PASSWORD), "UserSrpAuth(name, password)")
    assert isinstance(challenge, CodeChallenge)
    wrong = f"{(int(run.pool.totp('alice')) + 1) % 1_000_000:06}"
    try:
        run.send(challenge.answer(wrong), "challenge.answer(wrong)")
    except CognitoFlowError:
        run.totp(challenge)
    return run


def first_sign_in() -> Recording:
    """A temporary password, and an authenticator app that is set up at the first sign-in."""
    run = Recording({**_TOTP}, {"temporary": True})
    step = run.start(UserSrpAuth("alice", _PASSWORD), "UserSrpAuth(name, password)")
    assert isinstance(step, NewPasswordRequired)
    step = run.send(step.answer("Battery-staple-2"), "challenge.answer(new_password)")
    assert isinstance(step, MfaSetup)
    step = run.send(step.answer_totp(), "challenge.answer_totp()")
    assert isinstance(step, TotpSetup)
    code = totp_code(step.secret_code, run.cognito.clock())
    run.send(step.answer(code), "challenge.answer(code)")
    return run


def remembered_device() -> Recording:
    """Two sign-ins: the first confirms the device, which replaces the code in the second."""
    members = {"ChallengeRequiredOnNewDevice": True, "DeviceOnlyRememberedOnUserPrompt": False}
    run = Recording({**_TOTP, "device_configuration": members}, {"totp": True})
    run.totp(run.start(UserSrpAuth("alice", _PASSWORD), "UserSrpAuth(name, password)"))
    run.start(UserSrpAuth("alice", _PASSWORD), "UserSrpAuth(name, password)")
    return run


def _choice() -> Recording:
    factors = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN", "EMAIL_OTP"]}}
    members = {"policies": factors, "web_authn_configuration": {"RelyingPartyId": "app.example"}}
    return Recording(members, {"email": "alice@example.com"})


def email_code() -> Recording:
    """A sign-in by choice, with a code by e-mail instead of a password."""
    run = _choice()
    step = run.start(UserAuth("alice"), "UserAuth(name)")
    assert isinstance(step, SelectChallenge)
    step = run.send(step.answer("EMAIL_OTP"), "challenge.answer(EMAIL_OTP)")
    assert isinstance(step, EmailOtp)
    run.send(step.answer(run.pool.last_code("alice")), "challenge.answer(code)")
    return run


def passkey() -> Recording:
    """A sign-in with a passkey."""
    run = _choice()
    key = SoftAuthenticator()
    done = run.pool.flow().start(UserSrpAuth("alice", _PASSWORD))
    assert isinstance(done, SignedIn)
    account = run.pool.flow().account(done.tokens)
    account.finish_passkey(key.create(account.start_passkey().options_json))
    step = run.start(UserAuth("alice", preferred="WEB_AUTHN"), "UserAuth(name, preferred=WEB_AUTHN)")
    assert isinstance(step, WebAuthn)
    run.send(step.answer(key.get(step.options_json)), "challenge.answer(credential)")
    return run


def custom() -> Recording:
    """A password with SRP, then a challenge of the pool's own Lambda triggers (CUSTOM_AUTH)."""
    from tests.scenarios.custom import create, define, verify

    run = Recording()
    names = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")
    run.pool.triggers.update(zip(names, (define, create, verify), strict=True))
    step = run.start(CustomAuth("alice", _PASSWORD), "CustomAuth(name, password)")
    assert isinstance(step, CustomChallenge)
    run.send(step.answer("4"), "challenge.answer(text)")
    return run


def refresh() -> Recording:
    """New tokens for a refresh token."""
    run = Recording()
    done = run.pool.flow().start(UserSrpAuth("alice", _PASSWORD))
    assert isinstance(done, SignedIn)
    run.messages.append((PROGRAM, FLOW, "refresh(tokens)", "name"))
    run.flow.refresh(done.tokens)
    run.messages.append((FLOW, PROGRAM, "Tokens", "name good"))
    return run


RUNS = (
    password,
    plain_password,
    wrong_code,
    first_sign_in,
    remembered_device,
    email_code,
    passkey,
    custom,
    refresh,
)


def draw(run: Callable[[], Recording]) -> str:
    """Record a run and draw it."""
    canvas = Canvas((run.__doc__ or "").strip(), 820)
    messages = run().messages
    bottom = 66 + 34 * len(messages)
    for who, x in _AT.items():
        canvas.box(x - 62, 10, 124, 28)
        canvas.text(x, 29, who, "strong", "middle")
        canvas.line(x, 38, x, bottom, "dash")
    for number, (sender, receiver, text, style) in enumerate(messages):
        y = 76 + 34 * number
        canvas.arrow(_AT[sender], _AT[receiver], y)
        canvas.text((_AT[sender] + _AT[receiver]) / 2, y - 7, text, style, "middle")
    return canvas.render()


def pictures() -> dict[str, Callable[[], str]]:
    """File names, and what draws them."""
    return {f"sequence-{run.__name__.replace('_', '-')}.svg": partial(draw, run) for run in RUNS}
