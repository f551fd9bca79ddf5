"""The page about error texts names the class that each text leads to, and LocalCognito sends the texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cognito_flow import AppClient, AuthFlow, CognitoFlowError, SoftwareTokenMfa, UserSrpAuth
from cognito_flow.errors import ServiceError, from_service
from cognito_flow.testing import LocalCognito, Pool
from tests.scenarios.second_factors import ON, TOTP
from tests.support.documentation import DOCS

PAGE = (DOCS / "how-to" / "troubleshoot.md").read_text(encoding="utf-8")
ENTRIES = dict(re.findall(r"^### `(.+)`\n\nRaised as `(\w+)`", PAGE, re.MULTILINE))
# The codes that Cognito sends with the texts; the others come with NotAuthorizedException.
CODES = {
    "UserNotFound": "UserNotFoundException",
    "UserNotConfirmed": "UserNotConfirmedException",
    "PasswordResetRequired": "PasswordResetRequiredException",
    "WrongCode": "CodeMismatchException",
    "CodeAlreadyUsed": "ExpiredCodeException",
    "CodeExpired": "ExpiredCodeException",
    "PasswordRejected": "InvalidPasswordException",
    "InputRejected": "InvalidParameterException",
    "DeviceForgotten": "ResourceNotFoundException",
    "Throttled": "TooManyRequestsException",
    "LimitExceeded": "LimitExceededException",
    "TriggerRefused": "UserLambdaValidationException",
}
CODES_BY_TEXT = {
    "User pool": "ResourceNotFoundException",
    "Custom auth": "InvalidParameterException",
    "USER_SRP_AUTH": "InvalidParameterException",
}
PASSWORD = "Correct horse 1"


def code_of(text: str) -> str:
    """The error code that comes with a text."""
    found = [code for beginning, code in CODES_BY_TEXT.items() if text.startswith(beginning)]
    return found[0] if found else CODES.get(ENTRIES[text], "NotAuthorizedException")


@pytest.mark.parametrize("text", ENTRIES)
def test_text_of_the_page_leads_to_the_class_that_it_names(text: str) -> None:
    error = from_service(code_of(text), text)

    assert type(error).__name__ == ENTRIES[text]
    assert type(error) is not ServiceError


def test_each_entry_with_a_text_names_a_class_or_says_who_raises_it() -> None:
    headings = re.findall(r"^### `(.+)`$", PAGE, re.MULTILINE)

    assert len(headings) > 20
    assert [text for text in headings if text not in ENTRIES] == ["Unable to locate credentials"]


def wrong_password(pool: Pool) -> object:
    return pool.flow().start(UserSrpAuth("alice", "wrong"))


def unknown_user(pool: Pool) -> object:
    return pool.flow(pool.app_client(prevent_user_existence_errors="LEGACY")).start(UserSrpAuth("bob", "x"))


def locked(pool: Pool) -> object:
    for _ in range(9):
        with pytest.raises(CognitoFlowError) as caught:
            wrong_password(pool)
        if "exceeded" in str(caught.value):
            raise caught.value
    return None


def disabled(pool: Pool) -> object:
    pool.user("alice").is_enabled = False
    return pool.flow().start(UserSrpAuth("alice", PASSWORD))


def unconfirmed(pool: Pool) -> object:
    pool.user("alice").status = "UNCONFIRMED"
    return pool.flow().start(UserSrpAuth("alice", PASSWORD))


def reset_required(pool: Pool) -> object:
    pool.user("alice").status = "RESET_REQUIRED"
    return pool.flow().start(UserSrpAuth("alice", PASSWORD))


def missing_secret(pool: Pool) -> object:
    app = pool.app_client(secret=True)
    return pool.flow(AppClient(app.pool_id, app.client_id)).start(UserSrpAuth("alice", PASSWORD))


def wrong_secret(pool: Pool) -> object:
    app = pool.app_client(secret=True)
    return pool.flow(AppClient(app.pool_id, app.client_id, "wrong")).start(UserSrpAuth("alice", PASSWORD))


def unknown_client(pool: Pool) -> object:
    return pool.flow(AppClient(pool.id, "1example23456789")).start(UserSrpAuth("alice", PASSWORD))


def flow_not_enabled(pool: Pool) -> object:
    return pool.flow(pool.app_client(flows=["ALLOW_CUSTOM_AUTH"])).start(UserSrpAuth("alice", PASSWORD))


def challenge_of(pool: Pool, flow: AuthFlow) -> SoftwareTokenMfa:
    step = flow.start(UserSrpAuth("alice", PASSWORD))
    assert isinstance(step, SoftwareTokenMfa)
    return step


def late_answer(pool: Pool) -> object:
    challenge = challenge_of(pool, flow := pool.flow())
    pool.cognito.clock.advance(200)
    return flow.send(challenge.answer(pool.totp("alice")))


def wrong_code(pool: Pool) -> object:
    challenge = challenge_of(pool, flow := pool.flow())
    return flow.send(challenge.answer(f"{(int(pool.totp('alice')) + 1) % 1_000_000:06}"))


def used_code(pool: Pool) -> object:
    code, flow = pool.totp("alice"), pool.flow()
    for _ in range(2):
        flow.send(challenge_of(pool, flow).answer(code))
    return None


def invalid_refresh_token(pool: Pool) -> object:
    return pool.flow().refresh("made-up")


def throttled(pool: Pool) -> object:
    pool.cognito.faults.throttle("InitiateAuth", times=9)
    return pool.flow().start(UserSrpAuth("alice", PASSWORD))


@pytest.mark.parametrize(
    ("members", "cause", "text"),
    [
        ({}, wrong_password, "Incorrect username or password."),
        ({}, unknown_user, "User does not exist."),
        ({}, locked, "Password attempts exceeded"),
        ({}, disabled, "User is disabled."),
        ({}, unconfirmed, "User is not confirmed."),
        ({}, reset_required, "Password reset required for the user"),
        ({}, missing_secret, "is configured with secret but SECRET_HASH was not received"),
        ({}, wrong_secret, "Unable to verify secret hash for client"),
        ({}, unknown_client, "User pool client 1example23456789 does not exist."),
        ({}, flow_not_enabled, "USER_SRP_AUTH is not enabled for the client."),
        ({**ON, **TOTP}, late_answer, "Invalid session for the user"),
        ({**ON, **TOTP}, wrong_code, "Invalid code received for user"),
        ({**ON, **TOTP}, used_code, "Your software token has already been used once."),
        ({}, invalid_refresh_token, "Invalid Refresh Token"),
        ({}, throttled, "Rate exceeded"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_local_cognito_sends_the_text_of_the_page(
    cognito: LocalCognito, members: dict[str, Any], cause: Callable[[Pool], object], text: str
) -> None:
    pool = cognito.create_pool(**members)
    pool.add_user("alice", PASSWORD, totp=bool(members))

    with pytest.raises(CognitoFlowError) as caught:
        cause(pool)

    sent = caught.value.__cause__
    assert isinstance(sent, ClientError)
    assert text in sent.response.get("Error", {}).get("Message", "")
    entry = next(entry for entry in ENTRIES if text in entry)
    assert type(caught.value).__name__ == ENTRIES[entry]


def test_the_first_entry_is_what_a_program_raises_that_reads_tokens_too_early(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(**ON, **TOTP)
    pool.add_user("alice", PASSWORD, totp=True)
    client = cognito.client()

    with pytest.raises(KeyError, match="AuthenticationResult"):
        client.initiate_auth(  # type: ignore[attr-defined]
            AuthFlow="USER_PASSWORD_AUTH",
            ClientId=pool.app.client_id,
            AuthParameters={"USERNAME": "alice", "PASSWORD": PASSWORD},
        )["AuthenticationResult"]
