"""How Sphinx builds the documentation."""

from __future__ import annotations

import re
import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.addnodes import pending_xref

import cognito_flow
import cognito_flow.testing

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

project = "cognito_flow"
copyright = "the cognito_flow authors"  # noqa: A001 - Sphinx's name for it
release = version = installed_version("cognito-flow")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build", "examples"]
html_theme = "furo"
html_title = f"cognito_flow {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

default_role = "py:obj"  # `AuthFlow` in a docstring is a reference, if there is such a name
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_default_options = {"members": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

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
    """Name only public base classes."""
    bases[:] = [base for base in bases if not getattr(base, "__name__", "_").startswith("_")] or [object]


def write_llms_text(app: Sphinx, error: Exception | None) -> None:
    """Write llms.txt beside the pages."""
    from site_map import llms_text

    if error is None:
        (Path(app.outdir) / "llms.txt").write_text(llms_text(HERE), encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Connect the functions above."""
    app.connect("doctree-read", link_names)
    app.connect("autodoc-process-bases", hide_private_bases)
    app.connect("build-finished", write_llms_text)
