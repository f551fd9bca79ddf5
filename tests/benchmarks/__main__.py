"""Run the benchmarks: `nox -s bench`.

python -m tests.benchmarks            measure everything, print the table
python -m tests.benchmarks --write    the same, and write it for docs/explanation/performance.md
python -m tests.benchmarks --before COMMIT    measure another commit's package as "before"
python -m tests.benchmarks --quick    two minutes at most; fails if a ratio is off by more than half
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

import attrs
from filelock import FileLock

from tests.benchmarks import report
from tests.benchmarks.before import COMMIT, before, tree
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

    def python(self, *requirements: str) -> Path:
        with FileLock(self.folder / "lock"):
            return python_with(requirements, self.folder)

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


def run(line: Line, programs: Installed, rounds: int, *, earlier: Path | None = None) -> Result:
    """Measure a line, and an earlier tree of this package beside it if one is given."""
    then = [before(line.ours, earlier)] if earlier and line.has_before else []
    ours, *others = measure([line.ours, *line.peers, *then], programs, min(rounds, line.rounds))
    peers = {peer.name: figures for peer, figures in zip(line.peers, others, strict=False)}
    return Result(line, ours, peers, others[-1] if then else None)


def check(programs: Installed) -> int:
    """The quick form. Returns the exit code."""
    results: list[Result] = []
    for each in LINES:
        if each.is_quick:
            line = attrs.evolve(each, peers=tuple(filter(is_quick, each.peers)))
            result = run(line, programs, 5)
            if result.is_off(OFF):  # once more, with more rounds: neighbours come and go
                result = run(line, programs, 11)
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
    parser.add_argument(
        "--before", default=COMMIT, help="the commit that is measured beside the present tree"
    )
    options = parser.parse_args()
    programs = Installed()
    if options.quick:
        return check(programs)
    results: list[Result] = []
    with tree(options.before) as earlier:
        for line in LINES:
            if options.only in line.title:
                results.append(run(line, programs, options.rounds, earlier=earlier))
                print(report.row(results[-1]), flush=True)
    print(f"\n{report.before_and_after(results)}")
    if options.write:
        report.write(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
