"""The pytest plugin: fixtures of LocalCognito.

Rule of this file: pytest imports it in every run where the package is installed, so it imports nothing heavy
until a fixture is used.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cognito_flow.testing import LocalCognito, Pool


@pytest.fixture
def cognito() -> LocalCognito:
    """A new `LocalCognito` for this test, for any number of pools."""
    from cognito_flow.testing import LocalCognito

    return LocalCognito()


@pytest.fixture
def cognito_pool(cognito: LocalCognito) -> Pool:
    """A new user pool for this test, with Cognito's defaults."""
    return cognito.create_pool()


@pytest.fixture
def cognito_url(cognito: LocalCognito, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL at which `cognito` is served over HTTP during the test.

    Every Cognito client that an AWS SDK creates meanwhile calls it, also in programs that the test starts:
    the environment has the URL, a region, and placeholder AWS credentials.

    Source: "Service-specific endpoints" in the AWS SDKs and Tools reference guide.
    """
    with cognito.serve() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", url)
        # Otherwise AWS's configuration file could ignore endpoint URLs.
        monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false")
        # The SDK for Python reads one of these, the one for JavaScript the other.
        for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
            monkeypatch.setenv(name, cognito.region)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            monkeypatch.setenv(name, "local")
        # A profile could override all of the above.
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        # No proxy for this address. If both spellings are set, the lower-case one counts.
        no_proxy = "no_proxy" if "no_proxy" in os.environ else "NO_PROXY"
        monkeypatch.setenv(no_proxy, "127.0.0.1", prepend=",")
        yield url
