"""Makes the reference pages that mirror code: challenges.md from the handler classes, errors.md from the table of errors,
operations.md from what LocalCognito answers.

Run it after either has changed: ``python docs/generate.py``. A test fails while a page is stale.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from pathlib import Path

from cognito_flow.errors import ROWS
from cognito_flow.handlers import HANDLERS
from cognito_flow.testing._operations import OPERATIONS, validation
from cognito_flow.testing._operations.request import MOST_IN_AN_HOUR

REFERENCE = Path(__file__).parent / "reference"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def code(names: Iterable[str]) -> str:
    """Names in code spans."""
    return ", ".join(f"`{name}`" for name in names) or "-"


def challenges() -> str:
    """The page of challenges."""
    rows = [
        [
            f"`{handler.name}`",
            f"`{handler.__name__}`",
            code(handler.reads),
            code(handler.sends),
            code(handler.may_follow),
            "yes" if handler.retryable else "no",
        ]
        for handler in sorted(HANDLERS, key=lambda handler: (handler.name, handler.__name__))
    ]
    head = ["challenge", "class", "parameters read", "responses sent", "may follow", "retry"]
    summaries = "\n\n".join(
        f"`{handler.__name__}`\n: {' '.join((inspect.getdoc(handler) or '').split(chr(10) * 2)[0].split())}"
        for handler in sorted(HANDLERS, key=lambda handler: handler.__name__)
    )
    return f"""# Challenges

Made from the handler classes. USERNAME, and SECRET_HASH and DEVICE_KEY where there are any, go with every answer. Tokens may
follow any answer but one that only leads to the next challenge. "retry": a wrong answer may be followed by another one with the
same session.

{table(head, rows)}

{summaries}
"""


def errors() -> str:
    """The page of errors."""
    rows = [
        [
            f"`{row.code}`",
            "any" if row.text is None else f"`{row.text}`",
            f"`{row.error.__name__}`",
            row.hint or "-",
        ]
        for row in ROWS
    ]
    head = ["code", "text matches", "class", "hint"]
    return f"""# Errors

Made from the table in `cognito_flow/errors.py`. The first row that matches decides; what matches none is a `ServiceError`.
Texts are compared without regard to case.

{table(head, rows)}

The classes, arranged by what to do next, are drawn in [the API reference](api.md).
"""


def operations() -> str:
    """The page of operations."""
    rows = [
        [
            f"`{name}`",
            _caller(name),
            " ".join(inspect.cleandoc(operation.__doc__ or "").split()).partition(".")[2].strip() or "-",
        ]
        for name, operation in sorted(OPERATIONS.items())
    ]
    counted = [[f"`{name}`", str(most)] for name, most in sorted(MOST_IN_AN_HOUR.items())]
    return f"""# Operations of LocalCognito

Made from the operations in `cognito_flow/testing/operations`. They have the members, constraints and errors of botocore's
service model, and no others. Every other operation is refused by name, with `UnknownOperationException`.

{table(["operation", "called with", "remarks"], rows)}

So often in an hour some may be called for each user, also for one who does not exist; after that they are refused with
`LimitExceededException`. `cognito.clock.advance(3600)` lets the hour pass.

{table(["operation", "times"], counted)}
"""


def _caller(name: str) -> str:
    if validation.requires_signature(name):
        return "AWS credentials"
    proofs = {"AccessToken": "an access token", "Session": "a Session"}
    if "AccessToken" in (members := validation.members(name)):
        return " or ".join(proof for member, proof in proofs.items() if member in members)
    return "the id of an app client"


PAGES = {"challenges.md": challenges, "errors.md": errors, "operations.md": operations}

if __name__ == "__main__":
    for name, make in PAGES.items():
        (REFERENCE / name).write_text(make(), encoding="utf-8")
