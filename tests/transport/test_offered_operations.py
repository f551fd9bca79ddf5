"""Every operation that needs no AWS credentials is offered, or left out for a reason given here."""

from __future__ import annotations

import ast
import re

import pytest

from tests.house.source import PACKAGE, ROOT, files, parse
from tests.support.contract import model, needs_operation

pytestmark = pytest.mark.contract

LEFT_OUT = {
    "SetUserSettings": "no longer supported: SetUserMFAPreference, which `Account.set_mfa` calls, replaces it",
    "UpdateAuthEventFeedback": "its FeedbackToken is in a link that threat protection sends to the user",
}


# How the service model describes operations that it does not mark.
NEEDS_NO_SIGNATURE = ("can't use IAM credentials", "or you must present the requesting app client's")


def unsigned_operations() -> set[str]:
    """The operations that the service model marks, or describes, as needing no signature."""
    operations = (model().operation_model(name) for name in model().operation_names)
    return {
        operation.name
        for operation in operations
        if operation.auth_type == "none"
        or any(words in re.sub("<[^>]*>", "", operation.documentation) for words in NEEDS_NO_SIGNATURE)
    }


def called_operations() -> set[str]:
    """The operations whose names the library's own modules contain, LocalCognito left out."""
    testing = (PACKAGE / "testing").relative_to(ROOT)
    return {
        node.value
        for path in files(PACKAGE)
        if testing not in path.parents
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    } & set(model().operation_names)


def test_unsigned_operation_is_called_or_left_out_for_a_reason() -> None:
    """If botocore gains one, offer it, or write down why not."""
    assert unsigned_operations() - set(LEFT_OUT) <= called_operations()


def test_operation_that_is_left_out_is_not_called() -> None:
    assert called_operations().isdisjoint(LEFT_OUT)


@needs_operation("GetDerivedToken")
def test_token_exchange_is_found_by_its_description() -> None:
    assert "GetDerivedToken" in unsigned_operations()


def test_unsigned_operations_are_found() -> None:
    """Guards the tests above against a service model that marks nothing."""
    assert {"InitiateAuth", "SignUp", "GetUser", "UpdateAuthEventFeedback"} <= unsigned_operations()
    assert "AdminGetUser" not in unsigned_operations()
