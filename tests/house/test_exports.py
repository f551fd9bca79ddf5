"""What the packages export: public names, their signatures, and what importing them costs."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

import cognito_flow
import cognito_flow.testing
from cognito_flow import admin, handlers
from cognito_flow.integrations import (
    aiohttp,
    alb,
    amplify,
    api_gateway,
    aws,
    fastapi,
    flask,
    httpx,
    httpx2,
    requests,
    starlette,
)
from cognito_flow.testing.pool import AsyncFlowOptions, AsyncVerifierOptions, FlowOptions, VerifierOptions
from tests.house.source import DOCS, PACKAGE, ROOT, files, imported_names, module_name, parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

FRONT_DOORS = (cognito_flow, cognito_flow.testing)
INTEGRATIONS = (aiohttp, alb, amplify, api_gateway, aws, fastapi, flask, httpx, httpx2, requests, starlette)
PUBLIC_DUNDERS = ("__init__", "__call__")


@pytest.mark.parametrize("package", FRONT_DOORS, ids=lambda package: package.__name__)
def test_all_is_sorted(package: ModuleType) -> None:
    assert sorted(package.__all__) == package.__all__


@pytest.mark.parametrize("package", FRONT_DOORS, ids=lambda package: package.__name__)
def test_all_lists_exactly_what_the_package_imports_from_itself(package: ModuleType) -> None:
    brought = imported_names(ast.parse(inspect.getsource(package)))
    names = {name.rpartition(".")[2] for name in brought if name.startswith(f"{package.__name__}.")}

    assert sorted(names - {"lazy_names"}) == package.__all__
    assert set(package.__all__) <= set(dir(package))


def test_each_name_in_all_can_be_imported() -> None:
    """Names that a module loads late are checked, too."""
    modules = [import_module(module_name(path)) for path in files(PACKAGE)]
    absent = [
        f"{module.__name__}.{name}"
        for module in modules
        for name in getattr(module, "__all__", ())
        if not hasattr(module, name)
    ]

    assert absent == []


@pytest.mark.parametrize("union", ["Challenge", "Credentials", "Step"])
def test_each_class_of_a_union_is_exported(union: str) -> None:
    """A program that matches on the union, or starts with one of its classes, must be able to import it."""
    names = {member.__name__ for member in get_args(getattr(cognito_flow, union))}

    assert names
    assert names - set(cognito_flow.__all__) == set()


def test_each_class_with_a_challenge_name_is_in_the_union() -> None:
    written = {
        node.name
        for path in files(PACKAGE / "handlers")
        for node in parse(path).body
        if isinstance(node, ast.ClassDef) and any(gives_a_name(line) for line in node.body)
    }
    unions = (handlers.Challenge, handlers.InternalChallenge)
    members = {member.__name__ for union in unions for member in get_args(union)}

    assert written
    assert written - members == set()


def test_each_class_that_begins_a_sign_in_is_in_the_union() -> None:
    written = {
        node.name
        for node in parse(Path("cognito_flow/credentials.py")).body
        if isinstance(node, ast.ClassDef) and any(defines_begin(line) for line in node.body)
    }

    assert written == {member.__name__ for member in get_args(cognito_flow.Credentials)}


def defines_begin(line: ast.stmt) -> bool:
    """Whether a line in a class body is the method `begin`."""
    return isinstance(line, ast.FunctionDef) and line.name == "begin"


def gives_a_name(line: ast.stmt) -> bool:
    """Whether a line in a class body sets `name`."""
    match line:
        case ast.Assign(targets=[ast.Name(id="name")]):
            return True
        case ast.AnnAssign(target=ast.Name(id="name"), value=ast.expr()):
            return True
        case _:
            return False


def members_of(exported: type[object]) -> dict[str, object]:
    """The members of a class, with those that it inherits from this package's own classes."""
    ours = [each for each in reversed(exported.__mro__) if each.__module__.startswith("cognito_flow.")]
    return {name: value for each in ours for name, value in vars(each).items()}


def public_signatures(module: ModuleType) -> Iterator[tuple[str, str]]:
    """The functions and methods of a module's public names, with their signatures."""
    for name in module.__all__:
        exported = getattr(module, name)
        members = members_of(exported) if inspect.isclass(exported) else {"": exported}
        for member, value in members.items():
            function = getattr(value, "__func__", getattr(value, "fget", value))
            if inspect.isfunction(function) and (member in PUBLIC_DUNDERS or not member.startswith("_")):
                yield f"{name}.{member}", str(inspect.signature(function))


@pytest.mark.parametrize("module", [*FRONT_DOORS, admin, *INTEGRATIONS], ids=lambda module: module.__name__)
def test_no_public_signature_has_any(module: ModuleType) -> None:
    """`Any` would switch the caller's type checker off."""
    signatures = dict(public_signatures(module))

    assert signatures
    assert [name for name, signature in signatures.items() if re.search(r"\bAny\b", signature)] == []


@pytest.mark.parametrize(
    ("options", "taken_by"),
    [
        (FlowOptions, cognito_flow.AuthFlow),
        (AsyncFlowOptions, cognito_flow.AsyncAuthFlow),
        (VerifierOptions, cognito_flow.TokenVerifier),
        (AsyncVerifierOptions, cognito_flow.AsyncTokenVerifier),
    ],
)
def test_options_of_a_pool_have_the_keywords_and_types_of_the_class_they_are_for(
    options: type[object], taken_by: type[object]
) -> None:
    taken = inspect.signature(taken_by).parameters.values()
    keywords = {each.name: each.annotation for each in taken if each.kind is each.KEYWORD_ONLY}

    hints = {name: hint.__forward_arg__ for name, hint in options.__annotations__.items()}
    # The flows' stores have type variables as types: there, mypy compares what `Pool.flow` passes on.
    assert hints == keywords | {name: hints[name] for name in ("store", "devices") if name in keywords}


@pytest.mark.parametrize("package", FRONT_DOORS, ids=lambda package: package.__name__)
def test_unknown_name_raises_attribute_error(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        package.Nothing  # noqa: B018 - the access itself is what is tested


@pytest.mark.parametrize("module", ["cognito_flow", "cognito_flow.testing.plugin"])
def test_import_does_not_load_boto(module: str) -> None:
    """boto3 and botocore are slow to import, so the first flow or fixture loads them."""
    program = f"import sys, {module}; print(*sorted({{'boto3', 'botocore'}} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    ("package", "said"),
    [
        ("regex", "the package regex is missing: python -m pip install 'cognito-flow[testing]'"),
        ("attrs", "import of attrs halted"),
    ],
)
def test_missing_package_of_the_testing_extra_is_named_with_the_command_that_installs_it(
    package: str, said: str
) -> None:
    """The error for a package outside the extra is left as it is."""
    program = f"""
import sys
import cognito_flow.testing
sys.modules[{package!r}] = None
cognito_flow.testing.LocalCognito
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)

    assert f"ModuleNotFoundError: {said}" in done.stderr


def test_each_public_name_is_documented_exactly_once_in_the_reference() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference").rglob("*.md"))
    public = [*cognito_flow.__all__, *cognito_flow.testing.__all__]
    times = {
        name: len(
            re.findall(rf"^\.\. (?:auto\w+|py:data|py:type):: (?:[\w.]+\.)?{name}$", pages, re.MULTILINE)
        )
        for name in public
    }

    assert {name: count for name, count in times.items() if count != 1} == {}


# What programs use most, according to the guides: each shows an example where an editor shows its docstring.
WITH_EXAMPLE = [
    cognito_flow.AccessClaims,
    cognito_flow.Account,
    cognito_flow.AppClient,
    cognito_flow.AsyncAccount,
    cognito_flow.AsyncAuthFlow,
    cognito_flow.AsyncTokenVerifier,
    cognito_flow.AuthFlow,
    cognito_flow.ClientCredentialsSource,
    cognito_flow.CodeChallenge,
    cognito_flow.CustomAuth,
    cognito_flow.CustomChallenge,
    cognito_flow.EmailOtp,
    cognito_flow.Event,
    cognito_flow.FileStore,
    cognito_flow.MemoryStore,
    cognito_flow.MfaSetup,
    cognito_flow.NewPasswordRequired,
    cognito_flow.PasskeyOptions,
    cognito_flow.RefreshTokenAuth,
    cognito_flow.SelectChallenge,
    cognito_flow.SelectMfaType,
    cognito_flow.SignedIn,
    cognito_flow.SignedUp,
    cognito_flow.SmsMfa,
    cognito_flow.SoftwareTokenMfa,
    cognito_flow.SqliteStore,
    cognito_flow.System,
    cognito_flow.TokenSource,
    cognito_flow.TokenVerifier,
    cognito_flow.Tokens,
    cognito_flow.TotpSetup,
    cognito_flow.UserAuth,
    cognito_flow.UserContext,
    cognito_flow.UserPasswordAuth,
    cognito_flow.UserSrpAuth,
    cognito_flow.WebAuthn,
    cognito_flow.testing.Clock,
    cognito_flow.testing.Faults,
    cognito_flow.testing.LocalCognito,
    cognito_flow.testing.Message,
    cognito_flow.testing.Pool,
    cognito_flow.testing.SoftAuthenticator,
]


@pytest.mark.parametrize("name", WITH_EXAMPLE, ids=lambda name: name.__name__)
def test_docstring_of_a_name_that_is_used_most_has_an_example(name: type[object]) -> None:
    assert ">>> " in (name.__doc__ or "")
