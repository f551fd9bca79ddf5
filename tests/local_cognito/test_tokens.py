"""Tokens: signatures, claims, refresh, rotation and revocation."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import jwt
import pytest

from cognito_flow.testing import ALL_FLOWS, LocalCognito
from tests.local_cognito.wire import PASSWORD, Wire, refusal
from tests.support import srp_peer

BAD_REFRESH = ("NotAuthorizedException", "Invalid Refresh Token.")
REVOKED_REFRESH = ("NotAuthorizedException", "Refresh Token has been revoked")
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
    """An app client that rotates refresh tokens with a grace period of 10 seconds."""
    flows = [flow for flow in ALL_FLOWS if flow != "ALLOW_REFRESH_TOKEN_AUTH"]
    rotation: Any = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 10}
    return Wire(wire.pool, wire.pool.app_client(flows=flows, refresh_token_rotation=rotation).client_id)


def test_access_token_names_the_client_and_has_no_audience(wire: Wire) -> None:
    shown = claims(wire, result(wire)["AccessToken"])
    now = int(wire.cognito.clock.timestamp())
    assert shown["iss"] == f"https://cognito-idp.eu-west-1.amazonaws.com/{wire.pool.id}"
    assert (shown["token_use"], shown["client_id"], shown["username"]) == ("access", wire.client_id, "alice")
    assert (shown["auth_time"], shown["iat"], shown["exp"]) == (now, now, now + 3600)
    assert shown["scope"] == "aws.cognito.signin.user.admin"
    assert "aud" not in shown


def test_configured_issuer_is_in_the_tokens(wire: Wire) -> None:
    wire.pool.configure(issuer="http://localhost:9229/pool")
    tokens = result(wire)
    for token, audience in ((tokens["AccessToken"], None), (tokens["IdToken"], wire.client_id)):
        assert claims(wire, token, audience)["iss"] == "http://localhost:9229/pool"


def test_id_token_has_audience_attributes_and_boolean_verification(wire: Wire) -> None:
    shown = claims(wire, result(wire)["IdToken"], wire.client_id)
    assert (shown["token_use"], shown["cognito:username"]) == ("id", "alice")
    assert (shown["email"], shown["email_verified"]) == ("alice@example.com", True)
    assert shown["sub"] == wire.pool.user("alice").sub


def test_tokens_and_pools_use_different_keys(wire: Wire) -> None:
    signed = result(wire)
    other = wire.cognito.create_pool()
    kids = {jwt.get_unverified_header(signed[name])["kid"] for name in ("AccessToken", "IdToken")}
    assert len(kids) == 2
    others: Any = other.jwks()["keys"]
    assert kids.isdisjoint(key["kid"] for key in others)


def test_token_validity_follows_the_client_and_its_units(wire: Wire) -> None:
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


def test_id_token_is_refused_as_access_token(wire: Wire) -> None:
    signed = result(wire)
    expected = ("NotAuthorizedException", "Invalid Access Token")
    for token in (signed["IdToken"], signed["AccessToken"][:-4] + "AAAA", "a.b.c"):
        assert refusal(partial(wire.api.get_user, AccessToken=token)) == expected


@pytest.mark.parametrize("flow", ["REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"])
def test_refreshed_tokens_keep_sign_in_and_auth_time(wire: Wire, flow: str) -> None:
    first = result(wire)
    wire.cognito.clock.advance(600)
    again = wire.start(flow, REFRESH_TOKEN=first["RefreshToken"])["AuthenticationResult"]
    assert "RefreshToken" not in again
    before, after = claims(wire, first["AccessToken"]), claims(wire, again["AccessToken"])
    assert (before["origin_jti"], before["auth_time"]) == (after["origin_jti"], after["auth_time"])
    assert after["iat"] == before["iat"] + 600


@pytest.mark.parametrize("token", ["garbage", "é"])
def test_made_up_refresh_token_is_refused(wire: Wire, token: str) -> None:
    result(wire)
    assert refusal(lambda: wire.start("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token)) == BAD_REFRESH


def test_refresh_through_another_client_is_refused(wire: Wire) -> None:
    token = result(wire)["RefreshToken"]
    other = Wire(wire.pool, wire.pool.app_client().client_id)
    assert refusal(lambda: refresh(other, token)) == BAD_REFRESH


def test_get_tokens_from_refresh_token_needs_the_client_secret(wire: Wire) -> None:
    app = wire.pool.app_client(secret=True)
    guarded = Wire(wire.pool, app.client_id)
    hashed = srp_peer.secret_hash("alice", app.client_id, app.client_secret or "")
    token = guarded.password(SECRET_HASH=hashed)["AuthenticationResult"]["RefreshToken"]
    assert refusal(lambda: refresh(guarded, token))[0] == "NotAuthorizedException"
    assert refusal(lambda: refresh(guarded, token, ClientSecret="x" * 24))[0] == "NotAuthorizedException"
    assert "AccessToken" in refresh(guarded, token, ClientSecret=app.client_secret or "")


def test_rotated_refresh_token_works_for_the_grace_period_then_is_reuse(rotating: Wire) -> None:
    old = result(rotating)["RefreshToken"]
    new = refresh(rotating, old)["RefreshToken"]
    rotating.cognito.clock.advance(9)
    assert refresh(rotating, old)["RefreshToken"] not in (old, new)
    rotating.cognito.clock.advance(1)
    assert refusal(lambda: refresh(rotating, old))[0] == "RefreshTokenReuseException"
    assert refresh(rotating, new)["RefreshToken"] != new


def test_rotation_with_allow_refresh_token_auth_is_refused(wire: Wire) -> None:
    call = wire.pool.app_client
    assert (
        refusal(lambda: call(refresh_token_rotation={"Feature": "ENABLED"}))[0] == "InvalidParameterException"
    )


def test_revoked_token_ends_its_own_sign_in_alone(wire: Wire) -> None:
    first, second = result(wire), result(wire)
    wire.api.revoke_token(ClientId=wire.client_id, Token=first["RefreshToken"])
    assert refusal(lambda: refresh(wire, first["RefreshToken"])) == REVOKED_REFRESH
    assert refusal(lambda: wire.api.get_user(AccessToken=first["AccessToken"])) == REVOKED
    assert "AccessToken" in refresh(wire, second["RefreshToken"])


def test_revoking_access_tokens_or_tokens_of_other_clients_is_refused(wire: Wire) -> None:
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


def test_global_sign_out_ends_all_sign_ins_of_the_user_alone(wire: Wire) -> None:
    mine, also_mine, bobs = result(wire), result(wire), result(wire, "bob")
    wire.api.global_sign_out(AccessToken=mine["AccessToken"])
    assert refusal(lambda: wire.api.get_user(AccessToken=also_mine["AccessToken"])) == REVOKED
    assert refusal(lambda: refresh(wire, also_mine["RefreshToken"])) == REVOKED_REFRESH
    assert wire.api.get_user(AccessToken=bobs["AccessToken"])["Username"] == "bob"


def test_pre_token_generation_changes_claims_and_groups_of_the_id_token(wire: Wire) -> None:
    def claim(event: Any) -> Any:
        event["response"]["claimsOverrideDetails"] = {
            "claimsToAddOrOverride": {"plan": "gold"},
            "claimsToSuppress": ["email"],
            "groupOverrideDetails": {"groupsToOverride": ["staff"]},
        }
        return event

    wire.pool.triggers["PreTokenGeneration"] = claim
    shown = claims(wire, result(wire)["IdToken"], wire.client_id)
    assert shown["plan"] == "gold"
    assert "email" not in shown
    assert shown["cognito:groups"] == ["staff"]


def test_pools_of_different_services_share_keys() -> None:
    kids = []
    for _ in range(2):
        pool = LocalCognito().create_pool()
        pool.add_user("alice", PASSWORD)
        keys: Any = pool.jwks()["keys"]
        kids.append([key["kid"] for key in keys])
    assert kids[0] == kids[1]


def test_rotation_without_grace_period_ends_the_old_token_at_once(wire: Wire) -> None:
    flows = [flow for flow in ALL_FLOWS if flow != "ALLOW_REFRESH_TOKEN_AUTH"]
    rotation: Any = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}
    rotating = Wire(wire.pool, wire.pool.app_client(flows=flows, refresh_token_rotation=rotation).client_id)
    old = result(rotating)["RefreshToken"]
    refresh(rotating, old)
    assert refusal(lambda: refresh(rotating, old))[0] == "RefreshTokenReuseException"


def test_rotated_token_stays_refused_after_rotation_was_switched_off(rotating: Wire) -> None:
    old = result(rotating)["RefreshToken"]
    new = refresh(rotating, old)["RefreshToken"]
    rotating.cognito.clock.advance(10)
    rotating.api.update_user_pool_client(
        UserPoolId=rotating.pool.id, ClientId=rotating.client_id, ExplicitAuthFlows=ALL_FLOWS
    )
    refused = refusal(lambda: rotating.start("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=old))
    assert refused == ("NotAuthorizedException", "Refresh Token has been revoked")
    assert "AuthenticationResult" in rotating.start("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=new)


def test_reserved_claims_cannot_be_changed_by_the_trigger(wire: Wire) -> None:
    forged = {"sub": "x", "token_use": "access", "iss": "x", "cognito:username": "bob", "dev:custom:x": "x"}
    details = {
        "claimsToAddOrOverride": {**forged, "plan": "pro"},
        "claimsToSuppress": ["aud", "exp", "email"],
    }
    wire.pool.triggers["PreTokenGeneration"] = lambda event: {
        **event,
        "response": {"claimsOverrideDetails": details},
    }
    shown = claims(wire, result(wire)["IdToken"], wire.client_id)
    assert (shown["token_use"], shown["cognito:username"], shown["plan"]) == ("id", "alice", "pro")
    assert shown["sub"] == wire.pool.user("alice").sub
    assert "exp" in shown
    assert not {"email", "dev:custom:x"} & set(shown)


@pytest.mark.parametrize(("version", "number"), [("V2_0", "2"), ("V3_0", "3")])
def test_later_pre_token_generation_changes_claims_scopes_and_groups_of_both_tokens(
    wire: Wire, version: str, number: str
) -> None:
    events: list[Any] = []

    def trigger(event: Any) -> Any:
        events.append(copy.deepcopy(event))
        event["response"]["claimsAndScopeOverrideDetails"] = {
            "idTokenGeneration": {"claimsToAddOrOverride": {"plan": "gold"}, "claimsToSuppress": ["email"]},
            "accessTokenGeneration": {
                "claimsToAddOrOverride": {"tenants": ["a", "b"], "username": "bob", "sub": "x"},
                "claimsToSuppress": ["event_id", "jti", "absent"],
                "scopesToAdd": ["api/read", "api/read"],
            },
            "groupOverrideDetails": {"groupsToOverride": ["staff"]},
        }
        return event

    arn = "arn:aws:lambda:eu-west-1:123456789012:function:f"
    config = {"PreTokenGenerationConfig": {"LambdaVersion": version, "LambdaArn": arn}}
    wire.api.update_user_pool(UserPoolId=wire.pool.id, LambdaConfig=config)
    wire.pool.triggers["PreTokenGeneration"] = trigger
    tokens = result(wire)
    access, identity = claims(wire, tokens["AccessToken"]), claims(wire, tokens["IdToken"], wire.client_id)

    assert events[0]["version"] == number
    assert events[0]["request"]["scopes"] == ["aws.cognito.signin.user.admin"]
    assert events[0]["response"] == {"claimsAndScopeOverrideDetails": None}
    assert (identity["plan"], "email" in identity) == ("gold", False)
    assert access["tenants"] == ["a", "b"]
    assert access["scope"] == "aws.cognito.signin.user.admin api/read"
    assert (access["username"], access["sub"]) == ("alice", identity["sub"])
    assert {"event_id", "jti"} <= set(access)
    assert access["cognito:groups"] == identity["cognito:groups"] == ["staff"]
    assert wire.api.get_user(AccessToken=tokens["AccessToken"])["Username"] == "alice"


def test_access_token_without_the_scope_of_the_user_operations_is_refused(wire: Wire) -> None:
    scopes = {"scopesToSuppress": ["aws.cognito.signin.user.admin"], "scopesToAdd": ["api/read"]}
    details = {"accessTokenGeneration": scopes}
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:f"
    config = {"PreTokenGenerationConfig": {"LambdaVersion": "V2_0", "LambdaArn": arn}}
    wire.api.update_user_pool(UserPoolId=wire.pool.id, LambdaConfig=config)
    wire.pool.triggers["PreTokenGeneration"] = lambda event: {
        **event,
        "response": {"claimsAndScopeOverrideDetails": details},
    }
    token = result(wire)["AccessToken"]

    assert claims(wire, token)["scope"] == "api/read"
    refused = refusal(lambda: wire.api.get_user(AccessToken=token))
    assert refused == ("NotAuthorizedException", "Access Token does not have required scopes")


def test_client_metadata_reaches_pre_token_generation_from_answers_alone(totp_wire: Wire) -> None:
    seen: list[Any] = []

    def trigger(event: Any) -> Any:
        seen.append(event["request"]["clientMetadata"])
        return event

    totp_wire.pool.triggers["PreTokenGeneration"] = trigger
    step = totp_wire.password()
    totp_wire.api.respond_to_auth_challenge(
        ClientId=totp_wire.client_id,
        ChallengeName="SOFTWARE_TOKEN_MFA",
        Session=step["Session"],
        ChallengeResponses={"USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": totp_wire.pool.totp("alice")},
        ClientMetadata={"from": "answer"},
    )
    plain = totp_wire.cognito.create_pool()
    plain.add_user("alice", PASSWORD)
    plain.triggers["PreTokenGeneration"] = trigger
    plain_wire = Wire(plain)
    done = plain_wire.api.initiate_auth(
        ClientId=plain_wire.client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "alice", "PASSWORD": PASSWORD},
        ClientMetadata={"from": "start"},
    )
    plain_wire.api.get_tokens_from_refresh_token(
        ClientId=plain_wire.client_id,
        RefreshToken=done["AuthenticationResult"]["RefreshToken"],
        ClientMetadata={"from": "refresh"},
    )

    assert seen == [{"from": "answer"}, {}, {"from": "refresh"}]
