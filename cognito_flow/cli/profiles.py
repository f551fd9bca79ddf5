"""Profiles: what `configure` keeps, so that nothing has to be typed twice.

Rule of this file: a profile holds no secret. Of a client secret it holds the name of the environment
variable.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import attrs
import typer

from cognito_flow._json import as_object, as_text
from cognito_flow.cli.output import write
from cognito_flow.errors import UsageError

DEFAULT = "default"

_NAME = re.compile(r"[A-Za-z0-9_-]+")


@attrs.frozen
class Profile:
    """The settings of one profile. None: not set.

    Args:
        pool_id: The user pool's id.
        client_id: The app client's id.
        client_secret_env: The environment variable that holds the client secret.
        region: The region to call, if it is not the one of the pool id.
        endpoint_url: Where to send the calls instead of AWS.
        username: The user name, or an alias.
        store: The file that keeps the tokens.
        identity_pool_id: The identity pool that `credentials` asks for AWS credentials.
    """

    pool_id: str | None = None
    client_id: str | None = None
    client_secret_env: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    username: str | None = None
    store: str | None = None
    identity_pool_id: str | None = None

    def set(self) -> Mapping[str, str]:
        """The settings that are set, by name."""
        return {name: value for name, value in attrs.asdict(self).items() if value}

    def over(self, other: Profile) -> Profile:
        """These settings, and those of the other profile that are not set here."""
        return Profile(**{**other.set(), **self.set()})


def file() -> Path:
    """The file that holds all profiles."""
    return Path(typer.get_app_dir("cognito-flow")) / "profiles.toml"


def read(name: str | None) -> Profile:
    """Read a profile.

    Args:
        name: Its name; None: the profile ``default``, which may be absent.

    Raises:
        UsageError: There is no profile of this name, or the file is damaged.
    """
    profiles = _read_all()
    if name is not None and name not in profiles:
        known = ", ".join(sorted(profiles)) or "none"
        raise UsageError(f"there is no profile {name!r} (there are: {known}): run `cognito-flow configure`")
    return profiles.get(name or DEFAULT, Profile())


def names() -> list[str]:
    """The names of all profiles, for completion; empty if the file is damaged."""
    try:
        return sorted(_read_all())
    except UsageError:
        return []


def save(name: str, profile: Profile) -> None:
    """Keep a profile, replacing one of the same name.

    Raises:
        UsageError: The name or a setting cannot be kept, or the folder or the file cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise UsageError("the name of a profile must consist of letters, digits, - and _")
    if not all(value.isprintable() for value in profile.set().values()):
        raise UsageError("a setting must not contain control characters")
    try:
        file().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the folder {file().parent} cannot be created: {error.strerror}") from error
    profiles = {**_read_all(), name: profile}
    write("\n".join(_table(name, profiles[name]) for name in sorted(profiles)), file())


def _table(name: str, profile: Profile) -> str:
    # A JSON string without control characters is a basic string of TOML.
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in profile.set().items())
    return f"[{name}]\n{''.join(lines)}"


def _read_all() -> dict[str, Profile]:
    try:
        document = tomllib.loads(file().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"{file()} cannot be read: {error}") from error
    return {name: _profile(name, table) for name, table in document.items()}


def _profile(name: str, table: object) -> Profile:
    settings = as_object(table) or {}
    known = {field.name for field in attrs.fields(Profile)}
    texts = {key: text for key, value in settings.items() if (text := as_text(value)) is not None}
    if texts.keys() != settings.keys() or not texts.keys() <= known or as_object(table) is None:
        raise UsageError(
            f"{file()}: the profile {name!r} may hold only strings named {', '.join(sorted(known))}"
        )
    return Profile(**texts)
