"""The structural constraints on a request: required members, types, lengths, ranges, patterns and
enumerations.

Rule of this file: every constraint comes from botocore's service model, but for what older models lack. The
texts are those of the service; they never contain a value that the model calls sensitive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from functools import cache
from typing import Any, cast

import regex
from botocore.model import (
    ListShape,
    MapShape,
    OperationModel,
    ServiceModel,
    Shape,
    StringShape,
    StructureShape,
)

from cognito_flow._json import as_list, as_object
from cognito_flow._transport.service_models import ModelLoader
from cognito_flow.testing._state.refusal import Refusal, invalid_parameter

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "timestamp": (int, float, str),
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
}

# Older service models do not say so, although the service never wanted a signature. (GetDerivedToken takes
# one in place of the client's id and secret.)
_NEVER_SIGNED = frozenset({"GetClientToken", "GetDerivedToken", "GetTokensFromRefreshToken"})
# Values that the service accepts and older service models lack.
_NEWER_VALUES = {
    "ExplicitAuthFlowsType": (
        "ALLOW_CLIENT_TOKEN_AUTH",
        "ALLOW_TOKEN_EXCHANGE_DELEGATION",
        "ALLOW_TOKEN_EXCHANGE_IMPERSONATION",
    )
}
# A blank value of these counts as absent, although the model's pattern refuses it. (SignUpRequest and
# AdminCreateUserRequest in the service model, on users without a password.)
_MAY_BE_BLANK = {"SignUp": "Password", "AdminCreateUser": "TemporaryPassword"}
_LABEL = r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?"
# The model's pattern of a domain allows no dots, but every custom domain has some, as in "Using your own
# domain for managed login" of the developer guide.
_WIDER_PATTERNS = {"DomainType": rf"^{_LABEL}(?:\.{_LABEL})*$"}


@cache
def _model() -> ServiceModel:
    # Not through a botocore session, which fails if AWS_PROFILE names a missing profile.
    return ServiceModel(ModelLoader().load_service_model("cognito-idp", "service-2"), "cognito-idp")


@cache
def operations() -> frozenset[str]:
    """The names of all operations that Cognito user pools have."""
    return frozenset(_model().operation_names)


def _operation(name: str) -> OperationModel:
    return _model().operation_model(name)


def _input(operation: str) -> StructureShape:
    # Every operation of this service has an input, though the type says "or None".
    return cast("StructureShape", _operation(operation).input_shape)


def members(operation: str) -> tuple[str, ...]:
    """The names of an operation's parameters."""
    return tuple(_input(operation).members)


def requires_signature(operation: str) -> bool:
    """Whether a call must be signed with AWS credentials."""
    return operation not in _NEVER_SIGNED and _operation(operation).auth_type != "none"


def check(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Check a request, and drop members that the operation does not have, as the service does.

    Args:
        operation: The operation.
        parameters: Its input, as it was sent.

    Returns:
        The members that the model names.

    Raises:
        Refusal: It breaks constraints: InvalidParameterException, or SerializationException for a wrong type.
    """
    shape, may_be_blank = _input(operation), _MAY_BE_BLANK.get(operation)
    parameters = {
        name: value for name, value in parameters.items() if not (name == may_be_blank and value == "")
    }
    if errors := list(_errors(shape, parameters, "")):
        plural = "" if len(errors) == 1 else "s"
        raise invalid_parameter(f"{len(errors)} validation error{plural} detected: {'; '.join(errors)}")
    known: dict[str, Any] = _known(shape, parameters)
    return known


def _known(shape: Shape, value: Any) -> Any:
    if getattr(shape, "is_document_type", False):
        return value
    if isinstance(shape, StructureShape):
        given = _present(value)
        return {name: _known(shape.members[name], given[name]) for name in shape.members if name in given}
    if isinstance(shape, MapShape):
        return _present(value)
    if isinstance(shape, ListShape):
        return [_known(shape.member, item) for item in value]
    return value


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members that are not null: the service takes a null for an absent member."""
    return {name: value for name, value in members.items() if value is not None}


def _errors(shape: Shape, value: object, path: str) -> Iterator[str]:
    if getattr(shape, "is_document_type", False):
        return
    _check_type(shape, value, path)
    yield from _size_errors(shape, value, path)
    if isinstance(shape, StringShape) and isinstance(value, str):
        yield from _text_errors(shape, value, path)
    elif isinstance(shape, StructureShape):
        yield from _structure_errors(shape, as_object(value) or {}, path)
    elif isinstance(shape, ListShape):
        for number, item in enumerate(as_list(value) or (), 1):
            yield from _errors(shape.member, item, f"{path}.{number}.member")
    elif isinstance(shape, MapShape):
        for name, item in _present(as_object(value) or {}).items():
            yield from _errors(shape.key, name, f"{path}.{name}.key")
            yield from _errors(shape.value, item, f"{path}.{name}.member")


def _check_type(shape: Shape, value: object, path: str) -> None:
    kinds = _TYPES[shape.type_name]
    # In Python, True is an int; in JSON it is not.
    is_of_kind = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
    if not is_of_kind or (isinstance(value, str) and _has_lone_surrogate(value)):
        where = f" at '{path}'" if path else ""
        raise Refusal("SerializationException", f"A value{where} is not of the type {shape.type_name}.")


def _has_lone_surrogate(text: str) -> bool:
    """Whether the text holds half a surrogate pair, which UTF-8 cannot encode."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _structure_errors(shape: StructureShape, value: Mapping[str, object], path: str) -> Iterator[str]:
    for name, member in shape.members.items():
        inner = f"{path}.{_camel(name)}" if path else _camel(name)
        if value.get(name) is not None:
            yield from _errors(member, value[name], inner)
        elif name in shape.required_members:
            yield f"Value null at '{inner}' failed to satisfy constraint: Member must not be null"


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _size_errors(shape: Shape, value: object, path: str) -> Iterator[str]:
    limits = shape.metadata
    measure, size = _measure(value)
    if "min" in limits and size < limits["min"]:
        yield _error(
            shape, value, path, f"Member must have {measure} greater than or equal to {limits['min']}"
        )
    if "max" in limits and size > limits["max"]:
        yield _error(shape, value, path, f"Member must have {measure} less than or equal to {limits['max']}")


def _measure(value: object) -> tuple[str, float]:
    if isinstance(value, int | float):
        return "value", value
    return "length", len(cast("Sized", value))


def _text_errors(shape: StringShape, value: str, path: str) -> Iterator[str]:
    if shape.enum and value not in (*shape.enum, *_NEWER_VALUES.get(shape.name, ())):
        yield _error(shape, value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
    pattern = _WIDER_PATTERNS.get(shape.name, shape.metadata.get("pattern"))
    if pattern and not _compiled(pattern).fullmatch(value):
        yield _error(shape, value, path, f"Member must satisfy regular expression pattern: {pattern}")


@cache
def _compiled(pattern: str) -> regex.Pattern[str]:
    # The patterns are Java's, where \w, \d and \s are ASCII, and \p{L} is not.
    return regex.compile(pattern, 0 if r"\p{" in pattern else regex.ASCII)


def _error(shape: Shape, value: object, path: str, constraint: str) -> str:
    shown = "Value" if shape.metadata.get("sensitive") else f"Value '{value}'"
    return f"{shown} at '{path}' failed to satisfy constraint: {constraint}"
