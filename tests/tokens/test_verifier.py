"""Which tokens the verifiers accept, which they reject, and what they read from them."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import pickle
import threading
import time
from collections.abc import Coroutine
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
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
    TransportError,
    UsageError,
    UserPasswordAuth,
)
from cognito_flow.testing import LocalCognito
from tests.support import forge
from tests.support.forge import APP, OTHER_APP, access_claims, id_claims, signed, without
from tests.support.http_server import Handler, running

AT = datetime(2030, 1, 1, 12, tzinfo=UTC)
NOW = int(AT.timestamp())
GOOD, SPOILT = forge.good(NOW), forge.spoilt(NOW) | forge.respelled(NOW)
PASSWORD = "Correct horse 1"


def published(url: str) -> bytes:
    """The document at the pool's URL."""
    assert url == f"{forge.ISSUER}/.well-known/jwks.json"
    return json.dumps(forge.jwks()).encode()


def finish(claims: Any) -> Any:
    """The result of a verifier of either kind."""
    return asyncio.run(cast("Coroutine[Any, Any, Any]", claims)) if inspect.iscoroutine(claims) else claims


@attrs.frozen
class Verifier:
    """A verifier of either kind, used synchronously."""

    verifier: TokenVerifier | AsyncTokenVerifier

    def access(self, token: str, **required: Any) -> AccessClaims:
        return cast("AccessClaims", finish(self.verifier.verify_access(token, **required)))

    def id(self, token: str, **required: Any) -> IdClaims:
        return cast("IdClaims", finish(self.verifier.verify_id(token, **required)))

    def of(self, case: forge.Case) -> AccessClaims | IdClaims:
        """The claims of a case's token."""
        return self.access(case.token) if case.use == "access" else self.id(case.token)


def make(kind: type[TokenVerifier | AsyncTokenVerifier] = TokenVerifier, **options: Any) -> Verifier:
    """A verifier whose clock is fixed at noon."""
    settings = {"app": APP, "fetch": published, "system": System(now=lambda: AT), **options}
    return Verifier(kind(**settings))


@pytest.fixture(params=[TokenVerifier, AsyncTokenVerifier], ids=["sync", "async"])
def verifier(request: pytest.FixtureRequest) -> Verifier:
    """A verifier for two app clients of one pool."""
    return make(request.param, app=[APP, OTHER_APP])


@pytest.mark.parametrize("case", GOOD.values(), ids=GOOD)
def test_valid_token_is_accepted(verifier: Verifier, case: forge.Case) -> None:
    assert verifier.of(case).sub == access_claims(NOW)["sub"]


@pytest.mark.parametrize("case", SPOILT.values(), ids=SPOILT)
def test_spoilt_token_is_rejected_and_not_quoted(verifier: Verifier, case: forge.Case) -> None:
    with pytest.raises((TokenInvalid, TokenExpired)) as refused:
        verifier.of(case)

    assert refused.value.code is None
    assert case.token == "" or case.token not in str(refused.value)


@pytest.mark.parametrize("use", ["access", "id"])
def test_expired_token_raises_token_expired(verifier: Verifier, use: str) -> None:
    with pytest.raises(TokenExpired):
        verifier.of(SPOILT[f"{use}, expired"])


def test_claims_of_an_access_token_are_read_into_fields(verifier: Verifier) -> None:
    claims = access_claims(
        NOW, scope="openid shop/read", device_key="eu-west-1_1", **{"cognito:groups": ["admins"]}
    )

    read = verifier.access(signed("access", claims))

    assert read == AccessClaims(
        sub=claims["sub"],
        username="alice",
        client_id=APP.client_id,
        audience=frozenset(),
        scopes=frozenset({"openid", "shop/read"}),
        groups=frozenset({"admins"}),
        issued_at=datetime(2030, 1, 1, 11, 30, tzinfo=UTC),
        expires_at=datetime(2030, 1, 1, 12, 30, tzinfo=UTC),
        auth_time=datetime(2030, 1, 1, 11, 30, tzinfo=UTC),
        acr=None,
        amr=frozenset(),
        actor=None,
        device_key="eu-west-1_1",
        claims=claims,
    )


def test_token_of_the_client_credentials_grant_has_no_user(verifier: Verifier) -> None:
    read = verifier.access(signed("access", without(access_claims(NOW), "username", "scope", "auth_time")))

    assert (read.username, read.scopes, read.groups, read.auth_time) == (None, frozenset(), frozenset(), None)


def test_claims_of_an_id_token_are_read_into_fields(verifier: Verifier) -> None:
    claims = id_claims(
        NOW,
        phone_number="+31612341234",
        phone_number_verified="true",
        nickname="al",
        **{"custom:tenant": "7", "custom:seats": 8, "cognito:groups": ["admins"]},
    )

    read = verifier.id(signed("id", claims))

    assert (read.username, read.client_id, *read.groups) == ("alice", APP.client_id, "admins")
    assert (read.email, read.email_verified) == ("alice@example.com", True)
    assert (read.phone_number, read.phone_number_verified) == ("+31612341234", True)
    assert read.custom == {"tenant": "7"}
    assert (read.claims["nickname"], read.claims["custom:seats"]) == ("al", 8)
    assert read.expires_at - read.issued_at == read.expires_at - cast("datetime", read.auth_time)


def test_missing_attributes_are_none(verifier: Verifier) -> None:
    read = verifier.id(signed("id", without(id_claims(NOW), "email", "email_verified")))

    assert (read.email, read.email_verified, read.phone_number, read.custom) == (None, False, None, {})


def test_claims_can_be_hashed_copied_and_pickled(verifier: Verifier) -> None:
    for read in (verifier.of(GOOD["access"]), verifier.of(GOOD["id"])):
        assert len({read, copy.deepcopy(read), pickle.loads(pickle.dumps(read))}) == 1


def test_repr_of_claims_leaves_out_attributes(verifier: Verifier) -> None:
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
def test_claim_of_the_wrong_type_raises_token_invalid(verifier: Verifier, name: str, value: object) -> None:
    with pytest.raises(TokenInvalid):
        verifier.access(forge.access(NOW, **{name: value}))


@pytest.mark.parametrize("name", ["sub", "iss", "token_use", "client_id", "iat", "exp"])
def test_missing_claim_of_an_access_token_is_named(verifier: Verifier, name: str) -> None:
    with pytest.raises(TokenInvalid, match=f"claim {name} is missing"):
        verifier.access(signed("access", without(access_claims(NOW), name)))


@pytest.mark.parametrize("use", ["sub", "cognito:username", "aud"])
def test_missing_claim_of_an_id_token_is_named(verifier: Verifier, use: str) -> None:
    with pytest.raises(TokenInvalid, match=f"claim {use} is missing"):
        verifier.id(signed("id", without(id_claims(NOW), use)))


@pytest.mark.parametrize(
    "header", [{"crit": ["exp"], "exp": NOW}, {"crit": ["b64"], "b64": True}, {"crit": []}]
)
def test_header_with_crit_is_rejected(verifier: Verifier, header: dict[str, Any]) -> None:
    """RFC 7515, section 4.1.11: `crit` names extensions that a verifier must support."""
    with pytest.raises(TokenInvalid):
        verifier.access(signed("access", access_claims(NOW), **header))


@pytest.mark.parametrize(("ends", "good"), [(-29, True), (-30, False), (-31, False)])
def test_token_is_accepted_until_the_leeway_after_its_end(verifier: Verifier, ends: int, good: bool) -> None:
    token = forge.access(NOW, exp=NOW + ends)

    if good:
        assert verifier.access(token)
    else:
        with pytest.raises(TokenExpired):
            verifier.access(token)


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_token_is_accepted_from_the_leeway_before_its_beginning(verifier: Verifier, name: str) -> None:
    assert verifier.access(forge.access(NOW, **{name: NOW + 30}))
    with pytest.raises(TokenInvalid, match="compare the clocks"):
        verifier.access(forge.access(NOW, **{name: NOW + 31}))


KINDS = pytest.mark.parametrize("kind", [TokenVerifier, AsyncTokenVerifier], ids=["sync", "async"])


@KINDS
def test_leeway_is_that_of_the_caller(kind: type[TokenVerifier | AsyncTokenVerifier]) -> None:
    generous = make(kind, leeway=60)

    assert generous.access(forge.access(NOW, exp=NOW - 59))
    with pytest.raises(TokenExpired, match="has expired"):
        generous.access(forge.access(NOW, exp=NOW - 60))


class Published(Handler):
    """Answers with the pool's keys."""

    def do_GET(self) -> None:
        self.answer(200, json.dumps(forge.jwks()).encode())


@KINDS
def test_verifier_fetches_the_keys_over_http_and_has_the_clock_of_the_machine(
    kind: type[TokenVerifier | AsyncTokenVerifier],
) -> None:
    now = int(time.time())
    with running(ThreadingHTTPServer(("127.0.0.1", 0), Published)) as url:
        verifier = Verifier(kind(attrs.evolve(APP, jwks_url=url)))

        assert verifier.access(forge.access(now))
        with pytest.raises(TokenExpired):
            verifier.access(forge.access(now, exp=now - 60))


@KINDS
@pytest.mark.parametrize("name", ["leeway", "timeout"])
def test_longest_wait_of_a_thread_is_accepted(
    kind: type[TokenVerifier | AsyncTokenVerifier], name: str
) -> None:
    assert make(kind, **{name: threading.TIMEOUT_MAX})


def test_seconds_out_of_range_are_named() -> None:
    with pytest.raises(UsageError, match="leeway >= 0, timeout > 0"):
        make(leeway=-1)


@pytest.mark.parametrize("app", [[], [None]])
def test_verifier_without_an_app_client_says_what_it_needs(app: Any) -> None:
    with pytest.raises(UsageError, match="needs an AppClient, or a list of at least one of them"):
        make(app=app)


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("x.y", "this is not a signed token"),
        (GOOD["access"].token.encode(), "this is not a signed token: it must be a str"),
        (forge.respelled(NOW)["with padding"].token, "^this is not a signed token$"),
        (forge.token({"kid": "access", "alg": "RS512"}, access_claims(NOW), bytes), "not signed with RS256"),
        (
            signed("access", access_claims(NOW), crit=["b64"], b64=True),
            "the token's header requires an extension that is not supported",
        ),
    ],
    ids=["text", "bytes", "padding", "algorithm", "extension"],
)
def test_token_that_cannot_be_verified_is_rejected_with_the_reason(token: Any, message: str) -> None:
    with pytest.raises(TokenInvalid, match=message):
        make().access(token)


def test_token_of_the_other_kind_is_named() -> None:
    with pytest.raises(TokenInvalid, match="token_use is not 'id'"):
        make().id(GOOD["access"].token)


@KINDS
def test_keys_are_waited_for_as_long_as_the_caller_says(
    kind: type[TokenVerifier | AsyncTokenVerifier],
) -> None:
    is_over = threading.Event()

    def fetch(url: str) -> bytes:
        is_over.wait()
        return published(url)

    started = time.monotonic()
    with pytest.raises(TransportError):
        make(kind, fetch=fetch, timeout=0.05).access(GOOD["access"].token)
    is_over.set()

    assert time.monotonic() - started < 4


@KINDS
def test_audience_of_a_token_exchange_is_required_if_the_caller_names_it(
    kind: type[TokenVerifier | AsyncTokenVerifier],
) -> None:
    token = forge.access(NOW, aud="orders")

    assert make(kind).access(token, audience="orders")
    with pytest.raises(TokenInvalid, match="this audience"):
        make(kind).access(token, audience="bills")


def test_leeway_of_zero_accepts_until_the_end() -> None:
    strict = make(leeway=0)

    assert strict.access(forge.access(NOW, exp=NOW + 1))
    with pytest.raises(TokenExpired):
        strict.access(forge.access(NOW, exp=NOW))


class Cache(dict[str, bytes]):
    """A fetch that caches; an empty one is falsy."""

    def __call__(self, url: str) -> bytes:
        return self.setdefault(url, published(url))


def test_fetch_that_is_falsy_is_used() -> None:
    """An empty cache is falsy."""
    cache = Cache()

    assert make(fetch=cache).access(GOOD["access"].token)
    assert len(cache) == 1


def test_token_of_another_app_client_is_rejected() -> None:
    with pytest.raises(TokenInvalid, match="another app client"):
        make().of(GOOD["access, of the other app client"])


@pytest.mark.parametrize(
    "required", [{"scopes": ["shop/read"]}, {"scopes": {"openid", "shop/read"}}, {"groups": ("admins",)}]
)
def test_token_with_all_required_scopes_and_groups_is_accepted(
    verifier: Verifier, required: dict[str, Any]
) -> None:
    token = forge.access(NOW, scope="openid shop/read", **{"cognito:groups": ["admins", "editors"]})

    assert verifier.access(token, **required)


@pytest.mark.parametrize(
    "required", [{"scopes": ["openid", "shop/write"]}, {"groups": ["editors"]}, {"groups": ["adminsx"]}]
)
def test_missing_scope_or_group_raises_not_permitted_and_is_named(
    verifier: Verifier, required: dict[str, Any]
) -> None:
    token = forge.access(NOW, scope="openid shop/read", **{"cognito:groups": ["admins"]})

    with pytest.raises(NotPermitted, match=r"shop/write|editors|adminsx"):
        verifier.access(token, **required)


def test_missing_group_of_an_id_token_raises_not_permitted(verifier: Verifier) -> None:
    token = signed("id", id_claims(NOW, **{"cognito:groups": ["admins"]}))

    assert verifier.id(token, groups=["admins"])
    with pytest.raises(NotPermitted):
        verifier.id(token, groups=["admins", "editors"])


def test_forged_token_without_a_required_scope_raises_token_invalid(verifier: Verifier) -> None:
    """An attacker must not learn what the token lacks."""
    with pytest.raises(TokenInvalid):
        verifier.access(SPOILT["access, by a stranger"].token, scopes=["shop/write"])


@pytest.mark.parametrize("name", ["scopes", "groups"])
def test_str_in_place_of_a_list_raises_usage_error(verifier: Verifier, name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} must be a list"):
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
        {"app": []},
        {"app": "eu-west-1_AbC123"},
        {"app": [APP, "client-id"]},
    ],
)
def test_setting_out_of_range_raises_usage_error(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        make(**options)


@pytest.mark.parametrize("issuer", [forge.ISSUER, forge.UPDATED_ISSUER])
def test_both_forms_of_the_issuer_are_accepted(issuer: str) -> None:
    verifier = make(app=attrs.evolve(APP, issuer=issuer), fetch=lambda url: json.dumps(forge.jwks()).encode())

    for iss in (forge.ISSUER, forge.UPDATED_ISSUER):
        assert verifier.access(forge.access(NOW, iss=iss))


def test_custom_issuer_replaces_the_pools_own() -> None:
    app = AppClient(APP.pool_id, APP.client_id, issuer="http://localhost:9229/pool")
    verifier = make(app=app, fetch=lambda url: json.dumps(forge.jwks()).encode())

    assert verifier.access(forge.access(NOW, iss="http://localhost:9229/pool"))
    with pytest.raises(TokenInvalid, match="another issuer"):
        verifier.access(GOOD["access"].token)


STRICT = make()
PARTS = GOOD["access"].token.split(".")


@given(st.text())
def test_arbitrary_text_raises_token_invalid(token: str) -> None:
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
def test_arbitrary_header_raises_token_invalid(header: object) -> None:
    with pytest.raises(TokenInvalid):
        STRICT.access(forge.token(header, access_claims(NOW), forge.rs("access")))


@given(st.integers(0, 2), st.data())
def test_any_changed_character_raises_token_invalid(part: int, data: st.DataObject) -> None:
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
def test_claims_of_arbitrary_type_are_read_or_rejected(changes: dict[str, object]) -> None:
    try:
        read = STRICT.access(forge.access(NOW, **changes))
    except (TokenInvalid, TokenExpired):
        return
    assert isinstance(read.sub, str)


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_deeply_nested_json_raises_token_invalid(depth: int) -> None:
    with pytest.raises(TokenInvalid):
        STRICT.access(forge.token(b"[" * depth, b"{}", forge.rs("access")))


def test_refreshed_token_is_accepted_and_keeps_auth_time(cognito: LocalCognito) -> None:
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
        read = verifier.verify_access(tokens.access_token)
        assert cast("datetime", read.auth_time) < read.issued_at
        assert verifier.verify_id(str(tokens.id_token)).sub == read.sub


def test_tokens_of_another_pool_or_app_client_are_rejected(cognito: LocalCognito) -> None:
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
