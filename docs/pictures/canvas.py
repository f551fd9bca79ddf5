"""Write an SVG picture: text, lines, arrows and boxes, in the colours of the reader's light or dark theme.

Rule of this file: the same calls give the same text, so that a test can compare a picture with its file.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

import attrs

_STYLE = """
    .page { fill: #ffffff } .box { fill: #eef3fb; stroke: #5b7db1 } .quiet { fill: #f6f6f6; stroke: #b8b8b8 }
    .line { stroke: #8a8a8a } .dash { stroke: #b0b0b0; stroke-dasharray: 4 4 } .head { fill: #8a8a8a }
    .dot { fill: #2f6fcf } .faint { fill: #b9cdec }
    text { font-family: system-ui, sans-serif; font-size: 13px; fill: #1c1c1c }
    .name { font-family: ui-monospace, monospace; font-size: 12px } .strong { font-weight: 600 } .grey { fill: #666666 }
    .good { fill: #1a7f37 } .bad { fill: #b3261e }
    @media (prefers-color-scheme: dark) {
      .page { fill: #16181c } .box { fill: #1e2a3d; stroke: #6f95d0 } .quiet { fill: #22252b; stroke: #555b66 }
      .line { stroke: #8a8f98 } .dash { stroke: #4d535d } .head { fill: #8a8f98 } .dot { fill: #79aef5 } .faint { fill: #33496b }
      text { fill: #e4e6ea } .grey { fill: #9aa0aa } .good { fill: #56d364 } .bad { fill: #ff8a80 }
    }
"""


@attrs.define
class Canvas:
    """A picture that grows by what is drawn on it.

    Args:
        title: What the picture shows, for screen readers.
        width: Its width in pixels.
    """

    title: str
    width: int
    _height: float = attrs.field(default=0, init=False)
    _parts: list[str] = attrs.field(factory=list[str], init=False)

    def _add(self, part: str, bottom: float) -> None:
        self._height = max(self._height, bottom)
        self._parts.append(f"  {part}")

    def text(self, x: float, y: float, text: str, style: str = "", anchor: str = "start") -> None:
        """Write text at its baseline."""
        place = f'x="{x:g}" y="{y:g}" class="{style}" text-anchor="{anchor}" xml:space="preserve"'
        self._add(f"<text {place}>{escape(text)}</text>", y + 6)

    def line(self, x1: float, y1: float, x2: float, y2: float, style: str = "line") -> None:
        """Draw a line."""
        self._add(f'<path d="M{x1:g} {y1:g}L{x2:g} {y2:g}" class="{style}"/>', max(y1, y2))

    def arrow(self, x1: float, x2: float, y: float) -> None:
        """Draw a horizontal arrow."""
        side = 7 if x1 > x2 else -7
        self.line(x1, y, x2, y)
        self._add(f'<path d="M{x2:g} {y:g}l{side} -4v8z" class="head"/>', y + 4)

    def box(self, x: float, y: float, width: float, height: float, style: str = "box") -> None:
        """Draw a box with round corners."""
        place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="5"'
        self._add(f'<rect {place} class="{style}"/>', y + height)

    def dot(self, x: float, y: float, style: str = "dot") -> None:
        """Draw a dot."""
        self._add(f'<circle cx="{x:g}" cy="{y:g}" r="5" class="{style}"/>', y + 5)

    def turned(self, x: float, y: float, text: str, style: str) -> None:
        """Write text upwards."""
        place = f'transform="translate({x:g} {y:g}) rotate(-60)" class="{style}"'
        self._add(f"<text {place}>{escape(text)}</text>", y)

    def render(self) -> str:
        """The SVG file."""
        height = round(self._height + 12)
        size = f'width="{self.width}" height="{height}" viewBox="0 0 {self.width} {height}"'
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(self.title)}">',
                f"  <title>{escape(self.title)}</title>",
                f"  <style>{_STYLE}  </style>",
                f'  <rect width="{self.width}" height="{height}" class="page"/>',
                *self._parts,
                "</svg>\n",
            ]
        )
