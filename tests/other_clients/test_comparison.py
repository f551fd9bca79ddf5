"""Three clients sign in to the same pools, and the comparison page says what becomes of it.

A row of the page is a pool and what its user does. A cell is "signs in", what is asked again, or the error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from cognito_flow import (
    Answer,
    AppClient,
    AuthFlow,
    Challenge,
    CodeChallenge,
    CognitoFlowError,
    CustomAuth,
    CustomChallenge,
    MemoryStore,
    MfaSetup,
    NewPasswordRequired,
    SelectChallenge,
    SelectMfaType,
    SignedIn,
    SoftwareTokenMfa,
    TotpSetup,
    UserAuth,
    UserSrpAuth,
)
from cognito_flow.testing import LocalCognito, Pool, totp_code
from tests.other_clients import pools
from tests.other_clients.conftest import JavaScript, Program, Run, Thrown
from tests.other_clients.pools import NEW_PASSWORD, PASSWORD
from tests.support.documentation import DOCS

pytestmark = pytest.mark.other_programs

SIGNS_IN, ASKS_AGAIN = "signs in", "asks for the code again"
Outcomes: TypeAlias = dict[str, str]


def email_pool(cognito: LocalCognito) -> Pool:
    """A pool whose second factor is a code by e-mail."""
    return pools.mfa_pool(cognito, user={"email": "alice@example.com"}, **pools.EMAIL)


def set_up_pool(cognito: LocalCognito) -> Pool:
    """A pool whose user has to set up an authenticator app."""
    return pools.mfa_pool(cognito, user={}, **pools.TOTP)


def new_user_pool(cognito: LocalCognito) -> Pool:
    """A pool whose user has a temporary password."""
    return pools.plain_pool(cognito, temporary=True)


# The rows that are one sign-in with the right password, and the pool of each.
PASSWORDS: dict[str, Callable[[LocalCognito], Pool]] = {
    "a password, with SRP": pools.plain_pool,
    "a code by SMS": pools.sms_pool,
    "a code of an authenticator app": pools.totp_pool,
    "a code by e-mail": email_pool,
    "one of two second factors": pools.two_factor_pool,
    "a second factor to set up": set_up_pool,
    "a new password": new_user_pool,
}
CUSTOM, CHOICE = "a custom challenge", "a code instead of a password"
WRONG, OTHER_PROCESS = "a wrong password", "a code in another process"
DEVICE, ROTATION = "a remembered device, the second time", "a refresh with rotation"


def cells(client: str) -> Outcomes:
    """The column of a client in the table of the page, by row."""
    text = (DOCS / "explanation" / "comparison.md").read_text(encoding="utf-8")
    _, _, section = text.partition("## The same sign-ins in three clients\n")
    head, _, *rows = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in re.findall(r"^\|.*\|$", section.partition("\n## ")[0], re.MULTILINE)
    )
    (column,) = (place for place, title in enumerate(head) if title.split(" ")[0] == client)
    return {row[0]: row[column].replace("`", "") for row in rows}


def outcome(attempt: Callable[[], str]) -> str:
    """What an attempt gives, or the name of its error."""
    try:
        return attempt()
    except Thrown as thrown:
        return thrown.name
    except CognitoFlowError as error:
        return type(error).__name__


# -- cognito_flow --


def answer(pool: Pool, challenge: Challenge) -> Answer:
    """What the user types."""
    match challenge:
        case SoftwareTokenMfa():
            return challenge.answer(pool.totp("alice"))
        case CodeChallenge():
            return challenge.answer(pool.last_code("alice"))
        case SelectMfaType():
            return challenge.answer("SMS_MFA")
        case SelectChallenge():
            return challenge.answer("EMAIL_OTP")
        case MfaSetup():
            return challenge.answer_totp()
        case TotpSetup():
            return challenge.answer(totp_code(challenge.secret_code, pool.cognito.clock()))
        case NewPasswordRequired():
            return challenge.answer(NEW_PASSWORD)
        case CustomChallenge():
            return challenge.answer("4")
        case _:
            raise AssertionError(challenge)


def with_cognito_flow(cognito: LocalCognito) -> Outcomes:
    def sign_in(pool: Pool, credentials: Any = None, **options: Any) -> str:
        flow: AuthFlow = pool.flow(**options)
        done = flow.sign_in(
            credentials or UserSrpAuth("alice", PASSWORD), ask=lambda asked: answer(pool, asked)
        )
        return SIGNS_IN if done.tokens.access_token else "no token"

    def other_process() -> str:
        pool, key = pools.sms_pool(cognito), "k" * 32
        asked: Any = pool.flow(seal_keys=[key]).start(UserSrpAuth("alice", PASSWORD))
        state = pool.flow(seal_keys=[key]).seal(asked)
        other = pool.flow(seal_keys=[key])
        unsealed: Any = other.unseal(state)
        return SIGNS_IN if isinstance(other.send(answer(pool, unsealed)), SignedIn) else "no token"

    def device() -> str:
        pool, store = pools.device_pool(cognito), MemoryStore()
        sign_in(pool, store=store)
        step = pool.flow(store=store).start(UserSrpAuth("alice", PASSWORD))
        return SIGNS_IN if isinstance(step, SignedIn) else ASKS_AGAIN

    def rotation() -> str:
        pool = pools.plain_pool(cognito)
        flow = pool.flow(pools.rotating_app(pool))
        tokens = flow.sign_in(UserSrpAuth("alice", PASSWORD)).tokens
        return "new tokens" if flow.refresh(tokens).refresh_token != tokens.refresh_token else "old tokens"

    wrong = UserSrpAuth("alice", PASSWORD + "!")
    return {
        **{row: outcome(lambda pool=pool: sign_in(pool(cognito))) for row, pool in PASSWORDS.items()},  # type: ignore[misc]
        CUSTOM: outcome(lambda: sign_in(pools.custom_pool(cognito), CustomAuth("alice"))),
        CHOICE: outcome(lambda: sign_in(pools.choice_pool(cognito), UserAuth("alice"))),
        WRONG: outcome(lambda: sign_in(pools.plain_pool(cognito), wrong)),
        OTHER_PROCESS: outcome(other_process),
        DEVICE: outcome(device),
        ROTATION: outcome(rotation),
    }


def starter(run: Run, command: list[str | Path], url: str) -> Callable[..., Program]:
    """Opens a pool in the client's one process, which takes a second to start, or in another one."""
    started: list[Program] = []

    def start(app: AppClient, *, another: bool = False) -> Program:
        if another or not started:
            started.append(run(command, app))
            return started[-1]
        started[0].call(
            "open", endpoint=url, poolId=app.pool_id, clientId=app.client_id, clientSecret=app.client_secret
        )
        return started[0]

    return start


# -- pycognito --


def with_pycognito(cognito: LocalCognito, start: Callable[..., Program], url: str) -> Outcomes:
    def client(pool: Pool, app: AppClient | None = None, **options: bool) -> Program:
        pool.configure(issuer=f"{url}/{pool.id}")
        program = start(app or pool.app, **options)
        program.call("user", username="alice")
        return program

    def sign_in(pool: Pool, program: Program | None = None, password: str = PASSWORD) -> str:
        program = program or client(pool)
        match program.call("sign_in", password=password):
            case {"claims": _}:
                return SIGNS_IN
            case {"asked": "SMSMFAChallengeException"}:
                done = program.call("send_sms", code=pool.last_code("alice"))
            case {"asked": "SoftwareTokenMFAChallengeException"}:
                done = program.call("send_totp", code=pool.totp("alice"))
            case {"asked": "ForceChangePasswordException"}:
                done = program.call("new_password", password=password, new_password=NEW_PASSWORD)
            case other:
                raise AssertionError(other)
        return SIGNS_IN if "claims" in done else "no token"

    def begins_otherwise() -> str:
        """Its source names the flows with which it can begin."""
        flows = client(pools.plain_pool(cognito)).call("flows")
        return "cannot begin" if not {"CUSTOM_AUTH", "USER_AUTH"} & set(flows) else f"begins with {flows}"

    def other_process() -> str:
        pool = pools.sms_pool(cognito)
        first, second = client(pool), client(pool, another=True)
        first.call("sign_in", password=PASSWORD)
        kept = {"ChallengeName": "SMS_MFA", "Session": first.call("session")}
        second.call("use_tokens", tokens=kept)
        return SIGNS_IN if "claims" in second.call("send_sms", code=pool.last_code("alice")) else "no token"

    def device() -> str:
        pool = pools.device_pool(cognito)
        program = client(pool)
        sign_in(pool, program)
        return SIGNS_IN if "claims" in program.call("sign_in", password=PASSWORD) else ASKS_AGAIN

    def rotation() -> str:
        pool = pools.plain_pool(cognito)
        program = client(pool, pools.rotating_app(pool))
        sign_in(pool, program)
        return "new tokens" if "claims" in program.call("refresh") else "no token"

    return {
        **{row: outcome(lambda pool=pool: sign_in(pool(cognito))) for row, pool in PASSWORDS.items()},  # type: ignore[misc]
        CUSTOM: outcome(begins_otherwise),
        CHOICE: outcome(begins_otherwise),
        WRONG: outcome(lambda: sign_in(pools.plain_pool(cognito), password=PASSWORD + "!")),
        OTHER_PROCESS: outcome(other_process),
        DEVICE: outcome(device),
        ROTATION: outcome(rotation),
    }


# -- Amplify --


def with_amplify(cognito: LocalCognito, client: Callable[..., Program]) -> Outcomes:
    def typed(pool: Pool, step: Any) -> str:
        match step["signInStep"]:
            case "CONFIRM_SIGN_IN_WITH_TOTP_CODE":
                return pool.totp("alice")
            case "CONTINUE_SIGN_IN_WITH_TOTP_SETUP":
                return totp_code(step["totpSetupDetails"]["sharedSecret"], pool.cognito.clock())
            case "CONTINUE_SIGN_IN_WITH_MFA_SELECTION":
                return "SMS"
            case "CONTINUE_SIGN_IN_WITH_FIRST_FACTOR_SELECTION":
                return "EMAIL_OTP"
            case "CONFIRM_SIGN_IN_WITH_NEW_PASSWORD_REQUIRED":
                return NEW_PASSWORD
            case "CONFIRM_SIGN_IN_WITH_CUSTOM_CHALLENGE":
                return "4"
            case _:
                return pool.last_code("alice")

    def sign_in(
        pool: Pool,
        flow: str = "USER_SRP_AUTH",
        password: str | None = PASSWORD,
        program: Program | None = None,
    ) -> str:
        program = program or client(pool.app)
        step = program.call("signIn", username="alice", password=password, flow=flow)
        while "claims" not in step:
            step = program.call("answer", answer=typed(pool, step))
        return SIGNS_IN if step["claims"] else "no token"

    def other_process() -> str:
        pool = pools.sms_pool(cognito)
        first, second = client(pool.app), client(pool.app, another=True)
        first.call("signIn", username="alice", password=PASSWORD, flow="USER_SRP_AUTH")
        done = second.call("answer", answer=pool.last_code("alice"))
        return SIGNS_IN if "claims" in done else "no token"

    def device() -> str:
        pool = pools.device_pool(cognito)
        program = client(pool.app)
        sign_in(pool, program=program)
        program.call("signOut")
        step = program.call("signIn", username="alice", password=PASSWORD, flow="USER_SRP_AUTH")
        return SIGNS_IN if "claims" in step else ASKS_AGAIN

    def rotation() -> str:
        pool = pools.plain_pool(cognito)
        program = client(pools.rotating_app(pool))
        sign_in(pool, program=program)
        return "new tokens" if program.call("refresh")["claims"] else "no token"

    custom, choice = "CUSTOM_WITHOUT_SRP", "USER_AUTH"
    return {
        **{row: outcome(lambda pool=pool: sign_in(pool(cognito))) for row, pool in PASSWORDS.items()},  # type: ignore[misc]
        CUSTOM: outcome(lambda: sign_in(pools.custom_pool(cognito), custom, None)),
        CHOICE: outcome(lambda: sign_in(pools.choice_pool(cognito), choice, None)),
        WRONG: outcome(lambda: sign_in(pools.plain_pool(cognito), password=PASSWORD + "!")),
        OTHER_PROCESS: outcome(other_process),
        DEVICE: outcome(device),
        ROTATION: outcome(rotation),
    }


def test_column_of_cognito_flow_is_what_a_run_shows(cognito: LocalCognito) -> None:
    assert with_cognito_flow(cognito) == cells("cognito_flow")


def test_column_of_pycognito_is_what_a_run_shows(
    cognito: LocalCognito, run: Run, pycognito_python: Path, url: str
) -> None:
    program = Path(__file__).with_name("pycognito_program.py")

    shown = with_pycognito(cognito, starter(run, [pycognito_python, program], url), url)

    assert shown == cells("pycognito")


def test_column_of_amplify_is_what_a_run_shows(
    cognito: LocalCognito, run: Run, javascript: JavaScript, url: str
) -> None:
    shown = with_amplify(cognito, starter(run, javascript.program("amplify"), url))

    assert shown == cells("aws-amplify")


def test_pycognito_has_no_coroutine_functions(
    cognito: LocalCognito, run: Run, pycognito_python: Path
) -> None:
    program = Path(__file__).with_name("pycognito_program.py")

    assert run([pycognito_python, program], cognito.create_pool().app).call("coroutine_functions") == []
