"""The report of `doctor`: findings gathered and printed.

Rule of this file: the findings about settings come from elsewhere; only the one about the clock is made here,
from the Date of Cognito's last response.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import timedelta

import attrs
from rich.table import Table
from rich.text import Text

from cognito_flow.cli.connection import Connection
from cognito_flow.cli.doctor import probes, settings
from cognito_flow.cli.doctor.finding import Finding, Level
from cognito_flow.cli.doctor.probing_client import ProbingClient
from cognito_flow.cli.exit_codes import PROBLEMS
from cognito_flow.cli.output import is_terminal, show, write
from cognito_flow.terminal import escape

_TOLERATED = timedelta(seconds=30)  # the leeway of TokenVerifier
_STYLES = {Level.OK: "green", Level.OFF: "dim", Level.WARNING: "yellow", Level.PROBLEM: "red"}


def run(connection: Connection, *, admin: bool, as_json: bool) -> None:
    """Check an app client, and print the findings: as a table on a terminal, otherwise as JSON.

    Args:
        connection: The app client.
        admin: Read the settings with AWS credentials, instead of sending probes.
        as_json: Print JSON on a terminal, too.

    Raises:
        CognitoFlowError: Cognito was not reached, or refused the AWS credentials; or standard output cannot
            be written.
    """
    client = ProbingClient(connection, is_signed=admin)
    source = settings if admin else probes
    findings = [*source.findings(client), *_clock(client.skew)]
    if as_json or not is_terminal():
        write(json.dumps([attrs.asdict(finding) for finding in findings], indent=2) + "\n", None)
    else:
        show(_table(findings))
    if any(finding.level is Level.PROBLEM for finding in findings):
        sys.exit(PROBLEMS)


def _clock(skew: timedelta | None) -> Sequence[Finding]:
    if skew is None:
        return ()
    if abs(skew) <= _TOLERATED:
        return (Finding(Level.OK, "clock", "in time with Cognito's"),)
    way = "behind" if skew > timedelta() else "ahead of"
    found = f"{abs(skew).total_seconds():.0f} s {way} Cognito's"
    change = "set the clock: tokens seem expired, or not yet valid"
    return (Finding(Level.WARNING, "clock", found, change),)


def _table(findings: Sequence[Finding]) -> Table:
    table = Table("", "setting", "status", "what to change")
    for finding in findings:
        texts = map(escape, (finding.subject, finding.found, finding.change or ""))
        table.add_row(
            Text(finding.level, style=_STYLES[finding.level]), *(Text(escape(text)) for text in texts)
        )
    return table
