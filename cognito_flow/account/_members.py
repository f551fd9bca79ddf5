"""Read the members of an operation's output, and write those of its input.

Rule of this file: in an output, a value of the wrong type counts as missing, and an output without a required
value is an `UnexpectedResponse`. Cognito had answered by then, so the call may have been carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from cognito_flow._checks import check_text
from cognito_flow._json import as_list, as_object, as_text, is_encodable
from cognito_flow.errors import UnexpectedResponse


def unreadable(message: str, operation: str | None = None) -> UnexpectedResponse:
    """The error for a successful response that cannot be read."""
    return UnexpectedResponse(message, operation=operation, maybe_processed=True)


def text(data: Mapping[str, object], name: str) -> str | None:
    """The text of this name, or None.

    Raises:
        UnexpectedResponse: It contains a lone surrogate, which UTF-8 cannot encode: it could be neither sent
            back nor shown.
    """
    value = as_text(data.get(name))
    if value is not None and not is_encodable(value):
        raise unreadable(f"Cognito sent {name} with a lone surrogate")
    return value


def need_text(data: Mapping[str, object], name: str) -> str:
    """The text of this name.

    Raises:
        UnexpectedResponse: It is missing, or contains a lone surrogate.
    """
    value = text(data, name)
    if value is None:
        raise unreadable(f"Cognito answered without {name}")
    return value


def need_object(data: Mapping[str, object], name: str) -> Mapping[str, object]:
    """The object of this name.

    Raises:
        UnexpectedResponse: It is missing.
    """
    value = as_object(data.get(name))
    if value is None:
        raise unreadable(f"Cognito answered without {name}")
    return value


def objects(value: object) -> list[Mapping[str, object]]:
    """The objects of a list; empty if it is not a list."""
    found = (as_object(item) for item in as_list(value) or ())
    return [item for item in found if item is not None]


def texts(value: object) -> tuple[str, ...]:
    """The texts of a list; empty if it is not a list."""
    found = (item for item in as_list(value) or () if isinstance(item, str))
    return tuple(item for item in found if is_encodable(item))


def attributes(value: object) -> dict[str, str]:
    """A list of names and values as a dictionary. An attribute without a value is empty.

    Raises:
        UnexpectedResponse: A name is missing, or a text contains a lone surrogate.
    """
    return {need_text(item, "Name"): text(item, "Value") or "" for item in objects(value)}


def moment(value: object) -> datetime | None:
    """A date in UTC. botocore gives dates in the time zone of the machine."""
    return value.astimezone(UTC) if isinstance(value, datetime) else None


def name_value_pairs(what: str, values: Mapping[str, str]) -> list[dict[str, str]]:
    """A mapping as the API's list of names and values. A value may be empty.

    Args:
        what: How a message calls one of them.
        values: The values, by name.

    Raises:
        InvalidInput: A name is empty, or a text contains a lone surrogate.
        UsageError: A value is not text.
    """
    for name, value in values.items():
        check_text(f"the name of an {what}", name)
        check_text(f"the value of {name}", value, may_be_empty=True)
    return [{"Name": name, "Value": value} for name, value in values.items()]
