"""Run the Python blocks of a page exactly as a reader sees them.

Every page starts with an empty namespace. A block may say what it prints: ``print(name)  # alice``.
"""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from sybil import Region
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.abstract import AbstractCodeBlockParser
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer
from sybil.region import Lexeme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sybil import Document, Example

_INCLUDED = re.compile(r"^```\{literalinclude\} (\S*examples/\S+\.py)\n:language: python\n```$", re.MULTILINE)
_PRINTED = re.compile(r"^ *print\(.*\)  # (.+)$", re.MULTILINE)


def run_and_compare(example: Example) -> None:
    """Run a block; the comments behind its `print` calls must be among the printed lines, in this order.

    Raises:
        AssertionError: The block prints something else.
    """
    printed = io.StringIO()
    with redirect_stdout(printed):
        PythonEvaluator()(example)
    lines = iter(printed.getvalue().splitlines())
    for expected in _PRINTED.findall(example.parsed):
        if expected not in lines:
            raise AssertionError(f"the page says {expected!r}, but the block prints {printed.getvalue()!r}")


def included_examples(document: Document) -> Iterator[Region]:
    """The programs in docs/examples that a page shows whole run in its namespace, like its blocks."""
    for found in _INCLUDED.finditer(document.text):
        source = (Path(document.path).parent / found[1]).read_text(encoding="utf-8")
        yield Region(found.start(), found.end(), Lexeme(source, 0, 0), PythonEvaluator())


def visible_blocks() -> AbstractCodeBlockParser:
    """A parser for fenced Python blocks. `tests/house/test_files.py` rejects pages that hide one in a comment."""
    fences = FencedCodeBlockLexer("python", mapping={"language": "arguments", "source": "source"})
    return AbstractCodeBlockParser([fences], "python", run_and_compare)
