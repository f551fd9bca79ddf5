"""Measure programs so that their ratios hold on a busy machine.

How a ratio is made robust:

- A figure is CPU time (user and system) of the process that does the work, as the operating system counts it:
  waiting for other programs is not in it. Wall time is taken only where waiting is the point.
- Subjects are measured in turn, A B C A B C, and each round begins with another one. A machine whose speed drifts
  slows down all of them in a round.
- The ratio is taken within each round, and the median of these is quoted: one disturbed round does not move it.
- Where a whole process is measured, the start of the interpreter is measured in the same round and subtracted.
- The first round only warms up, and leaves compiled modules for the others.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Protocol, TypeAlias

import attrs

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LOOP = HERE / "loop.py"

Measure: TypeAlias = Callable[[], float]
"""Runs a subject once more; returns what one unit of its work cost, in milliseconds."""


class Programs(Protocol):
    """Where the interpreters of the peers are."""

    def python(self, *requirements: str) -> Path: ...

    def node(self) -> tuple[Path, Path]: ...


class Subject(Protocol):
    """Something that can be measured."""

    @property
    def name(self) -> str: ...

    def measured(self, programs: Programs) -> AbstractContextManager[Measure]: ...


@attrs.frozen
class Process:
    """A program that is run as a whole, once in each round.

    Args:
        name: What the table calls it.
        code: The program.
        requirement: The package in whose environment it runs; None is this project's.
        prints: Whether the figure is what the program prints, in milliseconds, and not its CPU time.
        folder: Where the package is that this project's environment imports.
    """

    name: str
    code: str
    requirement: str | None = None
    prints: bool = False
    folder: Path = ROOT

    @contextmanager
    def measured(self, programs: Programs) -> Generator[Measure]:
        python = sys.executable if self.requirement is None else programs.python(self.requirement)

        def run(code: str = self.code) -> float:
            command = [python, "-c", code]
            # With -c, the working directory comes first on the path. An earlier tree has no tests of its own.
            process = subprocess.Popen(
                command, cwd=self.folder, env=_environment(PYTHONPATH=str(ROOT)), stdout=subprocess.PIPE
            )
            assert process.stdout is not None
            with process.stdout as output:
                printed = output.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise RuntimeError(f"{self.name} ended with {process.returncode}")
            return float(printed) if self.prints else (usage.ru_utime + usage.ru_stime) * 1000

        yield run if self.prints else lambda: run() - run("pass")


@attrs.frozen
class Loop:
    """A statement that a process of its own repeats in each round.

    Args:
        name: What the table calls it.
        setup: Runs once.
        statement: What is measured.
        repeat: How often, in each round.
        requirement: The package in whose environment it runs; None is this project's.
        is_wall: Whether the figure is wall time.
        is_node: Whether it is JavaScript.
        folder: Where the package is that this project's environment imports.
    """

    name: str
    setup: str
    statement: str
    repeat: int
    requirement: str | None = None
    is_wall: bool = False
    is_node: bool = False
    folder: Path = ROOT

    @contextmanager
    def measured(self, programs: Programs) -> Generator[Measure]:
        if self.is_node:
            node, folder = programs.node()
            command = [node, folder / "loop.mjs"]
        else:
            python = sys.executable if self.requirement is None else programs.python(self.requirement)
            command = [Path(python), LOOP]
        with subprocess.Popen(
            [*command, self.setup, self.statement],
            cwd=self.folder,
            # The folder of loop.py comes first on the path, and not the working directory.
            env=_environment(**({} if self.requirement else {"PYTHONPATH": str(self.folder)})),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            stdin, stdout = process.stdin, process.stdout
            assert stdin is not None
            assert stdout is not None

            def run() -> float:
                print(self.repeat, file=stdin, flush=True)
                cpu, wall = map(float, stdout.readline().split())
                return (wall if self.is_wall else cpu) / self.repeat * 1000

            yield run
            stdin.close()


def _environment(**more: str) -> dict[str, str]:
    """The environment of all subjects. They keep compiled modules, as installed packages do."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    return {**kept, **more}


@attrs.frozen
class Figures:
    """What the rounds of one subject gave, in milliseconds."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    @property
    def spread(self) -> tuple[float, float]:
        """Between which figures the middle half of the rounds lies."""
        low, _, high = statistics.quantiles(self.rounds, n=4, method="inclusive")
        return low, high

    def over(self, other: Figures) -> float:
        """The median of the ratios, round by round."""
        return statistics.median(one / two for one, two in zip(self.rounds, other.rounds, strict=True))

    def minus(self, other: Figures) -> float:
        """The median of the differences, round by round."""
        return statistics.median(one - two for one, two in zip(self.rounds, other.rounds, strict=True))


def measure(subjects: Sequence[Subject], programs: Programs, rounds: int) -> list[Figures]:
    """Measure subjects in turn.

    Args:
        subjects: The subjects.
        programs: Where the interpreters of the peers are.
        rounds: How many rounds count, at least two.
    """
    taken: list[list[float]] = [[] for _ in subjects]
    with ExitStack() as stack:
        run = [stack.enter_context(subject.measured(programs)) for subject in subjects]
        for number in range(rounds + 1):
            for place in range(len(subjects)):
                index = (place + number) % len(subjects)
                taken[index].append(run[index]())
    return [Figures(tuple(figures[1:])) for figures in taken]
