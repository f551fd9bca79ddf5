"""PyPI pycognito 2024.5.1 signs in and is refused.

It verifies every token by itself, with the pool's key set, and against the URL of the pool as issuer.
"""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from cognito_flow import AppClient
from cognito_flow.testing import LocalCognito, Pool, totp_code
from tests.other_clients import pools
from tests.other_clients.conftest import Program, Run
from tests.other_clients.pools import NEW_PASSWORD, PASSWORD

pytestmark = pytest.mark.other_programs


@attrs.frozen
class Pycognito:
    """Starts the client for alice."""

    run: Run
    python: Path
    url: str

    def __call__(self, pool: Pool, app: AppClient | None = None) -> Program:
        pool.configure(issuer=f"{self.url}/{pool.id}")
        program = Path(__file__).with_name("pycognito_program.py")
        client = self.run([self.python, program], app or pool.app)
        client.call("user", username="alice")
        return client


@pytest.fixture
def pycognito(run: Run, pycognito_python: Path, url: str) -> Pycognito:
    return Pycognito(run, pycognito_python, url)


@pytest.mark.parametrize("secret", [False, True], ids=["without secret", "with secret"])
def test_right_password_signs_in(cognito: LocalCognito, pycognito: Pycognito, secret: bool) -> None:
    pool = pools.plain_pool(cognito, email="alice@example.com")
    client = pycognito(pool, pool.app_client(secret=secret))
    assert pools.is_alice(pool, client.call("sign_in", password=PASSWORD))
    assert "alice@example.com" == client.call("attributes")["email"]


def test_wrong_password_is_refused(cognito: LocalCognito, pycognito: Pycognito) -> None:
    pool = pools.plain_pool(cognito)
    assert pools.INCORRECT == pycognito(pool).refusal("sign_in", password=PASSWORD + "!")
    assert not pool.user("alice").grants


def test_temporary_password_is_replaced(cognito: LocalCognito, pycognito: Pycognito) -> None:
    """A new password against the policy is refused first."""
    pool = pools.plain_pool(cognito, temporary=True)
    client = pycognito(pool)
    assert {"asked": "ForceChangePasswordException"} == client.call("sign_in", password=PASSWORD)
    short = {"password": PASSWORD, "new_password": "short"}
    assert "InvalidPasswordException" == client.refusal("new_password", **short)[0]
    done = client.call("new_password", password=PASSWORD, new_password=NEW_PASSWORD)
    assert pools.is_alice(pool, done)


def test_totp_code_signs_in_after_a_wrong_one(cognito: LocalCognito, pycognito: Pycognito) -> None:
    """The same code is refused the second time."""
    pool = pools.totp_pool(cognito)
    client = pycognito(pool)
    assert {"asked": "SoftwareTokenMFAChallengeException"} == client.call("sign_in", password=PASSWORD)
    code = pool.totp("alice")
    assert pools.WRONG_TOTP == client.refusal("send_totp", code=pools.wrong(code))
    assert pools.is_alice(pool, client.call("send_totp", code=code))
    client.call("sign_in", password=PASSWORD)
    assert pools.USED_TOTP == client.refusal("send_totp", code=code)


def test_sms_code_signs_in_after_a_wrong_one(cognito: LocalCognito, pycognito: Pycognito) -> None:
    pool = pools.sms_pool(cognito)
    client = pycognito(pool)
    assert {"asked": "SMSMFAChallengeException"} == client.call("sign_in", password=PASSWORD)
    code = pool.last_code("alice")
    assert pools.WRONG_CODE == client.refusal("send_sms", code=pools.wrong(code))
    assert pools.is_alice(pool, client.call("send_sms", code=code))


def test_session_works_once_and_a_made_up_one_is_refused(cognito: LocalCognito, pycognito: Pycognito) -> None:
    pool = pools.sms_pool(cognito)
    client = pycognito(pool)
    client.call("sign_in", password=PASSWORD)
    session, code = client.call("session"), pool.last_code("alice")
    client.call("use_session", session=pools.MADE_UP_SESSION)
    assert pools.NO_SESSION == client.refusal("send_sms", code=code)
    client.call("use_session", session=session)
    client.call("send_sms", code=code)
    assert pools.USED_SESSION == client.refusal("send_sms", code=code)


def test_authenticator_app_is_enrolled(cognito: LocalCognito, pycognito: Pycognito) -> None:
    """The next sign-in asks for its code."""
    pool = cognito.create_pool(mfa_configuration="OPTIONAL", **pools.TOTP)
    pool.add_user("alice", PASSWORD)
    client = pycognito(pool)
    client.call("sign_in", password=PASSWORD)
    code = totp_code(client.call("associate_software_token"), cognito.clock())
    wrong = client.refusal("verify_software_token", code=pools.wrong(code))
    assert "EnableSoftwareTokenMFAException" == wrong[0]
    assert client.call("verify_software_token", code=code)
    client.call("prefer_software_token")
    assert {"asked": "SoftwareTokenMFAChallengeException"} == client.call("sign_in", password=PASSWORD)


def test_device_proof_without_a_session_is_accepted(cognito: LocalCognito, pycognito: Pycognito) -> None:
    """This client sends no Session with it."""
    pool = pools.free_device_pool(cognito)
    client = pycognito(pool)
    device = client.call("confirm_device", password=PASSWORD)
    done = client.call("sign_in_with_device", password=PASSWORD, **device)
    assert pools.is_alice(pool, done)
    assert device["device_key"] == done["claims"]["access"]["device_key"]


def test_device_with_another_secret_is_refused(cognito: LocalCognito, pycognito: Pycognito) -> None:
    pool = pools.free_device_pool(cognito)
    client = pycognito(pool)
    device = {**client.call("confirm_device", password=PASSWORD), "device_password": "another"}
    assert pools.INCORRECT == client.refusal("sign_in_with_device", password=PASSWORD, **device)


def test_forgotten_device_is_refused(cognito: LocalCognito, pycognito: Pycognito) -> None:
    """The client leaves it to the program to drop the device."""
    pool = pools.free_device_pool(cognito)
    client = pycognito(pool)
    device = client.call("confirm_device", password=PASSWORD)
    pools.forget_devices(pool)
    expected = ("ResourceNotFoundException", "Device does not exist.")
    assert expected == client.refusal("sign_in_with_device", password=PASSWORD, **device)
    assert pools.is_alice(pool, client.call("sign_in", password=PASSWORD))


def test_refresh_gives_new_tokens_until_the_sign_in_is_revoked(
    cognito: LocalCognito, pycognito: Pycognito
) -> None:
    pool = pools.plain_pool(cognito)
    client = pycognito(pool)
    before = client.call("sign_in", password=PASSWORD)["claims"]["access"]
    after = client.call("refresh")["claims"]["access"]
    assert before["origin_jti"] == after["origin_jti"]
    assert before["jti"] != after["jti"]
    pool.user("alice").grants.clear()
    assert pools.DEAD_REFRESH_TOKEN == client.refusal("refresh")


def test_sign_out_ends_all_sign_ins_of_the_user(cognito: LocalCognito, pycognito: Pycognito) -> None:
    pool = pools.plain_pool(cognito)
    client, other = pycognito(pool), pycognito(pool)
    for each in (client, other):
        each.call("sign_in", password=PASSWORD)
    client.call("logout")
    assert other.refusal("refresh") == ("NotAuthorizedException", "Refresh Token has been revoked")


def test_sign_up_and_forgotten_password(cognito: LocalCognito, pycognito: Pycognito) -> None:
    """Both refuse a wrong code."""
    pool = cognito.create_pool(auto_verified_attributes=["email"])
    client = pycognito(pool)
    client.call("register", password="Correct-horse-7", email="alice@example.com")
    assert "UserNotConfirmedException" == client.refusal("sign_in", password="Correct-horse-7")[0]
    code = pool.last_code("alice")
    assert "CodeMismatchException" == client.refusal("confirm_sign_up", code=pools.wrong(code))[0]
    client.call("confirm_sign_up", code=code)
    assert pools.is_alice(pool, client.call("sign_in", password="Correct-horse-7"))
    client.call("forgot_password")
    code, new = pool.last_code("alice"), "Another-horse-8"
    wrong = client.refusal("confirm_forgot_password", code=pools.wrong(code), password=new)
    assert "CodeMismatchException" == wrong[0]
    client.call("confirm_forgot_password", code=code, password=new)
    assert pools.INCORRECT == client.refusal("sign_in", password="Correct-horse-7")
    assert pools.is_alice(pool, client.call("sign_in", password=new))
