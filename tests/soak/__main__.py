"""Sign in, refresh, seal, cancel and store at random under random faults, for minutes: `nox -s soak`.

    python -m tests.soak [--seconds 600] [--seed N]

It has a column for each kind of client: `AuthFlow` with the library's own client and with one of boto3, in threads of this program;
`AsyncAuthFlow` with the library's own client, in worker threads, and with one of aiobotocore, if it is installed.

Each worker draws what it does from the seed, and so does the proxy that spoils responses: the same seed repeats the same actions, though
threads may interleave differently. It fails if an error is not typed, if a user gets another user's tokens, or if memory, threads or
sockets grow.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import importlib
import importlib.util
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
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import attrs
import boto3
from botocore import UNSIGNED
from botocore.config import Config

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
from tests.support.aiobotocore_client import aiobotocore_client

USERS_OF_A_WORKER = 3
OWN, BOTO3, OWN_ASYNC, AIOBOTOCORE = "own client", "boto3", "own client, async", "aiobotocore"
WORKERS = {OWN: 2, BOTO3: 2, OWN_ASYNC: 3, AIOBOTOCORE: 3}
TIMEOUT = 3.0
MAY_GROW = (
    24 * 1024 * 1024
)  # bytes: hashes of answered Sessions are kept for 15 minutes, and allocators keep pages
ACTIONS = ("sign in", "sign in", "sign in", "wrong password", "refresh", "stored tokens", "profile", "revoke")


@attrs.define
class Tally:
    """What happened in one column, and what must not."""

    done: Counter[str] = attrs.field(factory=Counter[str])
    errors: Counter[str] = attrs.field(factory=Counter[str])
    problems: list[str] = attrs.field(factory=list[str])

    def note(self, error: BaseException) -> None:
        """An action that failed."""
        self.errors[type(error).__name__] += 1
        if not isinstance(error, CognitoFlowError):
            self.problems.append(f"an action raised {error!r}")


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
            worker.tally.note(error)


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
            worker.tally.note(error)


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
        # aiobotocore reads 100 MB of a response without end. glibc keeps such memory, freed, for a while.
        with suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
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


def _options(folder: Path) -> list[dict[str, Any]]:
    """The options of several flows, each with another store."""
    stores = (
        FileStore(folder / "tokens", keys=["k" * 32]),
        SqliteStore(folder / "tokens.sqlite"),
        MemoryStore(),
    )
    return [{"store": store, "timeout": TIMEOUT, "seal_keys": [secrets.token_bytes(32)]} for store in stores]


def _config() -> Config:
    """Retries that must not repeat a call of a flow."""
    return Config(signature_version=UNSIGNED, retries={"mode": "standard", "max_attempts": 4})


def _one_round(columns: dict[str, list[Worker]], options: list[dict[str, Any]], seconds: float) -> None:
    until = time.monotonic() + seconds
    running = [
        threading.Thread(target=_work, args=(worker, until))
        for name in (OWN, BOTO3)
        for worker in columns[name]
    ]
    for thread in running:
        thread.start()

    async def run_tasks() -> None:
        await asyncio.gather(*(_work_on_the_loop(worker, until) for worker in columns[OWN_ASYNC]))

    async def run_tasks_of_aiobotocore() -> None:
        workers = columns.get(AIOBOTOCORE)
        if workers is None:
            return
        async with aiobotocore_client(workers[0].place.app.endpoint_url, _config()) as client:
            for number, worker in enumerate(workers):
                worker.flow = AsyncAuthFlow(worker.place.app, client, **options[number % len(options)])
            await asyncio.gather(*(_work_on_the_loop(worker, until) for worker in workers))

    async def run_both() -> None:
        await asyncio.gather(run_tasks(), run_tasks_of_aiobotocore())

    asyncio.run(run_both())
    for thread in running:
        thread.join()
    time.sleep(TIMEOUT)  # calls of cancelled tasks end in their threads


def _columns(place: Place, seed: int, options: list[dict[str, Any]]) -> dict[str, list[Worker]]:
    """The workers of each column, whose users and random numbers are their own."""
    app = place.app
    given: object = boto3.client("cognito-idp", app.region, endpoint_url=app.endpoint_url, config=_config())
    flows: dict[str, list[object]] = {
        OWN: [AuthFlow(app, **each) for each in options],
        BOTO3: [AuthFlow(app, given, **each) for each in options],
        OWN_ASYNC: [AsyncAuthFlow(app, **each) for each in options],
    }
    if importlib.util.find_spec("aiobotocore") is not None:
        flows[AIOBOTOCORE] = [None]  # made anew for each event loop
    columns: dict[str, list[Worker]] = {}
    numbers = iter(range(sum(WORKERS.values())))
    for name, of_the_column in flows.items():
        tally, columns[name] = Tally(), []
        for number in (next(numbers) for _ in range(WORKERS[name])):
            drawn = random.Random(f"{seed}-{number}")  # noqa: S311 - repeatable, not secret
            flow = of_the_column[number % len(of_the_column)]
            columns[name].append(Worker(number, place, flow, drawn, tally))
    return columns


def soak(place: Place, seed: int, seconds: float, folder: Path) -> tuple[dict[str, Tally], list[str]]:
    """Run rounds of random actions, and compare what the process uses after the second and after the last.

    Returns:
        What happened in each column, and what grew.
    """
    options = _options(folder)
    columns = _columns(place, seed, options)
    rounds = 6
    used: list[Used] = []
    for _ in range(rounds):
        _one_round(columns, options, seconds / rounds)
        used.append(Used.now())
    print(f"memory after each round: {[f'{use.memory / 2**20:.0f} MiB' for use in used]}")
    print(f"threads: {[use.threads for use in used]}, files and sockets: {[use.files for use in used]}")
    return {name: workers[0].tally for name, workers in columns.items()}, used[-1].grown_from(used[1])


@contextmanager
def _service(seed: int, rate: float) -> Generator[Place]:
    users = USERS_OF_A_WORKER * sum(WORKERS.values())
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
        tallies, problems = soak(place, options.seed, options.seconds, Path(folder))
    for name, tally in tallies.items():
        print(f"{name}: {sum(tally.done.values()):,} actions: {dict(tally.done.most_common())}")
        print(f"    {sum(tally.errors.values()):,} errors: {dict(tally.errors.most_common())}")
        problems += [f"{name}: {problem}" for problem in tally.problems]
    problems += [f"{name}: nothing was done" for name, tally in tallies.items() if not tally.done]
    if AIOBOTOCORE not in tallies:
        print("NOT RUN: aiobotocore is not installed")
    print(f"{len(problems)} problems", *problems[:20], sep="\n  ")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
