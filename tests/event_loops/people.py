"""The users that the program of the event loops signs in."""

from __future__ import annotations

PASSWORD = "Correct-horse-1"


def names(count: int) -> list[str]:
    return [f"user{number:02}" for number in range(count)]
