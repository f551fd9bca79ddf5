"""Where `login` and `refresh` put tokens, and in which format."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cognito_flow import UsageError
from cognito_flow.cli import exit_codes, output
from tests.cli.conftest import PASSWORD, Served, Signed, printed, read


def login(signed: Signed, *options: str, code: int = 0) -> str:
    given = f"{PASSWORD}\n"
    return str(signed.run("login", "--username", "alice", *options, given=given, code=code).stdout)


def test_env_is_evaluated_by_a_shell(signed: Signed) -> None:
    shown = login(signed, "--format", "env")

    script = f'{shown}printf "%s" "$COGNITO_ACCESS_TOKEN"'
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.count(".") == 2
    assert "export COGNITO_ID_TOKEN=" in shown
    assert "export COGNITO_REFRESH_TOKEN=" in shown


def test_header_is_one_line_for_curl(signed: Signed) -> None:
    shown = login(signed, "--format", "header")

    assert shown.startswith("Authorization: Bearer ey")
    assert shown.count("\n") == 1


def test_output_is_a_file_for_its_owner_alone_and_standard_output_is_empty(
    signed: Signed, tmp_path: Path
) -> None:
    path = tmp_path / "new.json"

    assert login(signed, "--output", str(path)) == ""

    assert read(path.read_text()).username == "alice"
    assert path.stat().st_mode & 0o777 == 0o600


def test_output_replaces_the_file_that_a_link_leads_to(signed: Signed, tmp_path: Path) -> None:
    path, link = tmp_path / "old.json", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o644)
    link.symlink_to(path)

    login(signed, "--output", str(link))

    assert link.is_symlink()
    assert read(path.read_text()).username == "alice"
    assert path.stat().st_mode & 0o777 == 0o600


def test_output_that_cannot_be_written_leaves_nothing_behind(signed: Signed, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "taken").mkdir()

    result = signed.run(
        "refresh",
        "--output",
        str(folder / "missing" / "file"),
        given=printed(signed.sign_in()),
        code=exit_codes.USAGE,
    )

    assert "cannot be written" in result.stderr
    assert [path.name for path in folder.iterdir()] == ["taken"]


def test_file_that_cannot_be_replaced_is_wrong_usage_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(UsageError, match="folder cannot be written"):
        output.write("text", tmp_path / "folder")

    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_tokens_that_are_stored_are_printed_only_on_request(signed: Signed) -> None:
    assert login(signed, *signed.stored) == ""
    assert signed.kept() is not None
    assert read(login(signed, *signed.stored, "--format", "json")) == signed.kept()


def test_remembered_device_is_kept_in_the_store(served: Served, signed: Signed) -> None:
    pool = served.create_pool(device_configuration={"ChallengeRequiredOnNewDevice": True})
    pool.add_user("alice", PASSWORD)
    with_devices = Signed(pool, pool.app, signed.url, signed.path)

    login(with_devices, *with_devices.stored)

    device = with_devices.store.get_device(pool.app, "alice")
    assert device is not None
    tokens = with_devices.kept()
    assert tokens is not None
    assert tokens.device_key == device.key


def test_unknown_format_is_wrong_usage_before_anything_is_asked(signed: Signed) -> None:
    login(signed, "--format", "nothing", code=exit_codes.USAGE)
