"""Which arithmetic is used for numbers that depend on a secret."""

from __future__ import annotations

import os
import subprocess
import sys

import Crypto
import pytest
from Crypto.Math._IntegerNative import IntegerNative
from Crypto.Math.Numbers import Integer

from cognito_flow import UsageError
from cognito_flow._integers import ALLOW_PYTHON, integer_class


def test_arithmetic_in_c_is_used() -> None:
    assert integer_class(Integer, {}).__module__ in ("Crypto.Math._IntegerNat", "Crypto.Math._IntegerCustom")


def test_python_integers_raise_usage_error() -> None:
    with pytest.raises(UsageError, match="COGNITO_FLOW_PYTHON_INTEGERS=1"):
        integer_class(IntegerNative, {})


def test_python_integers_are_used_if_the_environment_allows_them() -> None:
    assert integer_class(IntegerNative, {ALLOW_PYTHON: "1"}) is IntegerNative


@pytest.mark.skipif(Crypto.version_info < (4,), reason="pycryptodome 3 always uses its arithmetic in C")
@pytest.mark.parametrize("allowed", [True, False])
def test_sign_in_without_arithmetic_in_c_needs_permission(allowed: bool) -> None:
    """PYCRYPTODOME_INTEGER makes pycryptodome 4 behave as on an interpreter without its wheel."""
    program = "from cognito_flow._srp import Ephemeral; print(Ephemeral(bytes(31) + bytes([7])).srp_a)"
    environment = {**os.environ, "PYCRYPTODOME_INTEGER": "native", ALLOW_PYTHON: "1" if allowed else "0"}

    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, check=False, capture_output=True, text=True
    )

    assert done.stdout.strip() == ("80" if allowed else "")
    assert ("UsageError" in done.stderr) is not allowed
