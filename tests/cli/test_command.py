"""The command itself: its help, and what it says where an extra is missing."""

from __future__ import annotations

import builtins
import re
from importlib.metadata import version
from typing import Any

import pytest
from typer.testing import CliRunner

from cognito_flow.cli import main, profiles
from cognito_flow.cli.app import app
from cognito_flow.cli.profiles import Profile
from tests.support.command import run


def test_help_lists_the_subcommands() -> None:
    done = run("--help")

    assert done.returncode == 0, done.stderr
    assert "login" in done.stdout
    assert "demo" in done.stdout


@pytest.mark.parametrize("missing", ["typer", "something_else"])
def test_missing_package_of_an_extra_is_named_with_the_command_that_installs_it(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "cognito_flow.cli.app":
            raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        SystemExit if missing == "typer" else ModuleNotFoundError, match=r"cognito-flow\[cli\]|something"
    ):
        main()


SUBCOMMANDS = [
    "demo",
    "pool",
    "configure",
    "login",
    "refresh",
    "credentials",
    "logout",
    "status",
    "claims",
    "doctor",
]


def invoke(*arguments: str, **environment: str) -> str:
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200", **environment})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_version_is_that_of_the_package() -> None:
    assert invoke("--version") == f"cognito-flow {version('cognito-flow')}\n"


@pytest.mark.parametrize("subcommand", [[], *([each] for each in SUBCOMMANDS)], ids="".join)
def test_short_option_h_shows_the_help(subcommand: list[str]) -> None:
    assert invoke(*subcommand, "-h") == invoke(*subcommand, "--help")


@pytest.mark.parametrize("subcommand", [[], *([each] for each in SUBCOMMANDS)], ids="".join)
def test_help_of_a_switch_shows_no_value(subcommand: list[str]) -> None:
    assert not re.search("bool", invoke(*subcommand, "-h"), re.IGNORECASE)


@pytest.mark.parametrize("subcommand", SUBCOMMANDS)
def test_help_of_each_subcommand_has_examples(subcommand: str) -> None:
    assert re.search(rf"Examples?:.*cognito-flow {subcommand}", invoke(subcommand, "-h"), re.DOTALL)


@pytest.mark.parametrize("subcommand", SUBCOMMANDS)
def test_examples_of_the_help_use_options_that_exist(subcommand: str) -> None:
    shown = invoke(subcommand, "-h")
    examples = re.findall(rf"cognito-flow {subcommand}(?: [^\n|]*)?", shown.partition("xample")[2])
    options = {option for example in examples for option in re.findall(r" (--[a-z-]+)", example)}
    table = shown[shown.index("Options") :]

    assert options - set(re.findall(r"--[a-z-]+", table)) <= {"--raw-output"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_names_the_command(shell: str) -> None:
    script = invoke(_COGNITO_FLOW_COMPLETE=f"source_{shell}")

    assert "_COGNITO_FLOW_COMPLETE=complete_" in script
    assert "cognito-flow" in script


def completed(*words: str) -> list[str]:
    """What bash is offered for the last of these words."""
    variables = {"COMP_WORDS": " ".join(["cognito-flow", *words]), "COMP_CWORD": str(len(words))}
    return invoke(_COGNITO_FLOW_COMPLETE="complete_bash", **variables).split()


def test_completion_offers_subcommands_options_and_profiles() -> None:
    profiles.save("staging", Profile("eu-west-1_AbC123", "client"))

    assert completed("log") == ["login", "logout"]
    assert completed("cred") == ["credentials"]
    assert completed("login", "--with") == ["--with-password"]
    assert completed("login", "--flow", "cu") == ["custom"]
    assert completed("login", "--profile", "st") == ["staging"]
