"""The error for a missing optional dependency."""

from __future__ import annotations


def missing(package: str, extra: str) -> ModuleNotFoundError:
    """Return the error to raise; it says what to install.

    >>> missing("httpx", "httpx")
    ModuleNotFoundError("the package httpx is missing: python -m pip install 'cognito-flow[httpx]'")
    """
    text = f"the package {package} is missing: python -m pip install 'cognito-flow[{extra}]'"
    return ModuleNotFoundError(text, name=package)
