"""One script with either import line prints the same: pycognito 2024.5.1, and its names in this library."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from filelock import FileLock

from cognito_flow import AppClient
from cognito_flow.testing import LocalCognito, Pool
from tests.migration import pycognito_script
from tests.support.environments import python_with

SCRIPT = Path(pycognito_script.__file__)
OUTPUT = SCRIPT.with_name("pycognito_output.txt").read_text(encoding="utf-8").splitlines()
PYCOGNITO = ("pycognito==2024.5.1",)


def make_pool(cognito: LocalCognito, url: str) -> Pool:
    """A pool with every feature that the script uses, and alice."""
    pool = cognito.create_pool(
        auto_verified_attributes=["email"],
        mfa_configuration="OPTIONAL",
        software_token_mfa_configuration={"Enabled": True},
        sms_mfa_configuration={"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"}},
        schema=[{"Name": "team", "AttributeDataType": "String", "Mutable": True}],
    )
    pool.configure(issuer=f"{url}/{pool.id}")
    pool.add_user("alice", pycognito_script.PASSWORD, email="alice@example.com", phone_number="+31612345678")
    return pool


def as_json(app: AppClient) -> str:
    members = {"pool_id": app.pool_id, "client_id": app.client_id, "client_secret": app.client_secret}
    return json.dumps(members)


@pytest.mark.parametrize(
    "secret", [pytest.param(False, marks=pytest.mark.slow), True], ids=["without secret", "with secret"]
)
def test_script_with_our_names_prints_what_it_printed_with_pycognito(
    cognito: LocalCognito, cognito_url: str, secret: bool
) -> None:
    pool = make_pool(cognito, cognito_url)
    lines: list[str] = []
    pycognito_script.main(
        "cognito_flow.compat.pycognito", cognito_url, as_json(pool.app_client(secret=secret)), lines.append
    )

    assert lines == OUTPUT


@pytest.mark.other_programs
@pytest.mark.parametrize("secret", [False, True], ids=["without secret", "with secret"])
def test_pycognito_itself_still_prints_the_record(
    cognito: LocalCognito, cognito_url: str, programs_folder: Path, secret: bool
) -> None:
    with FileLock(programs_folder / "lock"):
        python = python_with(PYCOGNITO, programs_folder)
    pool = make_pool(cognito, cognito_url)
    app = as_json(pool.app_client(secret=secret))
    done = subprocess.run(
        [python, "-W", "ignore", SCRIPT, "pycognito", cognito_url, app],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )

    assert done.stdout.splitlines() == OUTPUT
