"""Generate the reference pages that mirror code: challenges.md from the handler classes, errors.md from the table of errors,
operations.md from the operations of LocalCognito.

Run ``python docs/generate.py`` after changing one of them. A test fails while a page is stale.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from cognito_flow import errors as drawing
from cognito_flow.errors import RULES
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
            "yes" if handler.retryable else "no",
        ]
        for handler in sorted(HANDLERS, key=lambda handler: (handler.name, handler.__name__))
    ]
    head = ["challenge", "class", "parameters read", "responses sent", "retry"]
    summaries = "\n\n".join(
        f"`{handler.__name__}`\n: {' '.join((inspect.getdoc(handler) or '').split(chr(10) * 2)[0].split())}"
        for handler in sorted(HANDLERS, key=lambda handler: handler.__name__)
    )
    return f"""# Challenges

This page is generated from the handler classes. USERNAME, SECRET_HASH and DEVICE_KEY, if there are any, are sent with every answer.
"Retry" says whether the same challenge can be answered again after a wrong answer. [What Cognito
does](../explanation/protocol.md#18-all-challenges) says which challenge may follow which.

{table(head, rows)}

{summaries}
"""


def errors() -> str:
    """The page of errors."""
    rows = [
        [
            rule.code,  # not as code: `NotAuthorized` would be a link to the class of that name
            "any" if rule.text is None else f"`{rule.text}`",
            f"`{rule.error.__name__}`",
            rule.hint or "-",
        ]
        for rule in RULES
    ]
    head = ["code", "text matches", "class", "hint"]
    by_next_step, by_origin = re.findall(
        r"^    CognitoFlowError\n(?:    .+\n)+", drawing.__doc__ or "", re.MULTILINE
    )
    return f"""# Errors

All classes can be imported from `cognito_flow`; their attributes are in [the API reference](api/exceptions.md). Catch one parent for each
thing that your program can do next:

```text
{inspect.cleandoc(by_next_step)}
```

The same classes, and all others, arranged by where they come from:

```text
{inspect.cleandoc(by_origin)}
```

## From Cognito's codes and texts to classes

The first row that matches decides. An error that matches no row is a `ServiceError`, or an `InternalError` if its status is 5xx.
Texts are compared without regard to case.

{table(head, rows)}
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

This page is generated from the operations that LocalCognito supports. They have exactly the members, constraints and errors of
botocore's service model. Every other operation is refused with `UnknownOperationException`.

{table(["operation", "called with", "remarks"], rows)}

Some operations are limited to a number of calls per user and hour, unknown users included. Further calls are refused with
`LimitExceededException`. `cognito.clock.advance(3600)` moves the clock past the hour.

{table(["operation", "times"], counted)}
"""


# What older versions of botocore do not know; the page is the same with them.
NEW = {
    "GetClientToken": "the id of an app client; needs a recent botocore",
    "GetDerivedToken": "the id of an app client; needs botocore 1.44",
    "AdminListUserSessions": "AWS credentials; needs botocore 1.44",
    "AdminRevokeUserSession": "AWS credentials; needs botocore 1.44",
    "GetUserPoolClientSessionConfiguration": "AWS credentials; needs botocore 1.44",
    "GetUserPoolSessionConfiguration": "AWS credentials; needs botocore 1.44",
    "ListUserSessions": "an access token; needs botocore 1.44",
    "RevokeUserSession": "an access token; needs botocore 1.44",
    "SetUserPoolClientSessionConfiguration": "AWS credentials; needs botocore 1.44",
    "SetUserPoolSessionConfiguration": "AWS credentials; needs botocore 1.44",
}


def _caller(name: str) -> str:
    if name in NEW:
        return NEW[name]
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
