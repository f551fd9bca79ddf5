"""Run the examples of the documentation: Python blocks of README.md and docs/, and examples in docstrings.

A page runs as its reader sees it: its visible blocks, in an empty namespace (`tests.support.verbatim`).

A page with hidden blocks is run with them and with its own pool: `cognito` is a LocalCognito, `pool` one of
its user pools, and `flow` an AuthFlow for that pool's first app client.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser
from sybil.parsers.rest import DocTestParser
from sybil.sybil import SybilCollection

from tests.support.verbatim import included_examples, visible_blocks

if TYPE_CHECKING:
    from collections.abc import MutableMapping


def offer_a_pool(namespace: MutableMapping[str, object]) -> None:
    """Put a pool and a flow for it into a page's namespace."""
    from cognito_flow.testing import LocalCognito

    namespace["cognito"] = cognito = LocalCognito()
    namespace["pool"] = pool = cognito.create_pool()
    namespace["flow"] = pool.flow()


def restore_names(_namespace: MutableMapping[str, object]) -> None:
    """Undo what a page replaced so that its example, shown as users write it, reaches the pool."""
    import cognito_flow

    for name in cognito_flow.__all__:
        if name in vars(cognito_flow):
            delattr(cognito_flow, name)  # the next use imports it again


ROOT = Path(__file__).parent
WITH_HIDDEN_BLOCKS = [
    page.relative_to(ROOT).as_posix()
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if "invisible-code-block" in page.read_text(encoding="utf-8")
]

# Patterns are matched from the right, so these match every page and every module at any depth.
pages = Sybil(parsers=[visible_blocks(), included_examples], patterns=["*.md"], excludes=WITH_HIDDEN_BLOCKS)
pages_with_hidden_blocks = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=WITH_HIDDEN_BLOCKS,
    setup=offer_a_pool,
    teardown=restore_names,
)
docstrings = Sybil(
    parsers=[DocTestParser()],
    path="cognito_flow",
    patterns=["*.py"],
    document_types={".py": PythonDocStringDocument},
)
pytest_collect_file = SybilCollection((pages, pages_with_hidden_blocks, docstrings)).pytest()
