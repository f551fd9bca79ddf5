"""The locked development environment: it holds what pyproject.toml asks for, and a hash for each file."""

from __future__ import annotations

import re
import tomllib
from itertools import chain

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.source import ROOT

LOCK = (ROOT / "requirements-development.txt").read_text(encoding="utf-8")
# A requirement, and its hashes on the lines that continue it.
ENTRY = re.compile(
    r"^([\w.-]+)==([\w.]+)(?: ; [^\\]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)
LOCKED = {canonicalize_name(name): version for name, version, _ in ENTRY.findall(LOCK)}


def test_each_line_of_the_lock_belongs_to_a_version_with_its_hashes() -> None:
    left = [line for line in ENTRY.sub("", LOCK).splitlines() if not line.lstrip().startswith("#")]

    assert left == []
    assert LOCKED


def test_lock_holds_a_version_that_each_requirement_allows() -> None:
    """If this fails, run `nox -s lock`."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = pyproject["project"]
    asked = [
        Requirement(entry)
        for entry in chain(
            project["dependencies"],
            *project["optional-dependencies"].values(),
            *pyproject["dependency-groups"].values(),
        )
        if isinstance(entry, str)
    ]

    locked = {str(entry): LOCKED.get(canonicalize_name(entry.name)) for entry in asked}

    assert [name for name, version in locked.items() if version is None] == []
    assert [entry for entry in asked if not entry.specifier.contains(locked[str(entry)] or "")] == []
