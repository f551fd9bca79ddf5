"""The app for Streamlit 1.67.0 on a pool that really verifies."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from filelock import FileLock

from cognito_flow.testing import LocalCognito, Pool
from tests.docs.test_examples_page import command, status
from tests.support.documentation import DOCS
from tests.support.environments import python_with
from tests.support.pools import PASSWORD, pool_with_totp
from tests.support.ports import free_port

pytestmark = pytest.mark.other_programs

STREAMLIT = ("streamlit==1.67.0", "attrs", "boto3", "cryptography", "filelock", "pycryptodome", "PyJWT")
PASSWORD_FORM, CODE_FORM = ["Name", "Password"], ["Your code"]


@attrs.frozen
class Page:
    """The page of one user."""

    process: subprocess.Popen[str]

    def read(self) -> Any:
        assert self.process.stdout is not None
        shown = json.loads(self.process.stdout.readline())
        assert shown.pop("failures") == []
        return shown

    def submit(self, *texts: str) -> Any:
        """Fill the fields and click the button; returns what the page shows then."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(texts) + "\n")
        self.process.stdin.flush()
        return self.read()


@pytest.fixture
def pool(cognito: LocalCognito) -> Pool:
    return pool_with_totp(cognito)


@pytest.fixture(scope="session")
def python(programs_folder: Path) -> Path:
    """The interpreter that has Streamlit."""
    with FileLock(programs_folder / "lock"):
        return python_with(STREAMLIT, programs_folder)


def variables(pool: Pool, url: str) -> dict[str, str]:
    return {
        **os.environ,
        "COGNITO_POOL_ID": pool.id,
        "COGNITO_CLIENT_ID": pool.app.client_id,
        "COGNITO_ENDPOINT_URL": url,
        "NO_PROXY": "*",
        "PYTHONPATH": str(DOCS.parent),
    }


@pytest.fixture
def page(python: Path, pool: Pool, cognito_url: str) -> Iterator[Page]:
    command = [
        python,
        Path(__file__).with_name("streamlit_program.py"),
        DOCS / "examples" / "streamlit_app.py",
    ]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=variables(pool, cognito_url),
    ) as process:
        page = Page(process)
        assert page.read() == {"errors": [], "text": [], "fields": PASSWORD_FORM}
        yield page
        process.terminate()


def test_password_and_code_sign_in_until_the_user_signs_out(
    page: Page, pool: Pool, cognito: LocalCognito
) -> None:
    assert page.submit("alice", PASSWORD) == {"errors": [], "text": [], "fields": CODE_FORM}
    assert page.submit(pool.totp("alice")) == {"errors": [], "text": ["Welcome, alice."], "fields": []}

    assert page.submit() == {"errors": [], "text": [], "fields": PASSWORD_FORM}
    assert (cognito.calls[-1].operation, cognito.calls[-1].error) == ("RevokeToken", None)


def test_wrong_answers_can_be_corrected(page: Page, pool: Pool) -> None:
    assert page.submit("alice", "wrong")["errors"] == ["Wrong name or password."]
    page.submit("alice", PASSWORD)
    assert page.submit("1")["errors"] == ["That is not right: please try again."]
    assert page.submit(pool.totp("alice"))["text"] == ["Welcome, alice."]


def test_expired_challenge_starts_over(page: Page, pool: Pool, cognito: LocalCognito) -> None:
    page.submit("alice", PASSWORD)
    cognito.clock.advance(200)

    assert page.submit(pool.totp("alice"))["errors"] == ["Please start again."]


def test_outage_asks_the_user_to_try_again_later(page: Page, cognito: LocalCognito) -> None:
    cognito.faults.throttle("InitiateAuth", times=9)

    assert page.submit("alice", PASSWORD)["errors"] == ["Please try again in a minute."]


def test_signing_out_during_an_outage_can_be_repeated(page: Page, pool: Pool, cognito: LocalCognito) -> None:
    page.submit("alice", PASSWORD)
    page.submit(pool.totp("alice"))
    cognito.faults.throttle("RevokeToken", times=9)
    refused = page.submit()
    assert (refused["text"], refused["errors"]) == (["Welcome, alice."], ["Please try again in a minute."])

    cognito.faults.clear()
    assert page.submit() == {"errors": [], "text": [], "fields": PASSWORD_FORM}
    assert (cognito.calls[-1].operation, cognito.calls[-1].error) == ("RevokeToken", None)


def test_app_is_served_with_the_line_of_its_page(
    python: Path, pool: Pool, cognito_url: str, tmp_path: Path
) -> None:
    port = free_port()
    settings = {
        "STREAMLIT_SERVER_PORT": str(port),
        "STREAMLIT_SERVER_HEADLESS": "true",
        "HOME": str(tmp_path),
    }
    with subprocess.Popen(
        [python, "-m", *command("streamlit_app.py").split()],
        cwd=DOCS / "examples",
        env={**variables(pool, cognito_url), **settings},
    ) as process:
        try:
            assert status(port, "/_stcore/health") == 200
            assert status(port, "/") == 200
        finally:
            process.terminate()
