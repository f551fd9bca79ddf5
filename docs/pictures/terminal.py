"""What `cognito-flow demo` prints, as a picture of a terminal.

Ids, times and durations differ in each run, so the picture shows fixed ones.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable

from docs.pictures.canvas import Canvas

_LETTER, _LINE, _MOST = 7.25, 18, 112
_CODES = re.compile(r"\x1b\[([\d;]*)m")
_FIXED = (
    (r"eu-west-1_\w+", "eu-west-1_AbC123456"),
    (r"app client \w+", "app client 1example23456789abcdef"),
    (r"\d\d:\d\d:\d\d UTC", "13:00:00 UTC"),
    (r"\d+(\.\d+)? ms", "3 ms"),
)


def output() -> str:
    """Run the demo and return what it prints to a terminal."""
    colours = {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "300"}
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    program = "import sys; from cognito_flow.cli import main; sys.argv = ['cognito-flow', 'demo']; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment | colours,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    text = done.stdout
    for pattern, fixed in _FIXED:
        text = re.sub(pattern, fixed, text)
    return text


def _style(line: str) -> str:
    codes = {code for found in _CODES.findall(line) for code in found.split(";")}
    return "name " + ("strong" if "1" in codes else "good" if "32" in codes else "")


def _wrapped(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()) + 3)
    rows = []
    while len(line) > _MOST:
        cut = line.rfind(" ", 0, _MOST)
        rows.append(line[:cut])
        line = indent + line[cut + 1 :]
    return [*rows, line]


def draw() -> str:
    """Draw the demo."""
    canvas = Canvas("The output of cognito-flow demo", round(_MOST * _LETTER) + 40)
    canvas.text(20, 28, "$ cognito-flow demo", "name grey")
    y = 28
    for line in output().strip().splitlines():
        for row in _wrapped(_CODES.sub("", line).rstrip()):
            y += _LINE
            if row:
                canvas.text(20, y, row, _style(line).strip())
    return canvas.render()


def pictures() -> dict[str, Callable[[], str]]:
    """File names, and what draws them."""
    return {"demo.svg": draw}
