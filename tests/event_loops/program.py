"""Sign users in at once on one kind of event loop, and report what came.

Run it with the kind, the URL of LocalCognito, the pool, the app client, and the number of users.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Coroutine
from typing import Any

kind, url, pool_id, client_id, users = sys.argv[1:]
if kind == "gevent":
    importlib.import_module("gevent.monkey").patch_all()  # before anything else is imported

import asyncio  # noqa: E402

from cognito_flow import AppClient, AsyncAuthFlow, AuthFlow, Tokens, UserSrpAuth  # noqa: E402
from tests.event_loops.people import PASSWORD, names  # noqa: E402

APP = AppClient(pool_id, client_id, endpoint_url=url)
NAMES = names(int(users))


def sign_in(flow: AuthFlow, name: str) -> Tokens:
    return flow.refresh(flow.sign_in(UserSrpAuth(name, PASSWORD)).tokens)


async def on_asyncio() -> list[Tokens]:
    flow = AsyncAuthFlow(APP)

    async def sign_in(name: str) -> Tokens:
        return await flow.refresh((await flow.sign_in(UserSrpAuth(name, PASSWORD))).tokens)

    tokens = await asyncio.gather(*map(sign_in, NAMES))
    source = flow.token_source(tokens[0])
    fresh = await asyncio.gather(*(source.refresh(tokens[0].access_token) for _ in NAMES))
    assert len({each.access_token for each in fresh}) == 1
    return tokens


def on_gevent() -> list[Tokens]:
    gevent: Any = importlib.import_module("gevent")
    flow = AuthFlow(APP)
    jobs = [gevent.spawn(sign_in, flow, name) for name in NAMES]
    gevent.joinall(jobs, raise_error=True)
    source = flow.token_source(jobs[0].value)
    refreshes = [gevent.spawn(source.refresh, jobs[0].value.access_token) for _ in NAMES]
    gevent.joinall(refreshes, raise_error=True)
    assert len({each.value.access_token for each in refreshes}) == 1
    return [job.value for job in jobs]


def on_trio() -> list[Tokens]:
    trio: Any = importlib.import_module("trio")
    flow, found = AuthFlow(APP), list[Tokens]()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for name in NAMES:
                nursery.start_soon(one, name)

    async def one(name: str) -> None:
        found.append(await trio.to_thread.run_sync(sign_in, flow, name))

    trio.run(main)
    return found


def on_uvloop(main: Coroutine[Any, Any, list[Tokens]]) -> list[Tokens]:
    tokens: list[Tokens] = importlib.import_module("uvloop").run(main)
    return tokens


match kind:
    case "gevent":
        result = on_gevent()
    case "trio":
        result = on_trio()
    case _:
        result = on_uvloop(on_asyncio())
sys.stdout.write(" ".join(sorted(tokens.username for tokens in result)))
