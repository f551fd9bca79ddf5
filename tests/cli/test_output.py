"""Where `login` and `refresh` put tokens, in which format, and what happens if output cannot be written."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cognito_flow import UsageError
from cognito_flow.cli import exit_codes, output
from tests.cli.conftest import PASSWORD, Served, Signed, printed, read
from tests.support.command import run_writing_to


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


# -- standard output that cannot be written --

NO_OUTPUT = pytest.mark.parametrize(
    ("where", "message"),
    [
        ("&-", "standard output is closed"),
        pytest.param(
            "/dev/full",
            "standard output cannot be written: No space left on device",
            marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device"),
        ),
    ],
    ids=["closed", "full"],
)


def operations(signed: Signed) -> list[str]:
    return [call.operation for call in signed.pool.cognito.calls]


def check_refused(done: subprocess.CompletedProcess[str], message: str) -> None:
    assert done.returncode == exit_codes.USAGE, done.stderr
    assert done.stderr.rpartition("\n")[0].endswith(message)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@NO_OUTPUT
def test_login_does_not_begin_if_the_tokens_cannot_be_printed(
    signed: Signed, where: str, message: str
) -> None:
    arguments = signed.arguments("login", "--username", "alice")

    check_refused(run_writing_to(where, *arguments, given=f"{PASSWORD}\n"), message)

    assert "InitiateAuth" not in operations(signed)


@NO_OUTPUT
@pytest.mark.parametrize("is_stored", [True, False], ids=["store", "standard input"])
def test_nothing_is_refreshed_if_the_tokens_cannot_be_printed(
    rotating: Signed, where: str, message: str, is_stored: bool
) -> None:
    tokens = rotating.keep(rotating.sign_in())
    arguments = rotating.arguments("refresh", *(rotating.stored if is_stored else ()))

    check_refused(run_writing_to(where, *arguments, given=printed(tokens)), message)

    assert "GetTokensFromRefreshToken" not in operations(rotating)


@NO_OUTPUT
@pytest.mark.parametrize("command", ["claims", "status", "doctor"])
def test_output_that_cannot_be_written_has_its_own_message_and_exit_code(
    signed: Signed, where: str, message: str, command: str
) -> None:
    """The exit code 1 would mean that `doctor` found problems."""
    signed.keep(signed.sign_in())
    options = () if command == "doctor" else signed.stored

    check_refused(run_writing_to(where, *signed.arguments(command, *options)), message)


@NO_OUTPUT
@pytest.mark.parametrize("arguments", [("demo",), ("pool", "--port", "0")], ids=["demo", "pool"])
def test_demo_and_pool_end_if_their_output_cannot_be_written(
    where: str, message: str, arguments: tuple[str, ...]
) -> None:
    check_refused(run_writing_to(where, *arguments), message)


def test_character_that_standard_output_lacks_is_written_as_an_escape(signed: Signed, tmp_path: Path) -> None:
    arguments = signed.arguments("status", "--store", str(tmp_path / "ü.json"))

    done = run_writing_to("&1", *arguments, PYTHONIOENCODING="ascii")

    assert done.returncode == 0, done.stderr
    assert "\\xfc.json" in done.stdout


@pytest.mark.parametrize("command", ["login", "refresh"])
def test_file_that_cannot_be_written_is_found_out_before_cognito_is_asked(
    rotating: Signed, tmp_path: Path, command: str
) -> None:
    rotating.keep(rotating.sign_in())
    before, path = len(operations(rotating)), tmp_path / "missing" / "file"
    options = ["--username", "alice", *rotating.stored, "--output", str(path)]

    result = rotating.run(command, *options, given=f"{PASSWORD}\n", code=exit_codes.USAGE)

    assert result.stderr.endswith(f"{path} cannot be written: No such file or directory\n")
    assert len(operations(rotating)) == before
