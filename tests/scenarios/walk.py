"""Random walks: sign-ins with random choices and mistakes, in a random pool, by a random user.

Rule of this file: it walks; the tests choose the pools.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st

from cognito_flow import (
    Answer,
    AuthFlow,
    Challenge,
    CodeChallenge,
    CognitoFlowError,
    Credentials,
    CustomAuth,
    CustomChallenge,
    Event,
    MemoryStore,
    MfaSetup,
    NewPasswordRequired,
    Password,
    PasswordSrp,
    RefreshTokenAuth,
    SelectChallenge,
    SelectMfaType,
    SignedIn,
    Step,
    TotpSetup,
    UserAuth,
    UserPasswordAuth,
    UserSrpAuth,
    WebAuthn,
)
from cognito_flow.testing import LocalCognito, Pool, totp_code
from docs.pictures.follows import FOLLOWS, RARELY_FOLLOWS, TOKENS
from tests.scenarios.custom import create, define, verify

PASSWORDS = ["Correct horse 1", "Battery staple 2", "weak", "é"]
USERS: list[Mapping[str, Any]] = [
    {},
    {"temporary": True},
    {"confirmed": False},
    {"email": "alice@example.com", "phone_number": "+31612341234"},
    {"phone_number": "+31612341234", "totp": True},
    {"email": "alice@example.com", "temporary": True},
]

FLOW_OF: Mapping[type[Credentials], str] = {
    UserSrpAuth: "USER_SRP_AUTH",
    UserPasswordAuth: "USER_PASSWORD_AUTH",
    CustomAuth: "CUSTOM_AUTH",
    UserAuth: "USER_AUTH",
    RefreshTokenAuth: "REFRESH_TOKEN_AUTH",
}


class Trail:
    """Hears which challenge follows which flow or challenge."""

    def __init__(self) -> None:
        self.flow = self.last = ""
        self.seen: set[tuple[str, str]] = set()

    def hear(self, event: Event) -> None:
        """Keep what was called last, and what came then."""
        if event.kind == "call" and event.operation in {"InitiateAuth", "AdminInitiateAuth"}:
            self.last = self.flow
        elif event.kind == "call" and event.challenge:
            self.last = event.challenge
        elif event.kind == "challenge" and event.challenge:
            self.seen.add((self.last, event.challenge))
        elif event.kind == "signed_in":
            self.seen.add((self.last, TOKENS))


class Walk:
    """One sign-in after another, with random choices and mistakes."""

    def __init__(self, pool: Pool, flow: AuthFlow, data: st.DataObject, trail: Trail) -> None:
        self.pool, self.flow, self.data, self.trail = pool, flow, data, trail

    def draw(self, *choices: Any) -> Any:
        """One of these."""
        return self.data.draw(st.sampled_from(choices))

    def run(self) -> None:
        """Take up to eight steps, each a start or an answer."""
        step: Step | None = None
        for _ in range(self.data.draw(st.integers(1, 8))):
            self.happen()
            try:
                if step is None or isinstance(step, SignedIn):
                    credentials = self.begin(step)
                    self.trail.flow = FLOW_OF[type(credentials)]
                    step = self.flow.start(credentials)
                else:
                    step = self.flow.send(self.answer(step))
            except CognitoFlowError:
                if self.draw(True, False):
                    step = None
            else:
                assert step.username

    def happen(self) -> None:
        """Let time pass, or change the user or the service between two steps."""
        what: Callable[[], object] = self.draw(
            *[lambda: None] * 6,
            lambda: self.pool.cognito.clock.advance(self.draw(1, 31, 200)),
            self.user.devices.clear,
            lambda: setattr(self.user, "is_enabled", self.draw(True, True, False)),
            lambda: self.pool.cognito.faults.throttle("RespondToAuthChallenge"),
            lambda: self.pool.cognito.faults.error_after(self.draw("RespondToAuthChallenge", "InitiateAuth")),
            lambda: self.pool.cognito.faults.lose("RespondToAuthChallenge"),
            lambda: setattr(self.user, "status", self.draw("CONFIRMED", "CONFIRMED", "RESET_REQUIRED")),
        )
        what()

    @property
    def user(self) -> Any:
        """The user."""
        return self.pool.user("alice")

    def begin(self, done: SignedIn | None) -> Credentials:
        """Credentials of any kind, mostly valid ones."""
        name = self.draw("alice", "alice", "alice", "ALICE", "alice@example.com", "unknown")
        password = self.draw(PASSWORDS[0], PASSWORDS[0], *PASSWORDS)
        if done is not None and self.draw(True, False):
            return RefreshTokenAuth(done.tokens)
        kinds: list[Callable[[], Credentials]] = [
            lambda: UserSrpAuth(name, password),
            lambda: UserPasswordAuth(name, password),
            lambda: CustomAuth(name, self.draw(None, password)),
            lambda: UserAuth(name),
            lambda: UserAuth(name, password, self.draw(None, "PASSWORD", "PASSWORD_SRP")),
            lambda: UserAuth(
                name, None, self.draw("EMAIL_OTP", "SMS_OTP", "WEB_AUTHN", "PASSWORD", "PASSWORD_SRP")
            ),
        ]
        kind: Callable[[], Credentials] = self.draw(*kinds)
        return kind()

    def answer(self, challenge: Challenge) -> Answer:
        """An answer, often the right one."""
        match challenge:
            case CodeChallenge():
                return challenge.answer(self.draw("000000", self.code(challenge), self.code(challenge)))
            case NewPasswordRequired():
                attributes = {
                    name: "x" for name in challenge.missing_attributes if self.draw(True, True, False)
                }
                return challenge.answer(self.draw(*PASSWORDS), attributes)
            case SelectMfaType():
                return challenge.answer(self.draw(*challenge.choices, "EMAIL_OTP"))
            case SelectChallenge():
                method = self.draw("answer_srp", "answer_password", "answer")
                argument = (
                    self.draw(*PASSWORDS) if method != "answer" else self.draw(*challenge.choices, "SMS_OTP")
                )
                answer: Answer = getattr(challenge, method)(argument)
                return answer
            case MfaSetup():
                return self.draw(challenge.answer_totp, lambda: challenge.answer_email("a@b.example"))()  # type: ignore[no-any-return]  # both return an Answer
            case TotpSetup():
                right = totp_code(challenge.secret_code, self.pool.cognito.clock())
                return challenge.answer(self.draw("1", "000000", right, right))
            case CustomChallenge():
                return challenge.answer(self.draw("4", "5"))
            case Password() | PasswordSrp():
                return challenge.answer(self.draw(*PASSWORDS))
            case WebAuthn():
                return challenge.answer("{}")
            case _:
                raise AssertionError(f"unexpected challenge {challenge.name}")

    def code(self, challenge: CodeChallenge) -> str:
        """The right code, if there is one."""
        try:
            is_app = challenge.medium is None
            return self.pool.totp("alice") if is_app else self.pool.last_code("alice")
        except KeyError:
            return "none"


MAP = {
    (name, following)
    for table in (FOLLOWS, RARELY_FOLLOWS)
    for name, names in table.items()
    for following in names
}

# One service for all walks: making the boto client of another takes longer than a walk.
COGNITO = LocalCognito()
begin_anew = COGNITO.snapshot()


thoroughly = settings(
    max_examples=1000,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    derandomize=True,
)
"""How many walks a test takes."""


def walk(data: st.DataObject, pools: list[Mapping[str, Any]]) -> None:
    """Walk in one of these pools.

    No other exception may arrive than a CognitoFlowError: no KeyError, no AttributeError and no error of
    botocore. What follows what is on the map of challenges (docs/pictures).
    """
    members, user = data.draw(st.sampled_from(pools)), data.draw(st.sampled_from(USERS))
    begin_anew()
    pool = COGNITO.create_pool(**members)
    assume(not (user.get("totp") and "software_token_mfa_configuration" not in members))
    made = pool.add_user("alice", PASSWORDS[0], **user)
    if user.get("totp") and data.draw(st.booleans()):
        made.mfa_enabled, made.mfa_preferred = ["SMS_MFA", "SOFTWARE_TOKEN_MFA"], None
    names = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")
    if data.draw(st.booleans()):
        pool.triggers.update(zip(names, (define, create, verify), strict=True))
    hides: Any = data.draw(st.sampled_from(["ENABLED", "LEGACY"]))
    app = pool.app_client(secret=data.draw(st.booleans()), prevent_user_existence_errors=hides)
    devices = data.draw(st.sampled_from([None, MemoryStore]))
    trail = Trail()
    flow = pool.flow(
        app,
        admin=data.draw(st.booleans()),
        devices=devices() if devices else None,
        on_event=trail.hear,
    )

    Walk(pool, flow, data, trail).run()

    assert trail.seen - MAP == set()
