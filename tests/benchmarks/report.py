"""The table of a run, as Markdown and as charts in SVG, light and dark."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from html import escape
from importlib.metadata import version

import attrs

from tests.benchmarks.lines import PYCOGNITO, WARRANT_LITE, Line
from tests.benchmarks.rounds import HERE, ROOT, Figures
from tests.support.ministack import MINISTACK

FOLDER = ROOT / "docs" / "explanation" / "performance"
PACKAGES = ("botocore", "boto3", "aiobotocore", "cryptography", "pycryptodome", "PyJWT", "moto")
HEADER = "| What | Subject | Median | Middle half | Beside ours | Target | Reached |\n|---|---|--:|--:|--:|---|---|"


@attrs.frozen
class Result:
    """What was measured of a line."""

    line: Line
    ours: Figures
    peers: Mapping[str, Figures]
    before: Figures | None = None

    @property
    def used(self) -> float | None:
        """Which part of its target was used, if it has one and its peer was measured."""
        target = self.line.target
        if target is None or (target.is_ratio and not self.peers):
            return None
        return target.used(self.ours, list(self.peers.values()))

    def is_off(self, factor: float) -> bool:
        """Whether a ratio is off by more than a factor. What depends on the machine alone never is."""
        target, used = self.line.target, self.used
        return target is not None and target.is_ratio and used is not None and used > factor * target.today

    @property
    def verdict(self) -> str:
        if self.used is None:
            return ""
        part = f"{self.used:.0%}" if self.used < 10 else f"{self.used:.0f} x"
        return f"yes ({part})" if self.used <= 1 else f"no ({part})"


def row(result: Result) -> str:
    """The rows of a line: ours first."""
    line = result.line
    target = "" if line.target is None else str(line.target)
    rows = [f"| {line.title} | {line.ours.name} | {_span(result.ours)} | | {target} | {result.verdict} |"]
    for name, figures in result.peers.items():
        rows.append(f"| | {name} | {_span(figures)} | {figures.over(result.ours):.2g} x | | |")
    return "\n".join(rows)


BEFORE_HEADER = (
    "| What | Before | Middle half | After | Middle half | Before / after |\n|---|--:|--:|--:|--:|--:|"
)


def before_and_after(results: Sequence[Result]) -> str:
    """The table of the lines that were also measured on an earlier tree, in the same rounds."""
    return "\n".join(
        [
            BEFORE_HEADER,
            *(
                f"| {result.line.title} | {_span(result.before)} | {_span(result.ours)} "
                f"| {result.before.over(result.ours):.2g} x |"
                for result in results
                if result.before is not None
            ),
        ]
    )


def _span(figures: Figures) -> str:
    low, high = figures.spread
    return f"{_ms(figures.median)} | {_ms(low)}–{_ms(high)}"


def _ms(milliseconds: float) -> str:
    if abs(milliseconds) < 0.1:
        return f"{milliseconds * 1000:.3g} µs"
    return f"{milliseconds:.3g} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.3g} s"


def machine() -> str:
    """The machine and the versions, without a name that identifies the machine."""
    javascript = json.loads((HERE / "javascript" / "package.json").read_text(encoding="utf-8"))[
        "dependencies"
    ]
    versions = ", ".join(
        [
            *(f"{name} {version(name)}" for name in PACKAGES),
            *(requirement.replace("==", " ") for requirement in (PYCOGNITO, WARRANT_LITE, MINISTACK[0])),
            *(f"{name} {number}" for name, number in javascript.items()),
        ]
    )
    return (
        f"{platform.machine()} with {os.cpu_count()} cores, {platform.system()}, "
        f"{platform.python_implementation()} {platform.python_version()}; {versions}."
    )


def write(results: Sequence[Result]) -> None:
    """Write the table and the charts for docs/explanation/performance.md."""
    FOLDER.mkdir(exist_ok=True)
    table = "\n".join([HEADER, *map(row, results)])
    (FOLDER / "table.txt").write_text(f"{table}\n\nMeasured on {machine()}\n", encoding="utf-8")
    (FOLDER / "before.txt").write_text(f"{before_and_after(results)}\n", encoding="utf-8")
    charted = [result for result in results if result.peers]
    for scheme, colours in SCHEMES.items():
        (FOLDER / f"chart-{scheme}.svg").write_text(chart(charted, colours), encoding="utf-8")


@attrs.frozen
class Colours:
    """The colours of a chart."""

    text: str
    faint: str
    ours: str
    peer: str


SCHEMES = {
    "light": Colours(text="#1f2328", faint="#59636e", ours="#0969da", peer="#c5ccd3"),
    "dark": Colours(text="#f0f6fc", faint="#9198a1", ours="#4493f8", peer="#545d68"),
}
LEFT, BAR, RIGHT, HEIGHT, GAP = 270, 380, 90, 18, 34


def chart(results: Sequence[Result], colours: Colours) -> str:
    """Bars of each line, each line at a scale of its own."""
    parts: list[str] = []
    y = 6
    for result in results:
        y += GAP
        title = result.line.title.replace("`", "")
        parts.append(_text(8, y - 10, title, colours.text, weight="600"))
        figures = {result.line.ours.name: result.ours, **result.peers}
        longest = max(each.median for each in figures.values())
        for index, (name, each) in enumerate(figures.items()):
            width = max(1.0, BAR * each.median / longest)
            colour = colours.peer if index else colours.ours
            parts.append(_text(LEFT - 8, y + 11, name, colours.faint, anchor="end"))
            parts.append(
                f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{HEIGHT - 5}" rx="2" fill="{colour}"/>'
            )
            parts.append(_text(LEFT + width + 6, y + 11, _ms(each.median), colours.text))
            y += HEIGHT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + BAR + RIGHT} {y + 10}" role="img" '
        'aria-label="What each operation costs, beside other packages" '
        'font-family="system-ui, sans-serif" font-size="12">\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _text(x: float, y: float, text: str, colour: str, *, anchor: str = "start", weight: str = "400") -> str:
    return (
        f'<text x="{x:.1f}" y="{y}" fill="{colour}" text-anchor="{anchor}" font-weight="{weight}">'
        f"{escape(text)}</text>"
    )
