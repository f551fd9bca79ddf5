"""Seeds: TOML files that describe the pools of a LocalCognito.

Rule of this file: a table's keys are those of `LocalCognito.create_pool`, `Pool.app_client` and
`Pool.add_user`, and a few more that are named here. Errors name their place in the seed.
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
from cognito_flow.testing._doors.in_process import call
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
        raise UsageError(f"the seed {source} is not valid TOML: {error}") from error
    sys.path.insert(0, str(path.resolve().parent))
    return seed


def plant(seed: Mapping[str, object]) -> LocalCognito:
    """Create a LocalCognito from a seed.

    Args:
        seed: What `read` returned.

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
    """A table of a seed. Keys are removed when they are read, so that the rest can be refused."""

    values: dict[str, object] = attrs.field(converter=_own)
    place: str

    def take(self, name: str) -> object:
        return self.values.pop(name, None)

    def text(self, name: str) -> str | None:
        value = self.take(name)
        if value is not None and as_text(value) is None:
            raise self.error(f"{name} must be a string")
        return as_text(value)

    def texts(self, name: str) -> list[str]:
        values = as_list(self.values.pop(name, []))
        if values is None or not all(isinstance(value, str) for value in values):
            raise self.error(f"{name} must be a list of strings")
        return cast("list[str]", values)

    def table(self, name: str) -> _Table:
        value = as_object(self.values.pop(name, {}))
        if value is None:
            raise self.error(f"{name} must be a table, [{name}]")
        return _Table(value, f"{self.place}, {name}")

    def tables(self, name: str) -> Iterator[_Table]:
        values = as_list(self.values.pop(name, []))
        if values is None:
            raise self.error(f"{name} must be a list of tables, [[{name}]]")
        for number, value in enumerate(values, 1):
            if (table := as_object(value)) is None:
                raise self.error(f"{name} must be a list of tables, [[{name}]]")
            yield _Table(table, f"{self.place}, {name} {number}")

    def require(self, kinds: tuple[type, ...], named: str, *names: str) -> None:
        """Refuse values of other types: a phone number or birthdate without quotation marks is a number or a
        date in TOML."""
        for name in names:
            if name in self.values and not isinstance(self.values[name], kinds):
                raise self.error(f"{name} must be {named}")

    def refuse_rest(self) -> None:
        if self.values:
            raise self.error(f"unknown key: {', '.join(sorted(self.values))}")

    def error(self, text: str) -> UsageError:
        return UsageError(f"{self.place}: {text}")

    @contextmanager
    def locating_errors(self) -> Generator[None]:
        """Report errors with their place in the seed."""
        try:
            yield
        except (botocore.exceptions.ClientError, TypeError, ValueError) as error:
            raise self.error(str(error)) from error


def _plant_pool(cognito: LocalCognito, table: _Table) -> None:
    servers = list(table.tables("resource_server"))
    clients, users = list(table.tables("client")), list(table.tables("user"))
    settings = table.table("configure")
    groups, chosen = table.texts("groups"), table.table("triggers")
    name, pool_id, region = table.text("name") or "pool", table.text("id"), table.text("region")
    options: dict[str, Any] = table.values
    with table.locating_errors():
        pool = cognito.create_pool(name, pool_id=pool_id, region=region, **options)
        cognito.state(pool.id).configure(settings.values)
        for group in groups:
            call(cognito, "CreateGroup", {"UserPoolId": pool.id, "GroupName": group})
    for trigger in list(chosen.values):
        function = _import(chosen, chosen.text(trigger) or "")
        with chosen.locating_errors():
            pool.triggers[trigger] = function
    for server in servers:  # before the app clients, which name their scopes
        _plant_resource_server(pool, server)
    for client in clients:
        _plant_client(pool, client)
    for user in users:
        _plant_user(pool, user)


def _plant_resource_server(pool: Pool, table: _Table) -> None:
    identifier, scopes = table.text("identifier"), table.texts("scopes")
    table.refuse_rest()
    if identifier is None:
        raise table.error("identifier is missing")
    members = {
        "UserPoolId": pool.id,
        "Identifier": identifier,
        "Name": identifier,
        "Scopes": [{"ScopeName": scope, "ScopeDescription": scope} for scope in scopes],
    }
    with table.locating_errors():
        call(pool.cognito, "CreateResourceServer", members)


def _plant_client(pool: Pool, table: _Table) -> None:
    client_id, client_name, flows = table.text("id"), table.text("name") or "app", table.texts("flows")
    table.require((bool, str), "true, false or a string", "secret")
    options: dict[str, Any] = table.values
    with table.locating_errors():
        pool.app_client(flows=flows or ALL_FLOWS, client_name=client_name, client_id=client_id, **options)


def _plant_user(pool: Pool, table: _Table) -> None:
    table.require((str,), "a string", "password", "email", "phone_number")
    table.require((bool,), "true or false", "temporary", "confirmed")
    table.require((bool, str), "true, false or a string", "totp")
    username, totp, groups = table.text("username"), table.take("totp"), table.texts("groups")
    attributes = table.table("attributes")
    attributes.require((str,), "a string", *attributes.values)
    if username is None:
        raise table.error("username is missing")
    with table.locating_errors():
        options: dict[str, Any] = {**table.values, "attributes": attributes.values}
        user = pool.add_user(username, **options)
        if totp:
            pool.enrol_totp(user.username, totp if isinstance(totp, str) else None)
        for group in groups:
            names = {"UserPoolId": pool.id, "Username": user.username, "GroupName": group}
            call(pool.cognito, "AdminAddUserToGroup", names)


def _import(table: _Table, reference: str) -> Trigger:
    """Import the function that ``module:function`` names."""
    module, _, name = reference.partition(":")
    try:
        function: object = getattr(importlib.import_module(module), name)
    except Exception as error:  # a module may fail in any way
        raise table.error(f"{reference!r} cannot be imported as module:function: {error}") from error
    if not callable(function):
        raise table.error(f"{reference!r} is not a function")
    return cast("Callable[[dict[str, Any]], dict[str, Any]]", function)
