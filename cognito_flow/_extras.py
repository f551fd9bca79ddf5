"""What is said where a package of an extra is missing."""

from __future__ import annotations

__all__ = ["missing"]


def missing(package: str, extra: str) -> ModuleNotFoundError:
    """The error to raise: it says what to install.

    >>> missing("httpx", "httpx")
    ModuleNotFoundError("the package httpx is missing: python -m pip install 'cognito-flow[httpx]'")
    """
    text = f"the package {package} is missing: python -m pip install 'cognito-flow[{extra}]'"
    return ModuleNotFoundError(text, name=package)
