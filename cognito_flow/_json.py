"""Values of JSON whose type nobody vouches for.

Rule of this file: each function gives the value if it has the type, else None. They tell type checkers what
`isinstance` alone cannot: what is inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

__all__ = ["as_list", "as_object", "as_text", "member"]


def as_object(value: object) -> Mapping[str, object] | None:
    """The value as a JSON object, whose names are text."""
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else None


def as_list(value: object) -> Sequence[object] | None:
    """The value as a JSON array."""
    return cast("Sequence[object]", value) if isinstance(value, list | tuple) else None


def as_text(value: object) -> str | None:
    """The value as a JSON string."""
    return value if isinstance(value, str) else None


def member(value: object, *names: str) -> object:
    """The member of a JSON object that these names lead to, from object to object."""
    for name in names:
        value = (as_object(value) or {}).get(name)
    return value
