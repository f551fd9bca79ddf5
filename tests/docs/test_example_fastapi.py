"""Test the FastAPI login on a pool that really verifies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from cognito_flow.testing import LocalCognito, Pool
from tests.support.documentation import DOCS, load
from tests.support.planted import tokens_in
from tests.support.pools import pool_with_totp

fastapi_login: Any = load(DOCS / "examples" / "fastapi_login.py")


@pytest.fixture
def pool(cognito: LocalCognito) -> Pool:
    """A pool that requires a second factor, with a user who has one."""
    return pool_with_totp(cognito)


@pytest.fixture
def browser(pool: Pool) -> Iterator[TestClient]:
    """A browser that calls the application, which has a flow for the pool."""
    app = pool.app_client(secret=True, prevent_user_existence_errors="ENABLED")
    flow = pool.async_flow(app, seal_keys=["k" * 32])
    with TestClient(fastapi_login.make_app(flow), base_url="https://shop.example") as browser:
        yield browser


def give_password(browser: TestClient, username: str = "alice", password: str = "correct horse") -> Any:
    """Send the first request."""
    return browser.post("/login", json={"username": username, "password": password})


def sign_in(browser: TestClient, pool: Pool) -> Any:
    """Send both requests, with the right password and code."""
    state = give_password(browser).json()["state"]
    return browser.post("/login/code", json={"state": state, "code": pool.totp("alice")})


def test_password_and_code_sign_in_with_two_requests(browser: TestClient, pool: Pool) -> None:
    asked = give_password(browser)
    assert (asked.status_code, asked.json()["asks"]) == (200, "SOFTWARE_TOKEN_MFA")
    assert browser.get("/me").status_code == 401

    done = browser.post("/login/code", json={"state": asked.json()["state"], "code": pool.totp("alice")})
    assert (done.status_code, done.json()) == (200, {"username": "alice"})
    assert browser.get("/me").json() == {"username": "alice"}


def test_browser_gets_a_cookie_that_scripts_cannot_read_and_no_token(browser: TestClient, pool: Pool) -> None:
    done = sign_in(browser, pool)

    value, *attributes = done.headers["set-cookie"].split("; ")
    assert value.startswith("__Host-session=")
    assert {"HttpOnly", "Secure", "SameSite=strict", "Path=/"} <= set(attributes)
    assert tokens_in(done.text + done.headers["set-cookie"]) == []


@pytest.mark.parametrize("username", ["alice", "unknown"])
def test_wrong_password_and_unknown_name_get_the_same_response(browser: TestClient, username: str) -> None:
    """Otherwise the response would reveal who has an account."""
    refused = give_password(browser, username, "battery staple")

    assert (refused.status_code, refused.json()) == (401, {"detail": "Wrong name or password."})
    assert "set-cookie" not in refused.headers


def test_unconfirmed_user_is_asked_to_confirm_the_address(browser: TestClient, pool: Pool) -> None:
    pool.add_user("carol", "battery staple", confirmed=False)
    refused = give_password(browser, "carol", "battery staple")

    assert (refused.status_code, refused.json()) == (403, {"detail": "Please confirm your address first."})


def test_right_code_after_a_wrong_one_signs_in(browser: TestClient, pool: Pool) -> None:
    """The page sends the same state again."""
    state = give_password(browser).json()["state"]
    wrong = f"{(int(pool.totp('alice')) + 1) % 1_000_000:06}"
    refused = browser.post("/login/code", json={"state": state, "code": wrong})
    assert (refused.status_code, refused.json()) == (401, {"detail": "That is not the code."})
    assert browser.get("/me").status_code == 401

    done = browser.post("/login/code", json={"state": state, "code": pool.totp("alice")})
    assert done.json() == {"username": "alice"}


def test_code_after_three_minutes_must_start_again(
    browser: TestClient, pool: Pool, cognito: LocalCognito
) -> None:
    """A Session of Cognito expires after three minutes."""
    state = give_password(browser).json()["state"]
    cognito.clock.advance(200)
    refused = browser.post("/login/code", json={"state": state, "code": pool.totp("alice")})

    assert (refused.status_code, refused.json()) == (410, {"detail": "Please start again."})


def test_double_click_is_refused_without_a_call(
    browser: TestClient, pool: Pool, cognito: LocalCognito
) -> None:
    """The session of the first click stays."""
    answer = {"state": give_password(browser).json()["state"], "code": pool.totp("alice")}
    browser.post("/login/code", json=answer)
    calls = len(cognito.calls)
    again = browser.post("/login/code", json=answer)

    assert (again.status_code, "set-cookie" in again.headers) == (410, False)
    assert len(cognito.calls) == calls
    assert browser.get("/me").json() == {"username": "alice"}


def test_state_of_another_browser_is_refused(browser: TestClient, pool: Pool) -> None:
    """An attacker cannot have somebody else finish the attacker's sign-in."""
    state = give_password(browser).json()["state"]
    browser.cookies.clear()
    answer = {"state": state, "code": pool.totp("alice")}
    assert browser.post("/login/code", json=answer).status_code == 410

    give_password(browser)
    assert browser.post("/login/code", json=answer).status_code == 410


@pytest.mark.parametrize("spoilt", ["{turned}{rest}", "{rest}", "", "ü"])
def test_altered_state_is_refused(browser: TestClient, pool: Pool, spoilt: str) -> None:
    state = give_password(browser).json()["state"]
    state = spoilt.format(turned=state[:40].swapcase(), rest=state[40:])
    refused = browser.post("/login/code", json={"state": state, "code": pool.totp("alice")})

    assert (refused.status_code, refused.json()) == (410, {"detail": "Please start again."})


def test_short_throttling_is_retried(browser: TestClient, pool: Pool, cognito: LocalCognito) -> None:
    cognito.faults.throttle("InitiateAuth", times=2)
    cognito.faults.throttle("RespondToAuthChallenge", times=2)

    assert sign_in(browser, pool).json() == {"username": "alice"}


@pytest.mark.parametrize("fault", ["throttle", "error_before", "lose"])
def test_longer_outage_asks_the_user_to_try_again_later(
    browser: TestClient, pool: Pool, cognito: LocalCognito, fault: str
) -> None:
    getattr(cognito.faults, fault)("InitiateAuth", times=3)
    refused = give_password(browser)
    assert (refused.status_code, refused.json()) == (503, {"detail": "Please try again in a minute."})

    assert sign_in(browser, pool).json() == {"username": "alice"}


def test_empty_field_is_refused_without_a_call(browser: TestClient, cognito: LocalCognito) -> None:
    refused = give_password(browser, password="")

    assert (refused.status_code, refused.json()) == (422, {"detail": "Please fill in every field."})
    assert "InitiateAuth" not in [call.operation for call in cognito.calls]


def test_challenge_without_a_page_is_not_implemented(browser: TestClient, pool: Pool) -> None:
    pool.add_user("bob", "battery staple", temporary=True)

    assert give_password(browser, "bob", "battery staple").status_code == 501


def test_session_is_refreshed_until_an_administrator_ends_it(
    browser: TestClient, pool: Pool, cognito: LocalCognito
) -> None:
    sign_in(browser, pool)
    cognito.clock.advance(7200)
    assert browser.get("/me").json() == {"username": "alice"}

    administrator: Any = cognito.client()
    administrator.admin_user_global_sign_out(UserPoolId=pool.id, Username="alice")
    cognito.clock.advance(7200)
    assert browser.get("/me").json() == {"detail": "Please sign in."}


def test_lost_response_to_a_rotating_refresh_ends_the_session(pool: Pool, cognito: LocalCognito) -> None:
    """The old refresh token no longer works, and the new one is lost."""
    rotation: Any = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}
    app = pool.app_client(flows=("ALLOW_USER_SRP_AUTH",), refresh_token_rotation=rotation)
    flow = pool.async_flow(app, seal_keys=["k" * 32])
    with TestClient(fastapi_login.make_app(flow), base_url="https://shop.example") as browser:
        sign_in(browser, pool)
        cognito.clock.advance(7200)
        cognito.faults.lose("GetTokensFromRefreshToken")
        assert browser.get("/me").json() == {"detail": "Please sign in."}
        assert browser.post("/logout").status_code == 204


def test_logout_revokes_the_tokens_and_ends_the_session_for_a_copied_cookie(
    browser: TestClient, pool: Pool, cognito: LocalCognito
) -> None:
    sign_in(browser, pool)
    kept = {"Cookie": f"__Host-session={browser.cookies['__Host-session']}"}
    assert browser.get("/me", headers=kept).status_code == 200
    assert browser.post("/logout").status_code == 204

    assert (cognito.calls[-1].operation, cognito.calls[-1].error) == ("RevokeToken", None)
    assert not browser.cookies
    assert browser.get("/me", headers=kept).status_code == 401


def test_logout_without_a_session_succeeds(browser: TestClient, pool: Pool, cognito: LocalCognito) -> None:
    """Also if Cognito has already ended the session."""
    assert browser.post("/logout").status_code == 204
    sign_in(browser, pool)
    administrator: Any = cognito.client()
    administrator.admin_user_global_sign_out(UserPoolId=pool.id, Username="alice")
    cognito.clock.advance(7200)

    assert browser.post("/logout").status_code == 204
