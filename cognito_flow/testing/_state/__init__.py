"""What a LocalCognito keeps, and the rules for it: users, keys, Sessions, passwords, passkeys, triggers."""

from typing import Any, TypeAlias

Members: TypeAlias = dict[str, Any]
"""A JSON object of the wire format, whose members the service model names."""
