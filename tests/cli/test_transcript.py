"""The session that docs/reference/command-line.md shows is what a terminal shows."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cognito_flow.testing import LocalCognito, totp_code
from tests.support.command import COMMAND, on_a_terminal

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "command-line.md"
PASSWORD, SECRET = "Correct horse 1", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PORT_OF_THE_PAGE, CODE_OF_THE_PAGE = "9229", "123456"


def session_of_the_page() -> str:
    (session,) = re.findall(
        r"^```console\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return str(session)


@pytest.mark.slow
def test_session_of_the_page_is_what_a_terminal_shows(tmp_path: Path) -> None:
    """The port, the code, the home folder and colours may differ."""
    cognito = LocalCognito()
    pool = cognito.create_pool(
        "shop",
        pool_id="eu-west-1_Shop00001",
        mfa_configuration="ON",
        software_token_mfa_configuration={"Enabled": True},
    )
    pool.app_client(client_id="web")
    pool.add_user("alice", PASSWORD)
    pool.enrol_totp("alice", SECRET)
    with cognito.serve() as url:
        port, typed = url.rpartition(":")[2], [PASSWORD, totp_code(SECRET, datetime.now(UTC))]
        commands = re.findall(r"^\$ cognito-flow (.*)$", session_of_the_page(), re.MULTILINE)
        shown = "".join(run(command.replace(PORT_OF_THE_PAGE, port), tmp_path, typed) for command in commands)

    for mine, of_the_page in ((port, PORT_OF_THE_PAGE), (str(tmp_path), "~")):
        shown = shown.replace(mine, of_the_page)
    shown = re.sub(r"(?<=app: )\d{6}", CODE_OF_THE_PAGE, shown)
    shown = re.sub(r"\x1b\[[0-9;]*m| +$", "", shown, flags=re.MULTILINE)
    assert shown == session_of_the_page()


def run(command: str, home: Path, typed: list[str]) -> str:
    """What the terminal shows of one command, the line with the command included."""
    shown = f"$ cognito-flow {command}\n"
    environment = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "COLUMNS": "110"}
    with on_a_terminal([*COMMAND, *command.split()], home, **environment) as terminal:
        for line in typed if command == "login" else ():
            shown += terminal.wait_for(": ")
            terminal.type(f"{line}\n")
        _, out, rest = terminal.finish()
    return shown + rest + out
