"""What `doctor` says, one line for each thing that it looked at.

Rule of this file: a finding names Cognito's own settings, and holds no secret.
"""

from __future__ import annotations

from enum import StrEnum

import attrs


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    OFF = "off"  # it cannot be used, which may be meant
    WARNING = "warning"
    PROBLEM = "problem"


@attrs.frozen
class Finding:
    """One line.

    Args:
        level: How bad it is.
        subject: What was looked at: a setting, a flow or a factor, in Cognito's own terms.
        found: What it is like.
        change: What to change, if anything.
    """

    level: Level
    subject: str
    found: str
    change: str | None = None


def no_secret(*, was_given: bool) -> Finding:
    """The app client has no secret."""
    if not was_given:
        return Finding(Level.OK, "ClientSecret", "there is none")
    change = "leave out --client-secret-env, and the secret of AppClient"
    return Finding(Level.PROBLEM, "ClientSecret", "the app client has none, and one was given", change)


def existence(*, is_hidden: bool) -> Finding:
    """Whether somebody who cannot sign in learns which users there are."""
    name = "PreventUserExistenceErrors"
    if is_hidden:
        return Finding(Level.OK, name, "which users there are stays hidden")
    return Finding(Level.WARNING, name, "anybody can learn which users there are", f"set {name} to ENABLED")
