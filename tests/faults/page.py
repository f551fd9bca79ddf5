"""Write the results of the fault matrix into docs/explanation/reliability.md: `nox -s matrix` runs the matrix, then this.

python -m tests.faults.page RESULTS.jsonl
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "reliability.md"
BEGIN, END = "<!-- The fault matrix, written by `nox -s matrix`. -->\n", "<!-- End of the fault matrix. -->\n"

Cell = dict[str, Any]


def table(cells: Sequence[Cell]) -> str:
    """The figures, and one row for each fault.

    Args:
        cells: What came of each cell, as the tests recorded it.
    """
    operations, clients = (
        list(dict.fromkeys(cell[name] for cell in cells)) for name in ("operation", "client")
    )
    twice = sum(cell["processed"] > 1 and not cell["is_safe"] for cell in cells)
    untyped = sum(not cell["is_typed"] for cell in cells)
    slowest = max(cell["seconds"] for cell in cells)
    lines = [
        f"Operations: {', '.join(f'`{name}`' for name in operations)}.",
        f"Clients: {', '.join(clients)}.",
        "",
        f"**{len(cells):,} cells: {twice} answers processed twice, {untyped} untyped outcomes.** The longest took",
        f"{slowest:.1f} seconds, with a timeout of 3 seconds.",
        "",
        "| fault | cells | outcomes | `maybe_processed` |",
        "|---|---|---|---|",
    ]
    for fault in dict.fromkeys(cell["fault"] for cell in cells):
        rows = [cell for cell in cells if cell["fault"] == fault]
        outcomes = Counter(cell["outcome"] for cell in rows).most_common()
        said = {cell["maybe_processed"] for cell in rows} - {None}
        shown = ", ".join(
            f"{name if name == 'a result' else f'`{name}`'} {count}" for name, count in outcomes
        )
        lines.append(
            f"| {fault} | {len(rows)} | {shown} | {' or '.join(sorted(map(str, said))) or 'no error'} |"
        )
    return "\n".join(lines) + "\n"


def with_table(page: str, shown: str) -> str:
    """The page with this table in place of the one that it has."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{shown}\n{END}{after}"


def main(results: Path) -> None:
    """Write the table of these results into the page."""
    cells = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), table(cells)), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
