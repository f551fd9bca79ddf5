"""Links between pages lead to a file and a heading, and llms.txt names each page."""

from __future__ import annotations

import re
import tomllib
from urllib.parse import urlsplit

import pytest

from tests.house.source import PAGES, ROOT
from tests.support.documentation import DOCS, load

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
INCLUDED = re.compile(r"^```\{include\} (\S+)$", re.MULTILINE)
URLS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
SITE, FILES = f"{URLS['Documentation']}/", re.compile(rf"{re.escape(URLS['Source'])}/(?:raw|blob)/main/")
MAP = load(DOCS / "site_map.py")


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as MyST and code hosts make them."""
    headings = re.findall(
        r"^#{1,4} (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    plain = (
        re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)) for heading in headings
    )
    return {heading.strip().lower().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_of_a_page_lead_to_a_file_and_a_heading(page: object) -> None:
    path = ROOT / str(page)
    text = path.read_text(encoding="utf-8")
    broken = []
    for link in LINK.findall(CODE.sub("", text)):
        target, _, anchor = link.partition("#")
        if target.startswith(SITE):
            place = DOCS / target.removeprefix(SITE).replace(".html", ".md")
        elif FILES.match(target):
            place = ROOT / FILES.sub("", target)
        elif target.startswith(URLS["Source"]):
            broken.append(link)
            continue
        elif re.match(r"[a-z]+:", target):
            continue
        else:
            place = (path.parent / target) if target else path
        if not place.exists() or (anchor and anchor not in anchors(place.read_text(encoding="utf-8"))):
            broken.append(link)

    assert broken == []


def test_readme_links_are_absolute() -> None:
    """An index of packages shows the file without the repository."""
    links = LINK.findall((ROOT / "README.md").read_text(encoding="utf-8"))

    assert [link for link in links if not link.startswith("https://")] == []


def test_address_of_the_project_is_in_few_files() -> None:
    """They are what a release has to change while the address is a placeholder."""
    host = urlsplit(URLS["Source"]).netloc
    files = [
        *ROOT.glob("*.md"),
        ROOT / "pyproject.toml",
        *DOCS.rglob("*.md"),
        *(ROOT / "cognito_flow").rglob("*.py"),
    ]
    found = [path.name for path in files if host in path.read_text(encoding="utf-8")]

    assert sorted(found) == ["CONTRIBUTING.md", "README.md", "SECURITY.md", "pyproject.toml"]


def test_changelog_of_the_package_index_is_a_file() -> None:
    assert (ROOT / FILES.sub("", URLS["Changelog"])).is_file()


def test_llms_text_names_each_page_once_with_a_summary() -> None:
    text = MAP.llms_text(DOCS)
    listed = re.findall(r"^- \[.+\]\((.+)\.html\): \S+.*$", text, re.MULTILINE)

    assert text.startswith("# cognito_flow\n\n> Sign users in to Amazon Cognito user pools")
    assert sorted([*listed, "index"]) == sorted(
        page.relative_to(DOCS).with_suffix("").as_posix()
        for page in DOCS.rglob("*.md")
        if "_build" not in page.parts
    )
