"""What holds for every file: modules say what they are, examples are run, and no path of a machine is left."""

from __future__ import annotations

import re
import subprocess
import token
import tokenize
from typing import TYPE_CHECKING

import pytest

from conftest import docstrings, pages
from tests.house.source import DOCS, PACKAGE, PAGES, ROOT, TESTS, files

if TYPE_CHECKING:
    from pathlib import Path

# Paths and package sources of one machine.
OF_ONE_MACHINE = (
    r"/(?:root|home|Users)/|/tmp/(?:venv)|pypi\.(?:org|python)|pythonhosted\.|registry\.(?:npmjs|yarnpkg)"
)


def tracked_files() -> list[Path]:
    """The files of the repository."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is not a checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S607 - git is where PATH says
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def first_token(path: Path) -> int:
    """The type of a module's first token: to parse all modules, and keep their trees, would take seconds."""
    layout = {tokenize.ENCODING, tokenize.COMMENT, tokenize.NL}
    with (ROOT / path).open("rb") as source:
        return next(each.type for each in tokenize.tokenize(source.readline) if each.type not in layout)


def test_each_module_begins_with_a_docstring() -> None:
    """Only an empty module needs none."""
    firsts = {path: first_token(path) for path in files(PACKAGE, TESTS, DOCS)}

    assert [] == [path for path, first in firsts.items() if first not in (token.STRING, token.ENDMARKER)]


def test_each_python_block_of_a_page_is_one_that_is_run() -> None:
    """Only blocks marked `python` are run: Python under another mark would go untested."""
    other_marks = re.compile(r"^ *```(?:py|py3|pycon|python3|Python)$", re.MULTILINE)

    assert [] == [page for page in PAGES if other_marks.search((ROOT / page).read_text(encoding="utf-8"))]


def test_examples_are_collected_from_each_page_and_each_module() -> None:
    overlooked = [page for page in PAGES if not pages.should_parse(ROOT / page)]
    overlooked += [module for module in files(PACKAGE) if not docstrings.should_parse(ROOT / module)]

    assert overlooked == []


def test_no_page_hides_a_part_of_its_examples() -> None:
    """A block in an HTML comment would run, unseen. A set-up belongs in a fold, which readers can open."""
    longer_than_a_line = re.compile("<!--(?!.*-->)")

    assert [] == [
        page for page in PAGES if longer_than_a_line.search((ROOT / page).read_text(encoding="utf-8"))
    ]


def test_no_tracked_file_names_a_path_of_one_machine_or_a_package_registry() -> None:
    telling = re.compile(f"{OF_ONE_MACHINE}|{re.escape(str(ROOT))}/".encode())

    assert [] == [str(path) for path in tracked_files() if telling.search(path.read_bytes())]
