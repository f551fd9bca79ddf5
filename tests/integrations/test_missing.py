"""Each module that needs an extra names the extra to install if it is missing."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PACKAGES = [
    ("compat.pycognito.utils", "requests", "requests"),
    ("integrations.aiohttp", "aiohttp", "aiohttp"),
    ("integrations.django", "django", "django"),
    ("integrations.fastapi", "fastapi", "fastapi"),
    ("integrations.flask", "flask", "flask"),
    ("integrations.httpx", "httpx", "httpx"),
    ("integrations.httpx2", "httpx2", "httpx2"),
    ("integrations.requests", "requests", "requests"),
    ("integrations.rest_framework", "rest_framework", "djangorestframework"),
    ("integrations.starlette", "starlette", "starlette"),
]


PROGRAM = """
import importlib, json, sys
messages = {}
for module, package, extra in json.loads(sys.argv[1]):
    loaded, sys.modules[package] = sys.modules.get(package), None
    try:
        importlib.import_module(f"cognito_flow.{module}")
    except ModuleNotFoundError as error:
        messages[module] = str(error)
    del sys.modules[package]
    if loaded:
        sys.modules[package] = loaded
print(json.dumps(messages))
"""


@pytest.fixture(scope="module")
def messages() -> dict[str, str]:
    """What each module says without its package: in one process for all, which takes as long as one import."""
    program = [sys.executable, "-c", PROGRAM, json.dumps(PACKAGES)]
    done = subprocess.run(program, check=True, capture_output=True, text=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(("module", "package", "extra"), PACKAGES)
def test_missing_package_is_named(messages: dict[str, str], module: str, package: str, extra: str) -> None:
    assert messages[module].startswith(
        f"the package {extra} is missing: python -m pip install 'cognito-flow[{extra}]'"
    )
