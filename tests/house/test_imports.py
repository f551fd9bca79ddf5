"""Imports within the package: which way they go, and which modules may do I/O."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.house.source import PACKAGE, files, imported_names, imports_between_modules, module_name, parse

# The rooms of the house from the ground up: a module of the package, or a folder of it. A module imports from
# its own floor and from those below. To add a room, put it on the lowest floor that its imports allow.
FLOORS = (
    {
        "_extras",
        "_integers",
        "_json",
        "_jwt",
        "_keys",
        "_lazy",
        "_process_lock",
        "_srp",
        "_tracebacks",
        "botocore_logs",
        "errors",
    },
    {"_deployed", "_exchange", "models"},
    {"_checks", "_events", "stores"},
    {"handlers"},
    {"_turn"},
    {"_result"},
    {"_derive", "_refresh"},
    {"credentials"},
    {"_answered", "_engine", "_seal"},
    {"_transport"},
    {"tokens"},
    {"account"},
    {"admin", "flow"},
    {"cognito_flow"},  # the package itself, which exports the rooms below
    {"compat", "integrations", "terminal"},
    {"testing"},
    {"cli"},
)
ABOVE_THE_CORE = {"compat", "integrations", "terminal", "testing", "cli"}

# What of the core does I/O: the calls of Cognito, the settings of a CloudFormation stack, the download of a
# pool's keys, and what lets many callers wait for one refresh.
DOES_IO = (
    "cognito_flow._deployed",
    "cognito_flow._transport",
    "cognito_flow.tokens._flight",
    "cognito_flow.tokens.keys",
)
ONLY_FOR_IO = {"aiobotocore", "asyncio", "boto3", "botocore"}


def room(module: str) -> str:
    """The part of the house that a module belongs to."""
    return module.removeprefix("cognito_flow.").partition(".")[0]


def floor(module: str) -> int:
    """How far above the ground a module is."""
    return {name: number for number, rooms in enumerate(FLOORS) for name in rooms}[room(module)]


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports for the type checker and imports in functions count: they hide a circle, they do not cut it."""
    try:
        TopologicalSorter(imports_between_modules()).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' <- '.join(error.args[1])}")


def test_each_room_has_a_floor() -> None:
    assert {room(module) for module in imports_between_modules()} == set().union(*FLOORS)


def test_imports_never_go_up() -> None:
    going_up = [
        f"{module} imports {other}"
        for module, others in imports_between_modules().items()
        for other in sorted(others)
        if floor(other) > floor(module)
    ]

    assert going_up == []


def test_imports_in_functions_and_for_types_are_read() -> None:
    """The tests of this file would pass for nothing if the reader overlooked some imports."""
    tree = ast.parse("if TYPE_CHECKING:\n    from a.b import c\ndef function():\n    import d.e\n")

    assert list(imported_names(tree)) == ["a.b.c", "d.e"]


def test_no_import_is_relative() -> None:
    relative = [
        f"{path}: {name}"
        for path in files(PACKAGE)
        for name in imported_names(parse(path))
        if name.startswith(".")
    ]

    assert relative == []


def test_only_the_modules_that_do_io_import_boto_and_asyncio() -> None:
    """The rest of the core can be read and tested without them."""
    core = [path for path in files(PACKAGE) if room(module_name(path)) not in ABOVE_THE_CORE]
    offenders = [
        f"{path} imports {name}"
        for path in core
        if not module_name(path).startswith(DOES_IO)
        for name in imported_names(parse(path))
        if name.partition(".")[0] in ONLY_FOR_IO
    ]

    assert offenders == []
