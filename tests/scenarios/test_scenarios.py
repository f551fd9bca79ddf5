"""The table of scenarios, cell by cell."""

from __future__ import annotations

import pytest

from tests.scenarios import choices, custom, devices, passwords, second_factors
from tests.scenarios.table import ROWS, Column, Row, cells, run

assert all(module.__doc__ for module in (choices, custom, devices, passwords, second_factors))


@pytest.mark.parametrize(("row", "column"), cells())
def test_scenario(row: Row, column: Column) -> None:
    """The sign-in goes as the scenario tells."""
    run(row, column)


def test_the_table_is_as_long_as_it_must_be() -> None:
    """There are at least eighty scenarios, each with a name of its own."""
    names = [row.name for row in ROWS]

    assert len(names) >= 80
    assert len(names) == len(set(names))
