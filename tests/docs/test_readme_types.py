"""README's Python blocks, as a reader would put them into one file, pass both type checkers in strict mode."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("checker", [("mypy", "--strict"), ("pyright",)], ids=lambda checker: checker[0])
def test_readme_type_checks(checker: tuple[str, ...], tmp_path: Path) -> None:
    pytest.importorskip(checker[0], reason="the type checkers are in the dependency group `types`")
    page = tmp_path / "page.py"
    page.write_text(
        "\n".join(BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))), encoding="utf-8"
    )
    (tmp_path / "pyrightconfig.json").write_text(
        '{"typeCheckingMode": "strict", "reportMissingModuleSource": false}'
    )

    done = subprocess.run(
        [sys.executable, "-m", *checker, str(page)], cwd=tmp_path, check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout
