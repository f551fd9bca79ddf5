"""What the verifiers require of a valid token: scopes, groups, and how and when its user signed in."""

from __future__ import annotations

import asyncio
import inspect
import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from cognito_flow import (
    Actor,
    AsyncTokenVerifier,
    NotPermitted,
    StepUpRequired,
    System,
    TokenInvalid,
    TokenVerifier,
    UsageError,
)
from tests.support import forge
from tests.support.forge import APP

AT = datetime(2030, 1, 1, 12, tzinfo=UTC)
NOW = int(AT.timestamp())
LOA2 = "urn:cognito:loa:2"
CLAIMS: dict[str, Any] = {
    "scope": "openid shop/read",
    "cognito:groups": ["admins", "editors"],
    "acr": LOA2,
    "amr": ["pwd", "otp", "mfa"],
    "auth_time": NOW - 600,
}


@pytest.fixture(params=[(kind, use) for kind in ("sync", "async") for use in ("access", "id")], ids=" ".join)
def verify(request: pytest.FixtureRequest) -> Any:
    """Verify a token with these claims, of either kind and by either verifier."""
    kind, use = request.param
    make = TokenVerifier if kind == "sync" else AsyncTokenVerifier
    verifier: Any = make(
        APP, fetch=lambda _: json.dumps(forge.jwks()).encode(), system=System(now=lambda: AT)
    )

    def verify(changes: dict[str, Any] | None = None, **required: Any) -> Any:
        claims = {**(forge.access_claims(NOW) if use == "access" else forge.id_claims(NOW)), **CLAIMS}
        method = verifier.verify_access if use == "access" else verifier.verify_id
        made = forge.signed("access", {**claims, **(changes or {})})
        read = method(made, **required)
        return asyncio.run(read) if inspect.iscoroutine(read) else read

    return verify


@pytest.mark.parametrize(
    "required",
    [
        {"groups": ["admins", "viewers"], "any_of": True},
        {"groups": ["admins"]},
        {"acr_values": [LOA2]},
        {"acr_values": ("urn:cognito:loa:3", LOA2)},
        {"amr": ["mfa", "pwd"]},
        {"max_age": 600},
        {"max_age": 570},  # within the leeway
        {"any_of": True},
        {"max_age": None, "amr": [], "acr_values": [], "groups": []},
    ],
)
def test_token_that_meets_the_requirements_is_accepted(verify: Any, required: dict[str, Any]) -> None:
    assert verify(**required).acr == LOA2


@pytest.mark.parametrize(
    ("required", "message"),
    [
        ({"groups": ["admins", "viewers"]}, "lacks groups that are required: viewers"),
        ({"groups": ["viewers", "owners"], "any_of": True}, "none of these groups: owners, viewers"),
    ],
)
def test_token_without_a_group_raises_not_permitted(
    verify: Any, required: dict[str, Any], message: str
) -> None:
    with pytest.raises(NotPermitted, match=message) as refused:
        verify(**required)

    assert not isinstance(refused.value, StepUpRequired)


def test_any_of_several_scopes_is_enough_but_a_group_is_required_too() -> None:
    verifier = TokenVerifier(
        APP, fetch=lambda _: json.dumps(forge.jwks()).encode(), system=System(now=lambda: AT)
    )
    token = forge.access(NOW, **CLAIMS)

    assert verifier.verify_access(token, scopes=["shop/write", "shop/read"], any_of=True)
    with pytest.raises(NotPermitted, match="none of these scopes: shop/write"):
        verifier.verify_access(token, scopes=["shop/write"], any_of=True)
    with pytest.raises(NotPermitted, match="none of these groups: viewers"):
        verifier.verify_access(token, scopes=["shop/read"], groups=["viewers"], any_of=True)


@pytest.mark.parametrize(
    ("required", "changes", "acr_values", "max_age"),
    [
        ({"acr_values": ["urn:cognito:loa:4", "urn:cognito:loa:3"]}, {}, ("urn:cognito:loa:3", "urn:cognito:loa:4"), None),
        ({"acr_values": [LOA2]}, {"acr": "urn:cognito:loa:20"}, (LOA2,), None),
        ({"amr": ["mfa", "hwk"]}, {}, (), None),
        ({"amr": ["mfa"], "any_of": True}, {"amr": []}, (), None),
        ({"max_age": 569}, {}, (), 569),
        ({"max_age": 0}, {}, (), 0),
    ],
)  # fmt: skip
def test_weak_or_old_sign_in_raises_step_up_required(
    verify: Any,
    required: dict[str, Any],
    changes: dict[str, Any],
    acr_values: tuple[str, ...],
    max_age: float | None,
) -> None:
    with pytest.raises(StepUpRequired) as refused:
        verify(changes, **required)

    copied = pickle.loads(pickle.dumps(refused.value))
    assert (copied.acr_values, copied.max_age) == (acr_values, max_age)


@pytest.mark.parametrize("name", ["acr", "amr", "auth_time"])
def test_token_that_does_not_say_how_its_user_signed_in_raises_step_up_required(name: str) -> None:
    verifier = TokenVerifier(
        APP, fetch=lambda _: json.dumps(forge.jwks()).encode(), system=System(now=lambda: AT)
    )
    token = forge.signed("access", forge.without({**forge.access_claims(NOW), **CLAIMS}, name))
    required: Any = {"acr": {"acr_values": [LOA2]}, "amr": {"amr": ["mfa"]}, "auth_time": {"max_age": 9999}}[
        name
    ]

    assert verifier.verify_access(token)
    with pytest.raises(StepUpRequired):
        verifier.verify_access(token, **required)


@pytest.mark.parametrize(
    "required", [{"max_age": -1}, {"max_age": float("nan")}, {"max_age": 1e300}, {"acr_values": LOA2}, {"amr": "mfa"}]
)  # fmt: skip
def test_impossible_requirement_raises_usage_error(verify: Any, required: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        verify(**required)


@pytest.mark.parametrize(
    "changes", [{"acr": 2}, {"amr": "mfa"}, {"amr": [1]}, {"act": "agent"}, {"act": None}, {"act": {}}]
)
def test_claim_of_the_wrong_type_raises_token_invalid(verify: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(TokenInvalid, match=r"claim (acr|amr|act|sub)"):
        verify(changes)


def test_actors_are_read_from_the_last_to_the_first(verify: Any) -> None:
    """RFC 8693, section 4.1: the outermost `act` is the current actor."""
    act = {"sub": "agent", "scope": "shop", "act": {"sub": "gateway"}}

    read = verify({"act": act})

    assert read.actor == Actor(sub="agent", claims=act, actor=Actor(sub="gateway", claims={"sub": "gateway"}))
    assert "shop" not in repr(read.actor)
    assert verify().actor is None
    assert len({read.actor, verify({"act": act}).actor}) == 1


@pytest.mark.parametrize("depth", [17, 300])
def test_endless_chain_of_actors_raises_token_invalid(verify: Any, depth: int) -> None:
    act: dict[str, Any] = {"sub": "agent"}
    for _ in range(depth - 1):
        act = {"sub": "agent", "act": act}

    with pytest.raises(TokenInvalid, match="at most 16 actors"):
        verify({"act": act})
    assert verify({"act": {"sub": "agent", "act": {"sub": "agent"}}}).actor


def access_verifier() -> TokenVerifier:
    """A verifier of the tokens that these tests sign."""
    fetch = lambda _url: json.dumps(forge.jwks()).encode()  # noqa: E731
    return TokenVerifier(APP, fetch=fetch, system=System(now=lambda: AT))


@pytest.mark.parametrize("audience", ["files", ["photos", "files"]])
def test_token_for_the_required_audience_is_accepted(audience: object) -> None:
    claims = access_verifier().verify_access(forge.access(NOW, aud=audience), audience="files")

    assert "files" in claims.audience


@pytest.mark.parametrize("claims", [{}, {"aud": "photos"}, {"aud": []}, {"aud": ["photos"]}])
def test_token_for_no_or_another_audience_raises_token_invalid(claims: dict[str, object]) -> None:
    with pytest.raises(TokenInvalid, match="not issued for this audience"):
        access_verifier().verify_access(forge.access(NOW, **claims), audience="files")


@pytest.mark.parametrize("audience", [7, None, [7]])
def test_audience_of_the_wrong_type_raises_token_invalid(audience: object) -> None:
    with pytest.raises(TokenInvalid, match="claim aud"):
        access_verifier().verify_access(forge.access(NOW, aud=audience))
