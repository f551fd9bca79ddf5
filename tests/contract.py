"""What botocore itself says of a call: its own validation against the service model, and the model's names."""

from __future__ import annotations

from functools import cache

import botocore.session
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from cognito_flow.models import Call

__all__ = ["check_call", "enum", "model"]


@cache
def model() -> ServiceModel:
    """The service model of this botocore."""
    return botocore.session.get_session().get_service_model("cognito-idp")


def enum(shape: str) -> list[str]:
    """The values of an enumeration."""
    return list(model().shape_for(shape).enum)  # type: ignore[attr-defined]  # a string shape has it


def check_call(call: Call) -> Call:
    """The call, if botocore would send it."""
    shape = model().operation_model(call.operation).input_shape
    assert shape is not None
    report = ParamValidator().validate(dict(call.parameters), shape)
    assert not report.has_errors(), report.generate_report()
    return call
