"""What the core and its drivers pass to each other."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from datetime import datetime
from typing import TypeAlias, TypeVar

import attrs

T = TypeVar("T")


@attrs.frozen
class Call:
    """One API call that the core asks its driver to make.

    Args:
        operation: The API operation's name, for example ``InitiateAuth``.
        parameters: Its input, as boto3 takes it.
    """

    operation: str
    parameters: Mapping[str, object] = attrs.field(repr=False)


@attrs.frozen
class Response:
    """What came back for a `Call`.

    Args:
        data: The operation's output, as boto3 gives it.
        date: When the service answered, by its own clock (the Date header), if it said so.
    """

    data: Mapping[str, object] = attrs.field(repr=False)
    date: datetime | None = None


Exchange: TypeAlias = Generator[Call, Response, T]
"""A conversation of one turn: it yields calls, is sent responses or is thrown typed errors, and returns its
result."""
