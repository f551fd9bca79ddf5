"""A Sphinx extension: public names in pages become links, and private names leave the reference."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.addnodes import pending_xref

import cognito_flow
import cognito_flow.testing

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PUBLIC = {
    name: f"{package.__name__}.{name}"
    for package in (cognito_flow.testing, cognito_flow)
    for name in package.__all__
}


def link_names(app: Sphinx, tree: nodes.document) -> None:
    """Make a link of each public name that a page writes as code: `AuthFlow`, `AuthFlow.start`."""
    for literal in list(tree.findall(nodes.literal)):
        found = re.fullmatch(r"(\w+)((?:\.\w+)?)(?:\(.*\))?", literal.astext())
        if (
            found is None
            or found[1] not in PUBLIC
            or isinstance(literal.parent, (nodes.reference, nodes.title, pending_xref))
        ):
            continue
        link = pending_xref(
            "",
            refdomain="py",
            reftype="obj",
            reftarget=PUBLIC[found[1]] + found[2],
            refexplicit=True,
            refwarn=False,
        )
        link["refdoc"] = app.env.docname
        literal.replace_self(link)
        link += literal


def hide_private_bases(
    _app: Sphinx, _name: str, _object: object, _options: object, bases: list[type]
) -> None:
    """Name only base classes that have a place in the reference."""

    def is_private(base: type) -> bool:
        return base.__module__.startswith("cognito_flow") and base.__name__ not in PUBLIC

    bases[:] = [base for base in bases if not is_private(base)] or [object]


# Napoleon reads the text of an attribute up to a colon as its type: hide the colons while it works.
_COLON, _HIDDEN = ":", "\ue000"


def hide_colons(
    _app: Sphinx, what: str, _name: str, _object: object, _options: object, lines: list[str]
) -> None:
    """Hide the colons of the first paragraph of an attribute."""
    if what in {"attribute", "data", "property"}:
        end = lines.index("") if "" in lines else len(lines)
        lines[:end] = [line.replace(_COLON, _HIDDEN) for line in lines[:end]]


def show_colons(
    _app: Sphinx, _what: str, _name: str, _object: object, _options: object, lines: list[str]
) -> None:
    """Show the colons again."""
    lines[:] = [line.replace(_HIDDEN, _COLON) for line in lines]


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the functions above."""
    app.connect("doctree-read", link_names)
    app.connect("autodoc-process-bases", hide_private_bases)
    app.connect("autodoc-process-docstring", hide_colons, priority=400)
    app.connect("autodoc-process-docstring", show_colons, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
