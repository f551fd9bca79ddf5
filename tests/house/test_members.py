"""The typed dictionaries of LocalCognito's settings agree with the service model of the installed botocore.

An older botocore lacks members, and a newer one has further members and values: neither is stale. If a test
of this file fails, run ``python -m tests.support.members`` with the newest botocore.
"""

from __future__ import annotations

import ast
import re

import botocore
import pytest

from tests.support.members import PATH, ROOTS, from_file, from_model

FILE, MODEL = from_file(), from_model()
WRITTEN_FROM = re.findall(r"service model of botocore\s+(\S+)\.\s", PATH.read_text(encoding="utf-8"))


def version(text: str) -> tuple[int, ...]:
    """A version of botocore as numbers."""
    return tuple(map(int, text.split(".")))


IS_NEWER = version(botocore.__version__) > version(WRITTEN_FROM[0])


def values(kind: str) -> set[str]:
    """The values that a type lists."""
    return {str(node.value) for node in ast.walk(ast.parse(kind)) if isinstance(node, ast.Constant)}


def without_values(kind: str) -> str:
    """A type without the values that it lists, and without the mark of required members."""
    return re.sub(r"Literal\[[^\]]*\]", "Literal", kind).replace("Required[", "").replace("]", "")


def test_file_has_the_keywords_of_both_methods() -> None:
    """Guards the tests below against a file that nothing is read from."""
    assert set(ROOTS) <= set(FILE)
    assert "mfa_configuration" in FILE["PoolMembers"]
    assert "prevent_user_existence_errors" in FILE["AppClientMembers"]


@pytest.mark.skipif(IS_NEWER, reason="a newer botocore may have further members")
@pytest.mark.parametrize("name", sorted(MODEL))
def test_each_member_of_the_model_is_in_the_file(name: str) -> None:
    assert set(MODEL[name]) - set(FILE.get(name, {})) == set()


@pytest.mark.parametrize("name", sorted(set(MODEL) & set(FILE)))
def test_members_have_the_types_of_the_model(name: str) -> None:
    both = {
        member: (MODEL[name][member], kind) for member, kind in FILE[name].items() if member in MODEL[name]
    }

    assert {
        member: kind
        for member, (model, kind) in both.items()
        if without_values(model) != without_values(kind)
    } == {}


@pytest.mark.skipif(IS_NEWER, reason="a newer botocore may have further values")
@pytest.mark.parametrize("name", sorted(set(MODEL) & set(FILE)))
def test_each_value_of_the_model_is_in_the_file(name: str) -> None:
    shared = set(MODEL[name]) & set(FILE[name])

    assert {member: values(MODEL[name][member]) - values(FILE[name][member]) for member in shared} == {
        member: set() for member in shared
    }
