"""Which Sessions were answered, so that a second click does not reach Cognito.

Rule of this file: it remembers hashes of Sessions, never Sessions, for as long as a Session can live.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime, timedelta

import attrs

from cognito_flow._process_lock import ProcessLock
from cognito_flow._turn import Turn
from cognito_flow.errors import CognitoFlowError, FlowExpired, SessionAlreadyUsed
from cognito_flow.handlers import Answer, Challenge, Handler
from cognito_flow.models import SignedIn

_LONGEST_SESSION = timedelta(minutes=15)  # the longest AuthSessionValidity


@attrs.define(eq=False)
class AnsweredSessions:
    """The Sessions that were answered through one flow.

    Args:
        now: The clock.
    """

    now: Callable[[], datetime]
    _answered: set[bytes] = attrs.field(factory=set[bytes], init=False, repr=False)
    _lost: set[bytes] = attrs.field(factory=set[bytes], init=False, repr=False)
    _ages: deque[tuple[datetime, bytes]] = attrs.field(
        factory=deque[tuple[datetime, bytes]], init=False, repr=False
    )
    _lock: ProcessLock = attrs.field(factory=ProcessLock, init=False, repr=False)

    @contextmanager
    def once(self, answer: Answer, turn: Turn) -> Generator[Callable[[SignedIn | Challenge], None]]:
        """Reserve the challenge while it is answered.

        After an error of Cognito's, it may be answered again, unless the turn has used the answer up. After
        anything else, such as the cancellation of a task whose call may still be under way, it may not.

        Args:
            answer: The answer.
            turn: The turn in which it is sent.

        Yields:
            A function to call with the step that the answer led to.

        Raises:
            SessionAlreadyUsed: The challenge was answered before, or is being answered.
        """
        session = answer.challenge.pending.session
        if session is None:
            yield lambda _step: None
            return
        mark = _mark(session)
        self._reserve(mark)
        try:
            yield lambda step: self._reopen_repeated(mark, step)
        except CognitoFlowError as error:
            self._release(mark, error, turn)
            raise

    def _reserve(self, mark: bytes) -> None:
        with self._lock.of_this_process:
            self._forget_old()
            if mark in self._answered:
                raise SessionAlreadyUsed(
                    "this challenge was already answered: continue with the step that its answer returned, "
                    "or begin a new sign-in",
                    maybe_processed=mark in self._lost,
                )
            self._answered.add(mark)
            self._ages.append((self.now(), mark))

    def _forget_old(self) -> None:
        oldest = self.now() - _LONGEST_SESSION
        while self._ages and self._ages[0][0] < oldest:
            _, mark = self._ages.popleft()
            self._answered.discard(mark)
            self._lost.discard(mark)

    def _release(self, mark: bytes, error: CognitoFlowError, turn: Turn) -> None:
        with self._lock.of_this_process:
            if not turn.is_answered:
                self._answered.discard(mark)
            if error.maybe_processed:
                self._lost.add(mark)
            elif isinstance(error, FlowExpired) and mark in self._lost:
                # Cognito may have accepted the answer whose response was lost; this one then came too late.
                error.maybe_processed = True

    def _reopen_repeated(self, mark: bytes, step: SignedIn | Challenge) -> None:
        """Let the next step be answered if it has the same Session."""
        if (
            isinstance(step, Handler)
            and step.pending.session is not None
            and _mark(step.pending.session) == mark
        ):
            with self._lock.of_this_process:
                self._answered.discard(mark)


def _mark(session: str) -> bytes:
    return hashlib.sha256(session.encode(errors="surrogatepass")).digest()
