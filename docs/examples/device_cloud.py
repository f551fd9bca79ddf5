"""An integration of a device cloud with aiohttp, for example for a home automation: it begins with the three token strings that
an earlier sign-in has stored, refreshes them when necessary, and stores the new ones."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import aiohttp

from cognito_flow import AppClient, AsyncAuthFlow, SignedOut, Tokens
from cognito_flow.integrations.aiohttp import CognitoAuth

NAMES = ("access_token", "id_token", "refresh_token")
Stored = dict[str, str]  # the three strings, by these names


class DeviceCloud:
    """The devices of one user."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session, self.url = session, url

    async def devices(self) -> Any:
        """Raises SignedOut if the user must sign in again."""
        async with self.session.get(f"{self.url}/devices") as response:
            response.raise_for_status()
            return await response.json()


@asynccontextmanager
async def connect(
    flow: AsyncAuthFlow, url: str, stored: Stored, save: Callable[[Stored], None]
) -> AsyncIterator[DeviceCloud]:
    """Connect with stored tokens. An expired access token is refreshed before the first request."""

    def save_strings(tokens: Tokens) -> None:
        save({name: getattr(tokens, name) for name in NAMES})

    source = flow.token_source(Tokens.from_jwts(**stored), on_tokens=save_strings)
    auth = CognitoAuth(source, origins=[url])  # the token goes to no other server, also after a redirect
    async with aiohttp.ClientSession(middlewares=[auth]) as session:
        yield DeviceCloud(session, url)


async def print_devices(
    flow: AsyncAuthFlow, url: str, stored: Stored, save: Callable[[Stored], None]
) -> None:
    async with connect(flow, url, stored, save) as cloud:
        print(json.dumps(await cloud.devices(), indent=2))


def main(file: Path, url: str) -> None:
    def save(strings: Stored) -> None:
        """Replace the file as a whole: a program that is killed here has the old tokens or the new ones."""
        with NamedTemporaryFile(
            "w", encoding="utf-8", dir=file.parent, delete=False
        ) as new:  # for the owner only
            json.dump(strings, new)
        Path(new.name).replace(file)

    known = json.loads(file.read_text(encoding="utf-8"))
    stored = {name: known[name] for name in NAMES}
    try:
        asyncio.run(print_devices(AsyncAuthFlow(AppClient.from_env()), url, stored, save))
    except SignedOut:
        sys.exit("Please sign in again.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
