"""Tokens: signed, claimed, refreshed, rotated, revoked."""

from __future__ import annotations

from functools import partial
from typing import Any

import jwt
import pytest

from cognito_flow.testing import ALL_FLOWS, LocalCognito
from tests.local_cognito.wire import PASSWORD, Wire, refusal
from tests.support import srp_peer

BAD_REFRESH = ("NotAuthorizedException", "Invalid Refresh Token.")
REVOKED = ("NotAuthorizedException", "Access Token has been revoked")


def result(wire: Wire, username: str = "alice") -> Any:
    """The result of a sign-in."""
    return wire.password(username)["AuthenticationResult"]


def claims(wire: Wire, token: str, audience: str | None = None) -> dict[str, Any]:
    """The claims, after the signature was verified against the pool's JWKS."""
    keys = jwt.PyJWKSet.from_dict(wire.pool.jwks())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    options: Any = {"verify_exp": False, "verify_iat": False}
    verified: dict[str, Any] = jwt.decode(
        token, key.key, algorithms=["RS256"], audience=audience, options=options
    )
    return verified


def refresh(wire: Wire, token: str, **more: str) -> Any:
    """GetTokensFromRefreshToken."""
    call = wire.api.get_tokens_from_refresh_token
    return call(ClientId=wire.client_id, RefreshToken=token, **more)["AuthenticationResult"]


@pytest.fixture
def rotating(wire: Wire) -> Wire:
    """An app client that rotates, with a grace of 10 seconds."""
    flows = [flow for flow in ALL_FLOWS if flow != "ALLOW_REFRESH_TOKEN_AUTH"]
    rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 10}
    return Wire(wire.pool, wire.pool.app_client(flows=flows, refresh_token_rotation=rotation).client_id)


def test_access_token(wire: Wire) -> None:
    """The access token names the app client, and has no audience."""
    told = claims(wire, result(wire)["AccessToken"])
    now = int(wire.cognito.clock.timestamp())
    assert told["iss"] == f"https://cognito-idp.eu-west-1.amazonaws.com/{wire.pool.id}"
    assert (told["token_use"], told["client_id"], told["username"]) == ("access", wire.client_id, "alice")
    assert (told["auth_time"], told["iat"], told["exp"]) == (now, now, now + 3600)
    assert told["scope"] == "aws.cognito.signin.user.admin"
    assert "aud" not in told


def test_another_issuer(wire: Wire) -> None:
    """A pool's tokens name another issuer where a test says so."""
    wire.pool.configure(issuer="http://localhost:9229/pool")
    tokens = result(wire)
    for token, audience in ((tokens["AccessToken"], None), (tokens["IdToken"], wire.client_id)):
        assert claims(wire, token, audience)["iss"] == "http://localhost:9229/pool"


def test_id_token(wire: Wire) -> None:
    """The ID token names the audience, and the attributes; what is verified is a boolean."""
    told = claims(wire, result(wire)["IdToken"], wire.client_id)
    assert (told["token_use"], told["cognito:username"]) == ("id", "alice")
    assert (told["email"], told["email_verified"]) == ("alice@example.com", True)
    assert told["sub"] == wire.pool.user("alice").sub


def test_two_keys(wire: Wire) -> None:
    """The two tokens are signed with different keys, and those of two pools, too."""
    signed = result(wire)
    other = wire.cognito.create_pool()
    kids = {jwt.get_unverified_header(signed[name])["kid"] for name in ("AccessToken", "IdToken")}
    assert len(kids) == 2
    others: Any = other.jwks()["keys"]
    assert kids.isdisjoint(key["kid"] for key in others)


def test_lives_as_the_app_client_says(wire: Wire) -> None:
    """AccessTokenValidity is in the unit that TokenValidityUnits names."""
    app = wire.pool.app_client(
        access_token_validity=5, token_validity_units={"AccessToken": "minutes"}, refresh_token_validity=1
    )
    short = Wire(wire.pool, app.client_id)
    signed = result(short)
    assert signed["ExpiresIn"] == 300
    short.cognito.clock.advance(299)
    short.api.get_user(AccessToken=signed["AccessToken"])
    short.cognito.clock.advance(1)
    expected = ("NotAuthorizedException", "Access Token has expired")
    assert refusal(lambda: short.api.get_user(AccessToken=signed["AccessToken"])) == expected
    short.cognito.clock.advance(86400)
    expected = ("NotAuthorizedException", "Refresh Token has expired")
    assert refusal(lambda: refresh(short, signed["RefreshToken"])) == expected


def test_id_token_is_no_access_token(wire: Wire) -> None:
    """Only an access token of one of the pools opens an operation."""
    signed = result(wire)
    expected = ("NotAuthorizedException", "Invalid Access Token")
    for token in (signed["IdToken"], signed["AccessToken"][:-4] + "AAAA", "a.b.c"):
        assert refusal(partial(wire.api.get_user, AccessToken=token)) == expected


@pytest.mark.parametrize("flow", ["REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"])
def test_refresh(wire: Wire, flow: str) -> None:
    """Refreshed tokens belong to the sign-in, and keep its time."""
    first = result(wire)
    wire.cognito.clock.advance(600)
    again = wire.start(flow, REFRESH_TOKEN=first["RefreshToken"])["AuthenticationResult"]
    assert "RefreshToken" not in again
    before, after = claims(wire, first["AccessToken"]), claims(wire, again["AccessToken"])
    assert (before["origin_jti"], before["auth_time"]) == (after["origin_jti"], after["auth_time"])
    assert after["iat"] == before["iat"] + 600


@pytest.mark.parametrize("token", ["garbage", "é"])
def test_refresh_with_garbage(wire: Wire, token: str) -> None:
    """What the pool did not issue is refused."""
    result(wire)
    assert refusal(lambda: wire.start("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token)) == BAD_REFRESH


def test_refresh_through_another_client(wire: Wire) -> None:
    """A refresh token is bound to its app client."""
    token = result(wire)["RefreshToken"]
    other = Wire(wire.pool, wire.pool.app_client().client_id)
    assert refusal(lambda: refresh(other, token)) == BAD_REFRESH


def test_refresh_needs_the_client_secret(wire: Wire) -> None:
    """GetTokensFromRefreshToken takes the secret itself."""
    app = wire.pool.app_client(secret=True)
    guarded = Wire(wire.pool, app.client_id)
    hashed = srp_peer.secret_hash("alice", app.client_id, app.client_secret or "")
    token = guarded.password(SECRET_HASH=hashed)["AuthenticationResult"]["RefreshToken"]
    assert refusal(lambda: refresh(guarded, token))[0] == "NotAuthorizedException"
    assert refusal(lambda: refresh(guarded, token, ClientSecret="x" * 24))[0] == "NotAuthorizedException"
    assert "AccessToken" in refresh(guarded, token, ClientSecret=app.client_secret or "")


def test_rotation(rotating: Wire) -> None:
    """The old token works for the grace, and then tells that it was used again; the new one works on."""
    old = result(rotating)["RefreshToken"]
    new = refresh(rotating, old)["RefreshToken"]
    rotating.cognito.clock.advance(9)
    assert refresh(rotating, old)["RefreshToken"] not in (old, new)
    rotating.cognito.clock.advance(1)
    assert refusal(lambda: refresh(rotating, old))[0] == "RefreshTokenReuseException"
    assert refresh(rotating, new)["RefreshToken"] != new


def test_rotation_and_the_older_flow(wire: Wire) -> None:
    """Where tokens rotate, REFRESH_TOKEN_AUTH cannot be enabled."""
    call = wire.pool.app_client
    assert (
        refusal(lambda: call(refresh_token_rotation={"Feature": "ENABLED"}))[0] == "InvalidParameterException"
    )


def test_revoked(wire: Wire) -> None:
    """A revoked token takes the access tokens of its sign-in with it, and leaves other sign-ins alone."""
    first, second = result(wire), result(wire)
    wire.api.revoke_token(ClientId=wire.client_id, Token=first["RefreshToken"])
    assert refusal(lambda: refresh(wire, first["RefreshToken"])) == BAD_REFRESH
    assert refusal(lambda: wire.api.get_user(AccessToken=first["AccessToken"])) == REVOKED
    assert "AccessToken" in refresh(wire, second["RefreshToken"])


def test_revoking_what_cannot_be(wire: Wire) -> None:
    """An access token cannot be revoked, nor another client's token, nor where revocation is off."""
    signed = result(wire)
    call = wire.api.revoke_token
    access = refusal(lambda: call(ClientId=wire.client_id, Token=signed["AccessToken"]))
    assert access[0] == "UnsupportedTokenTypeException"
    other = wire.pool.app_client().client_id
    foreign = refusal(lambda: call(ClientId=other, Token=signed["RefreshToken"]))
    assert foreign[0] == "UnauthorizedException"
    off = wire.pool.app_client(enable_token_revocation=False).client_id
    disabled = refusal(lambda: call(ClientId=off, Token=signed["RefreshToken"]))
    assert disabled[0] == "UnsupportedOperationException"


def test_global_sign_out(wire: Wire) -> None:
    """All sign-ins of the user end, and nobody else's."""
    mine, also_mine, bobs = result(wire), result(wire), result(wire, "bob")
    wire.api.global_sign_out(AccessToken=mine["AccessToken"])
    assert refusal(lambda: wire.api.get_user(AccessToken=also_mine["AccessToken"])) == REVOKED
    assert refusal(lambda: refresh(wire, also_mine["RefreshToken"])) == BAD_REFRESH
    assert wire.api.get_user(AccessToken=bobs["AccessToken"])["Username"] == "bob"


def test_pre_token_generation(wire: Wire) -> None:
    """The trigger adds claims to the ID token, takes claims away, and sets the groups."""

    def claim(event: Any) -> Any:
        event["response"]["claimsOverrideDetails"] = {
            "claimsToAddOrOverride": {"plan": "gold"},
            "claimsToSuppress": ["email"],
            "groupOverrideDetails": {"groupsToOverride": ["staff"]},
        }
        return event

    wire.pool.triggers["PreTokenGeneration"] = claim
    told = claims(wire, result(wire)["IdToken"], wire.client_id)
    assert told["plan"] == "gold"
    assert "email" not in told
    assert told["cognito:groups"] == ["staff"]


def test_keys_of_many_services() -> None:
    """Pools of different services may share keys, so that making them costs nothing."""
    kids = []
    for _ in range(2):
        pool = LocalCognito().create_pool()
        pool.add_user("alice", PASSWORD)
        keys: Any = pool.jwks()["keys"]
        kids.append([key["kid"] for key in keys])
    assert kids[0] == kids[1]


def test_rotation_without_a_grace(wire: Wire) -> None:
    """The old token is over at once, even where the clock stands still."""
    flows = [flow for flow in ALL_FLOWS if flow != "ALLOW_REFRESH_TOKEN_AUTH"]
    rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}
    rotating = Wire(wire.pool, wire.pool.app_client(flows=flows, refresh_token_rotation=rotation).client_id)
    old = result(rotating)["RefreshToken"]
    refresh(rotating, old)
    assert refusal(lambda: refresh(rotating, old))[0] == "RefreshTokenReuseException"


def test_a_token_that_was_rotated_away_stays_away(rotating: Wire) -> None:
    """Also when rotation is switched off afterwards; the one that came in its place works on."""
    old = result(rotating)["RefreshToken"]
    new = refresh(rotating, old)["RefreshToken"]
    rotating.cognito.clock.advance(10)
    rotating.api.update_user_pool_client(
        UserPoolId=rotating.pool.id, ClientId=rotating.client_id, ExplicitAuthFlows=ALL_FLOWS
    )
    refused = refusal(lambda: rotating.start("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=old))
    assert refused == ("NotAuthorizedException", "Refresh Token has been revoked")
    assert "AuthenticationResult" in rotating.start("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=new)


def test_claims_that_no_trigger_can_change(wire: Wire) -> None:
    """Who and what the token is for, and how long, is not the trigger's to say."""
    forged = {"sub": "x", "token_use": "access", "iss": "x", "cognito:username": "bob", "dev:custom:x": "x"}
    details = {
        "claimsToAddOrOverride": {**forged, "plan": "pro"},
        "claimsToSuppress": ["aud", "exp", "email"],
    }
    wire.pool.triggers["PreTokenGeneration"] = lambda event: {
        **event,
        "response": {"claimsOverrideDetails": details},
    }
    told = claims(wire, result(wire)["IdToken"], wire.client_id)
    assert (told["token_use"], told["cognito:username"], told["plan"]) == ("id", "alice", "pro")
    assert told["sub"] == wire.pool.user("alice").sub
    assert "exp" in told
    assert not {"email", "dev:custom:x"} & set(told)
