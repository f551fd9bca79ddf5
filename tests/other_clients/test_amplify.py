"""npm aws-amplify 6.22.1 signs in and is refused; npm aws-jwt-verify 5.2.1 reads its tokens.

What it asks is named as its sign-in steps are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from cognito_flow import AppClient
from cognito_flow.testing import LocalCognito, Pool, totp_code
from tests.other_clients import pools
from tests.other_clients.conftest import JavaScript, Program, Run
from tests.other_clients.pools import NEW_PASSWORD, PASSWORD

pytestmark = pytest.mark.other_programs

Amplify: TypeAlias = Callable[..., Program]

PASSWORD_FLOWS = [
    {"flow": "USER_SRP_AUTH"},
    {"flow": "USER_PASSWORD_AUTH"},
    {"flow": "USER_AUTH", "preferred": "PASSWORD_SRP"},
    {"flow": "USER_AUTH", "preferred": "PASSWORD"},
]


@pytest.fixture
def amplify(run: Run, javascript: JavaScript) -> Amplify:
    """Starts the client for a pool."""

    def amplify(pool: Pool, app: AppClient | None = None) -> Program:
        return run(javascript.program("amplify"), app or pool.app)

    return amplify


def sign_in(client: Program, flow: str = "USER_SRP_AUTH", password: str = PASSWORD, **more: str) -> Any:
    return client.call("signIn", username="alice", password=password, flow=flow, **more)


@pytest.mark.parametrize("options", PASSWORD_FLOWS, ids=lambda options: "-".join(options.values()))
def test_right_password_signs_in(cognito: LocalCognito, amplify: Amplify, options: dict[str, str]) -> None:
    pool = pools.plain_pool(cognito)
    assert pools.is_alice(pool, sign_in(amplify(pool), **options))


@pytest.mark.parametrize("options", PASSWORD_FLOWS, ids=lambda options: "-".join(options.values()))
def test_wrong_password_is_refused(cognito: LocalCognito, amplify: Amplify, options: dict[str, str]) -> None:
    pool = pools.plain_pool(cognito)
    wrong = {"username": "alice", "password": PASSWORD + "!", **options}
    assert pools.INCORRECT == amplify(pool).refusal("signIn", **wrong)
    assert not pool.user("alice").grants


def test_first_factor_without_a_preference_is_chosen(cognito: LocalCognito, amplify: Amplify) -> None:
    """A code by e-mail signs in after a wrong one was refused."""
    pool = pools.choice_pool(cognito)
    client = amplify(pool)
    asked = client.call("signIn", username="alice", flow="USER_AUTH")
    assert "CONTINUE_SIGN_IN_WITH_FIRST_FACTOR_SELECTION" == asked["signInStep"]
    assert {"PASSWORD_SRP", "PASSWORD", "EMAIL_OTP", "SMS_OTP"} == set(asked["availableChallenges"])
    assert "CONFIRM_SIGN_IN_WITH_EMAIL_CODE" == client.call("answer", answer="EMAIL_OTP")["signInStep"]
    code = pool.last_code("alice")
    assert pools.WRONG_CODE == client.refusal("answer", answer=pools.wrong(code))
    assert pools.is_alice(pool, client.call("answer", answer=code))


@pytest.mark.parametrize("factor", ["EMAIL_OTP", "SMS_OTP"])
def test_preferred_code_signs_in_after_a_wrong_one(
    cognito: LocalCognito, amplify: Amplify, factor: str
) -> None:
    pool = pools.choice_pool(cognito)
    client = amplify(pool)
    client.call("signIn", username="alice", flow="USER_AUTH", preferred=factor)
    code = pool.last_code("alice")
    assert pools.WRONG_CODE == client.refusal("answer", answer=pools.wrong(code))
    assert pools.is_alice(pool, client.call("answer", answer=code))


@pytest.mark.parametrize("factor", ["PASSWORD", "PASSWORD_SRP"])
def test_chosen_password_signs_in(cognito: LocalCognito, amplify: Amplify, factor: str) -> None:
    pool = pools.choice_pool(cognito)
    client = amplify(pool)
    client.call("signIn", username="alice", flow="USER_AUTH")
    assert "CONFIRM_SIGN_IN_WITH_PASSWORD" == client.call("answer", answer=factor)["signInStep"]
    assert pools.is_alice(pool, client.call("answer", answer=PASSWORD))


@pytest.mark.parametrize("factor", ["PASSWORD", "PASSWORD_SRP"])
def test_chosen_wrong_password_is_refused(cognito: LocalCognito, amplify: Amplify, factor: str) -> None:
    pool = pools.choice_pool(cognito)
    client = amplify(pool)
    client.call("signIn", username="alice", flow="USER_AUTH")
    client.call("answer", answer=factor)
    assert pools.INCORRECT == client.refusal("answer", answer=PASSWORD + "!")
    assert not pool.user("alice").grants


def test_temporary_password_is_replaced(cognito: LocalCognito, amplify: Amplify) -> None:
    """A new password against the policy is refused first."""
    pool = pools.plain_pool(cognito, temporary=True)
    client = amplify(pool)
    assert "CONFIRM_SIGN_IN_WITH_NEW_PASSWORD_REQUIRED" == sign_in(client)["signInStep"]
    assert "InvalidPasswordException" == client.refusal("answer", answer="short")[0]
    assert pools.is_alice(pool, client.call("answer", answer=NEW_PASSWORD))
    client.call("signOut")
    assert pools.is_alice(pool, sign_in(client, password=NEW_PASSWORD))


def test_totp_code_signs_in_after_a_wrong_one(cognito: LocalCognito, amplify: Amplify) -> None:
    """The same code is refused the second time."""
    pool = pools.totp_pool(cognito)
    client = amplify(pool)
    assert "CONFIRM_SIGN_IN_WITH_TOTP_CODE" == sign_in(client)["signInStep"]
    code = pool.totp("alice")
    assert pools.WRONG_TOTP == client.refusal("answer", answer=pools.wrong(code))
    assert pools.is_alice(pool, client.call("answer", answer=code))
    client.call("signOut")
    sign_in(client)
    assert pools.USED_TOTP == client.refusal("answer", answer=code)


def test_email_code_signs_in_after_a_wrong_one(cognito: LocalCognito, amplify: Amplify) -> None:
    pool = pools.mfa_pool(cognito, user={"email": "alice@example.com"}, **pools.EMAIL)
    client = amplify(pool)
    asked = sign_in(client)
    assert ("CONFIRM_SIGN_IN_WITH_EMAIL_CODE", "a***@e***") == (
        asked["signInStep"],
        asked["codeDeliveryDetails"]["destination"],
    )
    code = pool.last_code("alice")
    assert pools.WRONG_CODE == client.refusal("answer", answer=pools.wrong(code))
    assert pools.is_alice(pool, client.call("answer", answer=code))


def test_second_factor_is_chosen(cognito: LocalCognito, amplify: Amplify) -> None:
    pool = pools.two_factor_pool(cognito)
    client = amplify(pool)
    assert "CONTINUE_SIGN_IN_WITH_MFA_SELECTION" == sign_in(client)["signInStep"]
    assert "CONFIRM_SIGN_IN_WITH_SMS_CODE" == client.call("answer", answer="SMS")["signInStep"]
    assert pools.is_alice(pool, client.call("answer", answer=pool.last_code("alice")))


def test_authenticator_app_is_enrolled(cognito: LocalCognito, amplify: Amplify) -> None:
    """The first code must be right."""
    pool = pools.mfa_pool(cognito, user={}, **pools.TOTP)
    client = amplify(pool)
    asked = sign_in(client)
    assert "CONTINUE_SIGN_IN_WITH_TOTP_SETUP" == asked["signInStep"]
    code = totp_code(asked["totpSetupDetails"]["sharedSecret"], cognito.clock())
    assert "EnableSoftwareTokenMFAException" == client.refusal("answer", answer=pools.wrong(code))[0]
    assert pools.is_alice(pool, client.call("answer", answer=code))


def test_email_address_is_set_up_as_second_factor(cognito: LocalCognito, amplify: Amplify) -> None:
    pool = pools.mfa_pool(cognito, user={}, **pools.TOTP, **pools.EMAIL)
    client = amplify(pool)
    assert "CONTINUE_SIGN_IN_WITH_MFA_SETUP_SELECTION" == sign_in(client)["signInStep"]
    assert "CONTINUE_SIGN_IN_WITH_EMAIL_SETUP" == client.call("answer", answer="EMAIL")["signInStep"]
    asked = client.call("answer", answer="alice@example.com")
    assert "CONFIRM_SIGN_IN_WITH_EMAIL_CODE" == asked["signInStep"]
    assert pools.is_alice(pool, client.call("answer", answer=pool.last_code("alice")))
    assert "alice@example.com" == client.call("attributes")["email"]


def test_custom_challenge_is_asked_again_after_a_wrong_answer(
    cognito: LocalCognito, amplify: Amplify
) -> None:
    pool = pools.custom_pool(cognito)
    client = amplify(pool)
    asked = client.call("signIn", username="alice", flow="CUSTOM_WITHOUT_SRP")
    assert "CONFIRM_SIGN_IN_WITH_CUSTOM_CHALLENGE" == asked["signInStep"]
    assert "2+2" == asked["additionalInfo"]["question"]
    assert "CONFIRM_SIGN_IN_WITH_CUSTOM_CHALLENGE" == client.call("answer", answer="5")["signInStep"]
    assert pools.is_alice(pool, client.call("answer", answer="4"))


def test_custom_sign_in_with_srp_asks_for_the_password_first(cognito: LocalCognito, amplify: Amplify) -> None:
    pool = pools.custom_pool(cognito)
    client = amplify(pool)
    wrong = {"username": "alice", "password": PASSWORD + "!", "flow": "CUSTOM_WITH_SRP"}
    assert pools.INCORRECT == client.refusal("signIn", **wrong)
    assert "CONFIRM_SIGN_IN_WITH_CUSTOM_CHALLENGE" == sign_in(client, "CUSTOM_WITH_SRP")["signInStep"]
    assert pools.is_alice(pool, client.call("answer", answer="4"))


DEVICE_FLOWS = ["USER_SRP_AUTH", "USER_PASSWORD_AUTH"]


def sign_in_with_code(pool: Pool, client: Program) -> Any:
    """A first sign-in, after which the person signs out and the device stays known."""
    assert "CONFIRM_SIGN_IN_WITH_SMS_CODE" == sign_in(client)["signInStep"]
    done = client.call("answer", answer=pool.last_code("alice"))
    client.call("signOut")
    return done


@pytest.mark.parametrize("flow", DEVICE_FLOWS)
def test_confirmed_device_replaces_the_code(cognito: LocalCognito, amplify: Amplify, flow: str) -> None:
    pool = pools.device_pool(cognito)
    client = amplify(pool)
    sign_in_with_code(pool, client)
    (key,) = pools.devices(pool)
    done = sign_in(client, flow)
    assert pools.is_alice(pool, done)
    assert key == done["claims"]["access"]["device_key"]
    assert [key] == client.call("devices")
    assert 1 == len(cognito.outbox)


def test_sign_in_by_email_address_signs_in_the_user_with_that_address(
    cognito: LocalCognito, amplify: Amplify
) -> None:
    pool = pools.device_pool(cognito, alias_attributes=["email"])
    client = amplify(pool)
    client.call("signIn", username="alice@example.com", password=PASSWORD, flow="USER_SRP_AUTH")
    assert pools.is_alice(pool, client.call("answer", answer=pool.last_code("alice")))
    assert pools.is_alice(pool, client.call("refresh"))


@pytest.mark.parametrize("flow", DEVICE_FLOWS)
def test_forgotten_device_is_dropped_and_a_new_one_confirmed(
    cognito: LocalCognito, amplify: Amplify, flow: str
) -> None:
    pool = pools.device_pool(cognito)
    client = amplify(pool)
    sign_in_with_code(pool, client)
    (forgotten,) = pools.devices(pool)
    pools.forget_devices(pool)
    assert "CONFIRM_SIGN_IN_WITH_SMS_CODE" == sign_in(client, flow)["signInStep"]
    assert "ResourceNotFoundException" in [call.error for call in cognito.calls]
    client.call("answer", answer=pool.last_code("alice"))
    (key,) = pools.devices(pool)
    assert forgotten != key


def test_device_with_another_secret_is_refused(cognito: LocalCognito, amplify: Amplify) -> None:
    pool = pools.device_pool(cognito)
    client = amplify(pool)
    sign_in_with_code(pool, client)
    client.call("spoilDevice")
    right = {"username": "alice", "password": PASSWORD, "flow": "USER_SRP_AUTH"}
    assert pools.INCORRECT == client.refusal("signIn", **right)


def test_device_replaces_the_code_only_after_the_user_agreed(cognito: LocalCognito, amplify: Amplify) -> None:
    pool = pools.device_pool(cognito, asks=True)
    client = amplify(pool)
    sign_in_with_code(pool, client)
    assert "CONFIRM_SIGN_IN_WITH_SMS_CODE" == sign_in(client)["signInStep"]
    client.call("answer", answer=pool.last_code("alice"))
    client.call("rememberDevice")
    client.call("signOut")
    assert pools.is_alice(pool, sign_in(client))


def test_user_can_forget_the_device(cognito: LocalCognito, amplify: Amplify) -> None:
    """It is forgotten at the pool and at the client."""
    pool = pools.device_pool(cognito)
    client = amplify(pool)
    sign_in(client)
    client.call("answer", answer=pool.last_code("alice"))
    client.call("forgetDevice")
    assert not pools.devices(pool)
    client.call("signOut")
    assert "CONFIRM_SIGN_IN_WITH_SMS_CODE" == sign_in(client)["signInStep"]


@pytest.mark.parametrize("rotates", [False, True], ids=["same token", "rotation"])
def test_refresh_gives_new_tokens_of_the_same_sign_in(
    cognito: LocalCognito, amplify: Amplify, rotates: bool
) -> None:
    pool = pools.plain_pool(cognito)
    client = amplify(pool, pools.rotating_app(pool) if rotates else pool.app)
    claims = [sign_in(client)["claims"]["access"]]
    for _ in range(2):
        cognito.clock.advance(60)
        claims.append(client.call("refresh")["claims"]["access"])
    assert 1 == len({each["origin_jti"] for each in claims})
    assert 3 == len({each["iat"] for each in claims})


def test_refresh_sends_the_device_key(cognito: LocalCognito, amplify: Amplify) -> None:
    pool = pools.device_pool(cognito)
    client = amplify(pool)
    sign_in(client)
    client.call("answer", answer=pool.last_code("alice"))
    assert pools.is_alice(pool, client.call("refresh"))


def test_refresh_token_of_a_forgotten_device_is_refused(cognito: LocalCognito, amplify: Amplify) -> None:
    pool = pools.device_pool(cognito)
    client = amplify(pool)
    sign_in(client)
    client.call("answer", answer=pool.last_code("alice"))
    pools.forget_devices(pool)
    assert client.call("refresh")["claims"] is None
    assert ("GetTokensFromRefreshToken", "NotAuthorizedException") in [
        (call.operation, call.error) for call in cognito.calls
    ]


def test_sign_out_revokes_the_tokens(cognito: LocalCognito, amplify: Amplify) -> None:
    pool = pools.plain_pool(cognito)
    client = amplify(pool)
    sign_in(client)
    (grant,) = pool.user("alice").grants
    assert not grant.is_revoked

    client.call("signOut")

    assert all(grant.is_revoked for grant in pool.user("alice").grants)
