"""Programs that write to a store, for tests that run several of them or kill them.

PATH is that of a FileStore, or of a SqliteStore if it ends in .db, or the URL of a RedisStore (redis://...) or
of a DynamoDBStore (dynamodb+http://...). The lock that `hold` takes in a shared store expires after two seconds.

python -m tests.support.store_writer write PATH PREFIX START STOP    puts users PREFIX-START ..., prints each
python -m tests.support.store_writer hold PATH                       takes alice's lock, prints "held" and when it asked, waits
python -m tests.support.store_writer die PATH                        prints what is left after a kill at each line
python -m tests.support.store_writer source PATH POOL CLIENT URL     prints a fresh token for each time it reads
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import redis

from cognito_flow import (
    AppClient,
    AuthFlow,
    DynamoDBStore,
    FileStore,
    RedisStore,
    SqliteStore,
    System,
    Tokens,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from _typeshed import TraceFunction

APP = AppClient("eu-west-1_AbC123", "client-id")
LOCK_SECONDS = 2.0


def tokens(text: str) -> Tokens:
    """Tokens with a recognisable access token."""
    return Tokens(text, expires_at=datetime(2030, 1, 1, tzinfo=UTC), username="alice")


def opened(path: str, lock_seconds: float = 60) -> FileStore | SqliteStore | RedisStore | DynamoDBStore:
    """The store at a path or URL. On a busy machine, a refresh may take seconds: locks must not expire before it ends."""
    if path.startswith("redis://"):
        return RedisStore(redis.Redis.from_url(path), keys=["k" * 32], lock_seconds=lock_seconds)
    if path.startswith("dynamodb+"):
        return DynamoDBStore(dynamodb(path), "stores", lock_seconds=lock_seconds)
    return SqliteStore(path) if path.endswith(".db") else FileStore(path)


def dynamodb(url: str) -> Any:
    """A client of a local DynamoDB."""
    return boto3.client(
        "dynamodb",
        "eu-west-1",
        endpoint_url=url.removeprefix("dynamodb+"),
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def say(line: str) -> None:
    """Print a line and flush it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def write(path: str, prefix: str, start: str, stop: str) -> None:
    store = opened(path)
    say("ready")
    for number in range(int(start), int(stop)):
        store.put_tokens(APP, f"{prefix}-{number}", tokens(str(number)))
        say(str(number))


def hold(path: str) -> None:
    asked = time.monotonic()
    with opened(path, LOCK_SECONDS).lock(APP, "alice"):
        say("held")
        say(f"{asked}")
        signal.pause()


def die(path: str) -> None:
    """For each line of the package that a write executes, kill a child process where that line begins."""
    store = FileStore(path)
    os.umask(0)
    for line in count(1):
        store.put_tokens(APP, "alice", tokens("old"))
        if (child := os.fork()) == 0:
            sys.settrace(killer(line))
            store.put_tokens(APP, "alice", tokens("new"))
            os._exit(0)
        survived = os.waitpid(child, 0)[1] == 0
        modes = {file.stat().st_mode & 0o777 for file in Path(path).parent.iterdir()}
        found = store.get_tokens(APP, "alice")
        files = sorted(file.name for file in Path(path).parent.iterdir())
        say(json.dumps([found and found.access_token, sorted(modes), files]))
        if survived:
            return


def killer(line: int) -> TraceFunction:
    """A trace function that ends this process at the n-th line in the package's stores."""
    lines = count(1)

    def trace(frame: FrameType, event: str, _argument: object) -> TraceFunction | None:
        if "stores" not in frame.f_code.co_filename:
            return None
        if event == "line" and next(lines) == line:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace


def source(path: str, pool_id: str, client_id: str, url: str) -> None:
    """Read how many seconds have passed, and print a token that is fresh then."""
    passed = timedelta()
    app = AppClient(pool_id, client_id, endpoint_url=url)
    system = System(now=lambda: datetime.now(UTC) + passed)
    restored = AuthFlow(app, store=opened(path), system=system).restore("alice")
    assert restored is not None
    for line in sys.stdin:
        passed = timedelta(seconds=json.loads(line))
        say(json.dumps(restored.access_token()))


PROGRAMS: dict[str, Callable[..., None]] = {"write": write, "hold": hold, "die": die, "source": source}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](*sys.argv[2:])
