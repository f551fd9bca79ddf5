"""The class of integers for numbers that depend on a secret: constant-time arithmetic in C.

pycryptodome 4 has it. In pycryptodome 3 the default may be GMP, whose modular exponentiation is not
constant-time, so the other class of that version is used: its exponentiation is constant-time, its
multiplication is not.

Where neither can be loaded, as on an interpreter without a wheel, pycryptodome falls back to Python's own
integers. Their timing and memory reveal something about the password to an attacker on the same machine, and
they hold the interpreter lock for 15 ms and more. To use them is the user's decision, so it needs the
environment variable COGNITO_FLOW_PYTHON_INTEGERS=1.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, cast

from cognito_flow.errors import UsageError

if TYPE_CHECKING:
    from Crypto.Math.Numbers import Integer

ALLOW_PYTHON = "COGNITO_FLOW_PYTHON_INTEGERS"

_INSTEAD_OF = {"_IntegerGMP": "_IntegerCustom"}
_PYTHON = "_IntegerNative"


def integer_class(default: type[object], environment: Mapping[str, str]) -> type[Integer]:
    """Return the class to use.

    Args:
        default: The class that pycryptodome chose.
        environment: The environment variables.

    Raises:
        UsageError: pycryptodome has no arithmetic in C here, and Python's own is not allowed.
    """
    module = default.__module__.rpartition(".")[2]
    if module == _PYTHON and environment.get(ALLOW_PYTHON) != "1":
        raise UsageError(
            "pycryptodome has no constant-time arithmetic on this interpreter: install its wheel, or set "
            f"{ALLOW_PYTHON}=1 to use Python's integers, which are slower and leak timing"
        )
    chosen = _INSTEAD_OF.get(module, module)
    return cast("type[Integer]", getattr(import_module(f"Crypto.Math.{chosen}"), chosen.removeprefix("_")))
