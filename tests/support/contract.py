"""Check calls, answers and errors against botocore's service model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

import botocore.session
import pytest
from botocore.model import ListShape, ServiceModel, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from cognito_flow._exchange import Call, Wait

# Errors that every operation can raise before its request is read; the model lists them for no operation.
_OF_ANY_OPERATION = {
    "MissingAuthenticationTokenException",
    "SerializationException",
    "UnknownOperationException",
}

# Errors that the model mentions only in the text on a parameter (ForceAliasCreation), or that older versions of
# it do not mention.
_NOT_LISTED = {
    "AdminCreateUser": {"AliasExistsException"},
    "InitiateAuth": {"FeatureUnavailableInTierException"},
}

_KINDS: dict[str, type | tuple[type, ...]] = {
    "boolean": bool,
    "integer": int,
    "long": int,
    "string": str,
    "timestamp": (int, float),
    "list": list,
    "map": dict,
}


# Values of botocore's newest model, which the installed one may lack.
NEWER_VALUES = {
    "AuthFactorType": ("SOFTWARE_TOKEN",),
    "ExplicitAuthFlowsType": (
        "ALLOW_CLIENT_TOKEN_AUTH",
        "ALLOW_TOKEN_EXCHANGE_DELEGATION",
        "ALLOW_TOKEN_EXCHANGE_IMPERSONATION",
    ),
}


@cache
def model() -> ServiceModel:
    """The service model of this botocore."""
    return botocore.session.get_session().get_service_model("cognito-idp")


def enum(shape: str) -> list[str]:
    """The values of an enumeration."""
    return list(model().shape_for(shape).enum)  # type: ignore[attr-defined]  # a string shape has it


def has_member(shape: str, member: str) -> bool:
    """Whether this botocore knows a member of a structure."""
    return member in cast("StructureShape", model().shape_for(shape)).members


def needs_member(shape: str, member: str) -> pytest.MarkDecorator:
    """Skip a test if this botocore is too old to know a member that the test sends."""
    is_missing = not has_member(shape, member)
    return pytest.mark.skipif(is_missing, reason=f"this botocore does not know {shape}.{member}")


def needs_operation(operation: str) -> pytest.MarkDecorator:
    """Skips a test where this botocore is older than an operation that the test calls."""
    is_missing = operation not in model().operation_names
    return pytest.mark.skipif(is_missing, reason=f"this botocore does not know {operation}")


def check_call(call: Call | Wait[object]) -> Call:
    """Return the call if botocore would send it."""
    assert isinstance(call, Call)
    shape = model().operation_model(call.operation).input_shape
    assert shape is not None
    report = ParamValidator().validate(dict(call.parameters), shape)
    assert not report.has_errors(), report.generate_report()
    return call


def check_answer(operation: str, answer: Mapping[str, Any]) -> None:
    """Check that an answer has the members of the operation's output, and no others."""
    shape = model().operation_model(operation).output_shape
    if shape is None:
        assert answer == {}, f"{operation} has no output, but answered {sorted(answer)}"
    else:
        _check_value(shape, answer, operation)


def _check_value(shape: Shape, value: Any, path: str) -> None:
    if getattr(shape, "is_document_type", False):
        return
    if isinstance(shape, StructureShape):
        assert isinstance(value, dict), path
        assert set(value) <= set(shape.members), f"{path}: {sorted(set(value) - set(shape.members))}"
        assert set(shape.required_members) <= set(value), f"{path}: a required member is missing"
        for name, item in value.items():
            _check_value(shape.members[name], item, f"{path}.{name}")
        return
    assert isinstance(value, _KINDS[shape.type_name]), f"{path}: {value!r} is not of type {shape.type_name}"
    if isinstance(shape, ListShape):
        for item in cast("list[Any]", value):
            _check_value(shape.member, item, path)
    if isinstance(shape, StringShape) and shape.enum:
        known = (*shape.enum, *NEWER_VALUES.get(shape.name, ()))
        assert value in known, f"{path}: {value!r} is not one of {known}"


def check_refusal(operation: str, code: str) -> None:
    """Check that the operation can raise an error with this code."""
    if operation in model().operation_names:
        listed = {shape.name for shape in model().operation_model(operation).error_shapes}
        known = listed | _OF_ANY_OPERATION | _NOT_LISTED.get(operation, set())
        assert code in known, f"{operation} does not raise {code}"
