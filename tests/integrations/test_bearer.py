"""Which token goes where: origins are read strictly, and compared as browsers compare them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_flow import Tokens, UsageError
from cognito_flow.integrations.bearer import Bearer

API = "https://api.example.com"


@pytest.mark.parametrize(
    ("origin", "url"),
    [
        (API, f"{API}/orders?page=2#top"),
        (API, f"{API}:443/"),
        (f"{API}:443", API),
        ("HTTPS://API.Example.com", f"{API}/"),
        ("http://[::1]:8000", "http://[::1]:8000/"),
    ],
)
def test_the_same_origin(origin: str, url: str) -> None:
    """Scheme, host and port are equal, however they are written."""
    assert Bearer("access", [origin]).goes_to(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/",
        f"{API}:8443/",
        "https://example.com/",
        "https://api.example.com.evil.example/",
        "https://api.example.com@evil.example/",
        "https://evil.example/https://api.example.com",
        "https://evil.example/?https://api.example.com",
    ],
)
def test_another_origin(url: str) -> None:
    """Whatever differs, and whatever only looks alike."""
    assert not Bearer("access", [API]).goes_to(url)


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "api.example.com",
        "//api.example.com",
        "ftp://api.example.com",
        "https://",
        "https://:443",
        f"{API}/",
        f"{API}/orders",
        f"{API}?page=2",
        f"{API}#top",
        "https://alice@api.example.com",
        f"{API}:port",
        f"{API}:99999",
        "https://[::1",
        "https://bücher.example",
    ],
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    """A path would be ignored, and what is mistyped would keep the token at home for ever."""
    with pytest.raises(UsageError, match="not an origin"):
        Bearer("access", [origin])


@given(st.text() | st.text().map("https://{}".format))
def test_any_text_is_read_or_refused(text: str) -> None:
    """One that is read is the origin of itself."""
    try:
        bearer = Bearer("access", [text])
    except UsageError:
        return
    assert bearer.goes_to(f"{text}/")


def test_an_id_token_that_is_missing_is_named() -> None:
    """Tokens that were stored by others may have none."""
    tokens = Tokens("access", None, "refresh", expires_at=datetime(2030, 1, 1, tzinfo=UTC), username="alice")

    assert Bearer("access", None).authorization(tokens) == "Bearer access"
    with pytest.raises(UsageError, match="no ID token"):
        Bearer("id", None).authorization(tokens)
