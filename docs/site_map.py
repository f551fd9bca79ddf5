"""A Sphinx extension that writes llms.txt: the pages of the documentation, one line each, in the order of their tables of contents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INCLUDE = re.compile(r"^```\{include\} (\S+)$", re.MULTILINE)


def pages(docs: Path, name: str = "index") -> Iterator[str]:
    """The names of all pages, depth first."""
    yield name
    text = (docs / f"{name}.md").read_text(encoding="utf-8")
    for tree in _TOCTREE.findall(text):
        for line in tree.splitlines():
            if line and not line.startswith(":"):
                yield from pages(docs, (Path(name).parent / line).as_posix())


def title_and_summary(docs: Path, name: str) -> tuple[str, str]:
    """The title of a page, and the first sentence below it."""
    path = docs / f"{name}.md"
    text = path.read_text(encoding="utf-8")
    if included := _INCLUDE.search(text):
        text = (path.parent / included[1]).read_text(encoding="utf-8")
    title, _, rest = text.partition("\n")
    paragraphs = (paragraph for paragraph in rest.split("\n\n") if re.match(r"[\w`*]", paragraph.strip()))
    summary = " ".join(next(paragraphs, "").split()).replace("**", "")
    summary = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", summary)
    return title.lstrip("# ").strip(), re.split(r"(?<=[.])\s", summary)[0].rstrip(":")


def llms_text(docs: Path) -> str:
    """The whole file; links are relative to the root of the site."""
    names = list(pages(docs))
    (title, summary), *others = [title_and_summary(docs, name) for name in names]
    lines = [
        f"- [{title}]({name}.html): {text}" for name, (title, text) in zip(names[1:], others, strict=True)
    ]
    return "\n".join([f"# {title}", "", f"> {summary}", "", *lines, ""])


def write(app: Sphinx, error: Exception | None) -> None:
    """Write llms.txt beside the pages."""
    if error is None:
        (Path(app.outdir) / "llms.txt").write_text(llms_text(Path(app.srcdir)), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the file when the site is built."""
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
