"""SECRET_HASH, at every step."""

from __future__ import annotations

import pytest

from tests.local_cognito.wire import PASSWORD, Wire, refusal
from tests.support import srp_peer


def guarded(wire: Wire) -> tuple[Wire, str]:
    """The same pool through an app client with a secret."""
    app = wire.pool.app_client(secret=True)
    assert app.client_secret is not None
    return Wire(wire.pool, app.client_id), app.client_secret


def test_right_secret_hash_is_accepted_at_each_step(totp_wire: Wire) -> None:
    wire, secret = guarded(totp_wire)
    hashed = srp_peer.secret_hash("alice", wire.client_id, secret)
    step = wire.password(SECRET_HASH=hashed)
    code = wire.pool.totp("alice")
    assert "AuthenticationResult" in wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code, SECRET_HASH=hashed)


def test_missing_secret_hash_is_refused(wire: Wire) -> None:
    wire, _ = guarded(wire)
    text = f"Client {wire.client_id} is configured with secret but SECRET_HASH was not received"
    assert refusal(wire.password) == ("NotAuthorizedException", text)


@pytest.mark.parametrize("over", ["bob", "Alice", ""])
def test_wrong_secret_hash_is_refused(wire: Wire, over: str) -> None:
    wire, secret = guarded(wire)
    hashed = srp_peer.secret_hash(over, wire.client_id, secret)
    expected = ("NotAuthorizedException", f"Unable to verify secret hash for client {wire.client_id}")
    assert refusal(lambda: wire.password(SECRET_HASH=hashed)) == expected
    assert refusal(lambda: wire.password(SECRET_HASH="é")) == expected


def test_missing_or_wrong_secret_hash_at_a_later_step_leaves_the_session_valid(totp_wire: Wire) -> None:
    wire, secret = guarded(totp_wire)
    hashed = srp_peer.secret_hash("alice", wire.client_id, secret)
    step, code = wire.password(SECRET_HASH=hashed), wire.pool.totp("alice")
    missing = refusal(lambda: wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code))
    assert missing[1].endswith("SECRET_HASH was not received")
    wrong = refusal(lambda: wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code, SECRET_HASH=hashed[::-1]))
    assert wrong[1].startswith("Unable to verify secret hash")
    assert "AuthenticationResult" in wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code, SECRET_HASH=hashed)


def test_srp_proof_without_secret_hash_is_refused(wire: Wire) -> None:
    wire, secret = guarded(wire)
    hashed = srp_peer.secret_hash("alice", wire.client_id, secret)
    challenge = wire.start_srp(SECRET_HASH=hashed)
    claim = wire.claim(challenge)
    assert refusal(lambda: wire.prove(challenge, claim))[1].endswith("SECRET_HASH was not received")
    assert "AuthenticationResult" in wire.prove(challenge, claim | {"SECRET_HASH": hashed})


def test_secret_hash_may_be_over_the_sent_alias_or_the_user_name(wire: Wire) -> None:
    pool = wire.cognito.create_pool(alias_attributes=["email"])
    pool.add_user("alice", PASSWORD, email="alice@example.com")
    wire, secret = guarded(Wire(pool))
    by_name = srp_peer.secret_hash("alice", wire.client_id, secret)
    by_alias = srp_peer.secret_hash("alice@example.com", wire.client_id, secret)
    for username, hashed in (("alice", by_name), ("alice@example.com", by_alias)):
        assert "AuthenticationResult" in wire.password(username, SECRET_HASH=hashed)
    assert "AuthenticationResult" in wire.password("alice@example.com", SECRET_HASH=by_name)
    assert refusal(lambda: wire.password("alice", SECRET_HASH=by_alias))[0] == "NotAuthorizedException"


def test_secret_hash_for_a_client_without_secret_is_refused_at_the_start_alone(totp_wire: Wire) -> None:
    text = f"Client {totp_wire.client_id} is not configured with secret but SECRET_HASH was received"
    expected = ("InvalidParameterException", text)
    assert refusal(lambda: totp_wire.password(SECRET_HASH="x")) == expected
    sign_up = totp_wire.api.sign_up
    arguments = {"ClientId": totp_wire.client_id, "Username": "eve", "Password": "Battery-staple-2"}
    assert refusal(lambda: sign_up(**arguments, SecretHash="eHg=")) == expected
    step, code = totp_wire.password(), totp_wire.pool.totp("alice")
    assert "AuthenticationResult" in totp_wire.answer(step, SOFTWARE_TOKEN_MFA_CODE=code, SECRET_HASH="x")
