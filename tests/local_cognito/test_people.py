"""Who may sign in: names that do not exist, states of users, and lock-out."""

from __future__ import annotations

import pytest

from cognito_flow.testing import LocalCognito
from tests.local_cognito.wire import PASSWORD, Wire, refusal

INCORRECT = ("NotAuthorizedException", "Incorrect username or password.")
NOT_FOUND = ("UserNotFoundException", "User does not exist.")


@pytest.fixture
def hiding(wire: Wire) -> Wire:
    """The pool through an app client that hides who exists."""
    return Wire(wire.pool, wire.pool.app_client(prevent_user_existence_errors="ENABLED").client_id)


def test_nobody_is_put_in_twice(cognito: LocalCognito) -> None:
    """Neither by name nor by address, and who is there stays."""
    pool = cognito.create_pool(alias_attributes=["email"])
    alice = pool.add_user("alice", PASSWORD, email="alice@example.com")

    with pytest.raises(ValueError, match="there is a user alice already"):
        pool.add_user("alice", "Another horse 1")
    with pytest.raises(ValueError, match="bob cannot be added: An account with the email already exists"):
        pool.add_user("bob", PASSWORD, email="alice@example.com")

    assert (pool.user("alice"), pool.user("alice@example.com")) == (alice, alice)
    with pytest.raises(KeyError):
        pool.user("bob")


def test_an_address_that_is_not_verified_may_be_put_in_twice(cognito: LocalCognito) -> None:
    """It signs nobody in, as on AWS."""
    pool = cognito.create_pool(alias_attributes=["email"])
    alice = pool.add_user("alice", PASSWORD, email="alice@example.com")

    pool.add_user("bob", PASSWORD, attributes={"email": "alice@example.com", "email_verified": "false"})

    assert pool.user("alice@example.com") is alice


def test_an_address_that_is_a_name_is_put_in_once(cognito: LocalCognito) -> None:
    """In pools whose users are named by it."""
    pool = cognito.create_pool(username_attributes=["email"])
    pool.add_user("alice@example.com", PASSWORD)

    with pytest.raises(ValueError, match="email already exists"):
        pool.add_user("alice@example.com", PASSWORD)


@pytest.mark.parametrize("flow", ["USER_PASSWORD_AUTH", "USER_SRP_AUTH", "USER_AUTH", "CUSTOM_AUTH"])
def test_unknown_user_is_told(wire: Wire, flow: str) -> None:
    """Without PreventUserExistenceErrors an unknown name is told so at once."""
    values = {"USERNAME": "nobody", "PASSWORD": PASSWORD, "SRP_A": wire.exponent.srp_a}
    assert refusal(lambda: wire.start(flow, **values)) == NOT_FOUND


def test_unknown_user_hidden_from_the_password(hiding: Wire) -> None:
    """A wrong name and a wrong password look the same."""
    assert refusal(lambda: hiding.password("nobody")) == INCORRECT
    assert refusal(lambda: hiding.password("alice", "Wrong horse 1")) == INCORRECT


def test_unknown_user_hidden_from_srp(hiding: Wire) -> None:
    """An unknown name gets a challenge like any other, which no password answers."""
    challenge = hiding.start_srp("nobody")
    assert set(challenge["ChallengeParameters"]) == set(hiding.start_srp("alice")["ChallengeParameters"])
    assert refusal(lambda: hiding.prove(challenge, hiding.claim(challenge))) == INCORRECT


def test_simulated_challenges_are_steady(hiding: Wire) -> None:
    """The salt and the user id of an unknown name are always the same, and differ from name to name."""

    def simulated(name: str) -> tuple[str, str]:
        parameters = hiding.start_srp(name)["ChallengeParameters"]
        return parameters["SALT"], parameters["USER_ID_FOR_SRP"]

    assert simulated("nobody") == simulated("nobody")
    assert not set(simulated("nobody")) & set(simulated("somebody"))


def test_simulated_salts_look_like_real_ones(hiding: Wire) -> None:
    """A salt tells nothing: its first byte is any but zero."""
    salts = [int(hiding.start_srp(f"nobody{n}")["ChallengeParameters"]["SALT"], 16) for n in range(20)]
    firsts = {salt >> 120 for salt in salts}
    assert len(firsts) > 10
    assert 0 < min(firsts) <= max(firsts) < 256


def test_unknown_user_hidden_from_one_time_passwords(cognito: LocalCognito) -> None:
    """A simulated code goes nowhere, and no code answers it."""
    policy = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
    pool = cognito.create_pool(policies=policy)
    wire = Wire(pool, pool.app_client(prevent_user_existence_errors="ENABLED").client_id)
    step = wire.start("USER_AUTH", USERNAME="nobody", PREFERRED_CHALLENGE="EMAIL_OTP")
    assert step["ChallengeName"] == "EMAIL_OTP"
    assert not cognito.outbox
    answered = refusal(lambda: wire.answer(step, "nobody", EMAIL_OTP_CODE="12345678"))
    assert answered[0] == "CodeMismatchException"


@pytest.mark.parametrize("flow", ["USER_PASSWORD_AUTH", "USER_SRP_AUTH"])
def test_disabled_before_unconfirmed(wire: Wire, flow: str) -> None:
    """Disabled is told before unconfirmed, and both before the password is looked at."""
    wire.pool.add_user("carol", PASSWORD, confirmed=False)
    values = {"USERNAME": "carol", "PASSWORD": "Wrong horse 1", "SRP_A": wire.exponent.srp_a}
    expected = ("UserNotConfirmedException", "User is not confirmed.")
    assert refusal(lambda: wire.start(flow, **values)) == expected
    wire.api.admin_disable_user(UserPoolId=wire.pool.id, Username="carol")
    expected = ("NotAuthorizedException", "User is disabled.")
    assert refusal(lambda: wire.start(flow, **values)) == expected


def test_enabled_again(wire: Wire) -> None:
    """Who is enabled again may sign in."""
    wire.api.admin_disable_user(UserPoolId=wire.pool.id, Username="alice")
    wire.api.admin_enable_user(UserPoolId=wire.pool.id, Username="alice")
    assert "AuthenticationResult" in wire.password()


def test_reset_required_only_after_the_right_password(wire: Wire) -> None:
    """Who does not know the password does not learn that it must be reset."""
    wire.api.admin_reset_user_password(UserPoolId=wire.pool.id, Username="alice")
    assert refusal(lambda: wire.password(password="Wrong horse 1")) == INCORRECT
    expected = ("PasswordResetRequiredException", "Password reset required for the user")
    assert refusal(wire.password) == expected


def test_temporary_password_expires(wire: Wire) -> None:
    """After a week a temporary password is good for nothing; a second before, for a new one."""
    wire.pool.add_user("carol", PASSWORD, temporary=True)
    wire.cognito.clock.advance(7 * 86400 - 1)
    assert wire.password("carol")["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    wire.cognito.clock.advance(1)
    text = "Temporary password has expired and must be reset by an administrator."
    assert refusal(lambda: wire.password("carol")) == ("NotAuthorizedException", text)


def test_lock_out(wire: Wire) -> None:
    """Five wrong passwords lock for a second, the sixth for two; attempts meanwhile change nothing."""
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


def test_lock_out_is_forgotten(wire: Wire) -> None:
    """A quarter of an hour without attempts starts the count again."""
    for _ in range(4):
        assert refusal(lambda: wire.password(password="Wrong horse 1")) == INCORRECT
    wire.cognito.clock.advance(900)
    for _ in range(4):
        assert refusal(lambda: wire.password(password="Wrong horse 1")) == INCORRECT
    assert "AuthenticationResult" in wire.password()


def test_lock_out_is_of_one_user(wire: Wire) -> None:
    """Others sign in meanwhile."""
    for _ in range(5):
        assert refusal(lambda: wire.password(password="Wrong horse 1")) == INCORRECT
    assert "AuthenticationResult" in wire.password("bob")
