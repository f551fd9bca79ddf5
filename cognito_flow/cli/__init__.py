"""The command ``cognito-flow``.

Rule of this package: it uses the library as any other program does, except `doctor`, which makes single
calls. It needs the extra ``cli``, and says so if that is not installed.
"""

from __future__ import annotations

import sys

_EXTRAS = {
    "rich": "cli",
    "segno": "cli",
    "typer": "cli",
    "cbor2": "testing",
    "regex": "testing",
    "webauthn": "testing",
}


def main() -> None:
    """Run the command with the arguments of this process."""
    try:
        from cognito_flow.cli.app import app

        app()
    except ModuleNotFoundError as missing:
        extra = _EXTRAS.get(missing.name or "")
        if extra is None:
            raise
        sys.exit(f"cognito-flow needs {missing.name}: python -m pip install 'cognito-flow[{extra}]'")
