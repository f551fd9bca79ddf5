"""The server's half of SRP against vectors of other clients and against arbitrary text."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_flow.testing._state import srp_server as verifier
from cognito_flow.testing._state import totp
from cognito_flow.testing._state.refusal import Refusal
from tests.srp.test_srp_vectors import Vector, each
from tests.support import srp_peer

KNOWN = verifier.make_verifier("pool", "alice", "password", lambda length: bytes(range(1, length + 1)))


def draw(number: int) -> Callable[[int], bytes]:
    """A random source that always returns this number."""
    return lambda length: number.to_bytes(max(length, 256))


@each("users", "devices")
def test_proofs_of_other_clients_vectors_are_right(vector: Vector) -> None:
    group, name, password = vector["group"], vector["name"], vector["password"]
    x = srp_peer.private_key(group, name, password, int(vector["salt"], 16))
    kept = verifier.Verifier(int(vector["salt"], 16), pow(srp_peer.G, x, srp_peer.N))
    handshake = verifier.answer_srp_a(kept, vector["srp_a"], draw(int(vector["b"], 16)))
    given_proof = {"group": group, "name": name, "timestamp": vector["timestamp"]}
    block, signature = base64.b64decode(vector["secret_block"]), vector["signature"]

    assert int(vector["srp_b"], 16) == handshake.b_public
    assert verifier.matches(kept, group, name, password)
    assert verifier.proof_is_right(handshake, kept, secret_block=block, signature=signature, **given_proof)
    assert not verifier.proof_is_right(
        handshake, kept, secret_block=block + b"x", signature=signature, **given_proof
    )


@each("device_verifiers")
def test_device_verifier_vector_is_read_as_a_signed_number(vector: Vector) -> None:
    read = verifier.device_verifier(vector["password_verifier"], vector["padded_salt"])

    assert verifier.matches(read, vector["group"], vector["name"], vector["password"])
    assert not verifier.matches(read, vector["group"], vector["name"], vector["password"] + "x")


@each("secret_hashes")
def test_secret_hash_vector_is_reproduced(vector: Vector) -> None:
    made = verifier.secret_hash(vector["client_secret"], vector["username"], vector["client_id"])

    assert made == vector["secret_hash"]


@each("timestamps")
def test_timestamp_vectors_are_canonical(vector: Vector) -> None:
    moment, canonical = verifier.parse_timestamp(vector["timestamp"])

    assert vector["timestamp"] == canonical
    assert moment == datetime.fromisoformat(vector["moment"])


@given(st.integers(1, 2**256), st.integers(1, 2**256), st.text(max_size=20), st.text(max_size=20))
def test_proof_of_the_independent_client_is_right_only_for_the_password(
    a: int, b: int, name: str, password: str
) -> None:
    name, password = (text.encode("utf-8", "replace").decode() for text in (name, password))
    moment = datetime(2026, 11, 5, tzinfo=UTC)
    kept = verifier.make_verifier("pool", name, password, draw(b % 2**120 + 2**125))
    srp_a = f"{pow(srp_peer.G, a, srp_peer.N):x}"
    handshake = verifier.answer_srp_a(kept, srp_a, draw(b % 2**255))

    for tried, expected in ((password, True), (password + "x", False)):
        peer = srp_peer.SignIn("pool", name, tried, kept.salt, a, b % 2**255, b"block", moment)
        signature = _signature(peer, handshake.b_public)
        is_right = verifier.proof_is_right(
            handshake,
            kept,
            group="pool",
            name=name,
            secret_block=b"block",
            timestamp=srp_peer.timestamp(moment),
            signature=signature,
        )
        assert is_right is expected


def _signature(peer: srp_peer.SignIn, b_public: int) -> str:
    # The peer's own B is that of its own verifier: with another password it is another one.
    return peer.signature if peer.public_b == b_public else base64.b64encode(b"x" * 32).decode()


@pytest.mark.parametrize(
    "srp_a", ["", "g", "-2", "0", "0x2", f"{srp_peer.N:x}", f"{2 * srp_peer.N:x}", "1" * 801]
)
def test_unsafe_public_value_is_refused(srp_a: str) -> None:
    with pytest.raises(Refusal) as refused:
        verifier.answer_srp_a(KNOWN, srp_a, draw(5))
    assert refused.value.code == "InvalidParameterException"


@given(st.text())
def test_any_text_as_signature_is_refused(signature: str) -> None:
    handshake = verifier.answer_srp_a(KNOWN, "2", draw(5))

    assert not verifier.proof_is_right(
        handshake, KNOWN, group="p", name="a", secret_block=b"", timestamp="t", signature=signature
    )


@given(st.text())
def test_any_text_as_timestamp_is_parsed_or_refused(text: str) -> None:
    try:
        moment, _ = verifier.parse_timestamp(text)
    except Refusal:
        return
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "Thu Sep 31 00:00:00 UTC 2026",
        "Thu Sep 5 24:00:00 UTC 2026",
        "Don Sep 5 00:00:00 UTC 2026",
        "Thu Sep 5 00:00:00 utc 2026",
        "Thu Sep 5 00:00:00 CET 2026",
        "Thu Sep 5 00:00:00 UTC 0000",
    ],
)
def test_impossible_date_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        verifier.parse_timestamp(text)


@pytest.mark.parametrize("text", ["thu SEP 05 00:00:00 GMT 2026", "Fri Sep 5 00:00:00 GMT 2026"])
def test_timestamp_is_normalized_to_its_canonical_form(text: str) -> None:
    assert verifier.parse_timestamp(text)[1] == "Sat Sep 5 00:00:00 GMT 2026"


@pytest.mark.parametrize(
    "number", ["", "=", "gA==", "AA==", base64.b64encode(srp_peer.pad(srp_peer.N)).decode()]
)
def test_device_verifier_outside_its_range_is_refused(number: str) -> None:
    with pytest.raises(Refusal):
        verifier.device_verifier(number, "AQ==")


@given(st.text(), st.integers(10**9, 4 * 10**9))
def test_totp_code_is_right_only_within_one_step(text: str, seconds: int) -> None:
    text, moment = text.encode("utf-8", "replace").decode(), datetime.fromtimestamp(seconds, UTC)
    secret = totp.new_secret(lambda length: bytes(range(length)))
    right = {totp._code(secret, int(moment.timestamp()) // 30 + step) for step in (-1, 0, 1)}

    assert (totp.matching_step(secret, text, moment) is not None) is (text in right)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_totp_codes_match_rfc_6238_appendix_b(seconds: int, code: str) -> None:
    secret = base64.b32encode(b"12345678901234567890").decode()

    assert totp.totp_code(secret, datetime.fromtimestamp(seconds, UTC)) == code
