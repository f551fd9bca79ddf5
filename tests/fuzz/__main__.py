"""Fuzz with atheris, which is guided by the coverage of the code: `nox -s fuzz`.

    python -m tests.fuzz [--seconds 60] [--seed N] [TARGET ...]

Each target runs in a process of its own, and one that raises what it must not ends the run; the input is printed as bytes. The same
seed tries the same inputs; without one, each run tries others.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any


def fuzz(target: str, corpus: Path, seconds: int, seed: int) -> None:
    """Fuzz one target in this process, which ends with it.

    Args:
        target: Its name.
        corpus: A folder with examples, to which atheris adds.
        seconds: How long.
        seed: Of the random numbers; 0 draws one.
    """
    fuzzer: Any = importlib.import_module("atheris")  # installed by `nox -s fuzz` only
    with fuzzer.instrument_imports(include=["cognito_flow"]):
        from tests.fuzz.targets import SEEDS, TARGETS
    for number, example in enumerate(SEEDS[target]):
        (corpus / f"seed-{number}").write_bytes(example)
    limits = [
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        "-timeout=20",
        "-rss_limit_mb=1024",
        "-max_len=4096",
        "-print_final_stats=1",
    ]
    fuzzer.Setup(["fuzz", *limits, f"-artifact_prefix={corpus}/", str(corpus)], TARGETS[target])
    fuzzer.Fuzz()


def main() -> int:
    """Fuzz all targets, or those that are named, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpus", type=Path, help="the folder of one target, which runs in this process")
    parser.add_argument("targets", nargs="*")
    options = parser.parse_args()
    if options.corpus is not None:
        fuzz(options.targets[0], options.corpus, options.seconds, options.seed)
    if importlib.util.find_spec("atheris") is None:
        print("NOT FUZZED: there is no wheel of atheris for this Python and system")
        return 0
    failed = []
    for target in options.targets or _names():
        with tempfile.TemporaryDirectory() as corpus:
            command = [
                sys.executable,
                "-m",
                "tests.fuzz",
                f"--seconds={options.seconds}",
                f"--seed={options.seed}",
                f"--corpus={corpus}",
                target,
            ]
            # The order of sets decides which branches run first, and so which inputs come next.
            environment = {**os.environ, "PYTHONHASHSEED": str(options.seed or "random")}
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", check=False, env=environment
            )
        executed = [
            line.rpartition(" ")[2] for line in done.stderr.splitlines() if "number_of_executed_units" in line
        ]
        print(
            f"{target}: {executed[0] if executed else 'no'} inputs, exit code {done.returncode}", flush=True
        )
        if done.returncode != 0:
            failed.append(target)
            print(done.stdout[-3000:], done.stderr[-3000:], sep="\n")
    return len(failed)


def _names() -> list[str]:
    from tests.fuzz.targets import TARGETS

    return list(TARGETS)


if __name__ == "__main__":
    sys.exit(main())
