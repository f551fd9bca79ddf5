"""A lock between the threads of one process that is free in a forked child."""

from __future__ import annotations

import os
import threading

import attrs


@attrs.define(eq=False)
class ProcessLock:
    """A lock between the threads of one process.

    A process that is forked while another thread holds the lock gets one that is free: that thread does not
    exist there, and would never release it.
    """

    _locks: dict[int, threading.Lock] = attrs.field(factory=dict[int, threading.Lock], init=False, repr=False)

    @property
    def of_this_process(self) -> threading.Lock:
        """The lock of the process that asks."""
        return self._locks.setdefault(os.getpid(), threading.Lock())
