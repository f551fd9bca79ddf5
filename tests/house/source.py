"""Read this project's own files: its modules, their syntax trees and what they import."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "cognito_flow"
TESTS = ROOT / "tests"
DOCS = ROOT / "docs"
PAGES = [Path("README.md"), *sorted(path.relative_to(ROOT) for path in DOCS.rglob("*.md"))]


def files(*folders: Path) -> list[Path]:
    """The Python files below some folders, relative to the root; hidden folders belong to tools."""
    found = (path.relative_to(ROOT) for folder in folders for path in folder.rglob("*.py"))
    return sorted(path for path in found if not any(part.startswith(".") for part in path.parts))


@cache
def parse(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def module_name(path: Path) -> str:
    """The name by which a file of the package is imported."""
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def imported_names(tree: ast.AST) -> Iterator[str]:
    """The full name of everything a tree imports: in functions and under TYPE_CHECKING, too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)


def imports_between_modules() -> dict[str, set[str]]:
    """For each module of the package, the other modules of the package that it imports."""
    modules = {module_name(path): path for path in files(PACKAGE)}

    def owner(name: str) -> str | None:
        """The module that an imported name is, or is a part of."""
        while name and name not in modules:
            name = name.rpartition(".")[0]
        return name or None

    return {
        module: {found for name in imported_names(parse(path)) if (found := owner(name))} - {module}
        for module, path in modules.items()
    }
