"""A sign-in that begins in one process and continues in another: sync in the one, asyncio in the other."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from cognito_flow import SignedIn, UserSrpAuth
from cognito_flow.testing import LocalCognito, Pool, SoftAuthenticator, totp_code
from tests.scenarios.choices import CHOICE, PASSKEYS
from tests.scenarios.custom import create, define, verify
from tests.scenarios.second_factors import EMAIL, ON, SMS, TOTP
from tests.scenarios.table import OTHER_PASSWORD, PASSWORD

# The program of the other process. It reads the app client and what to do, and prints the next step, sealed.
PROGRAM = """
import asyncio, inspect, json, sys
from cognito_flow import *
given = json.load(sys.stdin)
app = AppClient(*given["app"], endpoint_url=given["url"])
flow = (AsyncAuthFlow if given["is_async"] else AuthFlow)(app, seal_keys=["k" * 32])

async def run():
    if "credentials" in given:
        kind, arguments = given["credentials"]
        step = flow.start({"srp": UserSrpAuth, "custom": CustomAuth, "choice": UserAuth}[kind](*arguments))
    else:
        challenge = flow.unseal(given["state"])
        step = flow.send(getattr(challenge, given["method"])(*given["arguments"]))
    return await step if inspect.isawaitable(step) else step

step = asyncio.run(run())
if isinstance(step, SignedIn):
    print(json.dumps({"step": "SignedIn", "username": step.username}))
else:
    shown = {"options": getattr(step, "options_json", None), "secret": getattr(step, "secret_code", None)}
    print(json.dumps({"step": type(step).__name__, "state": flow.seal(step), **shown}))
"""


@attrs.frozen
class Case:
    """A sign-in with one challenge after another, each answered in a process of its own."""

    name: str
    credentials: tuple[str, list[str | None]]
    answers: list[tuple[str, str, Callable[[Pool, Mapping[str, Any]], list[str]]]]
    pool: Mapping[str, Any]
    user: Mapping[str, Any] = attrs.field(factory=dict[str, Any])


def sent(pool: Pool, _shown: Mapping[str, Any]) -> list[str]:
    """The code of the last message."""
    return [pool.last_code("alice")]


def app_code(pool: Pool, shown: Mapping[str, Any]) -> list[str]:
    """The code of the app that is being set up."""
    return [totp_code(shown["secret"], pool.cognito.clock())]


def words(*arguments: str) -> Callable[[Pool, Mapping[str, Any]], list[str]]:
    """Always the same answer."""
    return lambda pool, shown: list(arguments)


SRP: tuple[str, list[str | None]] = ("srp", ["alice", PASSWORD])
PHONE = {"phone_number": "+31612341234"}
MAIL = {"email": "alice@example.com"}
DEVICE = SoftAuthenticator()

CASES = [
    Case("sms", SRP, [("SmsMfa", "answer", sent)], {**ON, **SMS}, PHONE),
    Case("email", SRP, [("EmailOtp", "answer", sent)], {**ON, **EMAIL}, MAIL),
    Case(
        "totp",
        SRP,
        [("SoftwareTokenMfa", "answer", lambda pool, _: [pool.totp("alice")])],
        {**ON, **TOTP},
        {"totp": True},
    ),
    Case(
        "new_password",
        SRP,
        [("NewPasswordRequired", "answer", words(OTHER_PASSWORD))],
        {},
        {"temporary": True},
    ),
    Case(
        "select_mfa",
        SRP,
        [("SelectMfaType", "answer", words("SMS_MFA")), ("SmsMfa", "answer", sent)],
        {**ON, **SMS, **TOTP},
        {**PHONE, "totp": True},
    ),
    Case(
        "mfa_setup_totp",
        SRP,
        [("MfaSetup", "answer_totp", words()), ("TotpSetup", "answer", app_code)],
        {**ON, **TOTP},
    ),
    Case(
        "mfa_setup_email",
        SRP,
        [("MfaSetup", "answer_email", words("a@b.example")), ("EmailOtp", "answer", sent)],
        {**ON, **EMAIL},
    ),
    Case("custom", ("custom", ["alice"]), [("CustomChallenge", "answer", words("4"))], {}),
    Case(
        "choice",
        ("choice", ["alice"]),
        [("SelectChallenge", "answer", words("EMAIL_OTP")), ("EmailOtp", "answer", sent)],
        CHOICE,
        MAIL,
    ),
    Case("choice_srp", ("choice", ["alice"]), [("SelectChallenge", "answer_srp", words(PASSWORD))], CHOICE),
    Case("sms_otp", ("choice", ["alice", None, "SMS_OTP"]), [("SmsOtp", "answer", sent)], CHOICE, PHONE),
    Case(
        "password", ("choice", ["alice", None, "PASSWORD"]), [("Password", "answer", words(PASSWORD))], CHOICE
    ),
    Case(
        "password_srp",
        ("choice", ["alice", None, "PASSWORD_SRP"]),
        [("PasswordSrp", "answer", words(PASSWORD))],
        CHOICE,
    ),
    Case(
        "passkey",
        ("choice", ["alice", None, "WEB_AUTHN"]),
        [("WebAuthn", "answer", lambda _, shown: [json.dumps(DEVICE.get(shown["options"]))])],
        PASSKEYS,
    ),
]


def prepare(cognito: LocalCognito, case: Case) -> Pool:
    """The pool and the user of a case."""
    pool = cognito.create_pool(**case.pool)
    user = pool.add_user("alice", PASSWORD, **case.user)
    if case.name == "custom":
        names = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")
        pool.triggers.update(zip(names, (define, create, verify), strict=True))
    if case.name == "select_mfa":
        user.mfa_enabled, user.mfa_preferred = ["SMS_MFA", "SOFTWARE_TOKEN_MFA"], None
    if case.name == "passkey":
        done = pool.flow().start(UserSrpAuth("alice", PASSWORD))
        assert isinstance(done, SignedIn)
        client: Any = cognito.client()
        token = done.tokens.access_token
        options = client.start_web_authn_registration(AccessToken=token)["CredentialCreationOptions"]
        client.complete_web_authn_registration(AccessToken=token, Credential=DEVICE.create(options))
    return pool


def run_program(given: Mapping[str, object]) -> Mapping[str, Any]:
    """Run the program in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    shown: Mapping[str, Any] = json.loads(done.stdout)
    return shown


@pytest.mark.slow
@pytest.mark.parametrize("starts_async", [False, True], ids=["sync-first", "async-first"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_sealed_sign_in_continues_in_another_process(
    cognito: LocalCognito, case: Case, starts_async: bool
) -> None:
    pool = prepare(cognito, case)
    app = pool.app_client(secret=True)
    with cognito.serve() as url:
        common = {"app": [app.pool_id, app.client_id, app.client_secret], "url": url}
        is_async = starts_async
        shown = run_program({**common, "is_async": is_async, "credentials": case.credentials})
        for expected, method, arguments in case.answers:
            assert expected == shown["step"]
            is_async = not is_async
            answer = {"state": shown["state"], "method": method, "arguments": arguments(pool, shown)}
            shown = run_program({**common, "is_async": is_async, **answer})

    assert shown == {"step": "SignedIn", "username": "alice"}
