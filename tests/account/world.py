"""A LocalCognito with its own clock and one of the two drivers, so that each test is written once.

`World.flow` returns either flow; awaitable results are awaited before a test sees them.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from cognito_flow import AsyncAuthFlow, System, UserSrpAuth
from cognito_flow.testing import Clock, LocalCognito, Pool

if TYPE_CHECKING:
    from cognito_flow import AppClient, SignedIn

PASSWORD, OTHER_PASSWORD = "Correct-horse-1", "Battery-staple-2"
NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
ADDRESS = "alice@example.com"
VERIFIED: dict[str, Any] = {"auto_verified_attributes": ["email"]}
REVEALING: dict[str, Any] = {"prevent_user_existence_errors": "LEGACY"}


Run: TypeAlias = Callable[[Coroutine[Any, Any, Any]], Any]


class Awaited:
    """Wraps an object for asyncio, and waits for what its methods return."""

    def __init__(self, inner: object, run: Run = asyncio.run) -> None:
        self.inner, self._run = inner, run

    def __getattr__(self, name: str) -> object:
        value = getattr(self.inner, name)
        if not callable(value):
            return value
        return lambda *given, **named: self._awaited(value(*map(_unwrapped, given), **named))

    def _awaited(self, result: Any) -> object:
        if inspect.iscoroutine(result):
            result = self._run(result)
        return Awaited(result, self._run) if type(result).__name__.startswith("Async") else result


def _unwrapped(value: object) -> object:
    return value.inner if isinstance(value, Awaited) else value


@attrs.define
class World:
    """A service with its own clock, and one of the two drivers.

    Attributes:
        is_async: Whether it is the driver for asyncio.
        cognito: The service.
        client: A client of aiobotocore; None if the driver calls one of boto3.
        run: Waits for a coroutine; a client of aiobotocore belongs to one event loop.
    """

    is_async: bool
    cognito: LocalCognito = attrs.field(factory=lambda: LocalCognito(clock=Clock(lambda: NOW)))
    client: Any = None
    run: Run = asyncio.run

    def flow(self, pool: Pool, app: AppClient | None = None, **options: Any) -> Any:
        """A flow of this driver. The tests are the same for both, so it has no type here."""
        if not self.is_async:
            return pool.flow(app, **options)
        if self.client is None:
            return Awaited(pool.async_flow(app, **options))
        flow = AsyncAuthFlow(app or pool.app, self.client, system=self.system(), **options)
        return Awaited(flow, self.run)

    def system(self) -> System:
        """The service's clock, which a pause advances instead of waiting."""

        def pass_time(seconds: float) -> None:
            self.cognito.clock.advance(seconds)

        return System(now=self.cognito.clock, sleep=pass_time)

    def alice(self, **members: Any) -> Alice:
        """Alice, signed in to a new pool with these settings."""
        return Alice(self, self.cognito.create_pool(**members))

    def calls(self, operation: str) -> int:
        """How often an operation was called."""
        return [call.operation for call in self.cognito.calls].count(operation)


class Alice:
    """A user with a verified address who is signed in."""

    def __init__(self, world: World, pool: Pool) -> None:
        self.pool = pool
        pool.add_user("alice", PASSWORD, email=ADDRESS, phone_number="+31612345678")
        self.flow = world.flow(pool)
        self.signed_in: SignedIn = self.flow.start(UserSrpAuth("alice", PASSWORD))
        self.account = self.flow.account(self.signed_in.tokens)
