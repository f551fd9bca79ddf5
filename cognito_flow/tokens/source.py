"""Token sources: tokens that are fresh whenever somebody asks, and are fetched once however many ask.

Rule of this file: what is due, what is kept and what may still be served is decided in `Keeper`, which makes
no calls of its own; `TokenSource` and `AsyncTokenSource` only see to it that one refresh runs at a time.
"""

from __future__ import annotations

import copy
import threading
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta

import attrs

from cognito_flow import _engine
from cognito_flow._exchange import Exchange
from cognito_flow._tracebacks import without_locals
from cognito_flow._transport.drivers import AsyncDriver, Driver
from cognito_flow._turn import Settings, Turn
from cognito_flow.errors import (
    CognitoFlowError,
    RefreshTokenInvalid,
    RefreshTokenReused,
    TokenRevoked,
    UsageError,
)
from cognito_flow.models import Tokens
from cognito_flow.stores import LockingTokenStore, TokenStore
from cognito_flow.tokens._elapsed import has_elapsed
from cognito_flow.tokens._flight import AsyncFlight, holding

__all__ = ["AsyncTokenSource", "Keeper", "TokenSource"]

# Nobody tries twice within so long: trouble of a busy service must not become a storm of calls.
_PAUSE = timedelta(seconds=5)
_LONGEST = 86_400  # seconds: the longest AccessTokenValidity and IdTokenValidity

# Another process refreshed first, and its tokens may stand in the store.
_SUPERSEDED = (RefreshTokenReused, RefreshTokenInvalid, TokenRevoked)


def _check_leeway(_instance: object, _attribute: object, value: float) -> None:
    if not 0 <= value <= _LONGEST:
        raise UsageError(
            f"leeway is the time before the end of a token, in seconds: from 0 to {_LONGEST}, a token's life"
        )


def _is_as_new(kept: Tokens, tokens: Tokens) -> bool:
    """By Cognito's clock, if both tell it. The local one may have been wrong when the end was reckoned; and
    old tokens may end later than new ones, if those of the app client have come to live shorter."""
    kept_at, tokens_at = _engine.issued_at(kept), _engine.issued_at(tokens)
    if kept_at is None or tokens_at is None or kept_at == tokens_at:
        return kept.expires_at >= tokens.expires_at
    return kept_at > tokens_at


@attrs.define(eq=False)
class Keeper:
    """The tokens in hand, and what is to be done about them.

    Args:
        settings: The flow's settings.
        tokens: The tokens to begin with.
        store: Where they are kept, too.
        leeway: How long before their end they are to be fresh again, in seconds.
    """

    settings: Settings
    tokens: Tokens
    store: TokenStore | None
    leeway: float = attrs.field(validator=_check_leeway)
    _due: datetime = attrs.field(init=False)
    _is_stored: bool = attrs.field(default=False, init=False)
    _is_rejected: bool = attrs.field(default=False, init=False)
    _tried_at: datetime | None = attrs.field(default=None, init=False)
    _failure: CognitoFlowError | None = attrs.field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._take(self.tokens, is_stored=self.store is None)

    # -- what is so --

    def ready(self) -> Tokens | None:
        """The tokens in hand, if they can be given away without a word to anybody."""
        return None if self._is_due() else self.valid()

    def valid(self) -> Tokens | None:
        """The tokens in hand, if they will do while somebody else refreshes them."""
        tokens = self.tokens  # first of all: those that come while the rest is looked at are not stored yet
        is_over = self._is_rejected or self.settings.system.now() >= tokens.expires_at
        return None if is_over or not self._is_stored else tokens

    def excused(self, error: CognitoFlowError) -> Tokens | None:
        """The tokens in hand, if this is passing trouble, which does not matter to tokens that are valid."""
        return self.valid() if error.retryable else None

    def _is_due(self) -> bool:
        return self._is_rejected or self.settings.system.now() >= self._due

    def _may_try(self) -> bool:
        return has_elapsed(_PAUSE, since=self._tried_at, now=self.settings.system.now())

    # -- what is done --

    def reject(self, access_token: str) -> None:
        """Count an access token as over, because a server refused it. One that is gone already is no
        matter, also to those who had the one in hand refused."""
        if self.tokens.access_token == access_token:
            self._is_rejected = True

    def lock(self) -> AbstractContextManager[object]:
        """The store's lock of this user, if it has such locks."""
        if isinstance(self.store, LockingTokenStore):
            return self.store.lock(self.settings.app, self.tokens.username)
        return nullcontext()

    def freshen(self) -> Exchange[None]:
        """See to it that the tokens in hand are fresh, and kept before they are handed out."""
        self._adopt_kept()
        self._save()
        if self._is_due():
            yield from self._try_refresh()
            self._save()

    def _try_refresh(self) -> Exchange[None]:
        """Refresh, unless that has just been tried."""
        if self._may_try():
            self._failure = None
            try:
                yield from self._refresh()
            except CognitoFlowError as error:
                self._failure = error
            # Only now: those who waited are not to wait once more, and a try that was broken off is none.
            self._tried_at = self.settings.system.now()
        self._is_rejected = False
        if self._failure is not None:
            raise copy.copy(self._failure) from self._failure.__cause__

    def _refresh(self) -> Exchange[None]:
        try:
            tokens = yield from _engine.refresh(Turn(settings=self.settings), self.tokens)
        except _SUPERSEDED:
            if not self._adopt_other():
                raise
            if not self._is_due():
                return
            tokens = yield from _engine.refresh(Turn(settings=self.settings), self.tokens)
        self._take(tokens, is_stored=self.store is None)

    # -- the store --

    def _kept(self) -> Tokens | None:
        return None if self.store is None else self.store.get(self.settings.app, self.tokens.username)

    def _adopt_kept(self) -> None:
        """Take what another process has stored meanwhile, if it is as new as what is in hand."""
        kept = self._kept()
        if kept is None:
            return
        if kept == self.tokens:
            self._is_stored = True
        elif _is_as_new(kept, self.tokens):
            self._take(kept, is_stored=True)

    def _adopt_other(self) -> bool:
        """Take what is stored, if it is not the refresh token that has just been refused."""
        kept = self._kept()
        if kept is None or kept.refresh_token == self.tokens.refresh_token:
            return False
        self._take(kept, is_stored=True)
        return True

    def _save(self) -> None:
        """A store that fails is asked again by the next who asks: until then the tokens stay in hand."""
        if self.store is not None and not self._is_stored:
            self.store.put(self.settings.app, self.tokens.username, self.tokens)
            self._is_stored = True

    def _take(self, tokens: Tokens, *, is_stored: bool) -> None:
        self._is_stored = False  # while they change, nobody takes the new ones for the stored ones
        self.tokens, self._is_rejected, self._failure = tokens, False, None
        # Up to twice the leeway, so that processes that began together do not all refresh together.
        share = self.settings.system.random_bytes(1)[0] / 255
        self._due = tokens.expires_at - timedelta(seconds=self.leeway * (1 + share))
        self._is_stored = is_stored


@without_locals
class TokenSource:
    """Tokens of one user that are always fresh. Made by `AuthFlow.token_source`; share it between threads.

    They are refreshed some time before they end, by one thread however many ask; the others go on with the
    tokens that are still valid, or wait if they are not. If the refresh fails for a passing reason, the valid
    tokens are served on, and for five seconds nobody tries again.

    With a store, rotated tokens are stored before they are handed out. If the store has locks, processes that
    share it refresh in turn; if another one was first, its tokens are taken.

    >>> from cognito_flow import UserSrpAuth
    >>> from cognito_flow.testing import LocalCognito
    >>> cognito = LocalCognito()
    >>> pool = cognito.create_pool()
    >>> user = pool.add_user("alice", "correct horse")
    >>> flow = pool.flow()
    >>> source = flow.token_source(flow.sign_in(UserSrpAuth("alice", "correct horse")).tokens)
    >>> before = source.access_token()
    >>> cognito.clock.advance(3600)
    >>> source.access_token() == before
    False
    """

    def __init__(self, driver: Driver, keeper: Keeper) -> None:
        self._driver, self._keeper = driver, keeper
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.username!r})"

    @property
    def username(self) -> str:
        """The user name in the pool."""
        return self._keeper.tokens.username

    @property
    def device_key(self) -> str | None:
        """The DeviceKey of the sign-in, if a device took part in it."""
        return self._keeper.tokens.device_key

    def tokens(self) -> Tokens:
        """All the tokens, fresh.

        Raises:
            RefreshTokenInvalid: Sign in again.
            RefreshTokenReused: Another process has the newer token: without a shared store, sign in again.
            CognitoFlowError: As with `AuthFlow.refresh`. What the store raises is raised as it is; the tokens
                are kept in hand, and stored when somebody asks again.
        """
        try:
            return self._fresh()
        except CognitoFlowError as error:
            if (tokens := self._keeper.excused(error)) is None:
                raise
            return tokens

    def access_token(self) -> str:
        """The access token, fresh. It raises what `tokens` raises."""
        return self.tokens().access_token

    def refresh(self, rejected: str) -> Tokens:
        """Tokens in place of an access token that a server refused although it has not ended.

        Args:
            rejected: The access token that was refused. If it is not the one in hand any more, nothing is
                fetched; and nothing is fetched within five seconds of the last time.
        """
        self._keeper.reject(rejected)
        return self._fresh()

    def _fresh(self) -> Tokens:
        return self._keeper.ready() or self._fresh_in_turn()

    def _fresh_in_turn(self) -> Tokens:
        if not self._lock.acquire(blocking=False):
            if (tokens := self._keeper.valid()) is not None:
                return tokens
            self._lock.acquire()
        try:
            if self._keeper.ready() is None:
                self._freshen()
            return self._keeper.tokens
        finally:
            self._lock.release()

    def _freshen(self) -> None:
        with self._keeper.lock():
            self._driver.run(self._keeper.freshen())


@without_locals
class AsyncTokenSource:
    """`TokenSource` for asyncio: the same names, awaitable. Made by `AsyncAuthFlow.token_source`; share it
    between the tasks of one event loop.

    A task that is cancelled while it waits does not stop the refresh that it waits for. An event loop that
    ends does: then the next one begins again.
    """

    def __init__(self, driver: AsyncDriver, keeper: Keeper) -> None:
        self._driver, self._keeper = driver, keeper
        self._flight: AsyncFlight[Tokens] = AsyncFlight()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.username!r})"

    @property
    def username(self) -> str:
        """The user name in the pool."""
        return self._keeper.tokens.username

    @property
    def device_key(self) -> str | None:
        """The DeviceKey of the sign-in, if a device took part in it."""
        return self._keeper.tokens.device_key

    async def tokens(self) -> Tokens:
        """All the tokens, fresh. See `TokenSource.tokens`."""
        try:
            return await self._fresh()
        except CognitoFlowError as error:
            if (tokens := self._keeper.excused(error)) is None:
                raise
            return tokens

    async def access_token(self) -> str:
        """The access token, fresh. See `TokenSource.access_token`."""
        return (await self.tokens()).access_token

    async def refresh(self, rejected: str) -> Tokens:
        """Tokens in place of an access token that a server refused. See `TokenSource.refresh`."""
        self._keeper.reject(rejected)
        return await self._fresh()

    async def _fresh(self) -> Tokens:
        is_under_way = self._flight.is_under_way
        tokens = self._keeper.valid() if is_under_way else self._keeper.ready()
        if tokens is not None:
            return tokens
        tokens = await self._flight.join(self._freshen)
        if is_under_way and self._keeper.ready() is None:
            # It may have looked at the token before that was refused.
            tokens = await self._flight.join(self._freshen)
        return tokens

    async def _freshen(self) -> Tokens:
        async with holding(self._keeper.lock):
            await self._driver.run(self._keeper.freshen())
        return self._keeper.tokens
