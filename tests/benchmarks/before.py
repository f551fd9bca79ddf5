"""The package as it was at an earlier commit, to be measured beside the present one in the same rounds.

Both run with the same interpreter and the same dependencies, so that the difference is this package's own.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import attrs

from tests.benchmarks.rounds import ROOT, Loop, Process, Subject

COMMIT = "542366e"
"""The last commit before the work on speed."""
# What the measured statements name otherwise in trees that have a FileTokenStore.
RENAMED = {"FileStore": "FileTokenStore", "put_tokens": "put", "flow._transport": "flow._wire"}


@contextmanager
def tree(commit: str) -> Generator[Path]:
    """Yield a temporary folder with the package of a commit."""
    git = shutil.which("git")
    assert git is not None, "git is needed to measure an earlier commit"
    archive = subprocess.run(
        [git, "archive", commit, "cognito_flow"], cwd=ROOT, check=True, stdout=subprocess.PIPE
    ).stdout
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
            packed.extractall(folder, filter="data")
        yield Path(folder)


def before(subject: Subject, folder: Path) -> Subject:
    """The same subject with the package in a folder."""
    store = folder / "cognito_flow" / "stores" / "file.py"
    renamed = RENAMED if "class FileTokenStore" in store.read_text(encoding="utf-8") else {}

    def named_then(code: str) -> str:
        for now, then in renamed.items():
            code = code.replace(now, then)
        return code

    if isinstance(subject, Process):
        return attrs.evolve(subject, name="before", folder=folder, code=named_then(subject.code))
    assert isinstance(subject, Loop)
    setup, statement = named_then(subject.setup), named_then(subject.statement)
    return attrs.evolve(subject, name="before", folder=folder, setup=setup, statement=statement)
