"""Change one thing at a time in the core, and see whether the tests of that part fail: `nox -s mutants`.

    python -m tests.mutants [--part FILE] [--children N] WORK_FOLDER

mutmut changes the bodies of functions, not what is outside of them (limits, `repr=False`, tables). A change that no test notices is a
survivor: each is listed in survivors.toml with the reason, or the run fails. A change of the words of a sentence is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import attrs

from tests.mutants.parts import PARTS, QUICK

ROOT = Path(__file__).parents[2]
SURVIVORS = Path(__file__).with_name("survivors.toml")
COPIED = (
    "cognito_flow",
    "tests",
    "docs",
    "conftest.py",
    "noxfile.py",
    "pyproject.toml",
    "README.md",
    "CHANGELOG.md",
)
PLUGINS = ("-p", "_hypothesis_pytestplugin", "-p", "cognito_flow.testing.plugin")
OPTIONS = ("-q", "-p", "no:cacheprovider", *PLUGINS, "--hypothesis-profile=mutants")
MINUTES = 10
_TYPE = re.compile(r'cast\((?:"[^"]*"|None), ')
_SENTENCE = re.compile(r'"(?:[^"\\\n]|\\.)* (?:[^"\\\n]|\\.)*"')


@attrs.frozen
class Change:
    """A change of the code.

    Args:
        file: The file.
        lines: The lines that differ, as in a diff.
    """

    file: str
    lines: str

    @property
    def is_of_wording(self) -> bool:
        """Whether it changes nothing but a sentence that people read, or a type for the type checker."""
        before, _, after = _TYPE.sub("cast(", _SENTENCE.sub('""', self.lines)).partition("\n")
        return before[1:] == after[1:]


@attrs.define
class Score:
    """What became of the changes of one part."""

    killed: int = 0
    survived: list[Change] = attrs.field(factory=list[Change])
    of_wording: int = 0
    by_timeout: int = 0
    not_run: int = 0

    def __str__(self) -> str:
        total = self.killed + len(self.survived)
        percent = 100 * self.killed / total if total else 0.0
        counts = (
            (self.by_timeout, "by timeout"),
            (self.of_wording, "of wording left out"),
            (self.not_run, "not run"),
        )
        rest = "".join(f", {count} {what}" for count, what in counts if count)
        return f"{self.killed} of {total} killed ({percent:.1f} %{rest})"


def expected_survivors() -> set[Change]:
    """The changes that no test can or need notice."""
    listed = tomllib.loads(SURVIVORS.read_text(encoding="utf-8"))["survivor"]
    return {Change(item["file"], item["lines"].strip()) for item in listed}


def score(part: str, folder: Path, children: int) -> Score:
    """Run mutmut over one part in a copy of the tree.

    Args:
        part: A key of `PARTS`.
        folder: Where the copy goes; what a run that was interrupted left there is continued.
        children: How many changes are tried at once.
    """
    if not folder.exists():
        _copy(part, folder)
    run = [sys.executable, "-m", "mutmut", "run", "--max-children", str(children)]
    # Looking for pytest's plugins anew for each change would take as long as the tests.
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_DEBUG_TEMPROOT": str(folder),  # for the same reason: in /tmp, it clears what others left
    }
    with (folder / "log").open("wb") as log:
        try:
            subprocess.run(
                run, cwd=folder, env=environment, stdout=log, stderr=log, check=True, timeout=MINUTES * 60
            )
        except subprocess.TimeoutExpired:
            print(f"{part}: not all changes were tried within {MINUTES} minutes")
    return _results(folder, environment)


def _copy(part: str, folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(
                source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "_build", "node_modules")
            )
        else:
            shutil.copy(source, folder / name)
    tests = [str(path.relative_to(ROOT)) for pattern in PARTS[part] for path in sorted(ROOT.glob(pattern))]
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as settings:
        settings.write(
            "\n[tool.mutmut]\n"
            'source_paths = ["cognito_flow"]\n'
            f'only_mutate = ["{part}"]\n'
            f"pytest_add_cli_args_test_selection = {tests}\n"
            f"pytest_add_cli_args = {[*OPTIONS, *QUICK]}\n"
            f"also_copy = {[name for name in COPIED if name != 'cognito_flow']}\n"
            "use_git_change_detection = false\n"
            # How long the tests of a change may take, for one that never ends: (usual time + 5 s) * 3.
            "timeout_constant = 5.0\n"
            "timeout_multiplier = 3.0\n"
        )


def _results(folder: Path, environment: dict[str, str]) -> Score:
    found, unnoticed = Score(), list[str]()
    for line in _output(folder, environment, "-m", "mutmut", "results", "--all", "true").splitlines():
        name, _, status = line.strip().rpartition(": ")
        if status in ("survived", "no tests"):
            unnoticed.append(name)
        elif status in ("killed", "timeout", "segfault"):
            found.killed += 1
            found.by_timeout += status == "timeout"
        else:
            found.not_run += 1
    for diff in json.loads(_output(folder, environment, "-c", _SHOW, *unnoticed)):
        change = _change(diff)
        if change.is_of_wording:
            found.of_wording += 1
        else:
            found.survived.append(change)
    return found


# `mutmut show` takes a second for each change, which it needs to start.
_SHOW = """
import contextlib, io, json, sys
from mutmut.__main__ import cli
shown = []
for name in sys.argv[1:]:
    with contextlib.redirect_stdout(io.StringIO()) as text:
        cli(["show", name], standalone_mode=False)
    shown.append(text.getvalue())
print(json.dumps(shown))
"""


def _output(folder: Path, environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, check=True, capture_output=True, text=True
    ).stdout


def _change(diff: str) -> Change:
    lines = diff.splitlines()
    file = next(line for line in lines if line.startswith("--- ")).removeprefix("--- ").split("\t")[0]
    changed = [line for line in lines if line[:1] in "+-" and line[:4] not in ("--- ", "+++ ")]
    return Change(file, "\n".join(f"{line[0]} {line[1:].strip()}" for line in changed))


def main() -> int:
    """Run the parts, print the scores and the survivors, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--children", type=int, default=os.cpu_count() or 1)
    parser.add_argument("work", type=Path)
    options = parser.parse_args()
    expected, failed = expected_survivors(), False
    for part in options.part or PARTS:
        found = score(part, options.work / part.replace("/", "-").replace("*", "all"), options.children)
        unknown = [change for change in found.survived if change not in expected]
        print(f"{part}: {found}; {len(unknown)} survivors are not in the list", flush=True)
        for change in unknown:
            print(f"\n[[survivor]]\nfile = {change.file!r}\nlines = '''\n{change.lines}'''\nwhy = ''\n")
        failed |= bool(unknown)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
