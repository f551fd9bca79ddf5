"""`cognito-flow credentials`, and an AWS config file that names it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import botocore.session
import pytest
from botocore.exceptions import CredentialRetrievalError
from typer.testing import CliRunner

from cognito_flow.cli import exit_codes
from cognito_flow.cli.app import app
from tests.cli.conftest import PASSWORD, Signed, printed, unwrapped
from tests.integrations import identities
from tests.support.command import COMMAND, TIMEOUT

IDENTITY_POOL = ["--identity-pool", identities.POOL_ID]


@pytest.fixture
def service(signed: Signed, monkeypatch: pytest.MonkeyPatch) -> Iterator[identities.Identities]:
    """The identity pool."""
    with identities.serve(signed.pool, signed.app) as served:
        monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", served.url)
        yield served


def operations(signed: Signed) -> list[str]:
    return [call.operation for call in signed.pool.cognito.calls]


def test_stored_sign_in_becomes_aws_credentials(signed: Signed, service: identities.Identities) -> None:
    tokens = signed.keep(signed.sign_in())

    shown = json.loads(signed.run("credentials", *signed.stored, *IDENTITY_POOL).stdout)

    assert shown.pop("Expiration") > "2026"
    assert shown == {
        "Version": 1,
        "AccessKeyId": "ASIAKEYOFTHEUSER0001",
        "SecretAccessKey": "secret-key-of-the-user",
        "SessionToken": "session-1",
    }
    assert signed.kept() == tokens
    assert "GetTokensFromRefreshToken" not in operations(signed)


def test_tokens_that_expire_are_refreshed_and_saved(rotating: Signed, tmp_path: Path) -> None:
    before = rotating.keep(attrs.evolve(rotating.sign_in(), expires_at=rotating.pool.cognito.clock()))

    with identities.serve(rotating.pool, rotating.app) as service:
        rotating.run(
            "credentials",
            *rotating.stored,
            *IDENTITY_POOL,
            AWS_ENDPOINT_URL_COGNITO_IDENTITY=service.url,
        )

    after = rotating.kept()
    assert after is not None
    assert after.refresh_token != before.refresh_token
    assert rotating.is_valid(after)


def test_profile_holds_all_that_credentials_needs(signed: Signed, service: identities.Identities) -> None:
    signed.keep(signed.sign_in())
    signed.run("configure", *signed.stored, *IDENTITY_POOL)

    shown = CliRunner().invoke(app, ["credentials", "--profile", "default"])

    assert json.loads(shown.stdout)["Version"] == 1


def test_guest_role_of_a_machine_is_not_asked(signed: Signed, service: identities.Identities) -> None:
    """The only calls are those that name the user."""
    signed.keep(signed.sign_in())

    signed.run("credentials", *signed.stored, *IDENTITY_POOL)

    assert service.operations() == ["GetId", "GetCredentialsForIdentity"]
    assert all(asked.parameters["Logins"] and asked.access_key is None for asked in service.asked)


# -- `login --format credential-process` --


def test_login_prints_aws_credentials_in_place_of_tokens(
    signed: Signed, service: identities.Identities, tmp_path: Path
) -> None:
    path = tmp_path / "credentials.json"
    options = ["--format", "credential-process", "--output", str(path), *IDENTITY_POOL]

    result = signed.run("login", "--username", "alice", *options, given=f"{PASSWORD}\n")

    assert result.stdout == ""
    assert json.loads(path.read_text())["SessionToken"] == "session-1"
    assert path.stat().st_mode & 0o777 == 0o600


def test_login_for_aws_credentials_keeps_the_tokens_in_the_store(
    signed: Signed, service: identities.Identities
) -> None:
    options = [*signed.stored, "--format", "credential-process", *IDENTITY_POOL]

    shown = signed.run("login", "--username", "alice", *options, given=f"{PASSWORD}\n").stdout

    assert json.loads(shown)["Version"] == 1
    kept = signed.kept()
    assert kept is not None
    assert signed.is_valid(kept)


@pytest.mark.parametrize(
    ("command", "message"),
    [("login", "which identity pool? Pass --identity-pool"), ("refresh", "use `cognito-flow credentials`")],
)
def test_aws_credentials_that_cannot_be_printed_are_refused_before_any_call(
    signed: Signed, command: str, message: str
) -> None:
    given = f"{PASSWORD}\n" if command == "login" else printed(signed.sign_in())
    before = len(operations(signed))
    options = ["--username", "alice", "--format", "credential-process"]

    result = signed.run(command, *options, given=given, code=exit_codes.USAGE)

    assert message in unwrapped(result.stderr)
    assert len(operations(signed)) == before


# -- what is refused --


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--store", "-", *IDENTITY_POOL], "which tokens? Pass the --store"),
        (["--store", "FILE"], "which identity pool? Pass --identity-pool"),
        (["--store", "FILE", "--identity-pool", "x"], "identity pool"),
        (["--store", "MISSING", *IDENTITY_POOL], "the store has no tokens"),
    ],
)
def test_credentials_without_what_they_need_are_wrong_usage(
    signed: Signed, tmp_path: Path, options: list[str], message: str
) -> None:
    signed.keep(signed.sign_in())
    paths = {"FILE": str(signed.path), "MISSING": str(tmp_path / "missing.json")}

    result = signed.run("credentials", *(paths.get(each, each) for each in options), code=exit_codes.USAGE)

    assert message in result.stderr


def test_ended_sign_in_is_refused_with_the_way_out(signed: Signed, service: identities.Identities) -> None:
    tokens = signed.sign_in()
    signed.pool.flow().revoke(tokens)
    signed.keep(attrs.evolve(tokens, expires_at=signed.pool.cognito.clock()))

    result = signed.run("credentials", *signed.stored, *IDENTITY_POOL, code=exit_codes.REFUSED)

    assert "cognito-flow login" in result.stderr
    assert str(tokens.refresh_token) not in result.stderr


def test_identity_pool_that_refuses_is_named(signed: Signed, service: identities.Identities) -> None:
    signed.keep(signed.sign_in())
    service.refusals.append((400, "NotAuthorizedException", "Token is not from a supported provider"))

    result = signed.run("credentials", *signed.stored, *IDENTITY_POOL, code=exit_codes.REFUSED)

    assert "supported provider" in result.stderr


def test_identity_pool_that_is_not_reached_has_its_own_exit_code(signed: Signed) -> None:
    signed.keep(signed.sign_in())
    nowhere = {"AWS_ENDPOINT_URL_COGNITO_IDENTITY": "http://127.0.0.1:1"}

    signed.run(
        "credentials",
        *signed.stored,
        *IDENTITY_POOL,
        "--timeout",
        "1",
        code=exit_codes.UNREACHABLE,
        **nowhere,
    )


def test_refresh_and_identity_pool_share_one_timeout(rotating: Signed, silent: str) -> None:
    rotating.keep(attrs.evolve(rotating.sign_in(), expires_at=rotating.pool.cognito.clock()))
    rotating.pool.cognito.faults.delay("GetTokensFromRefreshToken", seconds=0.5)
    started = time.monotonic()

    rotating.run(
        "credentials",
        *rotating.stored,
        *IDENTITY_POOL,
        "--timeout",
        "2",
        code=exit_codes.UNREACHABLE,
        AWS_ENDPOINT_URL_COGNITO_IDENTITY=silent,
    )

    assert time.monotonic() - started < 10
    assert operations(rotating)[-1] == "GetTokensFromRefreshToken"


def test_credentials_do_not_read_a_stack(signed: Signed) -> None:
    """Reading one needs AWS credentials, and those may be what this very process was started for."""
    signed.run("credentials", "--stack", "shop", code=exit_codes.USAGE)


@pytest.fixture
def of_aws_config(signed: Signed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A botocore session with an AWS config file that names the command, as `AWS_PROFILE=shop aws` has it."""
    command = shlex.join([*COMMAND, *signed.arguments("credentials", *signed.stored, *IDENTITY_POOL)])
    config = tmp_path / "config"
    config.write_text(f"[profile shop]\ncredential_process = {command}\n", encoding="utf-8")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_PROFILE", "shop")
    return botocore.session.Session()


@pytest.mark.slow
def test_botocore_runs_the_command_of_an_aws_config_file(
    signed: Signed, service: identities.Identities, of_aws_config: Any
) -> None:
    """The command sees AWS_PROFILE, too: if it looked for AWS credentials, it would start itself again."""
    signed.keep(signed.sign_in())

    credentials = of_aws_config.get_credentials()

    assert credentials.method == "custom-process"
    assert credentials.get_frozen_credentials().access_key == "ASIAKEYOFTHEUSER0001"
    assert credentials.get_frozen_credentials().token == "session-1"
    assert service.operations().count("GetCredentialsForIdentity") == 1


@pytest.mark.slow
def test_botocore_shows_why_the_command_failed(signed: Signed, of_aws_config: Any) -> None:
    with pytest.raises(CredentialRetrievalError, match="run `cognito-flow login --store`"):
        of_aws_config.get_credentials()


@pytest.mark.slow
def test_processes_that_start_at_once_refresh_once_and_all_print_credentials(
    rotating: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refresh token ends with its first use: a second refresh would end the sign-in for all of them."""
    before = rotating.keep(attrs.evolve(rotating.sign_in(), expires_at=rotating.pool.cognito.clock()))
    command = [*COMMAND, *rotating.arguments("credentials", *rotating.stored, *IDENTITY_POOL)]
    already_called = len(operations(rotating))
    # Meanwhile, the others read the tokens that have expired.
    rotating.pool.cognito.faults.delay("GetTokensFromRefreshToken", seconds=3, times=8)

    with identities.serve(rotating.pool, rotating.app) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", service.url)
        started = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(8)
        ]
        finished = [(process.communicate(timeout=TIMEOUT), process.returncode) for process in started]

    assert [code for _, code in finished] == [0] * 8, finished
    shown = [json.loads(out) for (out, _), _ in finished]
    assert all(each["Version"] == 1 and each["AccessKeyId"].startswith("ASIAKEYOFTHEUSER") for each in shown)
    assert operations(rotating)[already_called:] == ["GetTokensFromRefreshToken"]
    after = rotating.kept()
    assert after is not None
    assert after.refresh_token != before.refresh_token
    assert rotating.is_valid(after)
