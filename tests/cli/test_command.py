"""The command itself: its help, and what it says where an extra is missing."""

from __future__ import annotations

import builtins
from typing import Any

import pytest

from cognito_flow.cli import main
from tests.support.command import run


def test_the_command_tells_what_it_can_do() -> None:
    """Through the installed entry point's function."""
    done = run("--help")

    assert done.returncode == 0, done.stderr
    assert "login" in done.stdout
    assert "demo" in done.stdout


@pytest.mark.parametrize("missing", ["typer", "something_else"])
def test_a_missing_extra_is_named(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it; what is no extra is a bug, and shown as one."""
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
