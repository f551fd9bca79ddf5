"""Token sources: always-fresh tokens of one user, with one refresh at a time however many ask.

Rule of this file: `TokenState` decides when to refresh, what to store and what may still be returned, and
does no I/O of its own; `TokenSource` and `AsyncTokenSource` only make sure that one refresh runs at a time.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from cognito_flow._checks import refresh_token_of
from cognito_flow._exchange import Exchange, settled
from cognito_flow._jwt import unverified_moment
from cognito_flow._process_lock import ProcessLock
from cognito_flow._refresh import refresh, revoke
from cognito_flow._tracebacks import without_locals
from cognito_flow._turn import Settings, Turn
from cognito_flow.errors import (
    CognitoFlowError,
    RefreshTokenInvalid,
    RefreshTokenReused,
    TokenRevoked,
    UsageError,
)
from cognito_flow.models import Tokens
from cognito_flow.stores import AsyncTokenStore, LockingTokenStore, TokenStore
from cognito_flow.tokens._elapsed import has_elapsed
from cognito_flow.tokens._flight import AsyncFlight, Holding

if TYPE_CHECKING:  # it imports botocore, which is slow to load
    from cognito_flow._transport.drivers import AsyncDriver, Driver

# Minimum time between refresh attempts, so that an outage does not become a retry storm.
_PAUSE = timedelta(seconds=5)
_LONGEST = 86_400  # seconds: the longest AccessTokenValidity and IdTokenValidity

# Another process may have refreshed first, and stored its tokens.
_SUPERSEDED = (RefreshTokenReused, RefreshTokenInvalid, TokenRevoked)


def begin_with(tokens: Tokens | str) -> Tokens:
    """Return the tokens to begin with. A refresh token alone becomes tokens that have expired.

    Raises:
        UsageError: These are neither tokens nor a refresh token.
    """
    if isinstance(tokens, Tokens):
        return tokens
    long_ago = datetime.min.replace(tzinfo=UTC)
    return Tokens("", refresh_token=refresh_token_of(tokens), expires_at=long_ago, username="")


def _check_leeway(_instance: object, _attribute: object, value: float) -> None:
    if not 0 <= value <= _LONGEST:
        raise UsageError(f"leeway must be between 0 and {_LONGEST} seconds: it is part of a token's lifetime")


def _is_as_new(stored: Tokens, tokens: Tokens) -> bool:
    """Whether the stored tokens are at least as new, by Cognito's clock if both tokens say when they were
    issued. The local clock may have been wrong when `expires_at` was computed; and older tokens may expire
    later than new ones, if the app client's token lifetime was shortened."""
    stored_at, tokens_at = (unverified_moment(each.access_token, "iat") for each in (stored, tokens))
    if stored_at is None or tokens_at is None or stored_at == tokens_at:
        return stored.expires_at >= tokens.expires_at
    return stored_at > tokens_at


def _valid_until(tokens: Tokens) -> datetime:
    """When the first of the tokens expires, by the local clock. An ID token names its end by Cognito's clock,
    which may differ: what counts is how much earlier than the access token it expires."""
    id_end, access_end = tokens.id_expires_at, unverified_moment(tokens.access_token, "exp")
    if id_end is None:
        return tokens.expires_at
    if access_end is None:
        return min(tokens.expires_at, id_end)
    return tokens.expires_at + min(id_end - access_end, timedelta())


@attrs.frozen
class _Current:
    """Tokens and their times, replaced together, because other threads read them without a lock. `set_at` is
    when this source got them, wherever they come from."""

    tokens: Tokens
    valid_until: datetime
    refresh_at: datetime
    set_at: datetime


@attrs.define(eq=False)
class TokenState:
    """A user's current tokens, and the decision what to do about them.

    Args:
        settings: The flow's settings.
        tokens: The tokens to begin with.
        store: Where they are kept, too.
        leeway: How long before they expire they are refreshed, in seconds.
        on_tokens: Called with new tokens before they are returned to a caller.
        renew: How to get new tokens for the current ones.
    """

    settings: Settings
    _first: Tokens = attrs.field(alias="tokens")
    store: TokenStore | AsyncTokenStore | None
    leeway: float = attrs.field(validator=_check_leeway)
    on_tokens: Callable[[Tokens], object] | None = None
    renew: Callable[[Turn, Tokens], Exchange[Tokens]] = refresh
    _current: _Current = attrs.field(init=False)
    _is_stored: bool = attrs.field(default=False, init=False)
    _is_reported: bool = attrs.field(default=False, init=False)
    _is_rejected: bool = attrs.field(default=False, init=False)
    _is_signed_out: bool = attrs.field(default=False, init=False)
    _tried_at: datetime | None = attrs.field(default=None, init=False)
    _failure: CognitoFlowError | None = attrs.field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._set(self._first, is_stored=self.store is None)
        self._is_reported = True  # the caller has these

    # -- questions --

    @property
    def tokens(self) -> Tokens:
        """The current tokens, fresh or not."""
        return self._current.tokens

    def fresh(self) -> Tokens | None:
        """Return the tokens if they can be used without a refresh or a look into the store, else None."""
        return None if self._is_due() else self.valid()

    def valid(self) -> Tokens | None:
        """Return the tokens if they can be used while another caller refreshes them, else None."""
        current = self._current  # read first: tokens that replace these meanwhile are not stored yet
        has_expired = self.settings.system.now() >= current.valid_until
        if has_expired or self._is_rejected or self._is_signed_out:
            return None
        return current.tokens if self._is_stored and self._is_reported else None

    def valid_despite(self, error: CognitoFlowError) -> Tokens | None:
        """Return the tokens if they are valid and the error is temporary, else None."""
        return self.valid() if error.retryable else None

    def _is_due(self) -> bool:
        current = self._current  # read first: tokens that replace these meanwhile have later times
        now = self.settings.system.now()
        # If the clock was set back since the tokens were set, they may expire, or have expired, earlier than
        # the source believes.
        return self._is_rejected or now >= current.refresh_at or now < current.set_at

    def _may_try(self) -> bool:
        return has_elapsed(_PAUSE, since=self._tried_at, now=self.settings.system.now())

    # -- changes --

    def reject(self, token: str) -> None:
        """Treat an access or ID token as expired, because a server refused it. A token that was already
        replaced is ignored, so that a late refusal does not undo the refusal of the current one."""
        if token in (self.tokens.access_token, self.tokens.id_token):
            self._is_rejected = True

    def lock(self) -> AbstractContextManager[object] | AbstractAsyncContextManager[object]:
        """Return the store's lock of this user, if the store has locks."""
        # Before the first refresh with a bare refresh token, the user is unknown.
        if isinstance(self.store, LockingTokenStore) and self.tokens.username:
            return self.store.lock(self.settings.app, self.tokens.username)
        return nullcontext()

    def freshen(self) -> Exchange[None]:
        """Make the tokens fresh, and store new ones before a caller gets them."""
        if self._is_signed_out:
            raise TokenRevoked("this token source was signed out: sign in again")
        # Stored tokens may have been set by the same wrong clock, in another process.
        is_clock_behind = self.settings.system.now() < self._current.set_at
        yield from self._take_stored()
        yield from self._save()
        if is_clock_behind or self._is_due():
            yield from self._try_refresh()
            yield from self._save()

    def sign_out(self) -> Exchange[None]:
        """Revoke the refresh token, and delete the tokens from the store. If Cognito cannot be reached, the
        tokens are kept, so that signing out can be repeated; if it refuses, they are deleted all the same."""
        if self._is_signed_out:
            return
        yield from self._take_stored()
        failure: CognitoFlowError | None = None
        if self.tokens.refresh_token:
            try:
                yield from revoke(Turn(settings=self.settings), self.tokens)
            except CognitoFlowError as error:
                if error.retryable:
                    raise
                failure = error
        if self.store is not None and self.tokens.username:
            yield from settled(self.store.delete_tokens(self.settings.app, self.tokens.username))
        self._is_signed_out = True
        if failure is not None:
            raise failure

    def _try_refresh(self) -> Exchange[None]:
        """Refresh, unless that was just tried."""
        if self._may_try():
            self._failure = None
            try:
                yield from self._refresh()
            except CognitoFlowError as error:
                self._failure = error
            # Set when the attempt has ended, so that callers who waited for it do not wait for another one.
            # An attempt that was cancelled does not count.
            self._tried_at = self.settings.system.now()
        self._is_rejected = False
        if self._failure is not None:
            raise copy.copy(self._failure) from self._failure.__cause__

    def _refresh(self) -> Exchange[None]:
        try:
            tokens = yield from self.renew(Turn(settings=self.settings), self.tokens)
        except _SUPERSEDED:
            if not (yield from self._take_other()):
                raise
            if not self._is_due():
                return
            tokens = yield from self.renew(Turn(settings=self.settings), self.tokens)
        self._set(tokens, is_stored=self.store is None)

    def _set(self, tokens: Tokens, *, is_stored: bool) -> None:
        self._is_stored = self._is_reported = False  # until all is set, no other thread may take the new ones
        valid_until = _valid_until(tokens)
        # Up to twice the leeway, so that processes that began together do not all refresh together.
        share = self.settings.system.random_bytes(1)[0] / 255
        refresh_at = _before(valid_until, self.leeway * (1 + share))
        self._current = _Current(tokens, valid_until, refresh_at, self.settings.system.now())
        self._is_rejected, self._failure = False, None
        self._is_stored = is_stored

    # -- the store and the callback --

    def _stored(self) -> Exchange[Tokens | None]:
        if self.store is None or not self.tokens.username:
            return None
        return (yield from settled(self.store.get_tokens(self.settings.app, self.tokens.username)))

    def _take_stored(self) -> Exchange[None]:
        """Take tokens that another process has stored meanwhile, if they are at least as new as these."""
        stored = yield from self._stored()
        if stored is None:
            return
        if stored == self.tokens:
            self._is_stored = True
        elif _is_as_new(stored, self.tokens):
            self._set(stored, is_stored=True)

    def _take_other(self) -> Exchange[bool]:
        """Take the stored tokens, unless their refresh token is the one that was just refused."""
        stored = yield from self._stored()
        if stored is None or stored.refresh_token == self.tokens.refresh_token:
            return False
        self._set(stored, is_stored=True)
        return True

    def _save(self) -> Exchange[None]:
        """Store and report new tokens. If that fails, they stay in memory and the next caller tries again."""
        tokens = self.tokens
        if self.store is not None and not self._is_stored and tokens.username:
            yield from settled(self.store.put_tokens(self.settings.app, tokens.username, tokens))
            self._is_stored = True
        if not self._is_reported:
            if self.on_tokens is not None:
                yield from settled(self.on_tokens(tokens))
            self._is_reported = True


def _before(moment: datetime, seconds: float) -> datetime:
    try:
        return moment - timedelta(seconds=seconds)
    except OverflowError:  # of the tokens that `begin_with` makes
        return moment


@without_locals
class TokenSource:
    """Always-fresh tokens of one user. Made by `AuthFlow.token_source`; share it between threads.

    The tokens are refreshed some time before they expire, by one thread however many ask; the others get the
    tokens that are still valid, or wait if those have expired. If a refresh fails for a temporary reason,
    valid tokens are still returned, and the next attempt is made five seconds later at the earliest. They are
    also refreshed if the clock was set back since the source got them.

    With a store, new tokens are stored before they are returned. If the store has locks, processes that share
    it refresh in turn, and use the tokens that another one has stored.

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

    def __init__(self, driver: Driver, state: TokenState) -> None:
        self._driver, self._state = driver, state
        self._lock = ProcessLock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.username!r})"

    @property
    def username(self) -> str:
        """The user name in the pool."""
        return self._state.tokens.username

    @property
    def device_key(self) -> str | None:
        """The DeviceKey of the sign-in, if a device took part in it."""
        return self._state.tokens.device_key

    def tokens(self) -> Tokens:
        """Return all the tokens, refreshing them if they are about to expire.

        Raises:
            RefreshTokenInvalid: Sign in again.
            RefreshTokenReused: Another process has the newer token: without a shared store, sign in again.
            TokenRevoked: The source was signed out: sign in again.
            CognitoFlowError: As with `AuthFlow.refresh`. Exceptions of the store and of `on_tokens` are
                raised unchanged; the tokens stay in memory, and the next call stores them.
        """
        try:
            return self._fresh()
        except CognitoFlowError as error:
            if (tokens := self._state.valid_despite(error)) is None:
                raise
            return tokens

    def access_token(self) -> str:
        """Return the access token, refreshing it if it is about to expire. Raises what `tokens` raises."""
        return self.tokens().access_token

    def id_token(self) -> str:
        """Return the ID token, refreshing it if it is about to expire.

        Raises:
            UsageError: Cognito issued no ID token.
            CognitoFlowError: As with `tokens`.
        """
        return _need_id_token(self.tokens())

    def refresh(self, rejected: str) -> Tokens:
        """Return other tokens than those that a server refused before they expired.

        Args:
            rejected: The access or ID token that was refused. If the source has replaced it already, or was
                refreshed in the last five seconds, nothing is fetched.
        """
        self._state.reject(rejected)
        return self._fresh()

    def sign_out(self) -> None:
        """Revoke the tokens, and delete them from the store. Afterwards the source raises `TokenRevoked`.

        If Cognito cannot be reached, nothing is deleted: call it again. If Cognito refuses, the tokens are
        deleted from the store, and its error is raised.

        Raises:
            CognitoFlowError: As with `AuthFlow.revoke`. Exceptions of the store are raised unchanged.
        """
        with self._lock.of_this_process, _blocking(self._state.lock()):
            self._driver.run(self._state.sign_out())

    def _fresh(self) -> Tokens:
        return self._state.fresh() or self._fresh_in_turn()

    def _fresh_in_turn(self) -> Tokens:
        lock = self._lock.of_this_process
        if not lock.acquire(blocking=False):
            if (tokens := self._state.valid()) is not None:
                return tokens
            lock.acquire()
        try:
            if self._state.fresh() is None:
                self._freshen()
            return self._state.tokens
        finally:
            lock.release()

    def _freshen(self) -> None:
        with _blocking(self._state.lock()):
            self._driver.run(self._state.freshen())


def _need_id_token(tokens: Tokens) -> str:
    if tokens.id_token is None:
        raise UsageError(
            "these tokens have no ID token: if they come from managed login, request the scope openid"
        )
    return tokens.id_token


@contextmanager
def _blocking(
    lock: AbstractContextManager[object] | AbstractAsyncContextManager[object],
) -> Generator[None]:
    if not isinstance(lock, AbstractContextManager):
        raise UsageError("this store is asynchronous: use AsyncAuthFlow")
    with lock:
        yield


@without_locals
class AsyncTokenSource:
    """`TokenSource` for asyncio: the same names, awaitable. Made by `AsyncAuthFlow.token_source`; share it
    between the tasks of one event loop.

    A task that is cancelled while it waits does not stop the refresh that it waits for. An event loop that
    ends does: then the next one begins again.
    """

    def __init__(self, driver: AsyncDriver, state: TokenState) -> None:
        self._driver, self._state = driver, state
        self._flight: AsyncFlight[Tokens] = AsyncFlight()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.username!r})"

    @property
    def username(self) -> str:
        """The user name in the pool."""
        return self._state.tokens.username

    @property
    def device_key(self) -> str | None:
        """The DeviceKey of the sign-in, if a device took part in it."""
        return self._state.tokens.device_key

    async def tokens(self) -> Tokens:
        """Return all the tokens, refreshing them if they are about to expire.

        Raises:
            RefreshTokenInvalid: Sign in again.
            RefreshTokenReused: Another process has the newer token: without a shared store, sign in again.
            TokenRevoked: The source was signed out: sign in again.
            CognitoFlowError: As with `AuthFlow.refresh`. Exceptions of the store and of `on_tokens` are
                raised unchanged; the tokens stay in memory, and the next call stores them.
        """
        try:
            return await self._fresh()
        except CognitoFlowError as error:
            if (tokens := self._state.valid_despite(error)) is None:
                raise
            return tokens

    async def access_token(self) -> str:
        """Return the access token, fresh. See `TokenSource.access_token`."""
        return (await self.tokens()).access_token

    async def id_token(self) -> str:
        """Return the ID token, fresh.

        Raises:
            UsageError: Cognito issued no ID token.
            CognitoFlowError: As with `tokens`.
        """
        return _need_id_token(await self.tokens())

    async def refresh(self, rejected: str) -> Tokens:
        """Return other tokens than those that a server refused.

        Args:
            rejected: The access or ID token that was refused. If the source has replaced it already, or was
                refreshed in the last five seconds, nothing is fetched.
        """
        self._state.reject(rejected)
        return await self._fresh()

    async def sign_out(self) -> None:
        """Revoke the tokens, and delete them from the store.

        Raises:
            CognitoFlowError: As with `AuthFlow.revoke`. Exceptions of the store are raised unchanged.
        """
        await self._flight.wait()
        await self._flight.join(self._sign_out)

    async def _fresh(self) -> Tokens:
        is_running = self._flight.is_running
        tokens = self._state.valid() if is_running else self._state.fresh()
        if tokens is not None:
            return tokens
        tokens = await self._flight.join(self._freshen)
        if is_running and self._state.fresh() is None:
            # The refresh that was running may have checked the token before it was rejected.
            tokens = await self._flight.join(self._freshen)
        return tokens

    async def _freshen(self) -> Tokens:
        async with Holding(self._state.lock):
            await self._driver.run(self._state.freshen())
        return self._state.tokens

    async def _sign_out(self) -> Tokens:
        async with Holding(self._state.lock):
            await self._driver.run(self._state.sign_out())
        return self._state.tokens
