"""npm amazon-cognito-identity-js 6.3.21 signs in and is refused; npm aws-jwt-verify 5.2.1 reads its tokens.

What it asks is named as its callbacks are.
"""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from cognito_flow.testing import LocalCognito, Pool, totp_code
from tests.other_clients import pools
from tests.other_clients.conftest import JavaScript, Program, Run
from tests.other_clients.pools import NEW_PASSWORD, PASSWORD

pytestmark = pytest.mark.other_programs


@attrs.frozen
class IdentityJs:
    """Starts the client for alice."""

    run: Run
    javascript: JavaScript

    def __call__(self, pool: Pool, flow: str = "USER_SRP_AUTH") -> Program:
        client = self.run(self.javascript.program("identity_js"), pool.app)
        client.call("user", username="alice", flow=flow)
        return client


@pytest.fixture
def identity_js(run: Run, javascript: JavaScript) -> IdentityJs:
    return IdentityJs(run, javascript)


def sign_in(client: Program, password: str = PASSWORD) -> Any:
    return client.call("signIn", username="alice", password=password)


@pytest.mark.parametrize("flow", ["USER_SRP_AUTH", "USER_PASSWORD_AUTH"])
def test_right_password_signs_in(cognito: LocalCognito, identity_js: IdentityJs, flow: str) -> None:
    pool = pools.plain_pool(cognito)
    assert pools.is_alice(pool, sign_in(identity_js(pool, flow)))


@pytest.mark.parametrize("flow", ["USER_SRP_AUTH", "USER_PASSWORD_AUTH"])
def test_wrong_password_is_refused(cognito: LocalCognito, identity_js: IdentityJs, flow: str) -> None:
    pool = pools.plain_pool(cognito)
    client = identity_js(pool, flow)
    assert pools.INCORRECT == client.refusal("signIn", username="alice", password=PASSWORD + "!")
    assert not pool.user("alice").grants


def test_temporary_password_is_replaced(cognito: LocalCognito, identity_js: IdentityJs) -> None:
    pool = pools.plain_pool(cognito, temporary=True)
    client = identity_js(pool)
    assert "newPasswordRequired" == sign_in(client)["asked"]
    assert pools.is_alice(pool, client.call("completeNewPassword", password=NEW_PASSWORD))
    assert pools.is_alice(pool, sign_in(client, NEW_PASSWORD))


def test_new_password_against_the_policy_can_be_corrected(
    cognito: LocalCognito, identity_js: IdentityJs
) -> None:
    pool = pools.plain_pool(cognito, temporary=True)
    client = identity_js(pool)
    sign_in(client)
    assert "InvalidPasswordException" == client.refusal("completeNewPassword", password="short")[0]
    assert pools.is_alice(pool, client.call("completeNewPassword", password=NEW_PASSWORD))


def test_totp_code_signs_in_after_a_wrong_one(cognito: LocalCognito, identity_js: IdentityJs) -> None:
    pool = pools.totp_pool(cognito)
    client = identity_js(pool)
    assert "totpRequired" == sign_in(client)["asked"]
    code, factor = pool.totp("alice"), "SOFTWARE_TOKEN_MFA"
    assert pools.WRONG_TOTP == client.refusal("sendMfaCode", code=pools.wrong(code), factor=factor)
    assert pools.is_alice(pool, client.call("sendMfaCode", code=code, factor=factor))


def test_used_totp_code_is_refused(cognito: LocalCognito, identity_js: IdentityJs) -> None:
    pool = pools.totp_pool(cognito)
    client = identity_js(pool)
    code, factor = pool.totp("alice"), "SOFTWARE_TOKEN_MFA"
    sign_in(client)
    client.call("sendMfaCode", code=code, factor=factor)
    sign_in(client)
    assert pools.USED_TOTP == client.refusal("sendMfaCode", code=code, factor=factor)


def test_sms_code_signs_in_after_a_wrong_one(cognito: LocalCognito, identity_js: IdentityJs) -> None:
    pool = pools.sms_pool(cognito)
    client = identity_js(pool)
    asked = sign_in(client)
    assert ("mfaRequired", "+*******1234") == (
        asked["asked"],
        asked["parameters"][1]["CODE_DELIVERY_DESTINATION"],
    )
    code = pool.last_code("alice")
    assert pools.WRONG_CODE == client.refusal("sendMfaCode", code=pools.wrong(code))
    assert pools.is_alice(pool, client.call("sendMfaCode", code=code))


def test_session_works_once_and_a_made_up_one_is_refused(
    cognito: LocalCognito, identity_js: IdentityJs
) -> None:
    pool = pools.sms_pool(cognito)
    client = identity_js(pool)
    sign_in(client)
    session, code = client.call("session"), pool.last_code("alice")
    client.call("useSession", session=pools.MADE_UP_SESSION)
    assert pools.NO_SESSION == client.refusal("sendMfaCode", code=code)
    client.call("useSession", session=session)
    client.call("sendMfaCode", code=code)
    assert pools.USED_SESSION == client.refusal("sendMfaCode", code=code)
    assert 1 == len(pool.user("alice").grants)


def test_second_factor_is_chosen(cognito: LocalCognito, identity_js: IdentityJs) -> None:
    pool = pools.two_factor_pool(cognito)
    client = identity_js(pool)
    assert "selectMFAType" == sign_in(client)["asked"]
    assert "mfaRequired" == client.call("selectFactor", factor="SMS_MFA")["asked"]
    assert pools.is_alice(pool, client.call("sendMfaCode", code=pool.last_code("alice")))


def test_authenticator_app_is_enrolled(cognito: LocalCognito, identity_js: IdentityJs) -> None:
    """The first code must be right, and cannot be used again."""
    pool = pools.mfa_pool(cognito, user={}, **pools.TOTP)
    client = identity_js(pool)
    assert "mfaSetup" == sign_in(client)["asked"]
    secret = client.call("associateSoftwareToken")["secretCode"]
    code = totp_code(secret, cognito.clock())
    name, _ = client.refusal("verifySoftwareToken", code=pools.wrong(code))
    assert "EnableSoftwareTokenMFAException" == name
    assert pools.is_alice(pool, client.call("verifySoftwareToken", code=code))
    assert secret == pool.user("alice").totp_secret


def test_custom_challenge_is_asked_again_after_a_wrong_answer(
    cognito: LocalCognito, identity_js: IdentityJs
) -> None:
    pool = pools.custom_pool(cognito)
    client = identity_js(pool)
    asked = client.call("signInWithoutPassword", username="alice")
    assert "2+2" == asked["parameters"][0]["question"]
    assert "customChallenge" == client.call("sendCustomAnswer", answer="5")["asked"]
    assert pools.is_alice(pool, client.call("sendCustomAnswer", answer="4"))


def test_custom_sign_in_with_srp_asks_for_the_password_first(
    cognito: LocalCognito, identity_js: IdentityJs
) -> None:
    pool = pools.custom_pool(cognito)
    client = identity_js(pool, "CUSTOM_AUTH")
    assert pools.INCORRECT == client.refusal("signIn", username="alice", password=PASSWORD + "!")
    client.call("user", username="alice", flow="CUSTOM_AUTH")
    assert "customChallenge" == sign_in(client)["asked"]
    assert pools.is_alice(pool, client.call("sendCustomAnswer", answer="4"))


def test_three_wrong_custom_answers_end_the_sign_in(cognito: LocalCognito, identity_js: IdentityJs) -> None:
    pool = pools.custom_pool(cognito)
    client = identity_js(pool)
    client.call("signInWithoutPassword", username="alice")
    for _ in range(2):
        client.call("sendCustomAnswer", answer="5")
    assert pools.INCORRECT == client.refusal("sendCustomAnswer", answer="5")


def sign_in_with_code(pool: Pool, client: Program) -> Any:
    sign_in(client)
    return client.call("sendMfaCode", code=pool.last_code("alice"))


def test_confirmed_device_replaces_the_code(cognito: LocalCognito, identity_js: IdentityJs) -> None:
    pool = pools.device_pool(cognito)
    client = identity_js(pool)
    key = sign_in_with_code(pool, client)["deviceKey"]
    assert [key] == pools.devices(pool)
    client.call("user", username="alice")
    done = sign_in(client)
    assert pools.is_alice(pool, done)
    assert key == done["claims"]["access"]["device_key"]
    assert 1 == len(cognito.outbox)


def test_sign_in_by_email_address_uses_the_device_of_the_username(
    cognito: LocalCognito, identity_js: IdentityJs
) -> None:
    pool = pools.device_pool(cognito, alias_attributes=["email"])
    client = identity_js(pool)
    client.call("user", username="alice@example.com")
    assert "mfaRequired" == sign_in(client)["asked"]
    assert pools.is_alice(pool, client.call("sendMfaCode", code=pool.last_code("alice")))
    for username in ("alice@example.com", "alice"):
        client.call("user", username=username)
        assert pools.is_alice(pool, sign_in(client))
    assert 1 == len(pools.devices(pool))


def test_forgotten_device_is_dropped_and_a_new_one_confirmed(
    cognito: LocalCognito, identity_js: IdentityJs
) -> None:
    pool = pools.device_pool(cognito)
    client = identity_js(pool)
    key = sign_in_with_code(pool, client)["deviceKey"]
    pools.forget_devices(pool)
    client.call("user", username="alice")
    assert "mfaRequired" == sign_in(client)["asked"]
    assert "ResourceNotFoundException" in [call.error for call in cognito.calls]
    done = client.call("sendMfaCode", code=pool.last_code("alice"))
    assert [done["deviceKey"]] == pools.devices(pool)
    assert key != done["deviceKey"]


def test_device_with_another_secret_is_refused(cognito: LocalCognito, identity_js: IdentityJs) -> None:
    pool = pools.device_pool(cognito)
    client = identity_js(pool)
    sign_in_with_code(pool, client)
    client.call("spoilDevice")
    client.call("user", username="alice")
    assert pools.INCORRECT == client.refusal("signIn", username="alice", password=PASSWORD)


def test_device_replaces_the_code_only_after_the_user_agreed(
    cognito: LocalCognito, identity_js: IdentityJs
) -> None:
    pool = pools.device_pool(cognito, asks=True)
    client = identity_js(pool)
    assert sign_in_with_code(pool, client)["confirmationNecessary"]
    assert "mfaRequired" == sign_in(client)["asked"]
    client.call("sendMfaCode", code=pool.last_code("alice"))
    assert "SUCCESS" == client.call("rememberDevice")
    assert pools.is_alice(pool, sign_in(client))


def test_user_can_forget_the_device(cognito: LocalCognito, identity_js: IdentityJs) -> None:
    """It is forgotten at the pool and at the client."""
    pool = pools.device_pool(cognito)
    client = identity_js(pool)
    sign_in_with_code(pool, client)
    assert "SUCCESS" == client.call("forgetDevice")
    assert not pools.devices(pool)
    client.call("user", username="alice")
    assert "mfaRequired" == sign_in(client)["asked"]


def test_refresh_gives_new_tokens_of_the_same_sign_in(cognito: LocalCognito, identity_js: IdentityJs) -> None:
    pool = pools.device_pool(cognito)
    client = identity_js(pool)
    before = sign_in_with_code(pool, client)
    cognito.clock.advance(60)
    after = client.call("refresh")
    assert pools.is_alice(pool, after)
    assert before["claims"]["access"]["origin_jti"] == after["claims"]["access"]["origin_jti"]
    assert before["claims"]["access"]["iat"] < after["claims"]["access"]["iat"]


def test_revoked_refresh_token_is_refused(cognito: LocalCognito, identity_js: IdentityJs) -> None:
    pool = pools.plain_pool(cognito)
    client = identity_js(pool)
    sign_in(client)
    pool.user("alice").grants.clear()
    assert pools.DEAD_REFRESH_TOKEN == client.refusal("refresh")
