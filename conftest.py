"""Runs what the documentation shows: Python blocks of README.md and docs/, and examples in docstrings.

Every page begins with a pool of its own: `cognito` is a LocalCognito, `pool` one of its user pools, `flow` an
AuthFlow for that pool's first app client. What else a page needs it sets up itself, in a hidden block:

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


# A pattern is compared from the right: these mean every page and every module, however deep it lies.
pages = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["*.md"],
    setup=offer_a_pool,
)
docstrings = Sybil(
    parsers=[DocTestParser()],
    path="cognito_flow",
    patterns=["*.py"],
    document_types={".py": PythonDocStringDocument},
)
pytest_collect_file = (pages + docstrings).pytest()
