"""What CONTRIBUTING.md and the CI workflow say about the repository is true."""

from __future__ import annotations

import re
import tomllib
from pathlib import PurePosixPath

from tests.house.source import PACKAGE, ROOT

GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# In the recipes: `cognito_flow/errors.py`.
PATH = re.compile(r"`((?:cognito_flow|docs|tests)/[^`]*)`")
# In the tree: `  _json.py  _keys.py    JSON, key derivation`.
NAMES = re.compile(r"^\s*(?:[\w.]+(?:/|\.py)(?:\s+|$))*")


def tree() -> set[str]:
    """The paths in the guide's tree: a line has one or more names, and says what they are."""
    (lines,) = re.findall(r"```text\n(cognito_flow/.*?)```", GUIDE, re.DOTALL)
    paths, parents = set[str](), list[str]()
    for line in lines.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        (names,) = (found.split() for found in NAMES.findall(line))
        del parents[depth:]
        paths |= {str(PurePosixPath(*parents, name)) for name in names}
        parents += names[:1]
    return paths


def test_each_path_of_the_tree_exists() -> None:
    absent = {path for path in tree() if not (ROOT / path).exists()}

    assert absent == set()


def test_the_tree_names_each_room_of_the_package() -> None:
    rooms = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.iterdir()
        if (path.suffix == ".py" and path.name != "__init__.py") or (path / "__init__.py").exists()
    }

    assert rooms - tree() == set()


def test_each_file_that_a_recipe_names_exists() -> None:
    named = set(PATH.findall(GUIDE))
    absent = {name for name in named if not (ROOT / name).exists()}

    assert named
    assert absent == set()


def test_ci_runs_each_supported_python() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    supported = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    workflow = (ROOT / ".github" / "workflows" / "gates.yml").read_text(encoding="utf-8")
    (matrix,) = re.findall(r"python: \[(.*)\]", workflow)

    assert re.findall(r"3\.\d+", matrix) == supported
