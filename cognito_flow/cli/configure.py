"""The subcommand `configure`: save a profile.

Rule of this file: settings that were not given stay as they are.
"""

from __future__ import annotations

from pathlib import Path

import attrs

from cognito_flow.cli import profiles
from cognito_flow.cli.connection import deployed
from cognito_flow.cli.profiles import DEFAULT, Profile
from cognito_flow.models import AppClient
from cognito_flow.terminal import ask_text, escape, say

_QUESTIONS = {
    "pool_id": "User pool id, like eu-west-1_AbC123",
    "client_id": "App client id",
    "client_secret_env": "Environment variable that holds the client secret",
    "endpoint_url": "Endpoint URL, if it is not AWS",
    "username": "User name",
    "store": "File that keeps the tokens",
    "identity_pool_id": "Identity pool id, for AWS credentials",
}


def run(given: Profile, name: str | None, *, stack: str | None, amplify_outputs: Path | None) -> None:
    """Save a profile; ask for its settings if none is given.

    Args:
        given: The settings to save.
        name: The name of the profile; None: ``default``.
        stack: The CloudFormation stack to read the app client from.
        amplify_outputs: The ``amplify_outputs.json`` to read it from.

    Raises:
        UsageError: A setting cannot be used, or the file cannot be written.
        EOFError: Standard input ended before every question was answered.
    """
    name = name or DEFAULT
    before = profiles.read(name if name in profiles.names() else None)
    found, _ = deployed(stack, amplify_outputs)
    given = given.over(found)
    profile = _with_whole_path(given.over(before) if given.set() else _asked(before))
    AppClient(profile.pool_id or "", profile.client_id or "")  # raises UsageError if they cannot be ids
    profiles.save(name, profile)
    say(f"saved the profile {name} in {profiles.file()}")


def _asked(before: Profile) -> Profile:
    say("Press Enter to leave a setting as it is; type - to remove it.")
    answers: dict[str, str] = {}
    for name, question in _QUESTIONS.items():
        kept = before.set().get(name)
        typed = ask_text(question if kept is None else f"{question} [{escape(kept)}]").strip()
        answers[name] = "" if typed == "-" else typed or kept or ""
    return attrs.evolve(before, **answers)


def _with_whole_path(profile: Profile) -> Profile:
    """Return the profile with a store that is the same file in every folder."""
    if profile.store in {None, "", "-"}:
        return profile
    return attrs.evolve(profile, store=str(Path(str(profile.store)).expanduser().absolute()))
