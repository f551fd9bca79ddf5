"""User pools over HTTP, for programs of any language.

Rule of this file: what is printed is all that a client needs to begin; everything else is in the seed.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from cognito_flow.cli.exit_codes import exit_codes
from cognito_flow.errors import UsageError
from cognito_flow.testing import LocalCognito, seed
from cognito_flow.testing._state.records import UserPool


def run(host: str, port: int, source: str) -> None:
    """Serve until Ctrl-C, or until the process is asked to end."""
    with exit_codes():
        cognito = seed.plant(seed.read(source))
        try:
            _serve(cognito, host, port)
        except (OSError, OverflowError) as error:
            raise UsageError(f"{host}:{port} cannot be served: {error}") from error


def _serve(cognito: LocalCognito, host: str, port: int) -> None:
    with cognito.serve(port, host=host) as url, _until_asked_to_end() as is_over:
        _say(f"LocalCognito serves {url} (codes at {url}/_local/outbox, Ctrl-C ends it)")
        for pool_id in cognito.pool_ids():
            _describe(cognito.state(pool_id))
        while not is_over.is_set():
            is_over.wait(1)  # seconds; without a limit, Windows would not let Ctrl-C through
    _say("ended")


@contextmanager
def _until_asked_to_end() -> Generator[threading.Event]:
    """What Ctrl-C sets, or the wish that the process end. Afterwards these do what they did before, so that a
    second one ends what takes too long to end by itself."""
    is_over = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        is_over.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield is_over
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _describe(pool: UserPool) -> None:
    _say(f"pool {pool.id} ({pool.members['Name']})")
    for client in pool.clients.values():
        secret = "" if client.secret is None else f" secret {client.secret}"
        _say(f"  client {client.id} ({client.members['ClientName']}){secret}")
    for user in pool.users.values():
        totp = "" if user.totp_secret is None else f" TOTP secret {user.totp_secret}"
        _say(f"  user {pool.display_name(user)}{totp}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()  # the program that started this one may read it through a pipe
