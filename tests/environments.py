"""Where programs of others are installed: never where the tests run.

Rule of this file: an environment is made once and kept, in a folder that only one process at a time may make
things in.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["node_modules", "python_with"]


def python_with(requirements: tuple[str, ...], folder: Path) -> Path:
    """The interpreter of a virtual environment that holds them; it is made if it is not there."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    environment = folder / "-".join([version, *(each.replace("==", "-") for each in requirements)])
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    complete = environment / "complete"
    if not complete.exists():
        shutil.rmtree(environment, ignore_errors=True)  # left over by a run that was stopped
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements], check=True)
        complete.touch()
    return python


def node_modules(package: Path, folder: Path) -> Path:
    """The ``node_modules`` of a folder with a package-lock.json; they are installed if they are not there."""
    lock = (package / "package-lock.json").read_bytes()
    environment = folder / f"node-{hashlib.sha256(lock).hexdigest()[:16]}"
    complete = environment / "complete"
    if not complete.exists():
        shutil.rmtree(environment, ignore_errors=True)
        environment.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(package / name, environment)
        npm = [_found("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(npm, cwd=environment, check=True)
        complete.touch()
    return environment / "node_modules"


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise RuntimeError(f"{program} is needed for the clients in JavaScript: install Node 18 or later")
    return path
