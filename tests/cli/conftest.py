"""Pools behind a socket, and the command run against them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest
from typer.testing import CliRunner

from cognito_flow.cli.app import app
from cognito_flow.testing import LocalCognito, Pool

PASSWORD, NEW_PASSWORD = "Correct horse 1", "Battery staple 2"


class Lines(io.TextIOBase):
    """Standard input whose lines are only known when they are asked for."""

    def __init__(self, *lines: str | Callable[[], str]) -> None:
        self.lines = list(lines)

    def isatty(self) -> bool:
        return False

    def readline(self, _size: int | None = -1, /) -> str:  # type: ignore[override]  # of no size
        if not self.lines:
            return ""
        line = self.lines.pop(0)
        return (line if isinstance(line, str) else line()) + "\n"


@attrs.frozen
class Served:
    """A service behind a socket."""

    cognito: LocalCognito
    url: str

    def create_pool(self, **members: Any) -> Pool:
        return self.cognito.create_pool(**members)

    def login(
        self, pool: Pool, lines: list[str], *options: str, env: dict[str, str] | None = None, code: int = 0
    ) -> Any:
        """Run `login` with these lines of standard input."""
        arguments = ["login", "--pool", pool.id, "--client", pool.app.client_id, "--username", "alice"]
        arguments += ["--endpoint", self.url, *options]
        result = CliRunner().invoke(app, arguments, input="".join(f"{line}\n" for line in lines), env=env)
        assert result.exit_code == code, result.stderr
        assert PASSWORD not in result.output
        return result


@pytest.fixture
def served(cognito: LocalCognito) -> Iterator[Served]:
    with cognito.serve() as url:
        yield Served(cognito, url)
