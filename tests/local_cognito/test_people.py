"""Who may sign in: names that do not exist, states of users, lock-out, and forgotten passwords."""

from __future__ import annotations

import pytest

from cognito_flow.testing import LocalCognito
from tests.local_cognito.wire import PASSWORD, Wire, refusal

INCORRECT = ("NotAuthorizedException", "Incorrect username or password.")
NOT_FOUND = ("UserNotFoundException", "User does not exist.")
NEW = "Battery-staple-2"


@pytest.fixture
def hiding(wire: Wire) -> Wire:
    """The pool through an app client that hides who exists."""
    return Wire(wire.pool, wire.pool.app_client(prevent_user_existence_errors="ENABLED").client_id)


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


# -- forgotten passwords --


def forgot(wire: Wire, username: str = "alice") -> dict[str, object]:
    answer: dict[str, object] = wire.api.forgot_password(ClientId=wire.client_id, Username=username)
    return answer


def confirm(wire: Wire, code: str, username: str = "alice", password: str = NEW) -> object:
    return wire.api.confirm_forgot_password(
        ClientId=wire.client_id, Username=username, ConfirmationCode=code, Password=password
    )


def test_forgotten_password(wire: Wire) -> None:
    """A code to the verified phone number sets a new password, once."""
    details = forgot(wire)["CodeDeliveryDetails"]
    expected = {"Destination": "+*******5678", "DeliveryMedium": "SMS", "AttributeName": "phone_number"}
    assert details == expected
    code = wire.pool.last_code("alice")
    confirm(wire, code)
    assert "AuthenticationResult" in wire.srp(password=NEW)
    assert refusal(wire.password) == INCORRECT
    assert refusal(lambda: confirm(wire, code))[0] == "ExpiredCodeException"


def test_forgotten_password_after_a_reset(wire: Wire) -> None:
    """Who must reset the password does it so."""
    wire.api.admin_reset_user_password(UserPoolId=wire.pool.id, Username="alice")
    forgot(wire)
    confirm(wire, wire.pool.last_code("alice"))
    assert "AuthenticationResult" in wire.password(password=NEW)


def test_recovery_goes_where_the_pool_says(cognito: LocalCognito) -> None:
    """AccountRecoverySetting ranks the addresses."""
    ranked = [{"Priority": 1, "Name": "verified_email"}, {"Priority": 2, "Name": "verified_phone_number"}]
    pool = cognito.create_pool(account_recovery_setting={"RecoveryMechanisms": ranked})
    pool.add_user("alice", PASSWORD, email="alice@example.com", phone_number="+31612345678")
    forgot(Wire(pool))
    assert cognito.outbox[-1].medium == "EMAIL"


def test_recovery_with_a_wrong_code(wire: Wire) -> None:
    """A wrong code leaves the right one good; a password against the policy, too."""
    forgot(wire)
    code = wire.pool.last_code("alice")
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    text = "Invalid verification code provided, please try again."
    assert refusal(lambda: confirm(wire, wrong)) == ("CodeMismatchException", text)
    weak = refusal(lambda: confirm(wire, code, password="battery-staple-2"))
    assert weak[0] == "InvalidPasswordException"
    confirm(wire, code)


def test_recovery_code_expires(wire: Wire) -> None:
    """After an hour, or without having been asked for, no code is good."""
    expected = ("ExpiredCodeException", "Invalid code provided, please request a code again.")
    assert refusal(lambda: confirm(wire, "123456")) == expected
    forgot(wire)
    wire.cognito.clock.advance(3600)
    assert refusal(lambda: confirm(wire, wire.pool.last_code("alice"))) == expected


def test_recovery_refused(wire: Wire) -> None:
    """Unknown, disabled, without a verified address, or with a temporary password: each is told."""
    expected = ("UserNotFoundException", "Username/client id combination not found.")
    assert refusal(lambda: forgot(wire, "nobody")) == expected
    assert refusal(lambda: confirm(wire, "123456", "nobody")) == expected
    assert refusal(lambda: forgot(wire, "bob"))[0] == "InvalidParameterException"
    wire.pool.add_user("carol", PASSWORD, email="carol@example.com", temporary=True)
    text = "User password cannot be reset in the current state."
    assert refusal(lambda: forgot(wire, "carol")) == ("NotAuthorizedException", text)
    wire.api.admin_disable_user(UserPoolId=wire.pool.id, Username="alice")
    assert refusal(lambda: forgot(wire)) == ("NotAuthorizedException", "User is disabled.")


def test_recovery_hides_who_exists(hiding: Wire) -> None:
    """Unknown names and users without an address are answered alike, nothing is sent, and no code is good."""
    for username in ("nobody", "bob"):
        assert (
            forgot(hiding, username)["CodeDeliveryDetails"] == forgot(hiding, username)["CodeDeliveryDetails"]
        )
    assert not hiding.cognito.outbox
    assert refusal(lambda: confirm(hiding, "123456", "nobody"))[0] == "CodeMismatchException"
