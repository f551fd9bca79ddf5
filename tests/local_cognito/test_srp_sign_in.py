"""USER_SRP_AUTH: what LocalCognito takes for a proof of the password, and what it does not."""

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


def test_right_password(wire: Wire) -> None:
    """A client that shares no code with the service signs in."""
    assert wire.srp()["AuthenticationResult"]["TokenType"] == "Bearer"


def test_challenge_has_no_session(wire: Wire) -> None:
    """In USER_SRP_AUTH the SECRET_BLOCK stands for the Session."""
    assert "Session" not in wire.start_srp()


@pytest.mark.parametrize("password", ["päss:wörd 🔑", " Correct horse 1 ", ":"])
def test_password_of_any_text(wire: Wire, password: str) -> None:
    """Passwords are hashed as UTF-8, spaces and colons included."""
    wire.pool.add_user("carol", password)
    assert "AuthenticationResult" in wire.srp("carol", password)


def test_wrong_password(wire: Wire) -> None:
    """A proof of another password is refused."""
    assert refusal(lambda: wire.srp(password="Wrong horse 1")) == INCORRECT


def test_random_signature(wire: Wire) -> None:
    """A signature that is none is refused."""
    challenge = wire.start_srp()
    claim = wire.claim(challenge) | {"PASSWORD_CLAIM_SIGNATURE": base64.b64encode(bytes(32)).decode()}
    assert refusal(lambda: wire.prove(challenge, claim)) == INCORRECT


def test_signature_that_is_not_base64(wire: Wire) -> None:
    """What cannot be decoded is refused as a wrong signature."""
    challenge = wire.start_srp()
    claim = wire.claim(challenge) | {"PASSWORD_CLAIM_SIGNATURE": "!"}
    assert refusal(lambda: wire.prove(challenge, claim)) == INCORRECT


def test_altered_secret_block(wire: Wire) -> None:
    """A SECRET_BLOCK with one bit changed is refused, though its signature covers the changed one."""
    challenge = wire.start_srp()
    block = bytearray(base64.b64decode(challenge["ChallengeParameters"]["SECRET_BLOCK"]))
    block[40] ^= 1
    challenge["ChallengeParameters"]["SECRET_BLOCK"] = base64.b64encode(bytes(block)).decode()
    assert refusal(lambda: wire.prove(challenge, wire.claim(challenge))) == INCORRECT


def test_secret_block_that_is_not_base64(wire: Wire) -> None:
    """What cannot be decoded is refused as a wrong one."""
    challenge = wire.start_srp()
    claim = wire.claim(challenge) | {"PASSWORD_CLAIM_SECRET_BLOCK": "!"}
    assert refusal(lambda: wire.prove(challenge, claim)) == INCORRECT


def test_secret_block_of_another_user(wire: Wire) -> None:
    """A proof of bob's, with alice's name, signs nobody in, although they have the same password."""
    challenge = wire.start_srp("bob")
    claim = wire.claim(challenge) | {"USERNAME": "alice"}
    assert refusal(lambda: wire.prove(challenge, claim)) == INCORRECT


def test_secret_block_of_another_client(wire: Wire) -> None:
    """An exchange is bound to the app client that began it."""
    challenge = wire.start_srp()
    other = Wire(wire.pool, wire.pool.app_client().client_id)
    assert refusal(lambda: other.prove(challenge, wire.claim(challenge))) == INCORRECT


def test_secret_block_of_another_pool(wire: Wire) -> None:
    """An exchange is bound to its pool."""
    challenge = wire.start_srp()
    pool = wire.cognito.create_pool()
    pool.add_user("alice", PASSWORD)
    assert refusal(lambda: Wire(pool).prove(challenge, wire.claim(challenge))) == INCORRECT


def test_secret_block_expires(wire: Wire) -> None:
    """After AuthSessionValidity, 3 minutes, an exchange is over; a moment before, it is not."""
    challenge = wire.start_srp()
    wire.cognito.clock.advance(179)
    assert "AuthenticationResult" in wire.prove(challenge, wire.claim(challenge))
    wire.cognito.clock.advance(1)
    assert refusal(lambda: wire.prove(challenge, wire.claim(challenge))) == INCORRECT


def test_challenge_takes_several_proofs(wire: Wire) -> None:
    """A wrong proof and a right one leave the challenge open."""
    challenge = wire.start_srp()
    assert refusal(lambda: wire.prove(challenge, wire.claim(challenge, "Wrong horse 1"))) == INCORRECT
    for _ in range(2):
        assert "AuthenticationResult" in wire.prove(challenge, wire.claim(challenge))


def test_password_changed_in_between(wire: Wire) -> None:
    """A proof of the password that was is refused."""
    challenge = wire.start_srp()
    wire.api.admin_set_user_password(
        UserPoolId=wire.pool.id, Username="alice", Password="Battery-staple-2", Permanent=True
    )
    assert refusal(lambda: wire.prove(challenge, wire.claim(challenge))) == INCORRECT


@pytest.mark.parametrize("multiple", [0, 1, 2])
def test_srp_a_that_is_zero(wire: Wire, multiple: int) -> None:
    """With A = 0 mod N anybody would know the key, so it is refused at once."""
    code, _ = refusal(
        lambda: wire.start("USER_SRP_AUTH", USERNAME="alice", SRP_A=f"{multiple * srp_peer.N:x}")
    )
    assert code == "InvalidParameterException"


@pytest.mark.parametrize("srp_a", ["xyz", "-1", "1_0", "0x10", "٣", "f" * 801])
def test_srp_a_that_is_no_number(wire: Wire, srp_a: str) -> None:
    """SRP_A must be hexadecimal, and no longer than N with some margin."""
    code, _ = refusal(lambda: wire.start("USER_SRP_AUTH", USERNAME="alice", SRP_A=srp_a))
    assert code == "InvalidParameterException"


@pytest.mark.parametrize(
    "timestamp",
    ["Thu Nov 5 09:30:05 UTC 2026", "THU nov 5 09:30:05 UTC 2026", "Thu Nov 5 09:30:05 GMT 2026"],
)
def test_timestamp_in_any_case(wire: Wire, timestamp: str) -> None:
    """The names may be in any case as long as the signature is over the canonical form."""
    canonical = timestamp.replace("THU nov", "Thu Nov")
    challenge = wire.start_srp()
    claim = wire.claim(challenge, timestamp=canonical) | {"TIMESTAMP": timestamp}
    assert "AuthenticationResult" in wire.prove(challenge, claim)


@pytest.mark.parametrize("timestamp", ["Thu Nov 05 09:30:05 UTC 2026", "Fri Nov 5 09:30:05 UTC 2026"])
def test_timestamp_that_is_not_canonical(wire: Wire, timestamp: str) -> None:
    """A padded day, or a wrong weekday, fails the proof: the service signs its own form of the date."""
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
def test_timestamp_that_is_no_date(wire: Wire, timestamp: str) -> None:
    """What is no date of the one form is told so."""
    challenge = wire.start_srp()
    claim = wire.claim(challenge, timestamp=timestamp)
    assert refusal(lambda: wire.prove(challenge, claim)) == BAD_TIMESTAMP


def test_timestamp_off_the_clock(wire: Wire) -> None:
    """A proof may be 5 minutes off, or as much as the pool is configured to allow."""
    timestamp = "Thu Nov 5 09:24:55 UTC 2026"
    challenge = wire.start_srp()
    claim = wire.claim(challenge, timestamp=timestamp)
    assert refusal(lambda: wire.prove(challenge, claim)) == INCORRECT
    wire.pool.configure(skew=310)
    assert "AuthenticationResult" in wire.prove(challenge, claim)


@pytest.mark.parametrize(
    "name", ["USERNAME", "TIMESTAMP", "PASSWORD_CLAIM_SIGNATURE", "PASSWORD_CLAIM_SECRET_BLOCK"]
)
def test_missing_part_of_the_proof(wire: Wire, name: str) -> None:
    """Each missing key is named."""
    challenge = wire.start_srp()
    claim = wire.claim(challenge)
    del claim[name]
    expected = ("InvalidParameterException", f"Missing required parameter {name}")
    assert refusal(lambda: wire.prove(challenge, claim)) == expected


def test_many_sign_ins(wire: Wire) -> None:
    """Whatever the random numbers are like, with leading zeros or with the top bit set, no proof fails."""
    for number in range(40):
        wire.pool.add_user(f"user{number}", PASSWORD)
        again = Wire(wire.pool, exponent=Exponent(int.from_bytes(bytes([number + 1]) * 32)))
        assert "AuthenticationResult" in again.srp(f"user{number}")
