"""How cost grows with the number of users, challenges, flows and stored tokens: `python -m tests.benchmarks.scale`.

It prints the table of docs/explanation/performance.md. Figures are CPU time of one operation in this process, unless
a column says wall time. The store's disk is the one with temporary files.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise

import attrs

from cognito_flow import (
    AppClient,
    AuthFlow,
    FileStore,
    SoftwareTokenMfa,
    SqliteStore,
    Tokens,
    UserPasswordAuth,
)
from cognito_flow.testing import LocalCognito

COUNTS = (1, 10, 100, 1_000, 10_000)
PASSWORD = "Correct-horse-1"
TOKEN = "x" * 1100  # as long as Cognito's
APP = AppClient("eu-west-1_AbC123", "client")


def cost(operation: Callable[[], object], repeat: int, clock: Callable[[], float] = time.process_time) -> str:
    """The median of three runs, in milliseconds for each operation."""
    taken: list[float] = []
    for _ in range(3):
        before = clock()
        for _ in range(repeat):
            operation()
        taken.append((clock() - before) / repeat * 1000)
    milliseconds = sorted(taken)[1]
    return f"{milliseconds:.3g} ms" if milliseconds >= 0.1 else f"{milliseconds * 1000:.3g} µs"


def memory() -> int:
    """The most memory that this process has had, in MiB. What grows once and stays is flat here."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def users() -> list[str]:
    """A sign-in in a pool with so many users."""
    pool = LocalCognito().create_pool()
    row: list[str] = []
    for begin, count in pairwise((0, *COUNTS)):
        for number in range(begin, count):
            pool.add_user(f"user{number}", PASSWORD)
        flow = pool.flow()
        row.append(cost(partial(flow.start, UserPasswordAuth("user0", PASSWORD)), 20))
    return row


def pending() -> list[str]:
    """Sealing and opening a challenge while so many others are pending."""
    flow, start = _with_a_code()
    row: list[str] = []
    for begin, count in pairwise((0, *COUNTS)):
        for _ in range(count - begin):
            start()
        row.append(cost(partial(_seal_and_unseal, flow, start()), 200))
    return row


def _seal_and_unseal(flow: AuthFlow, challenge: SoftwareTokenMfa) -> object:
    return flow.unseal(flow.seal(challenge))


def _with_a_code() -> tuple[AuthFlow, Callable[[], SoftwareTokenMfa]]:
    pool = LocalCognito().create_pool(
        mfa_configuration="ON", software_token_mfa_configuration={"Enabled": True}
    )
    pool.add_user("alice", PASSWORD, totp=True)
    flow = pool.flow(seal_keys=[b"k" * 32])

    def start() -> SoftwareTokenMfa:
        challenge = flow.start(UserPasswordAuth("alice", PASSWORD))
        assert isinstance(challenge, SoftwareTokenMfa)
        return challenge

    return flow, start


def flows() -> list[str]:
    """Creating one more flow, with its client, beside so many others of the region."""
    kept: list[AuthFlow] = []

    def create() -> AuthFlow:
        flow = AuthFlow(AppClient("eu-west-1_AbC123", f"client{len(kept)}"))
        flow._transport.clients.method("InitiateAuth")  # the client is made at the first call
        return flow

    row: list[str] = []
    for count in COUNTS:
        kept += [create() for _ in range(count - len(kept))]
        row.append(cost(create, 50))
    return row


def stored(make: Callable[[str], SqliteStore | FileStore], most: int) -> list[str]:
    """A put beside the tokens of so many other users, in wall time: most of it is the disk's."""
    tokens = Tokens(TOKEN, TOKEN, TOKEN, expires_at=datetime(2030, 1, 1, tzinfo=UTC), username="alice")
    row: list[str] = []
    for count in COUNTS:
        if count > most:
            row.append("—")
            continue
        with tempfile.TemporaryDirectory() as folder:
            store = make(folder)
            for number in range(count):
                store.put_tokens(APP, f"user{number}", attrs.evolve(tokens, username=f"user{number}"))
            row.append(cost(partial(store.put_tokens, APP, "user0", tokens), 10, time.perf_counter))
            if isinstance(store, SqliteStore):
                store.close()
    return row


def grown(operation: Callable[[], object], count: int) -> str:
    """How much memory that many operations need in addition to as many before them, which fill the bounded
    records that LocalCognito keeps for tests."""
    for _ in range(count):
        operation()
    before = memory()
    for _ in range(count):
        operation()
    return f"{memory() - before} MiB"


def main() -> None:
    rows = {
        "a password sign-in, by users of the pool": users(),
        "seal and unseal, by pending challenges": pending(),
        "one more AuthFlow, by flows": flows(),
        "SqliteStore put, sealed, by users (wall)": stored(
            lambda folder: SqliteStore(f"{folder}/tokens.db", keys=["k" * 32]), COUNTS[-1]
        ),
        "FileStore put, sealed, by users (wall)": stored(
            lambda folder: FileStore(f"{folder}/tokens.json", keys=["k" * 32]), 1_000
        ),
    }
    print(f"| Operation | {' | '.join(f'{count:,}' for count in COUNTS)} |")
    print("|---|" + "--:|" * len(COUNTS))
    for name, row in rows.items():
        print(f"| {name} | {' | '.join(row)} |", flush=True)
    pool = LocalCognito().create_pool()
    pool.add_user("alice", PASSWORD)
    flow = pool.flow()
    print(
        f"\n10,000 sign-ins: + {grown(lambda: flow.start(UserPasswordAuth('alice', PASSWORD)), 10_000)}",
        flush=True,
    )
    sealing, start = _with_a_code()
    print(f"10,000 sealed challenges: + {grown(lambda: sealing.seal(start()), 10_000)}")


if __name__ == "__main__":
    main()
