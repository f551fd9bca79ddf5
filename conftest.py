"""Run the examples of the documentation: Python blocks of README.md and docs/, and examples in docstrings.

A page runs as its reader sees it: its visible blocks, in an empty namespace (`tests.support.verbatim`).
"""

from __future__ import annotations

from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.rest import DocTestParser
from sybil.sybil import SybilCollection

from tests.support.verbatim import included_examples, visible_blocks

# Patterns are matched from the right, so these match every page and every module at any depth.
pages = Sybil(parsers=[visible_blocks(), included_examples], patterns=["*.md"])
docstrings = Sybil(
    parsers=[DocTestParser()],
    path="cognito_flow",
    patterns=["*.py"],
    document_types={".py": PythonDocStringDocument},
)
pytest_collect_file = SybilCollection((pages, docstrings)).pytest()
