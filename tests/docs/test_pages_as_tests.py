"""The tests that a page shows pass under pytest, in a file of that page's blocks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import PAGES, ROOT

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WITH_TESTS = [
    page
    for page in PAGES
    if re.search(
        r"^ *def test_", "\n".join(BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))), re.MULTILINE
    )
]


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_TESTS, ids=str)
def test_tests_of_a_page_pass(page: Path, tmp_path: Path) -> None:
    blocks = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    (tmp_path / "test_page.py").write_text("\n".join(blocks), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_page.py"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout
    assert re.search(r"\d+ passed", done.stdout)
