"""Which way the imports of the package go."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "cognito_flow"
# From the ground up. A module may import from its own floor and from those below it.
FLOORS = {
    "_checks": 0,
    "_extras": 0,
    "_json": 0,
    "_jwt": 0,
    "_keys": 0,
    "_srp": 0,
    "_tracebacks": 0,
    "errors": 0,
    "_deployed": 1,
    "_exchange": 1,
    "models": 1,
    "_events": 2,
    "stores": 2,
    "handlers": 3,
    "_turn": 4,
    "_result": 5,
    "_refresh": 6,
    "credentials": 7,
    "_answered": 8,
    "_engine": 8,
    "_seal": 8,
    "_transport": 9,
    "tokens": 10,
    "account": 11,
    "__init__": 12,
    "flow": 12,
    "integrations": 13,
    "terminal": 13,
    "testing": 13,
    "cli": 14,
}
TOP_OF_THE_CORE = 12
# Those of the core that do I/O. Of those outside _transport, _deployed reads a CloudFormation stack, and tokens
# fetches the keys of a pool.
DRIVERS = {
    Path("cognito_flow/_deployed.py"),
    *(path.relative_to(ROOT) for path in (PACKAGE / "_transport").glob("*.py")),
    Path("cognito_flow/tokens/_flight.py"),
    Path("cognito_flow/tokens/keys.py"),
}
KNOWN_TO_THE_DRIVERS_ALONE = {"aiobotocore", "asyncio", "boto3", "botocore"}


def modules(*folders: Path) -> list[Path]:
    """The Python files below some folders; what a tool keeps in a hidden folder is not ours."""
    found = (path.relative_to(ROOT) for folder in folders for path in folder.rglob("*.py"))
    return sorted(path for path in found if not any(part.startswith(".") for part in path.parts))


def room(path: Path) -> str:
    """The part of the house that a module belongs to: its file in the package, or its folder there."""
    return path.parts[1].removesuffix(".py")


def imported(tree: ast.AST) -> Iterator[str]:
    """The full name of each thing that is imported, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)


def imported_for_types(tree: ast.AST) -> Iterator[str]:
    """The same for what stands under `if TYPE_CHECKING`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for statement in node.body:
                yield from imported(statement)


def rooms_imported(names: Iterator[str]) -> set[str]:
    """Which parts of the house some imported names belong to."""
    parts = (name.split(".") for name in names if name.startswith("cognito_flow."))
    return {part[1] if part[1] in FLOORS else "__init__" for part in parts}


def parse(path: Path) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", modules(PACKAGE), ids=str)
def test_imports_never_go_up(path: Path) -> None:
    """A module imports from its own floor and below; errors may name handlers to the type checker."""
    tree = parse(path)
    excused = rooms_imported(imported_for_types(tree)) & {"handlers"} if room(path) == "errors" else set()

    above = {name for name in rooms_imported(imported(tree)) if FLOORS[name] > FLOORS[room(path)]}
    assert above == excused


@pytest.mark.parametrize("path", modules(PACKAGE), ids=str)
def test_imports_within_the_package_are_spelled_out(path: Path) -> None:
    """No import is relative, so that what a module imports can be read, here and by people."""
    assert [] == [name for name in imported(parse(path)) if name.startswith(".")]


@pytest.mark.parametrize(
    "path", [path for path in modules(PACKAGE) if FLOORS.get(room(path), 0) <= TOP_OF_THE_CORE], ids=str
)
def test_the_drivers_alone_know_boto_and_asyncio(path: Path) -> None:
    """Only the drivers do I/O: the rest of the core can be read, and tested, without it."""
    outside = {name.partition(".")[0] for name in imported(parse(path))}

    assert path in DRIVERS or not outside & KNOWN_TO_THE_DRIVERS_ALONE
