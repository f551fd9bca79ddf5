"""USER_SRP_AUTH: which proofs LocalCognito accepts."""

from __future__ import annotations

import base64

import pytest

from tests.local_cognito.wire import PASSWORD, Exponent, Wire, refusal
from tests.support import srp_peer

INCORRECT = ("NotAuthorizedException", "Incorrect username or password.")
BAD_TIMESTAMP = (
    "InvalidParameterException",
    "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.",
)


def test_right_password_signs_in(wire: Wire) -> None:
    assert wire.srp()["AuthenticationResult"]["TokenType"] == "Bearer"


def test_password_verifier_of_user_srp_auth_has_no_session(wire: Wire) -> None:
    assert "Session" not in wire.start_srp()


@pytest.mark.parametrize("password", ["päss:wörd 🔑", " Correct horse 1 ", ":"])
def test_password_of_any_text_signs_in(wire: Wire, password: str) -> None:
    wire.pool.add_user("carol", password)
    assert "AuthenticationResult" in wire.srp("carol", password)


def test_wrong_password_is_refused(wire: Wire) -> None:
    assert refusal(lambda: wire.srp(password="Wrong horse 1")) == INCORRECT


def test_random_signature_is_refused(wire: Wire) -> None:
    challenge = wire.start_srp()
    claim = wire.claim(challenge) | {"PASSWORD_CLAIM_SIGNATURE": base64.b64encode(bytes(32)).decode()}
    assert refusal(lambda: wire.prove(challenge, claim)) == INCORRECT


def test_signature_that_is_not_base64_is_refused(wire: Wire) -> None:
    challenge = wire.start_srp()
    claim = wire.claim(challenge) | {"PASSWORD_CLAIM_SIGNATURE": "!"}
    assert refusal(lambda: wire.prove(challenge, claim)) == INCORRECT


def test_altered_secret_block_is_refused(wire: Wire) -> None:
    challenge = wire.start_srp()
    block = bytearray(base64.b64decode(challenge["ChallengeParameters"]["SECRET_BLOCK"]))
    block[40] ^= 1
    challenge["ChallengeParameters"]["SECRET_BLOCK"] = base64.b64encode(bytes(block)).decode()
    assert refusal(lambda: wire.prove(challenge, wire.claim(challenge))) == INCORRECT


def test_secret_block_that_is_not_base64_is_refused(wire: Wire) -> None:
    challenge = wire.start_srp()
    claim = wire.claim(challenge) | {"PASSWORD_CLAIM_SECRET_BLOCK": "!"}
    assert refusal(lambda: wire.prove(challenge, claim)) == INCORRECT


def test_secret_block_in_another_spelling_is_refused(wire: Wire) -> None:
    """Its last character has bits that lenient decoders of base64 ignore."""
    challenge = wire.start_srp()
    claim = wire.claim(challenge)
    block = claim["PASSWORD_CLAIM_SECRET_BLOCK"]
    filled = block.rstrip("=")
    respelled = filled[:-1] + chr(ord(filled[-1]) + 1) + block[len(filled) :]

    assert base64.b64decode(respelled) == base64.b64decode(block)
    assert (
        refusal(lambda: wire.prove(challenge, claim | {"PASSWORD_CLAIM_SECRET_BLOCK": respelled}))
        == INCORRECT
    )
    assert "AuthenticationResult" in wire.prove(challenge, claim)


def test_secret_block_of_another_user_is_refused(wire: Wire) -> None:
    challenge = wire.start_srp("bob")
    claim = wire.claim(challenge) | {"USERNAME": "alice"}
    assert refusal(lambda: wire.prove(challenge, claim)) == INCORRECT


def test_secret_block_of_another_client_is_refused(wire: Wire) -> None:
    challenge = wire.start_srp()
    other = Wire(wire.pool, wire.pool.app_client().client_id)
    assert refusal(lambda: other.prove(challenge, wire.claim(challenge))) == INCORRECT


def test_secret_block_of_another_pool_is_refused(wire: Wire) -> None:
    challenge = wire.start_srp()
    pool = wire.cognito.create_pool()
    pool.add_user("alice", PASSWORD)
    assert refusal(lambda: Wire(pool).prove(challenge, wire.claim(challenge))) == INCORRECT


def test_secret_block_expires_after_three_minutes(wire: Wire) -> None:
    challenge = wire.start_srp()
    wire.cognito.clock.advance(179)
    assert "AuthenticationResult" in wire.prove(challenge, wire.claim(challenge))
    wire.cognito.clock.advance(1)
    assert refusal(lambda: wire.prove(challenge, wire.claim(challenge))) == INCORRECT


def test_challenge_accepts_several_proofs(wire: Wire) -> None:
    challenge = wire.start_srp()
    assert refusal(lambda: wire.prove(challenge, wire.claim(challenge, "Wrong horse 1"))) == INCORRECT
    for _ in range(2):
        assert "AuthenticationResult" in wire.prove(challenge, wire.claim(challenge))


def test_proof_of_a_changed_password_is_refused(wire: Wire) -> None:
    challenge = wire.start_srp()
    wire.api.admin_set_user_password(
        UserPoolId=wire.pool.id, Username="alice", Password="Battery-staple-2", Permanent=True
    )
    assert refusal(lambda: wire.prove(challenge, wire.claim(challenge))) == INCORRECT


@pytest.mark.parametrize("multiple", [0, 1, 2])
def test_srp_a_of_zero_modulo_n_is_refused(wire: Wire, multiple: int) -> None:
    code, _ = refusal(
        lambda: wire.start("USER_SRP_AUTH", USERNAME="alice", SRP_A=f"{multiple * srp_peer.N:x}")
    )
    assert code == "InvalidParameterException"


@pytest.mark.parametrize("srp_a", ["xyz", "-1", "1_0", "0x10", "٣", "f" * 801])
def test_srp_a_that_is_not_hexadecimal_or_too_long_is_refused(wire: Wire, srp_a: str) -> None:
    code, _ = refusal(lambda: wire.start("USER_SRP_AUTH", USERNAME="alice", SRP_A=srp_a))
    assert code == "InvalidParameterException"


@pytest.mark.parametrize(
    "timestamp",
    ["Thu Nov 5 09:30:05 UTC 2026", "THU nov 5 09:30:05 UTC 2026", "Thu Nov 5 09:30:05 GMT 2026"],
)
def test_timestamp_in_any_case_is_accepted(wire: Wire, timestamp: str) -> None:
    canonical = timestamp.replace("THU nov", "Thu Nov")
    challenge = wire.start_srp()
    claim = wire.claim(challenge, timestamp=canonical) | {"TIMESTAMP": timestamp}
    assert "AuthenticationResult" in wire.prove(challenge, claim)


@pytest.mark.parametrize("timestamp", ["Thu Nov 05 09:30:05 UTC 2026", "Fri Nov 5 09:30:05 UTC 2026"])
def test_timestamp_with_a_padded_day_or_wrong_weekday_fails_the_proof(wire: Wire, timestamp: str) -> None:
    challenge = wire.start_srp()
    assert refusal(lambda: wire.prove(challenge, wire.claim(challenge, timestamp=timestamp))) == INCORRECT


@pytest.mark.parametrize(
    "timestamp",
    [
        "2026-11-05T09:30:05Z",
        "Do Nov 5 09:30:05 UTC 2026",
        "Xxx Nov 5 09:30:05 UTC 2026",
        "Thu Nov 31 09:30:05 UTC 2026",
        "Thu Nov 5 25:30:05 UTC 2026",
        "Thu Nov 5 09:30:05 utc 2026",
        "Thu Nov 5 09:30:05 +05:30 2026",
    ],
)
def test_malformed_timestamp_is_refused(wire: Wire, timestamp: str) -> None:
    challenge = wire.start_srp()
    claim = wire.claim(challenge, timestamp=timestamp)
    assert refusal(lambda: wire.prove(challenge, claim)) == BAD_TIMESTAMP


def test_timestamp_beyond_the_configured_skew_is_refused(wire: Wire) -> None:
    timestamp = "Thu Nov 5 09:24:55 UTC 2026"
    challenge = wire.start_srp()
    claim = wire.claim(challenge, timestamp=timestamp)
    assert refusal(lambda: wire.prove(challenge, claim)) == INCORRECT
    wire.pool.configure(skew=310)
    assert "AuthenticationResult" in wire.prove(challenge, claim)


@pytest.mark.parametrize(
    "name", ["USERNAME", "TIMESTAMP", "PASSWORD_CLAIM_SIGNATURE", "PASSWORD_CLAIM_SECRET_BLOCK"]
)
def test_missing_member_of_the_proof_is_named(wire: Wire, name: str) -> None:
    challenge = wire.start_srp()
    claim = wire.claim(challenge)
    del claim[name]
    expected = ("InvalidParameterException", f"Missing required parameter {name}")
    assert refusal(lambda: wire.prove(challenge, claim)) == expected


def test_sign_ins_with_any_random_numbers_succeed(wire: Wire) -> None:
    for number in range(40):
        wire.pool.add_user(f"user{number}", PASSWORD)
        again = Wire(wire.pool, exponent=Exponent(int.from_bytes(bytes([number + 1]) * 32)))
        assert "AuthenticationResult" in again.srp(f"user{number}")
