"""Seeds: what a LocalCognito is to hold from the start, written down in TOML.

Rule of this file: a table's keys are those of `LocalCognito.create_pool`, `Pool.app_client` and
`Pool.add_user`, and a few more that are named here. What is wrong is told with its place.
"""

from __future__ import annotations

import importlib
import sys
import tomllib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import attrs
import botocore.exceptions

from cognito_flow._json import as_list, as_object, as_text
from cognito_flow.errors import UsageError
from cognito_flow.testing._state.triggers import Trigger
from cognito_flow.testing.local import LocalCognito
from cognito_flow.testing.pool import ALL_FLOWS, Pool

EXAMPLE = "example"
"""The name of the built-in seed: a pool with a custom sign-in."""


def read(source: str) -> Mapping[str, object]:
    """Read a seed.

    Args:
        source: The path of a TOML file, or `EXAMPLE`. Triggers are imported from the file's folder, too.

    Raises:
        UsageError: The file cannot be read, or is not TOML.
    """
    if source == EXAMPLE:
        text = (files("cognito_flow.testing") / "_example" / "seed.toml").read_text(encoding="utf-8")
        return tomllib.loads(text)
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8")
        seed = tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"the seed {source} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the seed {source} is not TOML: {error}") from error
    sys.path.insert(0, str(path.resolve().parent))
    return seed


def plant(seed: Mapping[str, object]) -> LocalCognito:
    """A LocalCognito with what a seed says.

    Args:
        seed: What `read` gave.

    Raises:
        UsageError: Something in it is wrong, or Cognito refuses it.
    """
    root = _Table(seed, "the seed")
    region, pools = root.text("region"), list(root.tables("pool"))
    root.refuse_rest()
    cognito = LocalCognito() if region is None else LocalCognito(region)
    for table in pools:
        _plant_pool(cognito, table)
    return cognito


def _own(values: Mapping[str, object]) -> dict[str, object]:
    return dict(values)


@attrs.frozen
class _Table:
    """A table of a seed: what is taken is gone, so that what is left can be refused."""

    values: dict[str, object] = attrs.field(converter=_own)
    place: str

    def take(self, name: str) -> object:
        return self.values.pop(name, None)

    def text(self, name: str) -> str | None:
        value = self.take(name)
        if value is not None and as_text(value) is None:
            raise self.error(f"{name} is to be text")
        return as_text(value)

    def texts(self, name: str) -> list[str]:
        values = as_list(self.values.pop(name, []))
        if values is None or not all(isinstance(value, str) for value in values):
            raise self.error(f"{name} is to be a list of texts")
        return cast("list[str]", values)

    def table(self, name: str) -> _Table:
        value = as_object(self.values.pop(name, {}))
        if value is None:
            raise self.error(f"{name} is to be a table, [{name}]")
        return _Table(value, f"{self.place}, {name}")

    def tables(self, name: str) -> Iterator[_Table]:
        values = as_list(self.values.pop(name, []))
        if values is None:
            raise self.error(f"{name} is to be a list of tables, [[{name}]]")
        for number, value in enumerate(values, 1):
            if (table := as_object(value)) is None:
                raise self.error(f"{name} is to be a list of tables, [[{name}]]")
            yield _Table(table, f"{self.place}, {name} {number}")

    def require(self, kinds: tuple[type, ...], told: str, *names: str) -> None:
        """Refuse values of other types: TOML has numbers and dates, which phone numbers look like, and
        birthdates."""
        for name in names:
            if name in self.values and not isinstance(self.values[name], kinds):
                raise self.error(f"{name} is to be {told}")

    def refuse_rest(self) -> None:
        if self.values:
            raise self.error(f"there is no such key: {', '.join(sorted(self.values))}")

    def error(self, text: str) -> UsageError:
        return UsageError(f"{self.place}: {text}")

    @contextmanager
    def telling(self) -> Generator[None]:
        """Say where in the seed something was refused."""
        try:
            yield
        except botocore.exceptions.ParamValidationError as error:
            # Its text quotes the value, which may be a password.
            raise self.error("a value is of the wrong type, or too short") from error
        except (botocore.exceptions.ClientError, TypeError, ValueError) as error:
            raise self.error(str(error)) from error


def _plant_pool(cognito: LocalCognito, table: _Table) -> None:
    clients, users = list(table.tables("client")), list(table.tables("user"))
    settings = table.table("configure")
    groups, chosen = table.texts("groups"), table.table("triggers")
    name, pool_id = table.text("name") or "pool", table.text("id")
    with table.telling():
        pool = cognito.create_pool(name, pool_id=pool_id, **table.values)
        api: Any = cognito.shared_client
        cognito.state(pool.id).configure(settings.values)
        for group in groups:
            api.create_group(UserPoolId=pool.id, GroupName=group)
    for trigger in list(chosen.values):
        function = _import(chosen, chosen.text(trigger) or "")
        with chosen.telling():
            pool.triggers[trigger] = function
    for client in clients:
        _plant_client(pool, client)
    for user in users:
        _plant_user(pool, user, api)


def _plant_client(pool: Pool, table: _Table) -> None:
    client_id, client_name, flows = table.text("id"), table.text("name") or "app", table.texts("flows")
    table.require((bool, str), "true, false or text", "secret")
    options: dict[str, Any] = table.values
    with table.telling():
        pool.app_client(flows=flows or ALL_FLOWS, client_name=client_name, client_id=client_id, **options)


def _plant_user(pool: Pool, table: _Table, api: Any) -> None:
    table.require((str,), "text", "password", "email", "phone_number")
    table.require((bool,), "true or false", "temporary", "confirmed")
    table.require((bool, str), "true, false or text", "totp")
    username, totp, groups = table.text("username"), table.take("totp"), table.texts("groups")
    attributes = table.table("attributes")
    attributes.require((str,), "text", *attributes.values)
    if username is None:
        raise table.error("username is missing")
    with table.telling():
        options: dict[str, Any] = {**table.values, "attributes": attributes.values}
        user = pool.add_user(username, **options)
        if totp:
            pool.enrol_totp(user.username, totp if isinstance(totp, str) else None)
        for group in groups:
            api.admin_add_user_to_group(UserPoolId=pool.id, Username=user.username, GroupName=group)


def _import(table: _Table, reference: str) -> Trigger:
    """The function that ``module:function`` names."""
    module, _, name = reference.partition(":")
    try:
        function: object = getattr(importlib.import_module(module), name)
    except Exception as error:  # a module may fail in any way
        raise table.error(f"{reference!r} cannot be imported as module:function: {error}") from error
    if not callable(function):
        raise table.error(f"{reference!r} is no function")
    return cast("Callable[[dict[str, Any]], dict[str, Any]]", function)
