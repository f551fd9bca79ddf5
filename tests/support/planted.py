"""Look for secrets that a test planted in what a program, its log and its tools for errors can see.

`Place` has all places; docs/explanation/security.md lists them with the tests that are marked with `searches`.
"""

from __future__ import annotations

import gc
import logging
import pickle
import re
import traceback
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType, TracebackType
from typing import TypeVar

import attrs

from cognito_flow import CognitoFlowError, Unanswered

T = TypeVar("T")

TESTS = Path(__file__).parents[1]
# An access or ID token, and a refresh token of LocalCognito. "eyJ" alone is now and then part of a sealed text.
_TOKEN = re.compile(rb"eyJ[\w-]+\.eyJ|eyJjdHki")
_NOT_ENTERED = (type, ModuleType, FunctionType, BuiltinFunctionType, CodeType, FrameType, TracebackType)


class Place(StrEnum):
    """Where secrets are searched for, as the documentation says it."""

    REPRS = "repr and str of credentials, answers, steps, flows, stores, events and errors"
    ERRORS = "attributes of errors and whatever can be reached from them; errors behind them (`__cause__`, `__context__`)"
    FRAMES = "local variables in the frames of tracebacks, of this library, botocore, aiobotocore and their HTTP libraries"
    PICKLES = "pickles of errors"
    LOGS = "log records of `cognito_flow`; records of `botocore`, `boto3` and `aiobotocore` after `redact_botocore_logs()`"
    MEMORY = "all objects in memory after the flows are over and while their errors are still there"
    SEALED = "sealed text, and files, databases and servers of stores that have keys"
    OUTPUT = (
        "what the command `cognito-flow` prints: standard output, standard error, the terminal, tracebacks"
    )
    FILES = "files that the command leaves behind, besides the store and `--output`"
    PROCESSES = "arguments of the command's process, which other users of the machine can see"


def searches(*_places: Place) -> Callable[[T], T]:
    """Mark a test with the places that it searches. `tests/house/test_promises.py` reads the marks."""
    return lambda test: test


def tokens_in(shown: str | bytes) -> list[bytes]:
    """The beginnings of all tokens in what somebody can see."""
    return _TOKEN.findall(shown.encode() if isinstance(shown, str) else shown)


def errors_behind(error: BaseException) -> Iterator[BaseException]:
    """The error and all errors behind it, by either link."""
    found = [error]
    for link in found:
        yield link
        found += [item for item in (link.__cause__, link.__context__) if item and item not in found]


@attrs.define
class Planted:
    """The secrets of one test, and where one of them was seen."""

    secrets: set[str] = attrs.field(factory=set[str])
    seen_in: list[str] = attrs.field(factory=list[str])
    _texts: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])

    def plant(self, *secrets: str | None) -> None:
        """Add secrets. Those of fewer than six characters would be found by chance."""
        self.secrets |= {secret for secret in secrets if secret is not None and len(secret) > 5}

    def shown(self, place: str, *things: object) -> None:
        """Something that a program could print."""
        self._texts += [(place, text) for thing in things for text in (repr(thing), str(thing))]

    def printed(self, place: str, text: str) -> None:
        """A text that a program wrote."""
        self._texts.append((place, text))

    def raised(self, error: CognitoFlowError) -> None:
        """An error that left the library, whose traceback is still there."""
        for link in errors_behind(error):
            self.shown("an error", link)
            self._texts += [("behind an error", text) for text in _reachable(link)]
            self._texts += [("a frame", repr(frame.f_locals)) for frame in _frames(link)]
        self._texts.append(("a pickle", pickle.dumps(error).decode("latin-1")))

    def logged(self, records: Iterable[logging.LogRecord]) -> None:
        """Records of a log."""
        for record in records:
            self.shown("a log record", record.getMessage(), record.__dict__)

    def found(self) -> list[str]:
        """Each place where a secret was seen, with the text around it."""
        whole = [re.compile(rf"(?<!\w){re.escape(secret)}(?!\w)") for secret in self.secrets]
        return [
            f"{place}: {text[max(0, match.start() - 60) : match.end()]}"
            for place, text in self._texts
            for secret in whole
            if (match := secret.search(text))
        ]


def _frames(error: BaseException) -> list[FrameType]:
    """The frames of its traceback, but for those of the tests, which know the secrets."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return [
        frame
        for frame in frames
        if TESTS not in Path(frame.f_code.co_filename).parents
        and not str(frame.f_globals.get("__name__")).startswith("mutmut")  # which calls what it changed
    ]


def _reachable(error: BaseException) -> Iterator[str]:
    """The texts that hang on an error. An unanswered challenge is meant to."""
    waiting: list[object] = [
        value
        for name, value in vars(error).items()
        if not (isinstance(error, Unanswered) and name == "challenge")
    ]
    waiting += error.args
    seen: dict[int, object] = {}
    for item in waiting:
        if id(item) in seen or isinstance(item, _NOT_ENTERED):
            continue
        seen[id(item)] = item  # which keeps it alive: another object could get its id
        if isinstance(item, bytes):
            yield item.decode("latin-1")
        elif isinstance(item, str):
            yield item
        else:
            waiting += gc.get_referents(item)
