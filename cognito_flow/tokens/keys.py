"""The public keys of a user pool: fetched once, cached, and fetched again when the pool may have new ones.

Rules of this file:

- At most one fetch is running. It runs in a thread of its own; callers that need a key wait for it, in a
  thread or in a task, but never longer than `timeout`.
- An unknown key id may belong to a new key, or be made up by a sender. So it causes a fetch once a minute at
  most.
- Cached keys stay valid while later fetches fail.
- A process that is forked during a fetch begins its own: the thread that fetches is in the other process.

Source: "Verifying JSON web tokens" in the Amazon Cognito developer guide; RFC 7517 and 7518 for the form of
keys.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from copy import copy
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

import attrs
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from cognito_flow._json import as_list, as_object, as_text, parse_json
from cognito_flow._process_lock import ProcessLock
from cognito_flow._tracebacks import clear_locals
from cognito_flow.errors import CognitoFlowError, TokenInvalid, TransportError, UnexpectedResponse
from cognito_flow.tokens._elapsed import has_elapsed

if TYPE_CHECKING:
    from concurrent.futures import Future

Fetch: TypeAlias = Callable[[str], bytes]
"""Returns the document at a URL. It is called in a thread of its own."""

Keys: TypeAlias = Mapping[str, RSAPublicKey]

_PAUSE = timedelta(minutes=1)  # between fetches for an unknown key id
_PAUSE_WITHOUT_KEYS = timedelta(seconds=1)  # the same, as long as no fetch has succeeded
_MAX_AGE = timedelta(days=1)  # then the keys are fetched again, to forget those that the pool has withdrawn
_MAX_BYTES = 100_000  # a pool's two keys take less than 1,000
_MIN_BITS = 2048  # RFC 7518, section 3.3


@attrs.define
class KeySet:
    """The keys of one pool.

    Args:
        url: Where the pool publishes them.
        fetch: Returns the document at that URL.
        timeout: How long callers wait for it, in seconds.
        now: Returns the current time.
    """

    url: str
    fetch: Fetch = attrs.field(repr=False)
    timeout: float
    now: Callable[[], datetime] = attrs.field(repr=False)
    _keys: Keys = attrs.field(factory=dict[str, RSAPublicKey], init=False, repr=False)
    _failure: CognitoFlowError | None = attrs.field(default=None, init=False)
    _fetched_at: datetime | None = attrs.field(default=None, init=False)
    _tried_at: datetime | None = attrs.field(default=None, init=False)
    _loading: Future[None] | None = attrs.field(default=None, init=False, repr=False)
    _loading_process: int = attrs.field(default=0, init=False, repr=False)
    _lock: ProcessLock = attrs.field(factory=ProcessLock, init=False, repr=False)

    def find(self, kid: str) -> RSAPublicKey:
        """Return the key with this id, fetching the keys if it is not among the cached ones.

        Raises:
            TokenInvalid: The pool has no such key.
            TransportError: The key is not cached, and the keys could not be fetched.
            UnexpectedResponse: The key is not cached, and the response was not a JWKS.
        """
        key, loading = self._begin(kid)
        if key is not None:
            return key
        self._wait(loading)
        return self._cached(kid)

    async def find_async(self, kid: str) -> RSAPublicKey:
        """See `find`; waits on the event loop."""
        key, loading = self._begin(kid)
        if key is not None:
            return key
        await self._wait_async(loading)
        return self._cached(kid)

    def prefetch(self) -> None:
        """Fetch the keys now, unless there are some.

        Raises:
            TransportError: The keys could not be fetched.
            UnexpectedResponse: The response was not a JWKS.
        """
        if not self._keys:
            self._wait(self._begin("")[1])
        if not self._keys:
            self._raise_failure()

    async def prefetch_async(self) -> None:
        """See `prefetch`; waits on the event loop."""
        if not self._keys:
            await self._wait_async(self._begin("")[1])
        if not self._keys:
            self._raise_failure()

    def _begin(self, kid: str) -> tuple[RSAPublicKey | None, Future[None] | None]:
        """Start a fetch if one is due. Return the cached key, and the fetch that is running."""
        self._give_up_what_hangs()
        with self._lock.of_this_process:
            key = self._keys.get(kid)
            if self._running is None and self._is_due(is_cached=key is not None):
                self._start()
            return key, self._running

    @property
    def _running(self) -> Future[None] | None:
        """The fetch that is running in this process."""
        return self._loading if self._loading_process == os.getpid() else None

    def _wait(self, loading: Future[None] | None) -> None:
        if loading is not None:
            try:
                loading.result(self.timeout)
            except TimeoutError:
                self._give_up(loading)

    async def _wait_async(self, loading: Future[None] | None) -> None:
        if loading is None:
            return
        import asyncio  # here, so that a program without asyncio does not load it

        # Shielded: cancelling one task must not cancel what others wait for. And not in wait_for: that of
        # Python 3.11 swallows a cancellation that arrives together with the result.
        try:
            async with asyncio.timeout(self.timeout):
                await asyncio.shield(asyncio.wrap_future(loading))
        except TimeoutError:
            self._give_up(loading)

    def _cached(self, kid: str) -> RSAPublicKey:
        with self._lock.of_this_process:
            key = self._keys.get(kid)
        if key is None:
            self._raise_failure()
            raise TokenInvalid("the token is not signed with a key of this user pool")
        return key

    def _raise_failure(self) -> None:
        failure = self._failure
        if failure is not None:
            # Each caller gets an error of its own: a traceback is added to it.
            raise copy(failure) from failure.__cause__

    def _is_due(self, *, is_cached: bool) -> bool:
        if is_cached and not self._has_elapsed(_MAX_AGE, self._fetched_at):
            return False
        # A fetch that this process does not see the end of does not count as a try.
        is_elsewhere = self._loading is not self._running
        return is_elsewhere or self._has_elapsed(
            _PAUSE if self._keys else _PAUSE_WITHOUT_KEYS, self._tried_at
        )

    def _has_elapsed(self, period: timedelta, since: datetime | None) -> bool:
        return has_elapsed(period, since=since, now=self.now())

    def _start(self) -> None:
        from concurrent.futures import Future  # here, because it loads logging

        loading = Future[None]()
        # Set before the thread begins: the process may be forked at any moment after that.
        self._loading, self._loading_process = loading, os.getpid()
        self._tried_at = self.now()
        thread = threading.Thread(target=self._load, args=(loading,), name="cognito-flow-keys", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the system has no more threads
            self._loading, self._failure = None, self._not_fetched(error)

    def _load(self, loading: Future[None]) -> None:
        try:
            outcome: Keys | CognitoFlowError = read_keys(self.fetch(self.url))
        except CognitoFlowError as error:
            clear_locals(error)
            outcome = error
        except TimeoutError:
            outcome = self._too_late()
        except Exception as error:  # noqa: BLE001 - the application's `fetch` may raise anything
            outcome = self._not_fetched(error)
        self._finish(loading, outcome)

    def _not_fetched(self, error: Exception) -> CognitoFlowError:
        failure = TransportError(
            f"the keys at {self.url} could not be fetched: {type(error).__name__}", retryable=True
        )
        failure.__cause__ = error
        clear_locals(failure)  # whose frames would keep the connection open
        return failure

    def _too_late(self) -> CognitoFlowError:
        message = f"the keys at {self.url} did not arrive within {self.timeout:g} s"
        return TransportError(message, retryable=True)

    def _give_up_what_hangs(self) -> None:
        """Forget a fetch that hangs and that no caller waits for, as all have tokens of cached keys."""
        loading = self._running
        if loading is None or not self._keys:
            return
        if self._has_elapsed(max(_PAUSE, timedelta(seconds=self.timeout)), self._tried_at):
            self._give_up(loading)

    def _give_up(self, loading: Future[None]) -> None:
        self._finish(loading, self._too_late())

    def _finish(self, loading: Future[None], outcome: Keys | CognitoFlowError) -> None:
        with self._lock.of_this_process:
            if self._loading is not loading:
                return  # given up already, or finished just before it would have been
            if isinstance(outcome, CognitoFlowError):
                self._failure = outcome
            else:
                self._keys, self._failure, self._fetched_at = outcome, None, self.now()
            self._loading = None
        loading.set_result(None)


def fetch_over_http(timeout: float) -> Fetch:
    """Return a function that downloads a key set over HTTP. See `download`.

    Args:
        timeout: Seconds until the last byte must have arrived.
    """
    from cognito_flow.tokens._download import download  # here, because an application may have its own

    def fetch(url: str) -> bytes:
        status, body = download(url, timeout=timeout, max_bytes=_MAX_BYTES + 1)
        if status != 200:
            raise _refused(url, status)
        return body

    return fetch


def _refused(url: str, status: int) -> CognitoFlowError:
    message = f"the keys at {url} could not be fetched: HTTP status {status}"
    if status == 429 or status >= 500:
        return TransportError(message, retryable=True)
    return UnexpectedResponse(message, hint="check the pool id, its region, and the endpoint")


def read_keys(body: bytes) -> Keys:
    """Return those keys of a JSON Web Key Set that can sign Cognito's tokens, by their ids.

    Other members are ignored (RFC 7517, section 5).

    Raises:
        UnexpectedResponse: It is not a JWKS, or has no such key.
    """
    if len(body) > _MAX_BYTES:
        raise UnexpectedResponse(f"the key set is larger than {_MAX_BYTES} bytes")
    try:
        members = as_list((as_object(parse_json(body)) or {}).get("keys"))
    except ValueError:
        members = None
    if members is None:
        raise UnexpectedResponse("the key set is not a JSON object with a list of keys")
    keys = dict(pair for pair in map(_read_key, members) if pair is not None)
    if not keys:
        raise UnexpectedResponse("the key set has no key for RS256")
    return keys


def _read_key(member: object) -> tuple[str, RSAPublicKey] | None:
    values = as_object(member) or {}
    kid, modulus, exponent = (as_text(values.get(name)) for name in ("kid", "n", "e"))
    if kid is None or modulus is None or exponent is None:
        return None
    if (values.get("kty"), values.get("alg"), values.get("use")) != ("RSA", "RS256", "sig"):
        return None
    try:
        # Only its three public members: with more of them it would be read as a private key.
        key = RSAAlgorithm.from_jwk({"kty": "RSA", "n": modulus, "e": exponent})
    except (jwt.PyJWTError, ValueError):
        return None
    return (kid, key) if isinstance(key, RSAPublicKey) and key.key_size >= _MIN_BITS else None
