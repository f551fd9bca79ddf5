"""Which tests must notice a change of which file.

Rule of this file: the tests are the quick ones that are named after the part. Tests that compare a page or a
list with the code, such as those of tests/house and tests/docs, would notice any change without knowing what
it means; scenarios, which run whole sign-ins, would notice many a change that no test of the part names.
"""

from __future__ import annotations

ENGINE = ("tests/engine",)
DRIVE = ("tests/transport/test_drive.py", "tests/transport/test_responses.py")

PARTS: dict[str, tuple[str, ...]] = {
    "cognito_flow/_srp.py": ("tests/srp",),
    "cognito_flow/_seal.py": ("tests/flow/test_seal.py",),
    "cognito_flow/_answered.py": ("tests/flow/test_answered.py",),
    "cognito_flow/_engine.py": ENGINE,
    "cognito_flow/_turn.py": (*ENGINE, "tests/account/test_sign_up_exchanges.py"),
    "cognito_flow/errors.py": ("tests/errors/test_errors.py", "tests/errors/test_texts.py"),
    "cognito_flow/handlers/*": ("tests/handlers", *ENGINE),
    "cognito_flow/tokens/verifier.py": ("tests/tokens/test_verifier*.py",),
    "cognito_flow/_transport/attempts.py": ("tests/transport/test_attempts.py",),
    "cognito_flow/_transport/causes.py": DRIVE,
    "cognito_flow/_transport/clients.py": ("tests/transport/test_made_clients.py",),
    "cognito_flow/_transport/drivers.py": (
        "tests/transport/test_drivers.py",
        "tests/transport/test_workers.py",
    ),
    "cognito_flow/_transport/retry.py": DRIVE,
    "cognito_flow/_transport/service_models.py": ("tests/transport/test_service_models.py",),
    "cognito_flow/_transport/sockets.py": ("tests/transport/test_sockets.py",),
    "cognito_flow/_transport/translate.py": ("tests/transport/test_translate.py",),
    "cognito_flow/_transport/workers.py": ("tests/transport/test_workers.py",),
}
"""File (or a pattern of files) to tests. Patterns of tests are those of the shell."""

# mutmut calls what it changed through functions of its own, whose frames hold the arguments.
QUICK = ("-m", "not slow and not other_programs", "-k", "not frame and not traceback")
