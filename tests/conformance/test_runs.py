"""The committed recordings are what the servers answer today."""

from __future__ import annotations

import json
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from cognito_flow.testing import LocalCognito
from tests.conformance.command import main
from tests.conformance.recording import RECORDINGS, read
from tests.conformance.world import SCENARIOS
from tests.support.contract import model
from tests.support.http_server import Handler, running

SOME = ("srp_signs_in_with_a_client_secret", "a_temporary_password_is_replaced", "late_proofs", "rotation")


def check_recordings(server: str, folder: Path, *options: str) -> None:
    """Run the scenarios, and compare what was recorded with what is committed."""
    assert main(["--against", server, "--into", str(folder), *options]) == 0

    found, committed = read(folder / server), read(RECORDINGS / server)
    assert found != {}
    assert found == {name: committed[name] for name in found}


def test_local_cognito_answers_some_scenarios_as_recorded(tmp_path: Path) -> None:
    check_recordings("local", tmp_path, "--only", *SOME)


@pytest.mark.slow
def test_local_cognito_answers_all_scenarios_as_recorded_and_can_answer_each(tmp_path: Path) -> None:
    check_recordings("local", tmp_path)

    found = read(tmp_path / "local")
    names = model().operation_names
    assert found.keys() == {each.name for each in SCENARIOS if each.needs is None or each.needs in names}
    assert [name for name, recording in found.items() if recording.stopped is not None] == []


@pytest.mark.slow
@pytest.mark.other_programs
@pytest.mark.parametrize("server", ["ministack", "moto"])
def test_other_server_answers_as_recorded(server: str, tmp_path: Path) -> None:
    check_recordings(server, tmp_path, "--patience", "0")


def test_server_at_a_url_is_compared_with_local_cognito(
    tmp_path: Path, cognito: LocalCognito, capsys: pytest.CaptureFixture[str]
) -> None:
    with cognito.serve() as url:
        assert main(["--against", url, "--into", str(tmp_path), "--only", *SOME, "--patience", "0"]) == 0

    shown = capsys.readouterr().out
    (folder,) = tmp_path.iterdir()
    assert folder.name == url.removeprefix("http://").replace(".", "-").replace(":", "-")
    assert "late_proofs: left out, because it needs --patience 310" in shown
    assert "0 differences in 2 scenarios" in shown
    assert cognito.pool_ids() == []


def test_open_question_is_printed_with_its_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--against", "local", "--into", str(tmp_path), "--only", "late_proofs"])

    shown = capsys.readouterr().out
    assert "How late may PASSWORD_VERIFIER come? (protocol, 5.1)" in shown
    assert "  170 s after InitiateAuth: tokens" in shown
    assert "  310 s after InitiateAuth: refused with NotAuthorizedException: Incorrect username" in shown


def test_two_recordings_are_compared_without_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--compare", "local", "moto"]) == 0

    shown = capsys.readouterr().out
    assert "RespondToAuthChallenge PASSWORD_VERIFIER" in shown
    assert "  moto: " in shown


@pytest.mark.parametrize("server", ["production", "ftp://example.com", "http:///path", ""])
def test_unknown_server_is_a_usage_error(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--against", server])

    assert exit_.value.code == 2
    assert "aws or an http(s) URL" in capsys.readouterr().err


def test_aws_without_a_region_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--against", "aws"])

    assert exit_.value.code == 2
    assert "--region" in capsys.readouterr().err


def test_server_that_cannot_be_reached_is_one_sentence(tmp_path: Path) -> None:
    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as url:
        pass

    with pytest.raises(SystemExit, match=f"{url} cannot be called: Could not connect to the endpoint URL"):
        main(["--against", url, "--into", str(tmp_path)])


@pytest.mark.parametrize(
    ("options", "reason"),
    [(["--yes"], "Unable to locate credentials"), (["--profile", "no-such"], "no-such.* could not be found")],
)
@pytest.mark.parametrize("sweep", [[], ["--sweep"]])
def test_aws_without_credentials_is_one_sentence(
    options: list[str], reason: str, sweep: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--against", "aws", "--region", "eu-west-1", "--into", str(tmp_path), *options, *sweep]

    with pytest.raises(SystemExit, match=f"aws cannot be called: .*{reason}"):
        main(given)

    assert "may be left" not in capsys.readouterr().out


class WithoutPermission(Handler):
    """AWS, for a caller who may list user pools only."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["X-Amz-Target"].endswith(".ListUserPools"):
            self.answer(200, b'{"UserPools": []}')
        else:
            text = "User: arn:aws:iam::123456789012:user/me is not authorized"
            self.answer(400, json.dumps({"__type": "AccessDeniedException", "Message": text}).encode())


def test_run_without_a_permission_ends_and_records_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(ThreadingHTTPServer(("127.0.0.1", 0), WithoutPermission)) as url:
        assert main(["--against", url, "--into", str(tmp_path), "--only", *SOME]) == 1

    assert "refused a call: CreateUserPool: AccessDeniedException: User: arn:" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_scenario_ends_where_the_connection_fails_and_the_others_are_run(
    tmp_path: Path, cognito: LocalCognito
) -> None:
    cognito.faults.lose("CreateUserPoolClient")
    with cognito.serve() as url:
        assert main(["--against", url, "--into", str(tmp_path), "--only", *SOME, "--patience", "0"]) == 0

    (folder,) = tmp_path.iterdir()
    found = [each.stopped for each in read(folder).values()]
    assert sorted(found, key=str) == ["CreateUserPoolClient: ConnectionClosedError", None]
    assert cognito.pool_ids() == []


def test_comparison_with_a_server_that_was_not_recorded_is_a_usage_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--compare", "local", "no-such"])

    assert exit_.value.code == 2
    assert "there are no recordings of no-such" in capsys.readouterr().err


def test_unknown_scenario_is_named() -> None:
    with pytest.raises(SystemExit, match="no_such"):
        main(["--against", "local", "--only", "no_such"])


@pytest.mark.parametrize("option", ["--help", "--list"])
def test_command_describes_itself_and_its_scenarios(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([option])

    assert exit_.value.code == 0
    shown = capsys.readouterr().out
    expected = (
        ["--against", "--sweep", "--address"] if option == "--help" else [each.name for each in SCENARIOS]
    )
    assert [each for each in expected if each not in shown] == []
