"""The library on gevent, trio and uvloop, each installed for this test alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from cognito_flow.testing import LocalCognito
from tests.event_loops.people import PASSWORD, names
from tests.support.environments import python_with

pytestmark = pytest.mark.other_programs

LOOPS = {"gevent": "gevent==26.9.0", "trio": "trio==0.35.0", "uvloop": "uvloop==0.23.0"}
USERS = 8
ROOT = Path(__file__).parents[2]


@pytest.fixture
def packages(programs_folder: Path) -> Path:
    """Where the packages are; the library and what it needs are those of the test's own Python."""
    with FileLock(programs_folder / "lock"):
        python = python_with(tuple(LOOPS.values()), programs_folder)
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([python, "-c", ask], check=True, capture_output=True, text=True)
    return Path(done.stdout.strip())


@pytest.mark.parametrize("kind", LOOPS)
def test_users_sign_in_at_once_on_the_loop(
    kind: str, cognito: LocalCognito, cognito_url: str, packages: Path
) -> None:
    pool = cognito.create_pool()
    for name in names(USERS):
        pool.add_user(name, PASSWORD)
    program = Path(__file__).with_name("program.py")
    path = os.pathsep.join([str(ROOT), str(packages)])
    done = subprocess.run(
        [sys.executable, program, kind, cognito_url, pool.id, pool.app.client_id, str(USERS)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )

    assert done.stdout.split() == names(USERS)
