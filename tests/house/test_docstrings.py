"""What an editor shows of a method: its own arguments, for asyncio too."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import pytest

import cognito_flow
from cognito_flow.admin import AsyncUserAdmin, UserAdmin
from cognito_flow.integrations.alb import AlbVerifier, AsyncAlbVerifier
from cognito_flow.integrations.aws import AsyncIdentityPool, IdentityPool

TWINS = (
    (cognito_flow.AuthFlow, cognito_flow.AsyncAuthFlow),
    (cognito_flow.Account, cognito_flow.AsyncAccount),
    (cognito_flow.TokenSource, cognito_flow.AsyncTokenSource),
    (cognito_flow.TokenVerifier, cognito_flow.AsyncTokenVerifier),
    (UserAdmin, AsyncUserAdmin),
    (IdentityPool, AsyncIdentityPool),
    (AlbVerifier, AsyncAlbVerifier),
)


def documented(cls: type[object]) -> dict[str, list[str]]:
    """The arguments that each public method of a class documents."""
    return dict(_documented(cls))


def _documented(cls: type[object]) -> Iterator[tuple[str, list[str]]]:
    for name, method in inspect.getmembers(cls, callable):
        if not name.startswith("_"):
            _, _, section = (inspect.getdoc(method) or "").partition("Args:\n")
            yield name, re.findall(r"^    (\w+): ", section.partition("\n\n")[0], re.MULTILINE)


@pytest.mark.parametrize(("blocking", "awaitable"), TWINS, ids=lambda cls: cls.__name__)
def test_methods_for_asyncio_document_the_same_arguments(
    blocking: type[object], awaitable: type[object]
) -> None:
    expected = {name: names for name, names in documented(blocking).items() if hasattr(awaitable, name)}

    assert any(expected.values())
    assert {name: names for name, names in documented(awaitable).items() if name in expected} == expected
