"""LocalCognito under load: many clients at once over HTTP, and constant memory."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import jwt
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.session import Session

from cognito_flow import (
    AuthFlow,
    MemoryStore,
    NotAuthorized,
    SignedIn,
    SmsMfa,
    UserPasswordAuth,
    UserSrpAuth,
)
from cognito_flow.testing import LocalCognito, Message, Pool

CLIENTS = 50
ROUNDS = 20
SMS: Any = {"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"}}


def password(number: int) -> str:
    """The password of a user."""
    return f"correct horse {number}"


@pytest.mark.slow
def test_thousand_concurrent_sign_ins_of_fifty_users_give_each_user_their_own_tokens() -> None:
    cognito = LocalCognito()
    pool = cognito.create_pool(mfa_configuration="OPTIONAL", sms_mfa_configuration=SMS)
    for number in range(CLIENTS):
        user = pool.add_user(f"user-{number}", password(number), phone_number=f"+31{number:09}")
        user.mfa_enabled = ["SMS_MFA"] if number % 2 == 0 else []

    def sign_in_again_and_again(number: int) -> list[str]:
        name = f"user-{number}"
        flow = AuthFlow(app, client=make_client(), timeout=300)  # fifty share one interpreter
        subjects = []
        for _ in range(ROUNDS):
            step = flow.start(UserSrpAuth(name, password(number)))
            if number % 2 == 0:
                assert isinstance(step, SmsMfa)
                step = flow.send(step.answer(pool.last_code(name)))
            assert isinstance(step, SignedIn)
            claims = jwt.decode(step.tokens.id_token or "", options={"verify_signature": False})
            assert (step.username, claims["cognito:username"]) == (name, name)
            subjects.append(claims["sub"])
        return subjects

    with cognito.serve() as url:
        app = attrs.evolve(pool.app, endpoint_url=url)

        def make_client() -> object:
            config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}, read_timeout=300)
            return Session().create_client(
                "cognito-idp", region_name="eu-west-1", endpoint_url=url, config=config
            )

        with ThreadPoolExecutor(CLIENTS) as threads:
            found = list(threads.map(sign_in_again_and_again, range(CLIENTS)))

    assert [set(subjects) for subjects in found] == [{pool.user(f"user-{n}").sub} for n in range(CLIENTS)]
    assert sum(map(len, found)) == CLIENTS * ROUNDS


def sign_in_often(pool: Pool, times: int) -> None:
    """Sign in with codes by SMS, each time with a new device, and fail some sign-ins in between."""
    for _ in range(times):
        flow = pool.flow(devices=MemoryStore())
        challenge = flow.start(UserSrpAuth("alice", password(0)))
        assert isinstance(challenge, SmsMfa)
        done = flow.send(challenge.answer(pool.last_code("alice")))
        assert isinstance(done, SignedIn)
        assert done.device is not None
        with pytest.raises(NotAuthorized):
            flow.start(UserPasswordAuth("unknown", password(1)))
        pool.cognito.clock.advance(60)
        account = flow.account(done.tokens)
        account.forget_device()
        flow.revoke(done.tokens)


@pytest.mark.slow
def test_memory_does_not_grow_with_completed_sign_ins() -> None:
    cognito = LocalCognito()
    tracking: Any = {"ChallengeRequiredOnNewDevice": False, "DeviceOnlyRememberedOnUserPrompt": False}
    pool = cognito.create_pool(
        mfa_configuration="ON", sms_mfa_configuration=SMS, device_configuration=tracking
    )
    pool.add_user("alice", password(0), phone_number="+31612345678")
    sign_in_often(pool, 20)
    before = len(pickle.dumps(cognito.state(pool.id)))
    sign_in_often(pool, 200)
    assert len(pickle.dumps(cognito.state(pool.id))) < before + 500  # bytes; a single Session has more


def test_calls_and_outbox_keep_only_the_newest_10_000_items(cognito: LocalCognito) -> None:
    message = Message("alice", "EMAIL", "alice@example.com", "123456")
    for _ in range(10_005):
        cognito.handle({"x-amz-target": "AWSCognitoIdentityProviderService.GetUser"}, b"x")
        cognito.outbox.append(message)
    cognito.handle({"x-amz-target": "AWSCognitoIdentityProviderService.RevokeToken"}, b"x")

    assert (len(cognito.calls), cognito.calls[-1].operation) == (10_000, "RevokeToken")
    assert len(cognito.outbox) == 10_000
