"""What an app client allows, and what to change.

Rule of this file: it gathers the findings and prints them. They come from `probes`, which needs no AWS
credentials, or from `described`, which does and is exact.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import timedelta

import attrs
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cognito_flow.cli.doctor import probes, settings
from cognito_flow.cli.doctor.finding import Finding, Level
from cognito_flow.cli.doctor.probing_client import ProbingClient
from cognito_flow.cli.exit_codes import PROBLEMS
from cognito_flow.models import AppClient
from cognito_flow.terminal import escape

_TOLERATED = timedelta(seconds=30)  # the leeway of TokenVerifier
_STYLES = {Level.OK: "green", Level.OFF: "dim", Level.WARNING: "yellow", Level.PROBLEM: "red"}


def run(app: AppClient, *, admin: bool, as_json: bool) -> None:
    """Look at an app client, and print what was found: as a table on a terminal, else as JSON.

    Args:
        app: The app client.
        admin: Ask with AWS credentials, instead of trying what is refused.
        as_json: Print JSON on a terminal, too.

    Raises:
        CognitoFlowError: Cognito was not reached, or the AWS credentials are not good.
    """
    client = ProbingClient(app, admin)
    findings = [*(settings if admin else probes).look(client), *_clock(client.skew)]
    if as_json or not sys.stdout.isatty():
        sys.stdout.write(json.dumps([attrs.asdict(finding) for finding in findings], indent=2) + "\n")
    else:
        Console().print(_table(findings))
    if any(finding.level is Level.PROBLEM for finding in findings):
        sys.exit(PROBLEMS)


def _clock(skew: timedelta | None) -> Sequence[Finding]:
    if skew is None:
        return ()
    if abs(skew) <= _TOLERATED:
        return (Finding(Level.OK, "clock", "this machine's clock is right"),)
    way = "behind" if skew > timedelta() else "ahead"
    found = f"this machine's clock is {abs(skew).total_seconds():.0f} s {way}"
    change = "set the clock: tokens seem to have ended, or not to have begun"
    return (Finding(Level.WARNING, "clock", found, change),)


def _table(findings: Sequence[Finding]) -> Table:
    table = Table("", "what", "how it is", "what to change")
    for finding in findings:
        texts = map(escape, (finding.subject, finding.found, finding.change or ""))
        table.add_row(
            Text(finding.level, style=_STYLES[finding.level]), *(Text(escape(text)) for text in texts)
        )
    return table
