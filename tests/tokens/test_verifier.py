"""Tokens are believed or refused: what is said of good ones, and that no spoilt one passes."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import pickle
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, cast

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_flow import (
    AccessClaims,
    AppClient,
    AsyncTokenVerifier,
    IdClaims,
    NotPermitted,
    RefreshTokenAuth,
    System,
    TokenExpired,
    TokenInvalid,
    TokenVerifier,
    UsageError,
    UserPasswordAuth,
)
from cognito_flow.testing import LocalCognito
from tests.support import forge
from tests.support.forge import APP, OTHER_CLIENT, access_claims, id_claims, signed, without

AT = datetime(2030, 1, 1, 12, tzinfo=UTC)
NOW = int(AT.timestamp())
GOOD, SPOILT = forge.good(NOW), forge.spoilt(NOW)
PASSWORD = "Correct horse 1"


def published(url: str) -> bytes:
    """What stands at the pool's URL."""
    assert url == f"{forge.ISSUER}/.well-known/jwks.json"
    return json.dumps(forge.jwks()).encode()


def finish(claims: Any) -> Any:
    """What a verifier of either kind says."""
    return asyncio.run(cast("Coroutine[Any, Any, Any]", claims)) if inspect.iscoroutine(claims) else claims


@attrs.frozen
class Verifier:
    """A verifier of either kind, whose answers are waited for."""

    verifier: TokenVerifier | AsyncTokenVerifier

    def access(self, token: str, **required: Any) -> AccessClaims:
        return cast("AccessClaims", finish(self.verifier.verify_access(token, **required)))

    def id(self, token: str, **required: Any) -> IdClaims:
        return cast("IdClaims", finish(self.verifier.verify_id(token, **required)))

    def of(self, case: forge.Case) -> AccessClaims | IdClaims:
        """What it says of a case."""
        return self.access(case.token) if case.use == "access" else self.id(case.token)


def make(kind: type[TokenVerifier | AsyncTokenVerifier] = TokenVerifier, **options: Any) -> Verifier:
    """A verifier that stands at noon."""
    settings = {"app": APP, "fetch": published, "system": System(now=lambda: AT), **options}
    return Verifier(kind(**settings))


@pytest.fixture(params=[TokenVerifier, AsyncTokenVerifier], ids=["sync", "async"])
def verifier(request: pytest.FixtureRequest) -> Verifier:
    """A verifier for two app clients."""
    return make(request.param, client_ids=[APP.client_id, OTHER_CLIENT])


@pytest.mark.parametrize("case", GOOD.values(), ids=GOOD)
def test_good_tokens_are_accepted(verifier: Verifier, case: forge.Case) -> None:
    """Whatever may and may not stand in a token of Cognito."""
    assert verifier.of(case).sub == access_claims(NOW)["sub"]


@pytest.mark.parametrize("case", SPOILT.values(), ids=SPOILT)
def test_spoilt_tokens_are_refused(verifier: Verifier, case: forge.Case) -> None:
    """Forged, damaged, for somebody else, or at another time: the error is one of two."""
    with pytest.raises((TokenInvalid, TokenExpired)) as refused:
        verifier.of(case)

    assert refused.value.code is None
    assert case.token == "" or case.token not in str(refused.value)


@pytest.mark.parametrize("use", ["access", "id"])
def test_an_expired_token_is_told_from_a_bad_one(verifier: Verifier, use: str) -> None:
    """Only TokenExpired says that a refresh would help."""
    with pytest.raises(TokenExpired):
        verifier.of(SPOILT[f"{use}, expired"])


def test_what_an_access_token_says(verifier: Verifier) -> None:
    """Each claim with a type of its own, and all of them as they are."""
    claims = access_claims(
        NOW, scope="openid shop/read", device_key="eu-west-1_1", **{"cognito:groups": ["admins"]}
    )

    told = verifier.access(signed("access", claims))

    assert told == AccessClaims(
        sub=claims["sub"],
        username="alice",
        client_id=APP.client_id,
        scopes=frozenset({"openid", "shop/read"}),
        groups=frozenset({"admins"}),
        issued_at=datetime(2030, 1, 1, 11, 30, tzinfo=UTC),
        expires_at=datetime(2030, 1, 1, 12, 30, tzinfo=UTC),
        auth_time=datetime(2030, 1, 1, 11, 30, tzinfo=UTC),
        device_key="eu-west-1_1",
        claims=claims,
    )


def test_what_a_token_of_a_program_says(verifier: Verifier) -> None:
    """The client credentials grant signs nobody in."""
    told = verifier.access(signed("access", without(access_claims(NOW), "username", "scope", "auth_time")))

    assert (told.username, told.scopes, told.groups, told.auth_time) == (None, frozenset(), frozenset(), None)


def test_what_an_id_token_says(verifier: Verifier) -> None:
    """Attributes that many need have names of their own; the others are among the claims."""
    claims = id_claims(
        NOW,
        phone_number="+31612341234",
        phone_number_verified="true",
        nickname="al",
        **{"custom:tenant": "7", "custom:seats": 8, "cognito:groups": ["admins"]},
    )

    told = verifier.id(signed("id", claims))

    assert (told.username, told.client_id, *told.groups) == ("alice", APP.client_id, "admins")
    assert (told.email, told.email_verified) == ("alice@example.com", True)
    assert (told.phone_number, told.phone_number_verified) == ("+31612341234", True)
    assert told.custom == {"tenant": "7"}
    assert (told.claims["nickname"], told.claims["custom:seats"]) == ("al", 8)
    assert told.expires_at - told.issued_at == told.expires_at - cast("datetime", told.auth_time)


def test_attributes_that_are_not_there(verifier: Verifier) -> None:
    """An app client may not be allowed to read them."""
    told = verifier.id(signed("id", without(id_claims(NOW), "email", "email_verified")))

    assert (told.email, told.email_verified, told.phone_number, told.custom) == (None, False, None, {})


def test_claims_can_be_kept(verifier: Verifier) -> None:
    """In a set, in a copy, in a session that is pickled."""
    for told in (verifier.of(GOOD["access"]), verifier.of(GOOD["id"])):
        assert len({told, copy.deepcopy(told), pickle.loads(pickle.dumps(told))}) == 1


def test_claims_are_not_shown_whole(verifier: Verifier) -> None:
    """What a pool keeps about somebody does not get into a log with the record."""
    token = signed("id", id_claims(NOW, address="Secret Street 1"))

    assert "Secret Street" not in repr(verifier.id(token))


NO_TEXT = (1, None, ["a"], {"a": 1})
NO_DATE = ("0", None, True, [1], float("nan"), float("inf"), 10**30, -(10**30))
NO_GROUPS = ("admins", None, {"admins": 1}, ["admins", 1], [["admins"]])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in ("sub", "username", "scope", "device_key") for value in NO_TEXT),
        *((name, value) for name in ("exp", "iat", "nbf", "auth_time") for value in NO_DATE),
        *(("cognito:groups", value) for value in NO_GROUPS),
    ],
)
def test_a_claim_of_the_wrong_type_is_refused(verifier: Verifier, name: str, value: object) -> None:
    """Even where the pool has signed it, nothing is made of it; where it is looked at, it is named."""
    with pytest.raises(TokenInvalid):
        verifier.access(forge.access(NOW, **{name: value}))


@pytest.mark.parametrize("name", ["sub", "iss", "token_use", "client_id", "iat", "exp"])
def test_a_claim_that_must_be_there_is_missed_by_name(verifier: Verifier, name: str) -> None:
    """A token that never ends, for example, is none of Cognito's."""
    with pytest.raises(TokenInvalid, match=f"claim {name} is missing"):
        verifier.access(signed("access", without(access_claims(NOW), name)))


@pytest.mark.parametrize("use", ["sub", "cognito:username", "aud"])
def test_a_claim_of_an_id_token_is_missed_by_name(verifier: Verifier, use: str) -> None:
    """The same for those that only ID tokens have."""
    with pytest.raises(TokenInvalid, match=f"claim {use} is missing"):
        verifier.id(signed("id", without(id_claims(NOW), use)))


@pytest.mark.parametrize(
    "header", [{"crit": ["exp"], "exp": NOW}, {"crit": ["b64"], "b64": True}, {"crit": []}]
)
def test_an_extension_that_must_be_understood_is_refused(verifier: Verifier, header: dict[str, Any]) -> None:
    """`crit` names what a verifier must know; it knows none. RFC 7515, section 4.1.11."""
    with pytest.raises(TokenInvalid):
        verifier.access(signed("access", access_claims(NOW), **header))


@pytest.mark.parametrize(("ends", "good"), [(-29, True), (-30, False), (-31, False)])
def test_the_leeway_at_the_end(verifier: Verifier, ends: int, good: bool) -> None:
    """Clocks may be thirty seconds apart, and not one more."""
    token = forge.access(NOW, exp=NOW + ends)

    if good:
        assert verifier.access(token)
    else:
        with pytest.raises(TokenExpired):
            verifier.access(token)


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_the_leeway_at_the_beginning(verifier: Verifier, name: str) -> None:
    """A token that comes from the future is refused, whichever claim says so."""
    assert verifier.access(forge.access(NOW, **{name: NOW + 30}))
    with pytest.raises(TokenInvalid, match="compare the clocks"):
        verifier.access(forge.access(NOW, **{name: NOW + 31}))


def test_another_leeway() -> None:
    """None at all, for example."""
    strict = make(leeway=0)

    assert strict.access(forge.access(NOW, exp=NOW + 1))
    with pytest.raises(TokenExpired):
        strict.access(forge.access(NOW, exp=NOW))


class Cache(dict[str, bytes]):
    """Keeps what it has fetched."""

    def __call__(self, url: str) -> bytes:
        return self.setdefault(url, published(url))


def test_a_fetch_that_counts_as_false_is_used() -> None:
    """A cache is one, as long as it is empty."""
    cache = Cache()

    assert make(fetch=cache).access(GOOD["access"].token)
    assert len(cache) == 1


def test_one_app_client_is_the_default() -> None:
    """Another one of the same pool is a stranger."""
    with pytest.raises(TokenInvalid, match="another app client"):
        make().of(GOOD["access, of the other app client"])


@pytest.mark.parametrize(
    "required", [{"scopes": ["shop/read"]}, {"scopes": {"openid", "shop/read"}}, {"groups": ("admins",)}]
)
def test_what_is_required_is_there(verifier: Verifier, required: dict[str, Any]) -> None:
    """All that is named, and there may be more."""
    token = forge.access(NOW, scope="openid shop/read", **{"cognito:groups": ["admins", "editors"]})

    assert verifier.access(token, **required)


@pytest.mark.parametrize(
    "required", [{"scopes": ["openid", "shop/write"]}, {"groups": ["editors"]}, {"groups": ["adminsx"]}]
)
def test_what_is_required_is_not_there(verifier: Verifier, required: dict[str, Any]) -> None:
    """One that is missing is enough, and is named."""
    token = forge.access(NOW, scope="openid shop/read", **{"cognito:groups": ["admins"]})

    with pytest.raises(NotPermitted, match=r"shop/write|editors|adminsx"):
        verifier.access(token, **required)


def test_groups_are_required_of_id_tokens(verifier: Verifier) -> None:
    """As of access tokens."""
    token = signed("id", id_claims(NOW, **{"cognito:groups": ["admins"]}))

    assert verifier.id(token, groups=["admins"])
    with pytest.raises(NotPermitted):
        verifier.id(token, groups=["admins", "editors"])


def test_a_bad_token_is_bad_whatever_it_allows(verifier: Verifier) -> None:
    """Who made it up is not told what it lacks."""
    with pytest.raises(TokenInvalid):
        verifier.access(SPOILT["access, by a stranger"].token, scopes=["shop/write"])


@pytest.mark.parametrize("name", ["scopes", "groups"])
def test_one_text_is_no_list(verifier: Verifier, name: str) -> None:
    """Its letters would be taken for scopes."""
    with pytest.raises(UsageError, match=f"{name} is one text"):
        verifier.access(GOOD["access"].token, **{name: "admin"})


@pytest.mark.parametrize(
    "options",
    [
        {"leeway": -1},
        {"leeway": float("nan")},
        {"leeway": 1e300},
        {"leeway": 10**400},
        {"timeout": 0},
        {"timeout": float("inf")},
        {"timeout": 1e300},
        {"timeout": 10**400},
        {"client_ids": []},
        {"client_ids": "one"},
    ],
)
def test_settings_that_cannot_be(options: dict[str, Any]) -> None:
    """They are refused when the verifier is made, not when the first token comes."""
    with pytest.raises(UsageError):
        make(**options)


@pytest.mark.parametrize("issuer", [forge.ISSUER, forge.UPDATED_ISSUER])
def test_both_forms_of_the_issuer_belong_to_the_pool(issuer: str) -> None:
    """Whichever form the application names, a token with the other one is good, too."""
    verifier = make(app=attrs.evolve(APP, issuer=issuer), fetch=lambda url: json.dumps(forge.jwks()).encode())

    for iss in (forge.ISSUER, forge.UPDATED_ISSUER):
        assert verifier.access(forge.access(NOW, iss=iss))


def test_an_issuer_of_its_own_is_the_only_one() -> None:
    """A pool that is not on AWS says what its tokens say."""
    app = AppClient(APP.pool_id, APP.client_id, issuer="http://localhost:9229/pool")
    verifier = make(app=app, fetch=lambda url: json.dumps(forge.jwks()).encode())

    assert verifier.access(forge.access(NOW, iss="http://localhost:9229/pool"))
    with pytest.raises(TokenInvalid, match="another issuer"):
        verifier.access(GOOD["access"].token)


STRICT = make()
PARTS = GOOD["access"].token.split(".")


@given(st.text())
def test_no_text_passes(token: str) -> None:
    """Any text at all is refused with the same error."""
    with pytest.raises(TokenInvalid):
        STRICT.access(token)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.text() | st.sampled_from(["alg", "kid", "crit", "b64"]), inner)
        ),
    )
)
def test_no_header_passes(header: object) -> None:
    """Whatever JSON stands there."""
    with pytest.raises(TokenInvalid):
        STRICT.access(forge.token(header, access_claims(NOW), forge.rs("access")))


@given(st.integers(0, 2), st.data())
def test_no_change_passes(part: int, data: st.DataObject) -> None:
    """One letter of a good token is another one."""
    changed = list(PARTS)
    at = data.draw(st.integers(0, len(changed[part]) - 1))
    letter = data.draw(st.characters(codec="utf-8", exclude_characters=changed[part][at]))
    changed[part] = changed[part][:at] + letter + changed[part][at + 1 :]

    with pytest.raises(TokenInvalid):
        STRICT.access(".".join(changed))


@given(
    st.dictionaries(
        st.sampled_from(list(access_claims(NOW))),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()),
    )
)
def test_claims_of_any_type_are_read_or_refused(changes: dict[str, object]) -> None:
    """What the pool signs is not trusted to have the right types."""
    try:
        told = STRICT.access(forge.access(NOW, **changes))
    except (TokenInvalid, TokenExpired):
        return
    assert isinstance(told.sub, str)


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_deep_json_is_refused(depth: int) -> None:
    """It does not exhaust the stack."""
    with pytest.raises(TokenInvalid):
        STRICT.access(forge.token(b"[" * depth, b"{}", forge.rs("access")))


def test_a_refreshed_token_is_accepted(cognito: LocalCognito) -> None:
    """By either operation that refreshes, long after the first token has ended."""
    pool = cognito.create_pool()
    pool.add_user("alice", PASSWORD)
    flow, verifier = pool.flow(), pool.verifier()
    first = flow.sign_in(UserPasswordAuth("alice", PASSWORD)).tokens
    cognito.clock.advance(7200)

    again = flow.refresh(first)
    old_way = flow.sign_in(RefreshTokenAuth(first)).tokens

    with pytest.raises(TokenExpired):
        verifier.verify_access(first.access_token)
    for tokens in (again, old_way):
        told = verifier.verify_access(tokens.access_token)
        assert cast("datetime", told.auth_time) < told.issued_at
        assert verifier.verify_id(str(tokens.id_token)).sub == told.sub


def test_another_pool_and_another_app_client_are_refused(cognito: LocalCognito) -> None:
    """Tokens that are good elsewhere."""
    pool, other = cognito.create_pool(), cognito.create_pool()
    verifier = pool.verifier()
    for place, app in ((other, other.app), (pool, pool.app_client())):
        place.add_user("alice", PASSWORD)
        tokens = place.flow(app).sign_in(UserPasswordAuth("alice", PASSWORD)).tokens

        assert place.verifier(app).verify_access(tokens.access_token)
        with pytest.raises(TokenInvalid):
            verifier.verify_access(tokens.access_token)
        with pytest.raises(TokenInvalid):
            verifier.verify_id(str(tokens.id_token))
