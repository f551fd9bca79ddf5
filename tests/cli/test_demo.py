"""`cognito-flow demo`."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from cognito_flow import UserSrpAuth
from cognito_flow.cli import demo
from cognito_flow.cli.app import app
from cognito_flow.testing import LocalCognito, Pool
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


@pytest.fixture
def pool(cognito: LocalCognito) -> Pool:
    """A pool without a second factor, which the demo does not expect."""
    pool = cognito.create_pool()
    pool.add_user("alice", demo._PASSWORD)
    return pool


def test_demo_fails_if_a_wrong_password_is_accepted(pool: Pool) -> None:
    with pytest.raises(demo.DemoFailed, match="accepted"):
        demo._refuse_password(pool.flow(), demo._PASSWORD)


def test_demo_fails_if_no_code_is_asked_for(pool: Pool) -> None:
    with pytest.raises(demo.DemoFailed, match="expected SOFTWARE_TOKEN_MFA, got SignedIn"):
        demo._refuse_code(pool.flow(), pool, "1")


def test_demo_fails_if_a_wrong_code_is_accepted(cognito: LocalCognito) -> None:
    pool = cognito.create_pool(**ON, **TOTP)
    pool.add_user("alice", demo._PASSWORD, totp=True)

    with pytest.raises(demo.DemoFailed, match="accepted"):
        demo._refuse_code(pool.flow(), pool, pool.totp("alice"))


def test_demo_fails_if_the_token_does_not_verify(pool: Pool) -> None:
    tokens = pool.flow().sign_in(UserSrpAuth("alice", demo._PASSWORD)).tokens

    with pytest.raises(demo.DemoFailed, match="another app client"):
        demo._verify(tokens, pool, pool.app_client())


def test_demo_fails_if_the_token_belongs_to_another_user(pool: Pool) -> None:
    pool.add_user("bob", demo._PASSWORD)
    tokens = pool.flow().sign_in(UserSrpAuth("bob", demo._PASSWORD)).tokens

    with pytest.raises(demo.DemoFailed, match="belongs to another user"):
        demo._verify(tokens, pool, pool.app)
