"""Keep secrets out of the log of botocore, which writes whole requests and responses at DEBUG.

Rule of this file: it lets names and numbers through, and nothing that it does not know. Versions of botocore
log different things.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

__all__ = ["redact_botocore_logs"]

_LOGGERS = ("aiobotocore", "boto3", "botocore")

# An event, an operation, a region or a URL. A code is shorter; a token or a Session is longer.
_NAME = re.compile(r"(?!\d)[\w.:/*-]{1,100}", re.ASCII)


def redact_botocore_logs() -> None:
    """Keep requests, responses and signatures out of what botocore, boto3 and aiobotocore log.

    Call it once, before you set the logger ``botocore`` to DEBUG. It holds for the whole process and for each
    handler, also for those of tools that report errors. It keeps the texts of the log, and replaces every
    value that is neither a number nor a name with its type. Of an exception it keeps the class, without the
    traceback, whose frames hold the request.

    It does not change what other libraries log (urllib3, aiohttp, httpx), nor botocore's history recorder.

    >>> from cognito_flow import redact_botocore_logs
    >>> redact_botocore_logs()
    """
    make = logging.getLogRecordFactory()
    if not isinstance(make, _RedactingFactory):
        logging.setLogRecordFactory(_RedactingFactory(make))


class _RedactingFactory:
    """Makes the records of the process.

    It is a record factory and not a filter, because a logger's filter does not see the records of the loggers
    below it.
    """

    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self._make = make

    def __call__(self, *args: object, **kwargs: object) -> logging.LogRecord:
        record = self._make(*args, **kwargs)
        if record.name.partition(".")[0] in _LOGGERS:
            _redact(record)
        return record


def _redact(record: logging.LogRecord) -> None:
    # A mapping is one argument: the message names its members, and then does not fit any more.
    values = record.args if isinstance(record.args, tuple) else (record.args,) if record.args else ()
    shown = tuple(_shown(value) for value in values)
    if record.exc_info and record.exc_info[0] is not None:
        record.msg, shown = f"{record.msg} (%s)", (*shown, record.exc_info[0].__name__)
    record.exc_info = record.exc_text = record.stack_info = None
    record.args = shown
    if not _fits(record):
        record.msg, record.args = "a message with %s", (", ".join(map(str, shown)),)


def _fits(record: logging.LogRecord) -> bool:
    try:
        record.getMessage()
    except (TypeError, ValueError, KeyError):
        return False
    return True


def _shown(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str) and _NAME.fullmatch(value):
        return value
    if callable(value) and isinstance(name := getattr(value, "__qualname__", None), str):
        return f"<{name}>"
    return f"<{type(value).__name__}>"
