"""The fixture that runs a test through both drivers."""

from __future__ import annotations

import pytest

from tests.account.world import World


@pytest.fixture(params=["sync", "async"])
def world(request: pytest.FixtureRequest) -> World:
    """A service, and the blocking driver or the one for asyncio."""
    return World(request.param == "async")
