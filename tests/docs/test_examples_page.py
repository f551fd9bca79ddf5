"""Each example program is on its page, and starts with the line there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from cognito_flow import AppClient
from cognito_flow.testing import LocalCognito, seed
from tests.integrations import identities
from tests.support.contract import model
from tests.support.documentation import DOCS
from tests.support.ports import free_port

EXAMPLES = DOCS / "examples"
PAGE = (DOCS / "how-to" / "examples.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```console\n((?:.+\n)+)```$", PAGE, re.MULTILINE)
(CONFIG,) = re.findall(r"^```ini\n((?:.+\n)+)```$", PAGE, re.MULTILINE)
SECONDS_TO_START = 60


def test_each_program_is_on_the_page() -> None:
    programs = {path.name for path in EXAMPLES.glob("*.py")}
    elsewhere = {
        "api.py",
        "web_login.py",
    }  # in the guides "Protect an API with FastAPI" and "Build a login page"

    assert {name for name in programs - elsewhere if f"[`{name}`]" not in PAGE} == set()


@pytest.fixture
def cognito() -> LocalCognito:
    """What the first line of the page serves."""
    return planted("pool.toml")


def planted(file: str) -> LocalCognito:
    assert command(f"--seed {file}") == f"cognito-flow pool --seed {file} --port 9229"
    return seed.plant(seed.read(str(EXAMPLES / file)))


@pytest.fixture
def environment(cognito: LocalCognito, tmp_path: Path) -> Iterator[dict[str, str]]:
    with cognito.serve() as url:
        yield variables("local.env", url, tmp_path)


def variables(file: str, url: str, home: Path) -> dict[str, str]:
    """The variables of a file of the page, but for the port of the pool."""
    lines = (EXAMPLES / file).read_text(encoding="utf-8").replace("http://127.0.0.1:9229", url).splitlines()
    return {
        **os.environ,
        **dict(line.split("=", 1) for line in lines),
        "HOME": str(home),
        "NO_PROXY": "*",
        "PYTHONPATH": os.pathsep.join([str(DOCS.parent), str(EXAMPLES)]),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }


def command(part: str) -> str:
    (found,) = [command for command in COMMANDS if part in command]
    return str(found).rstrip()


def run(lines: str, environment: dict[str, str], folder: Path) -> str:
    """Run lines as they are on the page, with alice's password on standard input; returns what they print."""
    done = subprocess.run(
        ["/bin/bash", "-e", "-o", "pipefail", "-c", lines],
        cwd=folder,
        env=environment,
        input="Correct-Horse-9\n",
        start_new_session=True,  # without a terminal, the password is read from standard input
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the folder, for programs that write to it."""
    return shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))


@contextmanager
def started(line: str, environment: dict[str, str]) -> Iterator[int]:
    """The port at which a web application is served, on a free port in place of that of its line."""
    port = free_port()
    program, *arguments = re.sub(r"\b800[01]\b", str(port), line).split()
    module = [] if program == "python" else ["-m", program]
    with subprocess.Popen([sys.executable, *module, *arguments], cwd=EXAMPLES, env=environment) as process:
        try:
            yield port
        finally:
            process.terminate()


def status(port: int, path: str) -> int:
    """The status of a page, once the server has started."""
    end = time.monotonic() + SECONDS_TO_START
    while True:
        connection = HTTPConnection("localhost", port, timeout=SECONDS_TO_START)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        finally:
            connection.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "part", "path", "expected"),
    [
        ("uvicorn", "fastapi_login", "/me", 401),
        ("flask", "flask_login", "/", 200),
        ("django", "django_login", "/", 200),
    ],
)
def test_web_application_starts_with_its_line(
    environment: dict[str, str], package: str, part: str, path: str, expected: int
) -> None:
    pytest.importorskip(package)

    with started(command(part), environment) as port:
        assert status(port, path) == expected


@pytest.mark.slow
def test_login_page_starts_with_the_line_of_its_guide(environment: dict[str, str]) -> None:
    guide = (DOCS / "how-to" / "web-login.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^env \$\(cat local.env\) (python .+)$", guide, re.MULTILINE)

    with started(line, environment) as port:
        assert status(port, "/") == 200


@pytest.mark.slow
def test_lambda_function_answers_the_event_of_its_line(environment: dict[str, str]) -> None:
    printed = run(command("passwordless_lambda.py"), environment, EXAMPLES)

    assert json.loads(json.loads(printed)["body"])["asks"] == "EMAIL_OTP"


@pytest.mark.slow
def test_command_line_tool_signs_in_and_is_a_credential_process(
    cognito: LocalCognito, environment: dict[str, str], tmp_path: Path
) -> None:
    run(command("cli_tool.py login"), environment, EXAMPLES)
    (tmp_path / "config").write_text(CONFIG.replace("/path/to", str(EXAMPLES)), encoding="utf-8")
    ask = "import boto3; print(boto3.Session(profile_name='shop').get_credentials().access_key)"
    pool = cognito.pool("eu-west-1_Example01")
    with identities.serve(pool, AppClient(pool.id, "web")) as service:
        aws = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_ENDPOINT_URL_COGNITO_IDENTITY": service.url}
        printed = run(f'python -c "{ask}"', {**environment, **aws}, EXAMPLES)

    assert printed == "ASIAKEYOFTHEUSER0001\n"


@pytest.mark.slow
def test_device_cloud_is_called_with_its_lines(
    cognito: LocalCognito, environment: dict[str, str], folder: Path
) -> None:
    pytest.importorskip("aiohttp")
    (line,) = [line for line in COMMANDS if line == "python local_api.py 8001\n"]
    with started(line, environment) as port:
        assert status(port, "/") == 401
        printed = run(command("device_cloud.py").replace("8001", str(port)), environment, folder)

    assert json.loads(printed)["path"] == "/devices"


# Not marked as slow: only the session that runs quick tests on the newest botocore can run it.
@pytest.mark.skipif("GetDerivedToken" not in model().operation_names, reason="needs botocore 1.44.5")
def test_agent_calls_the_tool_with_its_lines(tmp_path: Path) -> None:
    pytest.importorskip("httpx")
    assert command("agent.env") == "set -a; . ./agent.env; set +a"
    cognito = planted("agent.toml")
    with cognito.serve() as url:
        environment = variables("agent.env", url, tmp_path)
        with started(command("8001 AGENT_"), environment) as port:
            assert status(port, "/") == 401
            printed = run(command("agent.py").replace("8001", str(port)), environment, EXAMPLES)

    assert json.loads(printed) == {"path": "/orders", "scopes": ["orders/read"]}
