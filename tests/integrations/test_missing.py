"""Each module that needs an extra names the extra to install if it is missing."""

from __future__ import annotations

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


@pytest.mark.parametrize(("module", "package", "extra"), PACKAGES)
def test_missing_package_is_named(module: str, package: str, extra: str) -> None:
    program = f"import sys; sys.modules[{package!r}] = None; import cognito_flow.{module}"
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)

    assert (
        f"ModuleNotFoundError: the package {extra} is missing: "
        f"python -m pip install 'cognito-flow[{extra}]'" in done.stderr
    )
