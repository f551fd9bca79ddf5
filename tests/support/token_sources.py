"""Token sources of both kinds, of a user of a LocalCognito pool."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import attrs

from cognito_flow import (
    AppClient,
    AsyncAuthFlow,
    AsyncTokenSource,
    AsyncTokenStore,
    AuthFlow,
    System,
    Tokens,
    TokenSource,
    TokenStore,
    UserSrpAuth,
)
from cognito_flow.testing import Pool

T = TypeVar("T")

ALICE = UserSrpAuth("alice", "correct horse")
REFRESH = "GetTokensFromRefreshToken"
ROTATION: Any = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}


def result(value: T | Coroutine[object, object, T]) -> T:
    """Return what a method of either source returns, running its coroutine if it is one."""
    return asyncio.run(value) if isinstance(value, Coroutine) else value


@attrs.frozen
class Source:
    """Either source, with blocking methods."""

    source: TokenSource | AsyncTokenSource

    def tokens(self) -> Tokens:
        return result(self.source.tokens())

    def access_token(self) -> str:
        return result(self.source.access_token())

    def id_token(self) -> str:
        return result(self.source.id_token())

    def refresh(self, rejected: str) -> Tokens:
        return result(self.source.refresh(rejected))

    def sign_out(self) -> None:
        result(self.source.sign_out())


@attrs.frozen
class World:
    """A pool with the user alice, and either kind of sources of her tokens."""

    pool: Pool
    app: AppClient
    is_async: bool

    def sign_in(self) -> Tokens:
        return self.pool.flow(self.app).sign_in(ALICE).tokens

    def flow(
        self, *, sleep: Callable[[float], None] = lambda _: None, **options: Any
    ) -> AuthFlow | AsyncAuthFlow:
        """A flow without jitter, so that the moment of a refresh is known."""
        make = self.pool.async_flow if self.is_async else self.pool.flow
        system = System(now=self.pool.cognito.clock, sleep=sleep, random_bytes=bytes)
        return make(self.app, system=system, **options)

    def source(
        self,
        tokens: Tokens | str | None = None,
        *,
        sleep: Callable[[float], None] = lambda _: None,
        **options: Any,
    ) -> Source:
        return Source(self.flow(sleep=sleep).token_source(tokens or self.sign_in(), **options))

    def restore(self, store: TokenStore | AsyncTokenStore | None, **options: Any) -> Source | None:
        restored: Any = self.flow(store=store).restore("alice", **options)
        source = result(restored)
        return None if source is None else Source(source)

    def advance(self, seconds: float) -> None:
        self.pool.cognito.clock.advance(seconds)

    def refreshes(self) -> int:
        """How many refreshes the pool has seen."""
        return self.calls().count(REFRESH)

    def calls(self) -> list[str]:
        """The operations that the pool has seen."""
        return [call.operation for call in self.pool.cognito.calls]
