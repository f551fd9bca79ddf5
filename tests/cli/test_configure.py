"""`cognito-flow configure`, and where the other subcommands find the app client."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cognito_flow import AppClient
from cognito_flow.cli import exit_codes, profiles
from cognito_flow.cli.app import app
from cognito_flow.cli.profiles import Profile
from tests.support.command import run_without_room_for_files

POOL_ID, CLIENT_ID = "eu-west-1_AbC123", "1example23456789"
IDS = ["--pool", POOL_ID, "--client", CLIENT_ID]
IDENTITY_POOL_ID = "eu-west-1:11111111-2222-3333-4444-555555555555"


def run(*arguments: str, given: str = "", code: int = 0, **environment: str) -> Any:
    result = CliRunner().invoke(app, arguments, input=given, env=environment)
    assert result.exit_code == code, result.stderr
    return result


def shown_by_status(*arguments: str, **environment: str) -> str:
    return str(run("status", *arguments, given="", code=0, **environment).stdout)


# -- saving --


def test_options_are_saved_without_a_question() -> None:
    result = run("configure", *IDS, "--username", "alice", "--endpoint", "http://localhost:9229")

    assert profiles.read(None) == Profile(
        POOL_ID, CLIENT_ID, endpoint_url="http://localhost:9229", username="alice"
    )
    assert result.stderr == f"saved the profile default in {profiles.file()}\n"


def test_without_options_each_setting_is_asked_for() -> None:
    run("configure", given=f"{POOL_ID}\n{CLIENT_ID}\nSECRET\n\nalice\ntokens.json\n{IDENTITY_POOL_ID}\n")

    assert profiles.read(None) == Profile(
        POOL_ID,
        CLIENT_ID,
        client_secret_env="SECRET",
        username="alice",
        store=str(Path.cwd() / "tokens.json"),
        identity_pool_id=IDENTITY_POOL_ID,
    )


def test_store_in_the_home_folder_is_saved_with_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))

    run("configure", given=f"{POOL_ID}\n{CLIENT_ID}\n\n\n\n~/tokens.json\n\n")

    assert profiles.read(None).store == str(tmp_path / "tokens.json")


def test_dash_instead_of_a_store_is_saved_as_it_is() -> None:
    run("configure", *IDS, "--store", "-")

    assert profiles.read(None).store == "-"


def test_settings_stay_unless_another_value_or_a_dash_is_typed() -> None:
    run("configure", *IDS, "--username", "alice", "--store", "tokens.json")

    result = run("configure", given="\n\n\n\nbob\n-\n\n")

    assert profiles.read(None) == Profile(POOL_ID, CLIENT_ID, username="bob")
    assert "User name [alice]: " in result.stderr


def test_option_changes_one_setting_and_keeps_the_others() -> None:
    run("configure", *IDS)

    run("configure", "--username", "alice")

    assert profiles.read(None) == Profile(POOL_ID, CLIENT_ID, username="alice")


def test_profiles_are_kept_beside_each_other() -> None:
    run("configure", *IDS)
    run("configure", "--profile", "staging", "--pool", POOL_ID, "--client", "staging", "--username", 'a"b')

    assert profiles.names() == ["default", "staging"]
    assert profiles.read("staging") == Profile(POOL_ID, "staging", username='a"b')


def test_amplify_outputs_are_read_once_and_saved(tmp_path: Path) -> None:
    path = tmp_path / "amplify_outputs.json"
    path.write_text(json.dumps({"auth": {"user_pool_id": POOL_ID, "user_pool_client_id": CLIENT_ID}}))

    run("configure", "--amplify-outputs", str(path))

    assert profiles.read(None) == Profile(POOL_ID, CLIENT_ID)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pool", "x", "--client", "c"], "user pool id"),
        (["--pool", POOL_ID], "client_id is empty"),
        ([*IDS, "--profile", "a b"], "letters, digits, - and _"),
        ([*IDS, "--username", "a\x1bb"], "control characters"),
    ],
)
def test_setting_that_cannot_be_used_is_refused_and_not_saved(arguments: list[str], message: str) -> None:
    result = run("configure", *arguments, code=exit_codes.USAGE)

    assert message in result.stderr
    assert profiles.names() == []


def test_end_of_input_saves_nothing() -> None:
    run("configure", given=f"{POOL_ID}\n", code=exit_codes.UNANSWERED)

    assert not profiles.file().exists()


@pytest.mark.parametrize(
    "text", ["[default", "default = 1", "[default]\npool_id = 1", '[default]\nunknown = "x"', "\x80"]
)
def test_damaged_file_is_wrong_usage_and_stays_as_it_is(text: str) -> None:
    profiles.file().parent.mkdir(parents=True)
    profiles.file().write_text(text, encoding="latin-1")

    result = run("status", code=exit_codes.USAGE)

    assert str(profiles.file()) in result.stderr
    assert profiles.file().read_text(encoding="latin-1") == text
    assert profiles.names() == []


def test_file_that_cannot_be_written_is_wrong_usage() -> None:
    profiles.file().parent.mkdir(parents=True)
    profiles.file().mkdir()

    assert "cannot be read" in run("configure", *IDS, code=exit_codes.USAGE).stderr


def test_file_that_cannot_be_completed_is_wrong_usage_and_leaves_nothing_behind() -> None:
    done = run_without_room_for_files("configure", *IDS)

    assert done.returncode == exit_codes.USAGE
    assert "cannot be written" in done.stderr
    assert list(profiles.file().parent.iterdir()) == []


def test_folder_that_cannot_be_created_is_wrong_usage(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "missing" / "folder")

    result = run("configure", *IDS, code=exit_codes.USAGE, XDG_CONFIG_HOME=str(link))

    assert "the folder " in result.stderr
    assert " cannot be created: " in result.stderr


# -- finding the app client --


def test_without_an_app_client_all_ways_to_give_one_are_named() -> None:
    result = run("status", code=exit_codes.USAGE)

    for way in ("--pool and --client", "COGNITO_POOL_ID and COGNITO_CLIENT_ID", "cognito-flow configure"):
        assert way in result.stderr


def test_default_profile_is_used_when_nothing_is_given() -> None:
    run("configure", *IDS)

    assert POOL_ID in shown_by_status()


def test_environment_of_app_client_from_env_is_that_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {
        "COGNITO_POOL_ID": POOL_ID,
        "COGNITO_CLIENT_ID": CLIENT_ID,
        "COGNITO_CLIENT_SECRET": "a-secret",
        "COGNITO_REGION": "us-east-1",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    shown = shown_by_status()

    assert AppClient.from_env() == AppClient(POOL_ID, CLIENT_ID, "a-secret", region="us-east-1")
    assert f"{CLIENT_ID} (client secret from COGNITO_CLIENT_SECRET)" in shown
    assert "calls go to AWS, us-east-1" in shown


def test_option_wins_over_environment_and_environment_over_profile() -> None:
    run("configure", "--pool", POOL_ID, "--client", "of-profile")

    of_environment = {"COGNITO_POOL_ID": POOL_ID, "COGNITO_CLIENT_ID": "of-environment"}
    assert "of-profile" in shown_by_status()
    assert "of-environment" in shown_by_status(**of_environment)
    assert "of-option" in shown_by_status("--client", "of-option", **of_environment)


def test_settings_of_the_default_profile_are_not_mixed_with_another_app_client() -> None:
    """Its endpoint and secret belong to its own app client."""
    run("configure", *IDS, "--endpoint", "http://localhost:9229")

    assert "localhost" not in shown_by_status("--pool", "eu-west-1_Other", "--client", "other")


STAGING = ["--profile", "staging"]


@pytest.fixture
def _staging(tmp_path: Path) -> None:
    """A named profile with all settings."""
    store = str(tmp_path / "tokens.json")
    own = ["--client-secret-env", "STAGING_SECRET", "--endpoint", "http://localhost:9229"]
    run("configure", *STAGING, *IDS, *own, "--region", "us-east-1", "--username", "al", "--store", store)


@pytest.mark.usefixtures("_staging")
@pytest.mark.parametrize(
    "other", [(POOL_ID, "other"), ("eu-west-1_Other", CLIENT_ID)], ids=["client", "pool"]
)
def test_settings_of_a_named_profile_are_not_mixed_with_another_app_client(other: tuple[str, str]) -> None:
    """Or a password would be sent to the endpoint of another pool."""
    variables = dict(zip(("COGNITO_POOL_ID", "COGNITO_CLIENT_ID"), other, strict=True))
    options = ["--pool", other[0], "--client", other[1]]
    for result in (
        run("status", *STAGING, STAGING_SECRET="s", code=0, **variables),
        run("status", *STAGING, *options, STAGING_SECRET="s"),
    ):
        assert result.stdout.splitlines() == [
            f"pool        {other[0]}",
            f"app client  {other[1]} (no client secret)",
            "calls go to AWS, eu-west-1",
            "store       none",
        ]
        assert result.stderr == "the profile staging is not used: it belongs to another app client\n"


@pytest.mark.usefixtures("_staging")
def test_another_client_id_alone_does_not_get_the_pool_of_a_named_profile() -> None:
    result = run("status", *STAGING, "--client", "other", STAGING_SECRET="s", code=exit_codes.USAGE)

    assert "which app client?" in result.stderr
    assert "the profile staging is not used: it belongs to another app client" in result.stderr


@pytest.mark.usefixtures("_staging")
@pytest.mark.parametrize("same", [IDS, IDS[:2], IDS[2:]])
def test_settings_of_a_named_profile_are_used_for_the_same_app_client(same: list[str]) -> None:
    result = run("status", *STAGING, *same, STAGING_SECRET="s")

    assert "(client secret from STAGING_SECRET)" in result.stdout
    assert "http://localhost:9229" in result.stdout
    assert result.stderr == ""


def test_endpoint_alone_is_put_over_the_profile() -> None:
    run("configure", *IDS)

    shown = shown_by_status("--endpoint", "http://localhost:9229")

    assert POOL_ID in shown
    assert "http://localhost:9229" in shown


def test_unknown_profile_is_wrong_usage_that_names_the_known_ones() -> None:
    run("configure", *IDS)

    result = run("status", "--profile", "nowhere", code=exit_codes.USAGE)

    assert "there is no profile 'nowhere' (there are: default)" in result.stderr


def test_profile_is_chosen_by_the_environment() -> None:
    run("configure", *IDS, "--profile", "staging")

    assert POOL_ID in shown_by_status(COGNITO_PROFILE="staging")


def test_amplify_outputs_are_read_for_one_command(tmp_path: Path) -> None:
    path = tmp_path / "amplify_outputs.json"
    auth = {"user_pool_id": POOL_ID, "user_pool_client_id": CLIENT_ID, "aws_region": "us-east-1"}
    path.write_text(json.dumps({"auth": auth}))

    shown = shown_by_status("--amplify-outputs", str(path))

    assert CLIENT_ID in shown
    assert "AWS, us-east-1" in shown


def test_stack_that_cannot_be_read_is_wrong_usage() -> None:
    result = run(
        "status",
        "--stack",
        "shop",
        code=exit_codes.UNREACHABLE,
        AWS_ENDPOINT_URL="http://127.0.0.1:1",
        AWS_DEFAULT_REGION="eu-west-1",
        AWS_ACCESS_KEY_ID="an-id",
        AWS_SECRET_ACCESS_KEY="a-key",
        AWS_MAX_ATTEMPTS="1",
    )

    assert "AWS could not be reached" in result.stderr


def test_stack_and_amplify_outputs_cannot_be_combined() -> None:
    result = run("status", "--stack", "shop", "--amplify-outputs", "x.json", code=exit_codes.USAGE)

    assert "--stack and --amplify-outputs cannot be combined" in result.stderr
