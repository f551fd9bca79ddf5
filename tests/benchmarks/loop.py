"""Run a statement again and again, as `timeit` does, and say what it cost: `python loop.py SETUP STATEMENT`.

Each line on standard input is a number of repetitions; the answer is one line with the seconds of CPU time and of
wall time that they took together. The program imports only the standard library, so that it also runs in the
environments of other packages.
"""

from __future__ import annotations

import sys
import time


def main(setup: str, source: str) -> None:
    names: dict[str, object] = {}
    exec(compile(setup, "<setup>", "exec"), names)
    body = "\n".join(f"        {line}" for line in source.splitlines())
    definition = f"def repeat(count):\n    for _ in range(count):\n{body}\n"
    exec(compile(definition, "<statement>", "exec"), names)
    repeat = names["repeat"]
    assert callable(repeat)
    for line in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        repeat(int(line))
        print(time.process_time() - cpu, time.perf_counter() - wall, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
