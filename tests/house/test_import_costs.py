"""Which packages each public import loads: they are most of a program's cold start.

Each import runs in an interpreter of its own. One program reports the packages of the modules that it loaded.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import pytest

_REPORT = """
import json, sys
before = set(sys.modules)
exec(sys.argv[1])
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""
RECORDS = {"attr", "attrs", "cognito_flow"}
"""What the records need. attrs itself loads `inspect`."""


@cache
def loaded_by(program: str) -> frozenset[str]:
    """The packages that an import loads; those of the standard library only if they are slow."""
    done = subprocess.run(
        [sys.executable, "-c", _REPORT, program], check=True, capture_output=True, text=True
    )
    quick = sys.stdlib_module_names - {"asyncio", "inspect", "sqlite3", "ssl"}
    return frozenset(json.loads(done.stdout)) - quick - {"__mp_main__"}


@pytest.mark.parametrize(
    ("program", "allowed"),
    [
        ("import cognito_flow", {"cognito_flow"}),
        (
            "from cognito_flow import AppClient, CognitoFlowError, FileStore, SoftwareTokenMfa, UserSrpAuth",
            {*RECORDS, "inspect"},
        ),
        ("from cognito_flow import Account, AsyncAuthFlow, AuthFlow, TokenSource", {*RECORDS, "inspect"}),
        ("from cognito_flow import SqliteStore", {*RECORDS, "inspect", "sqlite3"}),
        (
            "from cognito_flow import TokenVerifier",
            {
                *RECORDS,
                "inspect",
                "ssl",
                "_cffi_backend",
                "_openssl",
                "cryptography",
                "jwt",
                "typing_extensions",
            },
        ),
        ("import cognito_flow.testing", {"cognito_flow"}),
    ],
)
def test_import_loads_only_these_packages(program: str, allowed: set[str]) -> None:
    assert loaded_by(program) - allowed == set()


def test_flow_loads_no_package_but_attrs_that_botocore_does_not_load() -> None:
    """Neither boto3 with its s3transfer, nor Crypto, nor asyncio: what needs them loads them later."""
    of_botocore = loaded_by("import botocore.session")

    assert (
        loaded_by(
            "from cognito_flow import AppClient, AuthFlow\nAuthFlow(AppClient('eu-west-1_abc', 'client'))"
        )
        - of_botocore
        - RECORDS
        == set()
    )


def test_packages_of_an_import_are_seen() -> None:
    """The tests of this file would pass for nothing if the program overlooked some packages."""
    assert {"asyncio", "attrs"} <= loaded_by("import attrs\nimport asyncio.events")
