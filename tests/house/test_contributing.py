"""What CONTRIBUTING.md and the CI workflow say about the repository is true."""

from __future__ import annotations

import re
import tomllib
from pathlib import PurePosixPath

from tests.house.source import PACKAGE, ROOT

GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# A name in the guide, such as `cognito_flow/errors.py` or `docs/how-to/keep-tokens.md`.
IN_THE_REPOSITORY = re.compile(r"`((?:cognito_flow|docs|tests)/[^`]*|[\w.-]+\.(?:md|toml|py))`")


def tree() -> set[str]:
    """The paths that the guide's tree names: a line has one or more names, then spaces and what they are."""
    (lines,) = re.findall(r"```text\n(cognito_flow/.*?)```", GUIDE, re.DOTALL)
    paths, parents = set[str](), list[str]()
    for line in lines.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        names = re.findall(r"[\w.]+(?:/|\.py)(?=\s|$)", line)
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
    named = set(IN_THE_REPOSITORY.findall(GUIDE))
    absent = {name for name in named if "/" in name and not (ROOT / name).exists()}

    assert named
    assert absent == set()


def test_ci_runs_each_supported_python() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    supported = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    workflow = (ROOT / ".github" / "workflows" / "gates.yml").read_text(encoding="utf-8")
    (matrix,) = re.findall(r"python: \[(.*)\]", workflow)

    assert re.findall(r"3\.\d+", matrix) == supported
