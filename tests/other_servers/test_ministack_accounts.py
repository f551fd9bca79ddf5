"""Accounts against ministack, an emulator by others: that it reads what is sent, and that its refusals are typed.

Rule of this file: no test rests on a sign-up's code, which ministack does not check.
"""

from __future__ import annotations

import asyncio
import base64
import inspect
import time
import uuid
from typing import Any, cast

import attrs
import boto3
import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from cognito_flow import (
    AppClient,
    AsyncAuthFlow,
    AuthFlow,
    IncorrectPassword,
    MfaType,
    NotAuthorized,
    PasswordRejected,
    SecretHashMismatch,
    SignedIn,
    SoftwareTokenMfa,
    TokenRevoked,
    UserExists,
    UserNotFound,
    UserPasswordAuth,
    WrongCode,
)

pytestmark = pytest.mark.other_programs

PASSWORD, OTHER_PASSWORD = "Correct horse: battery, st\u00e4ple 7", "Battery-staple-2"


@pytest.fixture(scope="module", params=[False, True], ids=["without secret", "with secret"])
def app(request: pytest.FixtureRequest, ministack: str) -> AppClient:
    """An app client of a pool that people may sign up to."""
    management = cast(Any, boto3).client(
        "cognito-idp",
        region_name="eu-west-1",
        endpoint_url=ministack,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    pool_id = management.create_user_pool(PoolName="accounts", AutoVerifiedAttributes=["email"])["UserPool"][
        "Id"
    ]
    management.set_user_pool_mfa_config(
        UserPoolId=pool_id, SoftwareTokenMfaConfiguration={"Enabled": True}, MfaConfiguration="OPTIONAL"
    )
    client = management.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName="accounts",
        GenerateSecret=request.param,
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]
    return AppClient(pool_id, client["ClientId"], client.get("ClientSecret"), endpoint_url=ministack)


class Waited:
    """A flow or an account of either kind, each of whose calls is waited for."""

    def __init__(self, inner: object) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        return value if not callable(value) else lambda *given, **named: finish(value(*given, **named))


def finish(result: Any) -> Any:
    """The result; what has methods of its own is waited for, too."""
    result = asyncio.run(result) if inspect.iscoroutine(result) else result
    return Waited(result) if hasattr(result, "sign_out_everywhere") or hasattr(result, "confirm") else result


@pytest.fixture(params=[AuthFlow, AsyncAuthFlow], ids=["sync", "async"])
def flow(request: pytest.FixtureRequest, app: AppClient) -> Any:
    """A flow of either kind."""
    return Waited(request.param(app))


@pytest.fixture
def username(flow: Any) -> str:
    """Somebody who has signed up."""
    name = f"alice{uuid.uuid4()}"
    flow.sign_up(name, PASSWORD, attributes={"email": f"{name}@example.com", "name": "Alice"})
    flow.confirm_sign_up(name, "123456")
    return name


def sign_in(flow: Any, username: str, password: str = PASSWORD) -> Any:
    """The account of a user who signs in with a password only."""
    done = flow.start(UserPasswordAuth(username, password))
    assert isinstance(done, SignedIn)
    return flow.account(done.tokens)


def test_sign_up_stores_the_name_the_attributes_and_the_password(flow: Any, username: str) -> None:
    profile = sign_in(flow, username).user()

    assert profile.username == username
    assert (profile.attributes["email"], profile.attributes["name"]) == (f"{username}@example.com", "Alice")


def test_taken_name_and_weak_password_raise_typed_errors(flow: Any, username: str) -> None:
    """The messages are those of the other server."""
    with pytest.raises(UserExists):
        flow.sign_up(username, PASSWORD)
    with pytest.raises(PasswordRejected):
        flow.sign_up(f"{username}2", "weak")


def test_wrong_client_secret_is_refused(app: AppClient) -> None:
    if app.client_secret is None:
        pytest.skip("this client has no secret")
    flow = AuthFlow(attrs.evolve(app, client_secret="wrong"))

    with pytest.raises(SecretHashMismatch):
        flow.sign_up(f"alice{uuid.uuid4()}", PASSWORD)
    with pytest.raises(SecretHashMismatch):
        flow.forgot_password("alice")


def test_wrong_code_does_not_set_a_password(flow: Any, username: str) -> None:
    assert flow.forgot_password(username).medium == "EMAIL"

    with pytest.raises(WrongCode):
        flow.confirm_forgot_password(username, "incorrect", OTHER_PASSWORD)
    with pytest.raises(UserNotFound):
        flow.forgot_password("unknown")


def test_password_change_requires_the_previous_password(flow: Any, username: str) -> None:
    account = sign_in(flow, username)
    with pytest.raises(IncorrectPassword):
        account.change_password("wrong", OTHER_PASSWORD)

    account.change_password(PASSWORD, OTHER_PASSWORD)

    assert sign_in(flow, username, OTHER_PASSWORD).user().username == username


def test_attributes_are_changed(flow: Any, username: str) -> None:
    account = sign_in(flow, username)

    account.update_attributes({"name": "Alicia"})

    assert account.user().attributes["name"] == "Alicia"


def test_enrolled_authenticator_app_is_asked_for(flow: Any, username: str) -> None:
    account = sign_in(flow, username)
    secret_code = account.enrol_totp().secret_code
    with pytest.raises(WrongCode):
        account.confirm_totp("12345")
    key = base64.b32decode(secret_code + "=" * (-len(secret_code) % 8))
    code = TOTP(key, 6, SHA1(), 30, enforce_key_length=False).generate(int(time.time()))  # noqa: S303 - RFC 6238

    account.confirm_totp(code.decode())

    assert account.user().preferred_mfa is MfaType.SOFTWARE_TOKEN_MFA
    assert isinstance(flow.start(UserPasswordAuth(username, PASSWORD)), SoftwareTokenMfa)
    account.set_mfa(disabled=MfaType.SOFTWARE_TOKEN_MFA)
    assert isinstance(flow.start(UserPasswordAuth(username, PASSWORD)), SignedIn)


def test_sign_out_everywhere_revokes_the_access_token(flow: Any, username: str) -> None:
    account = sign_in(flow, username)

    account.sign_out_everywhere()

    with pytest.raises(TokenRevoked):
        account.user()


def test_deleted_user_cannot_sign_in(flow: Any, username: str) -> None:
    sign_in(flow, username).delete_user()

    with pytest.raises(NotAuthorized):
        flow.start(UserPasswordAuth(username, PASSWORD))
