"""Draw the pictures of the documentation from the code: ``python -m docs.pictures``.

A test fails while a picture is stale.
"""

from __future__ import annotations

from pathlib import Path

from docs.pictures import floors, follows, sequences, terminal

PICTURES = sequences.pictures() | floors.pictures() | follows.pictures() | terminal.pictures()
FOLDER = Path(__file__).parent

if __name__ == "__main__":
    for name, draw in PICTURES.items():
        (FOLDER / name).write_text(draw(), encoding="utf-8")
