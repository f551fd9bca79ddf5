"""A store that lives as long as the process.

Rule of this file: nothing is written anywhere. A lock around the records makes the store thread-safe.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import attrs

from cognito_flow._process_lock import ProcessLock
from cognito_flow._tracebacks import without_locals
from cognito_flow.models import AppClient
from cognito_flow.stores._records import Record, Records, RecordStore, users_of


@without_locals
@attrs.define(eq=False)
class MemoryStore(RecordStore):
    """Keeps tokens and devices as long as the process lives. Share it between threads.

    >>> from datetime import UTC, datetime
    >>> from cognito_flow import AppClient, Tokens
    >>> store, app = MemoryStore(), AppClient("eu-west-1_AbC123", "client-id")
    >>> end = datetime(2030, 1, 1, tzinfo=UTC)
    >>> tokens = Tokens("access", "id", "refresh", expires_at=end, username="alice")
    >>> store.put_tokens(app, tokens.username, tokens)
    >>> store.get_tokens(app, "alice") == tokens
    True
    >>> store.users(app)
    ['alice']
    """

    _records: dict[str, Record] = attrs.field(factory=dict[str, Record], init=False, repr=False)
    _lock: ProcessLock = attrs.field(factory=ProcessLock, init=False, repr=False)

    def users(self, app: AppClient) -> list[str]:
        """Return the names of the users whose tokens are kept, sorted."""
        with self._lock.of_this_process:
            return users_of(self._records, app)

    @contextmanager
    def _open(self) -> Generator[Records]:
        with self._lock.of_this_process:
            yield self._records
