"""models.py: the records check themselves, and hide what is secret."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_flow import AppClient, Device, Tokens, UsageError, UserContext
from cognito_flow.models import System

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "pool_id", ["", "eu-west-1", "eu-west-1_", "_abc", "eu-west-1_a-b", "eu west_abc", "a_b_c"]
)
def test_malformed_pool_id_raises_usage_error(pool_id: str) -> None:
    with pytest.raises(UsageError, match="eu-west-1_AbC123"):
        AppClient(pool_id, "client-id")


def test_empty_client_id_raises_usage_error() -> None:
    with pytest.raises(UsageError, match="client_id"):
        AppClient("eu-west-1_abc", "")


def test_empty_client_secret_raises_usage_error() -> None:
    """It is a setting that was not set."""
    with pytest.raises(UsageError, match="client_secret"):
        AppClient("eu-west-1_abc", "id", "")


@pytest.mark.parametrize(
    ("region", "suffix"),
    [
        ("eu-west-1", "amazonaws.com"),
        ("cn-north-1", "amazonaws.com.cn"),
        ("eusc-de-east-1", "amazonaws.eu"),
        ("us-iso-east-1", "c2s.ic.gov"),
        ("us-isob-east-1", "sc2s.sgov.gov"),
        ("us-gov-west-1", "amazonaws.com"),
    ],
)
def test_issuer_follows_the_partition(region: str, suffix: str) -> None:
    app = AppClient(f"{region}_abc", "id")

    assert f"https://cognito-idp.{region}.{suffix}/{region}_abc" == app.issuer
    assert f"{app.issuer}/.well-known/jwks.json" == app.jwks_url


def test_issuer_and_endpoint_can_be_overridden() -> None:
    """The endpoint serves the keys, too; a trailing slash is ignored."""
    app = AppClient(
        "eu-west-1_abc", "id", endpoint_url="http://localhost:9229/", issuer="https://me.example/"
    )

    assert app.issuer == "https://me.example"
    assert app.jwks_url == "http://localhost:9229/eu-west-1_abc/.well-known/jwks.json"


def test_app_client_without_a_secret_has_no_secret_hash() -> None:
    assert AppClient("eu-west-1_abc", "id").secret_hash("alice") is None


def test_no_secret_is_in_a_repr() -> None:
    records = [
        AppClient("eu-west-1_abc", "id", "SECRET"),
        Device("key", "group", "SECRET"),
        Tokens("SECRET", "SECRET", "SECRET", expires_at=NOW, username="alice"),
        UserContext(encoded_data="SECRET", headers=(("cookie", "SECRET"),)),
    ]

    assert "SECRET" not in repr(records)


def test_naive_expiry_raises_usage_error() -> None:
    with pytest.raises(UsageError, match="time zone"):
        Tokens("a", None, None, expires_at=datetime(2030, 1, 1), username="alice")  # noqa: DTZ001


@pytest.mark.parametrize("name", ["access_token", "username", "expires_at", "token_type"])
@pytest.mark.parametrize("value", [None, 1, ["x"]])
def test_incomplete_stored_tokens_raise_usage_error_with_the_name(name: str, value: object) -> None:
    stored: dict[str, object] = {
        **Tokens("a", "i", "r", expires_at=NOW, username="alice").to_dict(),
        name: value,
    }

    with pytest.raises(UsageError, match=name):
        Tokens.from_dict(stored)


def test_stored_tokens_that_are_not_an_object_raise_usage_error() -> None:
    stored: Any = None

    with pytest.raises(UsageError, match="not stored tokens"):
        Tokens.from_dict(stored)


def test_stored_tokens_without_a_date_raise_usage_error() -> None:
    stored = {**Tokens("a", "i", "r", expires_at=NOW, username="alice").to_dict(), "expires_at": "soon"}

    with pytest.raises(UsageError, match="expires_at"):
        Tokens.from_dict(stored)


@given(
    st.builds(
        Tokens,
        st.text(),
        st.none() | st.text(),
        st.none() | st.text(),
        expires_at=st.just(NOW),
        username=st.text(),
    )
)
def test_tokens_are_read_as_they_were_written(tokens: Tokens) -> None:
    assert tokens == Tokens.from_dict(tokens.to_dict())


def test_clock_of_the_system_is_aware() -> None:
    assert System().now().tzinfo is UTC
    assert len(System().random_bytes(7)) == 7


def test_replica_is_called_in_its_own_region_with_the_issuer_of_the_pool() -> None:
    app = AppClient("eu-west-1_abc", "id", region="us-east-1")

    assert app.region == "us-east-1"
    assert app.issuer == "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc"


def test_jwks_url_of_its_own_is_not_moved_by_the_endpoint() -> None:
    app = AppClient("eu-west-1_abc", "id", endpoint_url="https://proxy", jwks_url="https://keys/jwks.json")

    assert app.jwks_url == "https://keys/jwks.json"


def test_repr_of_an_app_client_shows_no_private_field() -> None:
    app = AppClient("eu-west-1_abc", "id", "SECRET", issuer="https://me.example", region="us-east-1")

    assert repr(app) == "AppClient(pool_id='eu-west-1_abc', client_id='id', endpoint_url=None)"


def jwt(**claims: object) -> str:
    """A JWT with these claims and no valid signature."""
    parts = ({"alg": "RS256"}, claims)
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "x"]
    )


def test_tokens_from_jwts_read_name_expiry_and_device_from_the_claims() -> None:
    expires_at = datetime(2030, 1, 1, tzinfo=UTC)
    access = jwt(username="alice", exp=int(expires_at.timestamp()), device_key="device")
    identity = jwt(exp=int(expires_at.timestamp()) + 60)

    tokens = Tokens.from_jwts(access, identity, "refresh")

    assert tokens == Tokens(
        access, identity, "refresh", expires_at=expires_at, username="alice", device_key="device"
    )
    assert tokens.id_expires_at == expires_at + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("opaque", "not a JWT"),
        ("a.b.c", "not a JWT"),
        ("a.!.c", "not a JWT"),
        (jwt(exp=1), "no claim 'username'"),
        (jwt(username="alice"), "neither ExpiresIn nor a claim 'exp'"),
        (jwt(username="alice", exp="soon"), "neither ExpiresIn nor a claim 'exp'"),
        (jwt(username="alice", exp=True), "neither ExpiresIn nor a claim 'exp'"),
        (jwt(username="alice", exp=10**20), "neither ExpiresIn nor a claim 'exp'"),
        (jwt(username="al\ud800ice", exp=1), "a claim of the access token contains a lone surrogate"),
        (jwt(username="alice", device_key="\ud800", exp=1), "contains a lone surrogate"),
        (None, "must be a str"),
    ],
)
def test_tokens_from_something_else_than_a_jwt_raise_usage_error(token: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Tokens.from_jwts(token)


def test_refresh_token_as_bytes_raises_usage_error() -> None:
    """Without it, the sign-in would end with the access token, an hour later."""
    refresh_token: Any = b"refresh"

    with pytest.raises(UsageError, match="RefreshToken must be a str, not bytes"):
        Tokens.from_jwts(jwt(username="alice", exp=1), None, refresh_token)


def test_tokens_from_a_result_of_boto3() -> None:
    result = {
        "AccessToken": jwt(username="alice"),
        "ExpiresIn": 3600,
        "RefreshToken": "r",
        "TokenType": "Bearer",
    }

    tokens = Tokens.from_result(result, now=NOW)

    assert (tokens.username, tokens.refresh_token, tokens.id_token) == ("alice", "r", None)
    assert tokens.expires_at == NOW + timedelta(hours=1)
    assert tokens.id_expires_at is None


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "pass the AuthenticationResult itself"),
        ({"AuthenticationResult": {}}, "pass the AuthenticationResult itself"),
        ({"AccessToken": jwt(username="a", exp=1), "IdToken": 1}, "IdToken must be a str, not int"),
        ({"AccessToken": jwt(username="a"), "ExpiresIn": 10**18}, "out of range"),
    ],
)
def test_tokens_from_an_unreadable_result_raise_usage_error(result: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Tokens.from_result(result)


def test_expires_in_counts_down_and_turns_negative() -> None:
    soon = Tokens("a", expires_at=datetime.now(UTC) + timedelta(minutes=1), username="alice")
    past = Tokens("a", expires_at=datetime.now(UTC) - timedelta(minutes=1), username="alice")

    assert 0 < soon.expires_in <= 60
    assert past.expires_in <= -60


def test_headers_of_a_request_are_a_mapping_or_pairs() -> None:
    pairs = (("User-Agent", "x"), ("Accept", "*/*"))

    assert UserContext(headers=dict(pairs)).headers == UserContext(headers=pairs).headers == pairs
    wrong: Any
    for wrong in ("User-Agent: x", [("a", "b", "c")], 5, ["abc"]):
        with pytest.raises(UsageError, match="headers must be a mapping"):
            UserContext(headers=wrong)


def test_pool_id_that_was_not_found_raises_usage_error() -> None:
    """As `os.environ.get` returns it."""
    missing: Any = None
    with pytest.raises(UsageError, match="None is not a user pool id"):
        AppClient(missing, "client-id")
