"""The table of the fault matrix in docs/explanation/reliability.md."""

from __future__ import annotations

import re

from tests.faults.page import BEGIN, END, PAGE, table, with_table
from tests.faults.test_matrix import CLIENTS, FAULTS, OPERATIONS

SHOWN = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


def test_page_shows_each_operation_client_and_fault_of_the_matrix() -> None:
    """If it does not, `nox -s matrix` writes the table anew."""
    operations, clients = re.findall(r"^(?:Operations|Clients): (.*)\.$", SHOWN, re.MULTILINE)
    rows = re.findall(r"^\| ([^|]+) \| (\d+) \|", SHOWN, re.MULTILINE)

    assert set(operations.replace("`", "").split(", ")) == set(OPERATIONS)
    assert set(clients.split(", ")) == set(CLIENTS)
    assert dict(rows) == {fault: str(len(OPERATIONS) * len(CLIENTS)) for fault in FAULTS}


def test_page_says_that_nothing_was_processed_twice_and_everything_is_typed() -> None:
    cells = len(OPERATIONS) * len(CLIENTS) * len(FAULTS)

    assert f"**{cells:,} cells: 0 answers processed twice, 0 untyped outcomes.**" in SHOWN


def test_cell_that_was_processed_twice_or_is_untyped_is_counted() -> None:
    cell = {
        "operation": "SignUp",
        "fault": "lost",
        "client": "own",
        "outcome": "KeyError",
        "is_typed": False,
        "maybe_processed": None,
        "processed": 2,
        "is_safe": False,
        "seconds": 1.0,
    }
    page = with_table(f"before\n{BEGIN}old{END}after\n", table([cell]))

    assert "**1 cells: 1 answers processed twice, 1 untyped outcomes.**" in page
    assert "| lost | 1 | `KeyError` 1 | no error |" in page
    assert page.startswith("before\n")
    assert page.endswith(f"{END}after\n")
    assert "old" not in page
