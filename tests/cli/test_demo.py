"""`cognito-flow demo`."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from cognito_flow import SignedIn, UserSrpAuth
from cognito_flow.cli import demo
from cognito_flow.cli.app import app
from cognito_flow.testing import LocalCognito
from tests.scenarios.second_factors import ON, TOTP


def test_demo_shows_operations_and_names_but_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    result = CliRunner().invoke(app, ["demo"])

    assert result.exit_code == 0
    shown = result.stdout + capsys.readouterr().out
    for word in (
        "PASSWORD_VERIFIER",
        "SRP_A",
        "SOFTWARE_TOKEN_MFA_CODE",
        "RS256",
        "IncorrectPassword",
        "WrongCode",
    ):
        assert word in shown
    assert "\x1b" not in shown
    assert demo._PASSWORD not in shown


def test_demo_fails_if_a_step_behaves_otherwise(cognito: LocalCognito) -> None:
    pool = cognito.create_pool()
    pool.add_user("alice", demo._PASSWORD)
    flow = pool.flow()
    with pytest.raises(demo.NotAsTold, match="accepted"):
        demo._refuse_password(flow, demo._PASSWORD)
    with pytest.raises(demo.NotAsTold, match="SignedIn"):
        demo._refuse_code(flow, pool, "1")
    strict = cognito.create_pool(**ON, **TOTP)
    strict.add_user("alice", demo._PASSWORD, totp=True)
    with pytest.raises(demo.NotAsTold, match="accepted"):
        demo._refuse_code(strict.flow(), strict, strict.totp("alice"))
    done = flow.start(UserSrpAuth("alice", demo._PASSWORD))
    assert isinstance(done, SignedIn)
    with pytest.raises(demo.NotAsTold, match="another app client"):
        demo._verify(done.tokens, pool, pool.app_client())
    pool.add_user("bob", demo._PASSWORD)
    of_bob = pool.flow().sign_in(UserSrpAuth("bob", demo._PASSWORD)).tokens
    with pytest.raises(demo.NotAsTold, match="somebody else"):
        demo._verify(of_bob, pool, pool.app)
