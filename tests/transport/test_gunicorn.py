"""A server that loads the application before it forks: gunicorn --preload, with real workers."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.request import urlopen

import pytest

from cognito_flow.testing import LocalCognito
from tests.house.source import ROOT

PASSWORD = "correct horse"
WORKERS, SIGN_INS = 4, 24

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("gunicorn") is None, reason="gunicorn runs on Unix"),
]


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[str]:
    """Serve the application that has signed a user in before it forks; yields its URL."""
    options = ["--preload", "--workers", str(WORKERS), "--bind", "127.0.0.1:0"]
    command = [sys.executable, "-m", "gunicorn", *options, "tests.support.preloaded_app:application"]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    given = {**os.environ, **environment, "PYTHONPATH": path}
    with subprocess.Popen(command, cwd=ROOT, env=given, stderr=subprocess.PIPE, text=True) as server:
        try:
            yield _url(server)
        finally:
            server.terminate()
            server.communicate()


def _url(server: subprocess.Popen[str]) -> str:
    assert server.stderr is not None
    log = []
    for line in server.stderr:
        log.append(line)
        if found := re.search(r"Listening at: (http://\S+)", line):
            return found[1]
    pytest.fail("".join(log))


def test_workers_that_were_forked_after_a_first_call_sign_users_in(cognito: LocalCognito) -> None:
    pool = cognito.create_pool()
    names = [f"user{number}" for number in range(SIGN_INS)]
    for name in ("parent", *names):
        pool.add_user(name, PASSWORD)

    with cognito.serve() as url:
        environment = {
            "TEST_POOL": pool.id,
            "TEST_CLIENT": pool.app.client_id,
            "TEST_URL": url,
            "TEST_PASSWORD": PASSWORD,
        }
        with serving(environment) as application, ThreadPoolExecutor(8) as threads:

            def sign_in(name: str) -> dict[str, Any]:
                with urlopen(f"{application}/?username={name}", timeout=20) as response:  # noqa: S310 - http
                    answer: dict[str, Any] = json.load(response)
                return answer

            answers = list(threads.map(sign_in, names))

    assert [answer["username"] for answer in answers] == names
    assert all(answer["is_worker"] and answer["refreshed"] for answer in answers)
    assert len({answer["pid"] for answer in answers}) > 1
