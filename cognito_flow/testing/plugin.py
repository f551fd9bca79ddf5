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
    """A `LocalCognito` of this test's own, for as many pools as it wants."""
    from cognito_flow.testing import LocalCognito

    return LocalCognito()


@pytest.fixture
def cognito_pool(cognito: LocalCognito) -> Pool:
    """A user pool of this test's own, with Cognito's defaults."""
    return cognito.create_pool()


@pytest.fixture
def cognito_url(cognito: LocalCognito, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL at which `cognito` is served over HTTP during the test.

    Every client for Cognito that an AWS SDK makes meanwhile calls it, also in programs that the test starts:
    the environment names it, with a region, and with AWS credentials of no meaning.

    Source: "Service-specific endpoints" in the AWS SDKs and Tools reference guide.
    """
    with cognito.serve() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", url)
        # A setting in AWS's own file would lead past it, unless the environment says otherwise.
        monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false")
        # Python's SDK knows one name of the region, JavaScript's the other.
        for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
            monkeypatch.setenv(name, cognito.region)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            monkeypatch.setenv(name, "local")
        # This would lead past what stands above.
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        # Nor may a proxy stand before it. Where both spellings are set, the small one counts.
        no_proxy = "no_proxy" if "no_proxy" in os.environ else "NO_PROXY"
        monkeypatch.setenv(no_proxy, "127.0.0.1", prepend=",")
        yield url
