"""Run the benchmarks: `nox -s bench`.

python -m tests.benchmarks            measure everything, print the table
python -m tests.benchmarks --write    the same, and write it for docs/explanation/performance.md
python -m tests.benchmarks --quick    two minutes at most; fails if a ratio is off by more than half
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from filelock import FileLock

from tests.benchmarks import report
from tests.benchmarks.lines import LINES, Line
from tests.benchmarks.report import Result
from tests.benchmarks.rounds import HERE, ROOT, Loop, Process, Subject, measure
from tests.support.environments import node_with, python_with

JAVASCRIPT = HERE / "javascript"
# A ratio that is off by more than half has a reason other than a busy machine.
OFF = 1.5


class Installed:
    """The peers, installed where the tests of other programs install theirs."""

    def __init__(self) -> None:
        named = os.environ.get("COGNITO_FLOW_PROGRAMS")
        self.folder = Path(named) if named else ROOT / ".cache" / "programs"
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / ".gitignore").write_text("*\n")

    def python(self, requirement: str) -> Path:
        with FileLock(self.folder / "lock"):
            return python_with((requirement,), self.folder)

    def node(self) -> tuple[Path, Path]:
        with FileLock(self.folder / "lock"):
            node, modules = node_with(JAVASCRIPT, self.folder)
        shutil.copy(JAVASCRIPT / "loop.mjs", modules.parent)
        return node, modules.parent


def is_quick(subject: Subject) -> bool:
    """Whether CI has this subject's packages anyway: pycognito's environment is one of the tests'."""
    assert isinstance(subject, Process | Loop)
    return not (isinstance(subject, Loop) and subject.is_node) and (
        subject.requirement is None or subject.requirement.startswith("pycognito")
    )


def run(line: Line, programs: Installed, rounds: int, *, quick: bool) -> Result:
    """Measure a line."""
    peers = tuple(peer for peer in line.peers if not quick or is_quick(peer))
    ours, *others = measure([line.ours, *peers], programs, rounds)
    return Result(line, ours, {peer.name: figures for peer, figures in zip(peers, others, strict=True)})


def check(programs: Installed) -> int:
    """The quick form. Returns the exit code."""
    results: list[Result] = []
    for line in LINES:
        if line.is_quick:
            result = run(line, programs, 5, quick=True)
            if result.is_off(OFF):  # once more, with more rounds: neighbours come and go
                result = run(line, programs, 11, quick=True)
            results.append(result)
            print(report.row(result), flush=True)
    off = [result.line.title for result in results if result.is_off(OFF)]
    for title in off:
        print(f"off by more than half: {title}")
    print(f"{len(results) - len(off)} passed, {len(off)} failed")
    return bool(off)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--quick", action="store_true", help="measure the ratios only, in two minutes")
    parser.add_argument("--write", action="store_true", help="write the table and the charts of the page")
    parser.add_argument("--rounds", type=int, default=15, help="how many rounds count")
    parser.add_argument("--only", default="", help="measure only lines whose title has this in it")
    options = parser.parse_args()
    programs = Installed()
    if options.quick:
        return check(programs)
    results: list[Result] = []
    for line in LINES:
        if options.only in line.title:
            results.append(run(line, programs, options.rounds, quick=False))
            print(report.row(results[-1]), flush=True)
    if options.write:
        report.write(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
