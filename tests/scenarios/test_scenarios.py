"""Run the table of scenarios, one test for each cell."""

from __future__ import annotations

import pytest

from tests.scenarios import choices, custom, devices, passwords, second_factors
from tests.scenarios.table import ROWS, Column, Row, cells, run
from tests.support.planted import Place, searches

# Importing these modules fills the table.
MODULES = (choices, custom, devices, passwords, second_factors)


@searches(Place.REPRS, Place.ERRORS, Place.FRAMES, Place.PICKLES)
@pytest.mark.parametrize(("row", "column"), cells())
def test_scenario(row: Row, column: Column) -> None:
    run(row, column)


def test_each_module_has_scenarios_and_no_name_is_used_twice() -> None:
    names = [row.name for row in ROWS]

    assert {row.script.__module__ for row in ROWS} == {module.__name__ for module in MODULES}
    assert len(names) == len(set(names))
