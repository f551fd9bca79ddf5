"""What the entries and cookies of Amplify hold, and which of them are read."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from cognito_flow import AppClient, Device, SignedIn, Tokens, UsageError, UserSrpAuth
from cognito_flow.integrations import amplify
from cognito_flow.testing import LocalCognito, Pool

DEVICE = Device("eu-west-1_key", "-group", "a secret+/=")
NAME = "al(i)ce+1@example.com"
URL = "https://shop.example"


@pytest.fixture
def pool(cognito: LocalCognito) -> Pool:
    pool = cognito.create_pool()
    pool.add_user(NAME, "correct horse")
    return pool


@pytest.fixture
def signed_in(pool: Pool) -> SignedIn:
    return pool.flow().sign_in(UserSrpAuth(NAME, "correct horse"))


def expected(signed_in: SignedIn, device: Device | None = None) -> SignedIn:
    """What comes back: the expiry is read from the token, to the second."""
    tokens = signed_in.tokens
    read = Tokens.from_jwts(tokens.access_token, tokens.id_token, tokens.refresh_token)
    return SignedIn(NAME, read, device)


def state_of(pool: Pool, signed_in: SignedIn, url: str, *, as_cookies: bool = False) -> dict[str, Any]:
    """The storage state, as JSON would have it."""
    return {**amplify.storage_state(pool.app, signed_in, url, as_cookies=as_cookies)}


def test_local_storage_comes_back(pool: Pool, signed_in: SignedIn) -> None:
    entries = amplify.local_storage(pool.app, signed_in)

    assert amplify.read_local_storage(pool.app, entries) == expected(signed_in)


def test_tokens_alone_are_handed_over(pool: Pool, signed_in: SignedIn) -> None:
    assert amplify.local_storage(pool.app, signed_in.tokens) == amplify.local_storage(pool.app, signed_in)


def test_cookies_come_back(pool: Pool, signed_in: SignedIn) -> None:
    made = amplify.cookies(pool.app, signed_in, device=DEVICE)

    assert f"CognitoIdentityServiceProvider.{pool.app.client_id}.al%28i%29ce+1%40example.com.idToken" in made
    assert amplify.read_cookies(pool.app, {"session": "another", **made}) == expected(signed_in, DEVICE)


def test_device_of_the_sign_in_comes_back(pool: Pool, signed_in: SignedIn) -> None:
    entries = amplify.local_storage(pool.app, attrs.evolve(signed_in, device=DEVICE))

    assert amplify.read_local_storage(pool.app, entries) == expected(signed_in, DEVICE)


def test_incomplete_device_is_left_out(pool: Pool, signed_in: SignedIn) -> None:
    """Amplify ignores it, too."""
    entries = amplify.local_storage(pool.app, signed_in, device=attrs.evolve(DEVICE, secret=""))

    assert amplify.read_local_storage(pool.app, entries) == expected(signed_in)


def test_typed_name_is_kept_for_amplify(pool: Pool, signed_in: SignedIn) -> None:
    entries = amplify.local_storage(pool.app, signed_in, login_id="Alice")
    prefix = f"CognitoIdentityServiceProvider.{pool.app.client_id}.{NAME}"

    assert entries[f"{prefix}.signInDetails"] == '{"loginId": "Alice"}'


@pytest.mark.parametrize("as_cookies", [False, True])
@pytest.mark.parametrize("url", [URL, "http://localhost:3000", "http://LOCALHOST:80/path", f"{URL}:443"])
def test_storage_state_comes_back(pool: Pool, signed_in: SignedIn, as_cookies: bool, url: str) -> None:
    state = state_of(pool, signed_in, url, as_cookies=as_cookies)

    assert bool(state["cookies"]) is as_cookies
    assert amplify.read_storage_state(pool.app, state, url) == expected(signed_in)
    assert amplify.read_storage_state(pool.app, state, "https://another.example") is None


def test_origin_is_written_as_browsers_write_it(pool: Pool, signed_in: SignedIn) -> None:
    [origin] = state_of(pool, signed_in, "https://user@Shop.example:443/path")["origins"]

    assert origin["origin"] == URL


@pytest.mark.parametrize(("url", "secure"), [(URL, True), ("http://localhost:3000", False)])
def test_cookies_are_secure_where_the_page_is(
    pool: Pool, signed_in: SignedIn, url: str, secure: bool
) -> None:
    state = state_of(pool, signed_in, url, as_cookies=True)

    assert {cookie["secure"] for cookie in state["cookies"]} == {secure}


@pytest.mark.parametrize(
    ("domain", "is_read"), [(".shop.example", True), ("shop.example", False), (".another.example", False)]
)
def test_cookies_of_the_domain_are_read(pool: Pool, signed_in: SignedIn, domain: str, is_read: bool) -> None:
    state = state_of(pool, signed_in, URL, as_cookies=True)
    for cookie in state["cookies"]:
        cookie["domain"] = domain

    read = amplify.read_storage_state(pool.app, state, "https://www.shop.example")
    assert (read is not None) is is_read


@pytest.mark.parametrize("state", [{}, {"origins": [7], "cookies": [None]}, {"origins": "x", "cookies": {}}])
def test_state_of_another_shape_has_no_sign_in(state: dict[str, object]) -> None:
    assert amplify.read_storage_state(AppClient("eu-west-1_AbC123", "id"), state, URL) is None


def test_storage_without_a_sign_in_returns_none(pool: Pool) -> None:
    assert amplify.read_local_storage(pool.app, {"theme": "dark"}) is None


def test_access_token_that_cannot_be_read_returns_none(pool: Pool, signed_in: SignedIn) -> None:
    """Cookies come from outside, so their content is not a mistake in the program."""
    entries = amplify.local_storage(pool.app, attrs.evolve(signed_in.tokens, access_token="not a JWT"))

    assert amplify.read_local_storage(pool.app, entries) is None


def test_app_client_with_a_secret_is_a_usage_error(pool: Pool, signed_in: SignedIn) -> None:
    app = pool.app_client(secret=True)

    with pytest.raises(UsageError, match="with a secret"):
        amplify.local_storage(app, signed_in)


def test_tokens_of_another_app_client_are_a_usage_error(pool: Pool, signed_in: SignedIn) -> None:
    with pytest.raises(UsageError, match="of another app client"):
        amplify.cookies(pool.app_client(), signed_in)


@pytest.mark.parametrize(
    "url", ["localhost:3000", "ftp://shop.example", "https://", "http://[::1", "http://a:99999"]
)
def test_url_of_another_kind_is_a_usage_error(pool: Pool, signed_in: SignedIn, url: str) -> None:
    with pytest.raises(UsageError, match="http"):
        amplify.storage_state(pool.app, signed_in, url)
