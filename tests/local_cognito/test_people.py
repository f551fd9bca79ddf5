"""Who may sign in: unknown names, states of users, and lock-out."""

from __future__ import annotations

from typing import Any

import pytest

from cognito_flow.testing import LocalCognito
from tests.local_cognito.wire import PASSWORD, Wire, refusal

INCORRECT = ("NotAuthorizedException", "Incorrect username or password.")
NOT_FOUND = ("UserNotFoundException", "User does not exist.")


@pytest.fixture
def hiding(wire: Wire) -> Wire:
    """The pool through an app client that hides which users exist."""
    return Wire(wire.pool, wire.pool.app_client(prevent_user_existence_errors="ENABLED").client_id)


def test_add_user_with_a_taken_name_or_address_raises_value_error(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(alias_attributes=["email"])
    alice = pool.add_user("alice", PASSWORD, email="alice@example.com")

    with pytest.raises(ValueError, match="a user alice exists already"):
        pool.add_user("alice", "Another horse 1")
    with pytest.raises(ValueError, match="bob cannot be added: An account with the email already exists"):
        pool.add_user("bob", PASSWORD, email="alice@example.com")

    assert (pool.user("alice"), pool.user("alice@example.com")) == (alice, alice)
    with pytest.raises(KeyError):
        pool.user("bob")


def test_add_user_with_a_taken_unverified_address_is_accepted(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(alias_attributes=["email"])
    alice = pool.add_user("alice", PASSWORD, email="alice@example.com")

    pool.add_user("bob", PASSWORD, attributes={"email": "alice@example.com", "email_verified": "false"})

    assert pool.user("alice@example.com") is alice


def test_add_user_with_a_taken_address_as_name_raises_value_error(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(username_attributes=["email"])
    pool.add_user("alice@example.com", PASSWORD)

    with pytest.raises(ValueError, match="email already exists"):
        pool.add_user("alice@example.com", PASSWORD)


@pytest.mark.parametrize("flow", ["USER_PASSWORD_AUTH", "USER_SRP_AUTH", "USER_AUTH", "CUSTOM_AUTH"])
def test_unknown_user_is_reported_where_the_client_hides_nothing(wire: Wire, flow: str) -> None:
    values = {"USERNAME": "unknown", "PASSWORD": PASSWORD, "SRP_A": wire.exponent.srp_a}
    assert refusal(lambda: wire.start(flow, **values)) == NOT_FOUND


def test_hidden_unknown_user_looks_like_a_wrong_password(hiding: Wire) -> None:
    assert refusal(lambda: hiding.password("unknown")) == INCORRECT
    assert refusal(lambda: hiding.password("alice", "Wrong horse 1")) == INCORRECT


def test_hidden_unknown_user_gets_an_srp_challenge_that_no_password_answers(hiding: Wire) -> None:
    challenge = hiding.start_srp("unknown")
    assert set(challenge["ChallengeParameters"]) == set(hiding.start_srp("alice")["ChallengeParameters"])
    assert refusal(lambda: hiding.prove(challenge, hiding.claim(challenge))) == INCORRECT


def test_simulated_salt_and_user_id_stay_the_same_for_a_name(hiding: Wire) -> None:
    def simulated(name: str) -> tuple[str, str]:
        parameters = hiding.start_srp(name)["ChallengeParameters"]
        return parameters["SALT"], parameters["USER_ID_FOR_SRP"]

    assert simulated("unknown") == simulated("unknown")
    assert not set(simulated("unknown")) & set(simulated("somebody"))


def test_simulated_salt_never_starts_with_a_zero_byte(hiding: Wire) -> None:
    salts = [int(hiding.start_srp(f"unknown{n}")["ChallengeParameters"]["SALT"], 16) for n in range(20)]
    firsts = {salt >> 120 for salt in salts}
    assert len(firsts) > 10
    assert 0 < min(firsts) <= max(firsts) < 256


def test_hidden_unknown_user_gets_a_simulated_code_that_nothing_answers(cognito: LocalCognito) -> None:
    policy: Any = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
    pool = cognito.create_pool(policies=policy)
    wire = Wire(pool, pool.app_client(prevent_user_existence_errors="ENABLED").client_id)
    step = wire.start("USER_AUTH", USERNAME="unknown", PREFERRED_CHALLENGE="EMAIL_OTP")
    assert step["ChallengeName"] == "EMAIL_OTP"
    assert not cognito.outbox
    answered = refusal(lambda: wire.answer(step, "unknown", EMAIL_OTP_CODE="12345678"))
    assert answered[0] == "CodeMismatchException"


@pytest.mark.parametrize("flow", ["USER_PASSWORD_AUTH", "USER_SRP_AUTH"])
def test_disabled_is_reported_before_unconfirmed_and_both_before_the_password(wire: Wire, flow: str) -> None:
    wire.pool.add_user("carol", PASSWORD, confirmed=False)
    values = {"USERNAME": "carol", "PASSWORD": "Wrong horse 1", "SRP_A": wire.exponent.srp_a}
    expected = ("UserNotConfirmedException", "User is not confirmed.")
    assert refusal(lambda: wire.start(flow, **values)) == expected
    wire.api.admin_disable_user(UserPoolId=wire.pool.id, Username="carol")
    expected = ("NotAuthorizedException", "User is disabled.")
    assert refusal(lambda: wire.start(flow, **values)) == expected


def test_enabled_user_signs_in_again(wire: Wire) -> None:
    wire.api.admin_disable_user(UserPoolId=wire.pool.id, Username="alice")
    wire.api.admin_enable_user(UserPoolId=wire.pool.id, Username="alice")
    assert "AuthenticationResult" in wire.password()


def test_reset_required_is_reported_only_after_the_right_password(wire: Wire) -> None:
    wire.api.admin_reset_user_password(UserPoolId=wire.pool.id, Username="alice")
    assert refusal(lambda: wire.password(password="Wrong horse 1")) == INCORRECT
    expected = ("PasswordResetRequiredException", "Password reset required for the user")
    assert refusal(wire.password) == expected


def test_temporary_password_expires_after_a_week(wire: Wire) -> None:
    wire.pool.add_user("carol", PASSWORD, temporary=True)
    wire.cognito.clock.advance(7 * 86400 - 1)
    assert wire.password("carol")["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    wire.cognito.clock.advance(1)
    text = "Temporary password has expired and must be reset by an administrator."
    assert refusal(lambda: wire.password("carol")) == ("NotAuthorizedException", text)


def test_five_wrong_passwords_lock_for_a_second_and_the_sixth_for_two(wire: Wire) -> None:
    locked = ("NotAuthorizedException", "Password attempts exceeded")
    for _ in range(5):
        assert refusal(lambda: wire.password(password="Wrong horse 1")) == INCORRECT
    assert refusal(wire.password) == locked
    wire.cognito.clock.advance(1)
    assert refusal(lambda: wire.srp(password="Wrong horse 1")) == INCORRECT
    wire.cognito.clock.advance(1)
    assert refusal(wire.srp) == locked
    wire.cognito.clock.advance(1)
    assert "AuthenticationResult" in wire.srp()


def test_fifteen_minutes_without_attempts_reset_the_lock(wire: Wire) -> None:
    for _ in range(4):
        assert refusal(lambda: wire.password(password="Wrong horse 1")) == INCORRECT
    wire.cognito.clock.advance(900)
    for _ in range(4):
        assert refusal(lambda: wire.password(password="Wrong horse 1")) == INCORRECT
    assert "AuthenticationResult" in wire.password()


def test_lock_of_one_user_leaves_others_alone(wire: Wire) -> None:
    for _ in range(5):
        assert refusal(lambda: wire.password(password="Wrong horse 1")) == INCORRECT
    assert "AuthenticationResult" in wire.password("bob")
