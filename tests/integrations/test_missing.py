"""Each integration names the extra to install if its library is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("package", ["aiohttp", "httpx", "httpx2", "requests"])
def test_missing_package_is_named(package: str) -> None:
    program = f"import sys; sys.modules[{package!r}] = None; import cognito_flow.integrations.{package}"
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)

    assert (
        f"ModuleNotFoundError: the package {package} is missing: "
        f"python -m pip install 'cognito-flow[{package}]'" in done.stderr
    )
