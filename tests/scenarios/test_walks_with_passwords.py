"""Random walks in pools without a second factor.

The walks are in two files, so that two workers of the test run share them: they take minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scenarios.choices import CHOICE
from tests.scenarios.devices import ALWAYS
from tests.scenarios.walk import thoroughly, walk

POOLS: list[Mapping[str, Any]] = [
    {},
    {**ALWAYS},
    {**CHOICE},
    {"schema": [{"Name": "nickname", "Required": True}], "alias_attributes": ["email"]},
]


@pytest.mark.slow
@thoroughly
@given(st.data())
def test_random_walk_ends_in_tokens_a_challenge_or_a_typed_error(data: st.DataObject) -> None:
    walk(data, POOLS)
