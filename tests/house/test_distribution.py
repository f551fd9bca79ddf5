"""What is built and published: the wheel and the list of dependencies."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from itertools import chain

import pytest

from tests.house.source import DOCS, PACKAGE, ROOT, files


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel that this checkout builds."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_wheel_holds_each_module_and_the_marker_for_type_checkers(wheel: zipfile.ZipFile) -> None:
    inside = {name for name in wheel.namelist() if name.startswith("cognito_flow/")}

    assert {"cognito_flow/py.typed", *(path.as_posix() for path in files(PACKAGE))} <= inside


def test_wheel_holds_nothing_but_the_package_its_metadata_and_the_licence(wheel: zipfile.ZipFile) -> None:
    others = {name.partition("/")[2] for name in wheel.namelist() if not name.startswith("cognito_flow/")}

    assert others == {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}


def test_dependencies_page_gives_a_reason_for_each_dependency_and_for_nothing_else() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *chain(*project["project"]["optional-dependencies"].values()),
        *(
            entry
            for group in project["dependency-groups"].values()
            for entry in group
            if isinstance(entry, str)
        ),
    ]
    page = (DOCS / "explanation/dependencies.md").read_text(encoding="utf-8")
    rows = [line.split("|")[-3] for line in page.splitlines() if line.startswith("| ")]
    named = {name.strip() for row in rows for name in row.split(",")} - {"Package"}

    assert named == {re.split(r"[\[>=]", requirement)[0] for requirement in asked}
