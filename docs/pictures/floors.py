"""The floors of the package: a module imports from its own floor and from those below."""

from __future__ import annotations

from collections.abc import Callable

from docs.pictures.canvas import Canvas
from tests.house.test_imports import FLOORS

_WIDTH, _LETTER, _ROW = 780, 7.4, 26


def _rows(rooms: set[str]) -> list[list[str]]:
    """The rooms of a floor, in as many rows as they need."""
    rows: list[list[str]] = [[]]
    for room in sorted(rooms):
        if sum(len(each) * _LETTER + 26 for each in [*rows[-1], room]) > _WIDTH - 24:
            rows.append([])
        rows[-1].append(room)
    return rows


def draw() -> str:
    """Draw one box for each floor, the highest first."""
    canvas = Canvas("The floors of the package cognito_flow: imports only go down", _WIDTH)
    y = 12
    for rooms in reversed(FLOORS):
        rows = _rows(rooms)
        canvas.box(10, y, _WIDTH - 20, len(rows) * _ROW + 8)
        for number, row in enumerate(rows):
            x = 22.0
            for room in row:
                canvas.text(x, y + 22 + number * _ROW, room, "name")
                x += len(room) * _LETTER + 26
        y += len(rows) * _ROW + 14
    return canvas.render()


def pictures() -> dict[str, Callable[[], str]]:
    """File names, and what draws them."""
    return {"floors.svg": draw}
