"""When the verifiers fetch a pool's keys, what they accept as keys, and which failures they survive."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_flow import (
    AsyncTokenVerifier,
    CognitoFlowError,
    System,
    TokenInvalid,
    TokenVerifier,
    TransportError,
    UnexpectedResponse,
)
from cognito_flow.testing import Clock
from tests.support import forge
from tests.support.forge import APP, access_claims, jwk, rs, token

AT = datetime(2030, 1, 1, 12, tzinfo=UTC)
NOW = int(AT.timestamp())
MINUTE, DAY = 60, 86_400
TOKEN = forge.access(NOW, exp=NOW + 30 * DAY)
LONG_ENOUGH = 60  # seconds, for what takes no time on any machine
KINDS = pytest.mark.parametrize("kind", [TokenVerifier, AsyncTokenVerifier], ids=["sync", "async"])


def unknown(name: str = "unknown") -> str:
    """A token with the id of a key that the pool does not have."""
    return token({"alg": "RS256", "kid": name}, access_claims(NOW, exp=NOW + 30 * DAY), rs("access"))


@attrs.define
class Published:
    """The document that a pool publishes, and how often it was fetched."""

    keys: object = attrs.field(factory=forge.jwks)
    fault: Exception | None = None
    looked: int = 0

    def __call__(self, url: str) -> bytes:
        self.looked += 1
        if self.fault is not None:
            raise self.fault
        return self.keys if isinstance(self.keys, bytes) else json.dumps(self.keys).encode()


@attrs.frozen
class Scene:
    """A verifier of either kind, the pool whose keys it fetches, and their clock."""

    verifier: TokenVerifier | AsyncTokenVerifier
    published: Published
    clock: Clock

    def verify(self, token: str = TOKEN) -> str:
        """The user name in an access token."""
        claims: Any = self.verifier.verify_access(token)
        return str((asyncio.run(claims) if inspect.iscoroutine(claims) else claims).username)

    def refusal(self, token: str = TOKEN) -> CognitoFlowError:
        """The error that a token raises."""
        with pytest.raises(CognitoFlowError) as refused:
            self.verify(token)
        return refused.value


@pytest.fixture(params=[TokenVerifier, AsyncTokenVerifier], ids=["sync", "async"])
def scene(request: pytest.FixtureRequest) -> Scene:
    published, clock = Published(), Clock(lambda: AT)
    verifier = request.param(APP, fetch=published, timeout=LONG_ENOUGH, system=System(now=clock))
    return Scene(verifier, published, clock)


def test_keys_are_fetched_with_the_first_token_only(scene: Scene) -> None:
    assert scene.published.looked == 0
    for _ in range(10):
        assert scene.verify() == "alice"
    assert scene.published.looked == 1


def test_unknown_key_ids_cause_one_fetch_a_minute(scene: Scene) -> None:
    scene.verify()
    for _ in range(3):
        assert isinstance(scene.refusal(unknown()), TokenInvalid)
    assert scene.published.looked == 1

    scene.clock.advance(MINUTE)
    for name in ("a", "b", "c"):
        scene.refusal(unknown(name))
    assert scene.published.looked == 2


def test_new_key_is_found_after_a_minute(scene: Scene) -> None:
    scene.verify()
    scene.published.keys = {"keys": [jwk("id"), jwk("access", kid="unknown")]}
    scene.clock.advance(MINUTE)

    assert scene.verify(unknown()) == "alice"


def test_withdrawn_key_is_forgotten_after_a_day(scene: Scene) -> None:
    """The fetch after a day runs beside the calls: no caller waits for it."""
    scene.verify()
    scene.published.keys = {"keys": [jwk("id")]}
    scene.clock.advance(DAY - 1)
    assert scene.verify() == "alice"
    assert scene.published.looked == 1

    scene.clock.advance(1)
    assert scene.verify() == "alice"  # it begins to fetch
    scene.refusal(unknown())  # waits until that is done
    assert isinstance(scene.refusal(), TokenInvalid)
    assert scene.published.looked == 2


def test_clock_that_is_set_back_does_not_stop_the_fetching(scene: Scene) -> None:
    scene.verify()
    scene.published.keys = {"keys": [jwk("access", kid="unknown")]}
    scene.clock.advance(-DAY)

    with pytest.raises(TokenInvalid, match="compare the clocks"):
        scene.verify(unknown())
    assert scene.published.looked == 2


FAULTS = [
    (OSError("no route"), TransportError),
    (TransportError("no answer", retryable=True), TransportError),
    (UnexpectedResponse("an essay"), UnexpectedResponse),
]


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
def test_failed_fetch_raises_an_error_of_the_library(
    scene: Scene, fault: Exception, kind: type[CognitoFlowError]
) -> None:
    scene.published.fault = fault

    error = scene.refusal()

    assert type(error) is kind
    assert error is not fault
    assert error.__cause__ in (fault, None)


def test_failed_first_fetch_is_repeated_after_a_second(scene: Scene) -> None:
    scene.published.fault = OSError()
    assert [type(scene.refusal()) for _ in range(5)] == [TransportError] * 5
    assert scene.published.looked == 1

    scene.published.fault = None
    scene.clock.advance(1)
    assert scene.verify() == "alice"


@pytest.mark.parametrize("keys", [b"", b"<html>", b"[]", {"keys": []}])
@pytest.mark.parametrize("wait", [MINUTE, DAY])
def test_cached_keys_stay_valid_while_fetches_fail(scene: Scene, keys: object, wait: float) -> None:
    scene.verify()
    scene.published.keys = keys
    scene.clock.advance(wait)

    assert scene.verify() == "alice"
    assert isinstance(scene.refusal(unknown()), UnexpectedResponse)
    assert scene.verify() == "alice"
    assert isinstance(scene.refusal(unknown()), UnexpectedResponse)
    assert scene.published.looked == 2


def test_failed_later_fetch_is_repeated_after_a_minute(scene: Scene) -> None:
    scene.verify()
    scene.published.fault = OSError()
    scene.clock.advance(DAY)
    scene.verify()
    scene.refusal(unknown())
    scene.published.fault = None

    scene.clock.advance(MINUTE - 1)
    assert isinstance(scene.refusal(unknown()), TransportError)
    scene.clock.advance(1)
    assert isinstance(scene.refusal(unknown()), TokenInvalid)
    assert scene.published.looked == 3


def test_token_that_cannot_be_valid_causes_no_fetch(scene: Scene) -> None:
    for what in ("unsigned", "HS256, the modulus as secret", "ES256", "without kid", "no token"):
        scene.refusal(forge.spoilt(NOW)[f"access, {what}"].token)

    assert scene.published.looked == 0


class Held(Published):
    """A fetch that waits until the test lets it continue."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.proceed = threading.Semaphore(0), threading.Event()
        self.threads: list[threading.Thread] = []

    def __call__(self, url: str) -> bytes:
        self.threads.append(threading.current_thread())
        self.begun.release()
        assert self.proceed.wait(LONG_ENOUGH)
        return super().__call__(url)


def test_thousand_threads_share_one_fetch() -> None:
    held = Held()
    verifier = TokenVerifier(APP, fetch=held, timeout=LONG_ENOUGH, system=System(now=lambda: AT))
    all_have_started = threading.Barrier(1001)

    def ask(name: str) -> type[Exception] | None:
        all_have_started.wait(LONG_ENOUGH)
        try:
            verifier.verify_access(TOKEN if name == "0" else unknown(name))
        except CognitoFlowError as error:
            return type(error)
        return None

    with ThreadPoolExecutor(1000) as threads:
        asked = [threads.submit(ask, str(number)) for number in range(1000)]
        all_have_started.wait(LONG_ENOUGH)
        assert held.begun.acquire(timeout=LONG_ENOUGH)
        held.proceed.set()
        answers = [each.result(LONG_ENOUGH) for each in asked]

    assert answers == [None] + [TokenInvalid] * 999
    assert held.looked == 1


def test_thousand_tasks_share_one_fetch_and_do_not_block_the_loop() -> None:
    held = Held()
    verifier = AsyncTokenVerifier(APP, fetch=held, timeout=LONG_ENOUGH, system=System(now=lambda: AT))

    async def ask() -> list[object]:
        names = [TOKEN, *(unknown(str(number)) for number in range(999))]
        asked = [asyncio.create_task(verifier.verify_access(name)) for name in names]
        await asyncio.sleep(0)  # all of them have begun
        assert not any(each.done() for each in asked)
        held.proceed.set()
        return [type(each) for each in await asyncio.gather(*asked, return_exceptions=True)]

    answers = asyncio.run(ask())

    assert answers[1:] == [TokenInvalid] * 999
    assert held.looked == 1


def test_cancelled_task_does_not_cancel_the_fetch_of_others() -> None:
    held = Held()
    verifier = AsyncTokenVerifier(APP, fetch=held, timeout=LONG_ENOUGH, system=System(now=lambda: AT))

    async def ask() -> str | None:
        first, second = (asyncio.create_task(verifier.verify_access(TOKEN)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        held.proceed.set()
        return (await second).username

    assert asyncio.run(ask()) == "alice"
    assert held.looked == 1


@pytest.mark.parametrize("turns", range(4))
def test_task_cancelled_while_the_keys_arrive_is_cancelled(turns: int) -> None:
    held = Held()
    verifier = AsyncTokenVerifier(APP, fetch=held, timeout=LONG_ENOUGH, system=System(now=lambda: AT))

    async def ask() -> None:
        task = asyncio.create_task(verifier.verify_access(TOKEN))
        await asyncio.sleep(0)
        held.proceed.set()
        assert held.begun.acquire(timeout=LONG_ENOUGH)
        held.threads[0].join(LONG_ENOUGH)
        for _ in range(turns):
            await asyncio.sleep(0)
        was_cancelled = task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() is was_cancelled

    asyncio.run(ask())


def test_one_verifier_serves_several_event_loops() -> None:
    published = Published()
    verifier = AsyncTokenVerifier(APP, fetch=published, timeout=LONG_ENOUGH, system=System(now=lambda: AT))

    for _ in range(3):
        assert asyncio.run(verifier.verify_access(TOKEN)).username == "alice"
    assert published.looked == 1


@KINDS
def test_fetch_that_hangs_is_given_up_after_the_timeout(
    kind: type[TokenVerifier | AsyncTokenVerifier],
) -> None:
    held, clock = Held(), Clock(lambda: AT)
    held.keys = {"keys": [jwk("access", kid="late")]}
    scene = Scene(kind(APP, fetch=held, timeout=0.01, system=System(now=clock)), held, clock)

    error = scene.refusal()

    assert isinstance(error, TransportError)
    assert "0.01 s" in str(error)
    assert isinstance(scene.refusal(), TransportError)
    clock.advance(MINUTE)
    assert isinstance(scene.refusal(), TransportError)
    for _ in range(2):
        assert held.begun.acquire(timeout=LONG_ENOUGH)
    held.proceed.set()
    for thread in held.threads:
        thread.join(LONG_ENOUGH)
    assert isinstance(scene.refusal(unknown("late")), TransportError)
    assert held.looked == 2


@KINDS
def test_fetch_that_hangs_does_not_keep_a_withdrawn_key(
    kind: type[TokenVerifier | AsyncTokenVerifier],
) -> None:
    published, held, clock = Published(), Held(), Clock(lambda: AT)
    fetches = iter([published, held, published])

    def fetch(url: str) -> bytes:
        return next(fetches)(url)

    verifier = kind(APP, fetch=fetch, timeout=LONG_ENOUGH, system=System(now=clock))
    scene = Scene(verifier, published, clock)
    scene.verify()
    clock.advance(DAY)
    scene.verify()  # begins the fetch that hangs
    assert held.begun.acquire(timeout=LONG_ENOUGH)
    published.keys = {"keys": [jwk("id")]}

    clock.advance(MINUTE - 1)
    scene.verify()
    assert published.looked == 1
    clock.advance(1)
    scene.verify()  # begins another
    scene.refusal(unknown())  # waits until that is done
    held.proceed.set()
    held.threads[0].join(LONG_ENOUGH)

    assert isinstance(scene.refusal(), TokenInvalid)
    assert published.looked == 2


@KINDS
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_child_forked_during_a_fetch_begins_its_own(kind: type[TokenVerifier | AsyncTokenVerifier]) -> None:
    """The thread that fetches does not exist in the child, which would wait for it in vain."""
    parent, has_begun, is_over = os.getpid(), threading.Event(), threading.Event()

    def fetch(url: str) -> bytes:
        if os.getpid() == parent:
            has_begun.set()
            assert is_over.wait(LONG_ENOUGH)
        return json.dumps(forge.jwks()).encode()

    verifier = kind(APP, fetch=fetch, timeout=LONG_ENOUGH, system=System(now=lambda: AT))
    scene = Scene(verifier, Published(), Clock(lambda: AT))
    waiting = threading.Thread(target=scene.verify)
    waiting.start()
    assert has_begun.wait(LONG_ENOUGH)
    if (child := os.fork()) == 0:
        threading.Timer(20, os._exit, [1]).start()
        try:
            os._exit(scene.verify() != "alice")
        finally:
            os._exit(2)
    is_over.set()
    waiting.join()

    assert os.waitpid(child, 0)[1] == 0


@contextmanager
def no_new_threads() -> Iterator[None]:
    """Let each new thread ask for more memory than there is, so that none can start."""
    usual = threading.stack_size(1 << 46)
    try:
        yield
    finally:
        threading.stack_size(usual)


def test_without_new_threads_the_error_is_a_transport_error(scene: Scene) -> None:
    with no_new_threads():
        assert [type(scene.refusal()) for _ in range(2)] == [TransportError] * 2

    scene.clock.advance(1)
    assert scene.verify() == "alice"


def test_cached_keys_stay_valid_without_new_threads(scene: Scene) -> None:
    scene.verify()
    scene.clock.advance(DAY)

    with no_new_threads():
        assert scene.verify() == "alice"


JUNK: list[object] = [
    None,
    1,
    "key",
    [],
    {},
    {"kid": "junk"},
    {"kty": "oct", "kid": "access", "alg": "HS256", "use": "sig", "k": "c2VjcmV0"},
    {"kty": "EC", "kid": "access", "alg": "ES256", "use": "sig", "crv": "P-256", "x": "AA", "y": "AA"},
    jwk("stranger", kid=None),
    jwk("stranger", kid=7),
    jwk("stranger", kid="access", kty="oct"),
    jwk("stranger", kid="access", alg="HS256"),
    jwk("stranger", kid="access", use="enc"),
    jwk("stranger", kid="access", n=1),
    jwk("stranger", kid="access", n=""),
    jwk("stranger", kid="access", n="!"),
    jwk("stranger", kid="access", n="\u00fc"),
    jwk("stranger", kid="access", e="AA"),
    jwk("stranger", kid="access", e=None),
]


def test_junk_among_the_keys_is_ignored(scene: Scene) -> None:
    """Even with the id of a usable key."""
    scene.published.keys = {"keys": [*JUNK, *forge.jwks()["keys"], *JUNK], "more": "junk"}

    assert scene.verify() == "alice"


@pytest.mark.parametrize("junk", JUNK, ids=map(str, range(len(JUNK))))
def test_key_set_without_a_usable_key_is_unexpected(scene: Scene, junk: object) -> None:
    scene.published.keys = {"keys": [junk]}

    assert isinstance(scene.refusal(), UnexpectedResponse)


def test_key_shorter_than_2048_bits_is_ignored(scene: Scene) -> None:
    numbers = forge.private_key("short", 1024).public_key().public_numbers()
    scene.published.keys = {"keys": [jwk("stranger", n=forge.number(numbers.n))]}

    assert isinstance(scene.refusal(), UnexpectedResponse)


def test_private_members_of_a_key_are_ignored(scene: Scene) -> None:
    numbers = forge.private_key("access").private_numbers()
    scene.published.keys = {"keys": [jwk("access", d=forge.number(numbers.d), p="AA")]}

    assert scene.verify() == "alice"


NOT_KEY_SETS: list[object] = [
    b"",
    b"\xff",
    b"{",
    b"Not found",
    b"<html><body>Sign in to the wireless network</body></html>",
    b"[" * 10_000,
    b"1" * 10_000,
    None,
    1,
    "keys",
    [jwk("access")],
    {},
    {"keys": None},
    {"keys": "access"},
    {"keys": jwk("access")},
    {"keys": {"access": jwk("access")}},
]


@pytest.mark.parametrize("keys", NOT_KEY_SETS, ids=lambda keys: repr(keys)[:40])
def test_document_that_is_not_a_key_set_is_unexpected(scene: Scene, keys: object) -> None:
    scene.published.keys = keys

    assert isinstance(scene.refusal(), UnexpectedResponse)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(list(jwk("access"))), inner),
)


@given(
    st.binary()
    | JSON.map(lambda value: json.dumps(value).encode())
    | JSON.map(lambda value: json.dumps({"keys": [value]}).encode())
)
def test_arbitrary_document_is_unexpected(body: bytes) -> None:
    verifier = TokenVerifier(APP, fetch=lambda url: body, timeout=LONG_ENOUGH, system=System(now=lambda: AT))

    with pytest.raises(UnexpectedResponse):
        verifier.verify_access(TOKEN)


def prefetch(scene: Scene) -> None:
    fetched: Any = scene.verifier.prefetch()
    if inspect.iscoroutine(fetched):
        asyncio.run(fetched)


def test_prefetch_fetches_the_keys_once(scene: Scene) -> None:
    prefetch(scene)
    prefetch(scene)
    assert scene.published.looked == 1

    assert scene.verify() == "alice"
    assert scene.published.looked == 1


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
def test_failed_prefetch_raises_an_error_of_the_library(
    scene: Scene, fault: Exception, kind: type[CognitoFlowError]
) -> None:
    scene.published.fault = fault

    with pytest.raises(kind):
        prefetch(scene)
