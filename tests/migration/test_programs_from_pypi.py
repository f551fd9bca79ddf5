"""Three packages from PyPI that import pycognito: their main paths, with pycognito and with our names."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from filelock import FileLock

from cognito_flow.testing import LocalCognito
from tests.migration import pycognito_programs
from tests.support.environments import ROOT, python_with

PROGRAMS = ("evnex==0.7.1", "pylitterbot==2025.7.0", "pyschlage==2026.10.0", "pycognito==2024.5.1")
OURS = ("attrs", "filelock", "pycryptodome")  # what this library needs and pycognito does not
PASSWORD = "Correct-horse-1"
PRINTED = """\
pyschlage: Incorrect username or password.
pyschlage: bob Bearer
pyschlage: Bearer ey
pyschlage: []
pylitterbot: True ['access_token', 'id_token', 'refresh_token']
pylitterbot: True
pylitterbot: bob bob
pylitterbot: True
evnex: Incorrect username or password.
evnex: SOFTWARE_TOKEN_MFA alice
evnex: Invalid code received for user
evnex: True
evnex: MfaStatus(enabled=('SOFTWARE_TOKEN_MFA',), preferred='SOFTWARE_TOKEN_MFA')
evnex: True
evnex: True
"""


@pytest.mark.other_programs
@pytest.mark.parametrize("names", ["theirs", "ours"])
def test_main_paths_of_three_packages(
    cognito: LocalCognito, cognito_url: str, programs_folder: Path, names: str
) -> None:
    with FileLock(programs_folder / "lock"):
        python = python_with((*PROGRAMS, *OURS), programs_folder)
    optional: Any = {
        "mfa_configuration": "OPTIONAL",
        "software_token_mfa_configuration": {"Enabled": True},
    }
    pool = cognito.create_pool(**optional)
    pool.add_user("alice", PASSWORD)
    pool.add_user("bob", PASSWORD)
    with_secret = pool.app_client(secret=True)
    settings = {
        "url": cognito_url,
        "pool_id": pool.id,
        "client_id": pool.app.client_id,
        "secret_client_id": with_secret.client_id,
        "client_secret": with_secret.client_secret,
        "password": PASSWORD,
        "totp_secret": pool.enrol_totp("alice"),
    }
    with urlopen(f"{cognito_url}/{pool.id}/.well-known/jwks.json") as answer:  # noqa: S310 - of the test
        keys = answer.read().decode()

    done = subprocess.run(
        [python, "-W", "ignore", str(pycognito_programs.__file__), names, json.dumps(settings)],
        check=False,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "COGNITO_JWKS": keys,
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": cognito_url,
        },
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == PRINTED
