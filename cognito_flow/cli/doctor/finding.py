"""One line of the report of `doctor`.

Rule of this file: a finding names Cognito's own settings, and holds no secret.
"""

from __future__ import annotations

from enum import StrEnum

import attrs


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    OFF = "off"  # it cannot be used, which may be intended
    WARNING = "warning"
    PROBLEM = "problem"


@attrs.frozen
class Finding:
    """One line.

    Args:
        level: How bad it is.
        subject: The setting, flow or factor, in Cognito's own terms.
        found: Its status.
        change: What to change, if anything.
    """

    level: Level
    subject: str
    found: str
    change: str | None = None


def no_secret(*, was_given: bool) -> Finding:
    """The app client has no secret."""
    if not was_given:
        return Finding(Level.OK, "ClientSecret", "the app client has no secret")
    change = "leave out --client-secret-env (unset COGNITO_CLIENT_SECRET), and client_secret in your program"
    return Finding(Level.PROBLEM, "ClientSecret", "the app client has no secret, but you gave one", change)


def existence(*, is_hidden: bool) -> Finding:
    """Whether Cognito hides which users exist."""
    name = "PreventUserExistenceErrors"
    if is_hidden:
        return Finding(Level.OK, name, "user existence is hidden")
    return Finding(Level.WARNING, name, "anyone can find out which users exist", f"set {name} to ENABLED")
