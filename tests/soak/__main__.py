"""Sign in, refresh, seal, cancel and store at random under random faults, for minutes: `nox -s soak`.

    python -m tests.soak [--seconds 600] [--seed N]

Each worker draws what it does from the seed, and so does the proxy that spoils responses: the same seed repeats the same actions, though
threads may interleave differently. It fails if an error is not typed, if a user gets another user's tokens, or if memory, threads or
sockets grow.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import attrs

from cognito_flow import (
    AppClient,
    AsyncAuthFlow,
    AuthFlow,
    CognitoFlowError,
    FileStore,
    MemoryStore,
    SignedIn,
    SmsMfa,
    SqliteStore,
    Tokens,
    UserPasswordAuth,
    UserSrpAuth,
)
from tests.soak.service import PASSWORD

USERS_OF_A_WORKER = 3
THREADS, TASKS = 4, 6
TIMEOUT = 3.0
MAY_GROW = (
    24 * 1024 * 1024
)  # bytes: hashes of answered Sessions are kept for 15 minutes, and allocators keep pages
ACTIONS = ("sign in", "sign in", "sign in", "wrong password", "refresh", "stored tokens", "profile", "revoke")


@attrs.define
class Tally:
    """What happened, and what must not."""

    done: Counter[str] = attrs.field(factory=Counter[str])
    errors: Counter[str] = attrs.field(factory=Counter[str])
    problems: list[str] = attrs.field(factory=list[str])

    def note(self, action: str, error: BaseException) -> None:
        """An action that failed."""
        self.errors[type(error).__name__] += 1
        if not isinstance(error, CognitoFlowError):
            self.problems.append(f"{action} raised {error!r}")


@attrs.frozen
class Place:
    """Where the service is."""

    app: AppClient
    url: str

    def code(self, username: str) -> str:
        """The newest code that was sent to a user."""
        with urlopen(f"{self.url}/_local/outbox?username={username}") as response:  # noqa: S310 - on this machine
            return str(json.load(response)[-1]["code"])


@attrs.define
class Worker:
    """A random sequence of actions of users that no other worker has."""

    number: int
    place: Place
    flow: Any
    random: random.Random
    tally: Tally
    tokens: dict[str, Tokens] = attrs.field(factory=dict[str, Tokens])

    def act(self) -> Generator[Any, Any, None]:
        """One action. It yields what a method of the flow returned, and is sent the result."""
        user = self.number * USERS_OF_A_WORKER + self.random.randrange(USERS_OF_A_WORKER)
        name, action = f"user{user}", self.random.choice(ACTIONS)
        known = self.tokens.get(name)
        if action == "sign in" or (known is None and action != "wrong password"):
            yield from self._sign_in(name, PASSWORD.format(user))
        elif action == "wrong password":
            yield self.flow.start(UserPasswordAuth(name, "Wrong-horse-1"))
            self.tally.problems.append(f"{name} signed in with a wrong password")
        elif action == "refresh":
            self.tokens[name] = self._check(name, (yield self.flow.refresh(known)))
        elif action == "stored tokens":
            source = self.flow.token_source(known)
            yield source.access_token()
            self._check(name, (yield source.tokens()))
        elif action == "profile":
            profile = yield self.flow.account(known).user()
            if profile.username != name:
                self.tally.problems.append(f"{name} got the profile of {profile.username}")
        else:
            yield self.flow.revoke(known)
            del self.tokens[name]
        self.tally.done[action] += 1

    def _sign_in(self, name: str, password: str) -> Generator[Any, Any, None]:
        credentials = UserSrpAuth if self.random.random() < 0.7 else UserPasswordAuth
        step = yield self.flow.start(credentials(name, password))
        if isinstance(step, SmsMfa):
            if self.random.random() < 0.5:
                step = self.flow.unseal(self.flow.seal(step, bound_to=name), bound_to=name)
            step = yield self.flow.send(step.answer(self.place.code(name)))
        if not isinstance(step, SignedIn):
            self.tally.problems.append(f"{name} got {type(step).__name__}")
            return
        self.tokens[name] = self._check(name, step.tokens)

    def _check(self, name: str, tokens: Tokens) -> Tokens:
        read = Tokens.from_jwts(tokens.access_token, tokens.id_token, tokens.refresh_token)
        if not name == tokens.username == read.username:
            self.tally.problems.append(f"{name} got tokens of {read.username}")
        return tokens


def _work(worker: Worker, until: float) -> None:
    while time.monotonic() < until:
        steps, result = worker.act(), None
        try:
            while True:  # a blocking flow returns the result itself, which is sent back
                result = steps.send(result)
        except StopIteration:
            pass
        except Exception as error:  # noqa: BLE001 - which errors come is what the soak looks at
            worker.tally.note("a thread", error)


async def _work_on_the_loop(worker: Worker, until: float) -> None:
    while time.monotonic() < until:
        action = asyncio.create_task(_run(worker.act()))
        if worker.random.random() < 0.1:
            await asyncio.sleep(worker.random.random() / 4)
            action.cancel()
        try:
            await action
        except asyncio.CancelledError:
            worker.tally.done["cancelled"] += 1
        except Exception as error:  # noqa: BLE001 - as above
            worker.tally.note("a task", error)


async def _run(steps: Generator[Any, Any, None]) -> None:
    result = None
    try:
        while True:
            result = await steps.send(result)
    except StopIteration:
        pass


@attrs.frozen
class Used:
    """What the process uses while nothing is under way."""

    memory: int
    threads: int
    files: int

    @classmethod
    def now(cls) -> Used:
        """Measured by the kernel; Linux only."""
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return cls(
            pages * os.sysconf("SC_PAGE_SIZE"),
            threading.active_count(),
            len(list(Path("/proc/self/fd").iterdir())),
        )

    def grown_from(self, before: Used) -> list[str]:
        """What grew by more than connections and threads that are kept for the next call."""
        problems = []
        if self.memory > before.memory + MAY_GROW:
            problems.append(f"memory grew from {before.memory} to {self.memory} bytes")
        if self.threads > before.threads + 16:
            problems.append(f"threads grew from {before.threads} to {self.threads}")
        if self.files > before.files + 16:
            problems.append(f"open files and sockets grew from {before.files} to {self.files}")
        return problems


def _flows(app: AppClient, folder: Path) -> tuple[list[AuthFlow], list[AsyncAuthFlow]]:
    """Several flows of one app client, each with another store."""
    options: dict[str, Any] = {"timeout": TIMEOUT, "seal_keys": [secrets.token_bytes(32)]}
    stores = (FileStore(folder / "tokens", keys=["k" * 32]), SqliteStore(folder / "tokens.sqlite"))
    blocking = [AuthFlow(app, store=store, **options) for store in stores]
    return blocking, [AsyncAuthFlow(app, store=store, **options) for store in (MemoryStore(), stores[0])]


def _one_round(threads: Sequence[Worker], tasks: Sequence[Worker], seconds: float) -> None:
    until = time.monotonic() + seconds
    running = [threading.Thread(target=_work, args=(worker, until)) for worker in threads]
    for thread in running:
        thread.start()

    async def run_tasks() -> None:
        await asyncio.gather(*(_work_on_the_loop(worker, until) for worker in tasks))

    asyncio.run(run_tasks())
    for thread in running:
        thread.join()
    time.sleep(TIMEOUT)  # calls of cancelled tasks end in their threads


def soak(place: Place, seed: int, seconds: float, folder: Path) -> Tally:
    """Run rounds of random actions, and compare what the process uses after the second and after the last."""
    tally = Tally()
    blocking, asynchronous = _flows(place.app, folder)

    def worker(number: int, flow: object) -> Worker:
        drawn = random.Random(f"{seed}-{number}")  # noqa: S311 - repeatable, not secret
        return Worker(number, place, flow, drawn, tally)

    threads = [worker(number, blocking[number % len(blocking)]) for number in range(THREADS)]
    tasks = [worker(THREADS + number, asynchronous[number % len(asynchronous)]) for number in range(TASKS)]
    rounds = 6
    used: list[Used] = []
    for _ in range(rounds):
        _one_round(threads, tasks, seconds / rounds)
        used.append(Used.now())
    tally.problems += used[-1].grown_from(used[1])
    print(f"memory after each round: {[f'{use.memory / 2**20:.0f} MiB' for use in used]}")
    print(f"threads: {[use.threads for use in used]}, files and sockets: {[use.files for use in used]}")
    return tally


@contextmanager
def _service(seed: int, rate: float) -> Generator[Place]:
    users = USERS_OF_A_WORKER * (THREADS + TASKS)
    command = [
        sys.executable,
        "-m",
        "tests.soak.service",
        f"--seed={seed}",
        f"--users={users}",
        f"--rate={rate}",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        where = json.loads(process.stdout.readline())
        app = AppClient(where["pool"], where["client"], where["secret"], endpoint_url=where["proxy"])
        yield Place(app, where["url"])
        process.communicate("")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak, print its figures, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument("--rate", type=float, default=0.08, help="the share of responses that are spoilt")
    options = parser.parse_args(arguments)
    print(f"to repeat: python -m tests.soak --seconds {options.seconds:g} --seed {options.seed}", flush=True)
    with _service(options.seed, options.rate) as place, tempfile.TemporaryDirectory() as folder:
        tally = soak(place, options.seed, options.seconds, Path(folder))
    print(f"{sum(tally.done.values()):,} actions: {dict(tally.done.most_common())}")
    print(f"{sum(tally.errors.values()):,} errors: {dict(tally.errors.most_common())}")
    print(f"{len(tally.problems)} problems", *tally.problems[:20], sep="\n  ")
    return int(bool(tally.problems) or not tally.done)


if __name__ == "__main__":
    sys.exit(main())
