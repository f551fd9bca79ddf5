"""The table of known attacks in docs/explanation/security.md names tests that exist."""

from __future__ import annotations

import ast
import re

from tests.house.source import DOCS, ROOT

NAMED = re.findall(
    r"`(tests/[\w/]+\.py)::(\w+)`", (DOCS / "explanation" / "security.md").read_text(encoding="utf-8")
)


def test_each_attack_names_a_test_that_exists() -> None:
    missing = [f"{path}::{name}" for path, name in NAMED if name not in _functions(path)]

    assert missing == []
    assert len(NAMED) >= 20


def _functions(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
