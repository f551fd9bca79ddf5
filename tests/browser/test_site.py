"""The built documentation: no page scrolls sideways in a browser, names are links, and the reference names what
programs use."""

from __future__ import annotations

import html
import os
import re
from typing import TYPE_CHECKING, Any

import pytest

import cognito_flow
import cognito_flow.testing
from tests.support.documentation import DOCS

if TYPE_CHECKING:
    from pathlib import Path

    from selenium.webdriver import Chrome

pytestmark = pytest.mark.other_programs

BUILT = DOCS / "_build"
WIDTHS = (1300, 400)

# What sticks out, unless something around it scrolls by itself.
TOO_WIDE = """
const width = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth <= width) return [];
const scrolls = (element) => element && element !== document.body
  && (getComputedStyle(element).overflowX !== "visible" || scrolls(element.parentElement));
return [...document.querySelectorAll("main *, article *, body *")]
  .filter((element) => element.getBoundingClientRect().right > width + 1 && !scrolls(element.parentElement))
  .slice(0, 3).map((element) => `${element.tagName}.${element.className}: ${element.textContent.trim().slice(0, 60)}`)
  .concat(`${document.documentElement.scrollWidth} of ${width} px`);
"""


def pages() -> list[Path]:
    """The pages of the site that `nox -s docs` built."""
    found = sorted(page for page in BUILT.rglob("*.html") if "_static" not in page.parts)
    if not found:
        missing = "the documentation is not built: nox -s docs"
        if os.environ.get("COGNITO_FLOW_CHROMIUM") == "required":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


def too_wide(driver: Chrome, page: Path) -> dict[str, Any]:
    """What sticks out of a page, by the width of the window."""
    driver.get(page.as_uri())
    found = {}
    for width in WIDTHS:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        if elements := driver.execute_script(TOO_WIDE):
            found[f"{page.relative_to(BUILT)} at {width} px"] = elements
    return found


def test_no_page_of_the_documentation_scrolls_sideways(driver: Chrome) -> None:
    found: dict[str, Any] = {}
    for page in pages():
        found |= too_wide(driver, page)

    assert found == {}


# What a reader of the reference cannot use: private classes and modules, and how objects print themselves.
PRIVATE = re.compile(
    r"(?<![\w*])_[A-Z]\w+|cognito_flow\.[\w.]*\._\w+|\*\*unknown|NOTHING|ForwardRef|~[A-Z]|<function|<built-in"
)


def test_reference_names_nothing_private() -> None:
    texts = {
        page.name: html.unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))
        for page in pages()
        if page.parent.name == "api" or page.stem == "local-cognito"
    }

    assert len(texts) > 5
    assert {name: names for name, text in texts.items() if (names := PRIVATE.findall(text))} == {}


# Titles and whole examples have no links.
WITHOUT_LINKS = re.compile(r"<(a|pre|h[1-6])\b.*?</\1>", re.DOTALL)
CODE = re.compile(r"<code\b[^>]*>(.*?)</code>", re.DOTALL)


def test_each_class_that_a_page_names_is_a_link_to_the_reference() -> None:
    public = (
        getattr(module, name) for module in (cognito_flow, cognito_flow.testing) for name in module.__all__
    )
    classes = "|".join(kind.__name__ for kind in public if isinstance(kind, type))
    mention = re.compile(rf"(?:except |case |await )?(?:{classes})(?:\.\w+)?(?:\(.*\))?", re.DOTALL)
    unlinked = {
        page.relative_to(BUILT).as_posix(): found
        for page in pages()
        if (found := [name for name in codes(page) if mention.fullmatch(name)])
    }

    assert unlinked == {}


def codes(page: Path) -> list[str]:
    """What a page writes as code, outside links, titles and whole examples."""
    text = WITHOUT_LINKS.sub("", page.read_text(encoding="utf-8"))
    return [html.unescape(re.sub(r"<[^>]+>", "", code)) for code in CODE.findall(text)]
