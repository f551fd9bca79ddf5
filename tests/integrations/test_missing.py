"""Each integration names the extra to install if its library is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

PACKAGES = [
    ("aiohttp", "aiohttp", "aiohttp"),
    ("django", "django", "django"),
    ("fastapi", "fastapi", "fastapi"),
    ("flask", "flask", "flask"),
    ("httpx", "httpx", "httpx"),
    ("httpx2", "httpx2", "httpx2"),
    ("requests", "requests", "requests"),
    ("rest_framework", "rest_framework", "djangorestframework"),
    ("starlette", "starlette", "starlette"),
]


@pytest.mark.parametrize(("module", "package", "extra"), PACKAGES)
def test_missing_package_is_named(module: str, package: str, extra: str) -> None:
    program = f"import sys; sys.modules[{package!r}] = None; import cognito_flow.integrations.{module}"
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)

    assert (
        f"ModuleNotFoundError: the package {extra} is missing: "
        f"python -m pip install 'cognito-flow[{extra}]'" in done.stderr
    )
