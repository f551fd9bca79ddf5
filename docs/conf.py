"""How Sphinx builds the documentation."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # the extensions public_names and site_map

project = "cognito_flow"
copyright = "the cognito_flow authors"  # noqa: A001 - Sphinx's name for it
release = version = installed_version("cognito-flow")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "public_names",
    "site_map",
]
exclude_patterns = ["_build", "examples"]
html_theme = "furo"
html_title = f"cognito_flow {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {"announcement": "Not on PyPI yet: install it from a clone"}
pygments_dark_style = "github-dark"  # the theme's own underlines modules, as if they were links

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

default_role = "py:obj"  # `AuthFlow` in a docstring is a reference, if there is such a name
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
# Programs call the rest of a class; these are for authors of handlers and for the library itself.
autodoc_default_options = {
    "members": True,
    "exclude-members": "auto, begin, exchange, parse, read, reads, sends, shows",
}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
