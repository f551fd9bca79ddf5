"""Remembered devices: confirmed with a verifier, proved by SRP, forgotten."""

from __future__ import annotations

import base64
from functools import partial
from typing import Any

import jwt
import pytest

from cognito_flow.testing import LocalCognito
from tests.local_cognito.wire import PASSWORD, Wire, refusal
from tests.support import srp_peer

SECRET = "device secret"
SALT = int.from_bytes(bytes(range(0x81, 0x91)))  # its top bit is set
INCORRECT = ("NotAuthorizedException", "Incorrect username or password.")
NO_DEVICE = ("ResourceNotFoundException", "Device does not exist.")


def pool_with(cognito: LocalCognito, asks: bool = False, replaces_mfa: bool = True) -> Wire:
    """A pool that tracks devices and requires a code by e-mail."""
    pool = cognito.create_pool(
        mfa_configuration="ON",
        email_mfa_configuration={},
        device_configuration={
            "DeviceOnlyRememberedOnUserPrompt": asks,
            "ChallengeRequiredOnNewDevice": replaces_mfa,
        },
    )
    for name in ("alice", "bob"):
        pool.add_user(name, PASSWORD, email=f"{name}@example.com")
    return Wire(pool)


@pytest.fixture
def wire(cognito: LocalCognito) -> Wire:
    """A pool that remembers every device."""
    return pool_with(cognito)


def sign_in(wire: Wire, username: str = "alice") -> Any:
    """The result of a sign-in without a device."""
    step = wire.password(username)
    code = wire.pool.last_code(username)
    return wire.answer(step, username, EMAIL_OTP_CODE=code)["AuthenticationResult"]


def config(group: str, key: str, is_padded: bool = True, secret: str = SECRET) -> dict[str, str]:
    """DeviceSecretVerifierConfig."""
    x = srp_peer.private_key(group, key, secret, SALT)
    verifier = pow(srp_peer.G, x, srp_peer.N)
    salt = srp_peer.pad(SALT) if is_padded else SALT.to_bytes(16)
    numbers = {"PasswordVerifier": srp_peer.pad(verifier), "Salt": salt}
    return {name: base64.b64encode(number).decode() for name, number in numbers.items()}


def confirm(wire: Wire, result: Any, **changes: Any) -> Any:
    """ConfirmDevice for the device that a sign-in offered."""
    made = result["NewDeviceMetadata"]
    arguments = {
        "AccessToken": result["AccessToken"],
        "DeviceKey": made["DeviceKey"],
        "DeviceSecretVerifierConfig": config(made["DeviceGroupKey"], made["DeviceKey"]),
        **changes,
    }
    return wire.api.confirm_device(**arguments)


def with_device(wire: Wire, made: Any, secret: str = SECRET) -> Any:
    """Sign in with a device, and return the answer to its proof."""
    key, group = made["DeviceKey"], made["DeviceGroupKey"]
    step = wire.password(DEVICE_KEY=key)
    assert step["ChallengeName"] == "DEVICE_SRP_AUTH"
    proof = wire.answer(step, DEVICE_KEY=key, SRP_A=wire.exponent.srp_a)
    claim = wire.exponent.claim(proof, group, key, secret, wire.cognito.clock())
    return wire.answer(proof, DEVICE_KEY=key, **claim)


def test_confirmed_device_replaces_the_second_factor(wire: Wire) -> None:
    result = sign_in(wire)
    made = result["NewDeviceMetadata"]
    assert confirm(wire, result)["UserConfirmationNecessary"] is False
    again = with_device(wire, made)["AuthenticationResult"]
    assert "NewDeviceMetadata" not in again
    claims = jwt.decode(again["AccessToken"], options={"verify_signature": False})
    assert claims["device_key"] == made["DeviceKey"]


def test_second_factor_is_asked_after_the_device_without_challenge_required_on_new_device(
    cognito: LocalCognito,
) -> None:
    wire = pool_with(cognito, replaces_mfa=False)
    result = sign_in(wire)
    confirm(wire, result)
    assert with_device(wire, result["NewDeviceMetadata"])["ChallengeName"] == "EMAIL_OTP"


def test_wrong_device_secret_is_refused(wire: Wire) -> None:
    result = sign_in(wire)
    confirm(wire, result)
    assert refusal(lambda: with_device(wire, result["NewDeviceMetadata"], "another")) == INCORRECT


def test_wrong_verifier_is_stored_and_fails_the_next_sign_in(wire: Wire) -> None:
    result = sign_in(wire)
    made = result["NewDeviceMetadata"]
    wrong = config(made["DeviceGroupKey"], "another key")
    confirm(wire, result, DeviceSecretVerifierConfig=wrong)
    assert refusal(lambda: with_device(wire, made)) == INCORRECT


def test_verifier_without_a_leading_zero_byte_is_refused_as_negative(wire: Wire) -> None:
    result = sign_in(wire)
    made = result["NewDeviceMetadata"]
    unpadded = config(made["DeviceGroupKey"], made["DeviceKey"], is_padded=False)
    code, _ = refusal(lambda: confirm(wire, result, DeviceSecretVerifierConfig=unpadded))
    assert code == "InvalidParameterException"


@pytest.mark.parametrize("verifier", ["!", "", base64.b64encode(srp_peer.pad(srp_peer.N)).decode()])
def test_malformed_verifier_is_refused(wire: Wire, verifier: str) -> None:
    bad = {"PasswordVerifier": verifier, "Salt": base64.b64encode(b"\1").decode()}
    result = sign_in(wire)
    code, _ = refusal(lambda: confirm(wire, result, DeviceSecretVerifierConfig=bad))
    assert code == "InvalidParameterException"


def test_device_confirmed_twice_is_refused(wire: Wire) -> None:
    result = sign_in(wire)
    confirm(wire, result)
    assert refusal(lambda: confirm(wire, result))[0] == "DeviceKeyExistsException"


def test_device_key_of_another_sign_in_is_not_confirmed(wire: Wire) -> None:
    first, second = sign_in(wire), sign_in(wire)
    key = second["NewDeviceMetadata"]["DeviceKey"]
    expected = ("InvalidParameterException", "Invalid device key given.")
    assert refusal(lambda: confirm(wire, first, DeviceKey=key)) == expected


def test_forgotten_device_is_refused_with_its_refresh_token(wire: Wire) -> None:
    result = sign_in(wire)
    confirm(wire, result)
    key = result["NewDeviceMetadata"]["DeviceKey"]
    wire.api.admin_forget_device(UserPoolId=wire.pool.id, Username="alice", DeviceKey=key)
    assert refusal(lambda: wire.password(DEVICE_KEY=key)) == NO_DEVICE
    token = result["RefreshToken"]
    gone = refusal(lambda: wire.start("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token, DEVICE_KEY=key))
    assert gone == ("NotAuthorizedException", "Invalid Refresh Token.")


def test_access_token_still_works_after_its_device_was_forgotten(wire: Wire) -> None:
    result = sign_in(wire)
    confirm(wire, result)
    key, token = result["NewDeviceMetadata"]["DeviceKey"], result["AccessToken"]
    wire.api.forget_device(AccessToken=token, DeviceKey=key)
    assert wire.api.get_user(AccessToken=token)["Username"] == "alice"


def test_forgotten_device_is_refused_at_password_verifier_and_the_proof_without_it_signs_in(
    wire: Wire,
) -> None:
    result = sign_in(wire)
    key = result["NewDeviceMetadata"]["DeviceKey"]  # never confirmed, so not known
    challenge = wire.start_srp()
    claim = wire.claim(challenge)
    assert refusal(lambda: wire.prove(challenge, claim | {"DEVICE_KEY": key})) == NO_DEVICE
    assert wire.prove(challenge, claim)["ChallengeName"] == "EMAIL_OTP"


def test_device_of_another_user_is_refused(wire: Wire) -> None:
    result = sign_in(wire, "bob")
    confirm(wire, result)
    key = result["NewDeviceMetadata"]["DeviceKey"]
    assert refusal(lambda: wire.password(DEVICE_KEY=key)) == NO_DEVICE


def test_proof_of_another_device_is_refused(wire: Wire) -> None:
    first, second = sign_in(wire), sign_in(wire)
    for result in (first, second):
        confirm(wire, result)
    keys = [result["NewDeviceMetadata"]["DeviceKey"] for result in (first, second)]
    step = wire.password(DEVICE_KEY=keys[0])
    srp_a, group = wire.exponent.srp_a, first["NewDeviceMetadata"]["DeviceGroupKey"]
    proof = wire.answer(step, DEVICE_KEY=keys[0], SRP_A=srp_a)
    claim = wire.exponent.claim(proof, group, keys[1], SECRET, wire.cognito.clock())
    assert refusal(lambda: wire.answer(proof, DEVICE_KEY=keys[0], **claim)) == INCORRECT
    assert refusal(lambda: wire.answer(proof, DEVICE_KEY=keys[1], **claim)) in (INCORRECT, NO_DEVICE)


def test_device_in_an_opt_in_pool_counts_once_it_is_remembered(cognito: LocalCognito) -> None:
    wire = pool_with(cognito, asks=True)
    result = sign_in(wire)
    made, access = result["NewDeviceMetadata"], result["AccessToken"]
    assert confirm(wire, result)["UserConfirmationNecessary"] is True
    assert wire.api.list_devices(AccessToken=access)["Devices"] == []
    assert wire.password(DEVICE_KEY=made["DeviceKey"])["ChallengeName"] == "EMAIL_OTP"
    wire.api.update_device_status(
        AccessToken=access, DeviceKey=made["DeviceKey"], DeviceRememberedStatus="remembered"
    )
    assert len(wire.api.list_devices(AccessToken=access)["Devices"]) == 1
    assert "AuthenticationResult" in with_device(wire, made)


def test_refresh_without_the_device_key_is_refused(wire: Wire) -> None:
    result = sign_in(wire)
    confirm(wire, result)
    token, key = result["RefreshToken"], result["NewDeviceMetadata"]["DeviceKey"]
    expected = ("NotAuthorizedException", "Invalid Refresh Token.")
    call = wire.api.get_tokens_from_refresh_token
    assert refusal(lambda: call(ClientId=wire.client_id, RefreshToken=token)) == expected
    assert "AuthenticationResult" in call(ClientId=wire.client_id, RefreshToken=token, DeviceKey=key)


def prove_without_session(wire: Wire, made: Any, username: str = "alice") -> Any:
    """Answer the newest device challenge without its Session."""
    key, group = made["DeviceKey"], made["DeviceGroupKey"]
    named = {"USERNAME": username, "DEVICE_KEY": key}
    proof = wire.respond("DEVICE_SRP_AUTH", None, {**named, "SRP_A": wire.exponent.srp_a})
    claim = wire.exponent.claim(proof, group, key, SECRET, wire.cognito.clock())
    return wire.respond("DEVICE_PASSWORD_VERIFIER", None, {**named, **claim})


def open_device_challenge(wire: Wire, key: str) -> None:
    """Prove the password by SRP, so that DEVICE_SRP_AUTH is asked."""
    claim = {**wire.claim(wire.start_srp(DEVICE_KEY=key)), "DEVICE_KEY": key}
    assert wire.respond("PASSWORD_VERIFIER", None, claim)["ChallengeName"] == "DEVICE_SRP_AUTH"


def test_device_is_proved_without_session_once_after_srp(wire: Wire) -> None:
    result = sign_in(wire)
    made = result["NewDeviceMetadata"]
    confirm(wire, result)
    open_device_challenge(wire, made["DeviceKey"])
    assert "AuthenticationResult" in prove_without_session(wire, made)
    code, text = refusal(lambda: prove_without_session(wire, made))
    assert (code, text[-22:]) == ("NotAuthorizedException", "can only be used once.")


def test_device_proof_without_session_expires_with_the_session(wire: Wire) -> None:
    result = sign_in(wire)
    made = result["NewDeviceMetadata"]
    confirm(wire, result)
    open_device_challenge(wire, made["DeviceKey"])
    wire.cognito.clock.advance(180)
    expected = ("NotAuthorizedException", "Invalid session for the user, session is expired.")
    assert refusal(lambda: prove_without_session(wire, made)) == expected


NO_SESSION = ("InvalidParameterException", "Missing required parameter Session")


def test_device_proof_without_a_sign_in_is_refused(wire: Wire) -> None:
    result = sign_in(wire)
    confirm(wire, result)
    assert refusal(lambda: prove_without_session(wire, result["NewDeviceMetadata"])) == NO_SESSION


def test_device_is_proved_without_session_after_a_password_in_clear(wire: Wire) -> None:
    result = sign_in(wire)
    made = result["NewDeviceMetadata"]
    confirm(wire, result)
    wire.password(DEVICE_KEY=made["DeviceKey"])
    assert "AuthenticationResult" in prove_without_session(wire, made)


def test_device_needs_its_session_where_the_pool_is_configured_so(wire: Wire) -> None:
    wire.pool.configure(device_session_required=True)
    result = sign_in(wire)
    made = result["NewDeviceMetadata"]
    confirm(wire, result)
    open_device_challenge(wire, made["DeviceKey"])
    assert refusal(lambda: prove_without_session(wire, made)) == NO_SESSION


def test_device_proof_without_session_is_refused_for_another_user(wire: Wire) -> None:
    result = sign_in(wire)
    made = result["NewDeviceMetadata"]
    confirm(wire, result)
    open_device_challenge(wire, made["DeviceKey"])
    for username in ("bob", "unknown"):
        assert refusal(partial(prove_without_session, wire, made, username)) == NO_SESSION


def test_device_that_is_not_remembered_is_refused(cognito: LocalCognito) -> None:
    wire = pool_with(cognito, asks=True)
    results = [sign_in(wire) for _ in range(2)]
    for result in results:
        confirm(wire, result)
    asked, other = (result["NewDeviceMetadata"]["DeviceKey"] for result in results)
    update = partial(wire.api.update_device_status, AccessToken=results[0]["AccessToken"], DeviceKey=asked)
    update(DeviceRememberedStatus="remembered")
    step, answer = wire.password(DEVICE_KEY=asked), {"SRP_A": wire.exponent.srp_a}
    assert refusal(lambda: wire.answer(step, DEVICE_KEY=other, **answer)) == NO_DEVICE
    update(DeviceRememberedStatus="not_remembered")
    assert refusal(lambda: wire.answer(step, DEVICE_KEY=asked, **answer)) == NO_DEVICE


def test_another_remembered_device_is_refused(wire: Wire) -> None:
    first, second = sign_in(wire), sign_in(wire)
    for result in (first, second):
        confirm(wire, result)
    asked, other = (result["NewDeviceMetadata"]["DeviceKey"] for result in (first, second))
    step = wire.password(DEVICE_KEY=asked)
    assert refusal(lambda: wire.answer(step, DEVICE_KEY=other, SRP_A=wire.exponent.srp_a)) == NO_DEVICE
