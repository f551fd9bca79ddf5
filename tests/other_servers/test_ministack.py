"""The client against ministack, another emulator, which verifies SRP.

No test relies on a Session being refused, because ministack does not check Sessions.
"""

from __future__ import annotations

import asyncio
import base64
import inspect
import time
import uuid
from collections.abc import Coroutine
from typing import Any, cast

import attrs
import boto3
import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from hypothesis import given, settings
from hypothesis import strategies as st

from cognito_flow import (
    Answer,
    AppClient,
    AsyncAuthFlow,
    AsyncTokenVerifier,
    AuthFlow,
    IncorrectPassword,
    NewPasswordRequired,
    NotAuthorized,
    RefreshTokenAuth,
    SecretHashMismatch,
    SignedIn,
    SoftwareTokenMfa,
    Step,
    TokenInvalid,
    Tokens,
    TokenVerifier,
    UserPasswordAuth,
    UserSrpAuth,
    WrongCode,
)
from tests.support.aiobotocore_client import aiobotocore_client

pytestmark = pytest.mark.other_programs

PASSWORD = "Correct horse: battery, st\u00e4ple 7"


@attrs.frozen
class Pool:
    """A user pool of ministack, one app client of it, and the client that manages both."""

    app: AppClient
    management: Any

    def add_user(self, password: str, *, name: str = "") -> str:
        """A user with a permanent password. Two users never have the same name."""
        username = f"{name}{uuid.uuid4()}"
        self.management.admin_create_user(
            UserPoolId=self.app.pool_id, Username=username, MessageAction="SUPPRESS"
        )
        self.management.admin_set_user_password(
            UserPoolId=self.app.pool_id, Username=username, Password=password, Permanent=True
        )
        return username

    def name_of(self, signed_in: SignedIn) -> str:
        """Who the service says the access token belongs to."""
        name: str = self.management.get_user(AccessToken=signed_in.tokens.access_token)["Username"]
        return name


@pytest.fixture(scope="module", params=[False, True], ids=["without secret", "with secret"])
def pool(request: pytest.FixtureRequest, ministack: str) -> Pool:
    management = cast(Any, boto3).client(
        "cognito-idp",
        region_name="eu-west-1",
        endpoint_url=ministack,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    made = management.create_user_pool(
        PoolName="other-servers", UsernameConfiguration={"CaseSensitive": True}
    )
    pool_id = made["UserPool"]["Id"]
    management.set_user_pool_mfa_config(
        UserPoolId=pool_id, SoftwareTokenMfaConfiguration={"Enabled": True}, MfaConfiguration="OPTIONAL"
    )
    client = management.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName="other-servers",
        GenerateSecret=request.param,
        ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]
    app = AppClient(pool_id, client["ClientId"], client.get("ClientSecret"), endpoint_url=ministack)
    assert request.param is (app.client_secret is not None)
    return Pool(app, management)


@attrs.frozen
class Flow:
    """A flow of either kind, each of whose calls is waited for."""

    flow: AuthFlow | AsyncAuthFlow

    def start(self, credentials: UserSrpAuth | UserPasswordAuth) -> Step:
        return finish(self.flow.start(credentials))

    def send(self, answer: Answer) -> Step:
        return finish(self.flow.send(answer))


def finish(step: Step | Coroutine[Any, Any, Step]) -> Step:
    return asyncio.run(step) if inspect.iscoroutine(step) else cast("Step", step)


@pytest.fixture(params=[AuthFlow, AsyncAuthFlow], ids=["sync", "async"])
def flow(request: pytest.FixtureRequest, pool: Pool) -> Flow:
    return Flow(request.param(pool.app))


@pytest.fixture(params=[AuthFlow, AsyncAuthFlow], ids=["sync", "async"])
def flow_on_own_client(request: pytest.FixtureRequest, pool: Pool) -> Flow:
    """A flow whose calls go through a client of the caller, which signs them."""
    return Flow(request.param(pool.app, pool.management))


def test_right_password_signs_in(pool: Pool, flow: Flow) -> None:
    username = pool.add_user(PASSWORD)

    signed_in = flow.start(UserSrpAuth(username, PASSWORD))

    assert isinstance(signed_in, SignedIn)
    assert (username, username) == (signed_in.username, pool.name_of(signed_in))


def test_given_boto3_client_signs_in(pool: Pool, flow_on_own_client: Flow) -> None:
    username = pool.add_user(PASSWORD)

    signed_in = flow_on_own_client.start(UserSrpAuth(username, PASSWORD))

    assert isinstance(signed_in, SignedIn)
    assert username == pool.name_of(signed_in)


def test_given_aiobotocore_client_signs_in(pool: Pool) -> None:
    username = pool.add_user(PASSWORD)

    async def sign_in() -> SignedIn:
        async with aiobotocore_client(pool.app.endpoint_url) as client:
            return await AsyncAuthFlow(pool.app, client).sign_in(UserSrpAuth(username, PASSWORD))

    assert username == pool.name_of(asyncio.run(sign_in()))


@pytest.mark.parametrize("wrong", [PASSWORD + " ", PASSWORD.upper(), PASSWORD.replace("\u00e4", "a\u0308")])
def test_wrong_password_is_refused(pool: Pool, flow: Flow, wrong: str) -> None:
    username = pool.add_user(PASSWORD)

    with pytest.raises(IncorrectPassword):
        flow.start(UserSrpAuth(username, wrong))


def test_user_password_auth_signs_in(pool: Pool, flow: Flow) -> None:
    username = pool.add_user(PASSWORD)

    signed_in = flow.start(UserPasswordAuth(username, PASSWORD))

    assert isinstance(signed_in, SignedIn)
    assert username == signed_in.username


@pytest.mark.parametrize("pool", [True], ids=["with secret"], indirect=True)
def test_wrong_client_secret_is_refused(pool: Pool) -> None:
    username = pool.add_user(PASSWORD)
    flow = AuthFlow(attrs.evolve(pool.app, client_secret="another"))

    with pytest.raises(SecretHashMismatch):
        flow.start(UserSrpAuth(username, PASSWORD))


def test_temporary_password_is_replaced(pool: Pool, flow: Flow) -> None:
    username, temporary = str(uuid.uuid4()), "Temporary: 7 x"
    pool.management.admin_create_user(
        UserPoolId=pool.app.pool_id, Username=username, TemporaryPassword=temporary, MessageAction="SUPPRESS"
    )

    challenge = flow.start(UserSrpAuth(username, temporary))
    assert isinstance(challenge, NewPasswordRequired)
    assert isinstance(flow.send(challenge.answer(PASSWORD)), SignedIn)

    assert isinstance(flow.start(UserSrpAuth(username, PASSWORD)), SignedIn)
    with pytest.raises(NotAuthorized):
        flow.start(UserSrpAuth(username, temporary))


def totp(secret_code: str) -> str:
    """The code that an authenticator app shows now. RFC 6238."""
    padding = "=" * (-len(secret_code) % 8)
    key = base64.b32decode(secret_code + padding)
    app = TOTP(key, 6, SHA1(), 30, enforce_key_length=False)  # noqa: S303 - RFC 6238
    return app.generate(int(time.time())).decode()


@pytest.fixture
def totp_user(pool: Pool) -> tuple[str, str]:
    """A user who has to give a code, and the secret of her authenticator app."""
    username = pool.add_user(PASSWORD)
    access_token = AuthFlow(pool.app).sign_in(UserSrpAuth(username, PASSWORD)).tokens.access_token
    secret_code = pool.management.associate_software_token(AccessToken=access_token)["SecretCode"]
    pool.management.verify_software_token(AccessToken=access_token, UserCode=totp(secret_code))
    pool.management.set_user_mfa_preference(
        AccessToken=access_token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
    )
    return username, secret_code


def test_totp_code_signs_in(pool: Pool, flow: Flow, totp_user: tuple[str, str]) -> None:
    username, secret_code = totp_user

    challenge = flow.start(UserSrpAuth(username, PASSWORD))
    assert isinstance(challenge, SoftwareTokenMfa)
    signed_in = flow.send(challenge.answer(totp(secret_code)))

    assert isinstance(signed_in, SignedIn)
    assert username == pool.name_of(signed_in)


def test_wrong_totp_code_is_refused(pool: Pool, flow: Flow, totp_user: tuple[str, str]) -> None:
    username, secret_code = totp_user
    challenge = flow.start(UserSrpAuth(username, PASSWORD))
    assert isinstance(challenge, SoftwareTokenMfa)
    code = totp(secret_code)

    with pytest.raises(WrongCode):
        flow.send(challenge.answer(code[:-1] + str((int(code[-1]) + 5) % 10)))


@pytest.fixture(params=[TokenVerifier, AsyncTokenVerifier], ids=["sync", "async"])
def verifier(request: pytest.FixtureRequest, pool: Pool) -> TokenVerifier | AsyncTokenVerifier:
    """A verifier that fetches the keys from ministack."""
    made: TokenVerifier | AsyncTokenVerifier = request.param(pool.app, timeout=60)
    return made


def check_tokens(verifier: TokenVerifier | AsyncTokenVerifier, tokens: Tokens, username: str) -> None:
    """Both tokens are good, and of this user."""
    for claims in (verifier.verify_access(tokens.access_token), verifier.verify_id(str(tokens.id_token))):
        verified: Any = asyncio.run(claims) if inspect.iscoroutine(claims) else claims
        assert username == verified.username


def test_tokens_are_valid(
    pool: Pool, totp_user: tuple[str, str], verifier: TokenVerifier | AsyncTokenVerifier
) -> None:
    """They come from a sign-in with SRP, with a password, with a second factor, and from both kinds of refresh."""
    flow, username = AuthFlow(pool.app), pool.add_user(PASSWORD)
    by_password = flow.sign_in(UserPasswordAuth(username, PASSWORD)).tokens

    check_tokens(verifier, flow.sign_in(UserSrpAuth(username, PASSWORD)).tokens, username)
    check_tokens(verifier, by_password, username)
    check_tokens(verifier, flow.refresh(by_password), username)
    check_tokens(verifier, flow.sign_in(RefreshTokenAuth(by_password)).tokens, username)

    with_code, secret_code = totp_user
    challenge = flow.start(UserSrpAuth(with_code, PASSWORD))
    assert isinstance(challenge, SoftwareTokenMfa)
    signed_in = flow.send(challenge.answer(totp(secret_code)))
    assert isinstance(signed_in, SignedIn)
    check_tokens(verifier, signed_in.tokens, with_code)


def test_tokens_of_another_app_client_or_of_the_other_kind_are_refused(pool: Pool) -> None:
    tokens = AuthFlow(pool.app).sign_in(UserSrpAuth(pool.add_user(PASSWORD), PASSWORD)).tokens

    with pytest.raises(TokenInvalid, match="another app client"):
        TokenVerifier(attrs.evolve(pool.app, client_id="another")).verify_access(tokens.access_token)
    with pytest.raises(TokenInvalid):
        TokenVerifier(pool.app).verify_id(tokens.access_token)


# What Cognito takes: names have no white space, and passwords none at their ends.
NAMES = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=20)
INNER = st.text(st.characters(categories=["L", "N", "P", "S"], include_characters=" :"), max_size=40)
PASSWORDS = INNER.map(lambda inner: f"Aa1: {inner} !z")


@pytest.mark.slow
@settings(max_examples=50, deadline=None)  # for each kind of app client
@given(name=NAMES, password=PASSWORDS)
def test_random_right_password_is_never_refused(pool: Pool, name: str, password: str) -> None:
    username = pool.add_user(password, name=name)

    assert username == AuthFlow(pool.app).sign_in(UserSrpAuth(username, password)).username
