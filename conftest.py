"""Run the examples of the documentation: Python blocks of README.md and docs/, and examples in docstrings.

Every page starts with its own pool: `cognito` is a LocalCognito, `pool` one of its user pools, and `flow` an
AuthFlow for that pool's first app client. A page sets up everything else in hidden blocks:

    <!--- invisible-code-block: python
    user = pool.add_user("alice", "correct horse 1")
    -->
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser
from sybil.parsers.rest import DocTestParser

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


# Patterns are matched from the right, so these match every page and every module at any depth.
pages = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["*.md"],
    setup=offer_a_pool,
    teardown=restore_names,
)
docstrings = Sybil(
    parsers=[DocTestParser()],
    path="cognito_flow",
    patterns=["*.py"],
    document_types={".py": PythonDocStringDocument},
)
pytest_collect_file = (pages + docstrings).pytest()
