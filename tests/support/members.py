"""Types of what CreateUserPool, SetUserPoolMfaConfig and CreateUserPoolClient take, from botocore's model.

``python -m tests.support.members`` writes `cognito_flow/testing/_members.py` again, with the botocore that is
installed.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from typing import cast

import botocore
from botocore import xform_name
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from tests.house.source import ROOT
from tests.support.contract import model

PATH = ROOT / "cognito_flow" / "testing" / "_members.py"

# Which class holds the members of which operations, and what the methods have keywords of their own for.
ROOTS = {
    "PoolMembers": (("CreateUserPool", "SetUserPoolMfaConfig"), {"PoolName", "UserPoolId"}),
    "AppClientMembers": (
        ("CreateUserPoolClient",),
        {"ClientName", "ClientSecret", "ExplicitAuthFlows", "GenerateSecret", "UserPoolId"},
    ),
}
DOCSTRINGS = {
    "PoolMembers": "The keywords of `LocalCognito.create_pool`: the members of CreateUserPool and\n    SetUserPoolMfaConfig.",
    "AppClientMembers": "The keywords of `Pool.app_client`: the members of CreateUserPoolClient.",
}
HEADER = f'''"""What CreateUserPool, SetUserPoolMfaConfig and CreateUserPoolClient take, as typed dictionaries.

Rule of this file: it is written by ``python -m tests.support.members`` from the service model of botocore
{botocore.__version__}. Nested members are spelled as there, and not every member is in older versions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Required, TypedDict

'''
_PLAIN = {"string": "str", "integer": "int", "long": "int", "boolean": "bool"}

Classes = dict[str, dict[str, str]]


def from_model() -> Classes:
    """The classes, with the type of each member, that the installed botocore describes."""
    classes: Classes = {}
    for name, (operations, own) in ROOTS.items():
        members: dict[str, str] = {}
        for operation in operations:
            shape = cast("StructureShape", model().operation_model(operation).input_shape)
            for member, inner in shape.members.items():
                if member not in own:
                    members[xform_name(member)] = _type(inner, classes)
        classes[name] = members
    return classes


def _type(shape: Shape, classes: Classes) -> str:
    if isinstance(shape, StructureShape):
        if shape.name not in classes:
            classes[shape.name] = {}
            classes[shape.name] = {
                name: f"Required[{_type(inner, classes)}]"
                if name in shape.required_members
                else _type(inner, classes)
                for name, inner in shape.members.items()
            }
            classes[shape.name] = classes.pop(shape.name)  # behind those that it names
        return shape.name
    if isinstance(shape, ListShape):
        return f"Sequence[{_type(shape.member, classes)}]"
    if isinstance(shape, MapShape):
        return f"Mapping[str, {_type(shape.value, classes)}]"
    if isinstance(shape, StringShape) and shape.enum:
        return f"Literal[{', '.join(repr(value) for value in shape.enum)}]"
    return _PLAIN[shape.type_name]


def from_file() -> Classes:
    """The same as the file says it."""
    tree = ast.parse(PATH.read_text(encoding="utf-8"))
    return {
        node.name: {
            ast.unparse(line.target): ast.unparse(line.annotation)
            for line in node.body
            if isinstance(line, ast.AnnAssign)
        }
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }


def _written(classes: Classes) -> Iterator[str]:
    yield HEADER
    for name, members in classes.items():
        yield f"class {name}(TypedDict, total=False):\n"
        yield f'    """{DOCSTRINGS.get(name, f"{name} of the API reference.")}"""\n\n'
        yield from (f"    {member}: {kind}\n" for member, kind in members.items())
        yield "\n\n"


if __name__ == "__main__":
    PATH.write_text("".join(_written(from_model())), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", PATH], check=True)
