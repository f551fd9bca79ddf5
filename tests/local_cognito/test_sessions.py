"""Sessions: bound to pool, app client, user and challenge; once used well, used up."""

from __future__ import annotations

import pytest

from tests.local_cognito.wire import PASSWORD, Wire, refusal

INVALID = ("NotAuthorizedException", "Invalid session for the user.")
EXPIRED = ("NotAuthorizedException", "Invalid session for the user, session is expired.")
USED = ("NotAuthorizedException", "Invalid session for the user, session can only be used once.")


def answer(wire: Wire, session: str | None, username: str = "alice") -> object:
    """Answer SOFTWARE_TOKEN_MFA with a good code."""
    responses = {"USERNAME": username, "SOFTWARE_TOKEN_MFA_CODE": wire.pool.totp(username)}
    return wire.respond("SOFTWARE_TOKEN_MFA", session, responses)


def test_good_for_one_success(totp_wire: Wire) -> None:
    """A Session that was answered rightly is used up."""
    session = totp_wire.password()["Session"]
    answer(totp_wire, session)
    assert refusal(lambda: answer(totp_wire, session)) == USED


def test_missing(totp_wire: Wire) -> None:
    """No second factor is taken without a Session."""
    expected = ("InvalidParameterException", "Missing required parameter Session")
    assert refusal(lambda: answer(totp_wire, None)) == expected


@pytest.mark.parametrize("session", ["x" * 20, "gAAAA" + "A" * 100, "é" * 30])
def test_made_up(totp_wire: Wire, session: str) -> None:
    """A Session that the pool did not issue is refused."""
    assert refusal(lambda: answer(totp_wire, session)) == INVALID


def test_altered(totp_wire: Wire) -> None:
    """A Session with one character changed is refused."""
    session = totp_wire.password()["Session"]
    changed = session[:50] + ("A" if session[50] != "A" else "B") + session[51:]
    assert refusal(lambda: answer(totp_wire, changed)) == INVALID


def test_expires(totp_wire: Wire) -> None:
    """After AuthSessionValidity, 3 minutes, it is over; a second before, it is not."""
    first, second = totp_wire.password()["Session"], totp_wire.password()["Session"]
    totp_wire.cognito.clock.advance(179)
    answer(totp_wire, first)
    totp_wire.cognito.clock.advance(1)
    assert refusal(lambda: answer(totp_wire, second)) == EXPIRED


def test_lives_as_long_as_the_app_client_says(totp_wire: Wire) -> None:
    """AuthSessionValidity is in minutes."""
    wire = Wire(totp_wire.pool, totp_wire.pool.app_client(auth_session_validity=15).client_id)
    session = wire.password()["Session"]
    wire.cognito.clock.advance(899)
    answer(wire, session)


def test_of_another_user(totp_wire: Wire) -> None:
    """bob's code does not answer alice's Session."""
    session = totp_wire.password("alice")["Session"]
    assert refusal(lambda: answer(totp_wire, session, "bob")) == INVALID


def test_of_another_client(totp_wire: Wire) -> None:
    """A Session is bound to the app client that began it."""
    session = totp_wire.password()["Session"]
    other = Wire(totp_wire.pool, totp_wire.pool.app_client().client_id)
    assert refusal(lambda: answer(other, session)) == INVALID


def test_of_another_pool(totp_wire: Wire) -> None:
    """A Session is bound to its pool."""
    session = totp_wire.password()["Session"]
    pool = totp_wire.cognito.create_pool()
    pool.add_user("alice", PASSWORD, totp=True)
    assert refusal(lambda: answer(Wire(pool), session)) == INVALID


def test_for_another_challenge(totp_wire: Wire) -> None:
    """A Session answers only the challenge that it was issued for."""
    session = totp_wire.password()["Session"]
    responses = {"USERNAME": "alice", "NEW_PASSWORD": "Battery-staple-2"}
    assert refusal(lambda: totp_wire.respond("NEW_PASSWORD_REQUIRED", session, responses)) == INVALID


def test_of_a_user_who_was_disabled_since(totp_wire: Wire) -> None:
    """Who is disabled in the middle of a sign-in does not complete it."""
    session = totp_wire.password()["Session"]
    totp_wire.api.admin_disable_user(UserPoolId=totp_wire.pool.id, Username="alice")
    expected = ("NotAuthorizedException", "User is disabled.")
    assert refusal(lambda: answer(totp_wire, session)) == expected


def test_of_a_user_who_was_deleted_since(totp_wire: Wire) -> None:
    """Who is deleted in the middle of a sign-in does not complete it."""
    session, code = totp_wire.password()["Session"], totp_wire.pool.totp("alice")
    totp_wire.api.admin_delete_user(UserPoolId=totp_wire.pool.id, Username="alice")
    responses = {"USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": code}
    assert refusal(lambda: totp_wire.respond("SOFTWARE_TOKEN_MFA", session, responses)) == INVALID


def test_of_a_former_user_of_the_name(totp_wire: Wire) -> None:
    """A Session does not pass to the next user of the same name."""
    session = totp_wire.password()["Session"]
    totp_wire.api.admin_delete_user(UserPoolId=totp_wire.pool.id, Username="alice")
    totp_wire.pool.add_user("alice", "Battery staple 2", totp=True)
    assert refusal(lambda: answer(totp_wire, session)) == INVALID


def test_spent_ones_are_forgotten(totp_wire: Wire) -> None:
    """Sign-ins that are over leave nothing behind but their last few minutes."""
    state = totp_wire.cognito.state(totp_wire.pool.id)
    for _ in range(5):
        answer(totp_wire, totp_wire.password()["Session"])
        totp_wire.cognito.clock.advance(181)
    assert len(state.spent) == 1
