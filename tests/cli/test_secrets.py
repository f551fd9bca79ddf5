"""No command shows or leaves behind a secret that it was not asked for: what was typed, the client secret, and tokens."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
import typer.main
from typer.testing import CliRunner

from cognito_flow import AppClient, CognitoFlowError, FileStore, Tokens, UserPasswordAuth
from cognito_flow._json import as_object
from cognito_flow.cli.app import app
from cognito_flow.testing import LocalCognito, Pool
from tests.cli.conftest import PASSWORD, Served
from tests.integrations import identities
from tests.scenarios.second_factors import ON, TOTP
from tests.support.command import COMMAND, on_a_terminal
from tests.support.planted import Place, Planted, errors_behind, searches

if TYPE_CHECKING:
    from cognito_flow.testing._service import Reply

WRONG, WEAK = "Sentinel-wrong-1", "sentinel-weak"
SECRET_MEMBERS = re.compile(
    "PASSWORD|_CODE|SECRET|Session|SecretCode|AccessToken|IdToken|RefreshToken|^Token$"
)
WITH_MADE_UP_SECRETS = {"demo", "pool"}  # which print what their own pools need


class Overheard(LocalCognito):
    """A service that remembers each secret that it was sent, or sent."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: set[str] = set()

    def handle(self, headers: Mapping[str, str], body: bytes) -> Reply:
        reply = super().handle(headers, body)
        for text in (body, reply.body):
            self.secrets |= set(_secrets_in(json.loads(text)))
        return reply


@pytest.fixture
def cognito() -> Overheard:
    return Overheard()


@attrs.define
class Scene:
    """A pool whose app client has a secret, a user with an authenticator app, and a folder for all files."""

    pool: Pool
    app: AppClient
    url: str
    folder: Path
    log: pytest.LogCaptureFixture
    planted: Planted = attrs.field(factory=Planted)

    @property
    def store(self) -> Path:
        """The store, which keeps tokens."""
        return self.folder / "store.json"

    @property
    def output(self) -> Path:
        """The file that tokens are written to on request."""
        return self.folder / "output.json"

    def run(
        self, command: str, *options: str, given: Iterable[str] = (), code: int, prints: bool = False
    ) -> Any:
        """Run a command, and search what it prints.

        Args:
            command: The command.
            options: Its options.
            given: The lines of standard input.
            code: The exit code that it must end with.
            prints: Whether it is asked to print tokens or AWS credentials.
        """
        which = ["--pool", self.pool.id, "--client", self.app.client_id, "--endpoint", self.url]
        lines = "".join(f"{line}\n" for line in given)
        environment = {"COGNITO_CLIENT_SECRET": str(self.app.client_secret)}
        result = CliRunner().invoke(app, [command, *which, *options], input=lines, env=environment)
        assert result.exit_code == code, result.output
        self.planted.printed("standard error", result.stderr)
        self.planted.printed("standard output", _besides(result.stdout) if prints else result.stdout)
        self._search_errors(result.exception)
        return result

    def _search_errors(self, ended: BaseException | None) -> None:
        """What a tool for errors would see, and a traceback if this end were not expected."""
        if ended is None:
            return
        self.planted.printed("a traceback", "".join(traceback.format_exception(ended)))
        for link in errors_behind(ended):
            if isinstance(link, CognitoFlowError):
                self.planted.raised(link)

    def sign_in(self) -> Tokens:
        """Tokens of bob, who has no second factor."""
        return self.pool.flow(self.app).sign_in(UserPasswordAuth("bob", PASSWORD)).tokens

    def keep(self) -> Tokens:
        """Tokens of bob in the store."""
        tokens = self.sign_in()
        FileStore(self.store).put_tokens(self.app, "bob", tokens)
        return tokens

    def finish(self) -> None:
        """Search the log and the files, too."""
        cognito = self.pool.cognito
        assert isinstance(cognito, Overheard)
        assert len(cognito.secrets) >= 4
        self.planted.plant(*cognito.secrets, PASSWORD, WRONG, WEAK, self.app.client_secret)
        self.planted.plant(self.pool.user("alice").totp_secret)
        self.planted.logged(record for record in self.log.records if record.name.startswith("cognito_flow"))
        for path in self.folder.rglob("*"):
            if path.is_file() and path not in (self.store, self.output):
                self.planted.printed(f"the file {path.name}", path.read_text(errors="replace"))
        assert self.planted.found() == []


def _besides(text: str) -> str:
    """What was printed besides the tokens or AWS credentials that the command was asked for."""
    shown: dict[str, str] = json.loads(text)
    for name in ("access_token", "id_token", "refresh_token", "SecretAccessKey", "SessionToken"):
        text = text.replace(shown.get(name, ""), "")
    return text


def _secrets_in(members: object) -> list[str]:
    """The secrets of a request or a response, by the names of its members."""
    found: list[str] = []
    for name, value in (as_object(members) or {}).items():
        if isinstance(value, str) and SECRET_MEMBERS.search(name):
            found.append(value)
        found += _secrets_in(value)
    return found


@pytest.fixture
def scene(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Scene:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(folder))
    caplog.set_level("DEBUG", logger="cognito_flow")
    pool = served.create_pool(**{**ON, **TOTP, "mfa_configuration": "OPTIONAL"})
    pool.add_user("alice", PASSWORD, totp=True)
    pool.add_user("bob", PASSWORD)
    pool.add_user("carol", PASSWORD, temporary=True)
    return Scene(pool, pool.app_client(secret=True), served.url, folder, caplog)


# -- what each command is made to do, rightly and wrongly --


def login(scene: Scene) -> None:
    alice = ("--username", "alice")

    def code() -> str:
        return scene.pool.totp("alice")

    scene.run("login", *alice, given=[PASSWORD, code()], code=0, prints=True)
    scene.pool.cognito.clock.advance(30)
    scene.run("login", *alice, "--store", str(scene.store), given=[PASSWORD, code()], code=0)
    scene.pool.cognito.clock.advance(30)
    scene.run("login", *alice, "--output", str(scene.output), given=[PASSWORD, code()], code=0)


def login_with_wrong_answers(scene: Scene) -> None:
    for flow in ("srp", "password"):
        scene.run("login", "--username", "bob", "--flow", flow, given=[WRONG], code=3)
    scene.run("login", "--username", "alice", given=[PASSWORD, "987654", "876543"], code=5)
    scene.run("login", "--username", "carol", given=[PASSWORD, WEAK, WEAK], code=5)
    scene.run("login", "--username", "unknown", given=[PASSWORD], code=3)


def login_that_fails_on_its_way(scene: Scene) -> None:
    faults, bob = scene.pool.cognito.faults, ("--username", "bob")
    for operation in ("InitiateAuth", "RespondToAuthChallenge"):
        faults.error_after(operation, times=3)
        scene.run("login", *bob, given=[PASSWORD], code=3)
        faults.clear()
    scene.run("login", *bob, "--endpoint", "http://127.0.0.1:1", given=[PASSWORD], code=4)
    scene.run("login", *bob, "--output", str(scene.folder / "missing" / "file"), given=[PASSWORD], code=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", _disk_that_filled_up)
        scene.run("login", *bob, "--output", str(scene.output), given=[PASSWORD], code=2)
    scene.store.write_text("not a store")
    scene.run("login", *bob, "--store", str(scene.store), given=[PASSWORD], code=2)


def _disk_that_filled_up(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def refresh(scene: Scene) -> None:
    tokens = scene.sign_in()
    scene.run("refresh", given=[json.dumps(tokens.to_dict())], code=0, prints=True)
    scene.keep()
    scene.run("refresh", "--store", str(scene.store), code=0, prints=True)
    scene.run("refresh", "--store", str(scene.store), "--output", str(scene.output), code=0)


def refresh_that_fails(scene: Scene) -> None:
    tokens = scene.sign_in()
    text = json.dumps(tokens.to_dict())
    scene.run("refresh", given=[text[:-30]], code=2)
    scene.run("refresh", given=[text.replace("Bearer", "Other")], code=0, prints=True)
    scene.pool.cognito.faults.error_after("GetTokensFromRefreshToken", times=3)
    scene.run("refresh", given=[text], code=3)
    scene.pool.cognito.faults.clear()
    scene.run("logout", given=[text], code=0)
    scene.run("refresh", given=[text], code=3)
    scene.keep()
    scene.store.chmod(0o644)
    scene.run("refresh", "--store", str(scene.store), code=2)
    scene.store.chmod(0o600)
    scene.store.write_text(scene.store.read_text().replace('"expires_at"', '"expired_at"'))
    scene.run("refresh", "--store", str(scene.store), code=2)
    for damaged in scene.folder.glob("store.json.damaged-*"):
        damaged.unlink()  # the file itself, which keeps its tokens and its mode


def credentials(scene: Scene) -> None:
    options = ("--store", str(scene.store), "--identity-pool", identities.POOL_ID)
    scene.keep()
    scene.planted.plant("secret-key-of-the-user", "session-1", "session-2")
    with identities.serve(scene.pool, scene.app) as service, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", service.url)
        scene.run("credentials", *options, code=0, prints=True)
        service.refusals.append((400, "NotAuthorizedException", "Token is not from a supported provider"))
        scene.run("credentials", *options, code=3)
        patch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", "http://127.0.0.1:1")
        scene.run("credentials", *options, "--timeout", "1", code=4)


def logout(scene: Scene) -> None:
    for options in ((), ("--everywhere",)):
        tokens = json.dumps(scene.sign_in().to_dict())
        scene.run("logout", *options, given=[tokens], code=0)
        scene.run("logout", "--everywhere", given=[tokens], code=3)
    scene.keep()
    scene.run("logout", "--store", str(scene.store), code=0)
    scene.run("logout", "--store", str(scene.store), code=2)


def claims(scene: Scene) -> None:
    tokens = scene.keep()
    spoilt = f"{tokens.access_token[:-20]}A{tokens.access_token[-19:]}"
    scene.planted.plant(spoilt)
    scene.run("claims", given=[tokens.access_token], code=0)
    scene.run("claims", "--store", str(scene.store), "--id", code=0)
    scene.run("claims", tokens.access_token, code=0)
    for given in (spoilt, str(tokens.refresh_token), str(tokens.id_token)):
        scene.run("claims", given=[given], code=3)
        scene.run("claims", given, code=3)
    scene.run("claims", "--id", given=[json.dumps({"access_token": tokens.access_token})], code=2)


def status(scene: Scene) -> None:
    scene.keep()
    scene.run("status", "--store", str(scene.store), code=0)


def doctor(scene: Scene) -> None:
    scene.sign_in()
    scene.run("doctor", code=0)
    scene.run("doctor", "--json", code=0)
    attrs.evolve(scene, app=attrs.evolve(scene.app, client_secret=WRONG)).run("doctor", code=1)


def configure(scene: Scene) -> None:
    scene.sign_in()
    scene.run("configure", "--store", str(scene.store), code=0)
    scene.run("configure", "--profile", "not a name", code=2)
    assert list(scene.folder.rglob("profiles.toml"))


CASES: list[Callable[[Scene], None]] = [
    login,
    login_with_wrong_answers,
    login_that_fails_on_its_way,
    refresh,
    refresh_that_fails,
    credentials,
    logout,
    claims,
    status,
    doctor,
    configure,
]


@searches(Place.ERRORS, Place.FRAMES, Place.PICKLES, Place.LOGS, Place.OUTPUT, Place.FILES)
@pytest.mark.parametrize("case", CASES, ids=[case.__name__ for case in CASES])
def test_command_shows_and_keeps_no_secret_that_it_was_not_asked_for(
    scene: Scene, case: Callable[[Scene], None]
) -> None:
    case(scene)
    scene.finish()


def test_search_finds_what_a_command_prints(scene: Scene) -> None:
    scene.run("refresh", given=[json.dumps(scene.sign_in().to_dict())], code=0)
    (scene.folder / "left behind").write_text(f"password={PASSWORD}")

    with pytest.raises(AssertionError, match="standard output"):
        scene.finish()
    assert any("left behind" in found for found in scene.planted.found())


def test_each_command_that_meets_a_secret_is_searched() -> None:
    assert set(_commands()) - WITH_MADE_UP_SECRETS <= {case.__name__ for case in CASES}


@searches(Place.PROCESSES)
def test_no_option_takes_a_secret() -> None:
    """The arguments of a process can be seen by every user of the machine."""
    options = {
        option
        for command in _commands().values()
        for parameter in command.params
        for option in (parameter.name, *parameter.opts)
    }
    suspicious = {option for option in options if re.search("secret|password|token|code|key|session", option)}

    assert suspicious == {
        "--client-secret-env",
        "client_secret_env",
        "--with-password",
        "with_password",
        "token",
    }


def _commands() -> dict[str, Any]:
    group: Any = typer.main.get_command(app)
    found: dict[str, Any] = group.commands
    return found


@searches(Place.OUTPUT, Place.PROCESSES)
@pytest.mark.slow
def test_terminal_and_process_list_show_nothing_that_is_typed(served: Served, tmp_path: Path) -> None:
    """Python's own options for debugging change nothing."""
    pool = served.create_pool(**ON, **TOTP)
    pool.add_user("alice", PASSWORD, totp=True)
    client, planted = pool.app_client(secret=True), Planted()
    arguments = ["login", "--pool", pool.id, "--client", client.client_id, "--endpoint", served.url]
    environment = {
        "COGNITO_CLIENT_SECRET": str(client.client_secret),
        "HOME": str(tmp_path),
        "PYTHONDEVMODE": "1",
        "PYTHONFAULTHANDLER": "1",
        "PYTHONWARNINGS": "default",
    }
    command = [*COMMAND, *arguments, "--username", "alice"]
    with on_a_terminal(command, cwd=Path(__file__).parents[2], **environment) as terminal:
        planted.printed("the terminal", terminal.wait_for("Password"))
        terminal.type(f"{WRONG}\n")
        planted.printed("the terminal", terminal.wait_for("try again"))
        terminal.wait_for("Password")
        terminal.type(f"{PASSWORD}\n")
        planted.printed("the terminal", terminal.wait_for("Code"))
        for process in _processes(terminal.process.pid):
            planted.printed("the process list", process)
        terminal.type(f"{pool.totp('alice')}\n")
        code, out, shown = terminal.finish()
    planted.printed("the terminal", shown)
    tokens = Tokens.from_dict(json.loads(out))
    planted.plant(PASSWORD, WRONG, client.client_secret, tokens.access_token, tokens.refresh_token)

    assert code == 0
    assert planted.found() == []


def _processes(root: int) -> list[str]:
    """The arguments of all processes that run the command."""
    if sys.platform != "linux":
        pytest.skip("there is no /proc")
    shown = [Path(entry, "cmdline").read_text(errors="replace") for entry in (f"/proc/{root}",)]
    assert any("--username" in arguments for arguments in shown)
    return shown


# A failure that the command does not expect, when the tokens are there.
FAILING = """
import pathlib

def fail(*_):
    raise RuntimeError("not expected")

pathlib.Path.replace = fail
from cognito_flow.cli import main
main()
"""


@searches(Place.OUTPUT)
@pytest.mark.slow
def test_traceback_of_an_unexpected_error_shows_no_secret(scene: Scene) -> None:
    which = ["--pool", scene.pool.id, "--client", scene.app.client_id, "--endpoint", scene.url]
    environment = {"COGNITO_CLIENT_SECRET": str(scene.app.client_secret), "PYTHONDEVMODE": "1"}
    ended = subprocess.run(
        [sys.executable, "-c", FAILING, "login", *which, "--username", "bob", "--output", str(scene.output)],
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        env={**os.environ, **environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
    scene.planted.printed("standard error", ended.stderr)
    scene.planted.printed("standard output", ended.stdout)

    assert ended.returncode == 1
    assert "RuntimeError: not expected" in ended.stderr
    scene.finish()
