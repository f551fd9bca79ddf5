"""Imports the names of a package when they are first used, so that a program pays only for what it needs.

A package that uses it lists its names three times: for type checkers (under ``TYPE_CHECKING``), in `__all__`,
and by module for this file. A test compares the three.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module


def lazy_names(
    package: str, modules: Mapping[str, str], namespace: dict[str, object]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` for a package (PEP 562).

    Args:
        package: The package's name.
        modules: By module of the package, its public names, separated by spaces.
        namespace: The package's globals, which keep each name once it is imported.
    """
    module_of = {name: module for module, names in modules.items() for name in names.split()}

    def __getattr__(name: str) -> object:  # noqa: N807 - what the package calls it
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = namespace[name] = getattr(import_module(f"{package}.{module_of[name]}"), name)
        return value

    def __dir__() -> list[str]:  # noqa: N807 - what the package calls it
        return sorted({*namespace, *module_of})

    return __getattr__, __dir__
