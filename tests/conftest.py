"""What every test relies on: no AWS settings of the machine reach it, and hypothesis has no deadline."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# SRP arithmetic takes milliseconds, and both cores are busy: a deadline or a
# check for slow data would only measure the machine.
settings.register_profile(
    "tests", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def _no_aws_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials, region, profile or endpoint from outside, and nowhere to look for them."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "BOTO")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="session")
def peers_folder(pytestconfig: pytest.Config) -> Path:
    """Where the environments of programs by others are kept: in the folder that COGNITO_FLOW_PEERS names,
    else in ``.cache/peers`` of the checkout."""
    named = os.environ.get("COGNITO_FLOW_PEERS")
    folder = Path(named) if named else pytestconfig.rootpath / ".cache" / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n")
    return folder
