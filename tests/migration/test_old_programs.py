"""The old programs of the guides run with the package that they are written for, and with our names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from filelock import FileLock

from cognito_flow.testing import LocalCognito, Pool
from tests.migration.test_pycognito_names import PYCOGNITO
from tests.support.documentation import DOCS
from tests.support.environments import python_with

FOLDER = DOCS / "how-to" / "migrate"
PASSWORD = "Correct-horse-1"
PRINTED = {
    "pycognito": ["Bearer", "alice@example.com", "alice"],
    "warrant": ["Bearer", "alice@example.com", "False"],
}
# warrant's own fork of python-jose cannot be imported on Python 3.10 and newer: warrant gets the original.
WARRANT = ("boto3", "envs", "python-jose==3.5.0", "requests")


def make_pool(package: str, cognito: LocalCognito) -> Pool:
    """A pool with alice; warrant cannot answer a second factor."""
    has_mfa = package == "pycognito"
    totp: dict[str, Any] = {"mfa_configuration": "ON", "software_token_mfa_configuration": {"Enabled": True}}
    pool = cognito.create_pool(**totp) if has_mfa else cognito.create_pool()
    pool.add_user("alice", PASSWORD, email="alice@example.com", totp=has_mfa)
    return pool


def printed(package: str, python: Path | str, source: str, pool: Pool, url: str) -> list[str]:
    """What a program prints. It finds the pool's keys in the environment, as both packages read them there."""
    with urlopen(f"{url}/{pool.id}/.well-known/jwks.json") as answer:  # noqa: S310 - of the test
        keys = answer.read().decode()
    done = subprocess.run(
        [python, "-W", "ignore", "-c", source, pool.id, pool.app.client_id, "alice", PASSWORD],
        check=True,
        capture_output=True,
        text=True,
        input=f"{pool.totp('alice')}\n" if package == "pycognito" else "",
        env={**os.environ, "COGNITO_JWKS": keys},
    )
    return done.stdout.splitlines()


@pytest.mark.slow  # each is a process of its own
@pytest.mark.parametrize("package", PRINTED)
def test_old_program_runs_with_our_names(package: str, cognito: LocalCognito, cognito_url: str) -> None:
    source = (FOLDER / f"{package}_before.py").read_text(encoding="utf-8")
    ours = source.replace(f"from {package}", "from cognito_flow.compat.pycognito")
    pool = make_pool(package, cognito)

    assert ours != source
    assert printed(package, sys.executable, ours, pool, cognito_url) == PRINTED[package]


@pytest.mark.other_programs
@pytest.mark.parametrize("package", PRINTED)
def test_old_program_runs_with_the_package_that_it_is_written_for(
    package: str, cognito: LocalCognito, cognito_url: str, programs_folder: Path
) -> None:
    with FileLock(programs_folder / "lock"):
        python = python_with(PYCOGNITO if package == "pycognito" else WARRANT, programs_folder)
        if package == "warrant":
            without_its_fork = ["--no-deps", "--quiet", "warrant==0.6.1"]
            subprocess.run([python, "-m", "pip", "install", *without_its_fork], check=True)
    source = (FOLDER / f"{package}_before.py").read_text(encoding="utf-8")
    pool = make_pool(package, cognito)

    assert printed(package, python, source, pool, cognito_url) == PRINTED[package]
