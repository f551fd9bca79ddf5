"""The public keys of a user pool: fetched, kept, and fetched again when the pool may have new ones.

Rules of this file:

- It is the only one of this package that knows botocore, for its HTTP client, and asyncio, to wait.
- At most one fetch is under way. It runs in a thread of its own, and whoever needs a key that is not there
  waits for it, in a thread or in a task; nobody waits longer than `timeout`. One that hangs is given up.
- A key that is not known may be a new one, or made up by anybody. So it is looked for at most once a minute.
- Keys that were fetched stay good while a later fetch fails.

Source: "Verifying JSON web tokens" in the Amazon Cognito developer guide; RFC 7517 and 7518 for what the keys
are.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import closing
from copy import copy
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import attrs
import jwt
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from cognito_flow._json import as_list, as_object, as_text
from cognito_flow._tracebacks import clear_locals
from cognito_flow.errors import CognitoFlowError, TokenInvalid, TransportError, UnexpectedResponse
from cognito_flow.tokens._elapsed import has_elapsed

__all__ = ["Fetch", "KeySet", "download", "read_keys"]

Fetch: TypeAlias = Callable[[str], bytes]
"""Gets what stands at a URL. It is called in a thread of its own."""

Keys: TypeAlias = Mapping[str, RSAPublicKey]

_PAUSE = timedelta(minutes=1)  # between fetches for a key that is not known
_PAUSE_WITHOUT_KEYS = timedelta(seconds=1)  # the same while there are none at all
_MAX_AGE = timedelta(days=1)  # then the keys are fetched again, to forget those that the pool has withdrawn
_MAX_BYTES = 100_000  # a pool's two keys take less than 1,000
_MIN_BITS = 2048  # RFC 7518, section 3.3


@attrs.define
class KeySet:
    """The keys of one pool.

    Args:
        url: Where the pool publishes them.
        fetch: Gets what stands there.
        timeout: How long to wait for it, in seconds.
        now: Tells the time.
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
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    def find(self, kid: str) -> RSAPublicKey:
        """The key with this id.

        Raises:
            TokenInvalid: The pool has no such key.
            TransportError: The keys could not be fetched, and this one is not known.
            UnexpectedResponse: The same, but what came are no keys.
        """
        found = self._known_or_loading(kid)
        if isinstance(found, Future):
            try:
                found.result(self.timeout)
            except TimeoutError:
                self._give_up(found)
            return self._known(kid)
        return found

    async def find_async(self, kid: str) -> RSAPublicKey:
        """The same, waiting on the event loop."""
        found = self._known_or_loading(kid)
        if isinstance(found, Future):
            # Shielded: that one task is cancelled must not cancel what others wait for. And not in wait_for:
            # that of Python 3.11 swallows a cancellation that comes together with the result.
            try:
                async with asyncio.timeout(self.timeout):
                    await asyncio.shield(asyncio.wrap_future(found))
            except TimeoutError:
                self._give_up(found)
            return self._known(kid)
        return found

    def _known_or_loading(self, kid: str) -> RSAPublicKey | Future[None]:
        self._give_up_what_hangs()
        with self._lock:
            key = self._keys.get(kid)
            if self._loading is None and self._is_due(known=key is not None):
                self._start()
            if key is not None:
                return key
            if self._loading is not None:
                return self._loading
        return self._known(kid)

    def _known(self, kid: str) -> RSAPublicKey:
        with self._lock:
            key, failure = self._keys.get(kid), self._failure
        if key is not None:
            return key
        if failure is not None:
            # Each caller gets an error of its own: a traceback is added to it.
            raise copy(failure) from failure.__cause__
        raise TokenInvalid("the token is not signed with a key of this user pool")

    def _is_due(self, *, known: bool) -> bool:
        pause = _PAUSE if self._keys else _PAUSE_WITHOUT_KEYS
        return self._has_elapsed(pause, self._tried_at) and (
            not known or self._has_elapsed(_MAX_AGE, self._fetched_at)
        )

    def _has_elapsed(self, period: timedelta, since: datetime | None) -> bool:
        return has_elapsed(period, since=since, now=self.now())

    def _start(self) -> None:
        self._tried_at, loading = self.now(), Future[None]()
        thread = threading.Thread(target=self._load, args=(loading,), name="cognito-flow-keys", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the system has no more threads to give
            self._failure = self._not_fetched(error)
        else:
            self._loading = loading

    def _load(self, loading: Future[None]) -> None:
        try:
            outcome: Keys | CognitoFlowError = read_keys(self.fetch(self.url))
        except CognitoFlowError as error:
            clear_locals(error)
            outcome = error
        except Exception as error:  # noqa: BLE001 - a fetch of the caller's raises what it will
            outcome = self._not_fetched(error)
        self._finish(loading, outcome)

    def _not_fetched(self, error: Exception) -> CognitoFlowError:
        failure = TransportError(
            f"the keys at {self.url} could not be fetched: {type(error).__name__}", retryable=True
        )
        failure.__cause__ = error
        clear_locals(failure)  # which would keep a connection open that was given up
        return failure

    def _give_up_what_hangs(self) -> None:
        """As long as people bring tokens of known keys, nobody waits for a fetch, and nobody gives it up."""
        loading, longest = self._loading, max(_PAUSE, timedelta(seconds=self.timeout))
        if loading is not None and self._keys and self._has_elapsed(longest, self._tried_at):
            self._give_up(loading)

    def _give_up(self, loading: Future[None]) -> None:
        self._finish(
            loading,
            TransportError(f"the keys at {self.url} did not come in {self.timeout:g} s", retryable=True),
        )

    def _finish(self, loading: Future[None], outcome: Keys | CognitoFlowError) -> None:
        with self._lock:
            if self._loading is not loading:
                return  # it was given up, or came after all
            if isinstance(outcome, CognitoFlowError):
                self._failure = outcome
            else:
                self._keys, self._failure, self._fetched_at = outcome, None, self.now()
            self._loading = None
        loading.set_result(None)


def download(timeout: float) -> Fetch:
    """What gets a key set over HTTP, with the client that botocore brings.

    Proxies are those of the environment (``HTTPS_PROXY``, ``NO_PROXY``), and so are the certificates to trust
    (``AWS_CA_BUNDLE``, ``REQUESTS_CA_BUNDLE``). Redirects are not followed.

    Args:
        timeout: How long to wait for a connection, and for the next bytes, in seconds.
    """

    make_session: Any = URLLib3Session  # whose stubs know no file of certificates and no part of a second

    def fetch(url: str) -> bytes:
        trusted = os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE") or True
        session = make_session(verify=trusted, proxies=get_environ_proxies(url), timeout=timeout)
        request = AWSRequest("GET", url, headers={"Accept": "application/json"}, stream_output=True)
        try:
            response = session.send(request.prepare())
            with closing(response.raw):
                if response.status_code != 200:
                    raise _refused(url, response.status_code)
                return bytes(response.raw.read(_MAX_BYTES + 1))
        finally:
            session.close()

    return fetch


def _refused(url: str, status: int) -> CognitoFlowError:
    message = f"the keys at {url} could not be fetched: HTTP status {status}"
    if status == 429 or status >= 500:
        return TransportError(message, retryable=True)
    return UnexpectedResponse(message, hint="check the pool id, its region, and the endpoint")


def read_keys(body: bytes) -> Keys:
    """The keys of a JSON Web Key Set that can sign tokens of Cognito, by their ids.

    What else stands in the set is passed over, as RFC 7517, section 5, says.

    Raises:
        UnexpectedResponse: It is no such set, or holds no such key.
    """
    if len(body) > _MAX_BYTES:
        raise UnexpectedResponse(f"the key set is larger than {_MAX_BYTES} bytes")
    try:
        members = as_list((as_object(json.loads(body)) or {}).get("keys"))
    except (ValueError, RecursionError):
        members = None
    if members is None:
        raise UnexpectedResponse("the key set is not a JSON object with a list of keys")
    keys = dict(pair for pair in map(_read_key, members) if pair is not None)
    if not keys:
        raise UnexpectedResponse("the key set holds no key for RS256")
    return keys


def _read_key(member: object) -> tuple[str, RSAPublicKey] | None:
    values = as_object(member) or {}
    kid, modulus, exponent = (as_text(values.get(name)) for name in ("kid", "n", "e"))
    if kid is None or modulus is None or exponent is None:
        return None
    if (values.get("kty"), values.get("alg"), values.get("use")) != ("RSA", "RS256", "sig"):
        return None
    try:
        # Its three public members only: with others it would be read as a private key.
        key = RSAAlgorithm.from_jwk({"kty": "RSA", "n": modulus, "e": exponent})
    except (jwt.PyJWTError, ValueError):
        return None
    return (kid, key) if isinstance(key, RSAPublicKey) and key.key_size >= _MIN_BITS else None
