"""Verifiers for several user pools, and with a check of the application's own."""

from __future__ import annotations

import asyncio
import inspect
import json
import subprocess
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, cast

import attrs
import pytest

from cognito_flow import (
    AccessClaims,
    AppClient,
    AsyncTokenVerifier,
    CognitoFlowError,
    IdClaims,
    NotPermitted,
    System,
    TokenExpired,
    TokenInvalid,
    TokenVerifier,
    UsageError,
)
from tests.support import forge
from tests.support.forge import APP, ISSUER, OTHER_APP, access_claims, jwk, rs, token

AT = datetime(2030, 1, 1, 12, tzinfo=UTC)
NOW = int(AT.timestamp())
SYSTEM = System(now=lambda: AT)
ROOT = Path(__file__).parents[2]

ELSEWHERE = AppClient("us-east-1_XyZ789", "3example23456789")
ELSEWHERE_ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_XyZ789"
KINDS = pytest.mark.parametrize("kind", [TokenVerifier, AsyncTokenVerifier], ids=["sync", "async"])

Kind = type[TokenVerifier | AsyncTokenVerifier]
Claims = AccessClaims | IdClaims


@attrs.define
class Published:
    """The keys of two pools. Both name their key `access`, but it is not the same key."""

    fetched: list[str] = attrs.field(factory=list)

    def __call__(self, url: str) -> bytes:
        self.fetched.append(url)
        key = jwk("access") if url.startswith(ISSUER) else jwk("elsewhere", kid="access")
        return json.dumps({"keys": [key]}).encode()


def token_of(app: AppClient, *, signed_by: str, issuer: str) -> str:
    claims = access_claims(NOW, client_id=app.client_id, iss=issuer)
    return token({"kid": "access", "alg": "RS256"}, claims, rs(signed_by))


def verify(verifier: TokenVerifier | AsyncTokenVerifier, token: str = forge.access(NOW)) -> AccessClaims:
    claims: Any = verifier.verify_access(token)
    return cast("AccessClaims", asyncio.run(claims) if inspect.iscoroutine(claims) else claims)


@KINDS
def test_each_pool_is_found_by_the_issuer(kind: Kind) -> None:
    published = Published()
    verifier = kind([APP, ELSEWHERE, OTHER_APP], fetch=published, system=SYSTEM)

    for app, key, issuer in (
        (APP, "access", ISSUER),
        (OTHER_APP, "access", ISSUER),
        (APP, "access", forge.UPDATED_ISSUER),
        (ELSEWHERE, "elsewhere", ELSEWHERE_ISSUER),
    ):
        assert verify(verifier, token_of(app, signed_by=key, issuer=issuer)).client_id == app.client_id
    assert published.fetched == [f"{each}/.well-known/jwks.json" for each in (ISSUER, ELSEWHERE_ISSUER)]


@KINDS
@pytest.mark.parametrize(
    "other", [{"jwks_url": "https://keys.example/jwks.json"}, {"endpoint_url": "https://proxy.example"}]
)
def test_app_clients_of_one_pool_with_keys_at_different_urls_raise_usage_error(
    kind: Kind, other: dict[str, str]
) -> None:
    changed: Any = other

    with pytest.raises(UsageError, match="same jwks_url"):
        kind([APP, attrs.evolve(OTHER_APP, **changed)])
    assert kind([attrs.evolve(APP, **changed), attrs.evolve(OTHER_APP, **changed), ELSEWHERE])


@KINDS
def test_key_of_one_pool_does_not_sign_for_another(kind: Kind) -> None:
    verifier = kind([APP, ELSEWHERE], fetch=Published(), system=SYSTEM)

    with pytest.raises(TokenInvalid, match="signature"):
        verify(verifier, token_of(ELSEWHERE, signed_by="access", issuer=ELSEWHERE_ISSUER))


@KINDS
def test_app_client_of_one_pool_is_not_accepted_for_another(kind: Kind) -> None:
    verifier = kind([APP, ELSEWHERE], fetch=Published(), system=SYSTEM)

    with pytest.raises(TokenInvalid, match="another app client"):
        verify(verifier, token_of(ELSEWHERE, signed_by="access", issuer=ISSUER))


@KINDS
def test_token_of_an_unknown_pool_causes_no_fetch(kind: Kind) -> None:
    published = Published()
    verifier = kind([APP, OTHER_APP], fetch=published, system=SYSTEM)

    with pytest.raises(TokenInvalid, match="another issuer"):
        verify(verifier, token_of(ELSEWHERE, signed_by="elsewhere", issuer=ELSEWHERE_ISSUER))
    assert published.fetched == []


@KINDS
def test_prefetch_fetches_the_keys_of_all_pools(kind: Kind) -> None:
    published = Published()
    verifier = kind(iter([APP, ELSEWHERE, OTHER_APP]), fetch=published, system=SYSTEM)

    fetched: Any = verifier.prefetch()
    if inspect.iscoroutine(fetched):
        asyncio.run(fetched)

    assert len(published.fetched) == 2


def is_alice(claims: Claims) -> bool:
    return claims.username == "alice"


async def is_alice_later(claims: Claims) -> bool:
    return is_alice(claims)


def refuse(claims: Claims) -> bool:
    raise NotPermitted(f"{claims.username} is on holiday")


@pytest.mark.parametrize(
    ("kind", "check"),
    [(TokenVerifier, is_alice), (AsyncTokenVerifier, is_alice), (AsyncTokenVerifier, is_alice_later)],
)
def test_check_decides_after_all_others(kind: Callable[..., Any], check: Callable[..., Any]) -> None:
    verifier = kind(APP, check=check, fetch=Published(), system=SYSTEM)

    assert verify(verifier).username == "alice"
    with pytest.raises(NotPermitted, match="own check"):
        verify(verifier, forge.access(NOW, username="bob"))
    with pytest.raises(TokenInvalid):
        verify(verifier, forge.access(NOW, client_id="another"))


@KINDS
@pytest.mark.parametrize("answer", [None, 1, "yes", False])
def test_check_that_does_not_return_true_rejects(kind: Kind, answer: Any) -> None:
    verifier = kind(APP, check=lambda _claims: answer, fetch=Published(), system=SYSTEM)

    with pytest.raises(NotPermitted, match="own check"):
        verify(verifier)


def test_check_that_must_be_awaited_raises_usage_error_without_asyncio() -> None:
    check: Any = is_alice_later

    with pytest.raises(UsageError, match="use AsyncTokenVerifier"):
        TokenVerifier(APP, check=check)


@KINDS
def test_error_of_the_check_is_raised(kind: Kind) -> None:
    verifier = kind(APP, check=refuse, fetch=Published(), system=SYSTEM)

    with pytest.raises(NotPermitted, match="alice is on holiday"):
        verify(verifier)


def locals_of(error: BaseException) -> str:
    """What a tool prints that shows the local variables of a traceback, except of this file."""
    frames: list[FrameType] = []
    link: BaseException | None = error
    while link is not None:
        frames += [frame for frame, _ in traceback.walk_tb(link.__traceback__)]
        link = link.__cause__ or link.__context__
    return repr([frame.f_locals for frame in frames if frame.f_code.co_filename != __file__])


@KINDS
@pytest.mark.parametrize("use", ["access", "id"])
@pytest.mark.parametrize("spoil", ["scope", "signature", "check", "group list"])
def test_frames_of_a_raised_error_do_not_hold_the_token(kind: Kind, use: str, spoil: str) -> None:
    good = forge.signed("access", forge.access_claims(NOW) if use == "access" else forge.id_claims(NOW))
    given = good[:-20] + "A" * 20 if spoil == "signature" else good
    check: Any = (lambda _claims: False) if spoil == "check" else None
    verifier: Any = kind(APP, check=check, fetch=Published(), system=SYSTEM)
    method = verifier.verify_access if use == "access" else verifier.verify_id
    spoilt_requirements: dict[str, Any] = {"scope": {"groups": ["a"]}, "group list": {"groups": "a"}}

    with pytest.raises(CognitoFlowError) as raised:  # noqa: PT012 - the twins raise at different times
        verified = method(given, **spoilt_requirements.get(spoil, {}))
        asyncio.run(verified)

    assert given not in locals_of(raised.value)
    assert given.rpartition(".")[0] not in locals_of(raised.value)


def test_verifying_loads_neither_the_aws_sdk_nor_asyncio_nor_the_sign_in(tmp_path: Path) -> None:
    """Lambda functions and APIs that only verify tokens start fast and stay small."""
    (tmp_path / "jwks.json").write_text(json.dumps(forge.jwks()))
    (tmp_path / "token").write_text(forge.access(int(datetime.now(UTC).timestamp())))
    program = f"""
import sys
from pathlib import Path
from cognito_flow import AppClient, TokenVerifier
verifier = TokenVerifier(
    AppClient({APP.pool_id!r}, {APP.client_id!r}), fetch=lambda url: Path("jwks.json").read_bytes()
)
print(verifier.verify_access(Path("token").read_text()).username, *sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    username, *loaded = done.stdout.split()

    assert username == "alice"
    for name in ("boto3", "botocore", "asyncio", "Crypto", "cryptography.fernet", "filelock", "urllib3"):
        assert name not in loaded
    for room in ("_engine", "_srp", "_transport", "account", "credentials", "flow", "handlers", "stores"):
        assert f"cognito_flow.{room}" not in loaded


@KINDS
def test_both_verifiers_use_the_leeway_that_they_are_given(kind: Kind) -> None:
    def verifier(**options: Any) -> TokenVerifier | AsyncTokenVerifier:
        return kind(APP, fetch=lambda _url: json.dumps(forge.jwks()).encode(), system=SYSTEM, **options)

    old = forge.access(NOW, exp=NOW - 20)

    assert verify(verifier(), old)
    with pytest.raises(TokenExpired):
        verify(verifier(leeway=0), old)


@KINDS
def test_both_verifiers_require_the_audience(kind: Kind) -> None:
    verifier = kind(APP, fetch=lambda _url: json.dumps(forge.jwks()).encode(), system=SYSTEM)

    def of_another_audience() -> object:
        claims: Any = verifier.verify_access(forge.access(NOW, aud="photos"), audience="files")
        return asyncio.run(claims) if inspect.iscoroutine(claims) else claims

    with pytest.raises(TokenInvalid, match="audience"):
        of_another_audience()
