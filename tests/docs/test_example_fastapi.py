"""The example of a FastAPI application with a login: what its users may rely on, shown on a pool that really verifies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from cognito_flow.testing import LocalCognito, Pool
from tests.docs.test_docs import load

fastapi_login: Any = load(Path(__file__).parents[2] / "docs" / "examples" / "fastapi_login.py")


@pytest.fixture
def pool(cognito: LocalCognito) -> Pool:
    """A pool where everybody needs a second factor, and alice, who has one."""
    pool = cognito.create_pool(mfa_configuration="ON", software_token_mfa_configuration={"Enabled": True})
    pool.add_user("alice", "correct horse", totp=True)
    return pool


@pytest.fixture
def browser(pool: Pool) -> Iterator[TestClient]:
    """A browser before the application, which is given a flow to the pool."""
    app = pool.app_client(secret=True, prevent_user_existence_errors="ENABLED")
    flow = pool.async_flow(app, seal_keys=["k" * 32])
    with TestClient(fastapi_login.make_app(flow), base_url="https://shop.example") as browser:
        yield browser


def give_password(browser: TestClient, username: str = "alice", password: str = "correct horse") -> Any:
    """The first request."""
    return browser.post("/login", json={"username": username, "password": password})


def sign_in(browser: TestClient, pool: Pool) -> Any:
    """Both requests, with everything right."""
    state = give_password(browser).json()["state"]
    return browser.post("/login/code", json={"state": state, "code": pool.totp("alice")})


def test_a_password_and_a_code_sign_in(browser: TestClient, pool: Pool) -> None:
    """In two requests; before the second, nobody is signed in."""
    asked = give_password(browser)
    assert (asked.status_code, asked.json()["asks"]) == (200, "SOFTWARE_TOKEN_MFA")
    assert browser.get("/me").status_code == 401

    done = browser.post("/login/code", json={"state": asked.json()["state"], "code": pool.totp("alice")})
    assert (done.status_code, done.json()) == (200, {"username": "alice"})
    assert browser.get("/me").json() == {"username": "alice"}


def test_the_browser_gets_a_cookie_and_no_token(browser: TestClient, pool: Pool) -> None:
    """No script can read the cookie, and no other site can have it sent."""
    done = sign_in(browser, pool)

    value, *attributes = done.headers["set-cookie"].split("; ")
    assert value.startswith("__Host-session=")
    assert {"HttpOnly", "Secure", "SameSite=strict", "Path=/"} <= set(attributes)
    assert "eyJ" not in done.text + done.headers["set-cookie"]


@pytest.mark.parametrize("username", ["alice", "nobody"])
def test_a_wrong_password_and_an_unknown_name_are_the_same(browser: TestClient, username: str) -> None:
    """So that nobody learns who has an account."""
    refused = give_password(browser, username, "battery staple")

    assert (refused.status_code, refused.json()) == (401, {"detail": "Wrong name or password."})
    assert "set-cookie" not in refused.headers


def test_who_has_not_confirmed_the_address_is_told(browser: TestClient, pool: Pool) -> None:
    """To come back in a minute would not help."""
    pool.add_user("carol", "battery staple", confirmed=False)
    refused = give_password(browser, "carol", "battery staple")

    assert (refused.status_code, refused.json()) == (403, {"detail": "Please confirm your address first."})


def test_after_a_wrong_code_the_right_one_signs_in(browser: TestClient, pool: Pool) -> None:
    """The page asks again, with the state that it has."""
    state = give_password(browser).json()["state"]
    wrong = f"{(int(pool.totp('alice')) + 1) % 1_000_000:06}"
    refused = browser.post("/login/code", json={"state": state, "code": wrong})
    assert (refused.status_code, refused.json()) == (401, {"detail": "That is not the code."})
    assert browser.get("/me").status_code == 401

    done = browser.post("/login/code", json={"state": state, "code": pool.totp("alice")})
    assert done.json() == {"username": "alice"}


def test_who_waits_too_long_starts_again(browser: TestClient, pool: Pool, cognito: LocalCognito) -> None:
    """A session of Cognito lives for three minutes."""
    state = give_password(browser).json()["state"]
    cognito.clock.advance(200)
    refused = browser.post("/login/code", json={"state": state, "code": pool.totp("alice")})

    assert (refused.status_code, refused.json()) == (410, {"detail": "Please start again."})


def test_a_second_click_signs_in_nobody(browser: TestClient, pool: Pool, cognito: LocalCognito) -> None:
    """It is refused before anything is sent; the session of the first one stays."""
    answer = {"state": give_password(browser).json()["state"], "code": pool.totp("alice")}
    browser.post("/login/code", json=answer)
    calls = len(cognito.calls)
    again = browser.post("/login/code", json=answer)

    assert (again.status_code, "set-cookie" in again.headers) == (409, False)
    assert len(cognito.calls) == calls
    assert browser.get("/me").json() == {"username": "alice"}


@pytest.mark.parametrize("spoilt", ["{turned}{rest}", "{rest}", "", "ü"])
def test_a_state_that_was_tampered_with_is_refused(browser: TestClient, pool: Pool, spoilt: str) -> None:
    """It is authenticated: what the application did not seal, it does not read."""
    state = give_password(browser).json()["state"]
    state = spoilt.format(turned=state[:40].swapcase(), rest=state[40:])
    refused = browser.post("/login/code", json={"state": state, "code": pool.totp("alice")})

    assert (refused.status_code, refused.json()) == (410, {"detail": "Please start again."})


def test_a_short_throttling_is_not_noticed(browser: TestClient, pool: Pool, cognito: LocalCognito) -> None:
    """The flow waits a little, and asks again."""
    cognito.faults.throttle("InitiateAuth", times=2)
    cognito.faults.throttle("RespondToAuthChallenge", times=2)

    assert sign_in(browser, pool).json() == {"username": "alice"}


@pytest.mark.parametrize("trouble", ["throttle", "error_before", "lose"])
def test_who_meets_a_pool_in_trouble_is_asked_to_come_back(
    browser: TestClient, pool: Pool, cognito: LocalCognito, trouble: str
) -> None:
    """It was not their fault, and the same password is good a little later."""
    getattr(cognito.faults, trouble)("InitiateAuth", times=3)
    refused = give_password(browser)
    assert (refused.status_code, refused.json()) == (503, {"detail": "Please try again in a minute."})

    assert sign_in(browser, pool).json() == {"username": "alice"}


def test_an_empty_field_is_sent_to_nobody(browser: TestClient, cognito: LocalCognito) -> None:
    """The flow refuses it."""
    refused = give_password(browser, password="")

    assert (refused.status_code, refused.json()) == (422, {"detail": "Please fill in every field."})
    assert "InitiateAuth" not in [call.operation for call in cognito.calls]


def test_a_new_password_has_no_page_yet(browser: TestClient, pool: Pool) -> None:
    """The example says which page is missing."""
    pool.add_user("bob", "battery staple", temporary=True)

    assert give_password(browser, "bob", "battery staple").status_code == 501


def test_a_session_outlives_its_access_token(browser: TestClient, pool: Pool, cognito: LocalCognito) -> None:
    """The tokens are refreshed, until an administrator ends it."""
    sign_in(browser, pool)
    cognito.clock.advance(7200)
    assert browser.get("/me").json() == {"username": "alice"}

    administrator: Any = cognito.client()
    administrator.admin_user_global_sign_out(UserPoolId=pool.id, Username="alice")
    cognito.clock.advance(7200)
    assert browser.get("/me").json() == {"detail": "Please sign in."}


def test_a_session_whose_new_tokens_were_lost_has_ended(pool: Pool, cognito: LocalCognito) -> None:
    """Where refresh tokens rotate, the old one is good for nothing then: only a sign-in helps."""
    rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}
    app = pool.app_client(flows=("ALLOW_USER_SRP_AUTH",), refresh_token_rotation=rotation)
    flow = pool.async_flow(app, seal_keys=["k" * 32])
    with TestClient(fastapi_login.make_app(flow), base_url="https://shop.example") as browser:
        sign_in(browser, pool)
        cognito.clock.advance(7200)
        cognito.faults.lose("GetTokensFromRefreshToken")
        assert browser.get("/me").json() == {"detail": "Please sign in."}
        assert browser.post("/logout").status_code == 204


def test_logout_ends_the_session_and_revokes_the_tokens(
    browser: TestClient, pool: Pool, cognito: LocalCognito
) -> None:
    """Also for who has kept the cookie."""
    sign_in(browser, pool)
    kept = {"Cookie": f"__Host-session={browser.cookies['__Host-session']}"}
    assert browser.get("/me", headers=kept).status_code == 200
    assert browser.post("/logout").status_code == 204

    assert (cognito.calls[-1].operation, cognito.calls[-1].error) == ("RevokeToken", None)
    assert not browser.cookies
    assert browser.get("/me", headers=kept).status_code == 401


def test_logout_may_be_repeated(browser: TestClient, pool: Pool, cognito: LocalCognito) -> None:
    """By who is not signed in, and by whom Cognito has signed out already."""
    assert browser.post("/logout").status_code == 204
    sign_in(browser, pool)
    administrator: Any = cognito.client()
    administrator.admin_user_global_sign_out(UserPoolId=pool.id, Username="alice")
    cognito.clock.advance(7200)

    assert browser.post("/logout").status_code == 204
