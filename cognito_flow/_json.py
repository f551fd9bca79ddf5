"""Parse untrusted JSON and narrow its values.

Rule of this file: a function that narrows returns the value if it has the type, else None. Type checkers
learn from it what `isinstance` alone cannot say: the types inside a container.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import cast


def parse_json(text: str | bytes) -> object:
    """Parse JSON that may come from anywhere.

    Raises:
        ValueError: It is not JSON, is nested too deeply, or has a number that is too large. The message does
            not quote it.
    """
    try:
        value: object = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise ValueError("not valid JSON") from None
    return value


def is_encodable(value: object) -> bool:
    """Whether the texts of a JSON value can be encoded as UTF-8. JSON can escape a lone surrogate, which
    cannot: the value could be neither sent back nor shown."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def _refuse_constant(name: str) -> None:
    """NaN and Infinity, which Python's parser accepts, are not JSON (RFC 8259, section 6)."""
    raise ValueError(name)


def _finite(digits: str) -> float:
    """1e999 would become Infinity, which could not be written as JSON again."""
    value = float(digits)
    if math.isinf(value):
        raise ValueError(digits)
    return value


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
