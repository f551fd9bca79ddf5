"""Which tests must notice a change of which file.

Rule of this file: the tests are those that are named after the part, and for the core the scenarios. Tests that compare a page or a
list with the code, such as those of tests/house and tests/docs, would notice any change without knowing what it means.
"""

from __future__ import annotations

SCENARIOS = "tests/scenarios/test_scenarios.py"
CORE = ("tests/engine", "tests/flow", SCENARIOS)

PARTS: dict[str, tuple[str, ...]] = {
    "cognito_flow/_srp.py": ("tests/srp",),
    "cognito_flow/_seal.py": ("tests/flow/test_seal.py",),
    "cognito_flow/_answered.py": CORE,
    "cognito_flow/_engine.py": CORE,
    "cognito_flow/_turn.py": (*CORE, "tests/account/test_sign_up_exchanges.py"),
    "cognito_flow/errors.py": ("tests/errors",),
    "cognito_flow/handlers/*": ("tests/handlers", SCENARIOS),
    "cognito_flow/tokens/verifier.py": ("tests/tokens/test_verifier*.py",),
    "cognito_flow/_transport/attempts.py": ("tests/transport",),
    "cognito_flow/_transport/causes.py": ("tests/transport",),
    "cognito_flow/_transport/drivers.py": ("tests/transport",),
    "cognito_flow/_transport/retry.py": ("tests/transport",),
    "cognito_flow/_transport/sockets.py": ("tests/transport",),
    "cognito_flow/_transport/translate.py": ("tests/transport",),
}
"""File (or a pattern of files) to tests. Patterns of tests are those of the shell."""

# mutmut calls what it changed through functions of its own, whose frames hold the arguments.
QUICK = ("-m", "not slow and not other_programs", "-k", "not frame and not traceback")
