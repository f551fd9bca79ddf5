"""Errors leave the library with the lines of their traceback, and without the values of local variables.

Locals hold passwords, codes and tokens, and tools that report errors print them. `without_locals` decorates
what callers use: the public classes that are given secrets, and the drivers.
"""

from __future__ import annotations

import inspect
import os.path
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import wraps
from types import FrameType, TracebackType
from typing import Any, TypeVar, cast

T = TypeVar("T", bound=Callable[..., object])

_PACKAGE = os.path.dirname(__file__)  # noqa: PTH120 - every program loads this module: pathlib takes 10 ms
_SUSPENDABLE = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_GUARDED = "_is_without_locals"


def without_locals(target: T) -> T:
    """Decorate a function, or the public methods of a class: exceptions that leave it hold no locals.

    Args:
        target: A function, a coroutine function, or a class. Of a class, the constructor and the methods
            whose names have no leading underscore are decorated; inherited ones are not.
    """
    if hasattr(target, _GUARDED):
        return target
    if isinstance(target, type):
        for name, member in list(vars(target).items()):
            if name == "__init__" or not name.startswith("_"):
                _decorate_member(target, name, member)
        return cast("T", target)
    guarded = _guard_coroutine(target) if inspect.iscoroutinefunction(target) else _guard(target)
    setattr(guarded, _GUARDED, True)
    return cast("T", guarded)


def clear_locals(error: BaseException, *, until: BaseException | None = None) -> None:
    """Clear the locals in the tracebacks of an error and of the errors behind it.

    Errors that it hides (``raise ... from None``) are dropped: one from a parser holds the whole document.

    Args:
        error: The error.
        until: An error of the caller's, which stays unchanged.
    """
    links: list[BaseException | None] = [error]
    for link in links:  # grows during the loop
        if link is None:
            continue
        _clear_frames(link.__traceback__)
        if link.__suppress_context__ and link.__context__ is not until:
            link.__context__ = None
        links += [
            behind
            for behind in (link.__cause__, link.__context__)
            if behind not in links and behind is not until
        ]


def drop_other_coroutines(error: BaseException) -> None:
    """Drop the frames from an error's traceback whose locals cannot be cleared: those of coroutines that are
    not of this package. For errors of libraries, which have their locals from us.

    Args:
        error: The error.
    """
    kept = [step for step in _steps(error.__traceback__) if _can_be_cleared(step)]
    below: TracebackType | None = None
    for step in reversed(kept):
        below = TracebackType(below, step.tb_frame, step.tb_lasti, step.tb_lineno)
    error.__traceback__ = below


def _clear_frames(first: TracebackType | None) -> None:
    for step in _steps(first):
        if _can_be_cleared(step):
            with suppress(RuntimeError):  # still executing: it is of the caller, or of `without_locals`
                step.tb_frame.clear()
                _clear_callers(step.tb_frame.f_back)


def _clear_callers(frame: FrameType | None) -> None:
    """Clear the frames that called one that has ended. They are not in the traceback if one of them caught
    the error and returned it, as botocore does, but they are kept with it.

    Raises:
        RuntimeError: The frame is still executing, as are all that called it.
    """
    while frame is not None and not frame.f_code.co_flags & _SUSPENDABLE:
        frame.clear()
        frame = frame.f_back


def _can_be_cleared(step: TracebackType) -> bool:
    """Clearing the frame of a suspended coroutine ends that coroutine (before Python 3.13). If two tasks
    waited for the same error, the frames of the other one are in this traceback, too."""
    code = step.tb_frame.f_code
    return not code.co_flags & _SUSPENDABLE or code.co_filename.startswith(_PACKAGE)


def _steps(step: TracebackType | None) -> Iterator[TracebackType]:
    while step is not None:
        yield step
        step = step.tb_next


def _decorate_member(owner: type, name: str, member: object) -> None:
    if isinstance(member, classmethod | staticmethod):
        method = cast("Any", member)
        setattr(owner, name, type(method)(without_locals(method.__func__)))
    elif inspect.isfunction(member):
        setattr(owner, name, without_locals(member))


def _guard(function: Callable[..., object]) -> Callable[..., object]:
    @wraps(function)
    def guarded(*args: object, **kwargs: object) -> object:
        outer = sys.exception()
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            clear_locals(error, until=outer)
            del args, kwargs, outer
            raise

    return guarded


def _guard_coroutine(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    async def guarded(*args: object, **kwargs: object) -> object:
        outer = sys.exception()
        try:
            return await function(*args, **kwargs)
        except BaseException as error:
            clear_locals(error, until=outer)
            del args, kwargs, outer
            raise

    return guarded
