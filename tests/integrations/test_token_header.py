"""Which servers receive a token, and in which header. Origins are compared as browsers compare them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_flow import Tokens, UsageError
from cognito_flow.integrations._token_header import TokenHeader, TokenUse

API = "https://api.example.com"


def header(
    origins: list[str] | None = None,
    *,
    token: TokenUse = "access",
    name: str = "Authorization",
    scheme: str | None = "Bearer",
) -> TokenHeader:
    return TokenHeader.read(token=token, origins=origins, header=name, scheme=scheme)


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
def test_url_of_the_same_origin_receives_the_token(origin: str, url: str) -> None:
    assert header([origin]).goes_to(url)


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
def test_url_of_another_origin_receives_no_token(url: str) -> None:
    assert not header([API]).goes_to(url)


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
def test_malformed_origin_raises_usage_error(origin: str) -> None:
    with pytest.raises(UsageError, match="not an origin"):
        header([origin])


@given(st.text() | st.text().map("https://{}".format))
def test_arbitrary_origin_is_read_or_refused(text: str) -> None:
    try:
        read = header([text])
    except UsageError:
        return
    assert read.goes_to(f"{text}/")


def test_missing_id_token_raises_usage_error() -> None:
    tokens = Tokens("access", None, "refresh", expires_at=datetime(2030, 1, 1, tzinfo=UTC), username="alice")

    assert header().value(tokens) == "Bearer access"
    with pytest.raises(UsageError, match="no ID token"):
        header(token="id").value(tokens)


@pytest.mark.parametrize(
    ("scheme", "value"), [("Bearer", "Bearer access"), ("Token", "Token access"), (None, "access")]
)
def test_scheme_precedes_the_token(scheme: str | None, value: str) -> None:
    tokens = Tokens("access", None, "refresh", expires_at=datetime(2030, 1, 1, tzinfo=UTC), username="alice")

    assert header(scheme=scheme).value(tokens) == value


@pytest.mark.parametrize("text", ["", "X Token", "X-Token:", "X-Token\r\nHost", "T\u00f6ken"])
def test_malformed_header_or_scheme_raises_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="header is"):
        header(name=text)
    with pytest.raises(UsageError, match="scheme is"):
        header(scheme=text)
