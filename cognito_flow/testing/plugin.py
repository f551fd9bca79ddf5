"""The pytest plugin: fixtures of LocalCognito.

Rule of this file: pytest imports it in every run where the package is installed, so it imports nothing heavy
until a fixture is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cognito_flow.testing import LocalCognito, Pool

__all__ = ["cognito", "cognito_pool"]


@pytest.fixture
def cognito() -> LocalCognito:
    """A `LocalCognito` of this test's own, for as many pools as it wants."""
    from cognito_flow.testing import LocalCognito

    return LocalCognito()


@pytest.fixture
def cognito_pool(cognito: LocalCognito) -> Pool:
    """A user pool of this test's own, with Cognito's defaults."""
    return cognito.create_pool()
