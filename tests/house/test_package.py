"""The house itself: what it exports, what it ships, which way its imports go, and what no file may say."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cognito_flow
import cognito_flow.testing
from cognito_flow.integrations import aws, httpx, requests
from cognito_flow.testing.options import FlowOptions, VerifierOptions
from conftest import docstrings, pages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "cognito_flow"
PAGES = [Path("README.md"), *sorted(path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md"))]
FRONT_DOORS = (cognito_flow, cognito_flow.testing)
INTEGRATIONS = (aws, httpx, requests)
PUBLIC_DUNDERS = ("__init__", "__call__")

# From the ground up. A module may import from its own floor and from those below it.
FLOORS = {
    "_extras": 0,
    "_json": 0,
    "_keys": 0,
    "errors": 0,
    "srp": 0,
    "models": 1,
    "stores": 1,
    "handlers": 2,
    "credentials": 3,
    "people": 3,
    "_account": 4,
    "_engine": 4,
    "_seal": 4,
    "_drive": 5,
    "__init__": 6,
    "account": 6,
    "flow": 6,
    "tokens": 6,
    "integrations": 7,
    "testing": 7,
    "cli": 8,
}
TOP_OF_THE_CORE = 6
# Those of the core that do I/O. The second fetches the keys of a pool, and nothing else of Cognito.
DRIVERS = {Path("cognito_flow/_drive.py"), Path("cognito_flow/tokens/keys.py")}
KNOWN_TO_THE_DRIVERS_ALONE = {"aiobotocore", "asyncio", "boto3", "botocore"}

# Where somebody's files lie, and where somebody's packages came from.
OF_ONE_MACHINE = (
    r"/(?:root|home|Users)/|/tmp/(?:venv)|pypi\.(?:org|python)|pythonhosted\.|registry\.(?:npmjs|yarnpkg)"
)


def modules(*folders: Path) -> list[Path]:
    """The Python files below some folders; what a tool keeps in a hidden folder is not ours."""
    found = (path.relative_to(ROOT) for folder in folders for path in folder.rglob("*.py"))
    return sorted(path for path in found if not any(part.startswith(".") for part in path.parts))


def room(path: Path) -> str:
    """The part of the house that a module belongs to: its file in the package, or its folder there."""
    return path.parts[1].removesuffix(".py")


def imported(tree: ast.AST) -> Iterator[str]:
    """The full name of each thing that is imported, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)


def imported_for_types(tree: ast.AST) -> Iterator[str]:
    """The same for what stands under `if TYPE_CHECKING`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for statement in node.body:
                yield from imported(statement)


def rooms_imported(names: Iterator[str]) -> set[str]:
    """Which parts of the house some imported names belong to."""
    parts = (name.split(".") for name in names if name.startswith("cognito_flow."))
    return {part[1] if part[1] in FLOORS else "__init__" for part in parts}


def parse(path: Path) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def tracked_files() -> list[Path]:
    """What is in the repository."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is not a checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S607 - git is where PATH says
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel that this checkout builds."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.mark.parametrize("package", FRONT_DOORS, ids=lambda package: package.__name__)
def test_all_is_sorted(package: ModuleType) -> None:
    """The public names stand in order."""
    assert sorted(package.__all__) == package.__all__


@pytest.mark.parametrize("package", FRONT_DOORS, ids=lambda package: package.__name__)
def test_all_is_what_the_package_imports(package: ModuleType) -> None:
    """Each name that a package brings to its front door is public, and no other name is."""
    brought = imported(ast.parse(inspect.getsource(package)))
    names = {name.rpartition(".")[2] for name in brought if name.startswith(f"{package.__name__}.")}

    assert sorted(names - {"flow"}) == package.__all__


def public_signatures(module: ModuleType) -> Iterator[tuple[str, str]]:
    """The functions and methods of a module's public names, with what they take and give."""
    for name in module.__all__:
        exported = getattr(module, name)
        members = vars(exported) if inspect.isclass(exported) else {"": exported}
        for member, value in members.items():
            function = getattr(value, "__func__", getattr(value, "fget", value))
            if inspect.isfunction(function) and (member in PUBLIC_DUNDERS or not member.startswith("_")):
                yield f"{name}.{member}", str(inspect.signature(function))


@pytest.mark.parametrize("module", [*FRONT_DOORS, *INTEGRATIONS], ids=lambda module: module.__name__)
def test_no_public_signature_takes_or_gives_anything_at_all(module: ModuleType) -> None:
    """`Any` would switch the caller's type checker off."""
    signatures = dict(public_signatures(module))

    assert signatures
    assert [name for name, signature in signatures.items() if re.search(r"\bAny\b", signature)] == []


@pytest.mark.parametrize(
    ("options", "taken_by"),
    [
        (FlowOptions, cognito_flow.AuthFlow),
        (FlowOptions, cognito_flow.AsyncAuthFlow),
        (VerifierOptions, cognito_flow.TokenVerifier),
        (VerifierOptions, cognito_flow.AsyncTokenVerifier),
    ],
)
def test_a_pool_passes_on_all_that_its_flows_and_verifiers_take(
    options: type[object], taken_by: type[object]
) -> None:
    """The keywords and their types stand twice, and stay the same."""
    taken = inspect.signature(taken_by).parameters.values()
    keywords = {each.name: each.annotation for each in taken if each.kind is each.KEYWORD_ONLY}

    assert {name: hint.__forward_arg__ for name, hint in options.__annotations__.items()} == keywords


@pytest.mark.parametrize("package", FRONT_DOORS, ids=lambda package: package.__name__)
def test_unknown_name_is_an_attribute_error(package: ModuleType) -> None:
    """That some names come late does not make others appear."""
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        package.Nothing  # noqa: B018 - that it is not there is the point


@pytest.mark.parametrize("path", modules(PACKAGE), ids=str)
def test_module_exports_what_it_has(path: Path) -> None:
    """Each name in a module's `__all__` is in the module, also those that come late."""
    module = import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))

    assert [] == [name for name in getattr(module, "__all__", ()) if not hasattr(module, name)]


@pytest.mark.parametrize("module", ["cognito_flow", "cognito_flow.testing.plugin"])
def test_import_does_not_bring_boto(module: str) -> None:
    """boto3 and botocore take a while to import: they come with the first flow or fixture, not before."""
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
def test_a_missing_package_of_the_extra_for_tests_is_named(package: str, said: str) -> None:
    """With the command that installs it; what is no part of the extra is told as it is."""
    program = f"""
import sys
import cognito_flow.testing
sys.modules[{package!r}] = None
cognito_flow.testing.LocalCognito
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)

    assert f"ModuleNotFoundError: {said}" in done.stderr


@pytest.mark.parametrize("path", modules(PACKAGE), ids=str)
def test_imports_never_go_up(path: Path) -> None:
    """A module imports from its own floor and below; errors may name handlers to the type checker."""
    tree = parse(path)
    excused = rooms_imported(imported_for_types(tree)) & {"handlers"} if room(path) == "errors" else set()

    above = {name for name in rooms_imported(imported(tree)) if FLOORS[name] > FLOORS[room(path)]}
    assert above == excused


@pytest.mark.parametrize("path", modules(PACKAGE), ids=str)
def test_imports_within_the_package_are_spelled_out(path: Path) -> None:
    """No import is relative, so that what a module imports can be read, here and by people."""
    assert [] == [name for name in imported(parse(path)) if name.startswith(".")]


@pytest.mark.parametrize(
    "path", [path for path in modules(PACKAGE) if FLOORS.get(room(path), 0) <= TOP_OF_THE_CORE], ids=str
)
def test_the_drivers_alone_know_boto_and_asyncio(path: Path) -> None:
    """Only the drivers do I/O: the rest of the core can be read, and tested, without it."""
    outside = {name.partition(".")[0] for name in imported(parse(path))}

    assert path in DRIVERS or not outside & KNOWN_TO_THE_DRIVERS_ALONE


@pytest.mark.parametrize("path", modules(PACKAGE, ROOT / "tests", ROOT / "docs"), ids=str)
def test_module_says_what_it_is(path: Path) -> None:
    """Each module begins with a docstring, unless there is nothing in it."""
    tree = parse(path)

    assert ast.get_docstring(tree) or not tree.body


@pytest.mark.parametrize("path", modules(ROOT / "tests", ROOT / "docs"), ids=str)
def test_tests_say_what_they_show(path: Path) -> None:
    """Each test has a docstring, as this one has."""
    functions = [
        node for node in ast.walk(parse(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    silent = [
        node.name for node in functions if node.name.startswith("test_") and not ast.get_docstring(node)
    ]

    assert silent == []


def test_wheel_holds_the_package_and_its_marker_for_types(wheel: zipfile.ZipFile) -> None:
    """Each module is in the wheel, and so is py.typed, without which type checkers look away."""
    inside = {name for name in wheel.namelist() if name.startswith("cognito_flow/")}

    assert {"cognito_flow/py.typed", *(path.as_posix() for path in modules(PACKAGE))} <= inside


def test_wheel_holds_the_licence_and_nothing_of_the_checkout(wheel: zipfile.ZipFile) -> None:
    """Beside the package there is only what describes it."""
    others = {name.partition("/")[2] for name in wheel.namelist() if not name.startswith("cognito_flow/")}

    assert others == {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}


def test_each_dependency_has_its_reason() -> None:
    """docs/explanation/dependencies.md names what pyproject.toml asks for, and nothing else."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *chain(*project["project"]["optional-dependencies"].values()),
        *(
            entry
            for group in project["dependency-groups"].values()
            for entry in group
            if isinstance(entry, str)
        ),
    ]
    page = (ROOT / "docs/explanation/dependencies.md").read_text(encoding="utf-8")
    rows = [line.split("|")[-3] for line in page.splitlines() if line.startswith("| ")]
    named = {name.strip() for row in rows for name in row.split(",")} - {"Package"}

    assert named == {re.split(r"[\[>=]", requirement)[0] for requirement in asked}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_no_example_is_left_out(page: Path) -> None:
    """Python stands in blocks called python, which are run, and under no name under which it would not be."""
    text = (ROOT / page).read_text(encoding="utf-8")

    assert [] == re.findall(r"^ *```(?:py|py3|pycon|python3|Python)$", text, re.MULTILINE)


def test_examples_are_looked_for_everywhere() -> None:
    """The root conftest takes up each page and each module, at the top of its folder and far below it."""
    overlooked = [page for page in PAGES if not pages.should_parse(ROOT / page)]
    overlooked += [module for module in modules(PACKAGE) if not docstrings.should_parse(ROOT / module)]

    assert overlooked == []


def test_each_public_name_is_in_the_reference() -> None:
    """docs/reference shows what can be imported, of both packages."""
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs/reference").glob("*.md"))
    public = [*cognito_flow.__all__, *cognito_flow.testing.__all__]

    assert [] == [name for name in public if not re.search(rf"(:: |\.|`){name}(`|$)", pages, re.MULTILINE)]


def test_no_tracked_file_speaks_of_one_machine() -> None:
    """No path of a machine and no registry's host name is in the repository."""
    telling = re.compile(f"{OF_ONE_MACHINE}|{re.escape(str(ROOT))}/".encode())

    assert [] == [str(path) for path in tracked_files() if telling.search(path.read_bytes())]
