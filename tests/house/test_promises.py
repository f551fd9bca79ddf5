"""What the documentation promises about reliability and security names its tests, and these tests exist."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import DOCS, ROOT, TESTS, files, parse
from tests.support.planted import Place

NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
PAGES = [DOCS / "explanation" / name for name in ("reliability.md", "security.md")]
of_each_page = pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])


@of_each_page
def test_each_test_that_is_named_exists(page: Path) -> None:
    named = NAMED.findall(page.read_text(encoding="utf-8"))

    assert [f"{path}::{name}" for path, name in named if name not in _tests(Path(path))] == []
    assert len(named) >= 15


@of_each_page
def test_each_promise_has_its_tests(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    promises = re.findall(r"^- \*\*(.+?)\*\*", text.partition("## Not promised")[0], re.MULTILINE)

    assert [promise for promise, _ in _rows(text, "| promise | tests |")] == promises
    assert len(promises) >= 7


def test_list_of_places_is_what_the_tests_search() -> None:
    """A test says so with `searches`."""
    marked: dict[Place, list[str]] = defaultdict(list)
    for path in files(TESTS):
        for name, place in _marks(path):
            marked[place].append(f"`{path.as_posix()}::{name}`")

    expected = [(place.value, ", ".join(sorted(marked[place]))) for place in Place]
    assert _rows(PAGES[1].read_text(encoding="utf-8"), "| place | searched by |") == expected


@of_each_page
def test_each_table_of_tests_names_a_test_in_each_row(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    heads = re.findall(r"^\|.*\| (?:tests?|searched by) \|$", text, re.MULTILINE)
    rows = [row for head in heads for row in _rows(text, head)]

    assert heads
    assert [row[0] for row in rows if not NAMED.search(row[-1])] == []


def _rows(text: str, head: str) -> list[tuple[str, ...]]:
    """The rows of the table that has this head."""
    assert text.count(head) == 1
    lines = text.partition(head)[2].splitlines()[2:]
    table = lines[: next((number for number, line in enumerate(lines) if not line.startswith("|")), None)]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table]


def _functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [
        node for node in ast.walk(parse(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def _tests(path: Path) -> set[str]:
    return {node.name for node in _functions(path)} if (ROOT / path).is_file() else set()


def _marks(path: Path) -> Iterator[tuple[str, Place]]:
    """The tests of a file that are marked with `searches`, and the places."""
    for node in _functions(path):
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "searches":
                for argument in decorator.args:
                    assert isinstance(argument, ast.Attribute)
                    yield node.name, Place[argument.attr]
