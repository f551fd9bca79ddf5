"""The verifier and aws-jwt-verify, the verifier of AWS for JavaScript, are asked about the same tokens.

Rule of this file: what is good and what is not was settled where the tokens are made; both must find it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest
from filelock import FileLock

from cognito_flow import (
    AppClient,
    TokenExpired,
    TokenInvalid,
    TokenVerifier,
    UserPasswordAuth,
)
from cognito_flow.testing import LocalCognito
from tests.support import forge
from tests.support.environments import node_with
from tests.support.forge import Case

pytestmark = pytest.mark.other_programs

PACKAGE = Path(__file__).with_name("jwt_verify")
LEEWAY = 30
CLIENTS = [forge.APP.client_id, forge.OTHER_CLIENT]

Verdicts: TypeAlias = dict[str, str | None]
"""For each case by name: the user of the token, or None if it is refused."""

Ask: TypeAlias = Callable[[AppClient, list[str], Mapping[str, Any], Mapping[str, Case]], Verdicts]


@pytest.fixture(scope="session")
def command(programs_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The command that runs the program with aws-jwt-verify."""
    with FileLock(programs_folder / "lock"):
        node, modules = node_with(PACKAGE, programs_folder)
    folder = tmp_path_factory.mktemp("jwt_verify")
    (folder / "node_modules").symlink_to(modules, target_is_directory=True)
    return [node, Path(shutil.copy(PACKAGE / "verdicts.mjs", folder))]


@pytest.fixture
def ask_theirs(command: list[Path]) -> Ask:
    """Asks aws-jwt-verify."""

    def ask(
        app: AppClient, clients: list[str], jwks: Mapping[str, Any], cases: Mapping[str, Case]
    ) -> Verdicts:
        question = {
            "userPoolId": app.pool_id,
            "clientId": clients,
            "graceSeconds": LEEWAY,
            "jwks": jwks,
            "tokens": [{"tokenUse": case.use, "token": case.token} for case in cases.values()],
        }
        done = subprocess.run(
            command,
            input=json.dumps(question),
            capture_output=True,
            check=True,
            encoding="utf-8",
            timeout=60,
        )
        answers = json.loads(done.stdout)
        # Each refusal is one of its own errors, and not that something broke.
        assert {answer["refused"] for answer in answers if "refused" in answer}.isdisjoint(
            {"Error", "TypeError", "ReferenceError", "FetchError", "JwksValidationError"}
        )
        return {what: answer.get("sub") for what, answer in zip(cases, answers, strict=True)}

    return ask


def ask_ours(
    app: AppClient, clients: list[str], jwks: Mapping[str, Any], cases: Mapping[str, Case]
) -> Verdicts:
    """Ask the verifier of this library."""
    verifier = TokenVerifier(
        [attrs.evolve(app, client_id=each) for each in clients],
        leeway=LEEWAY,
        fetch=lambda _url: json.dumps(jwks).encode(),
    )

    def verdict(case: Case) -> str | None:
        try:
            claims = verifier.verify_access if case.use == "access" else verifier.verify_id
            return claims(case.token).sub
        except (TokenInvalid, TokenExpired):
            return None

    return {what: verdict(case) for what, case in cases.items()}


def test_both_verifiers_agree_about_valid_and_invalid_tokens(ask_theirs: Ask) -> None:
    now = int(time.time())
    cases = {**forge.good(now), **forge.spoilt(now)}
    assert len(cases) >= 60

    theirs = ask_theirs(forge.APP, CLIENTS, forge.jwks(), cases)
    ours = ask_ours(forge.APP, CLIENTS, forge.jwks(), cases)

    assert ours == theirs
    assert {what: case.good for what, case in cases.items()} == {
        what: sub is not None for what, sub in ours.items()
    }


def test_ours_alone_refuses_a_good_signature_in_another_spelling(ask_theirs: Ask) -> None:
    """Node's decoder of base64 is lenient."""
    cases = forge.respelled(int(time.time()))

    theirs = ask_theirs(forge.APP, CLIENTS, forge.jwks(), cases)
    ours = ask_ours(forge.APP, CLIENTS, forge.jwks(), cases)

    assert all(theirs.values())
    assert not any(ours.values())


def test_both_verifiers_agree_about_tokens_of_local_cognito(ask_theirs: Ask, cognito: LocalCognito) -> None:
    """They are of the pool's own app client, of another one, and of another pool."""
    pool, other = cognito.create_pool(), cognito.create_pool()
    user, _ = (each.add_user("alice", "correct horse") for each in (pool, other))
    user.groups.append("admins")
    cases: dict[str, Case] = {}
    for what, place, app in (
        ("ours", pool, pool.app),
        ("of another app client", pool, pool.app_client(secret=True)),
        ("of another pool", other, other.app),
    ):
        flow = place.flow(app)
        tokens = flow.sign_in(UserPasswordAuth("alice", "correct horse")).tokens
        for when, each in (("", tokens), (", refreshed", flow.refresh(tokens))):
            cases[f"access, {what}{when}"] = Case("access", each.access_token, what == "ours")
            cases[f"id, {what}{when}"] = Case("id", str(each.id_token), what == "ours")

    theirs = ask_theirs(pool.app, [pool.app.client_id], pool.jwks(), cases)
    ours = ask_ours(pool.app, [pool.app.client_id], pool.jwks(), cases)

    assert ours == theirs
    assert ours == {what: user.sub if case.good else None for what, case in cases.items()}
